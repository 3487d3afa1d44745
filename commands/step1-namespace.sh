kubectl get namespace observer-prod
