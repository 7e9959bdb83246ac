# MMM Trainer. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
VENV := .venv
PY := $(VENV)/bin/python
TOOLS := .venv-tools
NEVERGRAD := .venv-nevergrad
FAKESNOW := .venv-fakesnow
LOWEST := .venv-lowest
PACKAGES := bench/truth/packages
# The tests start many processes; with this variable set, each would compile every module again.
unexport PYTHONDONTWRITEBYTECODE
COMPILE := $(VENV)/bin/uv pip compile --quiet --generate-hashes --no-header --no-annotate --universal --python-version 3.11

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.PHONY: demo
demo: setup ## Set everything up, publish a message locally and train a model from it
	@scripts/demo.sh

.PHONY: app
app: setup ## Open the console on the demo's bucket, at http://localhost:8501
	@scripts/app.sh

.PHONY: test
test: setup check $(FAKESNOW)/.ready ## Set everything up, check the code and run every test
	@scripts/test.sh

.PHONY: coverage
coverage: setup $(FAKESNOW)/.ready ## Run every test and measure the coverage of the Python code: at least 90 %
	@scripts/test.sh --cov

.PHONY: test-fast
test-fast: env ## Run the fast tests: no R, no JVM, no job; under two minutes
	@$(PY) -m pytest tests/unit --numprocesses $(or $(WORKERS),logical)

.PHONY: test-strict
test-strict: setup $(FAKESNOW)/.ready ## Run the end-to-end test while each service denies access at first: make test-strict LATE=20
	@LATE_IAM_SECONDS=$(or $(LATE),20) $(PY) -m pytest tests/e2e

.PHONY: test-lowest
test-lowest: env $(LOWEST)/.ready ## Run the fast tests with the oldest packages that pyproject.toml allows
	@$(LOWEST)/bin/python -m pytest tests/unit --numprocesses $(or $(WORKERS),logical)

.PHONY: fmt
fmt: env ## Format the code and fix what ruff can fix
	@$(VENV)/bin/ruff format --quiet .
	@$(VENV)/bin/ruff check --quiet --fix .
	@if command -v terraform >/dev/null; then terraform fmt -recursive infra; fi

.PHONY: hooks
hooks: env $(TOOLS)/.ready ## Run the quick checks at every commit (pre-commit)
	@$(TOOLS)/bin/pre-commit install

.PHONY: check
check: setup $(TOOLS)/.ready ## Formatting, types, lint, generated documents, security
	@scripts/check.sh

.PHONY: setup
setup: system env robyn r-package ## Install Debian packages, the Python environment, the R package, and Robyn if CRAN answers

.PHONY: system
system:
	@scripts/setup-system.sh

.PHONY: env
env: $(VENV)/.ready $(NEVERGRAD)/.ready ## Make the Python environments from the hashed requirements

$(VENV)/.ready: requirements-dev.txt scripts/requirements-uv.txt pyproject.toml scripts/setup-python.sh
	@scripts/setup-python.sh $(VENV) requirements-dev.txt project
	@touch $@

$(NEVERGRAD)/.ready: r/requirements-nevergrad.txt scripts/setup-python.sh
	@scripts/setup-python.sh $(NEVERGRAD) r/requirements-nevergrad.txt
	@touch $@

$(FAKESNOW)/.ready: tests/fakes/requirements-fakesnow.txt scripts/setup-python.sh
	@scripts/setup-python.sh $(FAKESNOW) tests/fakes/requirements-fakesnow.txt
	@touch $@

$(LOWEST)/.ready: requirements-lowest.txt pyproject.toml scripts/setup-python.sh
	@scripts/setup-python.sh $(LOWEST) requirements-lowest.txt project
	@touch $@

$(TOOLS)/.ready: requirements-tools.txt scripts/setup-python.sh
	@scripts/setup-python.sh $(TOOLS) requirements-tools.txt
	@touch $@

.PHONY: robyn
robyn: system env
	@scripts/setup-robyn.sh

.PHONY: r-package
r-package: system ## Install the R package of r/ into .r-library, if it has changed
	@Rscript --vanilla r/install.R

.PHONY: docs
docs: env ## Write the generated parts of docs/
	@$(PY) scripts/generate_docs.py

.PHONY: lock
lock: ## Resolve the dependencies into the hashed requirements files
	$(COMPILE) pyproject.toml --extra app --extra dev -o requirements-dev.txt
	$(COMPILE) pyproject.toml --extra app --extra dev --resolution lowest-direct -o requirements-lowest.txt
	$(COMPILE) pyproject.toml --constraint requirements-dev.txt -o job/requirements.txt
	$(COMPILE) pyproject.toml --extra app --constraint requirements-dev.txt -o app/requirements.txt
	$(COMPILE) trigger/requirements.in --constraint requirements-dev.txt -o trigger/requirements.txt
	$(COMPILE) docker/tools.in -o requirements-tools.txt
	$(COMPILE) r/requirements-nevergrad.in -o r/requirements-nevergrad.txt
	$(COMPILE) tests/fakes/requirements-fakesnow.in -o tests/fakes/requirements-fakesnow.txt
	$(subst 3.11,3.12,$(COMPILE)) $(PACKAGES)/pymc.in -o $(PACKAGES)/requirements-pymc.txt
	$(subst 3.11,3.12,$(COMPILE)) $(PACKAGES)/meridian.in -o $(PACKAGES)/requirements-meridian.txt
	$(subst 3.11,3.12,$(COMPILE)) $(PACKAGES)/numpyro.in -o $(PACKAGES)/requirements-numpyro.txt

.PHONY: trigger-archive
trigger-archive: env ## Build the Cloud Function's source archive: build/trigger.zip
	@$(PY) -m trigger.archive build/trigger.zip

.PHONY: bench-search
bench-search: setup ## Compare our search with robyn_run (needs Robyn)
	@$(PY) -m bench.search

.PHONY: bench-whole
bench-whole: setup ## Compare all that R does with unmodified Robyn (needs Robyn)
	@$(PY) -m bench.whole

.PHONY: bench-truth
bench-truth: setup ## How near do methods come to a known ROAS? Goes on where it was stopped: make bench-truth SEEDS=20
	@$(PY) -m bench.truth --seeds $(or $(SEEDS),2)

.PHONY: bench-packages
bench-packages: .venv-pymc/.ready .venv-meridian/.ready .venv-numpyro/.ready ## Install the packages that the benches compare with (Python 3.12 or 3.13)

.venv-%/.ready: $(PACKAGES)/requirements-%.txt scripts/setup-python.sh
	@scripts/setup-python.sh .venv-$* $<
	@touch $@

.PHONY: bench-engines
bench-engines: setup ## Compare both engines with the truth of the example markets
	@$(PY) -m bench.truth.engines

.PHONY: bench-extract
bench-extract: env ## Compare the extract of a big Snowflake result with the connector's own fetch
	@$(PY) -m bench.extract.run

.PHONY: bench-coverage
bench-coverage: setup ## Measure how often intervals contain the truth of simulated markets
	@$(PY) -m bench.truth.coverage

.PHONY: bench-trigger
bench-trigger: env ## Measure cold start, memory and load of the Cloud Function, and of a bare handler
	@$(PY) -m bench.trigger

.PHONY: bench-limits
bench-limits: setup ## Measure runs, tasks and markets under Cloud Storage's limit of one write a second
	@$(PY) -m bench.limits

.PHONY: bench-night
bench-night: env ## Simulate a night of many markets with the quotas of the cloud: make bench-night MARKETS=500
	@ulimit -n 8192; $(PY) -m bench.night --markets $(or $(MARKETS),500)

.PHONY: bench-cost
bench-cost: setup ## Measure runs and fit the coefficients of `mmm plan`
	@$(PY) -m bench.cost && $(PY) -m bench.cost --check

.PHONY: bench-console
bench-console: env ## Measure the console on 200 markets and 5,000 runs (needs Chromium)
	@$(PY) -m bench.console

.PHONY: pictures
pictures: env ## Make the pictures of docs/console.md again, by its tests in a browser (needs Chromium)
	@$(PY) -m pytest tests/console/test_work.py -k "table or held"
	@for name in markets new-market run compare budget; do cp build/console/$$name.png docs/console-$$name.png; done

.PHONY: coverage-r
coverage-r: setup ## Coverage of r/R by its tests (needs r-cran-covr)
	@RETICULATE_PYTHON=$(CURDIR)/$(PY) Rscript r/tests/coverage.R

.PHONY: chaos
chaos: env ## Inject seeded faults over the real clients: make chaos N=500 SEED=1
	@$(PY) -m tests.faults.chaos --faults $(or $(N),500) --seed $(or $(SEED),1)

.PHONY: simulate
simulate: env ## Simulate the control plane with seeded faults: make simulate N=100000 SEED=1
	@$(PY) -m tests.simulation --faults $(or $(N),100000) --seed $(or $(SEED),1)

.PHONY: simulate-mutations
simulate-mutations: env ## Put known faults back, one at a time, and let the simulation find them
	@$(PY) -m tests.simulation.mutations

.PHONY: mutations
mutations: env ## Put seeded faults into healthy tables: make mutations N=100 SEED=1
	@$(PY) -m tests.faults.mutations --count $(or $(N),100) --seed $(or $(SEED),1)

.PHONY: fuzz
fuzz: env ## Feed seeded inputs to everything that is read from outside: make fuzz N=100000 SEED=1
	@$(PY) -m tests.faults.fuzz --inputs $(or $(N),100000) --seed $(or $(SEED),1)

.PHONY: kill
kill: env ## Run kill -9 in training, then retry: make kill RUNS=20 SEED=1 TASKS=2
	@$(PY) -m tests.faults.kill --runs $(or $(RUNS),20) --seed $(or $(SEED),1) \
	  $(if $(TASKS),--tasks $(TASKS))

.PHONY: clean
clean: ## Remove the files that the other targets made
	rm -rf $(VENV) $(TOOLS) $(NEVERGRAD) $(FAKESNOW) $(LOWEST) .venv-pymc .venv-meridian .venv-numpyro .demo .mmm .r-library build
