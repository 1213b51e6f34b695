# The doors of this house. `make help` lists them; everything else is in scripts/.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

SYSTEM_PYTHON ?= python3
python := .venv/bin/python

.PHONY: help run test check bench cluster loadtest services services-stop lock clean ready-to-run ready-to-cluster ready-to-test ready-to-bench ready-to-loadtest suitable-python

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ready-to-run ## Serve the page and the API; honours PORT, HOST and every variable of .env
	@exec $(python) -m pixtools serve

test: ready-to-test check ## Every check, then every test, with coverage
	@$(python) -m scripts.suite $(ARGS)

check: ready-to-test ## Style, types and the direction of every import
	@$(python) -m ruff check
	@$(python) -m ruff format --check
	@$(python) -m mypy
	@.venv/bin/lint-imports --no-logo

bench: ready-to-bench ## Measure the engine against its peers, and the service
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(python) -m benchmarks.engine $(ARGS)
	@$(python) -m benchmarks.service $(filter --quick,$(ARGS))

cluster: ready-to-cluster ## API, workers and scheduler on real servers, until Ctrl-C
	@exec $(python) -m scripts.cluster

loadtest: ready-to-loadtest ## Drive a cluster hard; writes docs/reports/load.md
	@$(python) -m benchmarks.load $(ARGS)

services: suitable-python ## Real PostgreSQL, Redis, RabbitMQ and S3 on private ports
	@$(SYSTEM_PYTHON) -m scripts.services start $(ARGS)

services-stop: suitable-python ## End them; what they hold stays until `make clean`
	@$(SYSTEM_PYTHON) -m scripts.services stop $(ARGS)

lock: ready-to-test ## Choose new versions within pyproject.toml's ranges, for requirements/*.txt
	@$(python) scripts/lock.py

clean: ## Remove what was installed and what tools left behind
	@services="$${PIXTOOLS_SERVICES_DIR:-.services}"; rm -f "$$services"/chaos-*.lock; \
	for door in "$$services"/chaos-*/ "$$services"; do \
	  [ ! -e "$$door" ] || PIXTOOLS_SERVICES_DIR="$$door" $(SYSTEM_PYTHON) -m scripts.services clear; \
	done
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@rm -rf .coverage .coverage.* .coverage-halves htmlcov dist benchmarks/peers/node_modules
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Says what it fetches; takes a fraction of a second when nothing has changed.
ready-to-run ready-to-cluster ready-to-test ready-to-bench ready-to-loadtest: ready-to-%: suitable-python
	@$(SYSTEM_PYTHON) scripts/prepare.py $*

suitable-python:
	@$(SYSTEM_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "PixTools needs Python 3.11 or newer as $(SYSTEM_PYTHON); found: $$($(SYSTEM_PYTHON) --version 2>&1 || true)" >&2; exit 1; }
