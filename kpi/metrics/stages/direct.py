"""What doesn't add up: distinct counts, smallest, largest, medians and percentiles, of events, stocks and balances.

Rows meet the windows themselves, and the total over all groups is taken from the rows again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from kpi.errors import QueryError
from kpi.metrics.model import At, During, Leaf, Snapshot
from kpi.metrics.operations import Element, day_number, decimal
from kpi.metrics.stages import rates
from kpi.metrics.stages.events import event_rows, leaf_names
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Stage
from kpi.metrics.stages.snapshots import picked
from kpi.metrics.stages.stocks import stock_rows


def direct(scan: Scan, totals: bool) -> Stage:
    """The stage of one leaf; ``totals``: also over all groups.

    Raises:
        QueryError: a flow, which only adds up.
    """
    leaf = scan.leaves[0]
    met, scale = _met(scan, leaf)
    names = leaf_names(scan, 0)
    result = _scale(leaf, scale)
    parts = LeafParts(Part(names[0], result), missing=Part(names[2], 0) if scan.foreign else None, additive=False)
    selects = [_aggregate(met, leaf, groups, names, result, scan, scale) for groups in ([scan.groups, []] if totals else [scan.groups])]
    return Stage((selects[0],), {leaf.name: parts}, tuple(selects[1:]))


def _met(scan: Scan, leaf: Leaf) -> tuple[Any, int]:
    """Rows of slot, place, the groups, v0 (in the currency asked for) and whether its rate is missing."""
    source: Any
    windows: Any
    if isinstance(leaf.time, Snapshot):
        selected, scales = picked(scan)
        rows: Any = selected.subquery(f"{scan.name}_row")
        windows = source = rows
        rate_day: Element | None = rows.c.rate_day if scan.foreign else None
    elif isinstance(leaf.time, At):
        selected, scales = event_rows(scan)
        rows, windows = selected.subquery(f"{scan.name}_row"), scan.spans()
        day = day_number(rows.c.day)
        source = sa.join(rows, windows, sa.and_(day >= windows.c.starts, day < windows.c.ends))
        rate_day = rows.c.rate_day if scan.foreign else None
    elif isinstance(leaf.time, During):
        selected, scales = stock_rows(scan)
        rows, windows = selected.subquery(f"{scan.name}_row"), scan.spans()
        stands = sa.or_(rows.c.ends.is_(None), day_number(rows.c.ends) >= windows.c.ends)
        source = sa.join(rows, windows, sa.and_(day_number(rows.c.starts) < windows.c.ends, stands))
        rate_day = windows.c.ends - 1 if scan.foreign else None
    else:
        raise QueryError(f"{leaf.name} is a flow, which adds up: it takes sum or count, not {leaf.aggregate}")
    value: Element = rows.c.v0
    scale = scales[0]
    extra: list[Any] = []
    if scan.rate is not None and rate_day is not None:
        source = rates.with_rate(source, scan.rate, rows.c.currency, rate_day)
        value = rates.converted(value, scale, rows.c.currency, scan.currency, scan.rate)
        extra = [rates.unconverted(rows.c.v0, rows.c.currency, scan.currency, scan.rate).label("missing")]
        scale = rates.CONVERTED_SCALE
    groups = [rows.c[group] for group in scan.groups]
    return sa.select(windows.c.slot, windows.c.place, *groups, value.label("v0"), *extra).select_from(source).subquery(
        f"{scan.name}_met"
    ), scale


def _scale(leaf: Leaf, scale: int) -> int:
    if leaf.aggregate == "count_distinct":
        return 0
    if leaf.aggregate in ("median", "percentile"):
        return min(scale + _places(leaf), 20)
    return scale


def _share(leaf: Leaf) -> Decimal:
    """The percentile as a share from 0 to 1."""
    return Decimal("0.5") if leaf.aggregate == "median" else (leaf.percent or Decimal(0)).scaleb(-2)


def _places(leaf: Leaf) -> int:
    return max(0, -int(_share(leaf).normalize().as_tuple().exponent))


def _aggregate(met: Any, leaf: Leaf, groups: list[str], names: tuple[str, str, str], result: int, scan: Scan, scale: int) -> sa.Select[Any]:
    keys = [met.c[name] for name in ("slot", "place", *groups)]
    missing = [sa.func.sum(met.c.missing).label(names[2])] if scan.foreign else []
    if leaf.aggregate in ("median", "percentile"):
        return _percentile(met, leaf, keys, names, result, bool(missing), scale)
    functions: dict[str, Any] = {
        "count_distinct": lambda value: sa.func.count(sa.distinct(value)),
        "min": sa.func.min,
        "max": sa.func.max,
    }
    return sa.select(*keys, functions[leaf.aggregate](met.c.v0).label(names[0]), *missing).group_by(*keys)


def _percentile(
    met: Any, leaf: Leaf, keys: list[Any], names: tuple[str, str, str], result: int, missing: bool, scale: int
) -> sa.Select[Any]:
    """Between the two values around place (n − 1) × share, in decimals: no engine's own percentile is exact."""
    rank = sa.func.row_number().over(partition_by=keys, order_by=met.c.v0.asc().nulls_last())
    many = sa.func.count(met.c.v0).over(partition_by=keys)
    unknown = [met.c.missing] if missing else []
    ranked = sa.select(*keys, decimal(met.c.v0, scale).label("v0"), rank.label("rank"), many.label("many"), *unknown).subquery(
        f"{names[0]}_ranked"
    )
    places = _places(leaf)
    share = decimal(sa.literal(_share(leaf), sa.Numeric(38, places)), places)
    place = decimal((ranked.c.many - 1) * share, places)
    low = sa.func.floor(place)
    part = decimal(place - low, places)
    weight = sa.case((ranked.c.rank == low + 1, 1 - part), (ranked.c.rank == low + 2, part))
    value = decimal(sa.func.sum(decimal(ranked.c.v0 * weight, result)), result)
    columns = [ranked.c[key.name] for key in keys]
    found = [sa.func.sum(ranked.c.missing).label(names[2])] if missing else []
    return sa.select(*columns, value.label(names[0]), *found).group_by(*columns)
