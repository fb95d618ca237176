# Everything a newcomer needs: `make run` and `make test`. `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help run test check setup peers bench clean \
        prove-quickstart prove-readme prove-kill prove-quality prove-scorers prove-statistics \
        prove-leaks prove-null prove-power prove-surrogates prove-engine prove-properties prove-peers \
        prove-predecessor prove-supervised prove-onnx prove-campaign-kills \
        prove-tune-kills prove-explain prove-ensembles prove-distillation prove-population prove-darts

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.core-installed
DEV := $(VENV)/.dev-installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# One thread per fit and per worker: two contended pools were measured 15 times slower than one.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

run: $(CORE) ## set up if need be, then run the quickstart study: a planted edge and its null twin
	@$(BIN)/touchstone run

setup: $(DEV) ## the virtual environment with the pinned locks and the package

test: $(DEV) check ## set up if need be, then all checks and tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(DEV) ## ruff, mypy --strict, the floors of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

prove-quickstart: $(DEV) ## 20 other seeds of the quickstart (about half an hour) -> docs/proofs/quickstart.md
	$(BIN)/python tests/proofs/quickstart.py

prove-readme: $(DEV) ## run every command of the README, the long ones too -> docs/proofs/readme.md
	$(BIN)/python tests/proofs/readme.py

prove-kill: $(DEV) ## kill downloads, writes and compactions 300 times (about 4 minutes) -> docs/proofs/kill.md
	$(BIN)/python tests/proofs/kill.py

prove-quality: $(DEV) ## plant every defect of the corpus into simulated and real bars -> docs/proofs/quality.md
	$(BIN)/python tests/proofs/quality.py

prove-scorers: $(DEV) ## scorers of news against people's labels -> docs/proofs/scorers.md
	$(BIN)/python tests/proofs/scorers.py

prove-statistics: $(DEV) ## size, power and coverage of the statistics -> docs/proofs/statistics.md
	$(BIN)/python tests/proofs/statistics.py

prove-leaks: $(DEV) ## every planted leak and clean control under audit, 5 seeds -> docs/proofs/leaks.md
	$(BIN)/python tests/proofs/leaks.py

prove-null: $(DEV) ## null calibration, 400 markets twice (about 15 minutes) -> docs/proofs/null.md
	$(BIN)/python tests/proofs/null.py

prove-power: $(DEV) ## power curve and decoys (about half an hour) -> docs/proofs/power.md
	$(BIN)/python tests/proofs/power.py

prove-surrogates: $(DEV) ## search-corrected p on 100 markets without an edge -> docs/proofs/surrogates.md
	$(BIN)/python tests/proofs/surrogates.py

prove-engine: $(DEV) ## 1,000 random accounts beside the decimal engine, to the cent -> docs/proofs/engine.md
	$(BIN)/python tests/proofs/engine.py

prove-properties: $(DEV) ## the engine's properties, 500 examples each, and a fault for each (6 minutes) -> docs/proofs/properties.md
	$(BIN)/python tests/proofs/properties.py --fault-examples 100

prove-peers: $(DEV) peers ## the books of vectorbt and backtesting.py beside ours -> docs/proofs/peers.md
	$(BIN)/python tests/proofs/peers.py

prove-predecessor: $(DEV) ## why a model with F1 0.31 lost 90 % (about ten minutes) -> docs/proofs/predecessor.md
	$(BIN)/python tests/proofs/predecessor.py

prove-explain: $(DEV) ## 20 planted markets: is the planted feature ranked first? (about 8 minutes) -> docs/proofs/explain.md
	$(BIN)/python tests/proofs/explain.py

prove-ensembles: $(DEV) ## ensembles on markets of three regimes, on markets without an edge, on coins (about 25 minutes) -> docs/proofs/ensembles.md
	$(BIN)/python tests/proofs/ensembles.py

prove-distillation: $(DEV) ## what a small network keeps of its ensemble, and at which speed -> docs/proofs/distillation.md
	$(BIN)/python tests/proofs/distillation.py

prove-population: $(DEV) ## populations beside fixed settings of the same cost, 8 markets (about 10 minutes of one core) -> docs/proofs/population.md
	$(BIN)/python tests/proofs/population.py

prove-darts: $(DEV) ## searched cells beside random ones, planted causes and 5 markets (about 16 minutes of one core) -> docs/proofs/darts.md
	$(BIN)/python tests/proofs/darts.py

prove-campaign-kills: $(DEV) ## kill a campaign at random points and resume it (about 20 minutes) -> docs/proofs/campaign-kills.md
	$(BIN)/python tests/proofs/kill_campaign.py

prove-tune-kills: $(DEV) ## kill searches at random points and resume them (about 17 minutes) -> docs/proofs/tune-kills.md
	$(BIN)/python tests/proofs/kill_tune.py

prove-supervised: $(DEV) ## learners beside the truth of a planted market, 5 seeds twice (long) -> docs/proofs/supervised.md
	$(BIN)/python tests/proofs/supervised.py

prove-onnx: $(DEV) ## every network and option as ONNX, beside torch (minutes)
	$(BIN)/python -m pytest tests/proofs/onnx.py

peers: .venv-peers/.installed ## libraries that benchmarks compare with, in an environment of their own

.venv-peers/.installed: requirements-peers.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-peers.txt
	@touch $@

bench: $(DEV) ## every benchmark: the peer and us in turn, median ratios
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

clean: ## remove the virtual environment, caches and runs of this checkout
	rm -rf $(VENV) .venv-peers .touchstone runs .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "touchstone's lock is for Python 3.11; found $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(CORE): requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) from requirements.lock (a few minutes, 2.5 GB; once)"
	$(PIP) "$$(grep '^torch==' requirements.lock)"
	$(PIP) -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock requirements-ccxt.lock $(CORE)
	$(PIP) -r requirements-dev.lock
	$(PIP) --no-deps -r requirements-ccxt.lock
	@touch $@
