# The only list of commands. `make help` shows it. Needs make and Python 3.11, 3.12 or 3.13; everything else it brings.

VENV ?= .venv
# Where the system keeps its data when it runs without containers.
DATA ?= data
# PORT= chooses the API's port; LOCAL=1 runs without containers although there is a Docker Engine.
PORT ?=
LOCAL ?=
# Options for pytest, such as PYTEST="-k blur -x".
PYTEST ?=
# How many processes run tests at once, such as JOBS=2; those marked "alone" run one after the other all the same.
JOBS ?= 1
# The measurements to make, such as BENCH=intake; all where none is named.
BENCH ?=
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$name && break; done)

# As pip does, trust the certificates that this machine trusts: a company's proxy may have its own.
export UV_SYSTEM_CERTS ?= true

bin := $(VENV)/bin
made := $(VENV)/.made
python_code := packages services clients local tests bench
members := packages/contracts packages/runtime packages/records packages/imaging services/api services/worker services/maintenance services/scheduler services/mailer services/outbound services/flower clients/python local

.PHONY: help up logs down test test-fast test-compose test-bucket faults corpus check lock explore soak mutants bench clean

help: ## Show this list
	@awk -F ': .*## ' '/^[a-z-]+:.*##/ { printf "make %-14s %s\n", $$1, $$2 }' Makefile

# With a Docker Engine, nothing is needed but Python as it comes with the machine: any version from 3.9 on.
containers = [ -z "$(LOCAL)" ] && docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1

up: ## Run the whole system: in containers where there is a Docker Engine, else (or with LOCAL=1) as local processes
	@if $(containers); then \
		$(if $(PORT),export DARKROOM_PORT=$(PORT);) PYTHONPATH=local/src exec python3 -m darkroom_local.containers; \
	else \
		$(MAKE) --no-print-directory $(made) && exec $(bin)/python -m darkroom_local up --data "$(DATA)" $(if $(PORT),--port $(PORT)); \
	fi

logs: ## Show all logs, not only warnings and errors
	@if $(containers) && [ -n "$$(docker compose ps --quiet)" ]; then exec docker compose logs --follow --tail 20; \
	else exec $(bin)/python -m darkroom_local logs --data "$(DATA)"; fi

down: ## Stop the system; its data is kept
	@if docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; then docker compose down; fi
	@if [ -x $(bin)/python ]; then $(bin)/python -m darkroom_local down --data "$(DATA)"; fi

# With JOBS, both parts run, whatever comes of the first. One in which PYTEST selects no test (pytest's status 5) has not
# failed.
define run_tests
	if [ "$(JOBS)" = 1 ]; then exec $(bin)/python -m pytest -m "$(1)" $(PYTEST); fi; \
	$(bin)/python -m pytest -n $(JOBS) --dist loadfile -m "$(1) and not alone" $(PYTEST); first=$$?; \
	$(bin)/python -m pytest -m "$(1) and alone" $(PYTEST); second=$$?; \
	case "$$first $$second" in "0 0" | "0 5" | "5 0") ;; *) exit 1 ;; esac
endef

test: $(made) ## Run all tests except those of the containers, of faults and of the corpus
	@$(call run_tests,not compose and not bucket and not faults and not corpus)

test-fast: $(made) ## Run the tests that take seconds
	@$(call run_tests,not compose and not bucket and not faults and not corpus and not slow)

test-compose: $(made) ## Run the tests of the containers; needs a Docker Engine
	$(bin)/python -m pytest -m compose $(PYTEST)

test-bucket: $(made) ## Run two API and four worker containers over S3, and print their images per second
	$(bin)/python -m pytest -m bucket -s $(PYTEST)

faults: $(made) ## Cause faults in the middle of batches, and print how long each took to recover from; takes half an hour
	$(bin)/python -m pytest tests/faults -m faults $(PYTEST)

corpus: $(made) ## Send the test images of Pillow's source and 40,000 mutated ones through the engine; takes minutes
	$(bin)/python -m pytest packages/imaging -m corpus $(PYTEST)

check: $(made) ## Check style, types, imports, and that the locks are up to date
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy $(python_code)
	$(bin)/lint-imports --no-logo
	@PATH="$(abspath $(bin)):$$PATH" requirements/check

lock: $(made) ## Compile the locks from each pyproject.toml; UPGRADE=1 takes the newest versions
	PATH="$(abspath $(bin)):$$PATH" requirements/compile requirements $(if $(UPGRADE),--upgrade)

# Sequences of steps to try.
EXAMPLES ?= 1000

explore: $(made) ## Try many random orders of all steps of the group store; EXAMPLES=n sets how many
	EXAMPLES=$(EXAMPLES) $(bin)/python -m pytest tests/integration/test_group_interleavings.py $(PYTEST)

# How long the soak puts load on, and the seed of all its choices; a random one where none is given.
SECONDS ?= 600
SEED ?=

soak: $(made) ## Run a mixed load while processes are killed, and check what came of it; SECONDS= SEED= repeat a run
	PYTHONPATH=tests $(bin)/python -m soak --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

mutants: $(made) ## Break the code in one place after the other, and see that something notices
	$(bin)/python tests/soak/mutants.py

bench: $(made) ## Run the benchmarks; BENCH=name runs one
	$(bin)/python -m bench $(BENCH)

clean: ## Remove everything that was generated, but not the data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(python_code) -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: exactly what the locks say, and our own packages as they stand in the tree.
$(made): requirements/build.lock requirements/dev.lock pyproject.toml $(members:%=%/pyproject.toml)
	@if [ -z "$(PYTHON)" ]; then \
		echo "Darkroom needs Python 3.11, 3.12 or 3.13 with its venv module (on Debian: apt install python3-venv)." \
			"None was found on PATH; PYTHON=/path/to/python names one." >&2; exit 1; fi
	$(bin)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(bin)/python -m pip --version >/dev/null 2>&1 || $(bin)/python -m ensurepip
	$(bin)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.lock
	VIRTUAL_ENV=$(VENV) $(bin)/uv pip install --quiet --require-hashes -r requirements/dev.lock
	VIRTUAL_ENV=$(VENV) $(bin)/uv pip install --quiet --no-deps --no-build-isolation $(members:%=-e %)
	@touch $@
