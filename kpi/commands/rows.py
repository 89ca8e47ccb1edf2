"""``rows``: the source rows behind a figure, with their files, adding up to it."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from kpi import settings, units
from kpi.commands.show import aligned, asked, plain
from kpi.errors import UsageError
from kpi.importing.tracing import Lines, lines_of
from kpi.metrics.behind import Behind, Figure, Part, Row, behind, facts_of
from kpi.metrics.model import Definitions
from kpi.metrics.publishing import mappings_of
from kpi.metrics.query import run
from kpi.metrics.result import Value
from kpi.periods import GRAINS, Period, span_label
from kpi.printing import printable

#: Columns of what a row says that are printed beside it.
_FACTS = 5


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register ``rows``."""
    words = "print the source rows behind a figure, with their files, adding up to it"
    parser = subparsers.add_parser("rows", help=words, description=words.capitalize() + ".")
    parser.add_argument("metric", metavar="METRIC", help="a name in metrics.yaml")
    parser.add_argument(
        "--where", action="append", default=[], metavar="EXPRESSION", help="a filter, such as \"segment = 'SMB'\"; of several all hold"
    )
    parser.add_argument("--grain", choices=GRAINS, default="all", help="the length of the one period asked for; default: all")
    parser.add_argument("--since", metavar="DATE", help="first day, such as 2026-01-01; default: as far as the data reach")
    parser.add_argument("--until", metavar="DATE", help="first day no more; default: as far as the data reach")
    parser.add_argument("--most", type=int, default=20, metavar="N", help="print so many rows of each part; all are added up; default: 20")
    parser.add_argument("--no-lines", action="store_true", help="don't read the files again for the lines on which rows stand")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    parser.set_defaults(run=rows, metrics=(), by=(), top=None, top_by=None, order=(), limit=None)


def rows(options: argparse.Namespace) -> int:
    """Print the rows; exit code 1 where those of a part don't come to it."""
    options.metrics = (options.metric,)
    if options.most < 1:
        raise UsageError(f"--most {options.most} shows nothing; ask for 1 or more")
    with asked(options) as (query, definitions, reader):
        cells = run(query, definitions, reader).cells(options.metric)
        if len(cells) > 1:
            spans = f"{span_label(Period(cells[0].period, cells[0].end))} to {span_label(Period(cells[-1].period, cells[-1].end))}"
            raise UsageError(f"these are {len(cells):,} figures, {spans}: name the days of one with --since and --until")
        if not cells:
            raise UsageError(f"{options.metric} has no figure for these days; python -m kpi show {options.metric} says which it has")
        period = Period(cells[0].period, cells[0].end)
        figure = Figure(options.metric, query.grain, period, query.where, since=query.since, until=query.until)
        found = behind(figure, definitions, reader, options.most)
        lines = {} if options.no_lines else _lines(found, definitions)
    print(_json(found, lines) if options.format == "json" else _text(found, definitions, lines))
    wrong = [part.name for part in found.parts if part.agrees is False]
    if wrong:
        print(f"note: the rows of {', '.join(wrong)} don't come to its value", file=sys.stderr)
    return 1 if wrong else 0


def _lines(found: Behind, definitions: Definitions) -> Lines:
    """The lines of all rows that are told, whatever their files' size."""
    lines: Lines = {}
    for part in found.parts:
        sought = [(row.run_id, row.key, row.source_id) for row in part.rows if row.run_id is not None]
        lines |= lines_of(settings.load(), mappings_of(definitions), part.table, sought, sys.maxsize)
    return lines


def _text(found: Behind, definitions: Definitions, lines: Lines) -> str:
    metric = definitions.metrics[found.figure.metric]
    value = _value(found.cell.value if found.cell else None, metric.unit, found.currency)
    said = [f"{metric.label}, {span_label(found.figure.period)}: {value}"]
    for part in found.parts:
        said += ["", *_part(part, found, lines)]
    return "\n".join(said)


def _part(part: Part, found: Behind, stood: Lines) -> list[str]:
    lines = [f"{part.name}: {_value(part.value, part.unit, found.currency)}, {part.said}"]
    if part.rows:
        names = facts_of(part.rows)[:_FACTS]
        head = [part.table, *names, "file", "line", "brings"]
        told = [
            [
                printable(" ".join(str(key) for key in row.key)),
                *(_fact(row, name) for name in names),
                _file(row),
                _line(row, stood),
                _plain(row.value),
            ]
            for row in part.rows
        ]
        lines += aligned(head, told, len(head) - 2).splitlines()
    more = f", the first {len(part.rows):,} of them above" if part.count > len(part.rows) else ""
    lines.append(f"{part.count:,} row{'' if part.count == 1 else 's'}{more}{verdict(part)}")
    return lines


def verdict(part: Part) -> str:
    """What the rows come to, beside the value."""
    if part.agrees is None:
        return ""
    if part.agrees:
        return f"; together they come to {_plain(part.come_to)}, which is the figure"
    return f"; together they come to {_plain(part.come_to)}, and the figure is {_plain(part.value)}"


def _fact(row: Row, name: str) -> str:
    value = row.facts.get(name)
    return "" if value is None else printable(str(_plain(value)))[:40]


def _file(row: Row) -> str:
    return "" if row.file is None else printable(row.file.rpartition("/")[2])


def _line(row: Row, lines: Lines) -> str:
    line = None if row.run_id is None else lines.get((row.run_id, row.key))
    return "" if line is None else str(line)


def _value(value: Value, unit: str, currency: str) -> str:
    return units.show_exactly(value, unit, currency)


def _plain(value: Any) -> str:
    return "" if value is None else str(plain(value))


def _json(found: Behind, lines: Lines) -> str:
    """One object: the figure, and its parts with their rows; decimals as strings."""
    return json.dumps(
        {
            "metric": found.figure.metric,
            "from": found.figure.period.start.isoformat(),
            "to": found.figure.period.end.isoformat(),
            "where": list(found.figure.where),
            "value": plain(found.cell.value) if found.cell else None,
            "state": found.cell.state if found.cell else None,
            "currency": found.currency,
            "parts": [
                {
                    "name": part.name,
                    "table": part.table,
                    "unit": part.unit,
                    "value": plain(part.value),
                    "state": part.state,
                    "rows_come_to": plain(part.come_to),
                    "agrees": part.agrees,
                    "rows_in_all": part.count,
                    "said": part.said,
                    "rows": [
                        {
                            "key": list(row.key),
                            "brings": plain(row.value),
                            "source": row.source,
                            "source_id": row.source_id,
                            "file": row.file,
                            "line": None if row.run_id is None else lines.get((row.run_id, row.key)),
                            "facts": {name: plain(value) for name, value in row.facts.items()},
                        }
                        for row in part.rows
                    ],
                }
                for part in found.parts
            ],
        },
        ensure_ascii=False,
        indent=1,
    )
