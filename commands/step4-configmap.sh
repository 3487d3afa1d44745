kubectl get configmap observer-config -n observer-prod -o yaml
