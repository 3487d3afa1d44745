kubectl get sc
