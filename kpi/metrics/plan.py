"""Query -> Plan: one statement for all metrics asked for, and what must be known to read its answer.

Leaves of one table and time are read in one scan; each set of windows they are taken over is a slot. The scans'
rows are stacked (place of the period, groups, slot, columns) and added up by place and groups, so that missing
keys meet; formulas are computed over that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from kpi.errors import QueryError, UnknownName, UsageError
from kpi.metrics import goals, ranking, sentences
from kpi.metrics.aspect import Aspect, of_query
from kpi.metrics.assembly import Assembly
from kpi.metrics.binding import Values
from kpi.metrics.cubes import Cubes
from kpi.metrics.facts import Facts
from kpi.metrics.figures import Answers
from kpi.metrics.keys import Keys
from kpi.metrics.model import Cumulated, Definitions, Leaf, MetricRef, Node, Query
from kpi.metrics.reach import Reach, common, known, reach_of
from kpi.metrics.result import Note, Span
from kpi.metrics.scans import scans_of, staged
from kpi.metrics.slots import Asked, asked_for, slots_of
from kpi.metrics.stages.scan import Scan
from kpi.metrics.uses import Tree, divided, expand, uses_of, with_leaves
from kpi.metrics.windows import Frame
from kpi.periods import Calendar, Grain, Period

#: A page shows some hundred; days of a century are far above.
MAX_PERIODS: Final = 50_000


@dataclass(frozen=True)
class Plan:
    """How a statement's columns are read: the period, the groups, the metrics, then what ``extra`` names.

    ``foreign`` are the scans whose amounts are converted, by leaf; ``backwards`` those of durations.
    """

    frame: Frame
    asked: tuple[Asked, ...]
    extra: tuple[tuple[str, str], ...]
    coverage: Mapping[str, Span | None]
    targets: Mapping[str, Mapping[dt.date, Decimal]]
    notes: tuple[Note, ...]
    data_through: dt.date | None
    scans: tuple[Scan, ...]


#: Groupings that one statement answers, each some of a query's dimensions.
Sets = tuple[tuple[str, ...], ...]


class NotTogether(QueryError):
    """Several groupings can't be answered by one statement: what is asked for doesn't add up over groups."""


def plan(
    query: Query,
    definitions: Definitions,
    facts: Facts,
    values: Values | None = None,
    sets: Sets = (),
    within: str = "",
    spare: bool = False,
    cubes: Cubes | None = None,
) -> tuple[Plan, sa.Select[Any]]:
    """Plan a query: the plan, and its statement, which is some ten thousand objects and not to be kept.

    Args:
        values: of its filters, where ``query`` is a :class:`kpi.metrics.binding.Shape`'s.
        sets: groupings to answer instead of the one by all of the query's dimensions.
        within: begins the names of its parts, where the statement is a part of another.
        cubes: answers filters from cells that are kept; None: from rows.
        spare: its answer has one more group, :data:`kpi.metrics.groups.OTHER`, of what a metric is without rows.

    Raises:
        UnknownName: a metric or dimension that doesn't exist.
        NotTogether: ``sets`` of what doesn't add up.
        QueryError: what these definitions can't answer, with the reason.
    """
    ranking.checked(query, definitions)
    trees = _trees(query, definitions)
    aspect = of_query(query, definitions, values or {})
    asked_keys = Keys(aspect, query.grain, definitions.calendar, facts.lacks)
    for name, (tree, needs) in trees.items():
        trees[name] = with_leaves(tree, asked_keys.seen), None if needs is None else with_leaves(needs, asked_keys.seen)
    leaves = [use.leaf for pair in trees.values() for tree in pair if tree is not None for use in uses_of(tree)]
    tables = dict.fromkeys(table for leaf in leaves for table in (*leaf.tables, *([leaf.allocate.basis.table] if leaf.allocate else [])))
    reaches = {table: reach_of(table, definitions.sources, facts.coverage) for table in tables}
    covered = {
        name: common(_spans(use.leaf, table, reaches, facts) for use in uses_of(tree) for table in use.leaf.tables)
        for name, (tree, _) in trees.items()
    }
    if query.together:
        covered = dict.fromkeys(covered, common(covered.values()))
    frame = _frame(query, definitions, covered.values())
    answers = Answers(lambda asked, name: plan(asked, definitions, facts, None, (), name, True), frame, within)
    trees = {name: (answers.of_tree(tree), answers.of_tree(needs)) for name, (tree, needs) in trees.items()}
    figures = {name: answers.behind(_behind(trees[name], definitions), _filters(aspect, trees[name][0])) for name in query.metrics}
    covered = {name: spans if all(figure.is_known for figure in figures[name]) else () for name, spans in covered.items()}
    asked = tuple(asked_for(name, *trees[name], covered[name], reaches, frame, definitions, figures[name]) for name in query.metrics)
    slots, of_use = slots_of(asked, frame, definitions)
    ratios = {use.leaf.name for one in asked for use in divided(one.tree)}
    top = None
    if query.top is not None and frame.periods:
        name = f"{within}top"
        top = ranking.Top(plan(ranking.question(query, frame), definitions, facts, values, (), f"{name}_")[1], query, name)
    scans = scans_of(aspect, definitions, facts, reaches, slots, of_use, asked_keys, ratios, within, top, answers)
    from_rows = partial(staged, of_use=of_use, definitions=definitions, facts=facts, answers=answers)
    stages = {scan.name: (cubes.stage(scan, from_rows) if cubes else None) or from_rows(scan) for scan in scans}
    if sets and not all(parts.additive for stage in stages.values() for parts in stage.parts.values()):
        raise NotTogether("averages, medians and distinct counts of groups are no part of those of larger groups")
    shown = None if top is None else top.table
    assembly = Assembly(frame, query, definitions.calendar, stages, slots, of_use, sets, within, shown, spare)
    statement, extra = assembly.statement(asked)
    hull = {one.name: Span(one.covered[0].start, one.covered[-1].end) if one.covered else None for one in asked}
    together = common(one.covered for one in asked)
    made = Plan(
        frame=frame,
        asked=asked,
        extra=extra,
        coverage=hull,
        targets={name: goals.targets_of(definitions.metrics[name], definitions.metrics, frame.periods) for name in query.metrics},
        notes=sentences.of_coverage(asked, frame, query, facts.coverage),
        data_through=together[-1].end - dt.timedelta(days=1) if together else None,
        scans=scans,
    )
    return made, statement


def _spans(leaf: Leaf, table: str, reaches: Mapping[str, Reach], facts: Facts) -> tuple[Period, ...]:
    """The days of a table that a leaf knows; of one that this program did not make the span of the leaf's own dates."""
    others = (leaf.followed.to,) if leaf.followed else leaf.lived.leaves if leaf.lived else ()
    time = leaf.time if table == leaf.table else next((other.time for other in others if other.table == table), leaf.time)
    own = [row for name, stands, row in facts.spans if (name, stands) == (table, time)]
    return known(own[0]) if own and own[0] is not None else () if own else reaches[table].spans


def _trees(query: Query, definitions: Definitions) -> dict[str, tuple[Tree, Tree | None]]:
    if not query.metrics:
        raise QueryError("a query asks for at least one metric")
    found: dict[str, tuple[Tree, Tree | None]] = {}
    for name in query.metrics:
        metric = definitions.metrics.get(name)
        if metric is None:
            raise UnknownName("metric", name, definitions.metrics)
        needs = expand(metric.needs.of, definitions.metrics) if metric.needs else None
        found[name] = (expand(MetricRef(name), definitions.metrics), needs)
    return found


def _frame(query: Query, definitions: Definitions, covered: Any) -> Frame:
    """The periods asked for; without since or until as far as any metric reaches."""
    if query.spans:
        return _to_date(query, definitions)
    spans = [span for spans in covered for span in spans]
    first, last = min((span.start for span in spans), default=None), max((span.end for span in spans), default=None)
    since, until = query.since or first, query.until or last
    if since is None or until is None or since >= until:
        if query.since is not None and query.until is not None:
            raise UsageError(f"there is no day from {query.since} to before {query.until}; since is the first day, until the first no more")
        return Frame(query.grain, (), dt.date.min, dt.date.min)
    if query.grain == "day" and (until - since).days > MAX_PERIODS:
        raise QueryError(f"{(until - since).days:,} days are too many for one answer; at most {MAX_PERIODS:,} are shown")
    try:
        periods = definitions.calendar.periods(since, until, query.grain)
        wanted = tuple(period for period in periods if period.start in query.periods) if query.periods else periods
        return Frame(query.grain, wanted, since, until)
    except (OverflowError, ValueError) as error:
        raise QueryError(f"{since} to {until} is beyond the calendar's years") from error


def _to_date(query: Query, definitions: Definitions) -> Frame:
    spans = tuple(sorted(query.spans))
    fit = query.grain != "all" and len({span.start for span in spans}) == len(spans)
    if not fit or any(Period(span.start, span.end) != _of(span, query.grain, definitions.calendar) for span in spans):
        raise QueryError(f"spans are the first days of {query.grain}s that differ")
    return Frame(query.grain, spans, spans[0].start, max(span.end for span in spans), to_date=True)


def _of(span: Period, grain: Grain, calendar: Calendar) -> Period:
    """The span as it should be: from its period's first day to a day in it."""
    whole = calendar.period(span.start, grain)
    return Period(whole.start, max(whole.start + dt.timedelta(days=1), min(span.end, whole.end)))


def _filters(aspect: Aspect, tree: Tree) -> tuple[Node, ...]:
    """The filters of a query, as the first leaf of a metric sees them."""
    leaf = next((use.leaf for use in uses_of(tree)), None)
    return () if leaf is None else aspect(leaf.table, leaf.name)[1]


def _behind(trees: Iterable[Tree | None], definitions: Definitions) -> Iterator[Tree]:
    """The formulas of a metric, and those of the sums that its entities wait for."""
    for tree in trees:
        if tree is not None:
            yield tree
            untils = (use.leaf.lived.until for use in uses_of(tree) if use.leaf.lived is not None)
            yield from (expand(until.total, definitions.metrics) for until in untils if isinstance(until, Cumulated))
