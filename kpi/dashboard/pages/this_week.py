"""This week: the North Star, what drives it, and where it comes from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cache, partial
from itertools import combinations
from typing import Any, Final, TypeVar, cast

import streamlit as st

from kpi.dashboard import cards, charts, controls, explaining, reviewing, weekly
from kpi.dashboard.ahead import ahead
from kpi.dashboard.breakdown import BASES, Breakdown, break_down, headline
from kpi.dashboard.data import Answer, Desk, batches
from kpi.dashboard.filters import Filters, read
from kpi.dashboard.frame import Frame
from kpi.dashboard.pages.page import Page
from kpi.dashboard.reviewing import Reviewed
from kpi.dashboard.series import SHOWN_WEEKS, Series, by_week, weeks_of_series
from kpi.dashboard.sources import missing
from kpi.dashboard.theme import Mode, Palette, palette
from kpi.keeping import Keeper
from kpi.metrics.model import Definitions, Query
from kpi.metrics.result import State
from kpi.metrics.uses import leaves_of

#: Figures kept; one takes some kilobytes and, built anew, some milliseconds of the interpreter.
KEPT_FIGURES: Final = 4096

#: Values of one filter that are answered ahead of a click.
MOST_AHEAD: Final = 8

#: What the North Star is broken down by, each alone and together.
GROUPS: Final = ("product", "segment")

Made = TypeVar("Made")


def draw(desk: Desk, frame: Frame, mode: Mode) -> None:
    """The whole page."""
    filters, ignored = read(controls.parameters(), frame.weeks, frame.options)
    week = filters.week or frame.last_whole
    if week is None:
        return
    controls.bar(filters, week, frame, desk.definitions)
    if ignored:
        st.html(cards.notice("warning", "Part of this link was left out", ignored))
    view = View(desk, frame, filters, week, palette(mode))
    view.north_star()
    view.drivers()
    first = st.container()
    view.breakdowns()
    made = view.review()
    with first:
        view.exceptions(made)
    ahead().likely(weeks_beside(desk, frame, filters, week))


def expect(desk: Desk, frame: Frame) -> None:
    """Begin to answer what the page asks."""
    filters, _ = read(controls.parameters(), frame.weeks, frame.options)
    week = filters.week or frame.last_whole
    if week is not None:
        desk.expect(questions(desk.definitions, frame, filters, week).values())
        desk.expect(reviewing.asked(desk.definitions, filters, week)[1].values())


def weeks_beside(desk: Desk, frame: Frame, filters: Filters, week: dt.date) -> list[Callable[[], object]]:
    """What a step to the week before or after asks."""
    place = frame.weeks.index(week)
    beside = [frame.weeks[near] for near in (place - 1, place + 1) if 0 <= near < len(frame.weeks)]
    return [task for day in beside for task in _tasks(desk.answer, questions(desk.definitions, frame, filters, day))]


def first_filters(desk: Desk, frame: Frame, week: dt.date) -> list[Callable[[], object]]:
    """What a first filter asks: each value of each dimension alone."""
    chosen = [Filters(None, {name: (value,)}) for name, values in frame.options.items() for value in values[:MOST_AHEAD]]
    return [task for one in chosen for task in _tasks(desk.answer, questions(desk.definitions, frame, one, week))]


def first_shapes(desk: Desk, frame: Frame, week: dt.date) -> list[Callable[[], object]]:
    """Plans of filters by one or two dimensions: a plan serves all values, however many."""
    some = [{name: values[:1]} for name, values in frame.options.items()]
    both = [first | second for first, second in combinations(some, 2)]
    return [task for one in (*some, *both) for task in _tasks(desk.plan, questions(desk.definitions, frame, Filters(None, one), week))]


def _tasks(ask: Callable[[list[Query]], None], asked: Mapping[tuple[str, ...], Query]) -> list[Callable[[], object]]:
    """A task a statement, so that who clicks meanwhile waits for one at most."""
    return [partial(ask, batch) for batch in batches(asked.values())]


class View:
    """One look at one week, under one set of filters."""

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

    def _hidden(self, name: str) -> str | None:
        """The problem where it leaves no value to show at all."""
        now = self.series[name].now
        if name in self.answer.refused:
            return self.problem(name)
        return self.problem(name) if now is None or now.value is None else None

    def _explained(self, name: str, key: str) -> None:
        series = self.series[name]
        result = None if name in self.answer.refused else self.answer.result
        explaining.control(explaining.Figure(key, series.metric.label, series.metric, result, series.now, self._hidden(name)), self.desk)

    def north_star(self) -> None:
        """The one figure that counts, large, with its quarter and the year before."""
        name = self.definitions.north_star
        series, calendar = self.series[name], self.definitions.calendar
        with st.container(key="panel-star"):
            left, right = st.columns([4, 9], gap="medium")
            with left:
                self._explained(name, "star")
                st.html(cards.hero(series, calendar, self.problem(name)))
            with right:
                st.html(
                    f'<p class="chart-title">{SHOWN_WEEKS} weeks, with the range that is normal for it</p>'
                    '<p class="caption"><i class="now"></i>this year<i class="then"></i>last year<i class="aim"></i>target'
                    '<i class="range"></i>normal</p>'
                )
                if _drawable(series):
                    made = self._made("trend", lambda: charts.trend(series, self.colours, calendar))
                    st.plotly_chart(made, theme=None, config=charts.CONFIG, key="trend", alt=_alt(series))
                else:
                    st.html('<p class="quiet">There is no trend to draw yet.</p>')

    def drivers(self) -> None:
        """A card for each metric that moves the North Star."""
        names = [name for name in self.frame.metrics if name != self.definitions.north_star]
        if not names:
            return
        with st.grid(3 if len(names) in (3, 5, 6, 9) else min(4, len(names)), min_column_width=230, gap="small"):
            for name in names:
                with st.container(key=f"card-{name}", height="stretch"):
                    self._card(name)

    def _card(self, name: str) -> None:
        series = self.series[name]
        self._explained(name, f"driver-{name}")
        colour = self.colours.worse if cards.card_verdict(series) == "worse" else self.colours.accent
        drawing = charts.spark(series, colour, self.colours.panel, _alt(series)) if _drawable(series) else ""
        st.html(cards.card(series, self.definitions.calendar, self.problem(name), drawing))

    def exceptions(self, made: Reviewed) -> None:
        """What needs a look before the figures are used: signals, targets missed, data that end early, values that can't be had."""
        lines = reviewing.exceptions(made)
        said = {name for name in self.frame.metrics if self.problem(name) is not None}
        notes = self.answer.result.notes if self.answer.result else ()
        texts = dict.fromkeys(note.text for note in notes if not note.metrics or not said.issuperset(note.metrics))
        warnings = [cards.labelled(text, self.definitions.metrics) for text in texts]
        if lines or warnings:
            st.html('<h2 class="section">Exceptions</h2>')
        if lines:
            st.html(cards.exceptions(lines))
        if warnings:
            st.html(cards.notice("quiet", "To know about these figures", warnings))

    def breakdowns(self) -> None:
        """The North Star by product, by segment, and where the two meet."""
        star = self.definitions.metrics[self.definitions.north_star]
        dimensions = [name for name in GROUPS if name in self.frame.options]
        found = {name: self._breakdown((name,)) for name in dimensions}
        sound = [breakdown for breakdown, _ in found.values() if breakdown is not None and breakdown.rows]
        if not dimensions:
            return
        title = headline(sound) if sound else star.label
        st.html(f'<h2 class="section">{cards.escape(title)}</h2>')
        with st.grid(len(dimensions), min_column_width=480, gap="small"):
            for name in dimensions:
                with st.container(key=f"panel-{name}", height="stretch"):
                    self._group_chart(name, *found[name])
        if len(dimensions) == 2:
            self._pairs(dimensions)

    def _group_chart(self, name: str, breakdown: Breakdown | None, answer: Answer) -> None:
        star = self.definitions.metrics[self.definitions.north_star]
        label = f"{star.label} by {self.definitions.dimensions[name].label.lower()}"
        self._grouped(label, name, answer)
        if breakdown is None or not breakdown.rows:
            reason = answer.refused.get(star.name) or self.problem(star.name) or "There is nothing to show for this week."
            st.html(f'<p class="note">{cards.escape(reason)}</p>')
            return
        then = f'<i class="then"></i>{cards.escape(breakdown.earlier)}' if breakdown.earlier else ""
        aim = '<i class="aim"></i>target' if breakdown.target is not None else ""
        points = "<span>changes in points</span>" if star.unit == "percent" and breakdown.earlier else ""
        st.html(
            f'<p class="chart-title">{cards.escape(breakdown.title())}</p>'
            f'<p class="caption"><i class="now"></i>this week{then}{aim}{points}</p>'
        )
        made = self._made(f"rows {name}", lambda: charts.rows(breakdown, self.colours))
        st.plotly_chart(made, theme=None, config=charts.CONFIG, key=f"rows-{name}", alt=f"{label}: {breakdown.title()}")

    def review(self) -> Reviewed:
        """Every metric of ``review:``, each in a panel of the same form."""
        made = self._made("review", lambda: reviewing.reviewed(self.desk, self.filters, self.week))
        st.html(f'<h2 class="section">Weekly review</h2>{weekly.legend()}')
        for section in self.definitions.review:
            title = f'<h3 class="part">{cards.escape(section.title)}</h3>' if section.title else ""
            make = partial(reviewing.section, section, made, self.desk, self.colours)
            st.html(title + self._made(f"review {section.title}", make))
        return made

    def _pairs(self, dimensions: list[str]) -> None:
        breakdown, answer = self._breakdown(tuple(dimensions))
        if breakdown is None or not breakdown.rows:
            return
        labels = [self.definitions.dimensions[name].label for name in dimensions]
        with st.container(key="panel-pairs"):
            self._grouped(f"{breakdown.metric.label} by {labels[0].lower()} and {labels[1].lower()}", "pairs", answer)
            st.html(f'<p class="chart-title">{cards.escape(breakdown.title())}</p>{cards.grid(breakdown, labels)}')

    def _grouped(self, label: str, key: str, answer: Answer) -> None:
        star = self.definitions.metrics[self.definitions.north_star]
        explaining.control(explaining.Figure(f"group-{key}", label, star, answer.result, None, answer.refused.get(star.name)), self.desk)

    def _breakdown(self, by: tuple[str, ...]) -> tuple[Breakdown | None, Answer]:
        """The North Star by ``by``, with the money that says how much stands behind each group."""
        star = self.definitions.north_star
        answer = self.desk.ask(self.asked[by])
        result = answer.result
        if result is None or star in answer.refused:
            return None, answer
        heavy = next((name for name in result.query.metrics if name != star), None)
        made = self._made(f"groups {' '.join(by)}", lambda: break_down(result, self.definitions.metrics[star], heavy, self.week))
        return made, answer

    def _made(self, kind: str, make: Callable[[], Made]) -> Made:
        """What was made of these figures before, or now by ``make``."""
        return cast("Made", _figures().get((self.desk.key, kind, self.week, self.filters.where(), self.colours), make))


@cache
def _figures() -> Keeper[Any]:
    return Keeper(KEPT_FIGURES)


def questions(definitions: Definitions, frame: Frame, filters: Filters, week: dt.date) -> dict[tuple[str, ...], Query]:
    """All that the page asks, one statement each: by nothing for the year and its quarter before, by group since last year."""
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


def _drawable(series: Series) -> bool:
    return any(cell is not None and cell.value is not None for _, cell in series.shown)


def _alt(series: Series) -> str:
    """What a chart says, for those who don't see it."""
    shown = ", ".join(str(series.show(cell)) for _, cell in series.shown)
    return f"{series.metric.label}, last {SHOWN_WEEKS} weeks, oldest first: {shown}"


PAGE: Final = Page("This week", "this-week", draw, expect)
