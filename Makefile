# Everything here works on a bare machine with python3 (3.10 or newer). The environment .venv is made by itself.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SCENARIO ?= healthy
GUIDE ?= ../shared/guide.md
PYTEST ?= -q

.PHONY: help run demo test test-slow test-all lint test-arm64 test-bare test-cluster audit bench pyz dist clean

help:
	@echo 'make run           ./playbook.sh, which makes its own environment    (ARGS=all)'
	@echo 'make demo          a whole run on a recording, without a cluster   (SCENARIO=healthy)'
	@echo 'make test          the tests that need no cluster                  (PYTEST="-q")'
	@echo 'make test-slow     the slow ones: whole processes, every event at which the program can die'
	@echo 'make test-all      all of them to their full extent, with every kubectl that is found'
	@echo 'make lint          ruff, mypy --strict, the import contract, the catalogs'
	@echo 'make test-arm64    the first commands and a recorded cluster on emulated arm64; as root'
	@echo 'make test-bare     a first night on bare Debian 12, 13 and Ubuntu-like roots; as root'
	@echo 'make test-cluster  the tests on the cluster that KUBECONFIG names; says first what they do to it'
	@echo 'make audit         commands/ against the guide document            (GUIDE=path)'
	@echo 'make bench         the measurements of docs/speed.md; on a cluster too where KUBECONFIG or PLAYBOOK_FAULTS is set'
	@echo 'make pyz           playbook.pyz: one file for a server without a package index'
	@echo 'make dist          wheel and sdist in dist/, checked by twine'
	@echo 'make clean         remove what these make'

# Installed again when the dependencies may have changed. The demo does without what the tests need.
$(VENV)/.made-run: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo 'Python 3.10 or newer is needed; $(PYTHON) is older. Name another: make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo 'Python cannot make virtual environments here: apt-get install python3-venv' >&2; exit 1; }
	@echo 'making $(VENV) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[html]'
	@touch $@

$(VENV)/.made-test: $(VENV)/.made-run
	@echo 'installing what the tests need ...'
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@

run:
	@./playbook.sh $(ARGS)

# The demo shows verdicts; any of them is a demo that worked. `healthy` ends with 5, pending: its 24 hours are not over.
demo: $(VENV)/.made-run
	@$(PY) -m playbook demo $(SCENARIO); code=$$?; case $$code in 0|1|3|4|5) ;; *) exit $$code;; esac

test: $(VENV)/.made-test
	$(PY) -m pytest -n 2 -m 'not slow' $(PYTEST)

test-slow: $(VENV)/.made-test
	PACK_FLIPS=200 PLAYBOOK_KILLS=$${PLAYBOOK_KILLS:-all} $(PY) -m pytest -n 2 -m slow $(PYTEST)

test-all: $(VENV)/.made-test
	PLAYBOOK_THOROUGH=1 PLAYBOOK_KILLS=all PLAYBOOK_MUTATIONS=all PLAYBOOK_ALL_KUBECTLS=1 PACK_FLIPS=200 \
	  $(PY) -m pytest -n 2 $(PYTEST)

lint: $(VENV)/.made-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check --quiet playbook tests tools benchmarks
	$(PY) tools/messages.py check
	$(VENV)/bin/mypy --strict playbook
	$(VENV)/bin/lint-imports

# tests/arm64/run says what it needs and how to keep the root that it makes.
test-arm64:
	@PYTHON=$(PYTHON) tests/arm64/run

# tests/bare/run says what it needs and how to keep the roots that it makes.
test-bare:
	@PYTHON=$(PYTHON) tests/bare/run

# What they create, delete and break is the first thing they print; tests/cluster/conftest.py has the variables.
test-cluster: $(VENV)/.made-test
	@test -n "$$KUBECONFIG$$PLAYBOOK_FAULTS" || \
	  { echo 'KUBECONFIG must name a cluster to play with, or PLAYBOOK_FAULTS a folder that reaches one' >&2; exit 2; }
	$(PY) -m pytest tests/cluster $(PYTEST)

audit: $(VENV)/.made-run
	$(PY) -m playbook audit $(GUIDE)

# What the live part does to the cluster is the first thing it prints; without PLAYBOOK_CLUSTER_RESTART=1 it deletes no pod of the service.
bench: $(VENV)/.made-test
	$(PY) benchmarks/speed.py --start --overhead --memory --stub 0.07
	@if test -n "$$KUBECONFIG$$PLAYBOOK_FAULTS"; then $(PY) benchmarks/speed.py --live; \
	  else echo 'left out: what needs a cluster; KUBECONFIG or PLAYBOOK_FAULTS names one to play with'; fi

pyz: $(VENV)/.made-run
	$(PY) tools/make_pyz.py playbook.pyz

dist: $(VENV)/.made-test
	@$(PY) -m pip install --quiet --disable-pip-version-check build twine
	rm -rf dist
	$(PY) -m build --outdir dist .
	$(PY) -m twine check --strict dist/*

clean:
	rm -rf $(VENV) build dist playbook.pyz *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find playbook tests tools -name __pycache__ -prune -exec rm -rf {} +
