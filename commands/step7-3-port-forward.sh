kubectl port-forward svc/observer 8000:8000 -n observer-prod &
