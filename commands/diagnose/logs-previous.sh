kubectl logs <pod> -n observer-prod --previous
