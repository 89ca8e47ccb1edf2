"""Cards as HTML: a figure, its change, its target, and, where it isn't sure, why.

Every text that comes from data or definitions is escaped here; nothing else of the pages writes HTML around it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from kpi import units
from kpi.analysis.limits import LEAST, said
from kpi.dashboard.breakdown import Breakdown, pairs
from kpi.dashboard.series import SHOWN_WEEKS, WEEK, YEAR, Series
from kpi.metrics.groups import called
from kpi.metrics.model import Metric
from kpi.periods import Calendar


def escape(text: str) -> str:
    """Text for HTML."""
    return html.escape(text, quote=True)


def plain(text: str) -> str:
    """Text for a control's label, where Streamlit would read Markdown."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>()#+-.!|$:~^" else character for character in text)


def labelled(text: str, metrics: Mapping[str, Metric]) -> str:
    """A sentence with the labels of metrics in place of their names; a name of one word may be a word of the sentence."""
    return re.sub(r"\w+", lambda found: metrics[found[0]].label if "_" in found[0] and found[0] in metrics else found[0], text)


def hero(series: Series, calendar: Calendar, problem: str | None) -> str:
    """The North Star: the figure large, its changes, its target."""
    shown = _figure(series)
    before = f'<span class="unit">{escape(shown.before)}</span>' if shown.before else ""
    after = f'<span class="unit">{escape(shown.after)}</span>' if shown.after else ""
    lines = [f'<p class="figure">{before}<span class="digits">{escape(shown.digits)}</span>{after}</p>']
    changes = _changes(series, calendar)
    if changes:
        lines.append(f'<p class="changes">{changes}</p>')
    lines += [f'<p class="quiet">{sentence}</p>' for sentence in _target(series)]
    note = problem or state_sentence(series, calendar)
    if note:
        lines.append(f'<p class="note">{escape(note)}</p>')
    else:
        lines.append(verdict(series))
    return f'<div class="hero">{"".join(lines)}</div>'


def verdict(series: Series) -> str:
    """Signal or noise, in words."""
    made, owner = series.chart, f" Owner: {series.metric.owner}." if series.metric.owner else ""
    if not made.judges:
        return f'<p class="verdict"><b>Too early to tell signal from noise:</b> {made.known} of at least {LEAST} whole weeks.</p>'
    if made.signal is None:
        return '<p class="verdict"><b>Noise.</b> Within the range that is normal for it: no single week of these asks for a cause.</p>'
    side = made.signal.verdict(series.metric.better)
    text = said(made.signal)
    return f'<p class="verdict {side}"><b>Signal.</b> {escape(text[:1].upper() + text[1:])}: this is not noise.{escape(owner)}</p>'


def card(series: Series, calendar: Calendar, problem: str | None, drawing: str) -> str:
    """A driver: figure, changes or the reason why there is none, and its sparkline (HTML, or empty)."""
    shown = _figure(series)
    lines = [f'<p class="figure">{escape(str(shown))}</p>']
    note = problem or state_sentence(series, calendar)
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


def state_sentence(series: Series, calendar: Calendar) -> str | None:
    """Why a value is not whole and sure, where the page has no better reason; None where it is."""
    cell = series.now
    if cell is None:
        return "No data for this week."
    week = calendar.short_label(calendar.week(cell.period), "week").lower()
    needs = series.metric.needs
    least = f"fewer than {units.show(needs.at_least, 'number')}" if needs else "too few"
    return {
        "known": None,
        "partial": f"The data cover {week} in part, so it is not compared.",
        "unknown": f"Not known: no data reach {week}.",
        "empty": f"No value: {week} has nothing to divide by or to take an average of.",
        "uncounted": "Not known: two systems hold the same rows, and sources: in metrics.yaml doesn't say which one counts.",
        "unconverted": "Not known: a currency rate is missing.",
        "unallocated": "Not known: more than 5 % of its cost has no customer or product, also after allocation.",
        "not reached": "Not reached: too few have come so far for a day to be told.",
        "too few": f"{series.show(cell)}, but of {least} cases: don't judge by it.",
    }[cell.state]


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
    return f'<div class="grid"><table><thead><tr>{corner}{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


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


def run_of_weeks(weeks: int) -> str:
    """``, week 3 in a row`` on the wrong side of the target; empty for the first."""
    if weeks == SHOWN_WEEKS:  # it may have begun before the weeks that are looked at
        return f", all {SHOWN_WEEKS} weeks"
    return f", week {weeks} in a row" if weeks > 1 else ""


def _figure(series: Series) -> units.Shown:
    now = series.now
    if now is not None and now.state == "too few":
        return units.Shown("", "Too few", "")
    return series.show(now)


def _changes(series: Series, calendar: Calendar) -> str:
    week = calendar.short_label(calendar.week(series.week - WEEK), "week").lower()
    parts = []
    for back, name in ((WEEK, week), (YEAR, "last year")):
        change = series.change_on(back)
        if change is not None:
            parts.append(f'<span><b class="{change.verdict(series.metric.better)}">{escape(change.text)}</b> on {escape(name)}</span>')
    return "<i> · </i>".join(parts)


def _target(series: Series) -> list[str]:
    now = series.now
    if now is None or now.target is None:
        return []
    period = next(
        (target.period for target in series.metric.targets if target.value == now.target and target.start <= now.period < target.end), ""
    )
    words = f"Target{f' for {period}' if period else ''}: {units.show(now.target, series.metric.unit, series.currency)}"
    gap = series.off_target()
    if gap is None:
        return [escape(words)]
    if gap.direction == 0:
        return [f"{escape(words)}, reached"]
    side = "under" if gap.direction < 0 else "over"
    amount = gap.text.lstrip("+" + units.MINUS)
    verdict = gap.verdict(series.metric.better)
    return [f'{escape(words)}, <b class="{verdict}">{escape(amount)} {side}</b>{escape(run_of_weeks(series.weeks_off_target()))}']
