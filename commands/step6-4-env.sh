kubectl exec -it deploy/observer -n observer-prod -- env | sort
