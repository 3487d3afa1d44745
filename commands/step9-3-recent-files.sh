kubectl exec -it deploy/observer -n observer-prod -- \
  find /opt/platform/runtime/observer/data -name "*.jsonl" -mmin -1440 2>/dev/null | wc -l
