"""One look at one week, under one set of filters: what a page or a printed review shows of the company, before anything is drawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeVar, cast

from kpi.analysis.pace import Pace, pace, question
from kpi.dashboard import cards, reviewing
from kpi.dashboard.breakdown import BASES, Breakdown, break_down
from kpi.dashboard.data import Answer, Desk
from kpi.dashboard.filters import Filters
from kpi.dashboard.frame import Frame
from kpi.dashboard.reviewing import Reviewed
from kpi.dashboard.series import Series, by_week, weeks_of_series
from kpi.dashboard.sources import missing
from kpi.dashboard.theme import Palette
from kpi.keeping import Keeper
from kpi.metrics.model import Definitions, Query
from kpi.metrics.result import State
from kpi.metrics.uses import leaves_of

#: Figures kept; one takes some kilobytes and, built anew, some milliseconds of the interpreter.
KEPT_FIGURES: Final = 4096

#: What the North Star is broken down by, each alone and together.
GROUPS: Final = ("product", "segment")

Made = TypeVar("Made")


class Look:
    """One look.

    Attributes:
        asked: groups -> the query by them.
        answer: of the North Star and its drivers, by nothing.
        series: metric -> its weeks.
    """

    def __init__(self, desk: Desk, frame: Frame, filters: Filters, week: dt.date, colours: Palette) -> None:
        self.desk, self.frame, self.filters, self.week, self.colours = desk, frame, filters, week, colours
        self.definitions: Definitions = desk.definitions
        asked = questions(self.definitions, frame, filters, week)
        self.asked: Mapping[tuple[str, ...], Query] = asked
        self.answer: Answer = desk.ask(asked[()])
        self.series: Mapping[str, Series] = {name: self._series(name) for name in frame.metrics}

    def _series(self, name: str) -> Series:
        result = self.answer.result
        known = result is not None and name in result.query.metrics
        cells = by_week(result.cells(name)) if result is not None and known else {}
        return Series(self.definitions.metrics[name], self.week, cells, result.currency if result else self.definitions.currency)

    def pace(self) -> Pace | None:
        """Of the North Star to its target, which is the company's: none under filters."""
        star, week = self.definitions.north_star, self.definitions.calendar.week(self.week)
        asked = None if self.filters.where() else question(star, week, self.definitions)
        return None if asked is None else pace(star, week, self.definitions, self.desk.ask(asked).result)

    @property
    def dimensions(self) -> list[str]:
        """What the North Star is broken down by here."""
        return [name for name in GROUPS if name in self.frame.options]

    def problem(self, name: str) -> str | None:
        """Why a metric has no sure value this week, in words; None where it has."""
        if name in self.answer.refused:
            return f"Not shown: {self.answer.refused[name]}."
        now = self.series[name].now
        if now is not None and now.state in ("known", "too few", "empty"):
            return None
        if now is not None and now.state in ("uncounted", "unconverted", "unallocated"):
            return self._reason(name, now.state)
        return missing(name, self.frame.spans.get(name), self.week, self.definitions, self.desk.reader)

    def _reason(self, name: str, state: State) -> str | None:
        """What the Result says of one metric's state, under its label where it begins with the metric."""
        text = self.answer.result.reason(name, state) if self.answer.result else None
        if text is None:
            return None
        return f"{self.series[name].metric.label}{text.removeprefix(name)}." if text.startswith(f"{name} ") else f"{text}."

    def hidden(self, name: str) -> str | None:
        """The problem where it leaves no value to show at all."""
        now = self.series[name].now
        if name in self.answer.refused:
            return self.problem(name)
        return self.problem(name) if now is None or now.value is None else None

    def notes(self) -> list[str]:
        """What there is to know about the figures, beside what is said where they stand."""
        said = {name for name in self.frame.metrics if self.problem(name) is not None}
        notes = self.answer.result.notes if self.answer.result else ()
        texts = dict.fromkeys(note.text for note in notes if not note.metrics or not said.issuperset(note.metrics))
        return [cards.labelled(text, self.definitions.metrics) for text in texts]

    def breakdown(self, by: tuple[str, ...]) -> tuple[Breakdown | None, Answer]:
        """The North Star by ``by``, with the money that says how much stands behind each group."""
        star = self.definitions.north_star
        answer = self.desk.ask(self.asked[by])
        result = answer.result
        if result is None or star in answer.refused:
            return None, answer
        heavy = next((name for name in result.query.metrics if name != star), None)
        made = self.made(f"groups {' '.join(by)}", lambda: break_down(result, self.definitions.metrics[star], heavy, self.week))
        return made, answer

    def reviewed(self) -> Reviewed:
        """Every metric of ``review:``."""
        return self.made("review", lambda: reviewing.reviewed(self.desk, self.filters, self.week))

    def made(self, kind: str, make: Callable[[], Made]) -> Made:
        """What was made of these figures before, or now by ``make``."""
        return cast("Made", _figures().get((self.desk.key, kind, self.week, self.filters.where(), self.colours), make))


@cache
def _figures() -> Keeper[Any]:
    return Keeper(KEPT_FIGURES)


def drawable(series: Series) -> bool:
    """Whether there is a value to draw."""
    return any(cell is not None and cell.value is not None for _, cell in series.shown)


def questions(definitions: Definitions, frame: Frame, filters: Filters, week: dt.date) -> dict[tuple[str, ...], Query]:
    """All that it asks, one statement each: by nothing for the year and its quarter before, by group since last year."""
    star, end, where = definitions.north_star, definitions.calendar.week(week).end, filters.where()
    # what the North Star is made of is read anyway; any other driver would be one more scan
    parts = [leaf.name for leaf in leaves_of(star, definitions.metrics) if leaf.name in definitions.metrics]
    weight = next((name for name in parts if _is_income(name, definitions) and name != star), None)
    grouped = (star,) if weight is None else (star, weight)
    groups = [name for name in GROUPS if name in frame.options]
    wanted = [(name,) for name in groups] + ([tuple(groups)] if len(groups) == len(GROUPS) else [])
    shown = weeks_of_series(week)
    compared = tuple(sorted({week, *(week - back for back, _ in BASES)}))
    asked: dict[tuple[str, ...], Query] = {(): Query(frame.metrics, (), where, "week", shown[0], end, shown)}
    return asked | {by: Query(grouped, by, where, "week", compared[0], end, compared) for by in wanted}


def _is_income(name: str, definitions: Definitions) -> bool:
    metric = definitions.metrics[name]
    return metric.unit == "money" and metric.better != "down"
