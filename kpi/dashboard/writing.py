"""The dialog in which people write beside figures: a comment, an event, a verdict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from kpi.dashboard.cards import notice, plain
from kpi.dashboard.data import Desk
from kpi.errors import KpiError, NoteChanged
from kpi.periods import Period, span_label
from kpi.records.notes import MOST, MOST_AUTHOR, Kind, Line, Notes, edit, new, notes, withdraw, write_down

_KINDS: Final[Mapping[str, Kind]] = {"Comment": "comment", "Event": "event", "Verdict": "verdict"}
#: Where the session keeps who writes, for every dialog that asks.
AUTHOR: Final = "note-author"
_SEEN: Final = "note-seen"
_SAID: Final = "note-said"
_OPEN: Final = "note-open"


def control(desk: Desk, metrics: Sequence[str], week: Period, found: Notes) -> None:
    """The button that opens it."""
    if st.button("Write a note", key="write-note", icon=":material/edit_note:", help="A comment, an event or a verdict on this week"):
        st.session_state[_SEEN] = found  # what an edit begins from, so that one who was faster is noticed
        st.session_state.pop(_SAID, None)
        st.session_state[_OPEN] = week
    if st.session_state.get(_OPEN) == week:  # it stays open, and what was typed in it, when the page behind it is drawn again
        title = f"Notes on {desk.definitions.calendar.short_label(week, 'week').lower()}, {span_label(week)}"
        st.dialog(title, width="large", on_dismiss=_closed)(_dialog)(desk, metrics, week)


def _closed() -> None:
    st.session_state.pop(_OPEN, None)


def _dialog(desk: Desk, metrics: Sequence[str], week: Period) -> None:
    labels = {name: desk.definitions.metrics[name].label for name in metrics}
    word = st.segmented_control("Kind", list(_KINDS), default="Comment", key="note-kind", label_visibility="collapsed") or "Comment"
    kind = _KINDS[word]
    chosen: list[str]
    if kind == "event":
        chosen = st.multiselect(
            "Metrics that it concerns; none means all", metrics, format_func=lambda name: plain(labels[name]), key="note-metrics"
        )
    else:
        chosen = [st.selectbox("Metric", metrics, format_func=lambda name: labels[name], key="note-metric") or metrics[0]]
    there = _there(st.session_state[_SEEN], kind, chosen, week)
    old = _old(kind, there)
    more = _more(kind, week) if old is None else {}
    # the key holds what is changed, so that the text of one doesn't stand in the field of another
    key = f"note-text-{kind}-{old.note if old else 'new'}"
    label = {"comment": "Comment", "event": "What happened", "verdict": "Why"}[kind]
    field = st.text_area if kind == "comment" else st.text_input
    text = field(label, value=old.text if old else "", max_chars=MOST[kind], key=key)
    author = st.text_input("Your name", value=st.session_state.get(AUTHOR, ""), max_chars=MOST_AUTHOR, key="note-name")
    st.session_state[AUTHOR] = author
    if st.session_state.get(_SAID):
        st.html(notice("warning", "This was not written down", [st.session_state.pop(_SAID)]))
    with st.container(horizontal=True, gap="small"):
        if st.button("Save", type="primary", key="note-save"):
            _save(desk, lambda: _written(desk, kind, chosen, text, author, old, more))
        if old is not None and st.button("Withdraw", key="note-withdraw", help="It leaves the page; its history stays"):
            _save(desk, lambda: withdraw(desk.settings, old, author))


def _there(found: Notes, kind: Kind, chosen: Sequence[str], week: Period) -> list[Line]:
    if kind == "comment":
        return found.comments(chosen[0], week.start, week.end)
    if kind == "event":
        return list(reversed(found.events))
    verdict = found.verdict(chosen[0], week.start, week.end)
    return [] if verdict is None else [verdict]


def _old(kind: Kind, there: Sequence[Line]) -> Line | None:
    """Which of those that stand is to be changed; None for a new one."""
    if not there:
        return None
    by_note = {line.note: line for line in there}
    none = f"a new {kind}"
    options = [none, *by_note]
    picked = st.selectbox(
        "Write",
        options,
        format_func=lambda note: note if note == none else f"change: {by_note[note].author}, {_short(by_note[note].text)}",
        key=f"note-which-{kind}-{'-'.join(by_note)}",
    )
    return by_note.get(picked or none)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else f"{flat[:59]}…"


def _more(kind: Kind, week: Period) -> dict[str, Any]:
    """What else a new note of a kind says."""
    if kind == "event":
        days = st.date_input("From, and to where it lasts", value=(week.start,), key="note-days", format="YYYY-MM-DD")
        span = [day for day in days if isinstance(day, dt.date)] if isinstance(days, tuple | list) else [days]
        return {"starts": span[0] if span else week.start, "ends": span[1] if len(span) > 1 else None}
    if kind == "verdict":
        said = st.segmented_control("The week is", ["Signal", "Noise"], default="Noise", key="note-verdict") or "Noise"
        return {"starts": week.start, "said": said.lower()}
    return {"starts": week.start}


def _written(desk: Desk, kind: Kind, chosen: Sequence[str], text: str, author: str, old: Line | None, more: Mapping[str, Any]) -> None:
    if old is not None:
        edit(desk.settings, old, text, author)
    else:
        write_down(desk.settings, [new(kind, chosen, text=text, author=author, **more)])


def _save(desk: Desk, write: Any) -> None:
    """Write, and close; or say why not, with everything that was typed still there."""
    try:
        write()
    except KpiError as error:
        if isinstance(error, NoteChanged):
            st.session_state[_SEEN] = notes(desk.settings)
        st.session_state[_SAID] = str(error)
    else:
        _closed()
    st.rerun()
