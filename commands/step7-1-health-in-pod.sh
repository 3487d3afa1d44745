kubectl exec -it deploy/observer -n observer-prod -- \
  python3 -c "import urllib.request; r=urllib.request.urlopen('http://127.0.0.1:8000/health',timeout=5); print(r.status, r.read().decode())"
