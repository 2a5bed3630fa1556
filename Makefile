# Two commands: `make run` starts the app on the embedded bundle, `make test` checks everything.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2

.PHONY: setup run test lint types contracts bench soak bundle clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch torchvision
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[train,export,explain,data,study,ray,serve,dev]"
	@touch $@

run: setup
	$(BIN)/poxlens app

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports

test: lint types contracts
	$(BIN)/pytest -n $(JOBS) -m "not soak" --cov --cov-report=term

bench: setup
	$(BIN)/python -m benchmarks

soak: setup
	$(BIN)/pytest -m soak

# The embedded bundle, from the images in ../shared/data; the same bytes each time on the same class of machine.
bundle: setup
	$(BIN)/poxlens train --recipe default --data ../shared/data --weights ../shared/weights \
		--groups results/duplicates/groups.csv --out runs/default
	rm -rf src/poxlens/bundles/default && mkdir -p src/poxlens/bundles
	cp -r runs/default/bundle src/poxlens/bundles/default

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
