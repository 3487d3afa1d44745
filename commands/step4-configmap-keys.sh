kubectl get configmap observer-config -n observer-prod -o json | \
  python3 -c "import sys,json; [print(k) for k in sorted(json.loads(sys.stdin.read())['data'].keys())]"
