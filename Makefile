# All the set-up there is. `make up` starts everything, `make test` checks it; both install what they need first.

# uv's own version is pinned with the rest; this one only fetches it.
UV_VERSION := 0.13.8
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && { echo $$p; exit; }; done)
# As that Python sees it: under Rosetta an Apple chip looks like one of Intel's.
MACHINE ?= $(shell $(PYTHON) -c 'import platform; print(platform.system(), platform.machine(), platform.mac_ver()[0])' 2>/dev/null)
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TESTABLE := $(VENV)/.testable
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python
# A company's proxy has its certificate in the system's store, which uv does not read by itself.
export UV_SYSTEM_CERTS ?= true
LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

.PHONY: up test slow lint machine lock clean
.DEFAULT_GOAL := up

up: $(INSTALLED)
	@$(BIN)/sitetwin up

test: $(TESTABLE)
	$(BIN)/pytest

slow: $(TESTABLE)
	$(BIN)/pytest -m slow

lint: $(TESTABLE)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# On such a Mac every marker in requirements.txt is false: nothing would be installed, and fail late.
machine:
	@set -- $(MACHINE); test "$$1" != Darwin || test "$$2" = arm64 || { echo "sitetwin needs Apple silicon, and $(PYTHON) says $$2: install an arm64 Python and name it with make PYTHON=...; Macs with Intel chips are not supported" >&2; exit 1; }
	@set -- $(MACHINE); test "$$1" != Darwin || test "$${3%%.*}" -ge 14 || { echo "sitetwin needs macOS 14 for MLX, this is $$3: update macOS" >&2; exit 1; }

$(INSTALLED): requirements.txt pyproject.toml | machine
	@test -n "$(PYTHON)" || { echo "sitetwin needs Python 3.11, 3.12 or 3.13 on PATH: install one, or name it with make PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@echo "installing: a few minutes the first time"
	@$(INSTALL) --require-hashes -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(TESTABLE): $(INSTALLED) requirements-dev.txt
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

# For Linux x86-64 and arm64, macOS arm64, Python 3.11 to 3.13: hashes, and no registry's name.
lock: $(INSTALLED)
	$(LOCK) --extra langflow --extra documents --group build -o requirements.txt pyproject.toml
	$(LOCK) --group dev --constraints requirements.txt -o requirements-dev.txt

clean:
	rm -rf $(VENV) .sitetwin
