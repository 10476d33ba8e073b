# The two commands are `make run` and `make test`; the rest is for people who work on the project.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test test-long test-quick ui bench bench-scale guards soak fuzz audit lint format docs lock clean

run: $(READY)  ## Set up and run the whole pipeline
	$(BIN)/care-numbers run

test: $(READY)  ## Set up and run the tests, but for those that take minutes
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not long"

test-long: $(READY)  ## The tests with servers, killed processes, a browser, an installed copy
	$(BIN)/python -m pytest -n 2 --dist loadfile -m long

test-quick: $(READY)  ## What to run between two changes, in less than a minute
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/pipeline -m "not long and not slow and not whole"

ui: $(READY)  ## Open the Dagster UI on localhost
	$(BIN)/care-numbers ui

bench: $(READY)  ## Measure the statistics against their limits and plain loops
	$(BIN)/python -m bench.run_parts
	$(BIN)/python -m bench.evidence
	test -e $(VENV)/.compared || $(MAKE) --no-print-directory $(VENV)/.compared || true
	$(BIN)/python -m bench.regressions
	$(BIN)/python -m bench.queries
	$(BIN)/python -m bench.resampling

bench-scale: $(READY)  ## Measure how a run grows with areas and draws; needs long and some GB of memory
	$(BIN)/python -m bench.scale

soak: $(READY)  ## Let 300 nights pass on changing files; takes up to an hour
	$(BIN)/python -m tests.soak.run

fuzz: $(READY)  ## Spoil 2,000 files in every way and see that no wrong figure passes; takes half an hour
	$(BIN)/python -m tests.fuzz.run
	$(BIN)/python -m pytest tests/fuzz/test_reader_properties.py --hypothesis-profile=thorough

guards: $(READY)  ## Take each guard away in a copy and see a test fail
	$(BIN)/python -m tests.guards.run

lint: $(READY)  ## Style, types, stale documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(READY)  ## Ask whether a pinned version has a known vulnerability (needs a network, and says so)
	$(BIN)/python .ci/audit.py

format: $(READY)  ## Put the code into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## Write the dictionary, the catalogue of errors and the drawing of the graph afresh
	$(BIN)/python -m pipeline.tables.dictionary docs/data-dictionary.md
	$(BIN)/python -m pipeline.error_catalogue docs/errors.md
	$(BIN)/python -m assets.diagram docs/architecture.md

lock: ## Resolve the newest versions that pyproject.toml allows (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-strip-extras --no-emit-index-url --output-file requirements.lock
	uv pip compile bench/requirements.in --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-strip-extras --no-emit-index-url --output-file bench/requirements.lock
	uv pip compile pyproject.toml deploy/build.in --extra ui --extra postgres --extra dask --extra kubernetes --extra object-store \
	  --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-strip-extras --no-emit-index-url --output-file deploy/requirements.lock

clean:  ## Remove what can be made again; imported files stay
	rm -rf data/processed/* $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# What the benchmark of resampling compares itself with; without a package index it says so and goes on.
$(VENV)/.compared: $(READY) bench/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement bench/requirements.lock
	touch $@

# Exact versions with hashes first, then the project itself without looking for anything more.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("care-numbers needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)
