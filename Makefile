# The two commands are `make run` and `make test`; the rest is for people who work on the project.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test ui bench lint format docs lock clean

run: $(READY)  ## Set up and run the whole pipeline
	$(BIN)/care-numbers run

test: $(READY)  ## Set up and run the tests
	$(BIN)/python -m pytest

ui: $(READY)  ## Open the Dagster UI on localhost
	$(BIN)/care-numbers ui

bench: $(READY)  ## Measure the statistics of evidence against their limit and a plain loop
	$(BIN)/python -m bench.evidence

lint: $(READY)  ## Style, types, stale documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## Put the code into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## Write the data dictionary afresh from the declarations
	$(BIN)/python -m pipeline.tables.dictionary docs/data-dictionary.md

lock: ## Resolve the newest versions that pyproject.toml allows (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-strip-extras --no-emit-index-url --output-file requirements.lock

clean:  ## Remove what can be made again; imported files stay
	rm -rf data/processed/* $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

# Exact versions with hashes first, then the project itself without looking for anything more.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("care-numbers needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)
