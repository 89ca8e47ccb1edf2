# make run        the dashboard on 127.0.0.1:8501 (PORT= for another), with a sample company when there are no data yet
# make test       the tests, a few minutes          make test-all   and the slow ones
# make check      format, lint, types               make bench      what is promised about speed, measured
#
# Each makes what it needs first: a virtual environment in .venv, and for the tests Debian's Chromium and PostgreSQL.
# PYTHON=/path/to/python3 names a Python of your own.
# BENCH="layer --large" measures one part of it, that one up to 100 M invoice lines; BENCH=--help lists the rest.

PORT ?= 8501
BENCH ?=
export PYTHON

# Printed commands would drown the one sentence that matters when something fails.
.SILENT:
.PHONY: run test test-slow test-all check bench environment test-programs

run: environment
	exec .venv/bin/python .ci/dashboard.py "$(PORT)"

test: environment test-programs
	.venv/bin/python -m pytest -n auto --dist loadfile -m "not slow"

test-slow: environment test-programs
	.venv/bin/python -m pytest -n auto --dist loadfile --hypothesis-profile=searching -m slow

test-all: test test-slow

check: environment
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m ruff check .
	.venv/bin/python -m mypy

bench: environment
	.venv/bin/python -m benchmarks $(BENCH)

environment:
	.ci/environment

test-programs:
	.ci/test-programs
