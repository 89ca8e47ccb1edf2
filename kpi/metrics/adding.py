"""Whether the values of groups add up to the value of all: what may be stacked, and shown as a share."""

from __future__ import annotations

from kpi.metrics.model import Call, Definitions, Literal_, MetricRef
from kpi.metrics.uses import Tree, Use, expand


def why_not(name: str, definitions: Definitions) -> str | None:
    """Why the values of a metric's groups are no parts of the whole, in a clause; None where they are."""
    return _why(expand(MetricRef(name), definitions.metrics))


def _why(tree: Tree) -> str | None:
    if isinstance(tree, Use):
        return "it is set against a total" if tree.total else _of_leaf(tree)
    if not isinstance(tree, Call):
        return None if isinstance(tree, Literal_) and not tree.value else "it holds a fixed number"
    if tree.function in ("+", "-", "neg"):
        return next((reason for argument in tree.arguments if (reason := _why(argument)) is not None), None)
    if tree.function == "*" and any(isinstance(argument, Literal_) for argument in tree.arguments):
        return next((why for argument in tree.arguments if not isinstance(argument, Literal_) and (why := _why(argument))), None)
    if tree.function == "/":
        return _why(tree.arguments[0]) if isinstance(tree.arguments[1], Literal_) else "it is a ratio"
    return "it is not made of plus and minus alone"


def _of_leaf(use: Use) -> str | None:
    leaf = use.leaf
    if leaf.lived is not None:
        return "it is read off a curve"
    if leaf.retained is not None:
        return "it is a share of what there was"
    return {
        "sum": None,
        "count": None,
        "count_distinct": "it counts different things, and one can be in several groups",
        "average": "it is a mean",
        "median": "it is a median",
        "percentile": "it is a percentile",
        "min": "it is a smallest value",
        "max": "it is a largest value",
    }[leaf.aggregate]
