kubectl describe pvc <name> -n observer-prod
