"""Flows: amounts spread evenly over the days from <= day < to, exactly, without any division.

In whole units of 1e-8 an amount over n days is |amount| = q·n + r; its first k days carry sign × (q·k + min(k, r)).
So its slope is q + 1 up to day r, then q, then nothing: three changes of slope a row. Added up by day, running sums
of them give the sum over any days.

Empty or equal bounds: the whole amount on the first date that is known, else on the document's date.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kpi.metrics.model import Over
from kpi.metrics.operations import Element, Whole, day_number, decimal, remainder, whole_quotient
from kpi.metrics.rows import Rows
from kpi.metrics.stages import pieces, rates
from kpi.metrics.stages.events import exact, leaf_names
from kpi.metrics.stages.running import running
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Stage, counted, day_literal, foreign_value, leaf_value, row_filters

#: Places of a unit; what a flow's value has at most.
UNIT_SCALE = 8
#: Places of a plain amount, of which whole units of 1e-4 fit 64 bits.
MONEY_SCALE = 4
#: Amounts up to this, times 1e4, have 18 digits at 4 places.
_SMALL = 9_000_000_000


def flows(scan: Scan) -> Stage:
    """The stage of sums and counts of flows; its leaves have one value and differ in their conditions."""
    spread, coarse = _spread(scan)
    lines = spread.cte(f"{scan.name}_line")
    groups = [lines.c[group] for group in scan.groups]
    parts: dict[str, LeafParts] = {}
    masks: list[tuple[Part, Element]] = []  # a column of the stack, and 1 or 0: whether the row is the leaf's
    for place, leaf in enumerate(scan.leaves):
        names = leaf_names(scan, place)
        value = Part(names[0], None)
        parts[leaf.name] = LeafParts(value, missing=Part(names[2], 0) if scan.foreign else None)
        masks.append((value, lines.c[f"m{place}"]))
    happened = _changes(scan, lines, groups, masks, coarse)
    select = running(happened, scan.probes(starts=True), scan.groups, Stage((), parts).columns(), True, scan.name)
    inner = select.subquery(f"{scan.name}_value")
    columns = [part.name for part in Stage((), parts).columns()]
    return Stage((sa.select(inner.c.slot, inner.c.place, *(inner.c[name] for name in (*scan.groups, *columns))),), parts)


def _changes(scan: Scan, lines: sa.CTE, groups: list[Any], masks: list[tuple[Part, Element]], coarse: int) -> sa.CTE:
    """Changes of slope by day: where a piece begins, where its slope falls by one unit, where it ends."""
    line = lines.c
    falls = line.starts_row + line.rest  # the day on which the slope falls from q + 1 to q

    def slope(mask: Element, extra: Element) -> Element:
        """Sum of sign × (q + 1 or q); a quotient of coarse units is taken apart, so that nothing overflows."""
        sums: Any = sa.func.sum(mask * line.sign * line.quotient)
        if coarse > 1:
            sums = sa.cast(sums, Whole()) * coarse + sa.func.sum(mask * line.sign * line.fine)
        return sa.cast(sums + sa.func.sum(mask * line.sign * extra), Whole())

    begins = sa.case((line.starts < falls, 1), else_=0)
    at_end = sa.case((line.ends <= falls, 1), else_=0)
    inside = sa.and_(line.starts < falls, falls < line.ends)
    missing = [] if not scan.foreign else [(sa.func.sum(mask * line.missing), part) for part, mask in masks]
    selects = [
        sa.select(
            line.starts.label("day"),
            *groups,
            *(column.label(part.name) for part, mask in masks for column in (slope(mask, begins),)),
            *(element.label(f"{part.name}_x") for element, part in missing),
        ).group_by(line.starts, *groups),
        sa.select(
            line.ends,
            *groups,
            *(-slope(mask, at_end) for _, mask in masks),
            *(-element for element, _ in missing),
        ).group_by(line.ends, *groups),
        sa.select(
            falls,
            *groups,
            *(-sa.cast(sa.func.sum(mask * line.sign), Whole()) for _, mask in masks),
            *(sa.literal_column("0") for _ in missing),
        )
        .where(inside)
        .group_by(falls, *groups),
    ]
    return sa.union_all(*selects).cte(f"{scan.name}_change")


def _spread(scan: Scan) -> tuple[sa.Select[Any], int]:
    """A row for each amount (and version): starts, ends, sign, q, r and whose it is; days are day numbers.

    Second: how many units of 1e-8 the coarse quotient counts.
    """
    ways = _ways(scan)
    scale = ways[0][1]
    rows = (sa.union_all(*(way for way, _ in ways)) if len(ways) > 1 else ways[0][0]).subquery(f"{scan.name}_row")
    amount: Element = rows.c.v0
    source: Any = rows
    if scan.rate is not None:
        source = rates.with_rate(rows, scan.rate, rows.c.currency, day_number(rows.c.document))
        amount = rates.converted(amount, scale, rows.c.currency, scan.currency, scan.rate, UNIT_SCALE)
        missing = rates.unconverted(rows.c.v0, rows.c.currency, scan.currency, scan.rate).label("missing")
        scale = UNIT_SCALE
    if scale <= MONEY_SCALE:
        fine = 10 ** (UNIT_SCALE - scale)
        # DuckDB multiplies DECIMAL(18, s) within 18 digits, fast; wider ones are told apart, for they would overflow.
        factor: Element = sa.literal_column(str(10**scale))
        small = amount.between(sa.literal_column(f"-{_SMALL}"), sa.literal_column(str(_SMALL)))
        exactly = sa.case(
            (small, sa.cast(amount * factor, sa.BigInteger())), else_=sa.cast(decimal(amount, scale) * factor, sa.BigInteger())
        )
        units: Element = exactly if scale else sa.cast(amount, sa.BigInteger())
    else:
        fine = 1
        units = sa.cast(decimal(amount, UNIT_SCALE) * 10**UNIT_SCALE, Whole())
    units = sa.func.coalesce(units, 0)
    measured = (
        sa.select(
            *(rows.c[group] for group in scan.groups),
            *(rows.c[f"m{place}"] for place in range(len(scan.leaves))),
            day_number(rows.c.starts).label("starts"),
            day_number(rows.c.ends).label("ends"),
            day_number(rows.c.starts_row).label("starts_row"),
            (day_number(rows.c.ends_row) - day_number(rows.c.starts_row)).label("days"),
            sa.case((units < 0, -1), else_=1).label("sign"),
            sa.func.abs(units).label("units"),
            *([missing] if scan.foreign else []),
        )
        .select_from(source)
        .subquery(f"{scan.name}_unit")
    )
    column = measured.c
    left = remainder(column.units, column.days)
    shown: list[Any] = [whole_quotient(column.units, column.days).label("quotient")]
    if fine > 1:
        shown.append(whole_quotient(left * fine, column.days).label("fine"))
        left = remainder(left * fine, column.days)
    shown.append(sa.cast(left, sa.BigInteger()).label("rest"))
    names = [*scan.groups, *(f"m{place}" for place in range(len(scan.leaves))), "starts", "ends", "starts_row", "sign"]
    names += ["missing"] if scan.foreign else []
    return sa.select(*(column[name] for name in names), *shown), fine


def _ways(scan: Scan) -> list[tuple[sa.Select[Any], int]]:
    """The rows of each way in which the bounds are known, so that the dates of each prune what is read."""
    time = scan.leaves[0].time
    assert isinstance(time, Over)  # noqa: S101 - the plan sorts scans by time
    first, after = day_literal(scan.first), day_literal(scan.after)
    ways = [_way(scan, time, lambda start, end, _: (start, end, [start < end, start < after, end > first]))]
    ways.append(
        _way(scan, time, lambda start, end, _: (start, _next(start), [sa.or_(end.is_(None), end <= start), start >= first, start < after]))
    )
    ways.append(_way(scan, time, lambda start, end, _: (end, _next(end), [start.is_(None), end >= first, end < after])))
    if time.document is not None:
        ways.append(
            _way(
                scan,
                time,
                lambda start, end, day: (day, _next(day), [start.is_(None), end.is_(None), day >= first, day < after]),
            )
        )
    return ways


def _way(scan: Scan, time: Over, bounds: Any) -> tuple[sa.Select[Any], int]:
    rows = Rows(scan.table, scan.calendar)
    document = rows.day(time.document) if time.document is not None else None
    start, end, wheres = bounds(rows.day(time.start), rows.day(time.end), document)
    if scan.versions:
        rows.then = pieces.overlapping(start, end)
    conditions, masks = row_filters(scan, rows)
    dated = start if document is None else sa.func.coalesce(document, start)
    wheres = [*wheres, *conditions, *counted(scan, rows, dated)]
    columns: list[Any] = [rows.text(node).label(group) for node, group in zip(scan.by, scan.groups, strict=True)]
    leaf = scan.leaves[0]
    if scan.foreign:
        given, currency = foreign_value(scan, leaf, rows, twins=True)
        value = leaf_value(leaf, rows, None, given)
        columns += [currency.label("currency"), dated.label("document")]
    else:
        value = leaf_value(leaf, rows, None)
    element, scale = exact(value.element, value.scale)
    if leaf.aggregate == "count":
        element, scale = (sa.literal_column("1") if leaf.value is None else sa.case((element.is_not(None), 1), else_=0)), 0
    columns.append(element.label("v0"))
    for place, mask in enumerate(masks):
        columns.append((sa.literal_column("1") if mask is None else sa.case((mask, 1), else_=0)).label(f"m{place}"))
    from_, to = pieces.cut(rows, start, end)
    if rows.versions:
        wheres += [from_ < to, from_ < day_literal(scan.after), to > day_literal(scan.first)]
    days = [from_.label("starts"), to.label("ends"), start.label("starts_row"), end.label("ends_row")]
    return sa.select(*days, *columns).select_from(rows.source).where(*wheres), scale


def _next(day: Element) -> Element:
    return day + sa.literal_column("1", sa.Integer())
