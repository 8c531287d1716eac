# The environment is .venv; constraints.txt pins every package of it.
PYTHON ?= python3
BIN = .venv/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: demo test lint types docs clean

demo: .venv/demo  ## set up, then judge two pull requests of a tiny LLM project
	$(BIN)/python examples/demo.py

test: .venv/test  ## set up, then run every test
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: .venv/test  ## style, and the project's own pre-commit hooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/zizmor --offline --quiet --strict-collection .github action.yml publish
	$(BIN)/pre-commit run --all-files

types: .venv/test
	$(BIN)/mypy

docs: .venv/test  ## write the pages that come from the code
	$(BIN)/python -m docs.generate

clean:
	rm -rf .venv build dist *.egg-info demo-reports

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv

.venv/demo: .venv/bin/python pyproject.toml constraints.txt
	@echo "Setting up .venv (torch and transformers: a minute or two) ..."
	$(PIP) --upgrade pip setuptools
	$(PIP) --editable '.[model,dvc,audit]'
	@touch $@

.venv/test: .venv/demo
	$(PIP) --editable '.[model,dvc,audit,app,mlflow]' --group dev
	@touch $@
