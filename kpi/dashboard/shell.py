"""Around every page: the bar at the top, the theme, what to do when there is nothing to show."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import streamlit as st

from kpi import settings
from kpi.dashboard import controls, starting
from kpi.dashboard.ahead import ahead
from kpi.dashboard.applying import applying
from kpi.dashboard.cards import escape, notice
from kpi.dashboard.data import Desk, open_desk
from kpi.dashboard.filters import DIMENSIONS
from kpi.dashboard.frame import Frame, frame
from kpi.dashboard.pages import PAGES
from kpi.dashboard.pages.page import Page
from kpi.dashboard.sources import day
from kpi.dashboard.theme import Mode, style
from kpi.errors import KpiError, Problem

#: A file of ours: a Material icon would be fetched from a font host.
ICON: Final = Path(__file__).parent / "served" / "static" / "icon.png"

#: Seconds after which a page looks whether changed products and costs are applied.
FOLLOW_S: Final = 1.0

EMPTY: Final = """<div class="begin"><h1>Nothing was imported yet</h1>
<p>North Star computes its figures from the exports of the systems a company already has. There are two ways to begin;
this page fills itself when it is opened again.</p>
<div class="ways">
<div class="way"><b>With a sample company</b><p>Three years of an invented company, to look around in:</p>
<p><code>python -m kpi demo</code></p></div>
<div class="way"><b>With your own exports</b><p>A folder of files from Salesforce, HubSpot, Stripe, QuickBooks, Xero or Jira:</p>
<p>on the page Data, or <code>python -m kpi import FOLDER</code></p></div>
</div></div>"""


def render() -> None:
    """One run. A failure the user can mend becomes a sentence."""
    with ahead().drawing():
        _render()


def _render() -> None:
    st.set_page_config(page_title="North Star", page_icon=str(ICON), layout="wide", initial_sidebar_state="collapsed")
    mode = theme_mode()
    st.html(style(mode))
    try:
        desk, problems = open_desk(settings.load())
        reach = frame(desk) if desk is not None and desk.shows else None
        pages = [
            st.Page(partial(_draw, page, desk, reach, mode, problems), title=page.title, url_path=page.path, default=place == 0)
            for place, page in enumerate(PAGES)
        ]
        current = st.navigation(pages, position="hidden")
        aside = None
        if desk is not None and reach is not None and reach.weeks:
            if current.url_path == "":
                aside = starting.begin(desk, {page.path: made for page, made in zip(PAGES, pages, strict=True)})
            next(page for page in PAGES if page.path == current.url_path or current.url_path == "").expect(desk, reach)
        _header(pages, current, desk, reach)
        if aside:
            st.html(aside)
        current.run()
    except KpiError as error:
        st.html(notice("warning", "This page can't be shown", [str(error)]))


def theme_mode() -> Mode:
    """Light or dark, as the browser says."""
    return "dark" if st.context.theme.type == "dark" else "light"


def _draw(page: Page, desk: Desk | None, reach: Frame | None, mode: Mode, problems: tuple[Problem, ...]) -> None:
    if problems:
        _problems(problems, desk)
    if desk is None:
        if page.mend is not None:
            page.mend(settings.load(), mode)
        return
    if reach is None or not reach.weeks:
        if page.needs_data:
            st.html(EMPTY)
        else:
            page.draw(desk, None, mode)
        return
    if desk.reader.generation and desk.reader.mappings != desk.definitions.mappings_hash:
        state = applying().want(desk.settings, desk.definitions, desk.reader.generation)
        st.html(notice("quiet", "products: or costs: of metrics.yaml changed since the data were published", [state.sentence]))
        if state.follows:
            _follow()
    page.draw(desk, reach, mode)


@st.fragment(run_every=FOLLOW_S)
def _follow() -> None:
    """Draw the page again once what changed is applied, or could not be."""
    if not applying().is_running:
        st.rerun()


def _header(pages: list[st.Page], current: st.Page, desk: Desk | None, reach: Frame | None) -> None:
    # filters that every page has go with the reader
    carried = {name: values for name, values in controls.parameters().items() if name in ("week", *DIMENSIONS)}
    with st.container(key="header", horizontal=True, gap="medium", vertical_alignment="center"):
        st.html('<h1 class="brand">North Star</h1>', width="content")
        for page in pages:
            with st.container(
                key="nav-current" if page is current or page.url_path == current.url_path else f"nav-{page.url_path}", width="content"
            ):
                st.page_link(page, query_params=carried)
        st.html(f'<p class="fresh">{_freshness(desk, reach)}</p>')


def _freshness(desk: Desk | None, reach: Frame | None) -> str:
    if desk is None or reach is None or reach.through is None:
        return "no data yet"
    sources = len({row.source for row in desk.coverage})
    known = sum(span is not None for span in reach.spans.values())
    late = "" if known == len(reach.spans) else f", {len(reach.spans) - known} of {len(reach.spans)} figures lack data"
    mark = '<i class="late"></i>' if late else "<i></i>"
    return f"{mark}{sources} source{'' if sources == 1 else 's'}, complete to {escape(day(reach.through))}{late}"


def _problems(problems: tuple[Problem, ...], desk: Desk | None) -> None:
    served = "the last good definitions are served until it is mended" if desk else "and no good version of it was seen here before"
    file = problems[0].file
    title = f"{file} has {len(problems)} problem{'' if len(problems) == 1 else 's'}; {served}"
    st.html(notice("warning", title, [str(problem) for problem in problems]))
