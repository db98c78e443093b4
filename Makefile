# `make help` lists what there is. Every target sets up .venv by itself.
PYTHON ?= python3
STUDY ?= method_grid
VENV := .venv
READY := $(VENV)/.ready
UV := $(shell command -v uv 2>/dev/null)

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONDONTWRITEBYTECODE =
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help
.PHONY: help reproduce test lint format study mlflow sync verify bench calibration lock readme clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

reproduce: $(READY) data ## fetch the data, run the whole pipeline, say whether it is what was published
	dvc repro
	python -m aisle stage=sync study=all
	python -m aisle stage=reproduced

test: $(READY) ## the tests (about nine minutes on two cores)
	pytest -q -n 2 --dist worksteal

lint: $(READY) ## style, types, layers
	ruff check .
	ruff format --check .
	mypy
	lint-imports

format: $(READY) ## let ruff mend what it can
	ruff check --fix .
	ruff format .

study: $(READY) ## run one study of experiments/: make study STUDY=all_customers
	python -m aisle -cd experiments -cn $(STUDY) hydra/launcher=joblib

sync: $(READY) ## bring MLflow up to date with the candidate store
	python -m aisle stage=sync study=all

mlflow: sync ## review the studies in a browser; the addresses above open their leaderboards
	mlflow server --backend-store-uri $${MLFLOW_TRACKING_URI:-sqlite:///mlflow.db} --host 127.0.0.1 --port 5000

verify: $(READY) ## the slow proofs: fresh clones, kills, the browser
	pytest -q -m verify -p no:cacheprovider -n 2 --dist loadfile tests

bench: $(READY) ## the benchmarks
	pytest -q benchmarks --benchmark-only

calibration: $(READY) ## is the verdict right where the truth is known? hours; it resumes, see docs/calibration.md
	python -m aisle -cd experiments -cn calibration

readme: $(READY) ## rewrite the generated parts of the README and the docs from the last run
	python -m aisle stage=readme

lock: ## pin every dependency anew
	uv pip compile --universal --fork-strategy fewest --generate-hashes --python-version 3.11 \
	  --custom-compile-command "make lock" --group dev pyproject.toml -o requirements.lock --upgrade

clean: ## remove what the commands made, but not the data
	rm -rf $(VENV) .aisle artifacts/adhoc work outputs multirun mlflow.db mlruns mlartifacts dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks .import_linter_cache

data: | $(READY)
	python -m aisle stage=fetch

$(READY): requirements.lock pyproject.toml
ifeq ($(UV),)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
else
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(VENV) --compile-bytecode --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(VENV) --no-deps --no-build-isolation -e .
endif
	@touch $@
