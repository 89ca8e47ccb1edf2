"""Movements: what a stock's change is made of, customer by customer."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, cast, get_args

from kpi.language.problems import Key
from kpi.metrics import clashes
from kpi.metrics.kinds import following
from kpi.metrics.kinds.base import About, Context
from kpi.metrics.model import Leaf, Metric, Moved, Movement

PARTS: Final[tuple[Movement, ...]] = get_args(Movement)
#: Days within which a customer that comes back is reactivated (SEMANTICS, "Finance's switches").
WITHIN_DAYS: Final = 365


class MovementKind:
    """See ``meaning``."""

    name = "movement"
    meaning = "what a stock's change is made of; all seven parts add up to the change exactly, by any dimension"
    marks: tuple[str, ...] = ("movement",)
    keys: tuple[Key, ...] = (
        Key("movement", ", ".join(PARTS), "which part of the change; what left (contraction, churn) is negative", required=True),
        Key("of", "a metric", "the stock, a sum or count during: two days", required=True),
        Key("reactivated_within", "a number of days, such as 365 days", "a customer back within it is reactivated, later it is new"),
    )

    def read(self, about: About, context: Context) -> Metric | None:
        """Read one; every key is checked even when another is wrong."""
        problems, get = context.problems, about.mapping.get
        part = problems.choice(get("movement"), PARTS, "a part of the change") if get("movement") else None
        within = get("reactivated_within")
        days = WITHIN_DAYS if within is None else following.day_count(within, context, WITHIN_DAYS)
        stock = _stock(about, context)
        fields = about.fields(context, clashes.UNKNOWN if stock is None else stock.unit, "the stock")
        if fields is None or stock is None or part is None or days is None:
            return None
        return replace(stock, **fields, moved=Moved(cast("Movement", part), days, stock.name))


def _stock(about: About, context: Context) -> Leaf | None:
    """The metric of ``of``, or None with its problem added."""
    value = about.mapping.get("of")
    stock = following.stock(value, context, "a movement compares the sum or count of rows during: two days by its day ends")
    if stock is None or value is None:
        return None
    if stock.aggregate not in ("sum", "count"):
        context.problems.at(value, f"{stock.name} is a {stock.aggregate}, whose change has no parts that add up; take a sum or a count")
        return None
    return stock if following.has_customers(stock, value, context) else None


MOVEMENT = MovementKind()
