"""Definitions: the catalogue of metrics, a page for each, and where finance changes them. What is looked at is in the URL."""

from __future__ import annotations

from typing import Final

import streamlit as st

from kpi.dashboard import catalogue, editing, metric_page, version_page
from kpi.dashboard.cards import notice
from kpi.dashboard.data import Desk
from kpi.dashboard.frame import Frame
from kpi.dashboard.pages.page import Page
from kpi.dashboard.theme import Mode
from kpi.errors import did_you_mean
from kpi.settings import Settings


def draw(desk: Desk, frame: Frame | None, mode: Mode) -> None:
    """The view that the URL names."""
    view = st.query_params.get("view")
    st.html(_tabs(view if view in ("edit", "versions") else ""))
    if view == "edit":
        editing.draw(desk.settings, desk)
        return
    if view == "versions":
        version_page.draw(desk.settings)
        return
    name = st.query_params.get("metric")
    known = desk.definitions.metrics
    if name is not None and name in known:
        metric_page.draw(known[name], desk, frame)
        return
    if name is not None:
        sentence = f'No metric is called "{name[:60]}"{did_you_mean(name[:60], known)}; all are listed below.'
        st.html(notice("quiet", "This link can't be followed", [sentence]))
    _catalogue(desk)


def expect(desk: Desk, frame: Frame | None) -> None:
    """Nothing: most of the page needs no figures."""


def mend(settings: Settings, mode: Mode) -> None:
    """The editor alone, where the file is broken and no sound one was ever seen here."""
    editing.draw(settings, None)


def _tabs(view: str) -> str:
    views = (
        ("", "Catalogue", "definitions"),
        ("edit", "Edit", "definitions?view=edit"),
        ("versions", "Versions", "definitions?view=versions"),
    )
    links = "".join(f'<a href="{href}"{" aria-current=page" if key == view else ""}>{title}</a>' for key, title, href in views)
    return f'<nav class="tabs" aria-label="Definitions">{links}</nav>'


def _catalogue(desk: Desk) -> None:
    definitions = desk.definitions
    metrics = definitions.metrics.values()
    owners = sorted({metric.owner for metric in metrics if metric.owner})
    units = sorted({metric.unit for metric in metrics})
    with st.container(key="filters", horizontal=True, gap="small", vertical_alignment="bottom"):
        words = st.text_input("Search", key="search", type="search", live=True, bind="query-params", placeholder="name, meaning or owner")
        owner = st.selectbox("Owner", owners, key="owner", index=None, placeholder="All owners", bind="query-params", width=190)
        unit = st.selectbox("Unit", units, key="unit", index=None, placeholder="All units", bind="query-params", width=190)
    found = catalogue.matching(metrics, words or "", owner, unit)
    count = f"{len(found)} of {len(definitions.metrics)} metrics" if len(found) < len(definitions.metrics) else f"{len(found)} metrics"
    st.html(f'<p class="caption" role="status">{count}</p>')
    if found:
        st.html(catalogue.table(found, definitions, version_page.changed(desk.settings)))
    else:
        st.html('<p class="quiet">No metric matches; clear the search to see all.</p>')


PAGE: Final = Page("Definitions", "definitions", draw, expect, needs_data=False, mend=mend)
