# MMM Trainer. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python
UV_VERSION := 0.13.9
COMPILE := uv pip compile --quiet --generate-hashes --no-header --no-annotate --python-version 3.11

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.PHONY: env
env: $(VENV)/.ready ## Python environment in .venv, from the hashed requirements

$(VENV)/.ready: requirements-dev.txt pyproject.toml
	@docker/setup/python.sh $(VENV)
	@touch $@

.PHONY: lock
lock: ## Resolve pyproject.toml and trigger/requirements.in into hashed requirements files
	$(COMPILE) pyproject.toml --extra dev -o requirements-dev.txt
	$(COMPILE) pyproject.toml --constraint requirements-dev.txt -o job/requirements.txt
	$(COMPILE) trigger/requirements.in --constraint requirements-dev.txt -o trigger/requirements.txt
	$(COMPILE) --only-extra --extra tools pyproject.toml -o requirements-tools.txt || \
	  $(COMPILE) --extra tools pyproject.toml -o requirements-tools.txt
