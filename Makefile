# One command per habit. Everything lives in .venv; nothing is installed globally.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint types imports messages golden bench bench-day bench-parts bench-relevance bench-similar preview judge clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# pip learned --group in 25.1; older ones are brought up to date inside the environment first
$(BIN)/.ready: pyproject.toml constraints.txt
ifdef UV
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable . --group dev
else
	@$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
endif
	@touch $@

demo: $(BIN)/.ready ## the main job on invented papers: no config, no network, no SMTP
	$(BIN)/digest demo

test: $(BIN)/.ready ## all tests
	$(BIN)/python -m pytest -n auto

check: format lint types imports test ## what CI runs

format: $(BIN)/.ready
	$(BIN)/ruff format --check .

lint: $(BIN)/.ready
	$(BIN)/ruff check .

types: $(BIN)/.ready
	$(BIN)/mypy digest tests benchmarks

imports: $(BIN)/.ready
	$(BIN)/lint-imports

messages: $(BIN)/.ready ## write what mails and pages say into the .po file of each language
	$(BIN)/python -m tests.messages

golden: $(BIN)/.ready ## write the golden mails and pages anew and delete unused ones
	DIGEST_GOLDEN=write $(BIN)/python -m pytest -q tests/compose/test_golden.py tests/publish/test_golden.py

judge: $(BIN)/.ready ## twelve mails and an archive's pages before SpamAssassin, vnu, html-validate, caniemail and axe; pictures in out/judge
	$(BIN)/python -m tests.judges

preview: $(BIN)/.ready ## your own digest in the browser
	$(BIN)/digest preview --open

bench: $(BIN)/.ready ## the whole send beside its rivals, then over long roads; SIZES=100000 for other sizes
	$(BIN)/python -m benchmarks.send $(SIZES)
	$(BIN)/python -m benchmarks.round_trips

bench-day: $(BIN)/.ready ## a day of 2,000 papers for 100 subscribers, beside feedparser alone
	$(BIN)/python -m benchmarks.day

bench-parts: $(BIN)/.ready ## planning, trends, composing, the archive, readers' feeds and starting alone
	$(BIN)/python -m benchmarks.plan
	$(BIN)/python -m benchmarks.trend
	$(BIN)/python -m benchmarks.compose
	$(BIN)/python -m benchmarks.archive
	$(BIN)/python -m benchmarks.private_feeds
	$(BIN)/python -m benchmarks.start

bench-similar: $(BIN)/.rivals ## similar papers beside tf-idf cosine; FOLDER=… for judged papers of your own
	$(BIN)/python -m benchmarks.similar $(or $(FOLDER),tests/curate/similar)

$(BIN)/.rivals: $(BIN)/.ready
ifdef UV
	$(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt --group rivals
else
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group rivals
endif
	@touch $@

bench-relevance: $(BIN)/.rivals ## the ranking beside others on judged profiles; FOLDER=… has them, OPTIONS=-v shows each
	$(BIN)/python -m benchmarks.relevance $(FOLDER) $(OPTIONS)

clean: ## forget the environment and all caches
	rm -rf $(VENV) tests/judges/node_modules out/judge .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
