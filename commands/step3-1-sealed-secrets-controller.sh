kubectl get pods -n sealed-secrets
