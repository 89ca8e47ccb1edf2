"""Uses of leaves -> scans: which leaves are read together, what each scan reads, and the stage that makes its rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from kpi.errors import QueryError
from kpi.metrics import expressions, ranking, reaching
from kpi.metrics.aspect import Aspect, of_entity
from kpi.metrics.assembly import Assembly
from kpi.metrics.catalog import Catalog
from kpi.metrics.entities import entity
from kpi.metrics.facts import Facts
from kpi.metrics.figures import Answers
from kpi.metrics.keys import Keys
from kpi.metrics.model import At, Definitions, During, Leaf, Node, Over, Snapshot, Time
from kpi.metrics.reach import Reach
from kpi.metrics.slots import UseKey, Windows, asked_for, slots_of
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
from kpi.metrics.uses import Use, divided, with_leaves


def scans_of(
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


def staged(
    scan: Scan, of_use: Mapping[UseKey, tuple[Use, int, set[bool]]], definitions: Definitions, facts: Facts, answers: Answers
) -> Stage:
    """The stage that makes a scan's rows: each kind of metric has its own."""
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
    asked = tuple(asked_for(name, tree, None, question.covered, scan.reaches, frame, definitions) for name, tree in trees.items())
    slots, of_use = slots_of(asked, frame, definitions)
    ratios = {use.leaf.name for one in asked for use in divided(one.tree)}
    scans = scans_of(aspect, definitions, facts, scan.reaches, slots, of_use, keys, ratios, within, None, answers)
    if so_far:
        scans = tuple(replace(inner, row_by_row=True, among=begun) for inner in scans)
    stages = {inner.name: reaching.bare(staged(inner, of_use, definitions, facts, answers)) for inner in scans}
    assembly = Assembly(frame, question.query, definitions.calendar, stages, slots, of_use, within=within, so_far=so_far)
    statement, extra = assembly.statement(asked)
    return reaching.days(question, statement, extra, within)
