"""Running sums: the value of every window from what happened on days, with work that grows with rows and windows only.

Let F(B) be the sum of all that happened before day B (of flows: of each change of slope times the days since). A
window from S to before E holds F(E) − F(S). Bounds are mixed into the days, one ordered pass sums up, and the
bounds are what is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.stages.scan import Changes, LeafParts, Part, Scan, Stage


def changing(
    scan: Scan,
    happened: sa.CTE,
    parts: Mapping[str, LeafParts],
    of_stock: bool = False,
    of_slopes: bool = False,
    totals: tuple[sa.Select[Any], ...] = (),
) -> Stage:
    """The stage of what happened on days; see :class:`kpi.metrics.stages.scan.Changes`."""
    columns = Stage((), parts).columns()

    def alone() -> sa.Select[Any]:
        return running(happened, scan.probes(starts=not of_stock), scan.groups, columns, of_slopes, scan.name)

    return Stage((), parts, totals, changes=Changes(happened, alone, of_stock, of_slopes))


def running(happened: sa.CTE, bounds: sa.CTE, groups: Sequence[str], parts: Sequence[Part], flows: bool, name: str) -> sa.Select[Any]:
    """Rows of slot, place, bound, the groups, and each part's F(bound) with the bound's sign.

    Args:
        happened: columns day (a day number), the groups, and each part's change on that day.
        flows: changes are of slopes, in a unit a day.
    """
    names = [part.name for part in parts]
    on_days = sa.select(
        happened.c.day.label("day"),
        sa.literal_column("1").label("after"),
        *(sa.cast(sa.null(), operations.BIG).label(column) for column in ("slot", "place", "sign")),
        *(happened.c[group] for group in groups),
        *(sa.cast(happened.c[column], part.type).label(column) for column, part in zip(names, parts, strict=True)),
    )
    known: Any = bounds
    if groups:
        distinct = sa.select(*(happened.c[group] for group in groups)).distinct().subquery(f"{name}_group")
        known = sa.join(bounds, distinct, sa.true())
    else:
        distinct = None
    at_bounds = sa.select(
        bounds.c.bound,
        sa.literal_column("0"),
        bounds.c.slot,
        bounds.c.place,
        bounds.c.sign,
        *(distinct.c[group] for group in groups if distinct is not None),
        *(sa.cast(sa.literal_column("0"), part.type) for part in parts),
    ).select_from(known)
    mixed = sa.union_all(on_days, at_bounds).subquery(f"{name}_mixed")
    order: dict[str, Any] = {
        "order_by": [mixed.c.day, mixed.c.after],
        "partition_by": [mixed.c[group] for group in groups] or None,
        "rows": (None, 0),
    }
    sums = []
    for column, part in zip(names, parts, strict=True):
        total: Any = sa.func.sum(mixed.c[column]).over(**order)
        if flows:
            moment = sa.func.sum(mixed.c[column] * mixed.c.day).over(**order)
            total = sa.cast(total, operations.WHOLE) * mixed.c.day - moment
        sums.append(sa.cast(total, part.type).label(column))
    summed = sa.select(mixed.c.slot, mixed.c.place, mixed.c.day, mixed.c.sign, *(mixed.c[group] for group in groups), *sums).subquery(
        f"{name}_running"
    )
    return sa.select(
        summed.c.slot,
        summed.c.place,
        summed.c.day.label("bound"),
        *(summed.c[group] for group in groups),
        *((summed.c[column] * summed.c.sign).label(column) for column in names),
    ).where(summed.c.slot.is_not(None))
