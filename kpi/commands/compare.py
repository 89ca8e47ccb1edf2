"""``compare``: what a changed metrics.yaml does to figures before it is saved, merged or restored; the page shows the same."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from kpi import settings, units
from kpi.analysis import telling
from kpi.analysis.comparing import Comparison, Difference, compare
from kpi.analysis.restating import closed_values
from kpi.commands.text import table
from kpi.errors import DefinitionsError, UsageError
from kpi.metrics import definitions
from kpi.metrics.model import Definitions
from kpi.metrics.result import Cell
from kpi.printing import printable
from kpi.records import closings
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.given import look
from kpi.yamlfile import MAX_BYTES


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register ``compare``."""
    words = "say what a changed metrics.yaml would do to the figures of the last 13 weeks"
    parser = subparsers.add_parser("compare", help=words, description=words.capitalize() + ".")
    parser.add_argument("file", metavar="FILE", help="the changed definitions; - reads standard input")
    parser.add_argument(
        "--with", dest="other", metavar="FILE", help="those to compare with; default: what KPI_METRICS says, else metrics.yaml"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print every metric touched, its weeks before and after, and what else differs."""
    chosen = settings.load()
    if options.file == "-" and options.other == "-":
        raise UsageError("only one of the two can be read from standard input")
    after = read(options.file, chosen)
    before = read(options.other or str(chosen.metrics), chosen)
    with open_reader(chosen, bool(before.catalog.given or after.catalog.given)) as reader:
        found = compare(before, after, reader, closed_values(closings.closed(chosen)))
    print(as_json(found) if options.json else printable_text(found))
    return 0


def read(place: str, chosen: Settings) -> Definitions:
    """The definitions of a file or of standard input, as the pages would read them.

    Raises:
        DefinitionsError: they have problems; UsageError: there is no such file.
    """
    if place == "-":
        content, name = sys.stdin.buffer.read(MAX_BYTES + 1), "standard input"
    else:
        path, name = Path(place), place
        if not path.is_file():
            raise UsageError(f"{place}: there is no such file")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    found, problems = definitions.checked(content, name, partial(look, chosen))
    if found is None:
        raise DefinitionsError(problems)
    return found


def printable_text(comparison: Comparison) -> str:
    """The comparison for people."""
    return "\n".join(_lines(comparison))


def _lines(comparison: Comparison) -> Iterator[str]:
    said = comparison.changes
    yield f"{comparison.before.file} → {comparison.after.file}"
    if said.nothing:
        yield "Both say the same; no figure, target or word differs."
        return
    yield from comparison.notes
    if not said.touched:
        yield "No metric is touched."
    for one in comparison.differences:
        yield ""
        yield f"{one.touched.name}: {telling.heading(one)}"
        yield telling.summary(one)
        if not one.refused and (one.differs or one.touched.how in ("added", "removed")):
            head, rows = telling.weeks(one, comparison)
            yield _table(head, rows)
        yield from _groups(one, comparison)
    for one in comparison.split:
        yield ""
        yield f"{one.touched.name}: {telling.heading(one)}"
        yield telling.summary(one)
        yield from _groups(one, comparison)
    for title, sentences in telling.others(comparison):
        yield ""
        yield title
        yield from ("  " + printable(sentence.replace(units.SPACE, " ")) for sentence in sentences)


def _groups(one: Difference, comparison: Comparison) -> Iterator[str]:
    if one.groups:
        head, rows = telling.groups(one, comparison)
        yield ""
        yield _table(head, rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    return table(head, [[printable(row[0]), *row[1:]] for row in rows], right=range(1, len(head)))


def as_json(comparison: Comparison) -> str:
    """One object: decimals as strings, each week by its first day."""
    said = comparison.changes
    return json.dumps(
        {
            "before": comparison.before.hash,
            "after": comparison.after.hash,
            "same": said.nothing,
            "notes": list(comparison.notes),
            "metrics": [_metric(one) for one in (*comparison.differences, *comparison.split)],
            "dimensions": [{"name": name, "how": how} for name, how in said.dimensions],
            "targets": [{**asdict(one), "before": _number(one.before), "after": _number(one.after)} for one in said.targets],
            **{name: [asdict(one) for one in getattr(said, name)] for name in ("applied", "sections", "words")},
            "publishes": said.publishes,
        },
        ensure_ascii=False,
        indent=1,
    )


def _metric(one: Difference) -> dict[str, Any]:
    return {
        "name": one.touched.name,
        "how": one.touched.how,
        "because": list(one.touched.because),
        "refused": one.refused,
        "weeks": [
            {
                "week": week.period.start.isoformat(),
                "before": _cell(week.before),
                "after": _cell(week.after),
                **({"closed": _number(week.shown)} if week.closed else {}),
            }
            for week in one.weeks
        ],
        "groups": [
            {"dimension": group.dimension, "value": group.value, "before": _cell(group.before), "after": _cell(group.after)}
            for group in one.groups
        ],
    }


def _cell(cell: Cell | None) -> dict[str, Any] | None:
    return None if cell is None else {"value": _number(cell.value), "state": cell.state}


def _number(value: Any) -> Any:
    return None if value is None else value if isinstance(value, int | float) else format(value, "f")
