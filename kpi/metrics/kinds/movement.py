"""Movements: what a stock's change is made of, customer by customer."""

from __future__ import annotations

import re
from typing import Final, cast, get_args

from kpi.errors import did_you_mean
from kpi.metrics import clashes
from kpi.metrics.kinds.base import About, Context
from kpi.metrics.model import During, Leaf, Metric, Moved, Movement
from kpi.metrics.problems import Key

PARTS: Final[tuple[Movement, ...]] = get_args(Movement)
#: Days within which a customer that comes back is reactivated (SEMANTICS, "Finance's switches").
WITHIN_DAYS: Final = 365
_MOST_DAYS: Final = 3660


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
        days = _days(about, context)
        stock = _stock(about, context)
        fields = about.fields(context, clashes.UNKNOWN if stock is None else stock.unit, "the stock")
        if fields is None or stock is None or part is None or days is None:
            return None
        return Leaf(
            **fields,
            aggregate=stock.aggregate,
            table=stock.table,
            value=stock.value,
            percent=None,
            condition=stock.condition,
            time=stock.time,
            money=stock.money,
            switches=stock.switches,
            free_stays=stock.free_stays,
            moved=Moved(cast("Movement", part), days, stock.name),
        )


def _stock(about: About, context: Context) -> Leaf | None:
    """The metric of ``of``, or None with its problem added."""
    value = about.mapping.get("of")
    if value is None:  # told with the other keys that are needed
        return None
    name = context.problems.text(value, "a metric")
    if name is None:
        return None
    if name not in context.metrics:
        context.problems.at(value, f'no metric is called "{name}"{did_you_mean(name, context.metrics)}')
        return None
    stock = context.metric(name)
    if not isinstance(stock, Leaf) or not isinstance(stock.time, During) or stock.moved is not None or stock.retained is not None:
        context.problems.at(value, f"{name} is no stock; a movement compares the sum or count of rows during: two days by its day ends")
    elif stock.aggregate not in ("sum", "count"):
        context.problems.at(value, f"{name} is a {stock.aggregate}, whose change has no parts that add up; take a sum or a count")
    elif "account_id" not in context.catalog.tables[stock.table].columns:
        context.problems.at(value, f"{name} is of {stock.table}, whose rows have no customer (account_id) to follow")
    else:
        return stock
    return None


def _days(about: About, context: Context) -> int | None:
    value = about.mapping.get("reactivated_within")
    if value is None:
        return WITHIN_DAYS
    text = context.problems.text(value, "a number of days")
    found = re.fullmatch(r"([0-9]{1,4}) days?", text or "")
    if text is None:
        return None
    if found is None or int(found.group(1)) > _MOST_DAYS:
        context.problems.at(value, f'"{text}" is no number of days from 0 to {_MOST_DAYS}; write it as 365 days')
        return None
    return int(found.group(1))


MOVEMENT = MovementKind()
