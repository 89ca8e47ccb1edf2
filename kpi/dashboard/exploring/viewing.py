"""The controls of saved views: saving what is shown, the list, and changing, pinning or withdrawing one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from kpi.dashboard.cards import notice, plain
from kpi.dashboard.data import Desk
from kpi.dashboard.exploring import saved
from kpi.dashboard.exploring.look import Look
from kpi.dashboard.noted import noted
from kpi.dashboard.writing import AUTHOR
from kpi.errors import KpiError, NameTaken, NoteChanged
from kpi.records.notes import MOST_AUTHOR
from kpi.records.views import MOST_NAME, MOST_TEAM, Line, Views, change, key, new, pin, rename, save, unpin, views, withdraw

_TEAM: Final = "view-of-team"
_OPEN: Final = "view-open"
#: The views as they were when the dialog opened: what a change begins from, so that one who was faster is noticed.
_SEEN: Final = "view-seen"
_LIST: Final = "views"
_SAID: Final = "view-said"
_TAKEN: Final = "view-taken"


def control(desk: Desk, look: Look) -> None:
    """Save view, the list, and the dialogs that they open; where the records are away, a sentence."""
    found = noted(desk.settings)
    if found.problem is not None:
        st.html(notice("quiet", "Saved views can't be read now, and none can be saved; the figures stand", [found.problem]))
    else:
        _buttons(desk, found.views)
    dialog = {"save": ("Save view", _saving), "change": ("Saved views", _changing)}.get(st.session_state.get(_OPEN, ""))
    if dialog is not None:  # it stays open, and what was typed in it, when the page behind it is drawn again
        st.dialog(dialog[0], on_dismiss=_closed)(dialog[1])(desk, look)


def _buttons(desk: Desk, found: Views) -> None:
    words = "Keep what is shown under a name"
    st.button("Save view", key="view-save-open", icon=":material/bookmark_add:", help=words, on_click=_open, args=("save", found))
    count = len(found.lines)
    # it reports whether it is open, so that it can be closed under the dialog that begins in it
    with st.popover(f"Views **{count}**" if count else "Views", key=_LIST, on_change="rerun"):
        st.html(saved.listed(found, desk.definitions.calendar))
        if count:
            st.button("Change, pin or withdraw one", key="view-change-open", type="tertiary", on_click=_open, args=("change", found))


def _open(which: str, found: Views) -> None:
    st.session_state[_OPEN], st.session_state[_SEEN], st.session_state[_LIST] = which, found, False
    for left in (_SAID, _TAKEN):
        st.session_state.pop(left, None)


def _closed() -> None:
    st.session_state.pop(_OPEN, None)


def _saving(desk: Desk, look: Look) -> None:
    name = st.text_input("Name", max_chars=MOST_NAME, key="view-name")
    team = st.text_input("Team (may be empty)", value=st.session_state.get(_TEAM, ""), max_chars=MOST_TEAM, key="view-team")
    author = _author("view-author")
    st.session_state[_TEAM] = team
    _why_not()
    taken: Line | None = st.session_state.get(_TAKEN)
    parameters = saved.parameters(look)
    with st.container(horizontal=True, gap="small"):
        if st.button("Save", type="primary", key="view-save"):
            _write(desk, lambda: save(desk.settings, new(name, team, saved.PATH, parameters, author)), name, team)
        if taken is not None and (key(taken.name), key(taken.team)) == (key(name), key(team)):
            words = f"Replace the view of {plain(taken.author)}"
            if st.button(words, key="view-replace", help="Its name then opens what is shown here; its history stays"):
                _write(desk, lambda: change(desk.settings, taken, saved.PATH, parameters, author), name, team)


def _changing(desk: Desk, look: Look) -> None:
    seen: Views = st.session_state[_SEEN]
    if not seen.lines:
        st.html('<p class="caption">No view is left.</p>')
        return
    # the key holds what there is, so that a choice of before isn't one of now
    picked = st.selectbox(
        "View", list(seen.by_view), format_func=lambda view: _words(seen.by_view[view]), key=f"view-which-{len(seen.lines)}"
    )
    view = seen.by_view[picked or seen.lines[0].view]
    base = (st.context.url or "").rpartition("/")[0]
    st.code(f"{base}/{view.link}" if base else view.link, language=None, wrap_lines=True)
    # and the keys below hold the view, so that the name of one doesn't stand in the field of another
    name = st.text_input("Name", value=view.name, max_chars=MOST_NAME, key=f"view-name-{view.view}")
    team = st.text_input("Team (may be empty)", value=view.team, max_chars=MOST_TEAM, key=f"view-team-{view.view}")
    author = _author("view-changer")
    _why_not()
    settings = desk.settings
    with st.container(horizontal=True, gap="small"):
        if st.button("Save name and team", key="view-rename"):
            _write(desk, lambda: rename(settings, view, name, team, author))
        if st.button("Replace with what is shown", key="view-change", help="Its name then opens what is shown behind this"):
            _write(desk, lambda: change(settings, view, saved.PATH, saved.parameters(look), author))
        if st.button("Withdraw", key="view-withdraw", help="It leaves the list; its history stays"):
            _write(desk, lambda: withdraw(settings, view, author))
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        usual = view.team or st.session_state.get(_TEAM, "")
        start = st.text_input("Start page of team", value=usual, max_chars=MOST_TEAM, key=f"view-start-{view.view}", width=200)
        before = seen.pins.get(key(start))
        words = f"Pin as start page of team {plain(start.strip())}" if start.strip() else "Pin as start page"
        if before is not None and before.view == view.view:
            if st.button("Unpin", key="view-unpin", help="The team begins with This week again"):
                _write(desk, lambda: unpin(settings, before, author))
        elif st.button(words, key="view-pin"):
            _write(desk, lambda: pin(settings, view, start, author, before))
    if start.strip():
        at = saved.start_href(start.strip())
        st.code(f"{base}{at[1:]}" if base else at, language=None, wrap_lines=True)


def _words(view: Line) -> str:
    return f"{view.name} · {view.team}" if view.team else view.name


def _author(field: str) -> str:
    author: str = st.text_input("Your name", value=st.session_state.get(AUTHOR, ""), max_chars=MOST_AUTHOR, key=field)
    st.session_state[AUTHOR] = author
    return author


def _why_not() -> None:
    if st.session_state.get(_SAID):
        st.html(notice("warning", "This was not written down", [st.session_state.pop(_SAID)]))


def _write(desk: Desk, write: Callable[[], None], name: str = "", team: str = "") -> None:
    """Write, and close; or say why not, with everything that was typed still there."""
    try:
        write()
    except KpiError as error:
        st.session_state[_SAID] = str(error)
        if isinstance(error, NameTaken | NoteChanged):
            st.session_state[_SEEN] = views(desk.settings)
            st.session_state[_TAKEN] = st.session_state[_SEEN].named(name, team)
    else:
        _closed()
    st.rerun()
