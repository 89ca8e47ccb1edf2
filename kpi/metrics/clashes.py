"""The unit of a formula, worked out from its metrics, and clashes such as money plus percent.

A unit here is one of a metric's, or None for a plain constant, or ``any`` where the algebra has no name for it
(money a day), so that the definition must say what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kpi.errors import BadExpression
from kpi.metrics.model import Around, Call, Literal_, MetricRef, Node
from kpi.metrics.operators import shown

UNITS: Final = ("money", "percent", "number", "ratio", "days", "hours")
ANY: Final = "any"
#: Of a definition that is wrong: nothing can be said about its unit.
UNKNOWN: Final = "unknown"
#: Units without a dimension: they may meet in a sum.
PLAIN: Final = ("percent", "number", "ratio")
_SAME: Final = ("neg", "abs", "round")
_BRANCHES: Final = ("coalesce", "least", "greatest", "case")


def unit_of(node: Node, metric_unit: Callable[[str], str]) -> str | None:
    """The unit of a formula.

    Raises:
        BadExpression: two units that can't meet, naming both sides.
    """
    if isinstance(node, MetricRef):
        return metric_unit(node.name)
    if isinstance(node, Around):
        return unit_of(node.inner, metric_unit)
    if not isinstance(node, Call):
        return None
    sides = [(argument, unit_of(argument, metric_unit)) for argument in node.arguments]
    if node.function in ("+", "-"):
        return _sum(node.function, sides)
    if node.function == "*":
        return _product(sides)
    if node.function == "/":
        return _quotient(sides)
    if node.function in _SAME:
        return sides[0][1]
    if node.function in _BRANCHES:
        if node.function == "case":
            last = len(sides) - 1
            sides = [side for place, side in enumerate(sides) if place % 2 == 1 or (place == last and last % 2 == 0)]
        return _meeting(node.function, sides)
    if node.function in ("=", "<>", "<", "<=", ">", ">=", "in", "between"):
        _meeting(node.function, sides)
    return None


def fits(stated: str, worked_out: str | None) -> bool:
    """Whether a definition may call its result ``stated``."""
    if worked_out in (None, ANY, UNKNOWN, stated):
        return True
    if worked_out in PLAIN:
        return stated in PLAIN
    return {stated, worked_out} == {"days", "hours"}  # hours / 8 is days, and only its author knows


Side = tuple[Node, str | None]


def _meeting(sign: str, sides: list[Side]) -> str | None:
    """One unit for all sides; constants fit any."""
    found: Side | None = None
    for side in sides:
        if side[1] in (None, ANY):
            continue
        if found is None:
            found = side
        elif found[1] != side[1]:
            if not (found[1] in PLAIN and side[1] in PLAIN):
                raise BadExpression(f"{shown(found[0])} is {found[1]} and {shown(side[0])} is {side[1]}; {sign} needs one unit")
            found = (found[0], "ratio")
    return found[1] if found else (ANY if any(unit == ANY for _, unit in sides) else None)


def _sum(sign: str, sides: list[Side]) -> str | None:
    units = [unit for _, unit in sides]
    if None in units and "money" in units:
        constant = sides[units.index(None)][0]
        if not (isinstance(constant, Literal_) and constant.value == 0):
            other = sides[units.index("money")][0]
            raise BadExpression(f"{shown(other)} is money and {shown(constant)} is a plain number; {sign} needs one unit")
    return _meeting(sign, sides)


def _product(sides: list[Side]) -> str | None:
    (left, first), (right, second) = sides
    if first is None or second is None:
        return second if first is None else first
    if first == second == "money":
        raise BadExpression(f"{shown(left)} and {shown(right)} are both money and can't be multiplied")
    if first in PLAIN and second in PLAIN:
        return "number" if "number" in (first, second) else "ratio"
    if first in PLAIN or second in PLAIN:
        return second if first in PLAIN else first
    return ANY


def _quotient(sides: list[Side]) -> str | None:
    first, second = sides[0][1], sides[1][1]
    if second is None:
        return first
    if second in PLAIN:
        return "ratio" if first is None or first in PLAIN else first
    return "ratio" if first == second else ANY
