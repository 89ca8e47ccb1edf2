"""The answers to a look as lines: a metric of a group, period by period, with what each is compared with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kpi import units
from kpi.dashboard.data import Answer, Desk
from kpi.dashboard.exploring.asking import Asked
from kpi.dashboard.exploring.look import Look
from kpi.dashboard.filters import Value
from kpi.dashboard.series import COMPARABLE
from kpi.metrics.adding import why_not
from kpi.metrics.groups import OTHER, called
from kpi.metrics.model import Definitions, Metric
from kpi.metrics.result import Cell
from kpi.periods import Period

Group = tuple[Value, ...]


@dataclass(frozen=True)
class Line:
    """A metric of one group.

    Attributes:
        place: among the groups, by which it is coloured.
        now: a cell a period, None where there is no row; ``before``: what each is compared with.
        whole, whole_before: the figure of the whole time, and the one that it is compared with.
    """

    metric: Metric
    group: Group
    place: int
    now: tuple[Cell | None, ...]
    before: tuple[Cell | None, ...]
    whole: Cell | None
    whole_before: Cell | None

    @property
    def name(self) -> str:
        """The group's name; that of the metric where there are no groups."""
        return " · ".join(called(value) for value in self.group) if self.group else self.metric.label

    @property
    def is_rest(self) -> bool:
        """Whether it stands for all groups that are not shown."""
        return OTHER in self.group


@dataclass(frozen=True)
class Seen:
    """All that a look shows.

    Attributes:
        lines: metric -> its lines, the largest groups first, the rest last.
        totals: metric -> the figure of all groups together over the whole time.
        against: what figures are compared with, in words; empty for nothing.
        refused: metric -> why it can't be shown this way. uneven: metric -> why its groups are no parts of its total.
    """

    look: Look
    asked: Asked
    periods: tuple[Period, ...]
    lines: Mapping[str, tuple[Line, ...]]
    totals: Mapping[str, Cell | None]
    against: str
    currency: str
    refused: Mapping[str, str]
    notes: tuple[str, ...]
    uneven: Mapping[str, str | None]
    generation: int

    @property
    def is_empty(self) -> bool:
        """Whether no line has a value."""
        return not any(known(cell) for lines in self.lines.values() for line in lines for cell in (*line.now, line.whole))

    def cell(self, metric: str, period: dt.date | None, group: Group) -> Cell | None:
        """One of its figures; without a period that of the whole time."""
        line = next((line for line in self.lines.get(metric, ()) if line.group == group), None)
        if line is None:
            return None if group else self.totals.get(metric)
        if period is None:
            return line.whole
        return next((cell for at, cell in zip(self.periods, line.now, strict=True) if at.start == period), None)


def known(cell: Cell | None) -> bool:
    """Whether there is a value to show."""
    return cell is not None and cell.value is not None


def change(now: Cell | None, before: Cell | None, unit: str) -> units.Change | None:
    """Between two cells that are whole and sure; a target is one for good."""
    if now is None or before is None or now.state not in COMPARABLE or before.state not in COMPARABLE:
        return None
    return units.change(now.value, before.value, unit)


def see(look: Look, asked: Asked, desk: Desk) -> Seen:
    """Ask, and put the answers together."""
    definitions = desk.definitions
    answers = {query: desk.ask(query) for query in asked.queries}
    refused = {name: sentence for answer in answers.values() for name, sentence in answer.refused.items()}
    shown = [name for name in look.metrics if name not in refused]
    over_time = _cells(answers[asked.over_time], shown)
    beside = {} if asked.beside is None else _cells(answers[asked.beside], shown)
    whole = {name: _by_group(cells) for name, cells in _flat(answers[asked.whole], shown).items()}
    before = {} if asked.before is None else {name: _by_group(cells) for name, cells in _flat(answers[asked.before], shown).items()}
    total = {name: next(iter(cells), None) for name, cells in _flat(answers[asked.total], shown).items()}
    lines: dict[str, tuple[Line, ...]] = {}
    # in the order of the first metric's ranking, so that a group has one colour in every chart
    groups = list(dict.fromkeys(group for name in shown for group in (*whole.get(name, {}), *over_time.get(name, {}))))
    groups.sort(key=lambda group: OTHER in group)
    for name in shown:
        made = []
        for place, group in enumerate(groups):
            at = over_time[name].get(group, {})
            if group not in over_time[name] and group not in whole.get(name, {}):
                continue
            made.append(
                Line(
                    definitions.metrics[name],
                    group,
                    place,
                    tuple(at.get(period.start) for period in asked.periods),
                    _compared(look, asked, at, beside.get(name, {}).get(group, {})),
                    whole.get(name, {}).get(group),
                    before.get(name, {}).get(group),
                )
            )
        lines[name] = tuple(line for line in made if any(map(known, (*line.now, line.whole))) or not look.by)
    results = [answer.result for answer in answers.values() if answer.result is not None]
    notes = dict.fromkeys(text for query in (asked.over_time, asked.whole) for text in _warnings(answers[query]))
    return Seen(
        look,
        asked,
        asked.periods,
        lines,
        total,
        _against(look, definitions),
        results[0].currency if results else definitions.currency,
        refused,
        tuple(notes),
        {name: why_not(name, definitions) for name in shown},
        desk.reader.generation,
    )


def _compared(look: Look, asked: Asked, at: Mapping[dt.date, Cell], beside: Mapping[dt.date, Cell]) -> tuple[Cell | None, ...]:
    if look.versus is not None and look.versus.kind == "target":
        return tuple(aim(at.get(period.start)) for period in asked.periods)
    return tuple(beside.get(period.start) for period in (asked.earlier or asked.periods))


def aim(cell: Cell | None) -> Cell | None:
    """A cell's target as a cell of its own."""
    if cell is None or cell.target is None:
        return None
    return Cell(cell.metric, cell.period, cell.end, cell.groups, cell.target, "known", None)


def _against(look: Look, definitions: Definitions) -> str:
    if look.versus is None:
        return ""
    if look.versus.kind == "segment":
        return f"{definitions.dimensions[look.versus.dimension].label} {called(look.versus.value)}"
    return {"previous": "the period before", "year": "last year", "target": "target"}[look.versus.kind]


def _flat(answer: Answer, names: Sequence[str]) -> dict[str, list[Cell]]:
    result = answer.result
    return {name: [] if result is None or name not in result.query.metrics else result.cells(name) for name in names}


def _cells(answer: Answer, names: Sequence[str]) -> dict[str, dict[Group, dict[dt.date, Cell]]]:
    made: dict[str, dict[Group, dict[dt.date, Cell]]] = {}
    for name, cells in _flat(answer, names).items():
        groups = made.setdefault(name, {})
        for cell in cells:
            groups.setdefault(cell.groups, {})[cell.period] = cell
    return made


def _by_group(cells: Iterable[Cell]) -> dict[Group, Cell]:
    return {cell.groups: cell for cell in cells}


def _warnings(answer: Answer) -> tuple[str, ...]:
    return () if answer.result is None else answer.result.warnings
