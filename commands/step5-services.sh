kubectl get svc -n observer-prod
