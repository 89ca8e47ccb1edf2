"""Snapshots: of each entity the last (or first) balance that is written down within a window.

What a balance is, the metric's own ``where`` says, and it is picked before anything is asked of it: groups and filters
look at the balances that were picked, so that groups add up to what is there without them. All rows of an entity at its
last moment are its balance.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.model import Snapshot
from kpi.metrics.operations import Element
from kpi.metrics.operations import day_number as number_of_day
from kpi.metrics.rows import Rows
from kpi.metrics.stages import pieces, rates
from kpi.metrics.stages.events import additive_parts, leaf_names, near, value_columns
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Stage, counted, day_literal, day_number, row_filters


def snapshots(scan: Scan) -> Stage:
    """The stage of sums, counts and averages of balances; its leaves have the same balances, and differ in what they take."""
    selected, scales = picked(scan)
    rows = selected.subquery(f"{scan.name}_row")
    keys = [rows.c[name] for name in ("slot", "place", *scan.groups)]
    if scan.foreign:
        return _converted(scan, rows, keys, scales[0])
    parts, columns = additive_parts(scan, rows, scales)
    return Stage((sa.select(*keys, *columns).group_by(*keys),), parts, sparse=True)


def picked(scan: Scan) -> tuple[sa.Select[Any], list[int]]:
    """Rows of slot, place, groups, and each leaf's value v0, v1, … with their scales; of foreign ones also currency and rate_day."""
    moments = _moments(scan)
    rows, moment, day, keys = _balances(scan)
    wheres, masks = row_filters(scan, rows)
    wheres += _in_reach(scan, rows, moment, day)
    columns: list[Any] = [rows.text(node).label(group) for node, group in zip(scan.by, scan.groups, strict=True)]
    values, scales = value_columns(scan, rows, masks, dated=True)
    columns += values
    same = [moments.c.moment == moment, *(moments.c[name] == key for name, key in keys.items())]
    source = sa.join(rows.source, moments, sa.and_(*same))
    return sa.select(moments.c.slot, moments.c.place, *columns).select_from(source).where(*wheres), scales


def _moments(scan: Scan) -> Any:
    """Rows of slot, place, the entity's keys and the moment of its balance in that window."""
    rows, moment, day, keys = _balances(scan)
    condition = scan.leaves[0].condition
    wheres = [rows.element(condition)] if condition is not None else []
    wheres += _in_reach(scan, rows, moment, day)
    days = _days(scan)
    written = sa.select(number_of_day(day).label("day"), moment.label("moment"), *(key.label(name) for name, key in keys.items()))
    known = written.select_from(rows.source).where(*wheres).subquery(f"{scan.name}_balance")
    time = scan.leaves[0].time
    taken = sa.func.min(known.c.moment) if isinstance(time, Snapshot) and time.first else sa.func.max(known.c.moment)
    by = [days.c.slot, days.c.place, *(known.c[name] for name in keys)]
    return (
        sa.select(*by, taken.label("moment"))
        .select_from(sa.join(known, days, days.c.day == known.c.day))
        .group_by(*by)
        .subquery(f"{scan.name}_moment")
    )


def _balances(scan: Scan) -> tuple[Rows, Element, Element, dict[str, Element]]:
    """The rows, their moment and its day, and whose they are by name: what is nobody's is one balance of its own."""
    time = scan.leaves[0].time
    assert isinstance(time, Snapshot)  # noqa: S101 - the plan sorts scans by time
    rows = Rows(scan.table, scan.calendar, catalog=scan.catalog)
    moment, day = rows.element(time.column), rows.day(time.column)
    if scan.versions:
        rows.then = pieces.on_day(day)
    keys: dict[str, Element] = {}
    for place, node in enumerate(time.each):
        text = rows.text(node)
        keys |= {f"k{place}": sa.func.coalesce(text, sa.literal_column("''")), f"none{place}": sa.case((text.is_(None), 1), else_=0)}
    return rows, moment, day, keys


def _in_reach(scan: Scan, rows: Rows, moment: Element, day: Element) -> list[Element]:
    """Only rows of sources that count, on days about the windows."""
    time = scan.leaves[0].time
    assert isinstance(time, Snapshot)  # noqa: S101 - as above
    about = [moment >= day_literal(scan.first), moment < day_literal(scan.after)] if time.column.type == "day" else near(scan, moment)
    return [*about, *counted(scan, rows, day)]


def _days(scan: Scan) -> sa.CTE:
    """Every day of every window, as rows of slot, place and day: balances find their windows by equality."""
    found = [
        (slot, place, day)
        for slot, windows in scan.slots.items()
        for place, window in enumerate(windows)
        if window
        for piece in window.pieces()
        for day in range(day_number(piece.start), day_number(piece.end))
    ]
    slots, places, days = zip(*found, strict=True)
    return operations.rows_of(f"{scan.name}_at", slot=slots, place=places, day=days)


def _converted(scan: Scan, rows: Any, keys: list[Any], scale: int) -> Stage:
    """Summed by currency and the day of the balance first, then converted at that day's rate."""
    leaf = scan.leaves[0]
    names = leaf_names(scan, 0)
    by = [*keys, rows.c.currency, rows.c.rate_day]
    summed = (
        sa.select(*by, sa.func.sum(rows.c.v0).label("amount"), sa.func.count(rows.c.v0).label("n"))
        .group_by(*by)
        .subquery(f"{scan.name}_sum")
    )
    rate = scan.rate
    assert rate is not None  # noqa: S101 - asked for by the caller
    amount = rates.converted(summed.c.amount, scale, summed.c.currency, scan.currency, rate)
    missing = rates.unconverted(summed.c.amount, summed.c.currency, scan.currency, rate)
    columns = [sa.func.coalesce(sa.func.sum(amount), 0).label(names[0])]
    count = Part(names[1], 0) if leaf.aggregate == "average" else None
    if count is not None:
        columns.append(sa.func.sum(summed.c.n).label(names[1]))
    columns.append(sa.func.sum(missing).label(names[2]))
    of = [summed.c[key.name] for key in keys]
    select = sa.select(*of, *columns).select_from(rates.with_rate(summed, rate, summed.c.currency, summed.c.rate_day)).group_by(*of)
    return Stage((select,), {leaf.name: LeafParts(Part(names[0], rates.CONVERTED_SCALE), count, Part(names[2], 0))}, sparse=True)
