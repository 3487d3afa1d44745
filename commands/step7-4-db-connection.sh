kubectl exec -it deploy/observer -n observer-prod -- \
  python3 -c "
import os, socket
s = socket.create_connection((os.getenv('DB_HOST','postgres'), int(os.getenv('DB_PORT','5432'))), timeout=5)
print('DB connection OK')
s.close()
"
