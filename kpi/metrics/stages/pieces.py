"""Rows that last: the days they last, cut at the versions of the accounts they belong to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kpi.metrics.operations import Element
from kpi.metrics.rows import Rows
from kpi.metrics.stages.scan import Scan


def overlapping(start: Element, end: Element | None) -> Any:
    """Which versions hold on any day from ``start`` to before ``end`` (None: for ever)."""

    def then(version: Any) -> Element:
        later = sa.or_(version.c.valid_to.is_(None), version.c.valid_to > start)
        return later if end is None else sa.and_(later, sa.or_(end.is_(None), version.c.valid_from < end))

    return then


def on_day(day: Element) -> Any:
    """Which version holds on a day."""
    return lambda version: sa.and_(version.c.valid_from <= day, sa.or_(version.c.valid_to.is_(None), day < version.c.valid_to))


def cut(rows: Rows, start: Element, end: Element) -> tuple[Element, Element]:
    """The days of a row on which every version it is joined to holds; an empty end is open.

    ``least`` and ``greatest`` pass over what is missing, so rows without a version stay whole.
    """
    first, after = start, end
    for version in rows.versions:
        first = sa.func.greatest(first, version.c.valid_from)
        after = sa.func.least(after, version.c.valid_to)
    return first, after


def source_cut(scan: Scan, rows: Rows, start: Element, end: Element) -> tuple[Element, Element, list[Element]]:
    """The days of a row on which its source counts, and the condition that it counts at all."""
    spans = scan.reach.counted
    if spans is None:
        return start, end, []
    source = rows.table.c.source
    if len({span.source for span in spans}) < len(spans):  # a source that counts twice: its first and last day bound it
        wheres = [sa.or_(*(source == span.source for span in spans))]
        return start, end, wheres
    firsts = [(source == span.source, sa.literal(span.start, sa.Date())) for span in spans if span.start]
    afters = [(source == span.source, sa.literal(span.end, sa.Date())) for span in spans if span.end]
    first = sa.func.greatest(start, sa.case(*firsts)) if firsts else start
    after = sa.func.least(end, sa.case(*afters)) if afters else end
    return first, after, [sa.or_(*(source == span.source for span in spans))]
