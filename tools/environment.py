"""Make the environment .venv of a checkout, for `playbook.sh`: the libraries, and the checkout itself by a path file.

    python3 -I tools/environment.py CHECKOUT STAMP

Only the libraries are installed: they are wheels, so nothing is built, and the folder `wheels/` of the checkout is enough
without a network. Exit status 0 when STAMP is written, 1 otherwise, after a line that says what to type.
"""

from __future__ import annotations

import configparser
import fcntl
import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

_KOREAN = {
    "making the environment {venv} with Python {python}, once ...": "가상 환경 {venv} 생성 중(Python {python}, 한 번만) ...",
    "ready after {seconds:.0f} s": "{seconds:.0f}초 만에 준비되었습니다",
    "playbook: {top} cannot be written by this user; as its owner type:": "playbook: 현재 사용자는 {top} 에 쓸 수 없습니다. "
    "소유자로 입력할 명령:",
    "playbook: the environment could not be made:": "playbook: 가상 환경을 만들지 못했습니다:",
    "playbook: the libraries could not be installed. Without a package index, type where there is one, with the same "
    "Python and architecture, and copy the folder wheels to {top}:": "playbook: 라이브러리를 설치하지 못했습니다. 패키지 "
    "인덱스에 접속할 수 없으면 "
    "접속되는 서버(같은 Python 버전과 아키텍처)에서 다음을 입력하고 "
    "wheels 디렉터리를 {top} 에 복사하십시오:",
}


def main(top: Path, stamp: Path) -> int:
    """Make it, or find that another process has just made it."""
    if not os.access(top, os.W_OK):
        say("playbook: {top} cannot be written by this user; as its owner type:", top=top)
        print(f"  sudo {top}/playbook.sh --version", file=sys.stderr)
        return 1
    lock = os.open(top, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)  # a second terminal waits, and then finds it made
    venv = stamp.parent
    python = venv / "bin" / "python"
    libraries = requirements(top)
    began = time.monotonic()
    if not has(python, libraries):
        say(
            "making the environment {venv} with Python {python}, once ...",
            venv=venv,
            python=sysconfig.get_python_version(),
        )
        made = run(sys.executable, "-I", "-m", "venv", "--clear", str(venv))
        if made.returncode:
            say("playbook: the environment could not be made:")
            print("  " + tail(made), file=sys.stderr)
            return 1
        wheels = top / "wheels"
        offline = ["--no-index", "--find-links", str(wheels)] if any(wheels.glob("*.whl")) else []
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "--retries", "1", "install"]
        installed = run(*pip, *offline, "--only-binary", ":all:", *libraries)
        if installed.returncode:
            print("  " + tail(installed), file=sys.stderr)
            say(
                "playbook: the libraries could not be installed. Without a package index, type where there is one, with the "
                "same Python and architecture, and copy the folder wheels to {top}:",
                top=top,
            )
            words = " ".join(f"'{library.replace(' ', '')}'" for library in libraries)
            print(f"  python3 -m pip download --only-binary :all: -d wheels {words}", file=sys.stderr)
            return 1
        say("ready after {seconds:.0f} s", seconds=time.monotonic() - began)
    paths = run(str(python), "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    (Path(paths) / "playbook-checkout.pth").write_text(f"{top}\n", "utf-8")
    stamp.write_text(f"{top}\n", "utf-8")
    return 0


def requirements(top: Path) -> list[str]:
    """The libraries that the program needs, as `setup.cfg` names them."""
    config = configparser.ConfigParser()
    config.read(top / "setup.cfg", encoding="utf-8")
    return config["options"]["install_requires"].split("\n")[1:]


def has(python: Path, libraries: list[str]) -> bool:
    """Whether an environment runs and has the libraries: one that `make` made, or one that a moved checkout brought along."""
    names = ", ".join(library.split()[0] for library in libraries)
    try:
        return run(str(python), "-I", "-c", f"import {names}").returncode == 0
    except OSError:
        return False


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """What it printed, and how it ended."""
    return subprocess.run(command, capture_output=True, text=True, check=False)


def tail(ended: subprocess.CompletedProcess[str]) -> str:
    """The last line of what a command said."""
    lines = (ended.stderr or ended.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit {ended.returncode}"


def say(text: str, **values: object) -> None:
    """One line for the person at the terminal, in the language of the locale."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    words = _KOREAN[text] if locale.startswith("ko") else text
    print(words.format(**values), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
