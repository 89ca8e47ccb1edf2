"""What a change of definitions does to figures: the last thirteen weeks before and after, and where the difference lies.

Both sides are asked of the same generation of the warehouse, by the statements that pages run, within the same limits of time and
memory. A draft is as hostile as any file: one that can't be answered is told as a sentence and harms no other metric.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from kpi import units
from kpi.errors import QueryError
from kpi.metrics import changes as metric_changes
from kpi.metrics.changes import Changes
from kpi.metrics.model import Definitions, Metric, Query
from kpi.metrics.query import run, run_together
from kpi.metrics.result import Cell, Result
from kpi.periods import Period
from kpi.records import closings
from kpi.settings import Settings
from kpi.warehouse.reader import Reader

WEEKS: Final = 13
#: Dimensions that a difference is split by, where both sides have them.
SPLITS: Final = ("segment", "product", "region")
#: Groups shown of a difference.
MOST_GROUPS: Final = 5
#: Seconds for all of it; what isn't answered by then is named.
BUDGET_S: Final = 60.0
#: A draft is called slow when its figures take so many times as long, and so many seconds more.
SLOW: Final = (3.0, 2.0)

_DAY: Final = dt.timedelta(days=1)

#: Figures as they were shown when their weeks were closed: metric -> first day of the week -> value.
Closed = Mapping[str, Mapping[dt.date, units.Number | None]]
Ask = Callable[[Query, Definitions, Reader], Result]
AskAll = Callable[[Sequence[Query], Definitions, Reader], Sequence[Result]]


@dataclass(frozen=True)
class Week:
    """One week of one metric; a side is None where the metric or its data aren't there.

    Attributes:
        closed: whether its figures were shown and closed; ``shown``: the figure then.
    """

    period: Period
    before: Cell | None
    after: Cell | None
    closed: bool = False
    shown: units.Number | None = None

    @property
    def differs(self) -> bool:
        """Whether value or state is another one."""
        return _said(self.before) != _said(self.after)


@dataclass(frozen=True)
class Group:
    """A value of a dimension, over all the weeks."""

    dimension: str
    value: str | None
    before: Cell | None
    after: Cell | None


@dataclass(frozen=True)
class Difference:
    """One metric that is touched.

    Attributes:
        metric: as it would be, or as it was where it is taken away.
        groups: those that differ most, the largest difference first.
        refused: why a side has no figures, in a sentence, or empty.
    """

    touched: metric_changes.Touched
    metric: Metric
    weeks: tuple[Week, ...]
    groups: tuple[Group, ...] = ()
    refused: str = ""

    @property
    def differs(self) -> tuple[Week, ...]:
        """The weeks whose figure is another one."""
        return tuple(week for week in self.weeks if week.differs)

    @property
    def restates(self) -> tuple[Week, ...]:
        """Closed weeks whose figure would be another one."""
        return tuple(week for week in self.differs if week.closed)


@dataclass(frozen=True)
class Comparison:
    """All of it.

    Attributes:
        currencies: of the figures before and after.
        weeks: of the calendar as it is; where weeks would begin on another day those after are paired with them in order.
        split: of metrics that are not touched, those whose groups differ by a dimension that is.
        notes: what else must be known, in sentences.
    """

    before: Definitions
    after: Definitions
    changes: Changes
    weeks: tuple[Period, ...]
    differences: tuple[Difference, ...]
    split: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def currencies(self) -> tuple[str, str]:
        """Before and after."""
        return self.before.currency, self.after.currency


def compare(
    before: Definitions,
    after: Definitions,
    reader: Reader,
    closed: Closed | None = None,
    ask: Ask = run,
    ask_all: AskAll = run_together,
    clock: Callable[[], float] = time.monotonic,
) -> Comparison:
    """What ``after`` would change if it took the place of ``before``.

    Raises:
        WarehouseError: the warehouse can't be read.
    """
    said = metric_changes.changes(before, after)
    asking = _Asking(reader, ask, ask_all, clock, clock() + BUDGET_S)
    weeks = last_weeks(before, reader, ask)
    notes = list(_of_publishing(before, after, said))
    if not weeks:
        notes.append("Nothing was imported yet, so there are no figures to compare.")
        return Comparison(before, after, said, (), tuple(_differences(before, after, said, (), {}, {}, {}, closed or {})), (), tuple(notes))
    later = _same_weeks(weeks, after)
    if later != weeks:
        notes.append("Weeks would begin on another day: each is set beside the one that holds its first day.")
    old = [one.name for one in said.touched if one.how != "added"]
    new = [one.name for one in said.touched if one.how != "removed"]
    started = clock()
    was = asking.cells(old, before, weeks)
    between = clock()
    now = asking.cells(new, after, later)
    took = between - started, clock() - between
    if took[1] > SLOW[0] * took[0] and took[1] > took[0] + SLOW[1]:
        notes.append(f"The draft is slow: its thirteen weeks took {took[1]:.1f} s, and {took[0]:.1f} s as it is.")
    found = _differences(before, after, said, weeks, was, now, asking.refused, closed or {})
    dimensions = [name for name in SPLITS if name in before.dimensions and name in after.dimensions]
    span = Period(weeks[0].start, weeks[-1].end)
    moved = [one.touched.name for one in found if one.differs and one.touched.how in ("changed", "through")]
    groups = asking.groups(moved, dimensions, before, after, span)
    found = [replace(one, groups=_largest(groups.get(one.touched.name, ()))) for one in found]
    split = _split(before, after, said, asking, span, tuple(one.name for one in said.touched))
    if asking.left:
        notes.append(f"The comparison was stopped after {BUDGET_S:.0f} s; not compared: {', '.join(dict.fromkeys(asking.left))}.")
    return Comparison(before, after, said, weeks, tuple(found), tuple(split), tuple(notes))


def closed_figures(settings: Settings) -> Closed:
    """The figures of all closed weeks that were whole, as they were first shown.

    Raises:
        RecordsError: they can't be read.
    """
    found: dict[str, dict[dt.date, units.Number | None]] = {}
    for (metric, week), figure in closings.closed(settings).figures.items():
        if figure.is_whole:
            found.setdefault(metric, {})[week] = figure.value
    return found


def last_weeks(definitions: Definitions, reader: Reader, ask: Ask = run) -> tuple[Period, ...]:
    """The last thirteen whole weeks that there are data for, oldest first; fewer at the beginning, none without data."""
    spans = []
    try:
        span = ask(Query((definitions.north_star,)), definitions, reader).coverage.get(definitions.north_star)
        spans = [(span.start, span.end)] if span is not None and span.start < span.end else []
    except QueryError:
        pass  # the North Star can't be told: as far as any data reach
    spans = spans or [(row.covers_from, row.covers_to) for row in reader.coverage if row.row_count]
    if not spans:
        return ()
    first, end = min(start for start, _ in spans), max(end for _, end in spans)
    calendar = definitions.calendar
    last = calendar.week(end)  # the week that holds the first day without data is not whole
    found = [Period(last.start - place * 7 * _DAY, last.end - place * 7 * _DAY) for place in range(WEEKS, 0, -1)]
    return tuple(week for week in found if week.end > first)


def size(group: Group) -> Decimal | None:
    """How far a group's two values are apart; None where one of them isn't known, which is the farthest."""
    return _distance(group.before, group.after)


def _same_weeks(weeks: Sequence[Period], after: Definitions) -> tuple[Period, ...]:
    return tuple(after.calendar.week(week.start) for week in weeks)


def _of_publishing(before: Definitions, after: Definitions, said: Changes) -> list[str]:
    if not said.publishes:
        return []
    if before.currency != after.currency or before.calendar.timezone != after.calendar.timezone:
        return [
            "The currency or the time zone changes: after saving, every archived file is read again. The figures below are those of "
            "the data as they are published now, so amounts without a rate into the new currency have no value yet."
        ]
    return [
        "products:, costs: or the systems that know accounts change: they are applied to all rows after saving, which takes seconds to "
        "minutes. The figures below are those before that; which rules differ is listed."
    ]


class _Asking:
    """Questions about two sets of definitions, within one budget of time."""

    def __init__(self, reader: Reader, ask: Ask, ask_all: AskAll, clock: Callable[[], float], until: float) -> None:
        self.reader, self.ask, self.ask_all, self.clock, self.until = reader, ask, ask_all, clock, until
        #: (hash of the definitions, metric) -> why it has no figures.
        self.refused: dict[tuple[str, str], str] = {}
        self.left: list[str] = []

    def results(self, query: Query, definitions: Definitions) -> list[Result]:
        """All that can be answered: together, or each metric by itself where together they can't be."""
        names = [name for name in query.metrics if (definitions.hash, name) not in self.refused]
        if not names:
            return []
        if self.clock() > self.until:
            self.left += names
            return []
        try:
            return [self.ask(replace(query, metrics=tuple(names)), definitions, self.reader)]
        except QueryError as error:
            if len(names) == 1:
                self.refused[definitions.hash, names[0]] = str(error)
                return []
        return [found for name in names for found in self.results(replace(query, metrics=(name,)), definitions)]

    def cells(self, names: Sequence[str], definitions: Definitions, weeks: Sequence[Period]) -> dict[tuple[str, int], Cell]:
        """(metric, place of the week) -> its cell."""
        starts = {week.start: place for place, week in enumerate(weeks)}
        query = Query(tuple(names), grain="week", since=weeks[0].start, until=weeks[-1].end, periods=tuple(starts))
        found = self.results(query, definitions)
        return {
            (name, starts[cell.period]): cell
            for result in found
            for name in result.query.metrics
            for cell in result.cells(name)
            if cell.period in starts
        }

    def groups(
        self, names: Sequence[str], dimensions: Sequence[str], before: Definitions, after: Definitions, span: Period
    ) -> dict[str, list[Group]]:
        """Metric -> the groups whose values differ, of every dimension."""
        groups: dict[str, list[Group]] = {}
        was, now = (self._by(names, dimensions, definitions, span) for definitions in (before, after))
        for dimension in dimensions:
            old, new = was[dimension], now[dimension]
            answered = {name for name, _ in old} & {name for name, _ in new}
            for name, value in dict.fromkeys((*old, *new)):
                one = Group(dimension, value, old.get((name, value)), new.get((name, value)))
                if name in answered and _said(one.before) != _said(one.after):
                    groups.setdefault(name, []).append(one)
        return groups

    def _by(
        self, names: Sequence[str], dimensions: Sequence[str], definitions: Definitions, span: Period
    ) -> dict[str, dict[tuple[str, str | None], Cell]]:
        """Dimension -> (metric, group) -> its cell; a metric that can't be split so is left out."""
        queries = [Query(tuple(names), by=(name,), since=span.start, until=span.end) for name in dimensions]
        found: list[list[Result]] = []
        if names and self.clock() <= self.until:
            try:
                found = [[result] for result in self.ask_all(queries, definitions, self.reader)]
            except QueryError:
                found = []
        kept = dict(self.refused)  # a metric that can't be split so has figures all the same
        found = found or [self.results(query, definitions) for query in queries]
        self.refused = kept
        return {
            dimension: {(name, cell.groups[0]): cell for result in results for name in result.query.metrics for cell in result.cells(name)}
            for dimension, results in zip(dimensions, found, strict=True)
        }


def _differences(
    before: Definitions,
    after: Definitions,
    said: Changes,
    weeks: Sequence[Period],
    was: Mapping[tuple[str, int], Cell],
    now: Mapping[tuple[str, int], Cell],
    refused: Mapping[tuple[str, str], str],
    closed: Closed,
) -> list[Difference]:
    found = []
    for one in said.touched:
        shown = closed.get(one.name, {})
        metric = after.metrics.get(one.name) or before.metrics[one.name]
        pairs = tuple(
            Week(week, was.get((one.name, place)), now.get((one.name, place)), week.start in shown, shown.get(week.start))
            for place, week in enumerate(weeks)
        )
        why = refused.get((after.hash, one.name), "") or refused.get((before.hash, one.name), "")
        found.append(Difference(one, metric, pairs, (), why))
    return found


def _split(
    before: Definitions, after: Definitions, said: Changes, asking: _Asking, span: Period, touched: Sequence[str]
) -> list[Difference]:
    """The metrics of the pages by dimensions that say something else: their totals stay, and their groups may not."""
    changed = [name for name, how in said.dimensions if how == "changed"]
    shown = dict.fromkeys((after.north_star, *after.drivers, *(name for section in after.review for name in section.metrics)))
    names = [name for name in shown if name in before.metrics and name not in touched]
    found = asking.groups(names, changed, before, after, span) if changed else {}
    return [
        Difference(
            metric_changes.Touched(name, after.metrics[name].label, "through", tuple(changed)), after.metrics[name], (), _largest(groups)
        )
        for name, groups in found.items()
    ]


def _largest(groups: Sequence[Group]) -> tuple[Group, ...]:
    """Those that differ most, of each dimension at most so many."""
    by: dict[str, list[Group]] = {}
    for one in groups:
        by.setdefault(one.dimension, []).append(one)
    return tuple(one for of in by.values() for one in sorted(of, key=_farthest)[:MOST_GROUPS])


def _farthest(group: Group) -> tuple[bool, Decimal, str]:
    """The largest difference first; where a side isn't known none is told, and that comes before any."""
    distance = size(group)
    return (distance is not None, -(distance or Decimal(0)), group.value or "")


def _distance(before: Cell | None, after: Cell | None) -> Decimal | None:
    if before is None or after is None or before.value is None or after.value is None:
        return None
    return abs(units.exact(after.value) - units.exact(before.value))


def _said(cell: Cell | None) -> tuple[Decimal | None, str]:
    """What a reader sees of a cell: a group without rows and one of nothing are the same."""
    if cell is None:
        return None, ""
    return None if cell.value is None else units.exact(cell.value).normalize(), cell.state
