"""Flows: amounts spread evenly over the days from <= day < to, exactly, without any division.

In whole units of 1e-8 an amount over n days is |amount| = q·n + r; its first k days carry sign × (q·k + min(k, r)).
So its slope is q + 1 up to day r, then q, then nothing: three changes of slope a row. Added up by day, running sums
of them give the sum over any days.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.operations import WHOLE, Element, constant
from kpi.metrics.stages.events import leaf_names
from kpi.metrics.stages.running import changing
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Stage
from kpi.metrics.stages.scan import day_number as number_of
from kpi.metrics.stages.spreading import Spread, spread, within


def flows(scan: Scan) -> Stage:
    """The stage of sums and counts of flows; its leaves have one value and differ in their conditions."""
    found = spread(scan)
    if scan.row_by_row:
        return _row_by_row(scan, found)
    parts: dict[str, LeafParts] = {}
    for place, leaf in enumerate(scan.leaves):
        names = leaf_names(scan, place)
        parts[leaf.name] = LeafParts(Part(names[0], None), missing=Part(names[2], 0) if scan.foreign else None)
    return changing(scan, changes(scan, found, parts), parts, of_slopes=True)


def _row_by_row(scan: Scan, found: Spread) -> Stage:
    """Each row met with the windows that it touches: where groups are as many as customers, running sums of each have
    a row for every day on which anything changes."""
    rows, spans, source, units = _touching(scan, found)
    parts: dict[str, LeafParts] = {}
    columns: list[Any] = []
    for place, leaf in enumerate(scan.leaves):
        names = leaf_names(scan, place)
        part = Part(names[0], None)
        mine = rows.c[f"m{place}"] if found.masked[place] else sa.literal_column("1")
        columns.append(sa.cast(sa.func.sum(units * mine), part.type).label(part.name))
        missing = Part(names[2], 0) if scan.foreign else None
        if missing is not None:
            columns.append(sa.cast(sa.func.sum(rows.c.missing * mine), missing.type).label(missing.name))
        parts[leaf.name] = LeafParts(part, missing=missing)
    keys = [spans.c.slot, spans.c.place, *(rows.c[group] for group in scan.groups)]
    return Stage((sa.select(*keys, *columns).select_from(source).group_by(*keys),), parts, sparse=True)


def _touching(scan: Scan, found: Spread) -> tuple[Any, Any, Any, Element]:
    """The rows, the windows' pieces, what joins each row to those it touches, and its units that fall into each.

    A day knows the first piece that ends after it and the last that begins before, so that pieces are found by equality.
    """
    pieces = [
        (slot, place, piece)
        for slot, windows in scan.slots.items()
        for place, window in enumerate(windows)
        if window
        for piece in window.pieces()
    ]
    starts, ends = [number_of(piece.start) for *_, piece in pieces], [number_of(piece.end) for *_, piece in pieces]
    spans = operations.rows_of(
        f"{scan.name}_piece",
        nth=list(range(len(pieces))),
        slot=[slot for slot, *_ in pieces],
        place=[place for _, place, _ in pieces],
        starts=starts,
        ends=ends,
    )
    numbers = range(starts[0], ends[-1])
    day = operations.rows_of(
        f"{scan.name}_at", day=numbers, first=[bisect_right(ends, n) for n in numbers], last=[bisect_right(starts, n) - 1 for n in numbers]
    )
    low, high = day.alias(f"{scan.name}_low"), day.alias(f"{scan.name}_high")
    line = found.rows.subquery("line")
    begins = sa.func.greatest(line.c.starts, sa.literal_column(str(starts[0])))
    lasts = sa.func.least(line.c.ends, sa.literal_column(str(ends[-1]))) - 1
    rows = (
        sa.select(*line.c, operations.numbers(low.c.first, high.c.last).label("nth"))
        .select_from(line.join(low, low.c.day == begins).join(high, high.c.day == lasts))
        .subquery("line_of_flow")
    )
    return rows, spans, sa.join(rows, spans, rows.c.nth == spans.c.nth), within(found, rows, spans)


def changes(scan: Scan, found: Spread, parts: dict[str, LeafParts]) -> sa.CTE:
    """Changes of slope by day: where a piece begins, where its slope falls by one unit, where it ends."""
    rows = found.rows.cte(f"{scan.name}_line")
    line = rows.c
    groups = [line[group] for group in scan.groups]
    falls = line.starts_row + line.rest  # the day on which the slope falls from q + 1 to q
    if found.cut:
        begins, ends = (
            sa.case((line.starts < falls, constant(1)), else_=constant(0)),
            sa.case((line.ends <= falls, constant(1)), else_=constant(0)),
        )
        inside = sa.and_(line.starts < falls, falls < line.ends)
    else:  # a whole row: r is less than its days
        begins, ends = sa.case((line.rest > constant(0), constant(1)), else_=constant(0)), None
        inside = line.rest > constant(0)

    def owned(place: int, element: Element) -> Element:
        return element * line[f"m{place}"] if found.masked[place] else element

    def slope(place: int, extra: Element | None) -> Element:
        """Sum of sign × (q + 1 or q); coarse and fine quotients are added up apart, so that nothing overflows."""
        total: Any = sa.func.sum(owned(place, line.sign * line.quotient))
        if found.fine > 1:
            total = sa.cast(total, WHOLE) * constant(found.fine) + sa.func.sum(owned(place, line.sign * line.finer))
        if extra is not None:
            total = total + sa.func.sum(owned(place, line.sign * extra))
        return sa.cast(total, WHOLE)

    def row(day: Element, slopes: Any, lacking: Any) -> list[Any]:
        columns = [day.label("day"), *groups]
        for place, leaf in enumerate(scan.leaves):
            own = parts[leaf.name]
            columns.append(slopes(place).label(own.value.name))
            columns += [lacking(place).label(own.missing.name)] if own.missing else []
        return columns

    def missing(place: int) -> Element:
        return sa.func.sum(owned(place, line.missing))

    return sa.union_all(
        sa.select(*row(line.starts, lambda place: slope(place, begins), missing)).group_by(line.starts, *groups),
        sa.select(*row(line.ends, lambda place: -slope(place, ends), lambda place: -missing(place))).group_by(line.ends, *groups),
        sa.select(*row(falls, lambda place: -sa.cast(sa.func.sum(owned(place, line.sign)), WHOLE), lambda _: sa.literal_column("0")))
        .where(inside)
        .group_by(falls, *groups),
    ).cte(f"{scan.name}_change")
