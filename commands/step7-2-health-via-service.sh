kubectl run tmp-curl --rm -i -t --image=curlimages/curl -n observer-prod -- \
  curl -sf http://observer:8000/health
