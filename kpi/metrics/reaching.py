"""A sum that an entity waits for: the question it asks by entity and month, and the days that the answer comes down to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.compile import literal
from kpi.metrics.model import Call, Cumulated, Definitions, Literal_, MetricRef, Query, ToDate
from kpi.metrics.reach import common
from kpi.metrics.stages.lives import Reaching
from kpi.metrics.stages.scan import Scan, Stage, day_number
from kpi.metrics.uses import Tree, Use, divided, expand, uses_of
from kpi.metrics.windows import Frame
from kpi.periods import Period

#: What the columns beside a metric say of an entity's month whose sum nobody can tell, and how they are called.
_UNTOLD = {"missing": "without a rate in", "unallocated": "unallocated in"}

#: What a sum of all days so far asks of its leaves.
_ALL_DAYS = ToDate(MetricRef(""), "all")


@dataclass(frozen=True)
class Question:
    """What is asked by entity and month.

    Attributes:
        trees: ``total``, the sum, and where anything of it has a plus sign ``gains``, that part.
        covered: the days that all of it covers.
    """

    until: Cumulated
    each: str
    frame: Frame
    trees: Mapping[str, Tree]
    covered: tuple[Period, ...]

    @property
    def query(self) -> Query:
        """The groups, for putting the statement together."""
        return Query((), by=("entity",), grain="month")


def question_of(scan: Scan, definitions: Definitions) -> Question | None:
    """The question of a cohort's scan; None: it waits for an event."""
    leaf = scan.leaves[0]
    if leaf.lived is None or not isinstance(leaf.lived.until, Cumulated):
        return None
    until = leaf.lived.until
    covered = common(scan.reaches[table].spans for table in leaf.tables)
    first, after = covered[0].start, min(scan.after, covered[-1].end)
    months = tuple(month for month in definitions.calendar.periods(first, after, "month") if month.end <= after)
    sums = {"total": until.total} | ({} if until.gains is None else {"gains": until.gains})
    trees = {name: expand(node, definitions.metrics) for name, node in sums.items()}
    return Question(until, leaf.lived.each, Frame("month", months, first, after), trees, covered)


def adds_up(tree: Tree) -> bool:
    """Whether all days so far are the sum of their months, for every leaf; of a ratio more is told than its parts."""
    uses = list(uses_of(tree))
    plain = all(use.steps == (_ALL_DAYS,) and not use.total and use.leaf.aggregate in ("sum", "count") for use in uses)
    return plain and not list(divided(tree))


def of_months(tree: Tree) -> Tree:
    """The formula of each month for itself."""
    if isinstance(tree, Use):
        return replace(tree, steps=())
    if isinstance(tree, Call):
        return replace(tree, arguments=tuple(of_months(argument) for argument in tree.arguments))  # type: ignore[misc]
    return tree


def bare(stage: Stage) -> Stage:
    """Without what is told of an allocation as a whole, which only the ratios of it need here."""
    return stage if stage.shared is None or stage.shared.keys else replace(stage, shared=None)


def days(question: Question, statement: sa.Select[Any], extra: tuple[tuple[str, str], ...], stem: str) -> Reaching:
    """The last days of the months at whose ends the sum has come so far.

    Args:
        statement, extra: the answer, see :meth:`kpi.metrics.assembly.Assembly.statement`.
    """
    until, months = question.until, question.frame.periods
    path = statement.order_by(None).subquery(f"{stem}path")
    ends = operations.rows_of(
        f"{stem}month",
        first=[day_number(month.start) for month in months],
        last=[day_number(month.end) - 1 for month in months],
    )
    least = literal(Literal_(until.least, "number")).element
    total = path.c.total
    enough = total >= least if until.sign == ">=" else total > least
    if until.gains is not None:
        enough = sa.and_(enough, path.c.gains > 0)
    lacking = [path.c[f"{_UNTOLD[kind]} {name}"] for kind, name in extra if kind in _UNTOLD]
    unknown = sa.or_(sa.false(), *(lack > 0 for lack in lacking))
    rows = (
        sa.select(path.c.entity, ends.c.last.label("day"), sa.case((unknown, 1), else_=0).label("lacks"))
        .select_from(sa.join(path, ends, ends.c.first == operations.day_number(path.c.period)))
        .where(path.c.entity.is_not(None), sa.or_(enough, unknown) if lacking else enough)
        .subquery(f"{stem}until")
    )
    return Reaching(rows, bool(lacking))
