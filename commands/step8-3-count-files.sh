kubectl exec -it deploy/observer -n observer-prod -- \
  sh -c 'find /opt/platform/runtime/observer/data -name "*.jsonl" 2>/dev/null | wc -l'
