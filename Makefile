# Each target sets up what it needs from a bare clone: see tools/bootstrap.py.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PREPARE := $(PYTHON) tools/bootstrap.py

.PHONY: help demo test check format bench soak docs clean

help:    ## say what there is
	@sed -nE 's/^([a-z]+): +## (.*)/make \1\t\2/p' Makefile | expand -t 14

demo:    ## show Reelway at work
	@$(PREPARE) demo
	@$(BIN)/python examples/demo.py

test:    ## run every test but the long ones; ARGS="-k name" is passed on
	@$(PREPARE) test
	@$(BIN)/python -m pytest -n 4 $(ARGS)

check:   ## lint, types, import arrows, docs
	@$(PREPARE) check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy src $(wildcard examples)
	$(BIN)/lint-imports --no-logo
	$(BIN)/mkdocs build --strict --quiet

format:  ## let ruff repair what it can
	@$(PREPARE) check
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench:   ## print ratios against references measured beside them
	@$(PREPARE) test
	@for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python $$script; done

soak:    ## every test in full counts, the long ones too; writes soak.log
	@$(PREPARE) test
	@REELWAY_SOAK=1 $(BIN)/python -m pytest -n 2 --timeout=3600 -o faulthandler_timeout=3660 --durations=20 \
		$(ARGS) 2>&1 | tee soak.log

docs:    ## build the documentation into site/
	@$(PREPARE) docs
	@$(BIN)/mkdocs build --strict

clean:   ## forget everything the targets above made
	rm -rf .venv site soak.log .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
