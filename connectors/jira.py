"""Jira, as the issue navigator exports it to CSV (all fields): issues and the work logged on them.

Columns repeat as often as the widest issue needs (15 Labels, 19 Comment), so the file is flattened first. Dates have
no zone: they are those of whoever exported, taken as the calendar's. A cell of Log Work is
``comment;15/Feb/26 4:31 PM;<person>;3600`` in seconds, and the comment may hold semicolons. Confirmed by real files of
Jira Cloud, month names in seven languages by those of Java; Server writes Component/s and Fix Version/s and is read alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from connectors.base import Connector, Layout, Mapping, Part, Record, Renews, Report, Span, Trouble, in_english
from connectors.fields import (
    Value,
    choice,
    constant,
    day,
    equals,
    first_of,
    id_of,
    identifier,
    instant,
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
#: Resolutions that say that the work was given up. "Cannot Reproduce" is among them: nothing was delivered.
DROPPED: Final = (
    "won't do",
    "won’t do",
    "won't fix",
    "won’t fix",
    "wont fix",
    "wontfix",
    "duplicate",
    "cancelled",
    "canceled",
    "cannot reproduce",
    "can't reproduce",
    "not a bug",
    "invalid",
    "incomplete",
    "declined",
    "rejected",
    "obsolete",
    "abandoned",
    "timed out",
    "known error",
    "out of scope",
    "not applicable",
)


def flatten(report: Report) -> Iterator[Part | Trouble]:
    """One ``issue`` part a record, repeated columns joined by ', ', and one ``worklog`` part a cell of Log Work."""
    names = [" ".join(cell.split()) for cell in report.header]
    width = len(names)
    for record in report.records:
        if not any(cell.strip() for cell in record.cells) or _is_footer(record):
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
        values["Account"] = next((values[name] for name in _ACCOUNT_FIELDS if values.get(name, "").strip()), "")
        values |= {name: in_english(values[name]) for name in _DATES if values.get(name)}
        yield Part(record.line, "issue", values)
        yield from _logged(record.line, values.get("Issue id", ""), values.get("Updated", ""), logs)


def _is_footer(record: Record) -> bool:
    first = next((cell.strip() for cell in record.cells if cell.strip()), "")
    return first.startswith("Generated at ") and "JIRA" in first


_ACCOUNT_FIELDS: Final = (
    "Custom field (Account)",
    "Custom field (Customer)",
    "Custom field (Organization)",
    "Custom field (Organizations)",
    "Custom field (Company)",
)


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
    cases={"to do": "todo", "new": "todo", "in progress": "doing", "indeterminate": "doing", "done": "done", "complete": "done"},
    otherwise="none",
)
_BY_STATUS: Final = choice(
    "Status",
    cases={
        "to do": "todo",
        "open": "todo",
        "new": "todo",
        "backlog": "todo",
        "reopened": "todo",
        "selected for development": "todo",
        "in progress": "doing",
        "in review": "doing",
        "in development": "doing",
        "testing": "doing",
        "done": "done",
        "closed": "done",
        "resolved": "done",
        "released": "done",
    },
    otherwise="none",
)
_POINTS: Final = ("Custom field (Story Points)", "Story Points")
_POINTS_TOO: Final = ("Custom field (Story point estimate)", "Story point estimate")
_ISSUE: Final = required(id_of(SOURCE, "Issue id"))
_UPDATED: Final = _local("Updated")

ISSUES: Final = Layout(
    name="cloud csv",
    needs=(("Summary",), ("Issue key",), ("Issue id",), ("Issue Type",), ("Status",), ("Created",)),
    reshape=flatten,
    mappings=(
        Mapping(
            "issue",
            {
                "issue_id": _ISSUE,
                "source": constant(SOURCE),
                "source_id": identifier("Issue id"),
                "key": text("Issue key"),
                "title": text("Summary"),
                "kind": text("Issue Type"),
                "status": text("Status"),
                "status_category": when(equals("Resolution", *DROPPED), constant("dropped"), first_of(_CATEGORY, _BY_STATUS)),
                "resolution": text("Resolution"),
                "priority": text("Priority"),
                "project": text("Project key"),
                "component": text("Components"),
                "labels": text("Labels"),
                "epic": first_of(text("Parent key"), text("Custom field (Epic Link)"), text("Epic Link"), text("Custom field (Epic Name)")),
                "source_product_id": text("Project key"),
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
    export="Filters > View all issues > Export > CSV (all fields)",
)

JIRA: Final = Connector(SOURCE, "Jira", (ISSUES,))
