#!/bin/sh
# The program from a checkout, with nothing installed: ./playbook.sh all
#
# Once it makes an environment of its own, .venv, with the newest Python from 3.10 on that has what that takes; libraries come
# from the folder wheels/ where there is one, else from the package index. Then it is `playbook`. It stays in the folder it was
# started in, so that relative paths mean what they meant.
set -eu
TOP=$(dirname "$(readlink -f "$0")")
STAMP=$TOP/.venv/.made-by-playbook-sh

# say ENGLISH KOREAN
say() {
  case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in ko*) shift ;; esac
  printf '%s\n' "$1" >&2
}

root() { [ "$(id -u)" = 0 ] || printf 'sudo '; }

# The first of them that runs, is not too old, and can make environments. Sets PY; LACKS is one that only lacks ensurepip.
choose() {
  PY='' LACKS=''
  for name in python3.14 python3.13 python3.12 python3.11 python3.10 python3; do
    command -v "$name" >/dev/null 2>&1 || continue
    "$name" -I -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1 || continue
    if "$name" -I -c 'import ensurepip, venv' >/dev/null 2>&1; then PY=$name; return; fi
    LACKS=${LACKS:-$name}
  done
}

# The stamp names the place: in a checkout that was moved or copied the environment is made again.
if ! { [ -x "$TOP/.venv/bin/python" ] && [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$TOP" ] &&
  [ -z "$(find "$TOP/setup.cfg" -newer "$STAMP")" ]; }; then
  choose
  if [ -z "$PY" ] && [ -n "$LACKS" ]; then
    python3 -I -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1 && LACKS=python3
    say "playbook: $LACKS cannot make environments here; type:" "playbook: 이 서버의 $LACKS 로는 가상 환경을 만들 수 없습니다. 입력할 명령:"
    say "  $(root)apt-get install -y $LACKS-venv" "  $(root)apt-get install -y $LACKS-venv"
    exit 2
  fi
  if [ -z "$PY" ]; then
    say 'playbook: no Python 3.10 or newer here; type one of these:' 'playbook: Python 3.10 이상이 없습니다. 다음 중 하나를 입력하십시오:'
    say "  $(root)dnf install -y python3.12" "  $(root)dnf install -y python3.12"
    say "  $(root)apt-get install -y python3 python3-venv" "  $(root)apt-get install -y python3 python3-venv"
    exit 2
  fi
  "$PY" -I "$TOP/tools/environment.py" "$TOP" "$STAMP" || exit 2
fi
PLAYBOOK_STARTED_AS=$0
export PLAYBOOK_STARTED_AS
exec "$TOP/.venv/bin/python" -I -m playbook "$@"
