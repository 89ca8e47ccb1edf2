"""Conversions: later events, each counted once, on the day of the latest event before it of the same entity.

Both kinds of events stand in one order of each entity, and one pass numbers the events to begin with: a later event
belongs to the number it meets. So work grows with rows, and neither table is joined with the other day by day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from kpi.metrics.model import At, Followed, Leaf, Type
from kpi.metrics.operations import Element, Whole, day_number
from kpi.metrics.rows import Rows
from kpi.metrics.stages import pieces
from kpi.metrics.stages.events import leaf_names
from kpi.metrics.stages.running import changing
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Stage, counted, day_literal
from kpi.periods import Period


@dataclass(frozen=True)
class _Seen:
    """Events of a table on the days that its data cover, and its rows to read them from."""

    rows: Rows
    day: Element
    moment: Element
    moment_type: Type
    wheres: list[Element]


def conversions(scan: Scan) -> Stage:
    """The stage of one conversion's later events."""
    (leaf,) = scan.leaves
    followed = leaf.followed
    assert followed is not None  # noqa: S101 - the plan sorts scans by it
    ordered = _ordered(scan, leaf, followed)
    line = ordered.c
    taken = (
        sa.select(line.entity, line.nth, sa.func.count().label("n"))
        .where(line.begins == 0, line.nth > 0, line.day - line.base_day <= sa.literal_column(str(int(followed.within_days))))
        .group_by(line.entity, line.nth)
        .subquery(f"{scan.name}_taken")
    )
    part = Part(leaf_names(scan, 0)[0], 0)
    groups = [line[group] for group in scan.groups]
    happened = (
        sa.select(line.day, *groups, sa.cast(sa.func.sum(taken.c.n), Whole()).label(part.name))
        .select_from(sa.join(ordered, taken, sa.and_(line.entity == taken.c.entity, line.nth == taken.c.nth)))
        .where(line.begins == 1, line.mine == 1)
        .group_by(line.day, *groups)
        .cte(f"{scan.name}_day")
    )
    return changing(scan, happened, {leaf.name: LeafParts(part)})


def _ordered(scan: Scan, leaf: Leaf, followed: Followed) -> Any:
    """Rows of entity, begins (1: an event to begin with, 0: a later one), day, mine, groups, and of each the latest
    event to begin with up to it: its number within the entity, and its day."""
    after = scan.after + dt.timedelta(days=followed.within_days)
    days = Period(scan.first, after)
    base = _seen(scan, leaf, days)
    rows = base.rows
    if scan.versions:
        rows.then = pieces.on_day(base.day)
    mine = sa.and_(sa.true(), *(rows.element(node) for node in scan.filters))
    groups = [rows.text(node).label(group) for node, group in zip(scan.by, scan.groups, strict=True)]
    owner = rows.element(followed.entity)
    # Events of one moment are taken in the order of their keys, so that their groups never change.
    key = sa.func.concat(*(sa.cast(rows.table.c[column.name], sa.String()) for column in scan.catalog.tables[scan.table].primary_key))
    later = _seen(replace(scan, table=followed.to.table, reach=scan.reaches[followed.to.table]), followed.to, days)
    later_owner = later.rows.element(followed.to_entity)
    alike = base.moment_type == later.moment_type
    moment, later_moment = (base.moment, later.moment) if alike else (base.day, later.day)  # a day has no moment to compare
    begins = sa.select(
        owner.label("entity"),
        sa.literal_column("1").label("begins"),
        day_number(base.day).label("day"),
        moment.label("moment"),
        key.label("key"),
        sa.case((mine, 1), else_=0).label("mine"),
        *groups,
    )
    ends: Any = sa.select(
        later_owner,
        sa.literal_column("0"),
        day_number(later.day),
        later_moment,
        sa.literal_column("''"),
        sa.literal_column("0"),
        *(sa.cast(sa.null(), sa.String()) for _ in groups),
    )
    both = sa.union_all(
        begins.select_from(rows.source).where(*base.wheres, owner.is_not(None)),
        ends.select_from(later.rows.source).where(*later.wheres, later_owner.is_not(None)),
    ).subquery(f"{scan.name}_both")
    # What follows at the very moment comes after it; of the same moments of one table, before it: nothing follows itself.
    turn = both.c.begins if followed.strictly else -both.c.begins
    over: dict[str, Any] = {"partition_by": both.c.entity, "order_by": [both.c.moment, turn, both.c.key], "rows": (None, 0)}
    return sa.select(
        *(both.c[name] for name in ("entity", "begins", "day", "mine", *scan.groups)),
        sa.func.sum(both.c.begins).over(**over).label("nth"),
        sa.func.max(sa.case((both.c.begins == 1, both.c.day))).over(**over).label("base_day"),
    ).cte(f"{scan.name}_order")


def _seen(scan: Scan, leaf: Leaf, days: Period) -> _Seen:
    assert isinstance(leaf.time, At)  # noqa: S101 - conversions are of events
    rows = Rows(leaf.table, scan.calendar, catalog=scan.catalog)
    day = rows.day(leaf.time.column)
    wheres = [] if leaf.condition is None else [rows.element(leaf.condition)]
    wheres += [_within([span.cut(days.start, days.end) for span in scan.reach.spans], day), *counted(scan, rows, day)]
    return _Seen(rows, day, rows.element(leaf.time.column), leaf.time.column.type, wheres)


def _within(spans: Sequence[Period], day: Element) -> Element:
    """Whether a day is covered."""
    return sa.or_(sa.false(), *(sa.and_(day >= day_literal(span.start), day < day_literal(span.end)) for span in spans if span.days))
