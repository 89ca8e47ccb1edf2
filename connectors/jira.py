"""Jira, as the issue navigator exports it to CSV (all fields): issues and the work logged on them.

Columns repeat as often as the widest issue needs (15 Labels, 19 Comment), so the file is flattened first. Dates have
no zone: they are those of whoever exported, taken as the calendar's. A cell of Log Work is
``comment;15/Feb/26 4:31 PM;<person>;3600`` in seconds, and the comment may hold semicolons. Confirmed by real files of
Jira Cloud, month names in seven languages by those of Java; Server writes Component/s and Fix Version/s and is read alike.
Version 6 and older write ``Key``, no ids, ``Unresolved`` for an empty resolution, and a footer that says when it was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from connectors.base import (
    CATEGORIES,
    DROPPED,
    Connector,
    Layout,
    Mapping,
    Part,
    Record,
    Renews,
    Report,
    Span,
    Tell,
    Trouble,
    in_english,
    printed_at,
)
from connectors.fields import (
    Value,
    all_of,
    any_of,
    choice,
    constant,
    day,
    equals,
    filled,
    first_of,
    id_of,
    identifier,
    instant,
    no,
    number,
    prefixed,
    required,
    text,
    when,
)

SOURCE: Final = "jira"
_REPEATED: Final = {"labels": "Labels", "components": "Components", "component/s": "Components", "sprint": "Sprint"}
_LOG_WORK: Final = "Log Work"
_STARTED: Final = ("Custom field (Actual start)", "Custom field (Start date)", "Start date")
_DATES: Final = ("Created", "Updated", "Resolved", *_STARTED)
_ACCOUNT_FIELDS: Final = (
    "Custom field (Account)",
    "Custom field (Customer)",
    "Custom field (Organization)",
    "Custom field (Organizations)",
    "Custom field (Company)",
)
#: As this file calls the columns that it looks at itself; Server writes some of them with other capitals.
_NAMES: Final = {name.casefold(): name for name in ("Issue id", "Issue key", "Key", "Resolution", _LOG_WORK, *_DATES, *_ACCOUNT_FIELDS)}
#: How Server and older versions write that there is no resolution.
_UNRESOLVED: Final = ("unresolved", "nicht erledigt", "non résolu", "sin resolver", "non risolto")
_MADE: Final = re.compile(r"Generated at \w{3} (?P<month>\w{3}) (?P<day>\d{1,2}) (?P<time>\d\d:\d\d):\d\d (?P<zone>\S+) (?P<year>\d{4})")


def flatten(report: Report) -> Iterator[Part | Trouble]:
    """One ``issue`` part a record, repeated columns joined by ', ', and one ``worklog`` part a cell of Log Work."""
    names = [_NAMES.get(name.casefold(), name) for name in (" ".join(cell.split()) for cell in report.header)]
    width = len(names)
    for record in report.records:
        if not any(cell.strip() for cell in record.cells):
            continue
        if _is_footer(record):
            report.as_of = _made(" ".join(record.cells))
            continue
        if any(cell.strip() for cell in record.cells[width:]) or len(record.cells) < width - 1:
            reason = f"it has {len(record.cells)} cells where the header has {width}"
            yield Trouble(record.line, "", ",".join(record.cells), reason)
            continue
        report.counted += 1
        values: dict[str, str] = {}
        logs: list[str] = []
        for name, cell in zip(names, record.cells, strict=False):
            if name == _LOG_WORK:
                if cell.strip():
                    logs.append(cell)
            elif (joined := _REPEATED.get(name.casefold())) is not None:
                if cell.strip():
                    values[joined] = f"{values[joined]}, {cell.strip()}" if values.get(joined) else cell.strip()
            elif not values.get(name, "").strip():
                values[name] = cell
        if values.get("Resolution", "").strip().casefold() in _UNRESOLVED:
            values["Resolution"] = ""
        values["Issue id"] = values.get("Issue id", "").strip() or values.get("Issue key", "").strip() or values.get("Key", "")
        values["Account"] = next((values[name] for name in _ACCOUNT_FIELDS if values.get(name, "").strip()), "")
        values |= {name: in_english(values[name]) for name in _DATES if values.get(name)}
        yield Part(record.line, "issue", values)
        yield from _logged(record.line, values["Issue id"], values.get("Updated", ""), logs)


def _is_footer(record: Record) -> bool:
    first = next((cell.strip() for cell in record.cells if cell.strip()), "")
    return first.startswith("Generated at ") and "JIRA" in first.upper()


def _made(footer: str) -> datetime | None:
    """When the file was made, as its footer says in UTC; None in other zones, whose names don't tell their offset."""
    match = _MADE.search(footer)
    if match is None or match["zone"] not in ("UTC", "GMT", "Z"):
        return None
    return printed_at(f"{match['month']} {match['day']}, {match['year']} {match['time']}")


def _logged(line: int, issue: str, updated: str, logs: list[str]) -> Iterator[Part | Trouble]:
    for at, cell in enumerate(logs, start=1):
        parts = cell.rsplit(";", 3)
        if len(parts) != 4 or not parts[3].strip().isdigit():
            yield Trouble(line, _LOG_WORK, cell, "not comment;date;person;seconds", whole=False)
            continue
        comment, when_, person, seconds = parts
        values = {
            "Worklog": f"{issue}:{at}",
            "Issue id": issue,
            "Comment": comment,
            "Date": in_english(when_),
            "Person": person,
            "Hours": format(Decimal(seconds) / 3600, ".6f"),
            "Updated": updated,
        }
        yield Part(line, "worklog", values)


def _local(*columns: str) -> Value:
    return instant(*columns, zone="local")


_CATEGORY: Final = choice(
    "Status Category",
    cases={**CATEGORIES, "indeterminate": "doing"},
    otherwise="none",
)
#: A status called Rejected may be a step back to work, unless its category says that the work is over.
_GIVEN_UP: Final = any_of(
    equals("Resolution", *DROPPED),
    all_of(equals("Status", *DROPPED), any_of(no(filled("Status Category")), equals(_CATEGORY, "done"))),
)
_OVER: Final = any_of(filled("Resolved"), filled("Resolution"))
_POINTS: Final = ("Custom field (Story Points)", "Story Points")
_POINTS_TOO: Final = ("Custom field (Story point estimate)", "Story point estimate")
_ISSUE: Final = required(id_of(SOURCE, "Issue id"))
_UPDATED: Final = _local("Updated")

ISSUES: Final = Layout(
    name="cloud csv",
    needs=(("Summary",), ("Issue key", "Key"), ("Issue Type",), ("Status",), ("Created",)),
    reshape=flatten,
    mappings=(
        Mapping(
            "issue",
            {
                "issue_id": _ISSUE,
                "source": constant(SOURCE),
                "source_id": identifier("Issue id"),
                "key": text("Issue key", "Key"),
                "title": text("Summary"),
                "kind": text("Issue Type"),
                "status": text("Status"),
                "status_category": when(
                    _GIVEN_UP,
                    constant("dropped"),
                    first_of(_CATEGORY, choice("Status", cases=CATEGORIES, otherwise="none"), when(_OVER, constant("done"))),
                ),
                "resolution": text("Resolution"),
                "priority": text("Priority"),
                "project": text("Project key", "Project"),
                "component": text("Components"),
                "labels": text("Labels"),
                "epic": first_of(text("Parent key"), text("Custom field (Epic Link)"), text("Epic Link"), text("Custom field (Epic Name)")),
                "source_product_id": text("Project key", "Project"),
                "source_account_id": text("Account"),
                "deal_id": prefixed("salesforce", text("Custom field (Opportunity ID)")),
                "assignee": text("Assignee"),
                "points": first_of(number(*_POINTS), number(*_POINTS_TOO)),
                "created_at": required(_local("Created")),
                "started_at": first_of(*(_local(name) for name in _STARTED)),
                "resolved_at": _local("Resolved"),
                "modified_at": _UPDATED,
            },
            part="issue",
            span=Span((_local("Created"),), (_local("Created"), _UPDATED, _local("Resolved")), tables=("worklog",)),
        ),
        Mapping(
            "worklog",
            {
                "worklog_id": required(prefixed(SOURCE, text("Worklog"))),
                "issue_id": _ISSUE,
                "source": constant(SOURCE),
                "person": text("Person"),
                "worked_on": required(day("Date")),
                "hours": required(number("Hours")),
                "comment": text("Comment"),
                "modified_at": _UPDATED,
            },
            part="worklog",
            span=Span((_local("Date"),)),
            renews=Renews({"issue_id": _ISSUE}, part="issue"),
        ),
    ),
    tells=(
        Tell(
            all_of(filled("Resolution"), no(filled("Resolved"))),
            "resolved issues don't say when: they count as done, and on no day as resolved",
            "resolved issue doesn't say when: it counts as done, and on no day as resolved",
        ),
    ),
    export="Filters > View all issues > Export > CSV (all fields)",
)

JIRA: Final = Connector(SOURCE, "Jira", (ISSUES,))
