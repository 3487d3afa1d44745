ls -la /var/lib/rancher/k3s/storage/
