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
from kpi.commands import show
from kpi.errors import ProblemsFound, UsageError, WarehouseError
from kpi.importing import systems
from kpi.metrics import definitions, jsonschema
from kpi.metrics.given import Look
from kpi.metrics.model import Definitions, Formula
from kpi.warehouse import given


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register the commands of the metrics layer."""
    words = "find the mistakes in metrics.yaml and in the mappings of sources/"
    parser = subparsers.add_parser("check", help=words, description="Find every mistake, with file and line.")
    files = "definitions or a mapping; default: what KPI_METRICS says, else metrics.yaml, and every mapping of KPI_SOURCES, else sources/"
    parser.add_argument("file", nargs="?", type=Path, help=files)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    of = "print the JSON Schema of metrics.yaml, or of the mappings in sources/, for editors, and check nothing"
    parser.add_argument("--schema", nargs="?", const="metrics", choices=("metrics", "sources"), help=of)
    parser.set_defaults(run=check)
    show.add(subparsers)


def check(options: argparse.Namespace) -> int:
    """Print every problem on a line of its own; exit code 1 with any.

    ``--json`` prints ``{"file", "problems": [{"file", "line", "key", "message"}], "metrics", "dimensions"}``, and without a file
    named ``sources``, the systems that mappings describe.
    ``--schema`` prints a JSON Schema and looks at no file.
    """
    # these load the connectors, which show and explain don't need
    from kpi.commands import mappings
    from kpi.sources import folder
    from kpi.sources import jsonschema as source_schema

    if options.schema:
        schema = jsonschema.made() if options.schema == "metrics" else source_schema.made()
        print(json.dumps(schema, indent=2, ensure_ascii=False))
        return 0
    if options.file is not None and mappings.is_mapping(options.file, settings.load().sources):
        return mappings.check([options.file], options.json)
    path = options.file or settings.load().metrics
    if options.file is not None and not path.exists():
        raise UsageError(f"{path}: there is no such file")
    look: Look | None = partial(given.look, settings.load())
    try:
        problems = definitions.check(path, look, systems.known(settings.load().sources))
    except WarehouseError as error:
        print(f"note: tables: and what stands on them was not checked, because {error}", file=sys.stderr)
        look = None
        problems = definitions.check(path, systems=systems.known(settings.load().sources))
    loaded = definitions.load(path, look) if not problems else None
    described = folder.load(settings.load().sources) if options.file is None else folder.Folder()
    problems += described.problems
    if options.json:
        found = {"metrics": list(loaded.metrics) if loaded else [], "dimensions": list(loaded.dimensions) if loaded else []}
        if options.file is None:
            found["sources"] = [connector.name for connector in described.connectors]
        print(json.dumps({"file": str(path), "problems": [asdict(problem) for problem in problems], **found}, ensure_ascii=False))
        return 1 if problems else 0
    for problem in problems:
        print(problem)
    if loaded is not None:
        print(_summary(loaded))
    for source in described.sources:
        print(mappings.summary(source))
    if problems:
        raise ProblemsFound(len(problems), " and ".join(dict.fromkeys(problem.file for problem in problems)))
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
