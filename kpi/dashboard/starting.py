"""Where a team begins: ``/?team=Sales`` opens the view that the team pinned, and says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import streamlit as st

from kpi.dashboard import controls
from kpi.dashboard.cards import escape, notice
from kpi.dashboard.data import Desk
from kpi.dashboard.exploring.saved import opened
from kpi.dashboard.filters import echo
from kpi.dashboard.noted import noted
from kpi.dashboard.remarks import moment
from kpi.records.views import Line

#: The parameter; beside any other it means nothing, so that a link to This week stays one.
TEAM: Final = "team"
_BEGAN: Final = "start-page"


@dataclass(frozen=True)
class _Began:
    """What the reader was brought to, and the sentence that says so, as HTML."""

    parameters: Mapping[str, list[str]]
    said: str


def begin(desk: Desk, pages: Mapping[str, Any]) -> str | None:
    """Go to the start page that the link asks for; else a notice that says why not, as HTML, or None where it asks for none.

    Args:
        pages: path -> Streamlit's page.
    """
    given = controls.parameters()
    if list(given) != [TEAM] or len(given[TEAM]) != 1 or not given[TEAM][0].strip():
        return None
    team = given[TEAM][0]
    found = noted(desk.settings)
    begun = found.views.start(team)
    if begun is None or begun[0].path not in pages:
        why = f"It can't be read now: {found.problem}." if found.problem else "On Explore, a saved view is pinned as one under Views."
        return notice("quiet", f"Team {echo(team)} has no start page here; this is This week", [why])
    return _go(desk, *begun, pages)


def _go(desk: Desk, view: Line, pin: Line, pages: Mapping[str, Any]) -> NoReturn:
    parameters = opened(view.parameters)
    when = moment(pin.written_at, desk.definitions.calendar)
    said = (
        f"Start page of team <b>{escape(pin.team)}</b>: the view <b>{escape(view.name)}</b>, "
        f'pinned by {escape(pin.author)}, {when}. <a href="./">This week</a> is the page of all teams.'
    )
    st.session_state[_BEGAN] = _Began(parameters, said)
    st.switch_page(pages[view.path], query_params=parameters)


def said() -> str:
    """That this is a start page, as HTML; empty where the reader came otherwise, or went on from it."""
    began = st.session_state.get(_BEGAN)
    if not isinstance(began, _Began) or controls.parameters() != began.parameters:
        return ""
    return f'<p class="caption began">{began.said}</p>'
