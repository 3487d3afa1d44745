kubectl get configmap observer-config -n observer-prod -o json | \
  python3 -c "
import sys,json
data = json.loads(sys.stdin.read())['data']
checks = {
    'OBSERVER_DATA_DIR': '/opt/platform/runtime/observer/data',
    'OBSERVER_LOG_DIR': '/opt/platform/runtime/observer/logs',
    'OBSERVER_CONFIG_DIR': '/opt/platform/runtime/observer/config',
    'OBSERVER_SNAPSHOT_DIR': '/opt/platform/runtime/observer/universe',
}
for k,v in checks.items():
    actual = data.get(k, 'MISSING')
    status = 'OK' if actual == v else 'MISMATCH'
    print(f'{status}: {k} = {actual} (expected: {v})')
"
