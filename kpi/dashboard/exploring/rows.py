"""The source rows behind a figure, in the words of the page: parts, rows with their files and lines, and what they come to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final

from kpi import units
from kpi.dashboard.cards import escape
from kpi.dashboard.sources import rows_of
from kpi.metrics.behind import Behind, Part, Row, facts_of

#: Rows of each part that are shown; all are added up.
MOST: Final = 50
_FACTS: Final = 7

#: The physical lines on which rows stand in their files, by (run, key), as far as they can be found.
Lines = Mapping[tuple[int, tuple[str | None, ...]], int]


class Finding:
    """What finds the lines of rows; the server sets it, for the pages don't read files."""

    finder: Callable[[Any, str, Sequence[Row]], Lines] | None = None


@cache
def finding() -> Finding:
    """The one of this process."""
    return Finding()


def part(one: Part, currency: str, label: str, lines: Lines) -> str:
    """A part with its rows, and under them their sum beside the figure."""
    value = units.show_exactly(one.value, one.unit, currency)
    head = f'<p class="chart-title">{escape(label)}: {escape(value)}</p><p class="caption">{escape(_said(one))}</p>'
    return (
        head
        + (_rows(one, currency, lines) if one.rows else "")
        + f'<p class="{_tone(one)}" role="status">{escape(come_to(one, currency))}</p>'
    )


def come_to(one: Part, currency: str) -> str:
    """``8 rows come to € 699,255.72, which is the figure.``"""
    count = f"{one.count:,} row{'' if one.count == 1 else 's'}"
    shown = f" (the {len(one.rows)} that bring most are shown)" if one.count > len(one.rows) else ""
    if one.agrees is None:
        return f"{count}{shown}."
    total = units.show_exactly(one.come_to, one.unit, currency)
    verb = "comes" if one.count == 1 else "come"
    if one.agrees:
        return f"{count}{shown} {verb} to {total}, which is the figure."
    value = units.show_exactly(one.value, one.unit, currency)
    return f"{count}{shown} {verb} to {total}, and the figure is {value}: that is a fault to report."


def heading(found: Behind) -> str:
    """What the rows are of, where there are several parts."""
    if not found.parts:
        return "No rows stand behind it: nothing is known for these days."
    return f"It is made of {len(found.parts)} parts, each with its own rows." if len(found.parts) > 1 else ""


def _said(one: Part) -> str:
    words = one.said[:1].upper() + one.said[1:]
    state = "" if one.state == "known" else f" It is {one.state}."
    return f"{words}.{state} Rows are {rows_of(one.table)}."


def _tone(one: Part) -> str:
    return "sum" if one.agrees is not False else "sum wrong"


def _rows(one: Part, currency: str, lines: Lines) -> str:
    names = facts_of(one.rows)[:_FACTS]
    head = [*(name.replace("_", " ").removesuffix(" on") for name in names), "file", "line", "brings"]
    right = {
        name
        for name in names
        if any(isinstance(row.facts.get(name), Decimal | int | float) and not isinstance(row.facts.get(name), bool) for row in one.rows)
    }
    tops = "".join(f'<th scope="col"{_number(name in right or name in ("line", "brings"))}>{escape(name)}</th>' for name in head)
    body = []
    for row in one.rows:
        cells = [f"<td{_kind(row.facts.get(name), name in right)}>{escape(_fact(row.facts.get(name)))}</td>" for name in names]
        file = (row.file or "").rpartition("/")[2] or "–"
        line = lines.get((row.run_id, row.key)) if row.run_id is not None else None
        cells.append(f'<td title="{escape(" ".join(str(key) for key in row.key))}">{escape(file)}</td>')
        cells.append(f'<td class="number">{"–" if line is None else f"{line:,}"}</td>')
        cells.append(f'<td class="number"><b>{escape(units.show_exactly(row.value, _unit(one), currency))}</b></td>')
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="rows" tabindex="0"><table><thead><tr>{tops}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def _unit(one: Part) -> str:
    return "number" if one.unit == "percent" else one.unit


def _number(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def _kind(value: Any, is_number: bool) -> str:
    """A day stays on one line."""
    return ' class="day"' if isinstance(value, dt.date) else _number(is_number)


def _fact(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}" if value == value.to_integral_value() else f"{value:,f}".rstrip("0")
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
