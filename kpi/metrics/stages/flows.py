"""Flows: amounts spread evenly over the days from <= day < to, exactly, without any division.

In whole units of 1e-8 an amount over n days is |amount| = q·n + r; its first k days carry sign × (q·k + min(k, r)).
So its slope is q + 1 up to day r, then q, then nothing: three changes of slope a row. Added up by day, running sums
of them give the sum over any days.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kpi.metrics.operations import WHOLE, Element
from kpi.metrics.stages.events import leaf_names
from kpi.metrics.stages.running import running
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Stage
from kpi.metrics.stages.spreading import Spread, spread


def flows(scan: Scan) -> Stage:
    """The stage of sums and counts of flows; its leaves have one value and differ in their conditions."""
    found = spread(scan)
    parts: dict[str, LeafParts] = {}
    for place, leaf in enumerate(scan.leaves):
        names = leaf_names(scan, place)
        parts[leaf.name] = LeafParts(Part(names[0], None), missing=Part(names[2], 0) if scan.foreign else None)
    columns = Stage((), parts).columns()
    happened = changes(scan, found, parts)
    select = running(happened, scan.probes(starts=True), scan.groups, columns, True, scan.name)
    return Stage((select,), parts)


def changes(scan: Scan, found: Spread, parts: dict[str, LeafParts]) -> sa.CTE:
    """Changes of slope by day: where a piece begins, where its slope falls by one unit, where it ends."""
    rows = found.rows.cte(f"{scan.name}_line")
    line = rows.c
    groups = [line[group] for group in scan.groups]
    falls = line.starts_row + line.rest  # the day on which the slope falls from q + 1 to q
    if found.cut:
        begins, ends = sa.case((line.starts < falls, 1), else_=0), sa.case((line.ends <= falls, 1), else_=0)
        inside = sa.and_(line.starts < falls, falls < line.ends)
    else:  # a whole row: r is less than its days
        begins, ends = sa.case((line.rest > 0, 1), else_=0), None
        inside = line.rest > 0

    def owned(place: int, element: Element) -> Element:
        return element * line[f"m{place}"] if found.masked[place] else element

    def slope(place: int, extra: Element | None) -> Element:
        """Sum of sign × (q + 1 or q); coarse and fine quotients are added up apart, so that nothing overflows."""
        total: Any = sa.func.sum(owned(place, line.sign * line.quotient))
        if found.fine > 1:
            total = sa.cast(total, WHOLE) * found.fine + sa.func.sum(owned(place, line.sign * line.finer))
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
