kubectl exec -it deploy/observer -n observer-prod -- \
  find /opt/platform/runtime/observer/data -name "*.jsonl" 2>/dev/null | head -10
