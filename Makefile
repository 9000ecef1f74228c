# Two commands do all the set-up: `make demo` and `make test`. On Windows use pip and `scimops` as the README says.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest

.PHONY: demo lab test test-long test-spark check bench lock schemas clean
.DELETE_ON_ERROR:

demo: $(VENV)/run ## the whole story on a platform of its own, as audited jobs
	$(BIN)/scimops demo

lab: $(VENV)/run ## open the notebooks in JupyterLab
	$(BIN)/scimops lab $$([ "$$(id -u)" = 0 ] && echo --allow-root)

# In two halves side by side, for most of a test's time is spent waiting for a server, a kernel or a browser.
HALF := tests/service_provider tests/platform tests/client tests/plan tests/apply tests/jobs tests/present tests/schedules
test: $(VENV)/dev chromium postgres ## all tests but the long ones and Spark
	@$(PYTEST) $(HALF) >.test-half.log 2>&1 & half=$$!; \
	$(PYTEST) $(addprefix --ignore=,$(HALF)); rest=$$?; \
	wait $$half; other=$$?; cat .test-half.log; exit $$((rest | other))

test-long: $(VENV)/dev chromium postgres ## fuzzing at length; prints its seed
	SCIMOPS_FUZZ_FILES=$${SCIMOPS_FUZZ_FILES:-50000} $(PYTEST) -s -m "long or fuzz" $(TESTS)

test-spark: $(VENV)/spark ## the same pipeline on a real local Spark; needs Java 17
	@command -v java >/dev/null || { echo "Spark needs Java 17: apt-get install openjdk-17-jre-headless"; exit 1; }
	$(PYTEST) -s -m spark

check: $(VENV)/dev ## lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev ## speed and memory beside hand-written peers
	$(BIN)/python -m bench

schemas: $(VENV)/run ## write the JSON Schemas and the sample data anew
	$(BIN)/python -m scimops.schemas
	$(BIN)/scimops samples sample_data --shape all

# The virtual environment, in three sizes; each is made once and again when its pins change.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "scimops needs Python 3.11, 3.12 or 3.13; say make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "Python's venv is missing: apt-get install python3-venv"; exit 1; }

$(VENV)/run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: requirements/dev.txt | $(VENV)/run
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/spark: requirements/spark.txt | $(VENV)/dev
	$(PIP) --require-hashes -r requirements/spark.txt
	@touch $@

# Tests drive a real browser. As root it is installed from Debian's packages; otherwise you are told how.
.PHONY: postgres
postgres:
	@command -v pg_ctl >/dev/null || ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing PostgreSQL from Debian's packages …"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null; \
	else echo "The tests start a PostgreSQL of their own: sudo apt-get install postgresql"; exit 1; fi

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium from Debian's packages …"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else echo "The tests drive Chromium: sudo apt-get install chromium"; exit 1; fi

lock: ## pin every dependency anew, with hashes (needs uv)
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements/run.txt
	uv pip compile pyproject.toml --group build --group test --group check --group bench --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -c requirements/run.txt -o requirements/dev.txt
	uv pip compile pyproject.toml --extra spark --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -c requirements/run.txt -o requirements/spark.txt

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache scimops-demo scimops-lab
