kubectl exec -it deploy/observer -n observer-prod -- \
  sh -c 'touch /opt/platform/runtime/observer/data/.write_test && echo "OK" && rm /opt/platform/runtime/observer/data/.write_test'
