# `make run`, `make test` and `make soak` make the virtual environment if it is missing, then do their job.
# PYTHON chooses the Python that it is made with (3.10 to 3.13): make run PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv
ARGS ?= --config=small

.PHONY: run test soak clean

run: $(VENV)/run.installed
	$(VENV)/bin/python ptb_word_lm.py $(ARGS)

test: $(VENV)/test.installed
	$(VENV)/bin/python -m pytest

soak: $(VENV)/test.installed
	$(VENV)/bin/python tests/soak.py

# The stamp is written last, so that an installation that was cut off is done again.
$(VENV)/run.installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install -r requirements.txt
	touch $@

$(VENV)/test.installed: requirements-dev.txt $(VENV)/run.installed
	$(VENV)/bin/python -m pip install -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV)
