"""Retention of a stock: what the accounts of an earlier close have now, against what they had then.

An account counts where it had a stock then. By a dimension of the account, and under a filter of one, it is where it was
then; a dimension of the row (product, plan) is what each row has, then and now, so that a product's retention is what
its customers of then still have of it. Amounts are converted at the rates of the earlier close, both sides.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from kpi.metrics.model import During, Leaf
from kpi.metrics.operations import Element, day_number, decimal
from kpi.metrics.rows import Rows
from kpi.metrics.stages import pieces, rates
from kpi.metrics.stages.customers import customer
from kpi.metrics.stages.events import exact, leaf_names
from kpi.metrics.stages.lanes import Lane, lanes
from kpi.metrics.stages.running import running
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Stage, day_literal, foreign_value, leaf_value, split_conditions
from kpi.metrics.stages.subscriptions import rows_of_stock


def retentions(scan: Scan, totals: bool) -> Stage:
    """The stage of the retentions of one stock; ``totals``: also over all groups."""
    rows, scale = _terms(scan)
    terms = rows.cte(f"{scan.name}_term")
    scale = rates.CONVERTED_SCALE if scan.foreign else scale
    parts: dict[str, LeafParts] = {}
    for place, leaf in enumerate(scan.leaves):
        names = leaf_names(scan, place)
        missing = Part(names[2], 0) if scan.foreign else None
        parts[leaf.name] = LeafParts(Part(names[0], scale), Part(names[1], scale), missing, additive=False)
    found = [(lane, f"{scan.name}_{number}") for number, lane in enumerate(lanes(scan))]
    selects = tuple(_lane(scan, terms, lane, name, scan.groups, parts) for lane, name in found)
    over_all = [_lane(scan, terms, lane, f"{name}_all", [], parts) for lane, name in found] if totals else []
    return Stage(selects, parts, (sa.select(sa.union_all(*over_all).subquery(f"{scan.name}_over_all")),) if over_all else ())


def _terms(scan: Scan) -> tuple[sa.Select[Any], int]:
    """Rows of key (who is followed), starts and ends (empty: open) as day numbers, the groups and value; their scale.

    With versions of accounts also holds_from and holds_to, from when to when the account was what the groups and filters
    say; of foreign amounts currency.
    """
    leaf = scan.leaves[0]
    time = leaf.time
    assert isinstance(time, During)  # noqa: S101 - a retention is of a stock
    opened = _opened(scan)
    rows = rows_of_stock(scan)
    start, end = rows.day(time.start), rows.day(time.end)
    if scan.versions:
        # As the account was at the earlier close, also for what it has now.
        rows.then = lambda version: sa.and_(
            version.c.valid_from < day_literal(opened[-1]),
            sa.or_(version.c.valid_to.is_(None), version.c.valid_to >= day_literal(opened[0])),
        )
    shared, _ = split_conditions(scan.leaves)
    wheres = [rows.element(node) for node in (*shared, *scan.filters)]
    groups = [rows.text(node).label(group) for node, group in zip(scan.by, scan.groups, strict=True)]
    columns: list[Any] = []
    key: Element
    value: Element
    if leaf.aggregate == "count_distinct":
        assert leaf.value is not None  # noqa: S101 - what is counted
        key, value, scale = rows.text(leaf.value), sa.literal_column("1"), 0
        wheres.append(key.is_not(None))
    elif leaf.aggregate == "count":
        key, scale = customer(rows, scan.table), 0
        value = sa.literal_column("1") if leaf.value is None else sa.case((rows.element(leaf.value).is_not(None), 1), else_=0)
    else:
        key = customer(rows, scan.table)
        typed = leaf_value(leaf, rows, None)
        if scan.foreign:
            given, currency = foreign_value(scan, leaf, rows, twins=False)
            typed = leaf_value(leaf, rows, None, given)
            columns.append(currency.label("currency"))
        value, scale = exact(typed.element, typed.scale)
        value = sa.func.coalesce(decimal(value, scale), 0)
    first, after, of_sources = pieces.source_cut(scan, rows, start, end)
    wheres += [
        start.is_not(None),
        *of_sources,
        first < day_literal(scan.after),
        sa.or_(after.is_(None), sa.and_(after > first, after >= day_literal(opened[0]))),
    ]
    if rows.versions:
        holds = pieces.cut(rows, sa.cast(sa.null(), sa.Date()), sa.cast(sa.null(), sa.Date()))
        columns += [day_number(day).label(name) for day, name in zip(holds, ("holds_from", "holds_to"), strict=True)]
    selected = sa.select(
        key.label("key"),
        day_number(first).label("starts"),
        day_number(after).label("ends"),
        *groups,
        *columns,
        value.label("value"),
    )
    return selected.select_from(rows.source).where(*wheres), scale


def _opened(scan: Scan) -> list[dt.date]:
    """First days after the earlier closes, in order."""
    return sorted({window.opened for windows in scan.slots.values() for window in windows if window and window.opened})


def _lane(scan: Scan, terms: sa.CTE, lane: Lane, name: str, groups: list[str], parts: dict[str, LeafParts]) -> sa.Select[Any]:
    """Rows of slot, place, the groups and the columns of ``parts``."""
    standing = _standing(scan, terms, lane, name, groups)
    columns = Stage((), parts).columns()
    if scan.foreign:
        return _converted(scan, standing, lane, name, groups, parts)
    before = (standing.c.now - standing.c.more_now, standing.c.then - standing.c.more_then)
    changes: list[Any] = []
    for leaf in scan.leaves:
        found, earlier = _counted(leaf, standing.c.now, standing.c.then), _counted(leaf, *before)
        value, count = parts[leaf.name].value, parts[leaf.name].count
        assert count is not None  # noqa: S101 - a share has both
        changes += [sa.func.sum(found[0] - earlier[0]).label(value.name), sa.func.sum(found[1] - earlier[1]).label(count.name)]
    keys = [standing.c[group] for group in groups]
    happened = sa.select(standing.c.pair.label("day"), *keys, *changes).group_by(standing.c.pair, *keys).cte(f"{name}_day")
    select = running(happened, lane.bounds(f"{name}_bound"), groups, columns, False, name)
    inner = select.subquery(f"{name}_value")
    return sa.select(inner.c.slot, inner.c.place, *(inner.c[key] for key in (*groups, *(part.name for part in columns))))


def _standing(scan: Scan, terms: sa.CTE, lane: Lane, name: str, groups: list[str]) -> Any:
    """Rows of key, the groups (and the currency), pair, and from that pair on: then and now, with what they grew by there."""
    steps = lane.steps(f"{name}_step")
    starts, ends = steps.alias(f"{name}_starts"), steps.alias(f"{name}_ends")
    source: Any = terms.outerjoin(starts, starts.c.day == _within(terms.c.starts, lane))
    source = source.outerjoin(ends, ends.c.day == _within(sa.func.coalesce(terms.c.ends, sa.literal_column(str(lane.last))), lane))
    bounds: dict[str, Element] = {"now_0": starts.c.later, "now_1": ends.c.later, "then_0": starts.c.earlier, "then_1": ends.c.earlier}
    if "holds_from" in terms.c:
        ends_of = ((terms.c.holds_from, lane.first), (terms.c.holds_to, lane.last))
        holds = [sa.func.coalesce(day, sa.literal_column(str(bound))) for day, bound in ends_of]
        since, until = steps.alias(f"{name}_since"), steps.alias(f"{name}_until")
        source = source.outerjoin(since, since.c.day == _within(holds[0], lane))
        source = source.outerjoin(until, until.c.day == _within(holds[1], lane))
        of_versions = {
            "0": lambda bound: sa.func.greatest(bound, since.c.earlier),
            "1": lambda bound: sa.func.least(bound, until.c.earlier),
        }
        bounds = {key: of_versions[key[-1]](bound) for key, bound in bounds.items()}
    keys = [*groups, *(["currency"] if scan.foreign else [])]
    placed = (
        sa.select(terms.c.key, *(terms.c[key] for key in keys), terms.c.value, *(bound.label(key) for key, bound in bounds.items()))
        .select_from(source)
        .cte(f"{name}_placed")
    )
    row = placed.c
    size: Element = sa.literal_column(str(len(lane)))
    nothing: Element = sa.literal_column("0")
    stands, stood = row.now_0 < row.now_1, row.then_0 < row.then_1
    # Outer joins above and branches here: a planner that knows no sizes would multiply the steps with one another.
    sides = (
        (row.now_0, row.value, nothing, stands),
        (row.now_1, -row.value, nothing, sa.and_(stands, row.now_1 < size)),
        (row.then_0, nothing, row.value, stood),
        (row.then_1, nothing, -row.value, sa.and_(stood, row.then_1 < size)),
    )
    both = sa.union_all(
        *(
            sa.select(row.key, *(row[key] for key in keys), pair.label("pair"), now.label("now"), then.label("then")).where(happens)
            for pair, now, then, happens in sides
        )
    ).subquery(f"{name}_both")
    of = [both.c.key, *(both.c[key] for key in keys)]
    sums = (sa.func.sum(both.c.now), sa.func.sum(both.c.then))
    moved: Any = (
        sa.select(*of, both.c.pair, sums[0].label("more_now"), sums[1].label("more_then"))
        .group_by(*of, both.c.pair)
        .having(sa.or_(sums[0] != 0, sums[1] != 0))
        .subquery(f"{name}_moved")
    )
    of = [moved.c.key, *(moved.c[key] for key in keys)]
    if len(lane) == 1:  # nothing comes before
        return sa.select(*moved.c, moved.c.more_now.label("now"), moved.c.more_then.label("then")).subquery(f"{name}_standing")
    order: dict[str, Any] = {"partition_by": of, "order_by": moved.c.pair}
    until_pair = [sa.func.lead(moved.c.pair, 1, len(lane)).over(**order).label("until")] if scan.foreign else []
    return sa.select(
        *moved.c,
        sa.func.sum(moved.c.more_now).over(**order, rows=(None, 0)).label("now"),
        sa.func.sum(moved.c.more_then).over(**order, rows=(None, 0)).label("then"),
        *until_pair,
    ).subquery(f"{name}_standing")


def _within(day: Element, lane: Lane) -> Element:
    """A day number that the steps of a lane know; what lies before them or after is as their first or last day."""
    return sa.func.least(sa.func.greatest(day, sa.literal_column(str(lane.first))), sa.literal_column(str(lane.last)))


def _counted(leaf: Leaf, now: Element, then: Element) -> tuple[Element, Element]:
    """What an account adds to both sides of the share: nothing where it had nothing then."""
    assert leaf.retained is not None  # noqa: S101 - the plan sorts scans by it
    if leaf.aggregate == "count_distinct":  # it is there or it isn't, by however many rows
        return sa.case((sa.and_(then > 0, now > 0), 1), else_=0), sa.case((then > 0, 1), else_=0)
    left = sa.func.least(now, then) if leaf.retained.capped else now
    return sa.case((then > 0, left), else_=0), sa.case((then > 0, then), else_=0)


def _converted(scan: Scan, standing: Any, lane: Lane, name: str, groups: list[str], parts: dict[str, LeafParts]) -> sa.Select[Any]:
    """As :func:`_lane`; what an account has in several currencies is added up at each pair's rates."""
    leaf, rate = scan.leaves[0], scan.rate
    assert rate is not None  # noqa: S101 - asked for by the caller
    value, count, missing = (
        part for part in (parts[leaf.name].value, parts[leaf.name].count, parts[leaf.name].missing) if part is not None
    )
    pairs = lane.pairs(f"{name}_pair")
    until = standing.c.until if "until" in standing.c else sa.literal_column(str(len(lane)))
    source: Any = sa.join(standing, pairs, sa.and_(pairs.c.pair >= standing.c.pair, pairs.c.pair < until))
    source = rates.with_rate(source, rate, standing.c.currency, pairs.c.rate_day)
    keys = [standing.c.key, *(standing.c[group] for group in groups), pairs.c.pair]
    scale = _scale_of(leaf, scan)
    sides = [
        column
        for side, amount in (("now", standing.c.now), ("then", standing.c.then))
        for column in (
            sa.func.coalesce(sa.func.sum(rates.converted(amount, scale, standing.c.currency, scan.currency, rate)), 0).label(side),
            sa.func.sum(rates.unconverted(amount, standing.c.currency, scan.currency, rate)).label(f"lacks_{side}"),
        )
    ]
    had = sa.select(*keys, *sides).select_from(source).group_by(*keys).subquery(f"{name}_had")
    found = _counted(leaf, had.c.now, had.c.then)
    # What one that had nothing then has now is not asked for, with or without a rate.
    lacks = sa.case((had.c.lacks_then > 0, had.c.lacks_then + had.c.lacks_now), (had.c.then > 0, had.c.lacks_now), else_=0)
    of = [had.c[group] for group in groups]
    summed = (
        sa.select(
            had.c.pair,
            *of,
            sa.func.sum(found[0]).label(value.name),
            sa.func.sum(found[1]).label(count.name),
            sa.func.sum(lacks).label(missing.name),
        )
        .group_by(had.c.pair, *of)
        .subquery(f"{name}_summed")
    )
    bounds = lane.bounds(f"{name}_bound")
    columns = [summed.c[key] for key in (*groups, value.name, count.name, missing.name)]
    return sa.select(bounds.c.slot, bounds.c.place, *columns).select_from(sa.join(bounds, summed, bounds.c.bound == summed.c.pair + 1))


def _scale_of(leaf: Leaf, scan: Scan) -> int:
    assert leaf.value is not None  # noqa: S101 - an amount
    typed = Rows(scan.table, scan.calendar, catalog=scan.catalog).typed(leaf.value)
    return exact(typed.element, typed.scale)[1]
