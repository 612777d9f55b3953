# Two commands set everything up: `make demo` and `make test`. Both need Python >= 3.11 and a package registry.
SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS := true
export UV_PROJECT_ENVIRONMENT := $(VENV)

.DEFAULT_GOAL := help
.PHONY: help install demo test test-finetune test-pythons check format bench bench-freshness bench-idle bench-sdk bench-data bench-queries \
	bench-dashboard bench-export bench-insights bench-experiments bench-evaluator soak screenshots cookbook sbom audit clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Make .venv with every extra but finetune, from the lock file

$(VENV)/.installed: pyproject.toml uv.lock .uv/bin/uv
	@.uv/bin/uv sync --quiet --frozen --all-extras --no-extra finetune --python "$$(command -v $(PYTHON))"
	@touch $@

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python >= 3.11 is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Installing (first run only) ..."
	@$(PYTHON) -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

demo: install ## Try everything on this machine; DEMO_ONESHOT=1 runs it once, without a person
	@$(BIN)/otel-feedback demo

test: install ## Run every test but those of finetune
	@$(BIN)/pytest -n auto --dist loadfile --ignore tests/finetune

test-finetune: .uv/bin/uv ## Run the tests of finetune in an environment of its own, .venv-finetune (6 GB)
	@UV_PROJECT_ENVIRONMENT=.venv-finetune .uv/bin/uv sync --quiet --frozen --all-extras --python "$$(command -v $(PYTHON))"
	@CUDA_VISIBLE_DEVICES= .venv-finetune/bin/pytest -n 2 tests/finetune

test-pythons: install ## Run the unit tests and the SDK's on other Pythons, e.g. make test-pythons ARGS="3.13 3.14"
	@$(BIN)/python -m tests.packaging.pythons $(ARGS)

check: install ## Lint, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: install ## Measure ingest beside the Collector and Rotel, e.g. make bench ARGS="--loads spans-512"
	@$(BIN)/python -m tests.benchmarks.ingest $(ARGS)

bench-freshness: install ## Measure how soon a rating is in SQL while spans come
	@$(BIN)/python -m tests.benchmarks.freshness $(ARGS)

bench-idle: install ## Measure what the service takes of a core while next to nothing comes
	@$(BIN)/python -m tests.benchmarks.idle $(ARGS)

bench-sdk: install ## Measure what a rating costs an app, beside the clients of Langfuse, LangSmith and Phoenix
	@$(BIN)/python -m tests.benchmarks.sdk $(ARGS)

bench-data: install ## Make the data that queries are measured on (OTEL_FEEDBACK_DATA_DIR says where)
	@$(BIN)/python -m tests.benchmarks.history $(ARGS)

bench-queries: install ## Measure queries, and bytes a span, on the data that bench-data made
	@$(BIN)/python -m tests.benchmarks.history.queries $(ARGS)

bench-dashboard: install ## Measure the dashboard's pages while people read and spans come, on the data that bench-data made
	@$(BIN)/python -m tests.benchmarks.dashboard $(ARGS)

bench-export: install ## Measure time and memory of an export, on the data that bench-data made
	@$(BIN)/python -m tests.benchmarks.export $(ARGS)

bench-insights: install ## Measure how many findings of contrast are false, and how many causes it finds
	@$(BIN)/python -m tests.benchmarks.insights $(ARGS)

bench-experiments: install ## Measure how often experiment finds a difference where there is none, and where there is one
	@$(BIN)/python -m tests.benchmarks.experiments $(ARGS)

bench-evaluator: install ## Measure how good an evaluator gets with how many ratings, and what training takes
	@$(BIN)/python -m tests.benchmarks.evaluator $(ARGS)

SBOM ?= sbom.json
sbom: .uv/bin/uv ## Write what users get with every extra, from the lock file, as CycloneDX
	@.uv/bin/uv export --quiet --frozen --all-extras --no-dev --no-emit-project --format cyclonedx1.5 --output-file $(SBOM) 2>/dev/null

audit: .uv/bin/uv ## Ask osv.dev for known weaknesses of what the lock file pins; needs that network
	@.uv/bin/uv audit --frozen --no-dev

soak: install ## Break service, database, network and disk at random, e.g. make soak ARGS="--kills 20"
	@$(BIN)/python -m tests.faults.soak $(ARGS)

screenshots: install ## Take the pictures of the docs, and of every page to look at
	@$(BIN)/python -m tests.docs.screenshots

cookbook: install ## Print the queries and answers of docs/sql.md anew
	@$(BIN)/python -m tests.docs.cookbook

format: install ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## Remove what `make` made
	@rm -rf $(VENV) .venv-* .uv .pytest_cache .mypy_cache .ruff_cache
