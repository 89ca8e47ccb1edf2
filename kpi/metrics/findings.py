"""What only the rows can say: amounts without a rate, durations that run backwards. Asked where it can matter only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final
from weakref import WeakKeyDictionary

import pyarrow as pa
import sqlalchemy as sa

from kpi.errors import QueryTooHeavy, TooLarge
from kpi.metrics import sentences, splitting
from kpi.metrics.assembly import MOST_LACKING
from kpi.metrics.lacking import distinct, lack
from kpi.metrics.model import At, Call, Leaf, Literal_, Node, Snapshot
from kpi.metrics.nodes import column, columns_of
from kpi.metrics.operations import day_number
from kpi.metrics.plan import Plan
from kpi.metrics.result import Note
from kpi.metrics.rows import Rows
from kpi.metrics.slots import Asked
from kpi.metrics.stages.events import event_rows
from kpi.metrics.stages.scan import FORWARD, Scan, is_duration
from kpi.metrics.stages.snapshots import picked
from kpi.metrics.stages.stocks import stock_rows
from kpi.metrics.uses import Use, uses_of
from kpi.metrics.windows import Window, opened, windows
from kpi.warehouse.agreement import Disagreement, read_disagreements
from kpi.warehouse.reader import Reader

_DAY: Final = dt.timedelta(days=1)
_MOST_LACKING: Final = 1 / MOST_LACKING

#: Of a reader's tables and durations whether any row runs backwards: what it reads never changes.
_contradicted_in: Final[WeakKeyDictionary[Reader, tuple[Disagreement, ...]]] = WeakKeyDictionary()
_backwards_in: Final[WeakKeyDictionary[Reader, dict[tuple[str, Node | None], bool]]] = WeakKeyDictionary()


def of_rows(made: Plan, answer: pa.Table, reader: Reader) -> list[Note]:
    """Sentences for the reader; each costs a small query, and only where a value is without a rate or a duration."""
    said = [*_of_splits(made, answer), *_without_rate(made, answer, reader), *_not_reached(made, answer)]
    for scan in made.scans:
        for leaf in scan.leaves:
            if leaf.aggregate in FORWARD and is_duration(leaf.value) and _any_backwards(scan, leaf, reader):
                rows = _backwards(scan, leaf, reader)
                said += [Note(sentences.of_backwards(leaf, rows))] if rows else []
    return [*said, *_contradictions(made, reader)]


def _contradictions(made: Plan, reader: Reader) -> Iterator[Note]:
    """What the exports that a metric counts say differently of each other: the figures hang on whom one believes."""
    if reader not in _contradicted_in:
        _contradicted_in[reader] = read_disagreements(reader)
    for found in _contradicted_in[reader]:
        names = tuple(one.name for one in made.asked if _hangs_on(one, found))
        if names:
            yield Note(f"{', '.join(names)}: {found.sentence()}", names)


def _hangs_on(one: Asked, found: Disagreement) -> bool:
    """Whether a metric counts rows of the exports that contradict each other."""
    for table in {use.leaf.table for use in uses_of(one.tree)} & found.tables:
        reach = one.reaches.get(table)
        if reach is None or reach.counted is None or any(span.source == found.source for span in reach.counted):
            return True
    return False


def _of_splits(made: Plan, answer: pa.Table) -> Iterator[Note]:
    """Of each allocated leaf how much was allocated, and of each ratio without a value for want of a key the worst case."""
    beside = {key: place for place, key in enumerate(made.extra, answer.num_columns - len(made.extra))}
    days = answer.column(0).to_pylist()

    def by_day(kind: str, name: str) -> dict[dt.date, float]:
        """What is told of a whole period stands in each of its rows."""
        place = beside.get((kind, name))
        found: dict[dt.date, float] = {}
        for day, value in zip(days, answer.column(place).to_pylist(), strict=True) if place is not None else ():
            found[day] = value or found.get(day, 0)  # of several groupings asked together one may have no value
        return found

    for scan in made.scans:
        leaf = scan.leaves[0]
        if scan.split is None or leaf.allocate is None:
            continue
        names = [one.name for one in made.asked if (f"whole of {leaf.name}", one.name) in beside]
        for name in names[:1]:
            whole, allocated = (sum(by_day(f"{kind} of {leaf.name}", name).values()) for kind in ("whole", "allocated"))
            if sentence := sentences.of_split(leaf, whole, allocated):
                yield Note(sentence, tuple(names))
        for name in names:
            without = [day for day, lacks in by_day("unallocated", name).items() if lacks]
            everything = by_day(f"all of {leaf.name}", name)
            for place in scan.split.touched:
                none = by_day(f"none{place} of {leaf.name}", name)
                lacks = {day: none[day] / everything[day] if everything[day] else 1.0 for day in without if none.get(day)}
                worst = max(lacks, key=lambda day: abs(lacks[day]), default=None)
                if worst is not None and abs(lacks[worst]) > _MOST_LACKING:
                    when = sentences.period_words(worst, made.frame)
                    yield Note(sentences.of_unallocated(name, leaf, leaf.allocate.to[place], lacks[worst], when), (name,), "unallocated")


def _without_rate(made: Plan, answer: pa.Table, reader: Reader) -> Iterator[Note]:
    """For each leaf without a rate, and the days over which metrics take it, what the figures concerned lack."""
    asked = {one.name: one for one in made.asked}
    alike: dict[tuple[str, tuple[Window, ...], bool], list[str]] = {}
    scans = {scan.name: scan for scan in made.scans if scan.foreign and scan.leaves[0].moved is None}
    concerned = _places(made, answer, "missing")
    for name, places in concerned.items():
        for key, scan in scans.items():
            found, total = _windows(asked[name], scan, made, places)
            if found:
                alike.setdefault((key, found, total), []).append(name)
    told: set[str] = set()
    for (key, found, total), names in alike.items():
        scan = scans[key]
        leaf = scan.leaves[0].name
        if scan.split is not None:  # its amounts are nobody's before they are split: what lacks a rate is told of all groups
            scan, total = replace(scan, split=None, filters=splitting.apart(scan.leaves[0], scan.filters)[0]), True
        try:
            lacks = lack(scan, found, total, reader)
        except (QueryTooHeavy, TooLarge):  # the figures are there; that a rate is missing is told all the same
            continue
        if lacks.amounts:
            told.update(names)
            yield from (Note(sentences.of_rates(name, leaf, lacks, scan.currency), (name,), "unconverted") for name in names)
    currency = next((scan.currency for scan in made.scans), "")
    for name in concerned:
        if name not in told:  # amounts that cancel out, or too many rows to add up
            which = next((figure.written for figure in asked[name].figures if figure.lacking is not None), name)
            yield Note(sentences.of_no_rate(name, which, currency), (name,), "unconverted")
    for name in _places(made, answer, "needs missing"):
        yield Note(sentences.of_needs(name, currency), (name,), "unconverted")


def _not_reached(made: Plan, answer: pa.Table) -> Iterator[Note]:
    """For each metric whose figures wait for more than have reached it, the latest of these figures in words."""
    first = answer.num_columns - len(made.extra)
    beside = {key: answer.column(first + place).to_pylist() for place, key in enumerate(made.extra)}
    offset = first - len(made.asked)
    for place, one in enumerate(made.asked):
        started, values = beside.get(("started", one.name)), answer.column(offset + place)
        if started is None or one.uncounted:
            continue
        lacking = beside.get(("missing", one.name), [0] * len(started))
        rows = [row for row, many in enumerate(started) if many and not lacking[row] and not values[row].is_valid]
        if not rows:
            continue
        row = rows[-1]
        use = next(use for use in uses_of(one.tree) if use.leaf.lived is not None)
        at = {period.start: number for number, period in enumerate(made.frame.periods)}[answer.column(0)[row].as_py()]
        window = windows(made.frame, use.steps, one.covered, made.scans[0].calendar)[at]
        groups = [answer.column(1 + group)[row].as_py() for group in range(offset - 1)]
        if window is not None:
            said = sentences.of_not_reached(one.name, use.leaf, window.end, started[row], beside["share", one.name][row], groups, len(rows))
            yield Note(said, (one.name,), one.waits)


def _places(made: Plan, answer: pa.Table, what: str) -> dict[str, list[int]]:
    """For each metric that lacks a rate, of its own or of its needs, the places of the periods in which it does."""
    place_of = {period.start: place for place, period in enumerate(made.frame.periods)}
    first = answer.num_columns - len(made.extra)
    found: dict[str, list[int]] = {}
    for at, (kind, name) in enumerate(made.extra):
        counts = answer.column(first + at)
        if kind == what and any(counts.to_pylist()):
            days = answer.column(0).to_pylist()
            found[name] = sorted({place_of[day] for day, lacks in zip(days, counts.to_pylist(), strict=True) if lacks})
    return found


def _windows(one: Asked, scan: Scan, made: Plan, places: Sequence[int]) -> tuple[tuple[Window, ...], bool]:
    """The days over which a metric takes the leaf of ``scan`` in the periods at ``places``, and whether over all groups."""
    uses = [use for use in uses_of(one.tree) if use.leaf.name == scan.leaves[0].name]
    taken = [_taken(use, one, scan, made) for use in uses]
    found = [window for of_use in taken for place in places if (window := of_use[place]) is not None]
    return distinct(found, scan.leaves[0].time), any(use.total for use in uses)


def _taken(use: Use, one: Asked, scan: Scan, made: Plan) -> tuple[Window | None, ...]:
    """The days of a use; of a retention, which is converted at opening rates, the earlier closes."""
    if use.leaf.retained is None:
        return windows(made.frame, use.steps, one.covered, scan.calendar)
    found = opened(made.frame, use.steps, use.leaf.retained.back, one.covered, scan.calendar)
    return tuple(None if now is None or now.opened is None else Window(now.opened - _DAY, now.opened, True) for now in found)


def _any_backwards(scan: Scan, leaf: Leaf, reader: Reader) -> bool:
    """Whether any row of the table has a negative duration, whatever is asked: seldom one has, and it is asked once."""
    if leaf.value is None or any(used.path for used in columns_of(leaf.value)):
        return True  # what is reached may have been another then
    key = (leaf.table, leaf.value)
    known = _backwards_in.setdefault(reader, {})
    if key not in known:
        rows = Rows(leaf.table, scan.calendar, catalog=scan.catalog)
        one: sa.Select[Any] = sa.select(sa.literal_column("1").label("one")).where(rows.element(_is_backwards(leaf)))
        known[key] = reader.run(one.select_from(rows.source).limit(1)).num_rows > 0
    return known[key]


def _is_backwards(leaf: Leaf) -> Node:
    assert leaf.value is not None  # noqa: S101 - a duration is a value
    return Call("<", (leaf.value, Literal_(Decimal(0), "number")), "flag")


def _backwards(scan: Scan, leaf: Leaf, reader: Reader) -> int:
    """Rows that the leaf would count in any window, if their duration weren't negative; each once."""
    backwards = _is_backwards(leaf)
    condition = backwards if leaf.condition is None else Call("and", (leaf.condition, backwards), "flag")
    found = [window for of_slot in scan.slots.values() for window in of_slot if window is not None]
    keys = tuple(column(scan.table, key.name, catalog=scan.catalog) for key in scan.catalog.tables[scan.table].primary_key)
    counted = replace(leaf, aggregate="count", value=None)
    asked = replace(scan, leaves=(replace(counted, condition=condition),), by=keys, rate=None)
    if isinstance(leaf.time, Snapshot):  # what is picked doesn't hang on which run backwards
        each = picked(replace(asked, leaves=(counted,), filters=(*scan.filters, backwards)))[0].subquery("backwards")
        once = sa.select(*(each.c[key] for key in asked.groups)).distinct().subquery("once")
        return int(reader.run(sa.select(sa.func.count().label("n")).select_from(once)).column(0)[0].as_py())
    asked = replace(asked, slots={0: distinct(found, leaf.time)})
    rows = (event_rows if isinstance(leaf.time, At) else stock_rows)(asked)[0].subquery("backwards")
    spans = asked.spans()
    if isinstance(leaf.time, At):
        inside = sa.and_(day_number(rows.c.day) >= spans.c.starts, day_number(rows.c.day) < spans.c.ends)
    else:
        inside = sa.and_(day_number(rows.c.starts) < spans.c.ends, sa.or_(rows.c.ends.is_(None), day_number(rows.c.ends) >= spans.c.ends))
    once = sa.select(*(rows.c[key] for key in asked.groups)).select_from(sa.join(rows, spans, inside)).distinct().subquery("once")
    return int(reader.run(sa.select(sa.func.count().label("n")).select_from(once)).column(0)[0].as_py())
