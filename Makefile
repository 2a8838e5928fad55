# Everything a person needs: `make run`, `make test`. The rest is for those who change the code.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
READY_DEV := $(VENV)/.installed-dev
BABEL_KEYWORDS := -k N_ -k say -k _l -k gettext -k ngettext:1,2
ENGLISH := raspisms/translations/en/LC_MESSAGES/messages

# Some shells ask Python to keep nothing that it compiled: every process would compile the whole program anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help run demo test check format faults bench translations clean
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "RaspiSMS needs Python 3.11 or newer (apt install python3)."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make a virtual environment here: apt install python3-venv, then run make again."; rm -rf $(VENV); exit 1; }

$(READY): setup.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(READY_DEV): setup.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[tests,checks]'
	@touch $@ $(READY)

run: $(READY)  ## install what is missing and run everything, with the sandbox (Ctrl-C stops)
	$(BIN)/raspisms up --sandbox

demo: $(READY)  ## send an SMS and receive its reply on a throw-away installation
	$(BIN)/raspisms demo

test: $(READY_DEV) chromium postgresql  ## the whole suite on SQLite, then what touches rows on PostgreSQL
	$(BIN)/python -m pytest --numprocesses 3 --durations 15 $(ARGS)
	$(BIN)/python -m pytest --numprocesses 3 --durations 15 --database postgresql -m "not browser and (faults or not tree)" $(ARGS)

# Debian's packages that only tests need, installed where they are missing.
debian = command -v apt-get >/dev/null && as_root=$$([ "$$(id -u)" = 0 ] || echo sudo -n) && $$as_root true 2>/dev/null \
	&& $$as_root apt-get update -qq && $$as_root apt-get install -y -qq --no-install-recommends $(1) >/dev/null

.PHONY: chromium postgresql
chromium:
	@command -v chromium >/dev/null || { $(call debian,chromium fonts-dejavu-core); } \
		|| { echo "The browser tests need Chromium: apt install chromium, then run make again."; exit 1; }

postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { $(call debian,postgresql); } \
		|| { echo "The tests need a PostgreSQL server: apt install postgresql, then run make again."; exit 1; }

check: $(READY_DEV)  ## lint, format, types, templates, migrations
	@$(MAKE) --no-print-directory --jobs 2 check-types check-code

.PHONY: check-types check-code
check-types: $(READY_DEV)
	$(BIN)/mypy

check-code: $(READY_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --quiet --lint raspisms/templates
	@folder=$$(mktemp -d) && RASPISMS_INSTANCE=$$folder $(BIN)/raspisms db check; status=$$?; rm -rf $$folder; exit $$status

format: $(READY_DEV)  ## put the code in its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

faults: $(READY_DEV) postgresql  ## hurt a running installation a thousand times on each database, and count
	$(BIN)/python -m tests.faults $(ARGS)

bench: $(READY_DEV)  ## measure, and print what was measured
	$(BIN)/python -m bench $(ARGS)

.PHONY: pictures
pictures: $(READY_DEV) chromium  ## make the README's pictures from the real pages
	$(BIN)/python -m tests.browser.pictures

translations: $(READY_DEV)  ## bring the English catalogue up to date with the sentences in the code
	$(BIN)/pybabel -q extract -F babel.cfg $(BABEL_KEYWORDS) --no-wrap --sort-by-file --no-location -o $(VENV)/messages.pot .
	$(BIN)/pybabel -q update -l en --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -i $(VENV)/messages.pot -o $(ENGLISH).po
	$(BIN)/pybabel -q compile -i $(ENGLISH).po -o $(ENGLISH).mo

clean:  ## remove what make installed (never the instance folder)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info
