"""Time to an event: how long it takes until something is reached, of all that started and not only of those that did."""

from __future__ import annotations

from typing import Any, Final, cast

from kpi import yamlfile
from kpi.errors import BadExpression, KpiError, did_you_mean
from kpi.language.problems import Key
from kpi.metrics import clashes, expressions
from kpi.metrics.entities import entity
from kpi.metrics.kinds.base import About, Context, expression
from kpi.metrics.kinds.following import day_count
from kpi.metrics.kinds.formula import refused
from kpi.metrics.kinds.parts import gains, leaves, with_conditions
from kpi.metrics.model import At, Call, Cumulated, Cumulative, During, Leaf, Literal_, Lived, Metric, MetricRef, Node, Shown, ToDate

#: What may be shown by one word; of the quantiles and the share also a bound.
SHOWN: Final = ("median", "quartile25", "quartile75", "started", "reached", "lost", "waiting")
#: What may be shown of a day.
SHOWN_BY: Final = ("share_by", "at_risk")
BOUNDS: Final = ("lower", "upper")
_DAYS: Final = ("median", "quartile25", "quartile75")

TIME_TO_KEYS: Final = (
    Key("each", "account, deal, … or an id", "whose time it is: what the rows of all metrics here lead to", required=True),
    Key("from", "a metric", "its first event starts the clock, or the first day of a stock", required=True),
    Key(
        "until",
        "a metric, or cumulative(a formula) >= 0",
        "what is waited for; a sum is looked at on the last day of each month",
        required=True,
    ),
    Key("lost", "a metric, or a stock = 0", "what ends the wait for good, such as mrr = 0"),
)


class TimeToKind:
    """See ``meaning``."""

    name = "time_to"
    meaning = "how long it takes from one event to another, with those who are still waiting and those who left counted as such"
    marks: tuple[str, ...] = ("time_to",)
    keys: tuple[Key, ...] = (
        Key("time_to", "{each: account, from: a metric, until: a metric, lost: a metric}", "who waits for what, since when", required=True),
        Key(
            "show",
            "median, quartile25, quartile75, {share_by: 365 days}, started, reached, lost, waiting, {at_risk: 365 days}",
            "what of it; default median",
        ),
        Key("bound", "lower or upper", "a bound of 95 % of the median, quartile or share, instead of the figure"),
    )

    def read(self, about: About, context: Context) -> Metric | None:
        """Read one; every key is checked even when another is wrong."""
        shown = _shown(about, context)
        fields = about.fields(context, clashes.UNKNOWN if shown is None else _unit(shown), "what is shown")
        value = about.mapping.get("time_to")
        mapping = None if value is None else context.problems.mapping(value, self.keys[0].accepts)
        if mapping is None:
            return None
        whole = context.problems.keys(mapping, TIME_TO_KEYS, "a time_to")
        first = _metric(mapping.get("from"), context)
        until = _until(mapping.get("until"), context)
        lost, lost_is_sound = _lost(mapping.get("lost"), context)
        if until is None or first is None:
            return None
        others = [*(until[1]), *([lost] if lost else [])]
        sound = _same_entity(mapping.get("each"), [first, *others], context)
        if fields is None or shown is None or not (whole and sound and lost_is_sound):
            return None
        each = context.problems.text(mapping.get("each"), "an entity") or ""
        waited = expressions.metrics_of(until[0].total) if isinstance(until[0], Cumulated) else (until[0].name,)
        made_of = tuple(dict.fromkeys((first.name, *waited, *((lost.name,) if lost else ()))))
        lived = Lived(each, until[0], lost, _tables(others), made_of)
        return Leaf(
            **fields,
            aggregate="max" if shown.what in _DAYS or shown.what == "share" else "count",
            table=first.table,
            value=first.value,
            percent=None,
            condition=first.condition,
            time=first.time,
            money=None,
            lived=lived,
            shown=shown,
        )


def _tables(leaves_: list[Leaf]) -> tuple[str, ...]:
    """What the metrics are made of, and by what their costs are split: an entity's sum is of days that both cover."""
    splits = (leaf.allocate.basis.table for leaf in leaves_ if leaf.allocate)
    return tuple(dict.fromkeys((*(leaf.table for leaf in leaves_), *splits)))


def _metric(value: yamlfile.Value | None, context: Context) -> Leaf | None:
    """The metric that a key names, an event or a stock, or None with its problem added."""
    name = context.problems.text(value, "a metric")
    if name is None or value is None:
        return None
    return _named(name, value, context)


def _named(name: str, value: yamlfile.Value, context: Context) -> Leaf | None:
    if name not in context.metrics:
        context.problems.at(value, f'no metric is called "{name}"{did_you_mean(name, context.metrics)}')
        return None
    try:
        found = context.metric(name)
    except KpiError:  # told where it is defined
        return None
    if isinstance(found, Leaf) and found.moved is None and found.lived is None:
        if isinstance(found.time, At):
            return found
        if isinstance(found.time, During) and found.aggregate in ("sum", "count", "count_distinct"):
            return found
    context.problems.at(value, f"{name} has no day that it happens on; take a metric with at:, or a sum or count with during:")
    return None


def _until(value: yamlfile.Value | None, context: Context) -> tuple[Leaf | Cumulated, list[Leaf]] | None:
    """What is waited for, and the leaves it is made of."""
    if value is None:  # told with the other keys that are needed
        return None
    text = context.problems.text(value, "a metric, or cumulative(a formula) >= 0")
    if text is None:
        return None
    if text.replace("_", "").isalnum():
        found = _named(text, value, context)
        return None if found is None else (found, [found])
    node = expression(value, context.problems, lambda text: _condition(text, context))
    if not isinstance(node, Call):
        return None
    inner, least = cast("Cumulative", node.arguments[0]).inner, cast("Literal_", node.arguments[1]).value
    gained = gains(inner, context)
    until = Cumulated(
        ToDate(inner, "all"), None if gained is None else ToDate(gained, "all"), cast("Any", node.function), cast("Any", least)
    )
    return until, list({leaf.name: leaf for leaf in leaves(inner, context)}.values())


def _condition(text: str, context: Context) -> Node:
    node = expressions.formula(text, context.metrics, context.metric_type, until=True)
    if isinstance(node, Call) and node.function in (">=", ">") and isinstance(node.arguments[0], Cumulative):
        inner, least = node.arguments[0].inner, node.arguments[1]
        if isinstance(least, Literal_):
            clashes.unit_of(node, context.metric_unit)
            for stock in refused(ToDate(inner, "all"), context):
                raise BadExpression(stock.replace("to_date()", "cumulative()"))
            return Call(node.function, (Cumulative(with_conditions(inner, context)), least), "flag")
    raise BadExpression("what is waited for is a metric, or a sum that has come so far: cumulative(revenue - cost_to_serve) >= 0")


def _lost(value: yamlfile.Value | None, context: Context) -> tuple[Leaf | None, bool]:
    """What ends the wait: a metric of events, or a stock of which nothing is left; whether it is sound."""
    if value is None:
        return None, True
    text = context.problems.text(value, "a metric, or a stock = 0")
    if text is None:
        return None, False
    if text.replace("_", "").isalnum():
        found = _named(text, value, context)
        if found is not None and isinstance(found.time, During):
            context.problems.at(value, f"{text} is a stock; write {text} = 0 for the day on which nothing of it is left")
            return None, False
        return found, found is not None
    node = expression(value, context.problems, lambda text: expressions.formula(text, context.metrics, context.metric_type))
    if node is None:
        return None, False
    if isinstance(node, Call) and node.function in ("=", "<="):
        left, right = node.arguments
        if isinstance(left, MetricRef) and isinstance(right, Literal_) and right.value == 0:
            found = _named(left.name, value, context)
            if found is None or isinstance(found.time, During):
                return found, found is not None
    context.problems.at(
        value, f'"{text}" is no end of the wait; write a metric with at:, or a metric with during: and = 0, such as mrr = 0'
    )
    return None, False


def _same_entity(value: yamlfile.Value | None, all_: list[Leaf], context: Context) -> bool:
    """Whether the rows of all metrics lead to the entity."""
    name = context.problems.text(value, "an entity")
    if name is None or value is None:
        return False
    for leaf in all_:
        try:
            entity(name, leaf.table, context.catalog)
        except KpiError as error:
            context.problems.at(value, f"{leaf.name}: {error}")
            return False
    return True


def _shown(about: About, context: Context) -> Shown | None:
    value, bound = about.mapping.get("show"), about.mapping.get("bound")
    side = context.problems.choice(bound, BOUNDS, "a bound") if bound is not None else None
    shown = Shown("median") if value is None else _what(value, context)
    if shown is None or (bound is not None and side is None):
        return None
    if bound is not None and shown.what not in (*_DAYS, "share"):
        context.problems.at(bound, f"{shown.what} is a count, which has no bounds; median, quartile25, quartile75 and share_by have")
        return None
    return Shown(shown.what, shown.day, cast("Any", side))


def _what(value: yamlfile.Value, context: Context) -> Shown | None:
    if not isinstance(value, yamlfile.Mapping):
        word = context.problems.choice(value, SHOWN, f"what can be shown (or {{{SHOWN_BY[0]}: 365 days}}, {{{SHOWN_BY[1]}: 365 days}})")
        return None if word is None else Shown(cast("Any", word))
    keys = [Key(name, "a number of days, such as 365 days", "the day") for name in SHOWN_BY]
    if len(value.entries) != 1 or value.entries[0].key.text not in SHOWN_BY:
        context.problems.keys(value, keys, "what is shown")
        if all(entry.key.text in SHOWN_BY for entry in value.entries):
            context.problems.at(value, f"one thing is shown: {{{SHOWN_BY[0]}: 365 days}} or {{{SHOWN_BY[1]}: 365 days}}")
        return None
    days = day_count(value.entries[0].value, context, 365)
    if days is None:
        return None
    return Shown("share" if value.entries[0].key.text == "share_by" else "at_risk", days)


def _unit(shown: Shown) -> str:
    return "days" if shown.what in _DAYS else "percent" if shown.what == "share" else "number"


TIME_TO = TimeToKind()
