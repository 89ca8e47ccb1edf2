"""Linear's CSV export of issues, of 30 columns and, newer, of 34.

Instants are ISO with milliseconds, or in a quarter of the files as JavaScript prints them (``Tue May 14 2024 08:53:33
GMT+0000 (GMT)``). Some files have every row one field short: the last column is the one that is missing, as the dates that
stand in their places show; a row whose creation is no date is set aside. An issue is known by its ID (``ATL-12``), since the
30 columns have no UUID. Confirmed by public files; a status that a team has named itself is told by the dates beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from connectors.base import CATEGORIES, Connector, Layout, Mapping, Part, Report, Span, Trouble, spelled
from connectors.fields import (
    Value,
    choice,
    constant,
    filled,
    first_of,
    id_of,
    identifier,
    instant,
    number,
    required,
    text,
    when,
)

SOURCE: Final = "linear"
_DATES: Final = ("Created", "Updated", "Started", "Triaged", "Completed", "Canceled", "Archived")
_SCRIPT: Final = re.compile(
    r"\w{3},? (?P<month>[A-Z][a-z]{2}) (?P<day>\d{2}) (?P<year>\d{4}) (?P<time>\d\d:\d\d:\d\d) GMT(?P<zone>[+-]\d{4})(?: \(.*\))?"
)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}([ T].*)?")


def as_iso(written: str) -> str:
    """An instant as JavaScript prints it as ISO with its offset; any other text as it is."""
    match = _SCRIPT.fullmatch(written.strip())
    if match is None or match["month"] not in _MONTHS:
        return written
    return f"{match['year']}-{_MONTHS.index(match['month']) + 1:02d}-{match['day']}T{match['time']}{match['zone']}"


def flatten(report: Report) -> Iterator[Part | Trouble]:
    """One part a record, with its instants in ISO; a row that is one field short lacks the last."""
    names = spelled(report.header, _DATES)
    width = len(names)
    for record in report.records:
        if not any(cell.strip() for cell in record.cells):
            continue
        cells = [*record.cells, ""] if len(record.cells) == width - 1 else list(record.cells)
        values = dict(zip(names, cells, strict=False))
        values |= {name: as_iso(values[name]) for name in _DATES if values.get(name)}
        fits = len(record.cells) == width or (len(cells) == width and _ISO.fullmatch(values.get("Created", "").strip()))
        if not fits and (len(cells) < width or any(cell.strip() for cell in cells[width:]) or len(record.cells) == width - 1):
            reason = f"it has {len(record.cells)} cells where the header has {width}"
            yield Trouble(record.line, "", ",".join(record.cells), reason)
            continue
        report.counted += 1
        yield Part(record.line, "issue", values)


def _at(column: str) -> Value:
    return instant(column)


_ISSUE: Final = required(id_of(SOURCE, "ID"))

ISSUES: Final = Layout(
    name="issues csv",
    needs=(("ID",), ("Team",), ("Title",), ("Status",), ("Creator",), ("Created",), ("Completed",), ("Canceled",)),
    reshape=flatten,
    mappings=(
        Mapping(
            "issue",
            {
                "issue_id": _ISSUE,
                "source": constant(SOURCE),
                "source_id": identifier("ID"),
                "key": text("ID"),
                "title": text("Title"),
                "status": text("Status"),
                "status_category": first_of(
                    choice("Status", cases=CATEGORIES, otherwise="none"),
                    when(filled("Canceled"), constant("dropped")),
                    when(filled("Completed"), constant("done")),
                    when(filled("Started"), constant("doing"), constant("todo")),
                ),
                "priority": choice("Priority", cases={"no priority": None}, otherwise="keep"),
                "project": text("Project"),
                "component": text("Team"),
                "labels": text("Labels"),
                "epic": first_of(text("Parent issue"), text("Project Milestone")),
                "source_product_id": first_of(text("Project"), text("Team")),
                "assignee": text("Assignee"),
                "points": number("Estimate"),
                "created_at": required(_at("Created")),
                "started_at": _at("Started"),
                "resolved_at": first_of(_at("Completed"), _at("Canceled")),
                "modified_at": _at("Updated"),
            },
            part="issue",
            span=Span((_at("Created"),), (_at("Created"), _at("Updated"), _at("Completed"), _at("Canceled"))),
        ),
    ),
    export="Settings > Administration > Import and export > Export CSV, or a view's menu > Export issues as CSV",
)

LINEAR: Final = Connector(SOURCE, "Linear", (ISSUES,))
