# Needs Python 3.11 or newer, git and make; no root, no account, no key.
# Everything it installs goes into .uv/ and .venv/ of this folder.

UV := .uv/bin/uv
BIN := .venv/bin
INSTALLED := .venv/.installed

# Dagster's checks get a home of their own, without telemetry.
ALONE := $(CURDIR)/.venv/check
DAGSTER := CAUSEWAY_HOME=$(ALONE) DAGSTER_HOME=$(ALONE)/dagster VIRTUAL_ENV=$(CURDIR)/.venv \
	PYTHONWARNINGS=ignore::FutureWarning

.PHONY: demo test check audit bench prove places ui setup clean

demo: setup  ## bring two days of sample data into a Salesforce org on this machine
	@$(BIN)/causeway demo

test: setup  ## run the tests
	@$(BIN)/pytest -n 2 --dist loadfile --durations 15 --durations-min 20

check: setup  ## everything CI asks of the code besides its tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(UV) lock --check
	$(BIN)/python .ci/dependencies.py
	@mkdir -p $(ALONE)/dagster && cp pipelines/commands/dagster.yaml $(ALONE)/dagster/
	@$(DAGSTER) $(BIN)/dg check defs
	@$(DAGSTER) $(BIN)/dagster definitions validate -w workspace.yaml

# Which locked versions have a known weakness stands in a database of advisories: this needs a
# network, so it is no part of `check`.
audit: setup  ## ask a database of advisories about every locked version; needs a network
	@mkdir -p $(ALONE)
	@$(UV) export --quiet --locked --all-groups --no-emit-project --output-file $(ALONE)/locked.txt
	$(UV) tool run pip-audit --disable-pip --require-hashes --requirement $(ALONE)/locked.txt

bench: setup  ## time every stage, with 100,000 and 1,000,000 people
	@$(BIN)/python -m bench --page docs/bench.md

prove: setup  ## kill, break and damage it some hundred times; takes half an hour
	@$(BIN)/python -m prove --page docs/reliability.md

places: $(UV)  ## make the list of how people write countries and states anew, of what its sources say now
	$(UV) run --isolated --locked --only-group places .ci/place_names.py

ui: setup  ## open the lineage, the runs and the checks in a browser
	@$(BIN)/causeway ui

setup: $(INSTALLED)

# The lock says what is installed; nothing happens while it and pyproject.toml are unchanged.
$(INSTALLED): pyproject.toml uv.lock | $(UV)
	@$(UV) sync --locked --compile-bytecode --quiet --no-python-downloads --python .uv/bin/python
	@$(BIN)/python -m compileall -q pipelines assets schemas
	@touch $@

$(UV):
	@.ci/install-uv .uv

clean:  ## remove what was installed; data/ stays
	rm -rf .venv .uv .cumulusci .airbyte .mypy_cache .ruff_cache .pytest_cache .hypothesis
