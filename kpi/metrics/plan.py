"""Query -> Plan: one statement for all metrics asked for, and what must be known to read its answer.

Leaves of one table and time are read in one scan; each set of windows they are taken over is a slot. The scans'
rows are stacked (place of the period, groups, slot, columns) and added up by place and groups, so that missing
keys meet; formulas are computed over that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, Final

import sqlalchemy as sa

from kpi.errors import QueryError, UnknownName, UsageError
from kpi.metrics import expressions, goals, ranking, reaching, sentences
from kpi.metrics.aspect import Aspect, of_entity, of_query
from kpi.metrics.assembly import Assembly
from kpi.metrics.binding import Values
from kpi.metrics.catalog import Catalog
from kpi.metrics.cubes import Cubes
from kpi.metrics.entities import entity
from kpi.metrics.figures import Answers, Figures
from kpi.metrics.keys import Keys
from kpi.metrics.model import At, Cumulated, Definitions, During, Leaf, MetricRef, Node, Over, Query, Snapshot, Time
from kpi.metrics.reach import Reach, common, known, reach_of
from kpi.metrics.result import Note, Span, State
from kpi.metrics.splitting import Lacks
from kpi.metrics.stages import rates
from kpi.metrics.stages.allocating import allocated
from kpi.metrics.stages.conversions import conversions
from kpi.metrics.stages.direct import direct
from kpi.metrics.stages.events import events, is_additive
from kpi.metrics.stages.flows import flows
from kpi.metrics.stages.lives import Reaching, starts
from kpi.metrics.stages.movements import movements
from kpi.metrics.stages.retentions import retentions
from kpi.metrics.stages.scan import Scan, Stage
from kpi.metrics.stages.snapshots import snapshots
from kpi.metrics.stages.stays import stays
from kpi.metrics.stages.stocks import stocks
from kpi.metrics.stages.survivals import survivals
from kpi.metrics.uses import Tree, Use, divided, expand, uses_of, with_leaves
from kpi.metrics.windows import KEPT, Frame, Window, opened, windows
from kpi.periods import Period
from kpi.warehouse.reader import CoverageRow, CurrencyRow

#: A page shows some hundred; days of a century are far above.
MAX_PERIODS: Final = 50_000

Windows = tuple[Window | None, ...]


@dataclass(frozen=True)
class Facts:
    """What the plan hangs on besides the query and the definitions: the same for a generation's whole life.

    Attributes:
        versions: whether any account, or a history of ``tables:``, has former values.
        spans, doubled: of tables that this program did not make, see :class:`kpi.metrics.asking.Answers`.
        ways: for tables of flows and their times, in which ways the bounds of rows are known.
        lacks: of allocated leaves, which keys their rows lack.
    """

    coverage: tuple[CoverageRow, ...]
    currencies: tuple[CurrencyRow, ...]
    versions: bool
    ways: tuple[tuple[str, Over, frozenset[int]], ...] = ()
    lacks: tuple[Lacks, ...] = ()
    spans: tuple[tuple[str, Time, CoverageRow | None], ...] = ()
    doubled: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Asked:
    """A metric of the query.

    Attributes:
        tree: its formula over uses of leaves; ``needs``: of its needs, with the least.
        covered: the days that all its leaves cover.
        base: the window of each period without steps; None: outside coverage.
        whole: for each period whether every window of every use is whole.
        known: for each period whether every window of every use is there.
        late: places of the periods whose later events may not all be there yet: which events, and within how many days.
        figures: of each per() that its rows, or those of the query, are chosen by.
    """

    name: str
    tree: Tree
    needs: Tree | None
    at_least: Decimal | None
    covered: tuple[Period, ...]
    reaches: Mapping[str, Reach]
    base: Windows
    whole: tuple[bool, ...]
    known: tuple[bool, ...]
    late: Mapping[int, tuple[str, int]]
    figures: tuple[Figures, ...] = ()

    @property
    def waits(self) -> State:
        """What a cohort's figure without a value is: not reached yet, or of a day to which nobody was followed."""
        shown = [use.leaf.shown.what for use in uses_of(self.tree) if use.leaf.shown]
        return "empty" if set(shown) <= {"share"} else "not reached"

    @property
    def uncounted(self) -> bool:
        """Whether two systems hold the same thing and nothing says which counts."""
        return any(reach.uncounted for reach in self.reaches.values())


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
    asked = tuple(_asked(name, *trees[name], covered[name], reaches, frame, definitions, figures[name]) for name in query.metrics)
    slots, of_use = _slots(asked, frame, definitions)
    ratios = {use.leaf.name for one in asked for use in divided(one.tree)}
    top = None
    if query.top is not None and frame.periods:
        name = f"{within}top"
        top = ranking.Top(plan(ranking.question(query, frame), definitions, facts, values, (), f"{name}_")[1], query, name)
    scans = _scans(aspect, definitions, facts, reaches, slots, of_use, asked_keys, ratios, within, top, answers)
    from_rows = partial(_staged, of_use=of_use, definitions=definitions, facts=facts, answers=answers)
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


def _asked(
    name: str,
    tree: Tree,
    needs: Tree | None,
    covered: tuple[Period, ...],
    reaches: Mapping[str, Reach],
    frame: Frame,
    definitions: Definitions,
    figures: tuple[Figures, ...] = (),
) -> Asked:
    base = windows(frame, (), covered, definitions.calendar)
    of_uses = [windows_of(use, frame, covered, definitions) for use in uses_of(tree) if use.steps or use.leaf.retained] + [base]
    late = _late(tree, covered, reaches, frame, definitions)
    metric = definitions.metrics.get(name)
    sure = all(figure.is_whole for figure in figures)
    whole, known = _found(tuple(dict.fromkeys(of_uses)))
    return Asked(
        name=name,
        tree=tree,
        needs=needs,
        at_least=metric.needs.at_least if metric and metric.needs else None,
        covered=covered,
        reaches=_concerned(tree, reaches),
        base=base,
        whole=tuple(found and place not in late and sure for place, found in enumerate(whole)) if late or not sure else whole,
        known=known,
        late=late,
        figures=figures,
    )


@lru_cache(maxsize=KEPT)
def _found(of_uses: tuple[Windows, ...]) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """For each period whether every window is whole, and whether every one is there; most metrics of a page ask for the same."""
    together = list(zip(*of_uses, strict=True))
    whole = tuple(all(window is not None and window.whole for window in found) for found in together)
    return whole, tuple(None not in found for found in together)


def _late(
    tree: Tree, covered: tuple[Period, ...], reaches: Mapping[str, Reach], frame: Frame, definitions: Definitions
) -> Mapping[int, tuple[str, int]]:
    """Places of periods after which not all days are covered that later events may still happen on: which, and how many days."""
    found: dict[int, tuple[str, int]] = {}
    for use in uses_of(tree):
        followed = use.leaf.followed
        if followed is None:
            continue
        spans = reaches[followed.to.table].spans
        for place, window in enumerate(windows(frame, use.steps, covered, definitions.calendar)):
            if window is None:
                continue
            until = window.end + dt.timedelta(days=followed.within_days)
            if not any(span.start <= window.start and until <= span.end for span in spans):
                found.setdefault(place, (followed.to.name.removeprefix("events of "), followed.within_days))
    return found


def windows_of(use: Use, frame: Frame, covered: tuple[Period, ...], definitions: Definitions) -> Windows:
    """The days over which a use takes its leaf in each period."""
    if use.leaf.retained is not None:
        return opened(frame, use.steps, use.leaf.retained.back, covered, definitions.calendar)
    return windows(frame, use.steps, covered, definitions.calendar)


def _concerned(tree: Tree, reaches: Mapping[str, Reach]) -> dict[str, Reach]:
    """The reach of each table that a metric counts, and of those that it is split by where nobody knows which rows count."""
    found = {table: reaches[table] for use in uses_of(tree) for table in use.leaf.tables}
    by = {use.leaf.allocate.basis.table for use in uses_of(tree) if use.leaf.allocate}
    return found | {table: reaches[table] for table in sorted(by) if reaches[table].uncounted}


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


#: A use in a metric's own coverage is taken over one slot.
UseKey = tuple[str, tuple[Any, ...], tuple[Period, ...]]


def use_key(use: Use, covered: tuple[Period, ...]) -> UseKey:
    """What decides the slot of a use."""
    return use.leaf.name, use.steps, covered


def _slots(
    asked: Sequence[Asked], frame: Frame, definitions: Definitions
) -> tuple[list[Windows], dict[UseKey, tuple[Use, int, set[bool]]]]:
    """Distinct sets of windows, and for each use its slot and whether its groups and its total are asked for."""
    slots: dict[Windows, int] = {}
    of_use: dict[UseKey, tuple[Use, int, set[bool]]] = {}
    for one in asked:
        for tree in (one.tree, one.needs):
            for use in uses_of(tree) if tree is not None else ():
                key = use_key(use, one.covered)
                if key not in of_use:
                    found = windows_of(use, frame, one.covered, definitions)
                    of_use[key] = (use, slots.setdefault(found, len(slots)), set())
                of_use[key][2].add(use.total)
    return list(slots), of_use


def _scans(
    aspect: Aspect,
    definitions: Definitions,
    facts: Facts,
    reaches: Mapping[str, Reach],
    slots: Sequence[Windows],
    of_use: Mapping[UseKey, tuple[Use, int, set[bool]]],
    keys: Keys,
    ratios: Collection[str],
    within: str,
    top: ranking.Top | None,
    answers: Answers,
) -> tuple[Scan, ...]:
    """One scan for the leaves that can share it. ``within`` begins the names of their parts."""
    together: dict[tuple[Any, ...], dict[str, Leaf]] = {}
    needed: dict[str, set[int]] = {}
    for use, slot, _ in of_use.values():
        leaf = use.leaf
        if not any(slots[slot]):
            continue
        foreign = _is_foreign(leaf, definitions, facts)
        converted = foreign and leaf.moved is None
        alone = leaf.name if converted or leaf.followed or leaf.allocate or not (is_additive(leaf) or leaf.lived) else ""
        # Balances are picked among the rows of a condition, so that only leaves with the same share them.
        value = leaf.value if isinstance(leaf.time, Over) else leaf.condition if isinstance(leaf.time, Snapshot) else None
        counts = isinstance(leaf.time, Over) and leaf.aggregate
        cohort = (leaf.lived, leaf.condition) if leaf.lived else None
        moved = (leaf.moved.within_days, leaf.aggregate, leaf.value, leaf.condition) if leaf.moved else None
        retained = (leaf.retained.back, leaf.aggregate, leaf.value, leaf.condition) if leaf.retained else None
        key = (
            leaf.table,
            leaf.time,
            value,
            counts,
            foreign,
            alone if foreign or retained is None else "",
            moved,
            retained,
            leaf.only,
            leaf.free_stays,
            cohort,
        )
        together.setdefault(key, {})[leaf.name] = leaf
        needed.setdefault(leaf.name, set()).add(slot)
    converts = any(
        key[4] or (leaf.allocate and _is_foreign(leaf.allocate.basis, definitions, facts))
        for key, found in together.items()
        for leaf in found.values()
    )
    rate = rates.rates(definitions.currency, within) if converts else None
    scans, bounds = [], dict[Any, Any]()
    for place, (key, leaves) in enumerate(together.items()):
        table, first = key[0], next(iter(leaves))
        by, filters = aspect(table, first)
        scan = Scan(
            name=f"{within}s{place}",
            table=table,
            leaves=tuple(leaves.values()),
            slots={slot: slots[slot] for slot in sorted(set().union(*(needed[name] for name in leaves)))},
            by=ranking.kept(by, top),
            filters=(*(answers.of(node) for node in filters), *leaves[first].only),
            reach=reaches[table],
            calendar=definitions.calendar,
            currency=definitions.currency,
            rate=rate if key[4] else None,
            versions=facts.versions,
            reaches=reaches,
            catalog=definitions.catalog,
            ways=_ways(table, key[1], facts),
            bounds=bounds,
        )
        if (allocate := leaves[first].allocate) is not None:
            ways, foreign = _ways(allocate.basis.table, allocate.basis.time, facts), _is_foreign(allocate.basis, definitions, facts)
            basis = replace(scan, reach=reaches[allocate.basis.table], ways=ways, rate=rate if foreign else None)
            scan = replace(scan, split=keys.split(leaves[first], basis, first in ratios))
        scans.append(scan)
    for scan in scans:
        _refuse_fan_out(scan, facts)
    # Also what is never scanned must be reachable, so that an empty warehouse refuses the same queries.
    for use, _, _ in of_use.values():
        if use.leaf.name not in needed:
            aspect(use.leaf.table, use.leaf.name)
    return tuple(scans)


def _ways(table: str, time: Time, facts: Facts) -> frozenset[int] | None:
    return next((ways for known, other, ways in facts.ways if (known, other) == (table, time)), None)


def _refuse_fan_out(scan: Scan, facts: Facts) -> None:
    if not facts.doubled:
        return
    scans = (scan,) if scan.split is None or scan.split.basis is None else (scan, scan.split.basis)
    nodes = [node for one in scans for leaf in one.leaves for node in _looked_at(leaf, scan.catalog)]
    nodes += [node for one in scans for node in (*one.by, *one.filters)]
    for column in (column for node in nodes for column in expressions.columns_of(node)):
        for hop in column.path:
            if (hop.to_table, hop.to_column) in facts.doubled:
                once = " on one day" if scan.catalog.is_history(hop.to_table) else ""
                raise QueryError(
                    f"{hop.to_table} has several rows with the same {hop.to_column}{once}, so that each row of {hop.table} that is joined "
                    f"to it by {hop.column} would count several times; make {hop.to_column} unique there, or join by another column"
                )


def _looked_at(leaf: Leaf, catalog: Catalog) -> list[Node]:
    """What a leaf's rows are asked for."""
    time = leaf.time
    days = (time.column,) if isinstance(time, At) else (time.column, *time.each) if isinstance(time, Snapshot) else (time.start, time.end)
    nodes: list[Node | None] = [leaf.value, leaf.condition, *days]
    if (followed := leaf.followed) is not None:
        nodes += [followed.entity, followed.to_entity, *_looked_at(followed.to, catalog)]
    if (lived := leaf.lived) is not None:
        nodes += [node for other in lived.leaves for node in _looked_at(other, catalog)]
        nodes += [entity(lived.each, one.table, catalog) for one in (leaf, *lived.leaves)]
    return [node for node in nodes if node is not None]


def _is_foreign(leaf: Leaf, definitions: Definitions, facts: Facts) -> bool:
    """Whether any row's amount may be in another currency than the one asked for."""
    if leaf.money is None:
        return False
    return any(row.table_name == leaf.table and row.currency != definitions.currency and row.row_count for row in facts.currencies)


def _staged(
    scan: Scan, of_use: Mapping[UseKey, tuple[Use, int, set[bool]]], definitions: Definitions, facts: Facts, answers: Answers
) -> Stage:
    leaf = scan.leaves[0]
    names = {one.name for one in scan.leaves}
    totals = bool(scan.by) and any(True in asked for use, _, asked in of_use.values() if use.leaf.name in names)
    if leaf.lived is not None:
        begun = starts(scan)
        return survivals(scan, begun, reached(scan, begun, definitions, facts, answers), totals)
    if scan.split is not None:
        return allocated(scan)
    if leaf.moved is not None:
        return movements(scan)
    if leaf.followed is not None:
        return conversions(scan)
    if leaf.retained is not None:
        return retentions(scan, totals)
    if leaf.aggregate == "count_distinct" and isinstance(leaf.time, During) and not scan.foreign:
        return stays(scan, totals)
    if not is_additive(leaf):
        return direct(scan, totals)
    if isinstance(leaf.time, At):
        return events(scan)
    if isinstance(leaf.time, Over):
        if leaf.aggregate == "average":
            raise QueryError(f"{leaf.name} is a flow, which adds up: it takes sum or count, not average")
        return flows(scan)
    return snapshots(scan) if isinstance(leaf.time, Snapshot) else stocks(scan)


def reached(scan: Scan, begun: sa.CTE, definitions: Definitions, facts: Facts, answers: Answers) -> Reaching | None:
    """Of a sum that an entity waits for: the days on which it has come so far; None: it waits for an event.

    The sum is that of its metrics by entity and month, as any query has it, within one statement. Where its parts add
    up over months, they are taken of each month and added up after, which is less work by the number of months.

    Args:
        begun: who started (:func:`kpi.metrics.stages.lives.starts`); nobody else is looked at.
    """
    question = reaching.question_of(scan, definitions)
    if question is None:
        return None
    frame, within = question.frame, f"{scan.name}_"
    aspect = of_entity(question.each, definitions.catalog)
    keys = Keys(aspect, frame.grain, definitions.calendar, facts.lacks)
    trees = {name: answers.of_tree(with_leaves(tree, keys.seen)) for name, tree in question.trees.items()}
    so_far = all(map(reaching.adds_up, trees.values()))
    if so_far:
        trees = {name: reaching.of_months(tree) for name, tree in trees.items()}
    asked = tuple(_asked(name, tree, None, question.covered, scan.reaches, frame, definitions) for name, tree in trees.items())
    slots, of_use = _slots(asked, frame, definitions)
    ratios = {use.leaf.name for one in asked for use in divided(one.tree)}
    scans = _scans(aspect, definitions, facts, scan.reaches, slots, of_use, keys, ratios, within, None, answers)
    if so_far:
        scans = tuple(replace(inner, row_by_row=True, among=begun) for inner in scans)
    stages = {inner.name: reaching.bare(_staged(inner, of_use, definitions, facts, answers)) for inner in scans}
    assembly = Assembly(frame, question.query, definitions.calendar, stages, slots, of_use, within=within, so_far=so_far)
    statement, extra = assembly.statement(asked)
    return reaching.days(question, statement, extra, within)
