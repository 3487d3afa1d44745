kubectl get secret ghcr-secret -n observer-prod
