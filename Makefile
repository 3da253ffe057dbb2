# Two commands need nothing before them: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUN_STAMP := $(VENV)/.run-stamp
STAMP := $(VENV)/.stamp

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint bench mutants published notebooks strip picture lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(RUN_STAMP): requirements-run.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "exaburst needs Python 3.11 or later, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) --require-hashes -r requirements-run.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(STAMP): requirements.lock $(RUN_STAMP)
	$(PIP) --require-hashes -r requirements.lock
	@touch $@

demo: $(RUN_STAMP)  ## four weeks on seven ExaPODs, with bursts: prints the summary
	$(BIN)/exaburst demo

test: $(STAMP) lint  ## lint, types and every test that is not slow
	$(BIN)/python -m pytest -m "not slow" -n auto --dist worksteal

test-all: $(STAMP) lint  ## the slow tests too, and random ones on fresh worlds
	EXABURST_WORLDS=fresh $(BIN)/python -m pytest -n auto --dist worksteal

lint: $(STAMP)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)  ## speed and memory beside a bare heapq loop, and of a study on all processors
	$(BIN)/python -m benchmarks.bench
	$(BIN)/python -m benchmarks.study

mutants: $(STAMP)  ## small faults in the code that the tests should notice; takes hours
	$(BIN)/python -m benchmarks.mutants

published: $(STAMP)  ## redo published results and write docs/published.md
	$(BIN)/python -m benchmarks.published

notebooks: $(STAMP) demo  ## render the notebooks over the demo, years, a study and a loop to build/notebooks/*.html
	$(BIN)/exaburst study run notebooks/policies.toml -o runs/policies
	$(BIN)/exaburst replay notebooks/loop.toml -o runs/loop --overwrite
	$(BIN)/exaburst demo years
	$(BIN)/python -m nbconvert --to html --execute --output-dir build/notebooks notebooks/*.ipynb

strip: $(STAMP)  ## clear the notebooks of what running them has left
	$(BIN)/python -m nbconvert --clear-output --ClearMetadataPreprocessor.enabled=True --inplace notebooks/*.ipynb \
		--ClearMetadataPreprocessor.preserve_nb_metadata_mask='[("language_info", "name"), "kernelspec"]'

picture: $(STAMP)  ## draw the README's picture anew
	$(BIN)/exaburst demo --set pools.dojo.pods=5 -o runs/five
	$(BIN)/python docs/picture.py runs/five docs/demo.png

lock: $(STAMP)  ## pin and hash what pyproject.toml asks for
	$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --extra dev pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --extra build --constraint requirements.lock pyproject.toml -o requirements-run.lock

clean:  ## remove the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
