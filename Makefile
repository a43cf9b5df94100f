# Everything starts from a Python >= 3.11 with venv and pip; the rest is set up here, once.
# `make test PYTHON=python3.12` chooses another interpreter for a new .venv.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PINS := -c constraints.txt --build-constraint constraints.txt
CANDIDATES := $(if $(PYTHON),$(PYTHON),python3.14 python3.13 python3.12 python3.11 python3 python)
# 3.14 is the newest for which every pinned package has a wheel.
FITS := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-long chaos lint types build docs bench constraints clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.package  ## compute statistics of a generated landscape and show them
	$(BIN)/zonalbatch demo

test: $(VENV)/.dev  ## run the tests, those marked long left out
	$(BIN)/python -m pytest -m "not long" -n 2

test-long: $(VENV)/.dev  ## run the tests marked long, and all laws on many examples
	$(BIN)/python -m pytest -m "long and not alone" -n 2 --dist loadfile --hypothesis-profile=thorough
	$(BIN)/python -m pytest -m "long and alone" --hypothesis-profile=thorough
	$(BIN)/python -m pytest -m "hypothesis and not long" -n 2 --hypothesis-profile=thorough

chaos: $(VENV)/.dev  ## kill workers, scheduler and client for MINUTES (10), by a SEED (0)
	$(BIN)/python -m tests.made.mayhem --minutes $(or $(MINUTES),10) --seed $(or $(SEED),0)

lint: $(VENV)/.dev  ## see that rules of style hold and the code is formatted
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## check types
	$(BIN)/python -m mypy

build: $(VENV)/.dev  ## make the source archive and the wheel in dist/, with the pinned builder
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist
	$(BIN)/python -m zipfile --list dist/*.whl | grep '^zonalbatch/job/__init__\.py '
	$(BIN)/python -m zipfile --list dist/*.whl | grep '^zonalbatch/service/page/main\.js '
	$(BIN)/python -m zipfile --list dist/*.whl | grep '^zonalbatch/pages/assets/report\.js '
	$(BIN)/python -m zipfile --list dist/*.whl | grep 'licenses/LICENSE '

docs: $(VENV)/.dev  ## build the pages of docs/ into .cache/docs, to be opened from there
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

bench: $(VENV)/.bench  ## run the benchmarks beside their peers; BENCH= gives arguments
	$(BIN)/python -m benchmarks $(BENCH)

constraints: $(VENV)/.dev  ## bring constraints.txt up to pyproject.toml; UPGRADE=1 takes newer pins
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --group bench --group setup \
	  --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header \
	  $(if $(UPGRADE),--upgrade) --output-file constraints.txt

clean:  ## remove everything that was made here, .venv too
	rm -rf $(VENV) dist zonalbatch-demo .cache .pytest_cache .mypy_cache .ruff_cache
	rm -rf .hypothesis .benchmarks
	find zonalbatch tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# A candidate counts only if it runs: shims of version managers are on PATH and may fail.
$(VENV)/.venv:
	@for candidate in $(CANDIDATES); do \
	  if $$candidate -c '$(FITS)' >/dev/null 2>&1; then \
	    echo "making $(VENV) with $$candidate ($$($$candidate --version))"; \
	    $$candidate -m venv $(VENV) && touch $@; exit $$?; \
	  fi; \
	done; \
	echo "no Python from 3.11 to 3.14 with venv and pip among: $(CANDIDATES);" \
	  "install one, or give PYTHON=path" >&2; exit 1

# The pip that comes with Python may be too old for --group and --build-constraint.
$(VENV)/.pip: $(VENV)/.venv constraints.txt
	$(PIP) install --quiet -c constraints.txt pip
	@touch $@

$(VENV)/.package: $(VENV)/.pip pyproject.toml
	$(PIP) install --quiet $(PINS) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.package
	$(PIP) install --quiet $(PINS) --group dev --group setup
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(PIP) install --quiet $(PINS) --group bench
	@touch $@
