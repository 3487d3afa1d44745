kubectl exec -it postgres-0 -n observer-prod -- \
  psql -U $POSTGRES_USER -d $POSTGRES_DB -c "SELECT count(*) FROM pg_tables WHERE schemaname='public';"
