# `make` sets up and runs the embedded default; `make test` sets up and passes the tests.
# On a machine with an NVIDIA GPU: make FAISS=gpu
SHELL := /bin/bash
PYTHON ?= python3
CORES ?= $(shell nproc)
INSTALLED := $(or $(shell sed -n 1p .venv/.ready 2>/dev/null),cpu)
# The programs of .venv name the folder for which it was made, and run that folder's code.
MOVED := $(shell test ! -e .venv/.ready || test "$$(sed -n 2p .venv/.ready)" = "$(CURDIR)" || echo moved)
FAISS ?= $(INSTALLED)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# A user's own packages would go before those of .venv, and pip would install elsewhere.
unexport PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX
export PIP_USER := no

define CHECKS
ruff check . && ruff format --check .
snakefmt --check Snakefile workflow
mypy
lint-imports
snakemake --lint
endef

define NEXT

Look at everything:        results/report.html
Search your own pictures:  source .venv/bin/activate
                           reranksmart gallery --images FOLDER --model results/models/oscar/scenes/joint/seed1/model --output mine.index
                           reranksmart serve --index mine.index
Try what lies beyond:      make extended
endef
export NEXT

.PHONY: run extended test test-all setup detector test-detector lock reference verify another-faiss moved
run: .venv/.ready
	snakemake --cores $(CORES)
	@cat results/summary.txt
	@echo "$$NEXT"

# Also what is beyond the paper; what the default has made is kept.
extended: .venv/.ready
	snakemake --cores $(CORES) --configfile config.yaml workflow/configs/extended.yaml
	@cat results/summary.txt

setup: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml $(MOVED) $(if $(filter $(FAISS),$(INSTALLED)),,another-faiss)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed (Snakemake 9 runs on none older), but $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --upgrade pip
	sed 's/^faiss-cpu/faiss-$(FAISS)/' requirements.lock > .venv/requirements.txt
	.venv/bin/python -m pip install --quiet --requirement .venv/requirements.txt
	.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	printf '%s\n' $(FAISS) "$(CURDIR)" > $@

moved:
	rm -rf .venv

# faiss-cpu and faiss-gpu are the same module: one goes before the other comes.
another-faiss:
	rm -f .venv/.ready
	test ! -x .venv/bin/python || .venv/bin/python -m pip uninstall --quiet --yes faiss-$(INSTALLED)

test: .venv/.ready
	$(CHECKS)
	pytest -n 2 --dist loadscope --no-loadscope-reorder

# Also the slow tests (half an hour): a real cluster, signals and disks.
test-all: .venv/.ready
	$(CHECKS)
	pytest -n 2 --dist loadscope --no-loadscope-reorder -m "slow or not slow"

# Regions by a trained detector need torchvision, which needs another torch than the rest: an environment of its own.
detector: .venv-detector/.ready

.venv-detector/.ready: envs/detector.lock
	test -x .venv-detector/bin/python || $(PYTHON) -m venv .venv-detector
	.venv-detector/bin/python -m pip install --quiet --upgrade pip
	.venv-detector/bin/python -m pip install --quiet --requirement envs/detector.lock
	touch $@

test-detector: .venv-detector/.ready
	PYTHONPATH=src .venv-detector/bin/python -m pytest tests_detector

lock:
	$(PYTHON) envs/generate.py

# Recomputes the tiny configuration in a temporary folder (minutes) and compares its measures with the committed ones.
verify: .venv/.ready
	python workflow/scripts/verify_reference.py

reference:
	.venv/bin/python workflow/scripts/keep_reference.py
