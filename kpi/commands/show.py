"""``show`` and ``explain``: figures and where they come from, the same as on the pages."""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any

from kpi import settings, units
from kpi.errors import UsageError
from kpi.importing.current import ensure_current
from kpi.metrics import definitions, groups
from kpi.metrics.explain import Explained, Explanation, SourceFile, explain
from kpi.metrics.model import Definitions, Order, Query
from kpi.metrics.publishing import mappings_of
from kpi.metrics.query import run
from kpi.metrics.result import Result
from kpi.metrics.tree import Branch
from kpi.periods import GRAINS, Period, span_label
from kpi.printing import harmless, printable
from kpi.warehouse.engines import open_reader
from kpi.warehouse.given import look
from kpi.warehouse.reader import Reader


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register ``show`` and ``explain``."""
    for name, run_, words in (
        ("show", show, "print figures: any metric, by any dimension, under any filter"),
        ("explain", explained, "print where a figure comes from: definition, SQL, sources, switches"),
    ):
        parser = subparsers.add_parser(name, help=words, description=words.capitalize() + ".")
        parser.add_argument("metrics", nargs="+", metavar="METRIC", help="names in metrics.yaml")
        parser.add_argument(
            "--by",
            nargs="+",
            action="extend",
            default=[],
            metavar="DIMENSION",
            help="dimensions or table.column, several with spaces or commas",
        )
        parser.add_argument(
            "--where", action="append", default=[], metavar="EXPRESSION", help="a filter, such as \"segment = 'SMB'\"; of several all hold"
        )
        parser.add_argument("--top", type=_count, metavar="N", help='the N largest groups over all days asked for; the rest is "(other)"')
        parser.add_argument("--top-by", metavar="METRIC", help="the metric that is the largest; default: the first")
        parser.add_argument(
            "--order",
            nargs="+",
            action="append",
            default=[],
            metavar="NAME",
            help="sort by a metric (largest first), a dimension or period, then asc or desc to say otherwise; may be given again",
        )
        parser.add_argument("--limit", type=_count, metavar="N", help="at most N rows")
        parser.add_argument("--grain", choices=GRAINS, default="all", help="the length of a period; default: all")
        parser.add_argument("--since", metavar="DATE", help="first day, such as 2026-01-01; default: as far as the data reach")
        parser.add_argument("--until", metavar="DATE", help="first day no more; default: as far as the data reach")
        formats = ("table", "csv", "json") if name == "show" else ("table", "json")
        parser.add_argument("--format", choices=formats, default="table", help="default: table")
        parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
        parser.set_defaults(run=run_)


def show(options: argparse.Namespace) -> int:
    """Print the answer on stdout; with table and csv the warnings go to stderr."""
    with asked(options) as (query, loaded, reader):
        result = run(query, loaded, reader)
    if options.format == "json":
        print(as_json(result))
        return 0
    print(as_csv(result) if options.format == "csv" else as_table(result, loaded), end="" if options.format == "csv" else "\n")
    for warning in result.warnings:
        print(f"note: {warning}", file=sys.stderr)
    return 0


def explained(options: argparse.Namespace) -> int:
    """Print the explanation."""
    with asked(options) as (query, loaded, reader):
        explanation = explain(query, loaded, reader)
        print(explanation_json(explanation) if options.format == "json" else explanation_text(explanation))
    return 0


@contextmanager
def asked(options: argparse.Namespace) -> Iterator[tuple[Query, Definitions, Reader]]:
    """The query of the options, the definitions, and a reader of what is published under them."""
    chosen = settings.load()
    loaded = definitions.load(chosen.metrics, partial(look, chosen))
    query = Query(
        metrics=tuple(options.metrics),
        by=tuple(name.strip() for names in options.by for name in names.split(",") if name.strip()),
        where=tuple(options.where),
        grain=options.grain,
        since=_day(options.since, "--since"),
        until=_day(options.until, "--until"),
        top=options.top,
        top_by=options.top_by,
        order=tuple(_order(words, options.metrics) for words in options.order),
        limit=options.limit,
    )
    ensure_current(chosen, mappings_of(loaded), lambda sentence: print(sentence, file=sys.stderr, flush=True))
    with open_reader(chosen, bool(loaded.catalog.given)) as reader:
        yield query, loaded, reader


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return int(text)


def _order(words: Sequence[str], metrics: Sequence[str]) -> Order:
    """A name, and asc or desc; without it figures are sorted with the largest first, and words from the first letter."""
    name, *way = words
    if len(way) > 1 or (way and way[0] not in ("asc", "desc")):
        raise UsageError(f"--order {' '.join(words)}: write one name, then asc or desc; for a second name write --order again")
    return Order(name, way == ["desc"] if way else name in metrics)


def _day(text: str | None, option: str) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text}: that is no day; write it as 2026-01-31") from None


def as_json(result: Result) -> str:
    """One object: decimals as strings, ``period`` the first day, groups as :func:`kpi.metrics.groups.called` names them.

    ``states`` says for each metric why its value of each row is as it is: see :data:`kpi.metrics.result.State`.
    """
    return json.dumps(
        {
            "metrics": list(result.query.metrics),
            "by": list(result.query.by),
            "grain": result.query.grain,
            **_cut(result.query),
            "rows": _rows(result),
            "states": {name: result.states[name].to_pylist() for name in result.query.metrics},
            "units": dict(result.units),
            "currency": result.currency,
            "generation": result.generation,
            "definitions": result.definitions,
            "data_through": result.data_through.isoformat() if result.data_through else None,
            "coverage": {
                name: {"from": span.start.isoformat(), "to": span.end.isoformat()} if span else None
                for name, span in result.coverage.items()
            },
            "warnings": list(result.warnings),
        },
        ensure_ascii=False,
        indent=1,
    )


def _cut(query: Query) -> dict[str, Any]:
    """What of the answer's rows was asked for, where it isn't all of them in their usual order."""
    said: dict[str, Any] = {}
    if query.top is not None:
        said["top"] = {"groups": query.top, "by": query.top_by or query.metrics[0]}
    if query.order:
        said["order"] = [{"name": order.name, "descending": order.descending} for order in query.order]
    return said | ({} if query.limit is None else {"limit": query.limit})


def _rows(result: Result) -> list[dict[str, Any]]:
    columns = {name: result.table.column(name).to_pylist() for name in result.table.column_names}
    for name in result.query.by:
        columns[name] = [groups.called(value) for value in columns[name]]
    return [{name: plain(column[row]) for name, column in columns.items()} for row in range(result.table.num_rows)]


def plain(value: Any) -> Any:
    """A value as JSON has it: decimals and days as text."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, dt.date) else value


def as_csv(result: Result) -> str:
    """Values exact and without separators; texts that a spreadsheet would run are quoted with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(result.table.column_names)
    splits = set(result.query.by)
    for row in _rows(result):
        writer.writerow([harmless(cell) if name in splits else _cell(cell) for name, cell in row.items()])
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def as_table(result: Result, loaded: Definitions) -> str:
    """For people: periods in words, values rounded once with their units, and why one isn't there."""
    names = result.query.metrics
    head = ["period", *(loaded.dimensions[name].label if name in loaded.dimensions else name for name in result.query.by)]
    head += [loaded.metrics[name].label for name in names]
    cells = {name: result.cells(name) for name in names}
    rows = []
    for at in range(result.table.num_rows):
        first = cells[names[0]][at]
        words = loaded.calendar.label(Period(first.period, first.end), result.query.grain)
        row = [words, *(printable(groups.called(group)) for group in first.groups)]
        for name in names:
            cell = cells[name][at]
            value = units.show_in_full(cell.value, result.units[name], result.currency)
            row.append(value if cell.state == "known" else f"{value} ({cell.state})")
        rows.append(row)
    if not rows:
        return "no rows"
    last = "" if result.data_through is None else f"\n\ndata through {result.data_through}"
    return aligned(head, rows, 1 + len(result.query.by)) + last


def aligned(head: list[str], rows: list[list[str]], words: int) -> str:
    """Columns two spaces apart; the first ``words`` begin at the left, figures end at the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place < words else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (head, ["-" * width for width in widths], *rows)
    ]
    return "\n".join(line.rstrip() for line in lines)


def explanation_json(explanation: Explanation) -> str:
    """One object."""
    result = explanation.result
    return json.dumps(
        {
            "metrics": [
                {
                    "name": one.metric.name,
                    "label": one.metric.label,
                    "means": one.metric.means,
                    "owner": one.metric.owner,
                    "unit": one.metric.unit,
                    "definition": dict(one.metric.text),
                    "tree": [_branch(branch) for branch in one.tree],
                    **({"tree_failed": one.failed} if one.failed else {}),
                }
                for one in explanation.metrics
            ],
            "switches": list(explanation.switches),
            "cohorts": list(explanation.cohorts),
            "sources": [
                {
                    "table": source.table,
                    "source": source.source,
                    "from": source.covers_from.isoformat(),
                    "to": source.covers_to.isoformat(),
                    "basis": source.basis,
                    "rows": source.rows,
                    "counts": source.counts,
                    "files": [
                        {
                            "file": file.name,
                            "rows": file.rows,
                            "imported_at": file.imported_at.isoformat() if file.imported_at else None,
                            "as_of": file.as_of.isoformat() if file.as_of else None,
                        }
                        for file in source.files
                    ],
                }
                for source in explanation.sources
            ],
            "sql": explanation.sql,
            "generation": result.generation,
            "definitions": result.definitions,
            "data_through": result.data_through.isoformat() if result.data_through else None,
            "warnings": list(explanation.warnings),
        },
        ensure_ascii=False,
        indent=1,
    )


def _made_of(one: Explained, result: Result) -> list[str]:
    """The tree: names, values over all groups in the last period, definitions."""
    if one.failed:
        return [f"  what it is made of is not known: {one.failed}"]
    first = next((branch.cell for branch in one.tree if branch.cell), None)
    lines = [] if first is None else [f"  {span_label(Period(first.period, first.end))}, over all groups:"]
    names = [f"  {'  ' * branch.depth}{branch.name}" for branch in one.tree]
    values = [_value(branch, result) for branch in one.tree]
    widths = max(map(len, names), default=0), max(map(len, values), default=0)
    for branch, name, value in zip(one.tree, names, values, strict=True):
        keys = ("label", "means", "owner", "unit", "better", "target", "needs")
        said = ", ".join(f"{key}: {text}" for key, text in branch.text.items() if key not in keys)
        lines.append(f"{name.ljust(widths[0])}  {value.rjust(widths[1])}  {said}".rstrip())
    return lines


def _value(branch: Branch, result: Result) -> str:
    if branch.cell is None:
        return "no value of its own"
    value = units.show_in_full(branch.cell.value, branch.unit, result.currency)
    return value if branch.cell.state == "known" else f"{value} ({branch.cell.state})"


def _when(file: SourceFile) -> str:
    """How fresh a file is."""
    said = [f"imported {file.imported_at:%Y-%m-%d}"] if file.imported_at else []
    said += [f"as of {file.as_of:%Y-%m-%d}"] if file.as_of else []
    return f" ({', '.join(said)})" if said else ""


def _branch(branch: Branch) -> dict[str, Any]:
    """A part of a figure; ``value`` is that of ``period``, from its first day to before ``end``."""
    cell = branch.cell
    return {
        "depth": branch.depth,
        "name": branch.name,
        "definition": dict(branch.text),
        "unit": branch.unit,
        "value": plain(cell.value) if cell else None,
        "state": cell.state if cell else None,
        "period": cell.period.isoformat() if cell else None,
        "end": cell.end.isoformat() if cell else None,
    }


def explanation_text(explanation: Explanation) -> str:
    """For people, and the SQL for whoever wants to run it."""
    parts = []
    for one in explanation.metrics:
        metric = one.metric
        lines = [f"{metric.name}: {metric.label}"]
        lines += [f"  {metric.means}"] if metric.means else []
        lines.append(f"  owner: {metric.owner or 'nobody yet'}; unit: {metric.unit}")
        lines += [f"  {key}: {metric.text[key]}" for key in ("better", "target", "needs") if key in metric.text]
        parts.append("\n".join([*lines, *_made_of(one, explanation.result)]))
    parts.append("Switches\n" + "\n".join(f"  {switch}" for switch in explanation.switches))
    if explanation.cohorts:
        parts.append("Cohorts\n" + "\n".join(f"  {cohort}" for cohort in explanation.cohorts))
    lines = []
    for source in explanation.sources:
        until = source.covers_to - dt.timedelta(days=1)
        left = "" if source.counts else ", does not count"
        lines.append(f"  {source.table} from {source.source}: {source.rows:,} rows, {source.covers_from} to {until} ({source.basis}){left}")
        lines += [f"    {file.name}: {file.rows:,} rows{_when(file)}" for file in source.files]
    parts.append("Sources\n" + ("\n".join(lines) or "  nothing was imported"))
    if explanation.warnings:
        parts.append("Notes\n" + "\n".join(f"  {warning}" for warning in explanation.warnings))
    parts.append(f"-- SQL, generation {explanation.result.generation}\n{explanation.sql};")
    return "\n\n".join(parts)
