# make run    from a fresh clone to a running demo
# make test   every check and every test; sets up what it needs
# make bench  the benchmarks, each with its floor
# make chaos  the long fault test
# make month  a month in the life of 20 reps and 5,000 customers
# make recall search against reading everything: 300,000 messages, 2,000 random pieces
# make campaign  200,000 deliveries over 30 accounts while workers are killed 50 times
# Needs Python 3.11+ with pip and venv; everything else is installed here.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PAGE := scrm/page/index.html
WEB := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)
JOBS ?= 2
export PYTHONPATH := $(CURDIR)

.PHONY: api run test bench chaos archive recall month campaign check lint types imports web-check unit browser lock screenshots page clean tools wheel

run: $(VENV)/.build $(PAGE)
	$(BIN)/python -m scrm.cli demo $(ARGS)

test: check unit browser
	@echo "all checks and tests passed"

check: lint types imports web-check

lint: $(VENV)/.dev
	@echo "== ruff"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	@echo "== mypy --strict"
	$(BIN)/mypy

imports: $(VENV)/.dev
	@echo "== import rules"
	$(BIN)/lint-imports

web-check: $(VENV)/.dev web/node_modules/.ready
	@echo "== page: is its client that of the service?"
	@mkdir -p artifacts && $(BIN)/python -m scrm.cli openapi > artifacts/openapi.json
	cd web && OPENAPI=../artifacts/openapi.json $(NPM) run api -- --check
	@echo "== page: types and unit tests"
	cd web && $(NPM) run check

# Generates the page's client anew after a change of the API.
api: $(VENV)/.dev web/node_modules/.ready
	@mkdir -p artifacts && $(BIN)/python -m scrm.cli openapi > artifacts/openapi.json
	cd web && OPENAPI=../artifacts/openapi.json $(NPM) run api

unit: $(VENV)/.dev tools $(PAGE)
	@echo "== tests (unit, contract, flows) on $(JOBS) processes"
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --max-worker-restart 0 -m "not browser" tests

browser: $(VENV)/.dev tools $(PAGE)
	@echo "== browser tests on $(JOBS) processes"
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --max-worker-restart 0 -m browser tests

bench: $(VENV)/.dev $(PAGE)
	$(BIN)/python -m bench $(ARGS)

chaos: $(VENV)/.dev tools
	$(BIN)/python -m tests.chaos $(ARGS)

month: $(VENV)/.dev tools
	MONTH_SIZE=20x5000 $(BIN)/python -m pytest tests/flows/test_month.py -q -n 2

campaign: $(VENV)/.dev tools
	CAMPAIGN_SIZE=200000x30x50 $(BIN)/python -m pytest tests/campaigns/test_exactly_once.py -q -n 0 -s

archive: $(VENV)/.dev tools
	ARCHIVE_KILLS=100 ARCHIVE_CRASHES=20 $(BIN)/python -m pytest tests/audit/test_killed.py -q -n 0

recall: $(VENV)/.dev tools
	RECALL_SIZE=300000x2000 $(BIN)/python -m pytest tests/audit/test_recall.py -q -n 0 -s

screenshots: $(VENV)/.dev tools $(PAGE)
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

page: $(PAGE)

wheel: $(VENV)/.dev
	$(BIN)/python -m build --wheel

# ---------------------------------------------------------------- what the targets above stand on

NPM = PATH="$(CURDIR)/$(BIN):$$PATH" $(shell command -v npm 2>/dev/null || echo "$(CURDIR)/$(BIN)/npm")

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.build: requirements-build.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@ $(VENV)/.build

$(PAGE): $(WEB) hatch_build.py | $(VENV)/.build
	$(BIN)/python hatch_build.py

web/node_modules/.ready: web/package-lock.json | $(VENV)/.build
	cd web && $(NPM) ci --no-audit --no-fund
	touch $@

# Chromium and Redis for the tests, from Debian's packages when they are missing and may be installed; a C compiler as a package.
tools: $(VENV)/.dev
	@$(BIN)/python tests/tools.py

# The sets for building and testing take the versions of the service's own.
lock: $(VENV)/.dev
	compile="$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header"; \
	$$compile -o requirements.txt requirements.in && \
	for set in requirements-build requirements-dev requirements-compiler; do \
	  $$compile --constraint requirements.txt -o $$set.txt $$set.in || exit 1; done

clean:
	rm -rf $(VENV) scrm/page web/dist web/node_modules dist build
