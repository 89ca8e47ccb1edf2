"""Distinct counts of stocks: the days of each entity merged into stays, of which no two meet, then running sums.

An entity's rows that overlap or meet are one stay, so that it counts once on every day (SEMANTICS, "during"). The work
grows with rows, and not with rows times periods.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from kpi.metrics.operations import DAY, Element, Whole, day_number
from kpi.metrics.stages.events import leaf_names
from kpi.metrics.stages.running import changing, running
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Stage
from kpi.metrics.stages.stocks import stock_rows

#: The end of what is still open: later than every day that is asked for.
_OPEN: Final[Element] = sa.literal_column("DATE '9999-12-31'", DAY)


def stays(scan: Scan, totals: bool) -> Stage:
    """The stage of one distinct count; ``totals``: also over all groups."""
    selected, _ = stock_rows(scan)
    row = selected.subquery(f"{scan.name}_row").c
    rows = sa.select(
        row.starts, sa.func.coalesce(row.ends, _OPEN).label("ends"), *(row[group] for group in scan.groups), row.v0.label("entity")
    ).cte(f"{scan.name}_stood")
    leaf, part = scan.leaves[0], Part(leaf_names(scan, 0)[0], 0)
    over_all: tuple[sa.Select[Any], ...] = ()
    if totals:
        name = f"{scan.name}_all"
        over_all = (running(_changes(rows, [], name, part), scan.probes(starts=False), [], [part], False, name),)
    happened = _changes(rows, scan.groups, scan.name, part)
    return changing(scan, happened, {leaf.name: LeafParts(part, additive=False)}, of_stock=True, totals=over_all)


def _changes(rows: sa.CTE, groups: Sequence[str], name: str, part: Part) -> sa.CTE:
    """By how many the entities of each group change on a day."""
    of = [rows.c.entity, *(rows.c[group] for group in groups)]
    earlier: dict[str, Any] = {"partition_by": of, "order_by": [rows.c.starts, rows.c.ends], "rows": (None, -1)}
    met = sa.select(
        rows.c.entity, rows.c.starts, *(rows.c[group] for group in groups), sa.func.max(rows.c.ends).over(**earlier).label("reached")
    ).cte(f"{name}_met")
    ended = sa.select(*of, sa.func.max(rows.c.ends).label("ends")).group_by(*of).subquery(f"{name}_ended")
    begins = sa.or_(met.c.reached.is_(None), met.c.starts > met.c.reached)
    # A row that begins a stay also says where the stay before it ended; where the last one ends no row says.
    turns = sa.union_all(
        _turns(met, met.c.starts, 1, groups).where(begins),
        _turns(met, met.c.reached, -1, groups).where(met.c.starts > met.c.reached),
        _turns(ended, ended.c.ends, -1, groups).where(ended.c.ends < _OPEN),
    ).subquery(f"{name}_turn")
    keys = [turns.c[group] for group in groups]
    return (
        sa.select(day_number(turns.c.day).label("day"), *keys, sa.cast(sa.func.sum(turns.c.change), Whole()).label(part.name))
        .group_by(turns.c.day, *keys)
        .cte(f"{name}_day")
    )


def _turns(source: Any, day: Element, change: int, groups: Sequence[str]) -> sa.Select[Any]:
    """What a day adds to the count of a group; rows without an entity add nothing, but their group is there."""
    counts = sa.case((source.c.entity.is_not(None), sa.literal_column(str(change))), else_=sa.literal_column("0"))
    return sa.select(day.label("day"), *(source.c[group] for group in groups), counts.label("change"))
