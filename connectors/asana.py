"""Asana's CSV export of a project's tasks, also as its sync to Google Sheets writes it.

A task's section is its status. Task IDs have 16 digits, which a spreadsheet turns into 1.21E+15: such a file can't be used. The
sync puts the project's URL and rows of nothing but commas above the header. Days have no time: they are days of the calendar.
A task without a known section is done when it is completed, else it has no category. Confirmed by public files; names of custom
fields may end in a blank.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from connectors.base import CATEGORIES, DROPPED, Connector, Layout, Mapping, Part, Record, Report, Span, Trouble, spelled
from connectors.fields import (
    Value,
    all_of,
    choice,
    constant,
    equals,
    filled,
    first_of,
    id_of,
    identifier,
    instant,
    no,
    number,
    required,
    text,
    when,
)

SOURCE: Final = "asana"


def flatten(report: Report) -> Iterator[Part | Trouble]:
    """One part a record; rows of nothing are none, and a row may lack its last cells where they are empty."""
    names = spelled(report.header)
    width = len(names)
    tasks = next((at for at, name in enumerate(names) if name.casefold() == "task id"), 0)
    shortest = width
    for record, is_last in _with_last(report.records):
        filled_ = [cell for cell in record.cells if cell.strip()]
        if not filled_ or (len(filled_) == 1 and filled_[0].strip().startswith(("http://", "https://"))):
            continue
        values = {name.casefold(): cell for name, cell in zip(names, record.cells, strict=False)}
        if is_last and len(record.cells) < shortest:
            yield Trouble(record.line, "", ",".join(record.cells), "the file ends in the middle of it")
            continue
        shortest = min(shortest, len(record.cells))
        is_wide = any(cell.strip() for cell in record.cells[width:])
        if is_wide or len(record.cells) <= tasks or not values.get("created at", "").strip():
            reason = (
                f"it has {len(record.cells)} cells where the header has {width}" if len(record.cells) != width else "it has no Created At"
            )
            yield Trouble(record.line, "", ",".join(record.cells), reason)
            continue
        report.counted += 1
        for several in ("tags", "projects"):
            values[several] = ", ".join(part.strip() for part in values.get(several, "").split(",") if part.strip())
        yield Part(record.line, "issue", values)


def _with_last(records: Iterable[Record]) -> Iterator[tuple[Record, bool]]:
    """Each record, and whether it is the last."""
    waiting: Record | None = None
    for record in records:
        if waiting is not None:
            yield waiting, False
        waiting = record
    if waiting is not None:
        yield waiting, True


def _at(column: str) -> Value:
    return instant(column, zone="local")


_SECTION: Final = ("Section/Column", "Section", "Status")
_DROPPED_SECTION: Final = equals(text(*_SECTION), *DROPPED)

TASKS: Final = Layout(
    name="tasks csv",
    needs=(("Task ID",), ("Created At",), ("Completed At",), ("Last Modified",), ("Name",)),
    reshape=flatten,
    mappings=(
        Mapping(
            "issue",
            {
                "issue_id": required(id_of(SOURCE, "Task ID")),
                "source": constant(SOURCE),
                "source_id": identifier("Task ID"),
                "key": text("Task ID"),
                "title": text("Name"),
                "kind": text("Task Type", "Type", "Issue Type"),
                "status": text(*_SECTION),
                "status_category": first_of(
                    when(_DROPPED_SECTION, constant("dropped")),
                    when(filled("Completed At"), constant("done")),
                    # a task in a section called Done that nobody has completed is still open
                    when(
                        all_of(no(filled("Completed At")), equals(choice(text(*_SECTION), cases=CATEGORIES, otherwise="none"), "done")),
                        constant("doing"),
                    ),
                    choice(text(*_SECTION), cases=CATEGORIES, otherwise="none"),
                ),
                "priority": text("Priority"),
                "project": text("Projects"),
                "component": text("Component"),
                "labels": text("Tags"),
                "epic": text("Parent task"),
                "source_product_id": first_of(text("Product"), text("Projects")),
                "source_account_id": first_of(text("Customer"), text("Account"), text("Client"), text("Company")),
                "assignee": text("Assignee"),
                "points": number("Story Points", "Points", "Estimate"),
                "created_at": required(_at("Created At")),
                "resolved_at": _at("Completed At"),
                "modified_at": _at("Last Modified"),
            },
            part="issue",
            span=Span((_at("Created At"),), (_at("Created At"), _at("Last Modified"), _at("Completed At"))),
        ),
    ),
    export="a project's menu > Export/Print > CSV; or Sync to Google Sheets, and that sheet as .csv",
)

ASANA: Final = Connector(SOURCE, "Asana", (TASKS,))
