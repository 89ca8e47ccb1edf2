"""Formulas: arithmetic over other metrics."""

from __future__ import annotations

from collections.abc import Iterator

from kpi.language.problems import Key
from kpi.metrics import clashes
from kpi.metrics.kinds import lagging
from kpi.metrics.kinds.base import About, Context, figure
from kpi.metrics.kinds.parts import leaves
from kpi.metrics.model import Around, Call, During, Formula, Literal_, Metric, Node, Rolling, Snapshot, ToDate


class FormulaKind:
    """See ``meaning``."""

    name = "formula"
    meaning = "arithmetic over other metrics, computed after they are summed; division by zero is no value"
    marks: tuple[str, ...] = ("formula",)
    keys: tuple[Key, ...] = (
        Key("formula", "an expression over metrics", "the arithmetic, such as deals_won / (deals_won + deals_lost)", required=True),
        Key("lag", "{of: a metric of the formula, months: 1 month, years: none}", "a cost that is taken so much earlier"),
    )

    def read(self, about: About, context: Context) -> Metric | None:
        """Read one."""
        node = about.resolved(context, "formula", lambda text: figure(text, context))
        if node is None:
            about.fields(context, clashes.UNKNOWN, "the formula")
            return None
        stock = next(refused(node, context), None)
        if stock is not None:
            about.problem(context, "formula", stock)
            return None
        lag = about.mapping.get("lag")
        lagged = node if lag is None else lagging.read(lag, node, context)
        fields = about.fields(context, clashes.unit_of(node, context.metric_unit), "the formula")
        if fields is not None and fields["unit"] == "percent" and _is_hundredfold(node):
            about.problem(context, "formula", "a percent is the share itself, and 0.62 is shown as 62 %; leave out the 100")
            return None
        return None if fields is None or lagged is None else Formula(**fields, formula=lagged)


def _is_hundredfold(node: Node) -> bool:
    """Whether a formula ends in a multiplication by 100, rounded or not."""
    if not isinstance(node, Call):
        return False
    if node.function == "round":
        return _is_hundredfold(node.arguments[0])
    sides = [side for side in node.arguments if isinstance(side, Literal_)] if node.function == "*" else []
    if node.function == "/":  # 100 * won / closed is read as (100 * won) / closed
        above, below = node.arguments
        return _is_hundredfold(above) and not isinstance(below, Literal_) and not _is_hundredfold(below)
    return any(side.value == 100 for side in sides)


def refused(node: Node, context: Context) -> Iterator[str]:
    """Stocks have a value at a day, and none over days."""
    if isinstance(node, Rolling | ToDate):
        name = "rolling" if isinstance(node, Rolling) else "to_date"
        for leaf in leaves(node.inner, context):
            if leaf.lived is not None:
                yield f"{leaf.name} is as known on a day, and {name}() adds up days; only events and flows have a sum over days"
            elif isinstance(leaf.time, Snapshot):
                yield f"{leaf.name} is a balance (snapshot:), and {name}() adds up days; only events and flows have a sum over days"
            elif isinstance(leaf.time, During) and leaf.moved is None:
                what = "a stock (during:)" if leaf.retained is None else "the retention of a stock"
                yield f"{leaf.name} is {what}, and {name}() adds up days; only events and flows have a sum over days"
    if isinstance(node, Around):
        yield from refused(node.inner, context)
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield from refused(argument, context)


FORMULA = FormulaKind()
