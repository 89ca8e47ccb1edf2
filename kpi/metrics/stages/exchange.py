"""Changes of stocks in several currencies: at the rate of the day they happen on, and what the change of a rate makes of a stock.

In whole units of an amount times a rate, nothing is rounded: the stock of a day at its rate is that of the day before at its
own, and the day's changes at the day's rate, and yesterday's stock times the change of the rate (SEMANTICS, rule 6).
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.operations import Element, Whole, decimal
from kpi.metrics.stages.running import running
from kpi.metrics.stages.scan import Part, Scan, day_number

#: Decimal places of a rate.
RATE_SCALE: Final = 12


def changes_in_one_currency(scan: Scan, native: sa.CTE) -> tuple[sa.CTE, Any]:
    """What each account's stock changed by, at the rate of the day, in units of the value's places and a rate's.

    Args:
        native: rows of account, day, the groups, mine, currency and delta in units of the value.

    Returns:
        rows of account, day, the groups, mine and delta, where what has no rate is nothing; and for each account and day its
        net change, what it closes with, how many currencies changed, and in how many of them the rate lacks.
    """
    at = _rates(scan, f"{scan.name}_rate")
    keys = [native.c[group] for group in scan.groups]
    of = [native.c.account, native.c.day, *keys, native.c.mine]
    delta = sa.cast(sa.func.sum(native.c.delta * sa.func.coalesce(_rate(scan, native.c.currency, at), 0)), Whole())
    changes = (
        sa.select(*of, delta.label("delta"))
        .select_from(native.outerjoin(at, sa.and_(at.c.currency == native.c.currency, at.c.day == native.c.day)))
        .group_by(*of)
        .cte(f"{scan.name}_converted")
    )
    own = (
        sa.select(native.c.account, native.c.day, native.c.currency, sa.cast(sa.func.sum(native.c.delta), Whole()).label("delta"))
        .group_by(native.c.account, native.c.day, native.c.currency)
        .cte(f"{scan.name}_own")
    )
    days = sa.select(own.c.account, own.c.day).distinct().subquery(f"{scan.name}_moving")
    held = sa.select(own.c.account, own.c.currency).distinct().subquery(f"{scan.name}_held")
    grid: Any = sa.join(days, held, days.c.account == held.c.account)
    grid = grid.outerjoin(own, sa.and_(own.c.account == days.c.account, own.c.day == days.c.day, own.c.currency == held.c.currency))
    moved = sa.func.coalesce(own.c.delta, 0)
    stands: Any = (
        sa.select(
            days.c.account,
            days.c.day,
            held.c.currency,
            moved.label("delta"),
            sa.cast(sa.func.sum(moved).over(partition_by=[days.c.account, held.c.currency], order_by=days.c.day), Whole()).label("closes"),
        )
        .select_from(grid)
        .subquery(f"{scan.name}_stands")
    )
    at = _rates(scan, f"{scan.name}_rate_of_stock")
    rate = _rate(scan, stands.c.currency, at)
    # Whether there is anything at all can be told without a rate.
    some = sa.func.coalesce(rate, sa.literal_column(str(10**RATE_SCALE)))
    stock = (
        sa.select(
            stands.c.account,
            stands.c.day,
            sa.cast(sa.func.sum(stands.c.delta * some), Whole()).label("net"),
            sa.cast(sa.func.sum(stands.c.closes * some), Whole()).label("closes"),
            sa.func.sum(sa.case((stands.c.delta != 0, 1), else_=0)).label("several"),
            sa.func.sum(sa.case((sa.and_(stands.c.delta != 0, rate.is_(None)), 1), else_=0)).label("lacks"),
        )
        .select_from(stands.outerjoin(at, sa.and_(at.c.currency == stands.c.currency, at.c.day == stands.c.day)))
        .group_by(stands.c.account, stands.c.day)
        .subquery(f"{scan.name}_stock")
    )
    return changes, stock


def revaluation(scan: Scan, native: sa.CTE) -> Any:
    """Rows of day, the groups, amount (units as above) and lacks: yesterday's stock times the change of its rate."""
    name = f"{scan.name}_fx"
    keys = [*scan.groups, "currency"]
    foreign = (
        sa.select(native.c.day, *(native.c[key] for key in keys), sa.func.sum(native.c.delta).label("units"))
        .where(native.c.mine == 1, native.c.currency != sa.literal(scan.currency))
        .group_by(native.c.day, *(native.c[key] for key in keys))
        .cte(f"{name}_foreign")
    )
    days = list(range(day_number(scan.first), day_number(scan.after)))
    bounds = operations.rows_of(f"{name}_day", slot=[0] * len(days), place=days, bound=days, sign=[1] * len(days))
    before = running(foreign, bounds, keys, [Part("units", 0)], False, name).subquery(f"{name}_before")
    now, then = _rates(scan, f"{name}_now"), _rates(scan, f"{name}_then")
    source: Any = before.outerjoin(now, sa.and_(now.c.currency == before.c.currency, now.c.day == before.c.place))
    source = source.outerjoin(then, sa.and_(then.c.currency == before.c.currency, then.c.day == before.c.place - 1))
    change = _rate(scan, before.c.currency, now) - _rate(scan, before.c.currency, then)
    groups = [before.c[group] for group in scan.groups]
    return (
        sa.select(
            before.c.place.label("day"),
            *groups,
            sa.cast(sa.func.sum(before.c.units * sa.func.coalesce(change, 0)), Whole()).label("amount"),
            sa.func.sum(sa.case((change.is_(None), 1), else_=0)).label("lacks"),
        )
        .select_from(source)
        .where(before.c.units != 0, change.is_distinct_from(0))
        .group_by(before.c.place, *groups)
        .subquery(f"{name}_revalued")
    )


def _rates(scan: Scan, name: str) -> Any:
    rate = scan.rate
    assert rate is not None  # noqa: S101 - asked for by the caller
    return rate.alias(name)


def _rate(scan: Scan, currency: Element, rate: Any) -> Element:
    """The rate in whole units; missing where there is none."""
    one: Element = sa.literal_column(str(10**RATE_SCALE))
    return sa.case((currency == sa.literal(scan.currency), one), else_=sa.cast(decimal(rate.c.rate, RATE_SCALE) * one, Whole()))
