"""Where a metric's rows come from, and in words what of them is missing."""

from __future__ import annotations

import datetime as dt
from typing import Final

from kpi.metrics.model import Definitions
from kpi.metrics.query import facts_of
from kpi.metrics.result import Span
from kpi.metrics.uses import leaves_of
from kpi.periods import MONTHS, Calendar
from kpi.warehouse.engines import CoverageRow, Reader

#: Systems whose names are not written as their id is.
NAMES: Final = {"hubspot": "HubSpot", "quickbooks": "QuickBooks"}

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_DAY: Final = dt.timedelta(days=1)


def system(source: str) -> str:
    """A system's name as its maker writes it."""
    return source if "." in source else NAMES.get(source, source.capitalize())  # a table of others stands in a schema


def day(date: dt.date) -> str:
    """``Sun 15 Nov 2026``."""
    return f"{WEEKDAYS[date.weekday()]} {date.day} {MONTHS[date.month - 1]} {date.year}"


def rows_of(table: str) -> str:
    """A table's rows in words: ``invoice lines``."""
    words = table.replace("_", " ")
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}es" if words.endswith("s") else f"{words}s"


def tables(name: str, definitions: Definitions) -> tuple[str, ...]:
    """The tables that a metric counts, its parts' included, each once."""
    return tuple(dict.fromkeys(table for leaf in leaves_of(name, definitions.metrics) for table in leaf.tables))


def coverage(name: str, definitions: Definitions, reader: Reader) -> tuple[CoverageRow, ...]:
    """How far each source reaches in the tables that a metric counts."""
    counted = tables(name, definitions)
    return tuple(row for row in facts_of(reader, definitions).coverage if row.table_name in counted)


def missing(name: str, span: Span | None, week: dt.date, definitions: Definitions, reader: Reader) -> str | None:
    """What a metric lacks to know the whole week, naming the export to get; None where it lacks nothing."""
    calendar: Calendar = definitions.calendar
    words = calendar.short_label(calendar.week(week), "week").lower()
    reach = coverage(name, definitions, reader)
    empty = [table for table in tables(name, definitions) if not any(row.table_name == table for row in reach)]
    if empty:
        return f"Not known: no {' and no '.join(rows_of(table) for table in empty)} were imported yet."
    if span is None or not reach:
        return None
    end = calendar.week(week).end
    if span.end < end:
        last = min(reach, key=lambda row: row.covers_to)
        state = f"{words} is partial" if span.end > week else f"{words} is not known"
        return f"The {rows_of(last.table_name)} of {system(last.source)} end on {day(span.end - _DAY)}: {state}."
    if span.start > week:
        first = max(reach, key=lambda row: row.covers_from)
        state = f"{words} is partial" if span.start < end else f"{words} is not known"
        return f"The {rows_of(first.table_name)} of {system(first.source)} begin on {day(span.start)}: {state}."
    return None
