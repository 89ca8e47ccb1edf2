"""Cards as HTML: a figure, its change, its target, and, where it isn't sure, why.

Every text that comes from data or definitions is escaped here; nothing else of the pages writes HTML around it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from kpi.analysis.pace import Pace
from kpi.dashboard import wording
from kpi.dashboard.breakdown import Breakdown, pairs
from kpi.dashboard.series import WEEK, YEAR, Series
from kpi.metrics.groups import called
from kpi.metrics.model import Metric
from kpi.periods import Calendar
from kpi.records.notes import Line


def escape(text: str) -> str:
    """Text for HTML."""
    return html.escape(text, quote=True)


def plain(text: str) -> str:
    """Text for a control's label, where Streamlit would read Markdown."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>()#+-.!|$:~^" else character for character in text)


def labelled(text: str, metrics: Mapping[str, Metric]) -> str:
    """A sentence with the labels of metrics in place of their names; a name of one word may be a word of the sentence."""
    return re.sub(r"\w+", lambda found: metrics[found[0]].label if "_" in found[0] and found[0] in metrics else found[0], text)


def hero(
    series: Series, calendar: Calendar, problem: str | None, owner: Line | None = None, restated: str = "", pace: Pace | None = None
) -> str:
    """The North Star: the figure large, its changes, its target and the pace to it, signal or noise, and the owner's verdict over it.

    Args:
        restated: what was first shown, as HTML.
    """
    shown = wording.figure(series)
    before = f'<span class="unit">{escape(shown.before)}</span>' if shown.before else ""
    after = f'<span class="unit">{escape(shown.after)}</span>' if shown.after else ""
    lines = [f'<p class="figure">{before}<span class="digits">{escape(shown.digits)}</span>{after}</p>']
    changes = _changes(series, calendar)
    if changes:
        lines.append(f'<p class="changes">{changes}</p>')
    lines += [f'<p class="quiet">{sentence}</p>' for sentence in _target(series)]
    if pace is not None:
        lines.append(f'<p class="quiet">{written(wording.pace(pace, series.currency))}</p>')
    lines.append(restated)
    note = problem or wording.state_sentence(series, calendar)
    if note:
        lines.append(f'<p class="note">{escape(note)}</p>')
    else:
        lines.append(verdict(series))
    if owner is not None:
        lines.append(f'<p class="verdict owner">{escape(wording.overruled(owner))}</p>')
    return f'<div class="hero">{"".join(lines)}</div>'


def verdict(series: Series) -> str:
    """Signal or noise, in words."""
    parts = wording.verdict(series)
    return f'<p class="{" ".join(("verdict", wording.tone(parts))).rstrip()}">{written(parts)}</p>'


def written(parts: Sequence[wording.Part]) -> str:
    """A sentence, bold where it judges."""
    return "".join(_part(part) for part in parts)


def _part(part: wording.Part) -> str:
    text = escape(part.text)
    if part.tone:
        return f'<b class="{part.tone}">{text}</b>'
    return f"<b>{text}</b>" if part.strong else text


def _changes(series: Series, calendar: Calendar) -> str:
    return "<i> · </i>".join(f"<span>{written(parts)}</span>" for parts in wording.changes(series, calendar))


def _target(series: Series) -> list[str]:
    parts = wording.target(series)
    return [written(parts)] if parts else []


def card(series: Series, calendar: Calendar, problem: str | None, drawing: str) -> str:
    """A driver: figure, changes or the reason why there is none, and its sparkline (HTML, or empty)."""
    shown = wording.figure(series)
    lines = [f'<p class="figure">{escape(str(shown))}</p>']
    note = problem or wording.state_sentence(series, calendar)
    changes = _changes(series, calendar)
    if changes:
        lines.append(f'<p class="changes">{changes}</p>')
    lines += [f'<p class="quiet">{sentence}</p>' for sentence in _target(series)]
    if note:
        lines.append(f'<p class="note">{escape(note)}</p>')
    return f'<div class="card">{"".join(lines)}{drawing}</div>'


def card_verdict(series: Series) -> str:
    """``better``, ``worse`` or ``neutral``: of the change on last year, else on last week."""
    for back in (YEAR, WEEK):
        change = series.change_on(back)
        if change is not None:
            return change.verdict(series.metric.better)
    return "neutral"


def grid(breakdown: Breakdown, labels: Sequence[str]) -> str:
    """A breakdown by two dimensions as a table: the value, and below it its change."""
    first, second, cells = pairs(breakdown)
    worst = breakdown.worst
    head = "".join(f'<th scope="col">{escape(called(column))}</th>' for column in second)
    body = []
    for line in first:
        row = []
        for column in second:
            found = cells.get((line, column))
            if found is None:
                row.append('<td class="quiet">·</td>')
                continue
            change = f'<span class="{found.verdict}">{escape(found.change_text)}</span>' if breakdown.earlier else ""
            marked = ' class="worst"' if found is worst else ""
            row.append(f"<td{marked}><b>{escape(found.now_text)}</b>{change}</td>")
        body.append(f'<tr><th scope="row">{escape(called(line))}</th>{"".join(row)}</tr>')
    corner = f'<th scope="col">{escape(labels[0])}</th>'
    return f'<div class="grid" tabindex="0"><table><thead><tr>{corner}{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def exceptions(lines: Sequence[Mapping[str, str]]) -> str:
    """What needs a look: metric, sentence, owner, and the word for it."""
    body = "".join(
        f'<tr><th scope="row">{escape(line["metric"])}</th><td>{escape(line["sentence"])}</td>'
        f'<td class="quiet">{escape(line["owner"])}</td><td class="{escape(line["kind"])}">{escape(line["word"])}</td></tr>'
        for line in lines
    )
    return f'<table class="exceptions"><tbody>{body}</tbody></table>'


def notice(kind: str, title: str, sentences: Sequence[str]) -> str:
    """A box of sentences; ``kind`` is ``warning`` or ``quiet``."""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<div class="notice {kind}" role="status"><p>{escape(title)}</p><ul>{items}</ul></div>'
