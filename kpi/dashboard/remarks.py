"""What people wrote, as HTML beside figures: comments, the names of events. All of it is a stranger's text, and escaped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from kpi.dashboard.cards import escape
from kpi.dashboard.marks import Mark
from kpi.periods import MONTHS, Calendar
from kpi.records.closings import Figure
from kpi.records.notes import Line

#: Comments under one box; the rest is in the dialog.
MOST: Final = 5


def comments(lines: Sequence[Line], calendar: Calendar) -> str:
    """The latest of them, the first one first; empty where there are none."""
    if not lines:
        return ""
    shown = "".join(
        f'<li><b>{escape(line.author)}</b> <span class="quiet">{when(line, calendar)}{", edited" if line.action == "edited" else ""}</span>'
        f"<p>{escape(line.text)}</p></li>"
        for line in lines[-MOST:]
    )
    more = f'<p class="quiet">and {len(lines) - MOST} earlier</p>' if len(lines) > MOST else ""
    return f'<div class="comments" tabindex="0">{more}<ul aria-label="Comments">{shown}</ul></div>'


def when(line: Line, calendar: Calendar) -> str:
    """The day and time of a line, as the company counts them: ``16 Nov 2026, 09:30``."""
    return moment(line.written_at, calendar)


def moment(at: dt.datetime | None, calendar: Calendar) -> str:
    """A time in UTC as the company counts it; empty for none."""
    if at is None:
        return ""
    there = at.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(calendar.timezone))
    return f"{there.day} {MONTHS[there.month - 1]} {there.year}, {there:%H:%M}"


def restated(found: Sequence[tuple[Figure, str]], calendar: Calendar) -> str:
    """``Restated: week 47 from 61.0 %, week 45 from 60.2 %``; empty where every figure is as it was first shown."""
    if not found:
        return ""
    named = ", ".join(f"{calendar.short_label(calendar.week(first.week), 'week').lower()} from {was}" for first, was in found)
    return f'<p class="restated" title="as first shown; python -m kpi restatements says what moved it">Restated: {escape(named)}</p>'


def events(marks: Sequence[Mark]) -> str:
    """What the numbers on a chart stand for; empty without any."""
    if not marks:
        return ""
    named = "".join(f'<li><i>{mark.number}</i>{escape(mark.name)} <span class="quiet">{escape(mark.when)}</span></li>' for mark in marks)
    return f'<ul class="events" aria-label="Events">{named}</ul>'
