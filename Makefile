# Heliostat: everything starts here. Needs only Python >= 3.11 and make; `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first Python that is new enough; PYTHON=/path/to/python chooses another.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python3.14,\
	$(if $(shell $(p) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(p))) python3)
PROVIDER ?= scripted
PYTEST_ARGS ?=
BENCH ?=
ROUNDS ?=
NAMES ?=
AREA ?= core
SEED ?=
RUN := .venv/bin/
# Counting branches costs a third more, so only a run of all rows does it; a choice of tests would take too few.
UNIT_TESTS := $(if $(HELIOSTAT_TEST_ALL),$(if $(PYTEST_ARGS),pytest,python -m tools.branch_coverage),pytest)

export UV_PYTHON_DOWNLOADS := never
# Bytecode is kept, beside the sources and out of git: else each process compiles all that it imports, for seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup dashboard demo test test-all test-unit test-integration test-e2e coverage bench walk soak mutants lint format types generate verify record kind-up kind-down images clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/installed dashboard  ## install everything into .venv, at the versions of uv.lock, and build the dashboard

.venv/installed: uv.lock pyproject.toml $(wildcard */pyproject.toml) tools/uv.py
	@uv=$$($(PYTHON) tools/uv.py); \
	echo "installing into .venv (the first time: about 300 MB from PyPI) ..."; \
	"$$uv" sync --all-packages --frozen --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"
	@touch $@

dashboard: .venv/installed  ## build the dashboard, if something in api/dashboard has changed
	@$(RUN)python -m tools.dashboard

demo: setup  ## an agent from CSV to verified report, on this machine, without a key (PROVIDER=anthropic: the real model)
	@$(RUN)heliostat demo --provider $(PROVIDER)

test: test-unit test-integration test-e2e  ## all tests; what this machine cannot run is skipped by name, with reason and remedy

test-all:  ## all tests with every row of the exhaustive matrices, of which the others take a seeded part
	@HELIOSTAT_TEST_ALL=true $(MAKE) test

test-unit: setup  ## pure tests, no network, about 40 s on two cores
	@$(RUN)$(UNIT_TESTS) tests/unit -q -n 2 --dist worksteal $(PYTEST_ARGS)
	@$(RUN)python -m tools.dashboard test

test-integration: setup  ## against a real Kubernetes API server and etcd
	@$(RUN)pytest tests/integration -q -rs -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

test-e2e: setup  ## on a real cluster: images built, manifests applied, agents run; leaves nothing behind
	@$(RUN)pytest tests/e2e -q -rs -o timeout_func_only=true $(PYTEST_ARGS)   # the first fixture builds images

coverage: setup  ## unit tests with all rows; fails when a module that holds no I/O has under 90 % of its branches tested
	@HELIOSTAT_TEST_ALL=true $(RUN)python -m tools.branch_coverage tests/unit -q -n 2 --dist worksteal

bench: setup  ## benchmarks against a baseline in the same run; BASE=commit: that one's and ours in turn (BENCH, ROUNDS)
ifdef BASE
	@BASE=$(BASE) BENCH="$(BENCH)" ROUNDS=$(ROUNDS) $(RUN)python -m tools.bench
else
	@$(RUN)pytest tests/bench -q -rs -s -o timeout_func_only=true $(PYTEST_ARGS)   # a fixture may build images
endif

walk: setup  ## which of our files a model call, a run and an answer in the chat pass, and how many they may be
	@PYTHONPATH=tests:. $(RUN)python -m bench.walk

soak: setup  ## 10,000 runs through crashes of everything and 200 in real pods, into docs/reliability.md (RUNS, SECONDS, REAL)
	@PYTHONPATH=tests:. $(RUN)python -m soak

mutants: setup  ## 60 small faults in AREA (core, operator/runs, any folder of ours), drawn by SEED: which do unit tests notice?
	@$(RUN)python -m tools.mutants $(AREA) $(SEED)

lint: setup  ## ruff, the layers of import-linter, uv.lock; biome for the dashboard
	@$(RUN)ruff check .
	@$(RUN)ruff format --check .
	@$(RUN)lint-imports
	@"$$($(PYTHON) tools/uv.py)" lock --check --quiet || { echo "uv.lock does not fit the pyproject files: run 'uv lock'"; exit 1; }
	@$(RUN)python -m tools.dashboard lint

format: setup  ## let ruff format and mend what it can
	@$(RUN)ruff check --fix .
	@$(RUN)ruff format .
	@$(RUN)python -m tools.dashboard format

types: setup  ## mypy --strict over code, tools and tests; tsc over the dashboard
	@$(RUN)mypy
	@$(RUN)python -m tools.dashboard types

generate: setup  ## write every generated file: CRDs, tables in docs
	@$(RUN)python -m tools.generate
	@$(RUN)python -m tools.dashboard schema

verify: setup  ## regenerate everything, then fail on any difference, untracked files included
	@$(RUN)python -m tools.generate --verify

record: setup  ## run the commands whose output pages show and write what they print (NAMES=test: what runs only when it is named)
	@$(RUN)python -m tools.record $(NAMES)

kind-up: setup  ## for people with Docker and kind: cluster, images, chart and a first run
	@$(RUN)python -m tools.kind up

kind-down: setup  ## remove that cluster
	@$(RUN)python -m tools.kind down

images: setup  ## the container images (docker, the cluster of HELIOSTAT_KUBE, or buildah)
	@$(RUN)python -m tools.images

clean:  ## remove what make made (.venv, .tools, caches); nothing outside this folder
	@rm -rf api/dashboard/node_modules api/heliostat_api/static
	@rm -rf .venv .tools .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
