"""What stands behind a figure: its definition, where it comes from, how fresh that is, and the SQL that made it."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

import streamlit as st

from kpi import units
from kpi.dashboard.cards import escape, plain
from kpi.dashboard.catalogue import anchor
from kpi.dashboard.data import Desk
from kpi.dashboard.sources import day, rows_of, system
from kpi.errors import KpiError
from kpi.metrics.explain import Source, leaves_read
from kpi.metrics.model import Metric, Query
from kpi.metrics.result import Cell, Result
from kpi.metrics.tree import Branch, tree
from kpi.metrics.uses import leaves_of
from kpi.periods import Period, span_label


@dataclass(frozen=True)
class Figure:
    """A figure on a page: whose it is, and the answer it was taken from.

    Attributes:
        key: of its control, unlike any other on the page.
        cell: the one value, or None where the figure is a chart of many.
        problem: why it has no value, or None.
    """

    key: str
    label: str
    metric: Metric
    result: Result | None
    cell: Cell | None
    problem: str | None


def control(figure: Figure, desk: Desk) -> None:
    """The figure's name as a control that opens what stands behind it."""
    # the key is the class that page.css knows it by; a container around it would be one more thing for the browser to draw
    opened = st.button(
        plain(figure.label),
        key=f"explain-{figure.key}",
        type="tertiary",
        icon=":material/info:",
        icon_position="right",
        help="Definition, sources, freshness and SQL",
    )
    if opened:
        st.dialog(plain(figure.label), width="large")(behind)(figure, desk)


def behind(figure: Figure, desk: Desk, linked: bool = False) -> None:
    """All that stands behind a figure; ``linked``: on a page of its own, that says what it means and whose parts lead to theirs."""
    metric = figure.metric
    if metric.means and not linked:
        st.markdown(plain(metric.means))
    st.html(_facts(_about(figure, desk)))
    if linked:
        _parts(figure, desk, linked)
    _heading(f"Definition, {metric.where.file} line {metric.where.line}")
    parts = [part for part in leaves_of(metric.name, desk.definitions.metrics) if part.name != metric.name]
    st.code("\n\n".join(written(part) for part in (metric, *parts)), language="yaml", wrap_lines=True)
    if not linked:
        _parts(figure, desk, linked)
    told = None if figure.result is None else desk.explain(figure.result.query)
    _heading("Sources and freshness")
    counted = {table for leaf in leaves_read([metric.name], desk.definitions) for table in leaf.tables}
    sources = [source for source in (told.sources if told else ()) if source.table in counted]
    if sources:
        st.html(_facts({f"{system(source.source)}, {rows_of(source.table)}": _reach(source) for source in sources}))
    else:
        st.html('<p class="quiet">Nothing that this figure is computed from was imported yet.</p>')
    if told is None:
        return
    st.html(f'<p class="caption">{escape("; ".join(told.switches))}</p>')
    for warning in told.warnings:
        st.html(f'<p class="note">{escape(warning)}</p>')
    _heading("The same on the command line")
    st.code(command(told.result.query, metric.name), language="bash", wrap_lines=True)
    _heading(f"SQL, on generation {told.result.generation} of the warehouse")
    st.code(told.sql, language="sql", height=320)


def _parts(figure: Figure, desk: Desk, linked: bool) -> None:
    if figure.result is not None and figure.problem is None:
        _heading("What it is made of")
        _made_of(figure.metric.name, figure.result, figure.cell, desk, linked)


def _made_of(name: str, result: Result, cell: Cell | None, desk: Desk, linked: bool) -> None:
    """The values that the figure was computed from, in its period; of a chart, in its last one."""
    try:
        branches = tree(name, result, desk.definitions, desk.reader, cell.period if cell else None)
    except KpiError as error:
        st.html(f'<p class="note">{escape(str(error))}</p>')
        return
    first = next((branch.cell for branch in branches if branch.cell), None)
    if first is not None:
        groups = "" if not result.query.by else ", over all groups"
        st.html(f'<p class="caption">{escape(span_label(Period(first.period, first.end)))}{groups}</p>')
    lines = [
        f'<tr><th scope="row"><div style="padding-left:{branch.depth * 14}px">{_part(branch, desk, linked)}</div></th>'
        f"<td>{escape(_value(branch, result.currency))}</td></tr>"
        for branch in branches
    ]
    st.html(f'<table class="facts tree"><tbody>{"".join(lines)}</tbody></table>')


def _part(branch: Branch, desk: Desk, linked: bool) -> str:
    metric = desk.definitions.metrics.get(branch.name)
    return anchor(metric) if linked and branch.depth and metric is not None else escape(branch.label)


def _value(branch: Branch, currency: str) -> str:
    if branch.cell is None:
        return "chooses the rows above it"
    value = units.show_in_full(branch.cell.value, branch.unit, currency)
    return value if branch.cell.state == "known" else f"{value} ({branch.cell.state})"


def _heading(words: str) -> None:
    st.html(f'<p class="chart-title">{escape(words)}</p>')


def _about(figure: Figure, desk: Desk) -> Mapping[str, str]:
    metric, cell = figure.metric, figure.cell
    facts: dict[str, str] = {}
    if figure.problem:
        facts["Value"] = figure.problem
    elif cell is not None:
        facts["Value"] = units.show_exactly(cell.value, metric.unit, figure.result.currency if figure.result else "")
        facts["Period"] = span_label(Period(cell.period, cell.end)) + ("" if cell.state == "known" else f" ({cell.state})")
        if cell.target is not None:
            facts["Target"] = units.show_exactly(cell.target, metric.unit, figure.result.currency if figure.result else "")
    if figure.result is not None and figure.result.query.where:
        facts["Filters"] = "; ".join(figure.result.query.where)
    facts["Owner"] = metric.owner or "nobody yet"
    if metric.better:
        facts["Better"] = metric.better
    return facts


def written(metric: Metric) -> str:
    """A definition as it stands in the file, key by key."""
    return "\n".join([f"{metric.name}:", *(f"  {key}: {value}" for key, value in metric.text.items())])


def _reach(source: Source) -> str:
    last = source.covers_to - dt.timedelta(days=1)
    words = f"{source.rows:,} rows, complete from {day(source.covers_from)} to {day(last)} ({source.basis})"
    if not source.counts:
        words += "; not counted, as sources: in metrics.yaml says"
    if source.files:
        newest = source.files[0]
        when = f", imported on {day(newest.imported_at.date())}" if newest.imported_at else ""
        more = f", and {len(source.files) - 1} more" if len(source.files) > 1 else ""
        words += f"; from {PurePath(newest.name).name}{when}{more}"
    return words


def command(query: Query, metric: str) -> str:
    """The command that prints the same figures."""
    words = ["python", "-m", "kpi", "show", metric]
    for name in query.by:
        words += ["--by", name]
    for condition in query.where:
        words += ["--where", condition]
    if query.top is not None:
        words += ["--top", str(query.top), "--top-by", query.top_by or query.metrics[0]]
    for order in query.order:
        words += ["--order", order.name, "desc" if order.descending else "asc"]
    if query.limit is not None:
        words += ["--limit", str(query.limit)]
    if query.grain != "all":
        words += ["--grain", query.grain]
    if query.since:
        words += ["--since", query.since.isoformat()]
    if query.until:
        words += ["--until", query.until.isoformat()]
    return shlex.join(words)


def _facts(facts: Mapping[str, str]) -> str:
    lines = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in facts.items())
    return f'<table class="facts"><tbody>{lines}</tbody></table>'
