"""This week: the North Star, what drives it, and where it comes from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations
from typing import Final

import streamlit as st

from kpi.analysis.pace import question
from kpi.analysis.restating import restated
from kpi.dashboard import cards, charts, controls, explaining, remarks, reviewing, weekly, writing
from kpi.dashboard.ahead import ahead
from kpi.dashboard.breakdown import Breakdown, headline
from kpi.dashboard.closing import closing
from kpi.dashboard.data import Answer, Desk, batches
from kpi.dashboard.filters import Filters, read
from kpi.dashboard.frame import Frame
from kpi.dashboard.looking import Look, drawable, questions
from kpi.dashboard.marks import marks
from kpi.dashboard.noted import noted, problem_sentences
from kpi.dashboard.pages.page import Page
from kpi.dashboard.printed.asked import named
from kpi.dashboard.printed.setting import printed
from kpi.dashboard.reviewing import Reviewed
from kpi.dashboard.series import SHOWN_WEEKS, Series
from kpi.dashboard.theme import Mode, Palette, palette
from kpi.metrics.model import Query
from kpi.periods import Period
from kpi.records.closings import Closed

#: Values of one filter that are answered ahead of a click.
MOST_AHEAD: Final = 8


def draw(desk: Desk, frame: Frame, mode: Mode) -> None:
    """The whole page."""
    filters, ignored = read(controls.parameters(), frame.weeks, frame.options)
    week = filters.week or frame.last_whole
    if week is None:
        return
    bar = controls.bar(filters, week, frame, desk.definitions)
    if ignored:
        st.html(cards.notice("warning", "Part of this link was left out", ignored))
    view = View(desk, frame, filters, week, palette(mode))
    with bar:
        view.download()
    view.north_star()
    view.drivers()
    first = st.container()
    view.breakdowns()
    made = view.review()
    with first:
        view.exceptions(made)
    ahead().likely(weeks_beside(desk, frame, filters, week))
    closing().want(desk)


def expect(desk: Desk, frame: Frame) -> None:
    """Begin to answer what the page asks."""
    filters, _ = read(controls.parameters(), frame.weeks, frame.options)
    week = filters.week or frame.last_whole
    if week is not None:
        desk.expect(questions(desk.definitions, frame, filters, week).values())
        paced = None if filters.where() else question(desk.definitions.north_star, desk.definitions.calendar.week(week), desk.definitions)
        if paced is not None:
            desk.expect([paced])
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


class View(Look):
    """One look, drawn.

    Attributes:
        noted: what people wrote beside figures. closed: what was shown of the same figures before.
    """

    def __init__(self, desk: Desk, frame: Frame, filters: Filters, week: dt.date, colours: Palette) -> None:
        super().__init__(desk, frame, filters, week, colours)
        self.noted = noted(desk.settings)
        self.closed = Closed() if filters.where() else self.noted.closed  # what was closed is the company's, not a segment's
        self.period = self.definitions.calendar.week(week)

    def download(self) -> None:
        """The same on paper, in the light colours; set when it is asked for."""
        paper = partial(_printed, self.desk, self.frame, self.filters, self.week)
        name = f"{named(self.week, self.definitions.calendar)}.pdf"
        words = "The North Star, exceptions and the weekly review on two pages"
        st.download_button("PDF", paper, name, "application/pdf", key="download", type="tertiary", on_click="ignore", help=words)

    def _explained(self, name: str, key: str) -> None:
        series = self.series[name]
        result = None if name in self.answer.refused else self.answer.result
        explaining.control(explaining.Figure(key, series.metric.label, series.metric, result, series.now, self.hidden(name)), self.desk)

    def north_star(self) -> None:
        """The one figure that counts, large, with its quarter and the year before."""
        name = self.definitions.north_star
        series, calendar = self.series[name], self.definitions.calendar
        with st.container(key="panel-star"):
            left, right = st.columns([4, 9], gap="medium")
            with left:
                self._explained(name, "star")
                owner = self.noted.notes.verdict(name, *self.period)
                moved = restated([cell for _, cell in series.shown], series.metric.unit, series.currency, self.closed)
                st.html(cards.hero(series, calendar, self.problem(name), owner, remarks.restated(moved, calendar), self.pace()))
            with right:
                st.html(
                    f'<p class="chart-title">{SHOWN_WEEKS} weeks, with the range that is normal for it</p>'
                    '<p class="caption"><i class="now"></i>this year<i class="then"></i>last year<i class="aim"></i>target'
                    '<i class="range"></i>normal</p>'
                )
                if drawable(series):
                    events = marks(self.noted.notes, name, Period(series.shown[0][0], self.period.end))
                    key = f"trend {self.noted.notes.number if events else ''}"
                    made = self.made(key, lambda: charts.trend(series, self.colours, calendar, events))
                    st.plotly_chart(made, theme=None, config=charts.CONFIG, key="trend", alt=_alt(series))
                    if events:
                        st.html(remarks.events(events))
                else:
                    st.html('<p class="quiet">There is no trend to draw yet.</p>')
            if not any(name in section.metrics for section in self.definitions.review):
                said = remarks.comments(self.noted.notes.comments(name, *self.period), calendar)
                if said:
                    st.html(said)

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
        drawing = charts.spark(series, colour, self.colours.panel, _alt(series)) if drawable(series) else ""
        st.html(cards.card(series, self.definitions.calendar, self.problem(name), drawing))

    def exceptions(self, made: Reviewed) -> None:
        """What needs a look before the figures are used: signals, targets missed, data that end early, values that can't be had."""
        lines = reviewing.exceptions(made, self.noted.notes)
        warnings = self.notes()
        if lines or warnings:
            st.html('<h2 class="section">Exceptions</h2>')
        if lines:
            st.html(cards.exceptions(lines))
        if warnings:
            st.html(cards.notice("quiet", "To know about these figures", warnings))

    def breakdowns(self) -> None:
        """The North Star by product, by segment, and where the two meet."""
        star = self.definitions.metrics[self.definitions.north_star]
        dimensions = self.dimensions
        found = {name: self.breakdown((name,)) for name in dimensions}
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
        made = self.made(f"rows {name}", lambda: charts.rows(breakdown, self.colours))
        st.plotly_chart(made, theme=None, config=charts.CONFIG, key=f"rows-{name}", alt=f"{label}: {breakdown.title()}")

    def review(self) -> Reviewed:
        """Every metric of ``review:``, each in a panel of the same form."""
        made = self.reviewed()
        with st.container(key="review-head", horizontal=True, vertical_alignment="bottom"):
            st.html(f'<h2 class="section">Weekly review</h2>{weekly.legend()}')
            writing.control(self.desk, tuple(made.found), self.period, self.noted.notes)
        if self.noted.problem is not None:
            st.html(cards.notice("warning", "What people wrote is missing here", problem_sentences(self.noted)))
        for section in self.definitions.review:
            title = f'<h3 class="part">{cards.escape(section.title)}</h3>' if section.title else ""
            make = partial(reviewing.section, section, made, self.desk, self.colours, self.noted.notes, self.closed)
            st.html(title + self.made(f"review {section.title} {self.noted.notes.number}", make))
        return made

    def _pairs(self, dimensions: list[str]) -> None:
        breakdown, answer = self.breakdown(tuple(dimensions))
        if breakdown is None or not breakdown.rows:
            return
        labels = [self.definitions.dimensions[name].label for name in dimensions]
        with st.container(key="panel-pairs"):
            self._grouped(f"{breakdown.metric.label} by {labels[0].lower()} and {labels[1].lower()}", "pairs", answer)
            st.html(f'<p class="chart-title">{cards.escape(breakdown.title())}</p>{cards.grid(breakdown, labels)}')

    def _grouped(self, label: str, key: str, answer: Answer) -> None:
        star = self.definitions.metrics[self.definitions.north_star]
        explaining.control(explaining.Figure(f"group-{key}", label, star, answer.result, None, answer.refused.get(star.name)), self.desk)


def _printed(desk: Desk, frame: Frame, filters: Filters, week: dt.date) -> bytes:
    return printed(Look(desk, frame, filters, week, palette("light")), "pdf")


def _alt(series: Series) -> str:
    """What a chart says, for those who don't see it."""
    shown = ", ".join(str(series.show(cell)) for _, cell in series.shown)
    return f"{series.metric.label}, last {SHOWN_WEEKS} weeks, oldest first: {shown}"


PAGE: Final = Page("This week", "this-week", draw, expect)
