kubectl wait --for=condition=Ready pod -l app=observer -n observer-prod --timeout=300s
