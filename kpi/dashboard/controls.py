"""The filter bar: controls that show what the URL says, and write it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kpi.dashboard.cards import plain
from kpi.dashboard.filters import Filters, Value
from kpi.dashboard.frame import Frame
from kpi.metrics.groups import called
from kpi.metrics.model import Definitions
from kpi.periods import Calendar

_WEEK = "filter-week"
#: Values that are a button each.
MOST_BUTTONS: Final = 30


def parameters() -> dict[str, list[str]]:
    """The URL's query parameters, each with all its values."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def bar(filters: Filters, week: dt.date, frame: Frame, definitions: Definitions) -> DeltaGenerator:
    """Week with its neighbours, then a filter a dimension; the bar, for what a page adds to it."""
    place = frame.weeks.index(week)
    made = st.container(key="filters", horizontal=True, gap="small", vertical_alignment="center")
    with made:
        _step(":material/chevron_left:", "Week before", "week-before", filters, frame, place - 1)
        st.session_state[_WEEK] = week
        st.selectbox(
            "Week",
            list(reversed(frame.weeks)),
            format_func=lambda day: _week_label(day, definitions.calendar),
            key=_WEEK,
            label_visibility="collapsed",
            width=236,
            on_change=_week_chosen,
            args=(filters, frame),
        )
        _step(":material/chevron_right:", "Week after", "week-after", filters, frame, place + 1)
        for name, options in frame.options.items():
            dimension(name, definitions.dimensions[name].label, options, filters.chosen.get(name, ()), partial(_choose, filters, name))
        if filters.chosen:
            st.button("Clear filters", key="clear-filters", type="tertiary", on_click=_write, args=(Filters(filters.week),))
    return made


def _step(icon: str, words: str, key: str, filters: Filters, frame: Frame, place: int) -> None:
    there = 0 <= place < len(frame.weeks)
    target = frame.weeks[place] if there else None
    # the words are there for those who hear the page; page.css leaves only the icon to see
    st.button(words, key=key, icon=icon, disabled=not there, on_click=_write, args=(_at(filters, target, frame),))


def dimension(name: str, label: str, options: Sequence[Value], chosen: Sequence[Value], choose: Callable[[Sequence[Value]], None]) -> None:
    """A filter: a button that says what is chosen and opens the values; many have a search instead of a button each."""
    shown = "All" if not chosen else called(chosen[0]) if len(chosen) == 1 else f"{len(chosen)} of {len(options)}"
    key = f"filter-{name}"
    names = [called(value) for value in options]
    st.session_state[key] = [called(value) for value in chosen]
    more: dict[str, Any] = {"key": key, "on_change": _chosen, "args": (key, options, choose)}
    with st.popover(f"{plain(label)} **{plain(shown)}**", key=f"popover-{name}"):
        if len(names) <= MOST_BUTTONS:
            st.pills(label, names, selection_mode="multi", format_func=plain, **more)
        else:
            st.multiselect(label, names, placeholder="Search", select_all=False, **more)


@lru_cache(maxsize=4096)  # a list of years of weeks is written anew with every run
def _week_label(day: dt.date, calendar: Calendar) -> str:
    week = calendar.week(day)
    return f"{calendar.short_label(week, 'week')} · {calendar.label(week, 'week')}"


def _at(filters: Filters, week: dt.date | None, frame: Frame) -> Filters:
    """The same filters in another week; the last whole one needs no mention, so that a link without it stays current."""
    return Filters(None if week == frame.last_whole else week, filters.chosen)


def _week_chosen(filters: Filters, frame: Frame) -> None:
    _write(_at(filters, st.session_state[_WEEK], frame))


def _chosen(key: str, options: Sequence[Value], choose: Callable[[Sequence[Value]], None]) -> None:
    picked = set(st.session_state[key])
    choose([value for value in options if called(value) in picked])


def _choose(filters: Filters, name: str, values: Sequence[Value]) -> None:
    _write(filters.choose(name, values))


def _write(filters: Filters) -> None:
    st.query_params.from_dict(filters.parameters())
