kubectl get secret observer-secrets -n observer-prod -o json | \
  python3 -c "import sys,json; [print(k) for k in json.loads(sys.stdin.read())['data'].keys()]"
