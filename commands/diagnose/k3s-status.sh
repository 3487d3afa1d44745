systemctl status k3s
