"""What a kind of metric is: its keys, how it is recognised, and how its definition becomes values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

from kpi import yamlfile
from kpi.errors import BadExpression, KpiError
from kpi.language.problems import Cascade, Key, Problems, written
from kpi.metrics import clashes, expressions, targets
from kpi.metrics.catalog import STANDARD, Catalog
from kpi.metrics.expressions import Lookup
from kpi.metrics.kinds.parts import with_conditions
from kpi.metrics.model import Metric, Needs, Node, Type, Where
from kpi.metrics.operators import Operators
from kpi.periods import Calendar

#: Keys that every metric has, whatever its kind.
COMMON: Final = (
    Key("label", "text", "the name that people read; without it the name with spaces"),
    Key("means", "a sentence", "what it means, in the words of its owner"),
    Key("owner", "text", "who answers for it, such as finance"),
    Key("unit", "money, percent, number, ratio, days or hours", "without it, worked out from the definition"),
    Key("better", "up or down", "which direction is good; without it neither is"),
    Key("target", "periods with values, such as {2026: 62%, 2026-Q4: 65%}", "what was planned"),
    Key("needs", "{at_least: 20, of: a formula}", 'below this the page says "too few"'),
)


@dataclass(frozen=True)
class Context:
    """What a kind may look at while it reads a definition.

    ``metric_type`` and ``metric_unit`` give those of another metric, reading it first where need be.
    ``lookup`` does the same for dimensions. ``catalog`` has the tables there are,
    ``unseen`` names those of ``tables:`` that nothing is known of: what stands on them is passed over.
    """

    problems: Problems
    calendar: Calendar
    dimensions: tuple[str, ...]
    lookup: Lookup
    metrics: tuple[str, ...]
    metric: Callable[[str], Metric]
    catalog: Catalog = STANDARD
    unseen: tuple[str, ...] = ()

    def metric_type(self, name: str) -> Type:
        """``money`` or ``number``."""
        return "money" if self.metric(name).unit == "money" else "number"

    def metric_unit(self, name: str) -> str:
        """Its unit."""
        return self.metric(name).unit


class Kind(Protocol):
    """One kind of metric; ``KINDS`` lists them. ``marks`` are the keys that tell the kind."""

    name: str
    meaning: str
    marks: tuple[str, ...]
    keys: tuple[Key, ...]

    def read(self, about: About, context: Context) -> Metric | None:
        """The metric, or None where problems were added."""
        ...


@dataclass(frozen=True)
class About:
    """A definition in the file, with the keys of :data:`COMMON` read for every kind in the same way."""

    name: str
    mapping: yamlfile.Mapping
    line: int

    def problem(self, context: Context, key: str, message: str) -> None:
        """Add a problem at one of the definition's keys."""
        value = self.mapping.get(key)
        context.problems.add(value.line if value is not None else self.line, f"{self.mapping.path}.{key}", message)

    def resolved(self, context: Context, key: str, read: Callable[[str], Node]) -> Node | None:
        """The expression at a key, or None with its problem added."""
        value = self.mapping.get(key)
        if value is None:
            return None
        return expression(value, context.problems, read)

    def fields(self, context: Context, worked_out: str | None, why: str) -> dict[str, Any] | None:
        """The values of :class:`~kpi.metrics.model.Metric` by field; ``why`` names what gave the unit.

        ``worked_out`` is ``unknown`` where the definition is wrong: the other keys are still checked.
        """
        unit = self._unit(context, worked_out, why)
        problems, get = context.problems, self.mapping.get
        label = problems.text(get("label"), "a label") if get("label") else None
        means = problems.text(get("means"), "a sentence") if get("means") else None
        owner = problems.text(get("owner"), "a name") if get("owner") else None
        better = problems.choice(get("better"), ("up", "down"), "a direction") if get("better") else None
        planned = targets.read(get("target"), unit or clashes.UNKNOWN, context.calendar, problems)
        needs = self._needs(context)
        if unit is None:
            return None
        return {
            "name": self.name,
            "label": label or self.name.replace("_", " ").capitalize(),
            "means": means or "",
            "owner": owner or "",
            "unit": unit,
            "better": better,
            "targets": planned,
            "needs": needs,
            "where": Where(problems.file, self.line),
            "text": MappingProxyType({name: written(value) for name, value in self.mapping}),
        }

    def _unit(self, context: Context, worked_out: str | None, why: str) -> str | None:
        value = self.mapping.get("unit")
        if value is None:
            if worked_out == clashes.ANY:
                self.problem(context, "unit", f"the unit can't be told from {why}; say which: {', '.join(clashes.UNITS)}")
                return None
            return worked_out or "number"
        stated = context.problems.choice(value, clashes.UNITS, "a unit")
        if stated is not None and not clashes.fits(stated, worked_out):
            context.problems.at(value, f"the unit is {stated}, but {why} is {worked_out}")
            return None
        return stated

    def _needs(self, context: Context) -> Needs | None:
        value = self.mapping.get("needs")
        if value is None:
            return None
        mapping = context.problems.mapping(value, "{at_least: 20, of: a formula}")
        if mapping is None or not context.problems.keys(mapping, NEEDS, "needs"):
            return None
        at_least = context.problems.number(mapping.get("at_least"), "a number")
        of = mapping.get("of")
        formula = None if of is None else expression(of, context.problems, lambda text: figure(text, context))
        return None if at_least is None or formula is None else Needs(at_least, formula)


NEEDS: Final = (
    Key("at_least", "a number", "the least that makes a figure worth reading", required=True),
    Key("of", "a formula", "what is counted", required=True),
)


def expression(value: yamlfile.Value, problems: Problems, read: Callable[[str], Node]) -> Node | None:
    """An expression of the file; what is wrong with it becomes a problem at its line."""
    text = problems.text(value, "an expression")
    if text is None:
        return None
    try:
        return read(text)
    except Cascade:
        return None
    except KpiError as error:
        problems.at(value, str(error))
        return None


def figure(text: str, context: Context) -> Node:
    """A formula that yields a figure, with its units checked."""
    node = expressions.formula(text, context.metrics, context.metric_type)
    names = expressions.metrics_of(node)
    if not names:
        raise BadExpression("a formula needs a metric")
    clashes.unit_of(node, context.metric_unit)
    if Operators(context.metric_type, mixes=True).type_of(node) not in ("number", "money"):
        raise BadExpression("a formula yields a figure; write case when … then … else … end around a condition")
    return with_conditions(node, context)
