"""``check``: the problems of metrics.yaml without running a query; ``show`` and ``explain`` beside it."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from kpi import settings
from kpi.commands import show, systems
from kpi.errors import KpiError, UsageError, WarehouseError
from kpi.metrics import definitions, jsonschema
from kpi.metrics.given import Look
from kpi.metrics.model import Definitions, Formula
from kpi.warehouse import given


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register the commands of the metrics layer."""
    parser = subparsers.add_parser("check", help="find the mistakes in metrics.yaml", description="Find every mistake, with file and line.")
    parser.add_argument("file", nargs="?", type=Path, help="the definitions; default: what KPI_METRICS says, else metrics.yaml")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of metrics.yaml for editors, and check nothing")
    parser.set_defaults(run=check)
    show.add(subparsers)


class ProblemsFound(KpiError):
    """Some problems; the sentence is the number of them."""

    def __init__(self, count: int, file: str) -> None:
        super().__init__(f"{count} problem{'' if count == 1 else 's'} in {file}; correct them and check again")


def check(options: argparse.Namespace) -> int:
    """Print every problem on a line of its own; exit code 1 with any.

    ``--json`` prints ``{"file", "problems": [{"file", "line", "key", "message"}], "metrics", "dimensions"}``.
    ``--schema`` prints a JSON Schema and looks at no file.
    """
    if options.schema:
        print(json.dumps(jsonschema.made(), indent=2, ensure_ascii=False))
        return 0
    path = options.file or settings.load().metrics
    if options.file is not None and not path.exists():
        raise UsageError(f"{path}: there is no such file")
    look: Look | None = partial(given.look, settings.load())
    try:
        problems = definitions.check(path, look, systems.known())
    except WarehouseError as error:
        print(f"note: tables: and what stands on them was not checked, because {error}", file=sys.stderr)
        look = None
        problems = definitions.check(path, systems=systems.known())
    loaded = definitions.load(path, look) if not problems else None
    if options.json:
        found = {"metrics": list(loaded.metrics) if loaded else [], "dimensions": list(loaded.dimensions) if loaded else []}
        print(json.dumps({"file": str(path), "problems": [asdict(problem) for problem in problems], **found}, ensure_ascii=False))
        return 1 if problems else 0
    for problem in problems:
        print(problem)
    if loaded is None:
        raise ProblemsFound(len(problems), str(path))
    print(_summary(loaded))
    return 0


def _summary(loaded: Definitions) -> str:
    formulas = sum(isinstance(metric, Formula) for metric in loaded.metrics.values())
    counts = (
        _count(len(loaded.metrics), "metric") + f" ({_count(formulas, 'formula')})",
        _count(len(loaded.dimensions), "dimension"),
        _count(len(loaded.products), "product"),
        f"{_count(len(loaded.costs), 'cost category', 'cost categories')}",
    )
    return f"{loaded.file}: no problems; {', '.join(counts)}; the North Star is {loaded.north_star}"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
