kubectl get pods -n kube-system -l app=local-path-provisioner
