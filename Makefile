# Everything runs from .venv, into which the wheel of this checkout is built and installed: the demo and the
# tests meet the package as a user does. Stamp files in .venv make the second run quick.
# pip's own settings (proxy, index, certificates) hold; nothing here overrides them.

PYTHON ?= python3
# The Debian packages that a bare machine needs.
APT := make python3 python3-venv

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
STAMPS := $(VENV)/stamps
DIST := $(VENV)/dist
# Folders are listed too, so that a removed file is noticed.
SOURCES := pyproject.toml $(wildcard README.md LICENSE) \
           $(shell find sdk widget_server -name __pycache__ -prune -o -print)
# Narrows a run: make test ARGS="tests/unit -k fold"
ARGS ?=

unexport PYTHONPATH
.DELETE_ON_ERROR:
.PHONY: help demo test soak lint format bench serve clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMPS)/demo  ## play a day at a car dealer through the SDK and a server, and show what is allowed and why
	@$(PY) examples/automotive/demo.py

# Fetches a Chromium if the machine has none. Where that fails, the tests that drive one are left out, and it is said.
test: $(STAMPS)/dev  ## run the suite against the built wheel (ARGS="tests/unit -k fold" narrows it)
	$(PY) -m pytest $$($(PY) tests/browser/chromium.py) $(ARGS)

soak: $(STAMPS)/dev  ## kill, cut, delay and refuse for some fifteen minutes, and check that nothing is lost (ARGS="-k proxy" narrows it)
	SAYSO_SOAK=1 $(PY) -m pytest -s -v tests/e2e/faults $(ARGS)

lint: $(STAMPS)/lint  ## ruff, mypy, pyright and the arrows between packages
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m pyright
	$(VENV)/bin/lint-imports

format: $(STAMPS)/dev  ## let ruff mend what it can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: $(STAMPS)/bench  ## measure against the peers, in one run
	$(PY) tests/bench/run.py $(ARGS)

serve: $(STAMPS)/demo  ## a server to develop against: temporary database, starter catalogue
	@$(PY) -m sayso_server dev

clean:  ## remove .venv and every cache
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find sdk widget_server tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

# --- .venv ---

$(STAMPS)/venv:
	@command -v $(PYTHON) >/dev/null && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Sayso needs Python 3.11 or later: sudo apt install $(APT); where that brings an older one,' \
	       'sudo apt install python3.11-venv and make PYTHON=python3.11.' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo 'Sayso needs the venv module of Python: sudo apt install $(APT).' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/wheel: $(SOURCES) $(STAMPS)/venv
	@rm -rf $(DIST)
	$(PIP) wheel --quiet --no-deps --wheel-dir $(DIST) .
	@touch $@

# The wheel itself is put in anew whenever a source changed; what it needs is fetched only when missing.
define install
$(PIP) install --quiet --no-deps --force-reinstall $(DIST)/sayso-*.whl
$(PIP) install --quiet "$$(echo $(DIST)/sayso-*.whl)[$(1)]"
@touch $@
endef

$(STAMPS)/demo: $(STAMPS)/wheel
	$(call install,server$(comma)cli)

$(STAMPS)/dev: $(STAMPS)/wheel
	$(call install,server$(comma)cli$(comma)crypto$(comma)dev)

$(STAMPS)/lint: $(STAMPS)/wheel
	$(call install,server$(comma)cli$(comma)crypto$(comma)dev$(comma)lint)

$(STAMPS)/bench: $(STAMPS)/wheel
	$(call install,server$(comma)cli$(comma)crypto$(comma)dev$(comma)bench)

comma := ,
