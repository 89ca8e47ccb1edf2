"""Conversions: how many later events each event led to, the same entity within a window."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kpi import yamlfile
from kpi.errors import KpiError
from kpi.language.problems import Key
from kpi.metrics.entities import entity
from kpi.metrics.kinds.base import About, Context
from kpi.metrics.kinds.following import day_count, metric_name
from kpi.metrics.model import At, Call, Followed, Formula, Held, Leaf, Metric, Node

CONVERSION_KEYS: Final = (
    Key("from", "a metric", "the events that may lead to others, a metric with at:", required=True),
    Key("to", "a metric", "the later events, a metric with at:", required=True),
    Key("each", "account, deal, … or an id", "whose events they are: what rows of both lead to", required=True),
    Key("within", "a number of days, such as 90 days", "how many days after its day an event may still lead to another", required=True),
)


class ConversionKind:
    """See ``meaning``."""

    name = "conversion"
    meaning = "later events for each event of the same entity within so many days; it counts on the day of the first"
    marks: tuple[str, ...] = ("conversion",)
    keys: tuple[Key, ...] = (
        Key("conversion", "{from: a metric, to: a metric, each: account, within: 90 days}", "which event leads to which", required=True),
    )

    def read(self, about: About, context: Context) -> Metric | None:
        """Read one; every key is checked even when another is wrong."""
        fields = about.fields(context, "percent", "a conversion")
        value = about.mapping.get("conversion")
        mapping = None if value is None else context.problems.mapping(value, self.keys[0].accepts)
        if mapping is None:
            return None
        whole = context.problems.keys(mapping, CONVERSION_KEYS, "a conversion")
        base, to = (event(mapping.get(key), context) for key in ("from", "to"))
        days = day_count(mapping.get("within"), context, 90)
        each = mapping.get("each")
        keys = [whose(each, base, context)]
        keys.append(None if base is not None and keys[0] is None else whose(each, to, context))  # one sentence for one key
        if fields is None or not whole or base is None or to is None or days is None or keys[0] is None or keys[1] is None:
            return None
        counted = events(base)
        taken = replace(
            counted,
            name=f"{about.name}: {to.name}",
            followed=Followed(events(to), keys[0], keys[1], days, (base.table, base.time) == (to.table, to.time)),
        )
        return Formula(**fields, formula=Call("/", (Held(taken), Held(counted)), "number"), made_of=(base.name, to.name))


def event(value: yamlfile.Value | None, context: Context) -> Leaf | None:
    """The metric at a key, whose rows are events, or None with its problem added."""
    name = metric_name(value, context)
    if name is None or value is None:
        return None
    try:
        found = context.metric(name)
    except KpiError:  # told where it is defined
        return None
    if isinstance(found, Leaf) and isinstance(found.time, At):
        return found
    context.problems.at(value, f"{name} is no event; one thing leads to another at: a day, so take a metric with at:")
    return None


def events(leaf: Leaf) -> Leaf:
    """The rows of a metric, each once: those that it counts or adds up."""
    if leaf.aggregate == "count" and leaf.value is None:
        return leaf
    condition = leaf.condition
    if leaf.aggregate in ("count", "count_distinct") and leaf.value is not None:
        known: Node = Call("not", (Call("is_null", (leaf.value,), "flag"),), "flag")
        condition = known if condition is None else Call("and", (condition, known), "flag")
    return replace(leaf, name=f"events of {leaf.name}", aggregate="count", value=None, money=None, condition=condition)


def whose(each: yamlfile.Value | None, leaf: Leaf | None, context: Context) -> Node | None:
    """The key of the entity on the rows of a metric, or None with its problem added."""
    name = context.problems.text(each, "an entity") if leaf is not None else None
    if name is None or leaf is None or each is None:
        return None
    try:
        return entity(name, leaf.table, context.catalog)
    except KpiError as error:
        context.problems.at(each, f"{leaf.name}: {error}")
        return None


CONVERSION = ConversionKind()
