# A developer's day. `make` alone lists it; every target brings .venv up to date by itself.

PYTHON ?= python3
BIN := .venv/bin
# More words for pytest: make test ARGS="tests/services -x"
ARGS ?=
CODE := $(wildcard webapp matching importers connectors)

.DEFAULT_GOAL := help
.PHONY: help setup dev run demo migrate test e2e shots test-postgres coverage check lint fix types contracts templates \
        bench where messages lock

help: ## What can be said to make
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ── Running ─────────────────────────────────────────────────────────────────────────────────────────────────────

setup: ## Create or refresh .venv (the command is .venv/bin/pairbook)
	@$(PYTHON) bootstrap.py

dev: ## The same, with the tools for testing and checking
	@$(PYTHON) bootstrap.py --dev

run: setup ## Start Pairbook: database, web and worker; prints the address
	@exec $(BIN)/pairbook run

demo: setup ## Load the sample catalogue, channels and listings
	@$(BIN)/pairbook demo

migrate: setup ## Create or upgrade the database, nothing else
	@$(BIN)/pairbook upgrade

# ── Testing ─────────────────────────────────────────────────────────────────────────────────────────────────────

test: dev ## The whole suite on SQLite, all but the browser journeys
	@$(BIN)/python -m pytest $(ARGS)

e2e: dev ## The journeys in a real Chromium (needs the system's chromium)
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  { echo "make e2e needs a browser: sudo apt install chromium" >&2; exit 1; }
	@$(BIN)/python -m pytest -m "e2e and not shots" $(ARGS)

# Into the folder `shots`, or another: make shots SHOTS=docs/pictures ARGS="-k tour"
shots: dev ## Pictures of every screen and state, to look at
	@PAIRBOOK_SHOTS=$(or $(SHOTS),shots) $(BIN)/python -m pytest -q -m shots $(ARGS)

# PAIRBOOK_TEST_DATABASE_URL=postgresql+psycopg://… names a server of yours; its tables are dropped.
test-postgres: dev ## The suite on PostgreSQL and Redis (your servers, or private ones for the time being)
	@if [ -n "$$PAIRBOOK_TEST_DATABASE_URL" ]; then exec $(BIN)/python -m pytest $(ARGS); else exec .ci/run postgres; fi

# Compiled loops show no lines: the tests of matching run a second time uncompiled, where whole numbers that wrap warn.
coverage: dev ## The suite with coverage of branches; fails below the floor
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q $(ARGS)
	@NUMBA_DISABLE_JIT=1 $(BIN)/coverage run -m pytest -q -W ignore::RuntimeWarning tests/matching
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report --fail-under=90

# ── Checking ────────────────────────────────────────────────────────────────────────────────────────────────────

check: lint types contracts templates ## Style, types, import contracts, templates

lint: dev ## Style and common mistakes
	@$(BIN)/ruff check --output-format concise .

fix: dev ## Repair what the linter can repair, and format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: dev ## Types, strictly
	@$(BIN)/mypy bootstrap.py $(CODE)

contracts: dev ## Who may import whom
	@$(BIN)/lint-imports --no-logo

templates: dev ## Templates parse and follow the rules
	@$(BIN)/djlint --lint --quiet templates

# ── Finding, measuring, translating ─────────────────────────────────────────────────────────────────────────────

bench: dev ## Measure: make bench, or one of them: make bench B=matching
	@for file in $(if $(B),bench/$(B).py,$(wildcard bench/[a-z]*.py)); do echo "── $$file"; $(BIN)/python "$$file" $(ARGS) || exit 1; done

where: ## Where a noun or a verb lives: make where Q=unlink
	@test -n "$(Q)" || { echo "say what you look for: make where Q=unlink" >&2; exit 2; }
	@git grep -nIE --untracked "^ *(async )?(def|class) +[A-Za-z_]*$(Q)|^ *@.*[\"'][^\"']*$(Q)|(name|endpoint|event|id)=[\"'][^\"']*$(Q)|[\"'][a-z_]+\.$(Q)[a-z_]*[\"']|macro +$(Q)" \
	  -- '*.py' 'templates' || true
	@git ls-files --cached --others --exclude-standard | grep -i -- "$(Q)" | sed 's/$$/:1: (file)/' || true

# A second run changes nothing: the texts are sorted, the lines have one width, and the date of the collection is left out.
messages: dev ## Collect the texts to translate, update and compile the catalogues
	@mkdir -p webapp/translations
	@$(BIN)/pybabel -q extract -F pyproject.toml --no-location --sort-output -k lazy_gettext -k phrase -k phrases:1,2 \
	  -o webapp/translations/messages.pot .
	@if ls webapp/translations/*/LC_MESSAGES/*.po >/dev/null 2>&1; then \
	  $(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -w 100 \
	    -i webapp/translations/messages.pot -d webapp/translations && \
	  $(BIN)/pybabel -q compile -d webapp/translations; fi
	@echo "$$(grep -c '^msgid ' webapp/translations/messages.pot) texts collected"

# The locks name versions and hashes, never an address. Needs uv.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
        --no-annotate --extra scale --group build pyproject.toml

lock: ## Lock the dependencies of pyproject.toml again (make lock UPGRADE=--upgrade for newer ones)
	$(LOCK) $(UPGRADE) -o requirements.lock
	$(LOCK) $(UPGRADE) --extra dev -c requirements.lock -o requirements-dev.lock
