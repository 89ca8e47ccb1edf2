"""One metric: what it means, its formula with the value of each part, how it is counted, its targets, its history and its SQL."""

from __future__ import annotations

import streamlit as st

from kpi import units
from kpi.dashboard import catalogue, version_page
from kpi.dashboard.cards import escape
from kpi.dashboard.data import Desk
from kpi.dashboard.explaining import Figure, behind
from kpi.dashboard.frame import Frame
from kpi.dashboard.sources import missing
from kpi.errors import KpiError
from kpi.metrics.dependants import made_of
from kpi.metrics.model import Metric, Query
from kpi.metrics.result import Result


def draw(metric: Metric, desk: Desk, frame: Frame | None) -> None:
    """The whole page; without data, what needs none."""
    st.html(_head(metric, desk))
    with st.container(key="panel-metric"):
        behind(_figure(metric, desk, frame), desk, linked=True)
    if metric.targets:
        st.html(f'<h2 class="section">Targets</h2>{_targets(metric, desk)}')
    st.html(f'<h2 class="section">Versions that touched it</h2>{version_page.of_metric(desk.settings, metric.name)}')


def _head(metric: Metric, desk: Desk) -> str:
    definitions = desk.definitions
    parts = ", ".join(catalogue.anchor(definitions.metrics[name]) for name in made_of(metric) if name in definitions.metrics)
    lines = [f"<p><span>used in</span> {catalogue.places(metric.name, definitions)}</p>"]
    if parts:
        lines.insert(0, f"<p><span>made of</span> {parts}</p>")
    words = f'<code>{escape(metric.name)}</code><p class="means">{escape(metric.means)}</p>'
    top = f'<p><a href="definitions">All metrics</a></p><h2>{escape(metric.label)}</h2>'
    return f'<div class="metric">{top}{words}{"".join(lines)}</div>'


def _figure(metric: Metric, desk: Desk, frame: Frame | None) -> Figure:
    """The metric in the last week that there are data for."""
    if frame is None or frame.last_whole is None:
        return Figure(f"page-{metric.name}", metric.label, metric, None, None, "Nothing was imported yet.")
    week = desk.definitions.calendar.week(frame.last_whole)
    query = Query((metric.name,), grain="week", since=week.start, until=week.end, periods=(week.start,))
    problem: str | None = None
    result: Result | None = None
    try:
        answer = desk.ask(query)
        result, problem = answer.result, answer.refused.get(metric.name)
    except KpiError as error:
        problem = str(error)
    cells = result.cells(metric.name) if result is not None else []
    if result is not None and not problem and (not cells or cells[-1].state == "unknown"):
        problem = missing(metric.name, result.coverage.get(metric.name), week.start, desk.definitions, desk.reader)
    return Figure(f"page-{metric.name}", metric.label, metric, result, cells[-1] if cells else None, problem)


def _targets(metric: Metric, desk: Desk) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(target.period)}</th>'
        f"<td>{escape(units.show_exactly(target.value, metric.unit, desk.definitions.currency))}</td></tr>"
        for target in metric.targets
    )
    return f'<table class="facts"><tbody>{rows}</tbody></table>'
