kubectl get sealedsecrets -n observer-prod
