kubectl describe pod -l app=postgres -n observer-prod | tail -30
