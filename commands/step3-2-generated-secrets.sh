kubectl get secrets -n observer-prod -l sealedsecrets.bitnami.com/sealed-secrets-key
