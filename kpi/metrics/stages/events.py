"""Events: sums and counts of rows by their day, then by window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kpi.metrics.compile import DOUBLE
from kpi.metrics.model import At, Leaf
from kpi.metrics.operations import Element, day_number, decimal
from kpi.metrics.rows import Rows
from kpi.metrics.stages import pieces, rates
from kpi.metrics.stages.running import changing
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Stage, counted, day_literal, foreign_value, leaf_value, row_filters


def events(scan: Scan) -> Stage:
    """The stage of sums, counts and averages of events."""
    selected, typed = event_rows(scan)
    rows = selected.subquery(f"{scan.name}_row")
    groups = [rows.c[group] for group in scan.groups]
    if scan.foreign:
        parts, happened = _converted(scan, rows, groups, typed[0])
    else:
        parts, columns = additive_parts(scan, rows, typed)
        happened = sa.select(day_number(rows.c.day).label("day"), *groups, *columns).group_by(rows.c.day, *groups).cte(f"{scan.name}_day")
    return changing(scan, happened, parts)


def event_rows(scan: Scan) -> tuple[sa.Select[Any], list[int]]:
    """Rows of day, groups, and each leaf's value v0, v1, … with their scales; of foreign ones also currency and rate_day."""
    time = scan.leaves[0].time
    assert isinstance(time, At)  # noqa: S101 - the plan sorts scans by time
    rows = Rows(scan.table, scan.calendar, catalog=scan.catalog, shared=scan.bounds)
    day = rows.day(time.column)
    if scan.versions:
        rows.then = pieces.on_day(day)
    wheres, masks = row_filters(scan, rows)
    raw = rows.element(time.column)
    wheres += [raw >= day_literal(scan.first), raw < day_literal(scan.after)] if time.column.type == "day" else near(scan, raw)
    wheres += counted(scan, rows, day)
    columns: list[Any] = [rows.text(node).label(group) for node, group in zip(scan.by, scan.groups, strict=True)]
    values, scales = value_columns(scan, rows, masks, dated=True)
    columns += values
    return sa.select(day.label("day"), *columns).select_from(rows.source).where(*wheres), scales


def value_columns(scan: Scan, rows: Rows, masks: Sequence[Element | None], dated: bool) -> tuple[list[Any], list[int]]:
    """What each leaf takes of a row, v0, v1, … with their scales; of foreign ones also currency and, where ``dated``, rate_day.

    Args:
        dated: amounts are converted on a day of their own, or by their source; else on the last day of a window.
    """
    columns: list[Any] = []
    scales: list[int] = []
    for place, (leaf, mask) in enumerate(zip(scan.leaves, masks, strict=True)):
        given = None
        if scan.foreign:
            assert leaf.money is not None  # noqa: S101 - only money is converted
            given, currency = foreign_value(scan, leaf, rows, twins=dated)
            columns.append(currency.label("currency"))
            if dated:
                columns.append(day_number(rows.day(leaf.money.document)).label("rate_day"))
        value = leaf_value(leaf, rows, mask, given)
        element, scale = exact(value.element, value.scale)
        columns.append(element.label(f"v{place}"))
        scales.append(scale)
    return columns, scales


def exact(element: Element, scale: int | None) -> tuple[Element, int]:
    """A value to be summed: never a double, whose sum hangs on the order of rows."""
    if scale == DOUBLE:
        return decimal(element, 12), 12
    return element, scale or 0


def near(scan: Scan, raw: Element) -> list[Element]:
    """Instants a day around the windows: zones are at most 14 hours from UTC, and the windows cut exactly."""
    day = dt.timedelta(days=1)
    first = dt.datetime.combine(scan.first - day, dt.time())
    after = dt.datetime.combine(scan.after + day, dt.time())
    return [raw >= sa.literal(first, sa.DateTime()), raw < sa.literal(after, sa.DateTime())]


def additive_parts(scan: Scan, rows: Any, scales: list[int]) -> tuple[dict[str, LeafParts], list[Any]]:
    """For each leaf its columns of the stack, and their aggregates over ``rows``."""
    parts: dict[str, LeafParts] = {}
    columns: list[Any] = []
    for place, (leaf, scale) in enumerate(zip(scan.leaves, scales, strict=True)):
        value = rows.c[f"v{place}"]
        names = leaf_names(scan, place)
        if leaf.aggregate == "count":
            parts[leaf.name] = LeafParts(Part(names[0], 0))
            columns.append(sa.func.count(value).label(names[0]))
        else:
            average = leaf.aggregate == "average"
            parts[leaf.name] = LeafParts(Part(names[0], scale), Part(names[1], 0) if average else None)
            columns.append(sa.func.coalesce(sa.func.sum(value), 0).label(names[0]))
            columns += [sa.func.count(value).label(names[1])] if average else []
    return parts, columns


def leaf_names(scan: Scan, place: int) -> tuple[str, str, str]:
    """Names of a leaf's value, count and missing columns in the stack."""
    stem = f"{scan.name}_{place}"
    return stem, f"{stem}_n", f"{stem}_x"


def _converted(scan: Scan, rows: Any, groups: list[Any], scale: int) -> tuple[dict[str, LeafParts], sa.CTE]:
    """Summed by day, currency and the day of the rate first, then converted."""
    leaf = scan.leaves[0]
    names = leaf_names(scan, 0)
    summed = (
        sa.select(
            rows.c.day,
            rows.c.currency,
            rows.c.rate_day,
            *groups,
            sa.func.sum(rows.c.v0).label("amount"),
            sa.func.count(rows.c.v0).label("n"),
        )
        .group_by(rows.c.day, rows.c.currency, rows.c.rate_day, *groups)
        .subquery(f"{scan.name}_sum")
    )
    rate = scan.rate
    assert rate is not None  # noqa: S101 - asked for by the caller
    source = rates.with_rate(summed, rate, summed.c.currency, summed.c.rate_day)
    amount = rates.converted(summed.c.amount, scale, summed.c.currency, scan.currency, rate)
    missing = rates.unconverted(summed.c.amount, summed.c.currency, scan.currency, rate)
    keys = [summed.c[group] for group in scan.groups]
    columns = [
        sa.func.coalesce(sa.func.sum(amount), 0).label(names[0]),
        *([sa.func.sum(summed.c.n).label(names[1])] if leaf.aggregate == "average" else []),
        sa.func.sum(missing).label(names[2]),
    ]
    happened = (
        sa.select(day_number(summed.c.day).label("day"), *keys, *columns)
        .select_from(source)
        .group_by(summed.c.day, *keys)
        .cte(f"{scan.name}_day")
    )
    count = Part(names[1], 0) if leaf.aggregate == "average" else None
    return {leaf.name: LeafParts(Part(names[0], rates.CONVERTED_SCALE), count, Part(names[2], 0))}, happened


def is_additive(leaf: Leaf) -> bool:
    """Whether a leaf is made of sums and counts."""
    return leaf.aggregate in ("sum", "count", "average")
