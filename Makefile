# Everything sets itself up: `make run` and `make test` need Python 3.11, make and (as root) apt.

# Any Python >= 3.11 will do; unnamed, .ci/make-venv chooses.
PYTHON ?=
BIN := .venv/bin
INSTALLED := .venv/.installed
# The people's pages, built from web/ with the Node that is in .venv. They are not kept in git.
PAGES := warmline/web/built/.built
PAGE_SOURCES := docs/openapi.json web/package-lock.json $(shell find web -name node_modules -prune -o \
	-type f -not -name schema.ts -print)

# Compiled code is kept whatever the environment says: without it every start compiles all packages
# anew, which takes longer than everything else together.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup web run test chaos exercise check rules openapi diagrams pictures bench lock system-packages phones

setup: $(INSTALLED) $(PAGES)

# The lock names every package and its hash; Warmline itself is linked, not copied.
$(INSTALLED): requirements.lock
	@sh .ci/make-venv "$(PYTHON)"
	@echo "Installing packages into .venv ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes \
		--requirement requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--no-index --editable .
	@touch $@

web: $(PAGES)

$(PAGES): $(INSTALLED) $(PAGE_SOURCES)
	@sh .ci/build-pages

# Data goes to ./data unless WARMLINE_DATA_DIR says otherwise. exec: Ctrl-C reaches it alone.
run: export WARMLINE_DATA_DIR ?= $(CURDIR)/data
run: setup
	@exec $(BIN)/warmline demo

# A module stays on one core: its tests share what they set up.
test: setup system-packages
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadscope

# What `make test` does with less: kill -9 at 200 random points of running calls instead of 20.
chaos: setup system-packages
	WARMLINE_TEST_CHAOS_POINTS=200 $(BIN)/pytest tests/chaos

# What `make test` does with less: a million random operations on vouchers, talk seconds and quotas
# in memory, and fifty thousand by fifty clients over PostgreSQL.
exercise: setup system-packages
	WARMLINE_EXERCISE_IN_MEMORY=1_000_000 WARMLINE_EXERCISE_OVER_POSTGRESQL=50_000 \
		$(BIN)/pytest tests/exercise --durations=2

# A real call between two softphones over a real Asterisk; as root (see the README). HOST=... lets
# phones of your network register, MINE=caller leaves that phone to you.
phones: export WARMLINE_DATA_DIR ?= $(CURDIR)/data
phones: setup system-packages
	@exec $(BIN)/python -m tests.phones.trial

system-packages:
	@sh .ci/system-packages

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix web run --silent check

rules: setup
	$(BIN)/python -m tests.traceability.report

openapi: setup
	$(BIN)/warmline openapi > docs/openapi.json

diagrams: setup
	$(BIN)/python -m tests.diagrams

# Every screen of the pages, as the browser tests see it: looked at, made small, and shown in the READMEs.
pictures: setup
	WARMLINE_TEST_PICTURES=.pytest_cache/pictures $(BIN)/python -m pytest -q tests/browser
	$(BIN)/python -m tests.browser.album .pytest_cache/pictures

bench: setup
	$(BIN)/warmline bench

# For maintainers: after a change of the dependencies in pyproject.toml.
lock: setup
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes \
		--strip-extras --extra dev --allow-unsafe --no-emit-index-url --no-emit-trusted-host \
		--no-emit-find-links --no-emit-options --output-file requirements.lock pyproject.toml
