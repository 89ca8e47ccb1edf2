"""Query -> Result: planned once for a generation and definitions, run as one statement."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from weakref import WeakKeyDictionary

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from kpi.errors import KpiError
from kpi.metrics import findings, ranking, sentences, splitting
from kpi.metrics.asking import Answers, answers
from kpi.metrics.assembly import set_number
from kpi.metrics.binding import Shape, bound, shape
from kpi.metrics.cubes import Cubes
from kpi.metrics.facts import Facts
from kpi.metrics.model import Definitions, Leaf, Over, Query
from kpi.metrics.plan import NotTogether, Plan, Sets, plan
from kpi.metrics.result import LazyText, Note, Result
from kpi.metrics.slots import Asked
from kpi.metrics.splitting import Lacks
from kpi.metrics.stages.allocating import occurring
from kpi.metrics.stages.scan import Scan
from kpi.metrics.stages.spreading import ways_of
from kpi.warehouse.reader import Prepared, Reader
from kpi.warehouse.schema import account_version

#: Plans kept: some pages with every filter of an afternoon.
_KEPT_PLANS: Final = 256
#: Bytes of the rows that one reader's plans hold.
_KEPT_BYTES: Final = 128 << 20
#: Decimals of a quotient in a result (SEMANTICS, "Numbers").
_QUOTIENT_PLACES: Final = 10

#: A plan, its statement with the query's values, and its SQL to read.
Planned = tuple[Plan, Prepared, LazyText]

_Plans = OrderedDict[tuple[Any, ...], tuple[Plan, Prepared]]
_plans: Final[_Plans] = OrderedDict()
#: Those that hold rows of their reader's warehouse, and go with it.
_plans_of: Final[WeakKeyDictionary[Reader, _Plans]] = WeakKeyDictionary()
_facts: Final[WeakKeyDictionary[Reader, dict[str, Facts]]] = WeakKeyDictionary()
_lock: Final = threading.Lock()


def run(query: Query, definitions: Definitions, reader: Reader, keep: bool = False) -> Result:
    """Answer a query in one statement.

    Args:
        keep: cells by what the filters speak of are kept, and answer filters with other values; see :mod:`kpi.metrics.cubes`.

    Raises:
        UnknownName: a metric, dimension or column that doesn't exist.
        Unreachable: a dimension or filter that a metric's table has no key to.
        QueryError: what can't be answered; QueryTooHeavy: a limit of time or memory was passed.
    """
    query = _once_each(query)
    made, ready, sql = planned(query, definitions, reader, keep=keep)
    answer = reader.run(ready)
    return _result(query, definitions, reader, made, answer, sql, findings.of_rows(made, answer, reader))


def run_together(queries: Sequence[Query], definitions: Definitions, reader: Reader, keep: bool = False) -> list[Result]:
    """Answer queries that differ in what they are grouped by, in one statement where their figures add up over groups.

    Planning and reading the rows take most of a small company's statement, and are done once.

    Raises:
        as :func:`run`; of one query, though others could be answered.
    """
    queries = [_once_each(query) for query in queries]
    found = _one_for_all(queries, definitions, reader, keep)
    if found is None:
        return [run(query, definitions, reader, keep) for query in queries]
    widest, (made, ready, sql) = found
    answer = reader.run(ready)
    told = findings.of_rows(made, answer.drop_columns(answer.column_names[-1:]), reader)
    results = []
    for query in queries:
        rows = answer.filter(pc.equal(answer.column(answer.num_columns - 1), set_number(widest.by, query.by)))
        columns = [0, *(1 + widest.by.index(name) for name in query.by), *range(1 + len(widest.by), answer.num_columns - 1)]
        results.append(_result(query, definitions, reader, made, rows.select(columns), sql, told))
    return results


def planned_together(queries: Sequence[Query], definitions: Definitions, reader: Reader, keep: bool = False) -> Sequence[Planned]:
    """What :func:`run_together` plans, one for all or one for each."""
    queries = [_once_each(query) for query in queries]
    found = _one_for_all(queries, definitions, reader, keep)
    return [planned(query, definitions, reader, keep=keep) for query in queries] if found is None else [found[1]] * len(queries)


def _one_for_all(queries: Sequence[Query], definitions: Definitions, reader: Reader, keep: bool) -> tuple[Query, Planned] | None:
    """The query by all that several are grouped by, with their one plan; None where each needs its own."""
    widest = _widest(queries)
    if widest is None:
        return None
    try:
        return widest, planned(widest, definitions, reader, tuple(query.by for query in queries), keep)
    except NotTogether:
        return None


def _widest(queries: Sequence[Query]) -> Query | None:
    """The query by all that several are grouped by; None where they differ in more, or there is but one."""
    widest = replace(queries[0], by=tuple(dict.fromkeys(name for query in queries for name in query.by)))
    alike = all(query.by and replace(query, by=widest.by) == widest for query in queries)
    # Top groups, orders and limits are of one grouping.
    of_one = widest.top is not None or widest.limit is not None or widest.order
    return widest if alike and len(queries) > 1 and not of_one else None


def _once_each(query: Query) -> Query:
    return replace(query, metrics=tuple(dict.fromkeys(query.metrics)), by=tuple(dict.fromkeys(query.by)))


def _result(
    query: Query, definitions: Definitions, reader: Reader, made: Plan, answer: pa.Table, sql: LazyText, told: Sequence[Note]
) -> Result:
    states, partial = _states(made, answer)
    table = _table(query, made, answer, partial)
    ends = {period.start: period.end for period in made.frame.periods}
    return Result(
        query=query,
        table=table,
        states=states,
        ends=tuple(ends[day] for day in table.column("period").to_pylist()),
        units={name: definitions.metrics[name].unit for name in query.metrics},
        currency=definitions.currency,
        generation=reader.generation,
        definitions=definitions.hash,
        data_through=made.data_through,
        coverage=made.coverage,
        targets=made.targets,
        notes=(*made.notes, *_left_out(made, answer), *told),
        statement=sql,
    )


def planned(query: Query, definitions: Definitions, reader: Reader, sets: Sets = (), keep: bool = False) -> Planned:
    """The plan of a query, by all its dimensions or by ``sets`` of them.

    Planned once for what plans hang on: the values of filters are none of it, where the rest of the filter
    can be read without them.
    """
    facts = facts_of(reader, definitions)
    seen = shape(query)
    try:
        made, ready = _kept(seen, definitions, reader, facts, sets, keep)
    except KpiError as error:
        if not seen.values or isinstance(error, NotTogether):
            raise
        seen = Shape(query, {})  # a value may mean something to the planner, such as a date; and a sentence shall show it
        made, ready = _kept(seen, definitions, reader, facts, sets, keep)
    if seen.values:
        values = {name: value if isinstance(value, str) else list(value) for name, value in seen.values.items()}
        of_query = {name: values[name] for name in values.keys() & ready.values.keys()}
        ready = replace(ready, values={**ready.values, **of_query})
        made = replace(made, scans=tuple(_with(scan, seen, values) for scan in made.scans))
    write = reader.writer  # not the reader, which would be kept open by the text
    return made, ready, LazyText(lambda: write(plan(seen.query, definitions, facts, seen.values, sets)[1]))


def _left_out(made: Plan, answer: pa.Table) -> tuple[Note, ...]:
    """That a limit leaves rows out."""
    if ("rows", "") not in made.extra or not answer.num_rows:
        return ()
    count = answer.column(answer.num_columns - len(made.extra) + made.extra.index(("rows", "")))[0].as_py()
    return (Note(sentences.of_limit(answer.num_rows, count)),) if count > answer.num_rows else ()


def _kept(seen: Shape, definitions: Definitions, reader: Reader, facts: Facts, sets: Sets, keep: bool) -> tuple[Plan, Prepared]:
    key = (definitions.hash, reader.generation, reader.dialect.name, facts, seen.query, sets)
    cubes = Cubes(seen.query, definitions, reader) if keep and reader.takes_tables else None
    with _lock:
        plans = _plans if cubes is None else _plans_of.setdefault(reader, OrderedDict())
        kept = plans.get(key)
        if kept is not None:
            plans.move_to_end(key)
            return kept
    made, statement = plan(seen.query, definitions, facts, seen.values, sets, cubes=cubes)
    ready = reader.prepare(statement)
    kept = (made, ready if cubes is None else replace(ready, tables=cubes.used))
    with _lock:
        plans[key] = kept
        while len(plans) > _KEPT_PLANS or (len(plans) > 1 and _bytes_of(plans) > _KEPT_BYTES):
            plans.popitem(last=False)
    return kept


def _bytes_of(plans: _Plans) -> int:
    tables = {name: rows for _, ready in plans.values() for name, rows in ready.tables.items()}
    return sum(rows.nbytes for rows in tables.values())


def _with(scan: Scan, seen: Shape, values: Mapping[str, str | list[str]]) -> Scan:
    return replace(scan, filters=tuple(bound(node, seen.values) for node in scan.filters), by=ranking.rebound(scan.by, values))


def forget_plans() -> None:
    """Plan everything anew: for measuring what a new plan costs."""
    with _lock:
        _plans.clear()
        _plans_of.clear()


def facts_of(reader: Reader, definitions: Definitions) -> Facts:
    """What plans of these definitions on this reader's generation hang on; asked once."""
    with _lock:
        known = _facts.setdefault(reader, {}).get(definitions.hash)
    if known is None:
        changed: sa.Select[Any] = (
            sa.select(sa.literal_column("1")).select_from(account_version).where(account_version.c.valid_to.is_not(None)).limit(1)
        )
        leaves = [metric for metric in definitions.metrics.values() if isinstance(metric, Leaf)]
        flows = dict.fromkeys((leaf.table, leaf.time) for leaf in leaves if isinstance(leaf.time, Over))
        ways = tuple((table, time, _ways(table, time, definitions, reader)) for table, time in flows if isinstance(time, Over))
        split = {splitting.key_of(leaf): leaf for leaf in leaves if leaf.allocate is not None}
        lacks = tuple(_lacks(leaf, definitions, reader) for leaf in split.values())
        given = answers(definitions, reader) if definitions.catalog.given else Answers()
        history = any(one.history for one in definitions.catalog.given.values())
        known = Facts(
            coverage=(*reader.coverage, *given.coverage),
            currencies=(*reader.currencies, *given.currencies),
            versions=history or reader.run(changed).num_rows > 0,
            ways=ways,
            spans=given.spans,
            doubled=given.doubled,
            lacks=lacks,
        )
        with _lock:
            _facts[reader][definitions.hash] = known
    return known


def _lacks(leaf: Leaf, definitions: Definitions, reader: Reader) -> Lacks:
    """Which keys the rows of an allocated leaf lack."""
    (row,) = reader.run(occurring(leaf, definitions.calendar, definitions.catalog)).to_pylist()
    ways, found = splitting.ways_to_lack(leaf), [bool(value) for value in row.values()]
    given = tuple(way for way, occurs in zip(ways, found[: len(ways)], strict=True) if occurs)
    return Lacks(splitting.key_of(leaf), given, tuple(found[len(ways) :]))


def _ways(table: str, time: Over, definitions: Definitions, reader: Reader) -> frozenset[int]:
    (row,) = reader.run(ways_of(table, time, definitions.calendar, definitions.catalog)).to_pylist()
    return frozenset(place for place, occurs in enumerate(row.values()) if occurs) or frozenset({0})


def _table(query: Query, made: Plan, answer: pa.Table, partial: list[bool]) -> pa.Table:
    """The columns of a Result: quotients rounded, whole numbers as int64."""
    columns, names = [answer.column(0).cast(pa.date32())], ["period"]
    for place, name in enumerate(query.by):
        columns.append(answer.column(1 + place).cast(pa.string()))
        names.append(name)
    for place, one in enumerate(made.asked):
        column = answer.column(1 + len(query.by) + place)
        if pa.types.is_floating(column.type):
            column = pc.round(column, ndigits=_QUOTIENT_PLACES)
        columns.append(column)
        names.append(one.name)
    return pa.Table.from_arrays([*columns, pa.array(partial, pa.bool_())], names=[*names, "partial"])


def _states(made: Plan, answer: pa.Table) -> tuple[dict[str, pa.Array], list[bool]]:
    """A state for each value, and for each row whether any metric's period is covered in part or cut."""
    place_of = {period.start: place for place, period in enumerate(made.frame.periods)}
    places = [place_of[day] for day in answer.column(0).to_pylist()]
    first = answer.num_columns - len(made.extra)
    extra = {key: answer.column(first + place).to_pylist() for place, key in enumerate(made.extra)}
    offset = first - len(made.asked)
    states = {}
    partial = [False] * answer.num_rows
    for place, one in enumerate(made.asked):
        empty = answer.column(offset + place).is_null().to_pylist()
        found = [_state(one, at, missing) for at, missing in zip(places, empty, strict=True)]
        partial = [
            before or state == "partial" or (one.known[at] and not one.whole[at] and not one.uncounted)
            for before, state, at in zip(partial, found, places, strict=True)
        ]
        _mark(found, empty, {kind: column for (kind, name), column in extra.items() if name == one.name}, one)
        states[one.name] = pa.array(found, pa.string())
    return states, partial


def _state(one: Asked, place: int, empty: bool) -> str:
    if one.uncounted:
        return "uncounted"
    if empty:
        return "empty" if one.known[place] else "unknown"
    return "known" if one.whole[place] else "partial"


def _mark(found: list[str], empty: list[bool], beside: Mapping[str, list[Any]], one: Asked) -> None:
    """States that hang on the rows: without a rate or with a stand-in for one, of costs that lack a key, of too few.

    ``beside``: the columns of :attr:`kpi.metrics.plan.Plan.extra` of the metric.
    """
    kinds = ("missing", "needs", "needs missing", "unallocated", "started")
    missing, needs, lacking, unallocated, started = (beside.get(kind, [None] * len(found)) for kind in kinds)
    for row, state in enumerate(found):
        if state in ("uncounted", "unknown"):
            continue
        if missing[row]:
            found[row] = "unconverted"
        elif unallocated[row]:
            found[row] = "unallocated"
        elif empty[row] and started[row]:
            found[row] = one.waits
        elif one.at_least is None or empty[row]:
            continue
        elif lacking[row]:
            found[row] = "unconverted"
        elif needs[row] is None or needs[row] < one.at_least:
            found[row] = "too few"
