"""What vendors count differently of subscriptions, each a key with a default (SEMANTICS, "Finance's switches").

A switch that is left out, or at its default, is the definition as written; any other changes the value, the end or the
condition of a stock of subscriptions. Who else counts so is taken from the vendors' own help pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from kpi.language.problems import Key
from kpi.metrics.kinds.base import About, Context
from kpi.metrics.model import Call, Column, During, Leaf, Literal_, Moment, Node
from kpi.metrics.nodes import column, columns_of

TABLE: Final = "subscription_term"
#: Days after which a subscription that is not paid for has churned, where churn is told by it.
PAST_DUE_DAYS: Final = 30


@dataclass(frozen=True)
class Switch:
    """One switch.

    Attributes:
        accepted: values with what they say of a figure, the default first.
        concerns: whether it can change a stock of subscriptions; ``otherwise`` says what is missing where it can't.
    """

    name: str
    accepted: tuple[tuple[str, str], ...]
    concerns: Callable[[Leaf], bool]
    otherwise: str

    @property
    def default(self) -> str:
        """What holds where the key is left out."""
        return self.accepted[0][0]


SWITCHES: Final = (
    Switch(
        "discounts",
        (
            ("reduce", "discounts reduce it while they last, as at ProfitWell (Stripe: only those that last for ever)"),
            ("ignored", "discounts don't reduce it: list prices count where they are known, as Recurly can be set to"),
        ),
        lambda leaf: _names(leaf.value, "monthly_amount"),
        "the metric doesn't sum monthly_amount",
    ),
    Switch(
        "churn_on",
        (
            ("end_of_service", "a subscription counts until its service ends, as at ProfitWell, and ChartMogul can be set to"),
            ("cancellation", "a subscription counts until it is cancelled, though service goes on, as at Chargify"),
            ("past_due", f"a subscription that is {PAST_DUE_DAYS} days past due counts no more, and others until their service ends"),
        ),
        lambda leaf: isinstance(leaf.time, During) and _names(leaf.time.end, "ended_on"),
        "its during: doesn't end on ended_on",
    ),
    Switch(
        "free_plan",
        (
            ("churn", "a customer that moved to a free plan counts no more, as at Stripe and ProfitWell"),
            ("stays", "a customer that moved to a free plan still counts, as ChartMogul does by default"),
        ),
        lambda leaf: leaf.aggregate in ("count", "count_distinct") and _names(leaf.condition, "monthly_amount"),
        "the metric doesn't count rows where monthly_amount > 0",
    ),
    Switch(
        "paused",
        (
            ("left_out", "a paused subscription doesn't count, as at ProfitWell and Recurly"),
            ("kept", "a paused subscription counts as if it were active, as at Chargify"),
        ),
        lambda leaf: _names(leaf.condition, "status"),
        "its where: asks for no status",
    ),
)
KEYS: Final = (
    Key("discounts", "reduce or ignored", "of a sum of monthly_amount: ignored takes list prices where they are known; default reduce"),
    Key(
        "churn_on",
        "end_of_service, cancellation or past_due",
        f"of a stock of subscriptions: when one ends; past_due: {PAST_DUE_DAYS} days after a payment fell due; default end_of_service",
    ),
    Key("free_plan", "churn or stays", "of a count where monthly_amount > 0: whether who paid once counts on a free plan; default churn"),
    Key("paused", "left_out or kept", "of a stock of subscriptions with a status in where: whether a paused one counts; default left_out"),
)


def switched(leaf: Leaf, about: About, context: Context) -> Leaf | None:
    """The leaf under its switches, or None where one is wrong; problems are added."""
    sound, values = True, {}
    for switch in SWITCHES:
        stated = about.mapping.get(switch.name)
        is_stock = leaf.table == TABLE and isinstance(leaf.time, During)
        concerned = is_stock and switch.concerns(leaf)
        if stated is None:
            if concerned:
                values[switch.name] = switch.default
            continue
        words = tuple(word for word, _ in switch.accepted)
        value = context.problems.choice(stated, words, f"a way to count {switch.name.replace('_', ' ')}")
        if value is not None and not concerned:
            why = switch.otherwise if is_stock else f"it is for stocks of {TABLE}, during: two days"
            context.problems.at(stated, f"{switch.name} changes nothing here: {why}")
        sound = sound and value is not None and concerned
        values[switch.name] = value or switch.default
    return replace(_changed(leaf, values), switches=tuple(values.items())) if sound else None


def sentences(leaf: Leaf) -> tuple[str, ...]:
    """How a leaf counts where vendors differ, and who counts so."""
    of = {switch.name: dict(switch.accepted) for switch in SWITCHES}
    stock = leaf.moved or leaf.retained
    name = stock.stock if stock is not None else leaf.name
    said = [f"{name}: {of[key][value]}" for key, value in leaf.switches]
    if leaf.moved is not None:
        days = f"{leaf.moved.within_days} days"
        said.append(f"{leaf.name}: a customer back within {days} is reactivated, later it is new (Chargify: 90 days; ProfitWell: always)")
    return tuple(said)


def _changed(leaf: Leaf, values: dict[str, str]) -> Leaf:
    if values.get("discounts") == "ignored":
        leaf = replace(leaf, value=_at_list_prices(leaf.value))
        if leaf.money is not None:
            leaf = replace(leaf, money=replace(leaf.money, home_value=_at_list_prices(leaf.money.home_value, "home_")))
    if isinstance(leaf.time, During) and values.get("churn_on") in ("cancellation", "past_due"):
        earlier: Moment = column(TABLE, "canceled_on")
        if values["churn_on"] == "past_due":
            earlier = Call("later", (column(TABLE, "past_due_on"), Literal_(Decimal(PAST_DUE_DAYS), "number")), "day")
        leaf = replace(leaf, time=During(leaf.time.start, Call("least", (leaf.time.end, earlier), "day")))
    if values.get("paused") == "kept":
        leaf = replace(leaf, condition=_replaced(leaf.condition, "status", _as_active))
    return replace(leaf, free_stays=values.get("free_plan") == "stays")


def _at_list_prices(value: Node | None, prefix: str = "") -> Node | None:
    listed = column(TABLE, f"{prefix}list_monthly_amount")
    return _replaced(value, f"{prefix}monthly_amount", lambda amount: Call("coalesce", (listed, amount), "money"))


def _as_active(status: Column) -> Node:
    paused = Call("=", (status, Literal_("paused", "text")), "flag")
    return Call("case", (paused, Literal_("active", "text"), status), "text")


def _replaced(node: Node | None, name: str, change: Callable[[Column], Node]) -> Node | None:
    """The expression with a column of the table itself replaced by what ``change`` makes of it."""
    if isinstance(node, Column) and not node.path and node.name == name:
        return change(node)
    if isinstance(node, Call):
        arguments = tuple(found for argument in node.arguments if (found := _replaced(argument, name, change)) is not None)
        return replace(node, arguments=arguments)
    return node


def _names(node: Node | None, name: str) -> bool:
    return node is not None and any(not found.path and found.name == name for found in columns_of(node))
