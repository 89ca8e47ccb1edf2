"""Explore: any metric by any dimension over any time, compared, and down to the rows behind a figure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any, Final, TypeVar, cast

import streamlit as st

from kpi import units
from kpi.dashboard import cards, controls, starting
from kpi.dashboard.data import Desk
from kpi.dashboard.exploring import downloads, plots, rows, tables, viewing
from kpi.dashboard.exploring.asking import asked
from kpi.dashboard.exploring.bar import Bar
from kpi.dashboard.exploring.look import MOST_METRICS, Look, Point, of_link
from kpi.dashboard.exploring.seen import Seen, known, see
from kpi.dashboard.filters import Value
from kpi.dashboard.frame import Frame, values_of
from kpi.dashboard.pages.page import Page
from kpi.dashboard.theme import Mode, palette
from kpi.errors import KpiError
from kpi.keeping import Keeper
from kpi.metrics.adding import why_not
from kpi.metrics.behind import Behind, Figure, behind
from kpi.periods import Period

#: What was put together and drawn; a chart takes some tens of kilobytes.
KEPT: Final = 512
#: Rows behind figures: a hundred of each part.
KEPT_ROWS: Final = 64
_DAY: Final = dt.timedelta(days=1)
_CHARTS: Final = ("line", "bars", "stacked")

Made = TypeVar("Made")


def draw(desk: Desk, frame: Frame, mode: Mode) -> None:
    """The whole page."""
    look, ignored = _look(desk, frame)
    reasons = [reason for name in look.metrics if (reason := why_not(name, desk.definitions))]
    uneven = f"Not stacked: {desk.definitions.metrics[look.metrics[0]].label} can't be, because {reasons[0]}" if reasons and look.by else ""
    bar = Bar(look, frame, desk.definitions, _options(desk, frame), uneven)
    if began := starting.said():
        st.html(began)
    how, asked_for = bar.draw(), look
    if look.form == "stacked" and (uneven or not look.by):
        ignored = (*ignored, f"{uneven or 'Without groups there is nothing to stack'}; bars are shown.")
        look = replace(look, form="bars")
    if ignored:
        st.html(cards.notice("warning", "Part of this link was left out", ignored))
    seen = _kept(
        (desk.key, "seen", replace(look, point=None, form="line", each=False)),
        lambda: see(look, asked(look, frame, desk.definitions), desk),
    )
    View(desk, replace(seen, look=look), mode, bar).draw()
    with how:  # last, so that no figure waits for the records
        viewing.control(desk, asked_for)


def expect(desk: Desk, frame: Frame) -> None:
    """Begin to answer what the page asks."""
    look, _ = _look(desk, frame)
    desk.expect(asked(look, frame, desk.definitions).queries)


def _look(desk: Desk, frame: Frame) -> tuple[Look, tuple[str, ...]]:
    return of_link(controls.parameters(), desk.definitions, frame, _options(desk, frame))


def _options(desk: Desk, frame: Frame) -> Callable[[str], tuple[Value, ...]]:
    """The values of dimensions, of the link's metrics and of those of every page."""
    asked_for = [name for name in controls.parameters().get("metric", ()) if name in desk.definitions.metrics][:MOST_METRICS]
    return partial(values_of, desk=desk, frame=frame, metrics=tuple(dict.fromkeys((*asked_for, *frame.metrics))))


class View:
    """One look, drawn."""

    def __init__(self, desk: Desk, seen: Seen, mode: Mode, bar: Bar) -> None:
        self.desk, self.seen, self.mode, self.bar = desk, seen, mode, bar
        self.look, self.definitions, self.colours = seen.look, desk.definitions, palette(mode)

    def draw(self) -> None:
        """Charts or tables, what is chosen of them, what must be said, and what can be taken away."""
        refused = [f"{self.definitions.metrics[name].label}: {sentence}." for name, sentence in self.seen.refused.items()]
        if refused:
            st.html(cards.notice("warning", "Not shown", refused))
        if self.seen.is_empty:
            if self.seen.lines:
                reasons = self.seen.notes[:3] or ("No row is left by these filters and days.",)
                st.html(
                    cards.notice("quiet", "There is nothing to show", [cards.labelled(text, self.definitions.metrics) for text in reasons])
                )
            return
        if self.look.form == "table":
            self._table()
        else:
            for name in self.seen.lines:
                self._metric(name)
        self._closer()
        self._to_know()
        self._downloads()

    def _table(self) -> None:
        with st.container(key="panel-table"):
            names = ", ".join(self.definitions.metrics[name].label for name in self.seen.lines)
            st.html(f'<h2 class="section first">{cards.escape(names)}</h2>')
            st.html(self._made("table", lambda: tables.table(self.seen, self.definitions, self.colours)))

    def _metric(self, name: str) -> None:
        metric, seen = self.definitions.metrics[name], self.seen
        by = " and ".join(self.definitions.dimensions[one].label.lower() for one in self.look.by)
        with st.container(key=f"panel-{name}"):
            heading = (
                tables.titled(metric, seen) + (f" · by {by}" if by else "") + (f" · compared with {seen.against}" if seen.against else "")
            )
            st.html(
                f'<h2 class="section first">{cards.escape(tables.title(name, seen, self.definitions))}</h2>'
                f'<p class="caption">{cards.escape(heading)}</p>{plots.key(seen.lines[name], seen, self.mode, self.colours)}'
            )
            if self.look.form == "pivot":
                st.html(self._made(f"pivot {name}", lambda: tables.pivot(name, seen, self.definitions)))
            elif self.look.form == "leaderboard":
                st.html(self._made(f"leaders {name}", lambda: tables.leaderboard(name, seen, self.definitions, self.mode, self.colours)))
            else:
                self._chart(name)
            if sentence := tables.parts_and_whole(name, seen):
                st.html(f'<p class="caption">{cards.escape(sentence)}</p>')

    def _chart(self, name: str) -> None:
        calendar = self.definitions.calendar
        made = self._made(f"chart {name}", lambda: plots.chart(name, self.seen, self.mode, self.colours, calendar))
        key = f"explore-chart-{name}"
        st.plotly_chart(
            made,
            theme=None,
            config=plots.CONFIG,
            key=key,
            on_select=partial(self._clicked, key),
            selection_mode="points",
            alt=f"{self.definitions.metrics[name].label}. {tables.spoken(self.seen.lines[name], self.seen, calendar)}",
        )

    def _clicked(self, key: str) -> None:
        points = st.session_state[key].selection.points
        marks = [point.get("customdata") for point in points]
        found = next((mark for mark in marks if mark), None)
        if found is None:
            return
        metric, period, place = (int(found[str(at)] if isinstance(found, dict) else found[at]) for at in range(3))
        name = self.look.metrics[metric]
        line = next((line for line in self.seen.lines[name] if line.place == place), None)
        if line is not None:
            day = None if period < 0 else self.seen.periods[period].start
            self.bar.write(replace(self.look, point=Point(name, day, line.group)))

    def _closer(self) -> None:
        """One figure: what it is, and where to go from it."""
        with st.container(key="explore-pick", horizontal=True, gap="small", vertical_alignment="bottom"):
            self._pick()
        point = self.look.point
        if point is None:
            return
        cell = self.seen.cell(point.metric, point.period, point.groups)
        words, days = tables.point_words(point, self.seen, self.definitions)
        metric = self.definitions.metrics[point.metric]
        with st.container(key="panel-figure"):
            value = units.show_in_full(cell.value, metric.unit, self.seen.currency) if known(cell) and cell else "–"
            state = "" if cell is None or cell.state == "known" else f" ({cell.state})"
            st.html(f'<h2 class="section first">{cards.escape(words)}: {cards.escape(value + state)}</h2>')
            self._ways(point)
            if point.rows:
                self._rows(point, days)

    def _ways(self, point: Point) -> None:
        base = replace(self.look, point=None)
        with st.container(key="explore-ways", horizontal=True, gap="small", vertical_alignment="center"):
            if not point.rows:
                st.button(
                    "Source rows",
                    key="way-rows",
                    type="primary",
                    on_click=self.bar.write,
                    args=(replace(self.look, point=replace(point, rows=True)),),
                )
            if point.groups:
                narrowed = base
                for name, value in zip(self.look.by, point.groups, strict=True):
                    narrowed = narrowed.choose(name, (value,))
                st.button("Only this group", key="way-only", on_click=self.bar.write, args=(narrowed,))
            with st.popover("See it by", key="way-by"):
                for name, dimension in self.definitions.dimensions.items():
                    if name not in self.look.by:
                        st.button(
                            cards.plain(dimension.label),
                            key=f"way-by-{name}",
                            type="tertiary",
                            on_click=self.bar.write,
                            args=(self._by(point, name),),
                        )
            st.button("Close", key="way-close", type="tertiary", on_click=self.bar.write, args=(base,))

    def _by(self, point: Point, name: str) -> Look:
        """The figure's own period and group, by another dimension."""
        look = replace(self.look, point=None, metrics=(point.metric,), by=(name,), form="leaderboard")
        for dimension, value in zip(self.look.by, point.groups, strict=False):
            look = look.choose(dimension, (value,))
        found = next((period for period in self.seen.periods if period.start == point.period), None)
        if found is not None:
            look = replace(look, last=None, since=found.start, until=found.end - _DAY)
        return look

    def _pick(self) -> None:
        """The same as a click on a mark, for keys and for those who don't see the chart."""
        names = list(self.seen.lines)
        groups = tables.groups_by_name(self.seen.lines) if self.look.by else {}
        calendar = self.definitions.calendar
        periods: list[Any] = [None, *(period.start for period in reversed(self.seen.periods))] if self.look.grain != "all" else [None]
        labels = {period.start: calendar.label(period, self.look.grain) for period in self.seen.periods}
        metric = (
            names[0]
            if len(names) == 1
            else st.selectbox("Figure", names, format_func=lambda name: self.definitions.metrics[name].label, key="pick-metric", width=220)
        )
        day = st.selectbox(
            "Look closer at", periods, format_func=lambda day: "The whole time" if day is None else labels[day], key="pick-day", width=220
        )
        group = st.selectbox("Group", list(groups), key="pick-group", width=220) if groups else None
        to = Point(metric, day, groups[group] if group else (), rows=True)
        st.button("Show its rows", key="pick-go", on_click=self.bar.write, args=(replace(self.look, point=to),))

    def _rows(self, point: Point, days: Period) -> None:
        if point.groups and len(point.groups) != len(self.look.by):
            return
        look, whole = self.look, Period(self.seen.asked.whole.since or days.start, self.seen.asked.whole.until or days.end)
        grain = "all" if point.period is None else look.grain
        since, until = (whole.start, whole.end)
        figure = Figure(
            point.metric,
            grain,
            whole if grain == "all" else days,
            look.where(),
            look.by if point.groups else (),
            point.groups,
            since,
            until,
        )
        try:
            found = cast(
                "Behind", _rows_kept().get((self.desk.key, figure), lambda: behind(figure, self.definitions, self.desk.reader, rows.MOST))
            )
        except KpiError as error:
            st.html(f'<p class="note">{cards.escape(str(error))}.</p>')
            return
        if words := rows.heading(found):
            st.html(f'<p class="caption">{cards.escape(words)}</p>')
        drawn = []
        for part in found.parts:
            label = self.definitions.metrics[part.name].label if part.name in self.definitions.metrics else part.name
            drawn.append((st.empty(), part, label))
            drawn[-1][0].html(rows.part(part, found.currency, label, {}))
        finder = rows.finding().finder
        for place, part, label in drawn:
            if finder is None or not part.rows:
                continue
            key = (self.desk.key, "lines", figure, part.name)
            lines = _rows_kept().get(key, partial(finder, self.desk.settings, part.table, part.rows))
            place.html(rows.part(part, found.currency, label, lines))

    def _to_know(self) -> None:
        if self.seen.notes:
            st.html(
                cards.notice(
                    "quiet", "To know about these figures", [cards.labelled(text, self.definitions.metrics) for text in self.seen.notes[:6]]
                )
            )

    def _downloads(self) -> None:
        name = "-".join(["north-star", *self.seen.lines])[:80]
        with st.container(key="explore-take", horizontal=True, gap="small", vertical_alignment="center"):
            csv, book = partial(downloads.as_csv, self.seen, self.definitions), partial(downloads.as_workbook, self.seen, self.definitions)
            st.download_button("CSV", csv, f"{name}.csv", "text/csv", key="take-csv", icon=":material/download:", on_click="ignore")
            kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            st.download_button("Excel", book, f"{name}.xlsx", kind, key="take-xlsx", icon=":material/download:", on_click="ignore")
            if self.look.form in _CHARTS:
                st.html('<p class="caption">A chart is saved as a picture by the camera at its corner.</p>', width="content")

    def _made(self, kind: str, make: Callable[[], Made]) -> Made:
        """What was made of these figures before, or now by ``make``."""
        return cast("Made", _kept((self.desk.key, kind, replace(self.look, point=None), self.colours), make))


def _kept(key: object, make: Callable[[], Any]) -> Any:
    return _views().get(key, make)


@cache
def _views() -> Keeper[Any]:
    return Keeper(KEPT)


@cache
def _rows_kept() -> Keeper[Any]:
    return Keeper(KEPT_ROWS)


PAGE: Final = Page("Explore", "explore", draw, expect)
