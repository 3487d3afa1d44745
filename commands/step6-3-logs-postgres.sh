kubectl logs -l app=postgres -n observer-prod --tail=30
