"""Time to an event: the curve of each cohort, and what is read off it.

A cohort is known as of its window's last day: what comes later has
not happened yet, and who hasn't ended by then is followed to that day (censored).

The share that has reached it by a day is the cumulative incidence of Aalen and Johansen (1978): the sum over days t of
S(t−)·r/n, with n at risk, r reaching on t, and S the Kaplan–Meier curve of staying in. Where nobody can be lost it is
1 − S, Kaplan and Meier's own (1958).
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.compile import DOUBLE
from kpi.metrics.model import Leaf
from kpi.metrics.operations import Element, decimal
from kpi.metrics.stages.events import leaf_names
from kpi.metrics.stages.lives import Life, Reaching, life
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Stage, day_number

#: Shares of the curve at which its durations are read.
QUANTILES: Final = {"median": "0.5", "quartile25": "0.25", "quartile75": "0.75"}
#: The 97.5 % point of the normal distribution: bounds are of 95 %.
NORMAL: Final = "1.959963984540054"
#: Places to which a share is compared, for it is a product of many quotients.
_PLACES: Final = 10


def survivals(scan: Scan, begun: sa.CTE, reaching: Reaching | None, totals: bool) -> Stage:
    """The stage of the figures of one cohort's curve; ``totals``: also over all groups.

    Args:
        begun: who started; ``reaching``: on which days they may have reached it, where it isn't an event.
    """
    lived = life(scan, begun, reaching)
    parts = {leaf.name: _parts(scan, place, leaf, lived.unknown) for place, leaf in enumerate(scan.leaves)}
    selects = []
    for groups in [scan.groups, []] if totals else [scan.groups]:
        times = curve(scan, lived, groups)
        keys = [times.c[name] for name in ("slot", "place", *groups)]
        columns: list[Any] = []
        for leaf in scan.leaves:
            found = parts[leaf.name]
            columns.append(_figure(leaf, times).label(found.value.name))
            columns += [element.label(part.name) for part, element in zip(found.beside, (_sum(times.c.n_here), _last(times)), strict=True)]
            columns += [_sum(times.c.lacks).label(found.missing.name)] if found.missing else []
        selects.append(sa.select(*keys, *columns).group_by(*keys))
    return Stage((selects[0],), parts, tuple(selects[1:]))


def _parts(scan: Scan, place: int, leaf: Leaf, unknown: bool) -> LeafParts:
    name, started, missing = leaf_names(scan, place)
    assert leaf.shown is not None  # noqa: S101 - a leaf that is lived shows something
    value = Part(name, DOUBLE if leaf.shown.what == "share" else 0)
    return LeafParts(
        value, missing=Part(missing, 0) if unknown else None, additive=False, beside=(Part(started, 0), Part(f"{name}_f", DOUBLE))
    )


def curve(scan: Scan, lived: Life, groups: list[str]) -> Any:
    """Rows of slot, place, the groups, t (days since the start), n (at risk), n_here (whose time it is), reached, lost, lacks,
    followed (1 where somebody is left after t), share (that has reached it by t), lower and upper (of 95 %)."""
    windows = _windows(scan, f"{scan.name}_window{len(groups)}")
    rows = lived.rows.c
    known = sa.and_(rows.ended.is_not(None), rows.ended < windows.c.ends)
    end = sa.case((known, rows.ended), else_=windows.c.ends - 1)
    inside = sa.and_(rows.start >= windows.c.starts, rows.start < windows.c.ends)
    lacks: Element = sa.literal_column("0")
    if lived.unknown:
        lacks = sa.case((sa.and_(rows.lacks < windows.c.ends, rows.lacks <= end), 1), else_=0)
    seen = (
        sa.select(
            windows.c.slot,
            windows.c.place,
            *(rows[group] for group in groups),
            (end - rows.start).label("t"),
            sa.case((sa.and_(known, rows.reached == 1), 1), else_=0).label("reached"),
            sa.case((sa.and_(known, rows.reached == 0), 1), else_=0).label("lost"),
            lacks.label("lacks"),
        )
        .select_from(sa.join(lived.rows, windows, inside))
        .subquery(f"{scan.name}_seen")
    )
    keys = [seen.c[name] for name in ("slot", "place", *groups)]
    sums = [_sum(seen.c[name]).label(name) for name in ("reached", "lost", "lacks")]
    times = sa.select(*keys, seen.c.t, sa.func.count().label("n_here"), *sums).group_by(*keys, seen.c.t).subquery(f"{scan.name}_t")
    return _estimated(scan, times, groups)


def _estimated(scan: Scan, times: Any, groups: list[str]) -> Any:
    """The curve over its days: one pass for who is at risk, one for who is still in, one for the share, one for its variance."""
    by = [times.c[name] for name in ("slot", "place", *groups)]
    at_risk = sa.func.sum(times.c.n_here).over(partition_by=by, order_by=times.c.t.desc(), rows=(None, 0))
    one: Any = sa.select(*times.c, sa.cast(at_risk, sa.BigInteger()).label("n")).subquery(f"{scan.name}_n{len(groups)}")
    column = one.c
    over: dict[str, Any] = {"partition_by": [column[key.name] for key in by], "order_by": column.t}
    r: Element = sa.cast(column.reached, sa.Double())
    n: Element = sa.cast(column.n, sa.Double())
    d: Element = sa.cast(column.reached + column.lost, sa.Double())
    # Where all who are left end on one day, nobody is left for whom the logarithm of none would count.
    logarithm = sa.case((column.n > column.reached + column.lost, sa.func.ln((n - d) / n)), else_=sa.cast(0, sa.Double()))
    before = sa.func.exp(sa.func.coalesce(sa.func.sum(logarithm).over(**over, rows=(None, -1)), sa.cast(0, sa.Double())))
    two: Any = sa.select(*one.c, before.label("s"), r.label("r"), n.label("k"), d.label("d")).subquery(f"{scan.name}_s{len(groups)}")
    share = sa.func.sum(two.c.s * two.c.r / two.c.k).over(**_as_before(two, by), rows=(None, 0))
    three: Any = sa.select(*two.c, share.label("share")).subquery(f"{scan.name}_f{len(groups)}")
    return _bounded(scan, three, by, groups)


def _bounded(scan: Scan, three: Any, by: list[Any], groups: list[str]) -> Any:
    """With the bounds of 95 %, where they are asked for.

    The variance is that of Marubini and Valsecchi (1995, 10.12), by the delta method, which is Greenwood's where nobody
    is lost: Σ (F−Fj)²·d/(n(n−d)) + Σ S²·r(n−r)/n³ − 2 Σ (F−Fj)·S·r/n², each square multiplied out so that one pass adds up.
    The bounds are those of Kalbfleisch and Prentice (1980) for 1 − F, on the scale of log(−log), and so within 0 and 1.
    """
    row = three.c
    zero: Element = sa.cast(0, sa.Double())
    nothing: Element = sa.cast(sa.null(), sa.Double())
    plain = [row[name] for name in ("slot", "place", *groups, "t", "n", "n_here", "reached", "lost", "lacks", "share")]
    followed = sa.case((row.n > row.reached + row.lost, 1), else_=0).label("followed")
    if not any(leaf.shown is not None and leaf.shown.bound for leaf in scan.leaves):
        return sa.select(*plain, followed, nothing.label("lower"), nothing.label("upper")).subquery(f"{scan.name}_c{len(groups)}")
    spread = sa.case((row.k > row.d, row.d / (row.k * sa.func.nullif(row.k - row.d, 0))), else_=zero)
    chance = row.s * row.r / (row.k * row.k)
    terms = {
        "a": spread,
        "b": row.share * spread,
        "c": row.share * row.share * spread,
        "e": row.s * row.s * row.r * (row.k - row.r) / (row.k * row.k * row.k),
        "g": chance,
        "h": row.share * chance,
    }
    over = _as_before(three, by)
    sums = [sa.func.sum(term).over(**over, rows=(None, 0)).label(name) for name, term in terms.items()]
    four: Any = sa.select(*plain, followed, *sums).subquery(f"{scan.name}_v{len(groups)}")
    v, f = four.c, four.c.share
    variance = sa.func.greatest(f * f * v.a - 2 * f * v.b + v.c + v.e - 2 * f * v.g + 2 * v.h, zero)
    inside = sa.and_(decimal(f, _PLACES) > 0, decimal(f, _PLACES) < 1)
    # Not (ln of what isn't inside): an engine may compute a branch that it doesn't take.
    stays = sa.case((inside, 1 - f), else_=sa.cast("0.5", sa.Double()))
    theta = sa.cast(NORMAL, sa.Double()) * sa.func.sqrt(variance) / (stays * sa.func.abs(sa.func.ln(stays)))

    def bound(sign: int) -> Element:
        power = sa.func.exp(sa.func.least(theta, sa.cast(50, sa.Double())) * sign)
        # 1 − F to a power: a higher one leaves fewer, so that more have reached it.
        stay = sa.func.exp(sa.func.greatest(power * sa.func.ln(stays), sa.cast(-700, sa.Double())))
        return sa.case((inside, 1 - stay), else_=nothing)

    return sa.select(*(v[column.name] for column in plain), v.followed, bound(-1).label("lower"), bound(1).label("upper")).subquery(
        f"{scan.name}_c{len(groups)}"
    )


def _as_before(rows: Any, by: list[Any]) -> dict[str, Any]:
    return {"partition_by": [rows.c[key.name] for key in by], "order_by": rows.c.t}


def _figure(leaf: Leaf, times: Any) -> Element:
    """What a leaf shows of its curve."""
    shown = leaf.shown
    assert shown is not None  # noqa: S101 - a leaf that is lived shows something
    row = times.c
    if shown.what in QUANTILES:
        # Of the days on which a bound holds the half: the upper bound of the share holds it first (Brookmeyer and Crowley 1982).
        share = {None: row.share, "lower": row.upper, "upper": row.lower}[shown.bound]
        half: Element = sa.literal_column(QUANTILES[shown.what])
        return sa.func.min(sa.case((decimal(share, _PLACES) >= half, row.t)))
    if shown.what == "started":
        return _sum(row.n_here)
    if shown.what in ("reached", "lost"):
        return _sum(row[shown.what])
    if shown.what == "waiting":
        return _sum(row.n_here - row.reached - row.lost)
    day: Element = sa.literal_column(str(int(shown.day or 0)))
    if shown.what == "at_risk":
        return _sum(sa.case((row.t >= day, row.n_here), else_=0))
    share = row[shown.bound] if shown.bound else row.share
    # Beyond the last day on which anybody is followed nobody knows, unless nobody is left to wait for.
    known = sa.or_(sa.func.max(row.t) >= day, sa.func.min(row.followed) == 0)
    least: Element = sa.cast(sa.null() if shown.bound else 0, sa.Double())
    return sa.case((known, sa.func.coalesce(sa.func.max(sa.case((row.t <= day, share))), least)))


def _last(times: Any) -> Element:
    return sa.func.max(times.c.share)


def _sum(element: Element) -> Element:
    return sa.cast(sa.func.sum(element), sa.BigInteger())


def _windows(scan: Scan, name: str) -> sa.CTE:
    """The cohorts: of days with a gap in between those after it, for nobody knows what happened to the others."""
    found = [
        (slot, place, day_number(last.start), day_number(last.end))
        for slot, windows in scan.slots.items()
        for place, window in enumerate(windows)
        if window
        for last in window.pieces()[-1:]
    ]
    slots, places, starts, ends = zip(*found, strict=True)
    return operations.rows_of(name, slot=slots, place=places, starts=starts, ends=ends)
