"""The controls of the page: they show what the URL says, and write it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kpi.dashboard import controls
from kpi.dashboard.cards import plain
from kpi.dashboard.exploring.look import FORMS, GRAINS, LASTS, MOST_DIMENSIONS, MOST_METRICS, Look, Range, Versus, ranged
from kpi.dashboard.filters import DIMENSIONS, Value
from kpi.dashboard.frame import Frame
from kpi.metrics.groups import called
from kpi.metrics.model import Definitions
from kpi.metrics.uses import leaves_of
from kpi.periods import Grain

_FORMS: Final = {
    "line": "Line",
    "bars": "Bars",
    "stacked": "Stacked",
    "table": "Table",
    "pivot": "Pivot",
    "leaderboard": "Leaderboard",
}
_GRAINS: Final = {"day": "Days", "week": "Weeks", "month": "Months", "quarter": "Quarters", "year": "Years", "all": "The whole time"}
_VERSUS: Final = {"": "Nothing", "previous": "The period before", "year": "Last year", "target": "Target", "segment": "Another segment"}
_TOPS: Final = (3, 5, 8, 10, 20, 50)


class Bar:
    """The controls for one look.

    Args:
        options: the values that a dimension has.
        stacks: whether groups are parts of a whole, so that they may be stacked.
    """

    def __init__(self, look: Look, frame: Frame, definitions: Definitions, options: Callable[[str], Sequence[Value]], uneven: str) -> None:
        self.look, self.frame, self.definitions, self.options, self.uneven = look, frame, definitions, options, uneven

    def draw(self) -> DeltaGenerator:
        """Filters as on every page, then what is shown, then how; the last row, for what the page adds to it."""
        with st.container(key="filters", horizontal=True, gap="small", vertical_alignment="center"):
            for name in self.frame.options:
                self._filter(name)
            for name, _ in self.look.chosen:
                if name not in self.frame.options:
                    self._filter(name)
            self._more()
            if self.look.chosen or self.look.ranges:
                cleared = replace(self.look, chosen=(), ranges=(), point=None)
                st.button("Clear filters", key="clear-filters", type="tertiary", on_click=self.write, args=(cleared,))
        with st.container(key="explore-what", horizontal=True, gap="small", vertical_alignment="bottom"):
            self._metrics()
            self._by()
            self._time()
            self._against()
        how = st.container(key="explore-how", horizontal=True, gap="small", vertical_alignment="center")
        with how:
            self._form()
        return how

    def write(self, look: Look) -> None:
        """Make the URL say a look."""
        st.query_params.from_dict(look.parameters(self.definitions.north_star))

    def _filter(self, name: str) -> None:
        values, chosen = tuple(self.options(name)), self.look.values(name)
        controls.dimension(
            name, self.definitions.dimensions[name].label, values, chosen, lambda picked: self.write(self.look.choose(name, picked))
        )

    def _more(self) -> None:
        """Other dimensions, and ranges of numbers and days."""
        others = [name for name in self.definitions.dimensions if name not in self.frame.options]
        with st.popover("More filters", key="popover-more"):
            st.session_state["more-dimension"] = None
            st.selectbox(
                "Filter by",
                [None, *others],
                format_func=lambda name: "Choose a dimension" if name is None else self.definitions.dimensions[name].label,
                key="more-dimension",
                on_change=self._add_dimension,
            )
            columns = self._columns()
            st.selectbox("Or a range of", columns, format_func=_of_column, key="more-column", index=None, placeholder="Choose a column")
            low, high = st.columns(2)
            low.text_input("From", key="more-low", placeholder="100 or 2026-01-01")
            high.text_input("To", key="more-high", placeholder="no bound")
            st.button("Add the range", key="more-add", on_click=self._add_range)
            for place, one in enumerate(self.look.ranges):
                rest = replace(self.look, ranges=tuple(other for other in self.look.ranges if other != one), point=None)
                words = f"{_of_column(one.column)} {one.low or '…'} to {one.high or '…'}"
                st.button(
                    f"Remove {plain(words)}",
                    key=f"range-{place}",
                    type="tertiary",
                    icon=":material/close:",
                    on_click=self.write,
                    args=(rest,),
                )

    def _columns(self) -> list[str]:
        known = ranged(self.definitions)
        tables = dict.fromkeys(
            table for name in self.look.metrics for leaf in leaves_of(name, self.definitions.metrics) for table in leaf.tables
        )
        return [name for name in known if name.partition(".")[0] in {*tables, "account"}]

    def _add_dimension(self) -> None:
        name = st.session_state["more-dimension"]
        values = self.options(name) if name else ()
        if name and values:  # a filter without values is none: it begins with the first, and its own control has the others
            self.write(self.look.choose(name, values[:1]))

    def _add_range(self) -> None:
        column, low, high = (st.session_state.get(f"more-{name}") for name in ("column", "low", "high"))
        if column and (low or high):
            is_day = ranged(self.definitions)[column] == "day"
            one = Range(column, (low or "").strip() or None, (high or "").strip() or None, is_day)
            # read back like any link: what is no number is refused with a sentence
            self.write(replace(self.look, ranges=(*self.look.ranges, one), point=None))

    def _metrics(self) -> None:
        st.session_state["explore-metrics"] = list(self.look.metrics)
        st.multiselect(
            "Metrics",
            list(self.definitions.metrics),
            format_func=lambda name: self.definitions.metrics[name].label,
            key="explore-metrics",
            max_selections=MOST_METRICS,
            on_change=self._changed,
            args=("metrics", "explore-metrics", tuple),
            width=360,
            placeholder="Choose a metric",
        )

    def _by(self) -> None:
        st.session_state["explore-by"] = list(self.look.by)
        st.multiselect(
            "By",
            list(self.definitions.dimensions),
            format_func=lambda name: self.definitions.dimensions[name].label,
            key="explore-by",
            max_selections=MOST_DIMENSIONS,
            on_change=self._changed,
            args=("by", "explore-by", tuple),
            width=250,
            placeholder="Not split",
        )

    def _time(self) -> None:
        st.session_state["explore-grain"] = self.look.grain
        st.selectbox(
            "In",
            [*GRAINS, "all"],
            format_func=_GRAINS.__getitem__,
            key="explore-grain",
            on_change=self._grain,
            width=150,
        )
        choices = self._lasts()
        st.session_state["explore-last"] = self._last_of()
        st.selectbox("Period", choices, format_func=self._last_words, key="explore-last", on_change=self._last, width=190)
        if self.look.last is None and (self.look.since or self.look.until):
            first = self.look.since or self.frame.weeks[0]
            last = self.look.until or self.frame.weeks[-1] + dt.timedelta(days=6)
            st.session_state["explore-days"] = (min(first, last), max(first, last))
            st.date_input("Days", key="explore-days", format="YYYY-MM-DD", on_change=self._days, width=230)

    def _lasts(self) -> list[Any]:
        grain = self.look.grain if self.look.grain in LASTS else "week"
        known: list[Any] = sorted({*LASTS[grain], *([self.look.last] if self.look.last else [])})
        return [*known, "all", "days"]

    def _last_of(self) -> Any:
        if self.look.last is not None:
            return self.look.last
        return "days" if self.look.since or self.look.until else "all"

    def _last_words(self, choice: Any) -> str:
        unit = self.look.grain if self.look.grain in LASTS else "week"
        return {"all": "All there is", "days": "From … to …"}.get(choice, f"Last {choice} {unit}s")

    def _against(self) -> None:
        kind = self.look.versus.kind if self.look.versus else ""
        st.session_state["explore-versus"] = kind
        st.selectbox(
            "Compared with", list(_VERSUS), format_func=_VERSUS.__getitem__, key="explore-versus", on_change=self._versus, width=180
        )
        if self.look.versus is not None and self.look.versus.kind == "segment":
            versus = self.look.versus
            st.session_state["explore-of"] = versus.dimension
            st.selectbox(
                "Of",
                list(self.definitions.dimensions),
                format_func=lambda name: self.definitions.dimensions[name].label,
                key="explore-of",
                on_change=self._segment_of,
                width=150,
            )
            values = [called(value) for value in self.options(versus.dimension)]
            st.session_state["explore-segment"] = called(versus.value)
            st.selectbox("Segment", values, format_func=str, key="explore-segment", on_change=self._segment, width=180)

    def _form(self) -> None:
        forms = [form for form in FORMS if not (form == "stacked" and (self.uneven or not self.look.by))]
        st.session_state["explore-form"] = self.look.form if self.look.form in forms else "bars"
        st.segmented_control(
            "Shown as",
            forms,
            format_func=_FORMS.__getitem__,
            key="explore-form",
            on_change=self._changed,
            args=("form", "explore-form", lambda form: form or "line"),
            label_visibility="collapsed",
            help=self.uneven or None,
        )
        if self.look.by:
            st.session_state["explore-top"] = self.look.top
            st.selectbox(
                "Groups",
                sorted({*_TOPS, self.look.top}),
                format_func=lambda count: f"Top {count}",
                key="explore-top",
                on_change=self._changed,
                args=("top", "explore-top", int),
                label_visibility="collapsed",
                width=104,
            )
            if self.look.form in ("line", "bars", "stacked"):
                st.session_state["explore-each"] = self.look.each
                st.toggle("A chart each", key="explore-each", on_change=self._changed, args=("each", "explore-each", bool))

    def _changed(self, field: str, key: str, make: Callable[[Any], Any]) -> None:
        value = make(st.session_state[key])
        if field == "metrics" and not value:
            value = (self.definitions.north_star,)
        self.write(replace(self.look, point=None, **{field: value}))

    def _grain(self) -> None:
        grain: Grain = st.session_state["explore-grain"]
        last = self.look.last if self.look.last is None else LASTS.get(grain, (13,))[0]
        self.write(replace(self.look, grain=grain, last=last, point=None))

    def _last(self) -> None:
        choice = st.session_state["explore-last"]
        if choice == "all":
            self.write(replace(self.look, last=None, since=None, until=None, point=None))
        elif choice == "days":
            week = self.look.week or self.frame.last_whole or self.frame.weeks[-1]
            until = week + dt.timedelta(days=6)
            self.write(replace(self.look, last=None, since=until - dt.timedelta(days=90), until=until, point=None))
        else:
            self.write(replace(self.look, last=int(choice), since=None, until=None, point=None))

    def _days(self) -> None:
        picked = st.session_state["explore-days"]
        if len(picked) == 2:  # after the first click there is one
            self.write(replace(self.look, since=picked[0], until=picked[1], point=None))

    def _versus(self) -> None:
        kind = st.session_state["explore-versus"]
        if kind != "segment":
            self.write(replace(self.look, versus=Versus(kind) if kind else None, point=None))
            return
        dimension = next((name for name in DIMENSIONS if name in self.frame.options), next(iter(self.definitions.dimensions), ""))
        self._against_segment(dimension)

    def _segment_of(self) -> None:
        self._against_segment(st.session_state["explore-of"])

    def _against_segment(self, dimension: str) -> None:
        values = tuple(self.options(dimension)) if dimension else ()
        if values:
            self.write(replace(self.look, versus=Versus("segment", dimension, values[0]), point=None))

    def _segment(self) -> None:
        versus = self.look.versus
        if versus is not None:
            by_name = {called(value): value for value in self.options(versus.dimension)}
            self.write(replace(self.look, versus=replace(versus, value=by_name[st.session_state["explore-segment"]]), point=None))


def _of_column(name: str) -> str:
    """``account.employees`` as people say it."""
    table, _, column = name.partition(".")
    return f"{table.replace('_', ' ')}: {column.replace('_', ' ')}"
