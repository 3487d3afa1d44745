kubectl get secret observer-secrets -n observer-prod
