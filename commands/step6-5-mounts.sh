kubectl exec -it deploy/observer -n observer-prod -- df -h | grep observer
