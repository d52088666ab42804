# make demo   the whole chain on this machine: no weights, no GPU, no account
# make test   the tests
# make test-faults   the whole fault suite: servers that misbehave, kills, full disks, hostile files
# make lint   formats, types, imports, the workflow's own lint
# make clean  away with the demo and the caches; results/ and .venv stay

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
HASH := $(shell cat requirements.lock pyproject.toml | sha256sum | cut -c 1-12)
STAMP := .venv/whole-$(HASH)
IN := .venv/bin

.PHONY: demo test test-faults lint clean install

demo: install
	@$(IN)/python workflow/scripts/recover.py demo
	$(IN)/snakemake --cores all --config results=demo
	@$(IN)/python workflow/scripts/scores.py demo

test: install
	$(IN)/python -m pytest

test-faults: install
	$(IN)/python -m pytest tests/faults -m "faults or not faults"

lint: install
	$(IN)/ruff check .
	$(IN)/ruff format --check .
	$(IN)/mypy
	$(IN)/lint-imports
	$(IN)/snakefmt --check Snakefile rules
	$(IN)/snakemake --lint

# One installation at a time, whoever asks for it.
install:
	@test -e $(STAMP) || flock Makefile bash -c 'test -e $(STAMP) || .ci/install $(STAMP)'

clean:
	rm -rf demo build .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests workflow -name __pycache__ -prune -exec rm -rf {} +
