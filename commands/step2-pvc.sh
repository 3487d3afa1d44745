kubectl get pvc -n observer-prod
