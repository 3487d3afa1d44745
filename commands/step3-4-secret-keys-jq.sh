kubectl get secret observer-secrets -n observer-prod -o json | jq -r '.data | keys[]'
