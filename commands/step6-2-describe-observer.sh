kubectl describe pod -l app=observer -n observer-prod | tail -30
