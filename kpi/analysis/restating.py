"""Restatements: closed weeks whose figures are others now, and whether data or definitions moved them.

The week is computed once more from the data of now by the definitions of then. What that differs from the figure of then, data moved;
what it differs from the figure of now, the definition moved. Products and costs are applied to data when they are published, so a
change of theirs counts as data.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from kpi import units
from kpi.analysis.closing import figures
from kpi.errors import KpiError
from kpi.metrics.model import Definitions
from kpi.metrics.result import Cell
from kpi.periods import Period
from kpi.records.closings import Closed, Figure
from kpi.warehouse.reader import Reader

Cause = Literal["none", "data", "definition", "both", "unknown"]
#: The definitions of a hash, where they were kept.
Kept = Callable[[str], Definitions | None]

#: A quotient is a float: two of the same parts may differ in their last digits from one machine to another.
_SAME: Final = Decimal("1e-9")


@dataclass(frozen=True)
class Restatement:
    """A metric in a closed week.

    Attributes:
        first: as it was first shown. now: as it is; None where the metric is no longer defined or can't be asked.
        unit, currency: of now.
        then: as the definitions of then show the data of now, where that was computed.
        cause: what moved it; ``none``: nothing did. ``unknown``: ``why`` says why that can't be told.
    """

    first: Figure
    now: Cell | None
    unit: str
    currency: str
    then: Decimal | None = None
    cause: Cause = "none"
    why: str = ""


def restatements(closed: Closed, metrics: Sequence[str], definitions: Definitions, reader: Reader, kept: Kept) -> list[Restatement]:
    """Every closed figure of these metrics (none means all) beside what it is now, the last week first."""
    wanted = [figure for (metric, _), figure in closed.figures.items() if figure.is_whole and (not metrics or metric in metrics)]
    weeks = sorted({Period(figure.week, figure.week_end) for figure in wanted})
    names = tuple(dict.fromkeys(figure.metric for figure in wanted))
    now = figures(names, weeks, definitions, reader)
    made = []
    for figure in wanted:
        cell, currency = now[figure.week].get(figure.metric, (None, definitions.currency))
        metric = definitions.metrics.get(figure.metric)
        made.append(Restatement(figure, cell, figure.unit if metric is None else metric.unit, currency))
    moved = [one for one in made if not is_same(one)]
    told = _told(moved, definitions, reader, kept)
    made = [told.get(id(one), one) for one in made]
    return sorted(made, key=lambda one: (-one.first.week.toordinal(), names.index(one.first.metric)))


def is_same(one: Restatement) -> bool:
    """Whether the figure is what it was."""
    if one.now is None or one.now.state != "known" or one.unit != one.first.unit:
        return False
    return _alike(one.first.value, one.now.value, one.unit, one.first.currency, one.currency)


def _alike(first: Decimal | None, second: units.Number | None, unit: str, first_in: str, second_in: str) -> bool:
    if first is None or second is None:
        return first is second
    if unit == "money" and first_in != second_in:
        return False
    other = units.exact(second)
    return abs(first - other) <= _SAME * max(abs(first), abs(other))


def _told(moved: Sequence[Restatement], definitions: Definitions, reader: Reader, kept: Kept) -> dict[int, Restatement]:
    """Each with its cause."""
    found: dict[int, Restatement] = {}
    for hash_ in dict.fromkeys(one.first.definitions for one in moved):
        group = [one for one in moved if one.first.definitions == hash_]
        if hash_ == definitions.hash:
            found |= {id(one): _caused(one, "data") for one in group}
            continue
        try:
            old = kept(hash_)
            if old is None:
                why = "the definitions of that time were not kept"
                found |= {id(one): _caused(one, "unknown", why=why) for one in group}
                continue
            weeks = sorted({Period(one.first.week, one.first.week_end) for one in group})
            then = figures(tuple(dict.fromkeys(one.first.metric for one in group)), weeks, old, reader)
        except KpiError as error:
            why = f"the definitions of that time can't be computed now: {str(error).splitlines()[0]}"
            found |= {id(one): _caused(one, "unknown", why=why) for one in group}
            continue
        for one in group:
            cell, currency = then[one.first.week].get(one.first.metric, (None, ""))
            found[id(one)] = _judged(one, cell, currency)
    return found


def _judged(one: Restatement, cell: Cell | None, currency: str) -> Restatement:
    first = one.first
    if cell is None:
        return _caused(one, "unknown", why="the definitions of that time can't be computed now")
    data = cell.state != "known" or not _alike(first.value, cell.value, first.unit, first.currency, currency)
    after = None if one.now is None else one.now.value
    definition = (
        one.now is None
        or one.unit != first.unit
        or one.now.state != cell.state
        or not _alike(None if cell.value is None else units.exact(cell.value), after, first.unit, currency, one.currency)
    )
    cause: Cause = "both" if data and definition else "definition" if definition else "data"
    return _caused(one, cause, None if cell.value is None else units.exact(cell.value))


def _caused(one: Restatement, cause: Cause, then: Decimal | None = None, why: str = "") -> Restatement:
    return Restatement(one.first, one.now, one.unit, one.currency, then, cause, why)


def restated(cells: Iterable[Cell | None], unit: str, currency: str, closed: Closed) -> list[tuple[Figure, str]]:
    """Of a metric's weeks those that a reader sees another figure of than was first shown, and that one in words; the last one first."""
    found = []
    for cell in cells:
        first = None if cell is None else closed.first(cell.metric, cell.period)
        if cell is None or first is None or (first.unit == unit and _alike(first.value, cell.value, unit, first.currency, currency)):
            continue
        was = str(units.show(first.value, first.unit, first.currency))
        if was != str(units.show(cell.value, unit, currency)):
            found.append((first, was))
    return sorted(found, key=lambda one: one[0].week, reverse=True)


def closed_values(closed: Closed) -> dict[str, dict[dt.date, units.Number | None]]:
    """Metric -> first day of a closed week -> what was shown, for :mod:`kpi.analysis.comparing`."""
    found: dict[str, dict[dt.date, units.Number | None]] = {}
    for (metric, week), figure in closed.figures.items():
        if figure.is_whole:
            found.setdefault(metric, {})[week] = figure.value
    return found
