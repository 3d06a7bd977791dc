# Every task of the project. `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.installed
ENGINES = $(VENV)/.engines-installed

# Many small models: one thread each is several times faster than two that wait for one another.
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help app test engines lab demo data lock lint seeds truth oddities bench screenshots trust clean
.DEFAULT_GOAL := help

help: ## list the tasks
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 20

app: $(READY) ## open the app on the embedded demo (http://localhost:8501)
	@echo "Opening http://localhost:8501 – stop with Ctrl+C"
	$(BIN)/streamlit run app.py

# Where no test may be skipped, those of the engines need their packages.
test: $(READY) $(if $(filter all,$(CTPAT_REQUIRE)),$(ENGINES)) ## run every test this machine allows, and name the skipped ones
	$(BIN)/python -m pytest -rs --numprocesses=auto --dist=loadgroup

engines: $(ENGINES) ## install what Spark and PostgreSQL need (500 MB)

lab: $(READY) ## open JupyterLab on the notebooks
	$(BIN)/jupyter lab notebooks

demo: $(READY) ## make the committed demo dataset again (same bytes)
	$(BIN)/python -m analysis demo data/demo

data: $(READY) ## write the data dictionary again from the schema
	$(BIN)/python -m analysis.dictionary

seeds: $(READY) ## 200 simulated programs: how far crude and stratified lie from the truth
	$(BIN)/python -m tests.bench.seeds

oddities: $(READY) ## 320 simulated programs: planted oddities found, and what is flagged without any (5 minutes on two cores)
	$(BIN)/python -m tests.bench.anomalies

truth: $(READY) ## 2,000 simulated programs: every method against its known truth (13 minutes on two cores)
	$(BIN)/python -m tests.bench.truth

bench: $(READY) ## how fast: filter changes, opening, statistics and pages, against others, up to ten million validations (hours the first time)
	$(BIN)/python -m pip install --quiet -r tests/bench/requirements.txt
	$(BIN)/python -m analysis bench

trust: $(READY) ## 200 kills, 5,000 odd files, 48 sessions for ten minutes, axe on every page: one table (25 minutes on two cores)
	$(BIN)/python -m tests.trust.report

screenshots: $(READY) ## make the pictures of the documentation from the real app (needs Chromium)
	$(BIN)/python docs/screenshots.py

lint: $(READY) ## style and types
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy

lock: ## resolve requirements into locks, with hashes (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate requirements.txt -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate requirements-engines.txt \
		-c requirements.lock -o requirements-engines.lock

clean: ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Touched only when everything is installed, so that a broken install is tried again.
$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(ENGINES): requirements-engines.lock $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-engines.lock
	@touch $@
