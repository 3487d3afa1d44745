kubectl delete pod postgres-0 -n observer-prod
