# 乡校. `make help` lists what there is. Needs Python ≥ 3.11 with its venv module, and make; nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first Python on the path that is new enough; `make PYTHON=… …` takes another.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$name; break; fi; done)

VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CODE := bot handlers knowledge migrations tests

# The tests start many processes: each would compile all sources again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:  ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## */\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

# ------------------------------------------------------------------------------------------------------- environment
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or run make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module: install it (on Debian: apt install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A lock with a hash for every file: what is installed is what was tested.
$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing what the service needs into $(VENV) (once; a minute or two)"
	$(INSTALL) --require-hashes --requirement requirements.lock
	$(INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.test: requirements-test.lock $(VENV)/.runtime
	@echo "installing what the tests need into $(VENV) (once; a minute or two)"
	$(INSTALL) --require-hashes --requirement requirements-test.lock
	@touch $@

.PHONY: install
install: $(VENV)/.runtime  ## make .venv with the service in it (.venv/bin/xiangxiao)

# --------------------------------------------------------------------------------------------------------------- run
.PHONY: demo
demo: $(VENV)/.runtime  ## the whole service on this machine, with a phone in the browser (ARGS="--port 8081 --data data")
	$(BIN)/python -m bot demo $(ARGS)

# ------------------------------------------------------------------------------------------------------------- check
.PHONY: test test-sqlite test-postgres
# One worker a core for each engine, both engines at the same time: some tests wait for a browser, a process or a
# server, and the others use the cores meanwhile. The tests of a file stay together, since they share what is slow to
# build, and the longest files come first. What the second engine says is shown when the first is done.
WORKERS = $(shell $(BIN)/python -c 'import os; print(len(os.sched_getaffinity(0)))')
PARALLEL = -n $(WORKERS) --dist loadfile --no-loadscope-reorder
SECOND = build/test-postgres.log
test: $(VENV)/.test  ## all checks and all tests, on SQLite and on a real PostgreSQL and Redis
	@mkdir -p build
	@{ $(MAKE) --no-print-directory lint test-postgres; } >$(SECOND) 2>&1 & second=$$!; \
	trap 'kill $$second 2>/dev/null' INT TERM; \
	$(MAKE) --no-print-directory test-sqlite; first=$$?; \
	wait $$second; code=$$?; cat $(SECOND); \
	test $$first -eq 0 && test $$code -eq 0

test-sqlite: $(VENV)/.test
	$(BIN)/python -m pytest $(PARALLEL)

test-postgres: $(VENV)/.test
	$(BIN)/python -m pytest $(PARALLEL) --engine postgres

.PHONY: check
check: lint  ## the fast part of `test`, under a minute
	$(BIN)/python -m pytest -m "not slow and not browser and not bench and not trial"

.PHONY: lint
lint: $(VENV)/.test  ## format, lint, types, import contracts
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: bench
bench: $(VENV)/.test  ## measurements, as ratios to baselines in the same run
	$(BIN)/python -m pytest -m bench -s tests/bench

.PHONY: trial
trial: $(VENV)/.test  ## the long trials at full size: kills, fuzz, simulated years; the second engine with all stories and pages
	$(BIN)/python -m pytest -m trial -s
	$(BIN)/python -m pytest $(PARALLEL) --engine postgres --whole

.PHONY: coverage
coverage: $(VENV)/.test  ## which lines the tests reach
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report --skip-covered

# ------------------------------------------------------------------------------------------------------------ develop
.PHONY: fmt
fmt: $(VENV)/.test  ## format the code and mend what can be mended
	$(BIN)/ruff check --fix-only --quiet $(CODE)
	$(BIN)/ruff format $(CODE)

.PHONY: gate
gate: $(VENV)/.test  ## the figures of the answers beside the floors they may not fall below
	$(BIN)/python -m tests.knowledge.gate

.PHONY: train
train: $(VENV)/.test  ## fit the ranker's weights again, after the content or the lexicon has changed
	$(BIN)/python -m knowledge.training

.PHONY: lexicon
lexicon: $(VENV)/.test  ## write the pinyin table of the lexicon again
	$(BIN)/python -m knowledge.build_pinyin

.PHONY: migration
migration: $(VENV)/.test  ## write the next migration from the models (NAME=add_duty_table), to be reviewed by hand
	@test -n "$(NAME)" || { echo "give it a name: make migration NAME=add_duty_table" >&2; exit 2; }
	$(BIN)/python -c "from bot.storage.migration import write_migration; print(*write_migration('$(NAME)') or ['nothing to migrate'], sep='\n')"

# No address of an index may get into a lock, and none from this machine's settings may be used to make it.
UV ?= $(shell command -v uv || echo "$(PYTHON) -m uv")
COMPILE := env -u UV_INDEX -u UV_INDEX_URL -u UV_DEFAULT_INDEX -u UV_EXTRA_INDEX_URL UV_NO_CONFIG=1 UV_CUSTOM_COMPILE_COMMAND="make lock" \
	$(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate

.PHONY: lock
lock:  ## renew both locks from pyproject.toml (needs uv; UPGRADE=--upgrade takes newer versions)
	$(COMPILE) $(UPGRADE) --extra install --output-file requirements.lock
	$(COMPILE) $(UPGRADE) --extra install --extra test --constraint requirements.lock --output-file requirements-test.lock

.PHONY: clean
clean:  ## remove the environment and all caches
	rm -rf $(VENV) build ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
