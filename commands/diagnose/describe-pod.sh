kubectl describe pod <pod> -n observer-prod
