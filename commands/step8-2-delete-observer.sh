kubectl delete pod -l app=observer -n observer-prod
