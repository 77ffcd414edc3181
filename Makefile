# make run    the whole stack on this machine, Ctrl-C ends it
# make test   lint, types and every test
# make lint   lint and types only
# make bench  measure the speed of stocks and screener; OPTIONS=--quick for short rounds, --help tells all
# make lock   write the exact versions of pyproject.toml's requirements (OPTIONS=--upgrade for newer ones)
# make clean  remove what the others made; keeps instance/, where the data is
.DEFAULT_GOAL := run
.DELETE_ON_ERROR:
.PHONY: run test lint bench lock clean

VENV := .venv
BIN := $(VENV)/bin
# The version that the requirements were locked with comes first.
PYTHON := python3.11 python3.12 python3.13 python3
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := $(BIN)/python -m piptools compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-header --no-annotate $(OPTIONS)

run: $(VENV)/.requirements
	@exec $(BIN)/python -m klyx.stack --parent $$PPID

test: lint
	@$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term

lint: $(VENV)/.requirements-dev
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy

bench: $(VENV)/.requirements-dev
	@exec $(BIN)/python -m bench $(OPTIONS)

lock: $(VENV)/.requirements-dev
	$(LOCK) --output-file requirements.txt pyproject.toml requirements-oldest-python.in
	$(LOCK) --output-file requirements-dev.txt --extra dev pyproject.toml requirements-oldest-python.in

clean:
	rm -rf $(VENV) .coverage .coverage.* htmlcov .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps, so that a second run installs nothing. The development file holds the running one's lines too.
$(VENV)/.requirements: requirements.txt | $(BIN)/pip-ready
	@echo "Installing the locked requirements; the first time takes a minute or two." >&2
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.requirements-dev: requirements-dev.txt requirements.txt | $(BIN)/pip-ready
	@echo "Installing the locked requirements for development; the first time takes a minute or two." >&2
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $(VENV)/.requirements $@

# Debian packs pip and the ensurepip that venv wants apart: with pip alone, pip installs itself.
$(BIN)/pip-ready:
	@for python in $(PYTHON); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		echo "Making $(VENV) with $$("$$python" --version)." >&2; \
		if "$$python" -c 'import ensurepip' 2>/dev/null; then \
			"$$python" -m venv $(VENV); \
		elif "$$python" -m pip --version >/dev/null 2>&1; then \
			"$$python" -m venv --without-pip $(VENV) && \
			"$$python" -m pip --quiet --python $(BIN)/python install --disable-pip-version-check pip; \
		else \
			echo "klyx: $$python has neither ensurepip nor pip. On Debian or Ubuntu:" \
				"apt install python3-venv python3-pip; then make again." >&2; \
			exit 1; \
		fi && touch $@; exit; \
	done; \
	echo "klyx: needs Python 3.11 or newer and found none of: $(PYTHON)." \
		"Install one, or name it: make run PYTHON=/path/to/python3" >&2; \
	exit 1
