"""What a figure is made of, with the value of each part in one period: one statement for the whole tree.

The parts are taken over the days that the figure itself covers, so that they are the very values it was computed
from, and over all groups, under the filters of the query.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kpi.metrics import clashes, expressions
from kpi.metrics.kinds import lagging
from kpi.metrics.model import (
    Around,
    AtStart,
    Call,
    Definitions,
    Formula,
    Lag,
    Leaf,
    Metric,
    MetricRef,
    Node,
    Only,
    Query,
    Rolling,
    Shift,
    ToDate,
)
from kpi.metrics.nodes import pers_of
from kpi.metrics.operators import shown
from kpi.metrics.query import run
from kpi.metrics.result import Cell, Result
from kpi.warehouse.reader import Reader


@dataclass(frozen=True)
class Branch:
    """A part of a figure.

    Attributes:
        name: of a metric, or as a formula has it, such as ``previous(revenue, 1 year)``.
        text: its definition as written, key by key; empty for a term of a formula.
        cell: its value in the period, or None for what only chooses rows (the metric of a ``per()``), splits them (that of
            an allocation), or is looked at for each entity by itself (those of a ``time_to``).
    """

    depth: int
    name: str
    label: str
    text: Mapping[str, str]
    unit: str
    cell: Cell | None


@dataclass(frozen=True)
class _Part:
    depth: int
    name: str
    metric: Metric
    valued: bool


def tree(name: str, result: Result, definitions: Definitions, reader: Reader, period: dt.date | None = None) -> tuple[Branch, ...]:
    """The tree of a metric of an answer.

    Args:
        period: first day of one of the answer's periods; None: the last one.

    Raises:
        QueryError: as :func:`kpi.metrics.query.run` does.
    """
    parts = tuple(_parts(definitions.metrics[name], definitions, name))
    terms = {part.metric.name: part.metric for part in parts}
    spans = [span for span in result.coverage.values() if span is not None]
    query = Query(
        metrics=tuple(dict.fromkeys(part.metric.name for part in parts if part.valued)),
        where=result.query.where,
        grain=result.query.grain,
        since=result.query.since or min((span.start for span in spans), default=None),
        until=result.query.until or max((span.end for span in spans), default=None),
        periods=result.query.periods if period is None else (period,),
        together=True,
    )
    answer = run(query, replace(definitions, metrics={**definitions.metrics, **terms}), reader)
    cells: dict[str, Cell] = {}
    for metric in query.metrics:
        found = [cell for cell in answer.cells(metric) if period in (None, cell.period)]
        if found:
            cells[metric] = found[-1]
    return tuple(
        Branch(
            part.depth,
            part.name,
            part.metric.label,
            part.metric.text,
            part.metric.unit,
            cells.get(part.metric.name) if part.valued else None,
        )
        for part in parts
    )


def _parts(metric: Metric, definitions: Definitions, above: str, depth: int = 0, valued: bool = True) -> Iterator[_Part]:
    """The metric, then what it is made of; ``above``: the names that lead to it, for terms to be told apart."""
    yield _Part(depth, metric.name, metric, valued)
    known = definitions.metrics
    if isinstance(metric, Formula) and not metric.made_of:
        terms = dict.fromkeys(_terms(metric.formula))
        names = [term.name for term in terms if isinstance(term, MetricRef)]  # these have branches of their own
        for place, term in enumerate(terms):
            if isinstance(term, Around):
                yield _Part(depth + 1, written(term), _as_metric(term, f"{above}~{place}", metric, definitions), valued)
                for name in expressions.metrics_of(term.inner):
                    if name not in names:
                        names.append(name)
                        yield from _parts(known[name], definitions, f"{above}~{name}", depth + 2, valued)
            else:
                name = term.name
                yield from _parts(known[name], definitions, f"{above}~{name}", depth + 1, valued)
    elif isinstance(metric, Formula):
        for name in metric.made_of:
            yield from _parts(known[name], definitions, f"{above}~{name}", depth + 1, valued)
    elif isinstance(metric, Leaf):
        about = metric.moved or metric.retained
        if about is not None:
            yield from _parts(known[about.stock], definitions, above, depth + 1, valued)
        for name in metric.lived.made_of if metric.lived else ():
            yield from _parts(known[name], definitions, above, depth + 1, False)
        for per in pers_of(metric.condition) if metric.lived is None else ():  # told of the metric that it starts with
            yield from _parts(known[per.metric], definitions, above, depth + 1, False)
        if metric.allocate is not None:
            yield from _parts(known[metric.allocate.basis.name], definitions, above, depth + 1, False)


def _terms(node: Node) -> Iterator[MetricRef | Around]:
    """The metrics of a formula and what is written around metrics, in the order of its text."""
    if isinstance(node, Call):
        for argument in node.arguments:
            yield from _terms(argument)
    elif isinstance(node, MetricRef | Around):
        yield node


def _as_metric(term: Node, name: str, metric: Metric, definitions: Definitions) -> Formula:
    unit = clashes.unit_of(term, lambda other: definitions.metrics[other].unit)
    plain: dict[str, Any] = {"means": "", "owner": "", "better": None, "targets": (), "needs": None, "where": metric.where, "text": {}}
    return Formula(name=name, label=written(term), unit=unit if unit in clashes.UNITS else "number", **plain, formula=term)


def written(node: Node) -> str:
    """A term as its author wrote it."""
    if isinstance(node, Shift | Rolling):
        word = "previous" if isinstance(node, Shift) else "rolling"
        return f"{word}({written(node.inner)}, {node.count} {node.unit}{'' if node.count == 1 else 's'})"
    if isinstance(node, ToDate | AtStart):
        return f"{'to_date' if isinstance(node, ToDate) else 'at_start'}({written(node.inner)}, {node.unit})"
    if isinstance(node, Only):
        return f"only({written(node.inner)}, {node.condition})"
    if isinstance(node, Lag):
        return f"{written(node.inner)} {lagging.earlier(node)}"
    if isinstance(node, Around):
        return f"total({written(node.inner)})"
    if isinstance(node, Call) and len(node.arguments) == 2 and node.function in "+-*/":
        return f"{written(node.arguments[0])} {node.function} {written(node.arguments[1])}"
    return shown(node)
