# Few verbs; each makes the environment it needs under .venv, which is quick the second time.
.DEFAULT_GOAL := help
.PHONY: help demo test lint proto bench clean

PYTHON ?= $(firstword $(foreach one,python3.11 python3.12 python3.13 python3,$(shell command -v $(one))))
BIN := .venv/bin
READY := .venv/.ready-for-development
RUNNABLE := .venv/.ready-to-run
PROTO_BIN := .venv-proto/bin

help: ## what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## / — /'

demo: $(RUNNABLE) ## the whole product in about a minute: decide, log, learn, evaluate
	@$(BIN)/elige demo

test: $(READY) ## all tests, on all cores
	@$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_ARGS)

lint: $(READY) ## format, lint, types, import walls
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

proto: $(PROTO_BIN)/python ## generate the code of proto/elige/v1 with the oldest grpcio-tools we support
	@$(PROTO_BIN)/python proto/generate.py

bench: $(READY) ## every benchmark; the figures of docs/benchmarks.md
	@$(BIN)/python -m bench

clean: ## remove the environments
	@rm -rf .venv .venv-proto

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "elige needs Python 3.11 or newer, and found none" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "elige needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { echo "this Python can't make environments; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(RUNNABLE): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing elige into .venv (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[parquet,report]'
	@touch $@

$(READY): $(RUNNABLE) pyproject.toml constraints.txt
	@echo "installing the development tools into .venv (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable '.[parquet,postgres,ray,report]'
	@touch $@

$(PROTO_BIN)/python:
	@$(PYTHON) -m venv .venv-proto
	@$(PROTO_BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(PROTO_BIN)/python -m pip install --quiet --group proto
