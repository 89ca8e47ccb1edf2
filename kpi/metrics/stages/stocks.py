"""Stocks: rows with from <= day < to on a window's last day, from their beginnings and ends and running sums."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kpi.metrics.model import During
from kpi.metrics.operations import Element, day_number
from kpi.metrics.stages import pieces, rates
from kpi.metrics.stages.events import leaf_names, value_columns
from kpi.metrics.stages.running import changing, running
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Stage, day_literal, row_filters
from kpi.metrics.stages.subscriptions import rows_of_stock


def stocks(scan: Scan) -> Stage:
    """The stage of sums, counts and averages of stocks."""
    selected, scales = stock_rows(scan)
    rows = selected.cte(f"{scan.name}_row")
    keys = [*scan.groups, *(["currency"] if scan.foreign else [])]
    parts: dict[str, LeafParts] = {}
    values: list[tuple[Part, Element]] = []
    for place, (leaf, scale) in enumerate(zip(scan.leaves, scales, strict=True)):
        names = leaf_names(scan, place)
        value = rows.c[f"v{place}"]
        if leaf.aggregate == "count":
            part = Part(names[0], 0)
            values.append((part, sa.func.count(value)))
            parts[leaf.name] = LeafParts(part)
        else:
            part = Part(names[0], scale)
            values.append((part, sa.func.coalesce(sa.func.sum(value), 0)))
            count = Part(names[1], 0) if leaf.aggregate == "average" else None
            if count is not None:
                values.append((count, sa.func.count(value)))
            parts[leaf.name] = LeafParts(part, count)
    groups = [rows.c[key] for key in keys]
    begun = sa.select(day_number(rows.c.starts).label("day"), *groups, *(element.label(part.name) for part, element in values)).group_by(
        rows.c.starts, *groups
    )
    ended = (
        sa.select(day_number(rows.c.ends).label("day"), *groups, *((-element).label(part.name) for part, element in values))
        .where(rows.c.ends.is_not(None))
        .group_by(rows.c.ends, *groups)
    )
    happened = sa.union_all(begun, ended).cte(f"{scan.name}_day")
    if scan.foreign:
        columns = [part for part, _ in values]
        return _converted(scan, running(happened, scan.probes(starts=False), keys, columns, False, scan.name), parts)
    return changing(scan, happened, parts, of_stock=True)


def stock_rows(scan: Scan) -> tuple[sa.Select[Any], list[int]]:
    """Rows of starts, ends (empty: open), the groups and each leaf's value; of foreign ones also currency."""
    time = scan.leaves[0].time
    assert isinstance(time, During)  # noqa: S101 - the plan sorts scans by time
    rows = rows_of_stock(scan)
    start, end = rows.day(time.start), rows.day(time.end)
    if scan.versions:
        rows.then = pieces.overlapping(start, end)
    wheres, masks = row_filters(scan, rows)
    columns: list[Any] = [rows.text(node).label(group) for node, group in zip(scan.by, scan.groups, strict=True)]
    values, scales = value_columns(scan, rows, masks, dated=False)
    columns += values
    first, after = pieces.cut(rows, start, end)
    first, after, of_sources = pieces.source_cut(scan, rows, first, after)
    wheres += [start.is_not(None), *of_sources]  # a version or a source that counts from a day would begin what has no beginning
    # Only what stands on the last day of some window, so that no other groups appear.
    wheres += [first < day_literal(scan.after), sa.or_(after.is_(None), sa.and_(after > first, after >= day_literal(scan.first_end)))]
    return sa.select(first.label("starts"), after.label("ends"), *columns).select_from(rows.source).where(*wheres), scales


def _converted(scan: Scan, select: sa.Select[Any], parts: dict[str, LeafParts]) -> Stage:
    """Each window's stock by currency, at the rate of the window's last day."""
    leaf = scan.leaves[0]
    found = parts[leaf.name]
    inner = select.subquery(f"{scan.name}_value")
    rate = scan.rate
    assert rate is not None  # noqa: S101 - asked for by the caller
    amount = inner.c[found.value.name]
    missing = Part(leaf_names(scan, 0)[2], 0)
    value = Part(found.value.name, rates.CONVERTED_SCALE)
    columns = [
        sa.func.coalesce(rates.converted(amount, found.value.scale or 0, inner.c.currency, scan.currency, rate), 0).label(value.name),
        *([inner.c[found.count.name]] if found.count else []),
        rates.unconverted(amount, inner.c.currency, scan.currency, rate).label(missing.name),
    ]
    converted = sa.select(inner.c.slot, inner.c.place, *(inner.c[group] for group in scan.groups), *columns).select_from(
        rates.with_rate(inner, rate, inner.c.currency, inner.c.bound - 1)
    )
    return Stage((converted,), {leaf.name: LeafParts(value, found.count, missing)})
