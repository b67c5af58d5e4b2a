# Two commands do everything on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BENCH := $(VENV)/.installed-bench

.DEFAULT_GOAL := help
.PHONY: help demo test lint format types architecture tests bench clean

help: ## Print this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "deepplp needs Python 3.11 or newer, and $(PYTHON) is %d.%d; try: make PYTHON=python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml setup.cfg | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(BENCH): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

demo: $(INSTALLED) ## Train a digit classifier from sums of two digits, and print its accuracy
	$(BIN)/python -m experiments.mnist_addition --output runs/demo

test: lint types architecture tests ## Run all checks and tests

lint: $(INSTALLED) ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED) ## Rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(INSTALLED) ## Check types
	$(BIN)/mypy

architecture: $(INSTALLED) ## Check which part imports which
	$(BIN)/python -m tests.architecture

tests: $(INSTALLED) ## Run the tests, each file in a process of its own
	$(BIN)/python -m tests

bench: $(BENCH) ## Measure against other systems (FLAGS=--quick: some minutes; see docs/benchmarks.md)
	$(BIN)/python -m experiments.benchmarks $(FLAGS)

clean: ## Remove what the other commands made
	rm -rf $(VENV) runs build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
