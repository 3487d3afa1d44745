echo "=== PODS ===" && \
kubectl get pods -n observer-prod -o wide && \
echo "" && echo "=== PVC ===" && \
kubectl get pvc -n observer-prod && \
echo "" && echo "=== SECRETS ===" && \
kubectl get secrets -n observer-prod --no-headers | awk '{print $1, $2, $3}' && \
echo "" && echo "=== SERVICES ===" && \
kubectl get svc -n observer-prod && \
echo "" && echo "=== EVENTS (latest 5) ===" && \
kubectl get events -n observer-prod --sort-by='.lastTimestamp' 2>/dev/null | tail -5
