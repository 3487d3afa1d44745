kubectl wait --for=condition=Ready pod postgres-0 -n observer-prod --timeout=300s
