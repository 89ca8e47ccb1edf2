"""Exchange rates by currency and day: the last known of the 7 days before stands in (SEMANTICS, rule 6)."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.operations import Element, day_number, decimal
from kpi.warehouse.schema import fx_rate

#: A rate holds on its day and this many days after, unless another comes.
HOLDS_DAYS: Final = 7
#: Places of a rate.
RATE_SCALE: Final = 12
#: Places of an amount (4) times a rate, so that converted parts add up exactly.
CONVERTED_SCALE: Final = 4 + RATE_SCALE


def rates(currency: str, within: str = "") -> sa.CTE:
    """Columns currency, day (a day number) and rate into ``currency``; at most one row for each currency and day.

    ``within`` begins the names of its parts.
    """
    known = (
        sa.select(
            fx_rate.c.currency,
            day_number(fx_rate.c.day).label("day"),
            fx_rate.c.rate,
            (
                day_number(sa.func.lead(fx_rate.c.day).over(partition_by=fx_rate.c.currency, order_by=fx_rate.c.day))
                - day_number(fx_rate.c.day)
            ).label("gap"),
        )
        .where(fx_rate.c["into"] == sa.literal(currency))
        .subquery("known_rate")
    )
    later = operations.rows_of(f"{within}rate_age", age=list(range(HOLDS_DAYS + 1)))
    return (
        sa.select(known.c.currency, (known.c.day + later.c.age).label("day"), known.c.rate)
        .where(sa.or_(known.c.gap.is_(None), later.c.age < known.c.gap))
        .cte(f"{within}rate")
    )


def with_rate(source: Any, rate: sa.CTE, currency: Element, day: Element) -> Any:
    """``source`` joined to the rate of a currency on a day number."""
    return source.outerjoin(rate, sa.and_(rate.c.currency == currency, rate.c.day == day))


def converted(amount: Element, scale: int, currency: Element, into: str, rate: sa.CTE, result_scale: int = CONVERTED_SCALE) -> Element:
    """The amount in ``into``; missing where there is no rate."""
    product = decimal(decimal(amount, scale) * rate.c.rate, result_scale)
    return sa.case((currency == sa.literal(into), decimal(amount, result_scale)), else_=product)


def unconverted(amount: Element, currency: Element, into: str, rate: sa.CTE) -> Element:
    """1 where an amount has no rate, else 0; nothing of nothing needs none."""
    return sa.case((sa.and_(currency != sa.literal(into), rate.c.rate.is_(None), amount != 0), 1), else_=0)
