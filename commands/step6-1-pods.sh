kubectl get pods -n observer-prod -o wide
