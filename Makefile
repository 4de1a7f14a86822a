# Every target sets up what it needs in .venv and costs nothing when nothing changed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check
MADE   := $(VENV)/.made

SOURCES := CMakeLists.txt pyproject.toml src/shoal/__init__.py $(wildcard runtime/src/*.[ch] runtime/include/*.h)
# CMake and Ninja come from the system, or else as Python packages.
TOOLS   := $(if $(shell command -v cmake),,cmake) $(if $(shell command -v ninja),,ninja)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test bench lint docs clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## */  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

demo: $(MADE)/package  ## meta-train a fleet on real data and adapt a new device: a minute, no network
	@$(BIN)/shoal demo

test: $(MADE)/package $(MADE)/test  ## the C runtime's tests, then the Python tests and every documented example
	@tools/toolchain.sh
	$(MAKE) -C runtime test
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile

bench: $(MADE)/package $(MADE)/peers  ## measure speed against the peers
	$(BIN)/python -m benchmarks

lint: $(MADE)/package $(MADE)/lint  ## style, types, C warnings, import direction, module sizes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/check_imports.py
	$(BIN)/python tools/module_sizes.py
	$(MAKE) -C runtime lint

docs: $(MADE)/package $(MADE)/docs  ## build the documentation into docs/_build
	$(BIN)/sphinx-build -W --keep-going --quiet docs docs/_build

clean:  ## remove everything that a target made
	$(MAKE) -C runtime clean
	rm -rf $(VENV) build dist docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests tools benchmarks -name __pycache__ -prune -exec rm -rf {} +

# pip reads dependency groups from version 25.1 on.
$(MADE)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: Shoal needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) --version 2>&1)" >&2; \
	  echo "  try    make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade 'pip>=25.1'
	@mkdir -p $(MADE) && touch $@

# Editable: Python files are used in place, the C libraries are rebuilt when their sources change.
$(MADE)/package: $(MADE)/venv $(SOURCES)
	$(PIP) --group build $(TOOLS)
	$(PIP) --no-build-isolation --config-settings=cmake.define.SHOAL_WERROR=ON --editable '.[demo]'
	@touch $@

$(MADE)/test: $(MADE)/venv pyproject.toml
	$(PIP) --group test --group reference
	@touch $@

$(MADE)/lint $(MADE)/docs $(MADE)/peers: $(MADE)/%: $(MADE)/venv pyproject.toml
	$(PIP) --group $*
	@touch $@
