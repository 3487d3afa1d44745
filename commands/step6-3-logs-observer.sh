kubectl logs -l app=observer -n observer-prod --tail=50
