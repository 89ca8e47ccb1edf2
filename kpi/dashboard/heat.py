"""Which weeks the data of each source reach, as a table of coloured cells that can be read aloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kpi.analysis.feeding import Reach, Strip, Week
from kpi.dashboard.cards import escape
from kpi.dashboard.sources import rows_of, system
from kpi.periods import Calendar, span_label

#: Shades, from a week with few rows to the fullest.
SHADES: Final = 5
_WORDS: Final[dict[Reach, str]] = {
    "whole": "",
    "part": ", reached in part",
    "gap": "not in the exports: a gap",
    "none": "not reached",
}


LEGEND: Final = (
    '<p class="caption"><i class="cell whole s1"></i>few rows<i class="cell whole s5"></i>most<i class="cell whole s0"></i>none in a week '
    'that is covered<i class="cell part"></i>covered in part<i class="cell gap"></i>gap<i class="cell none"></i>not covered</p>'
)


def heat(strips: Sequence[Strip], calendar: Calendar) -> str:
    """A row a source's table, a column a week; every fourth week is named."""
    if not strips:
        return ""
    weeks = strips[0].weeks
    head = "".join(f'<th scope="col">{_named(week, len(weeks) - 1 - at, calendar)}</th>' for at, week in enumerate(weeks))
    rows = "".join(_row(strip, calendar) for strip in strips)
    table = f'<table class="heat"><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'{LEGEND}<div class="rows" tabindex="0">{table}</div>'


def _named(week: Week, left: int, calendar: Calendar) -> str:
    return "" if left % 4 else str(calendar.week_number(week.period.start)[1])


def _row(strip: Strip, calendar: Calendar) -> str:
    cells = "".join(_cell(week, strip, calendar) for week in strip.weeks)
    return f'<tr><th scope="row">{escape(system(strip.source))}, {escape(rows_of(strip.table))}</th>{cells}</tr>'


def _cell(week: Week, strip: Strip, calendar: Calendar) -> str:
    words = _WORDS[week.reach] if week.reach in ("gap", "none") else f"{week.rows:,} row{'' if week.rows == 1 else 's'}{_WORDS[week.reach]}"
    title = f"{calendar.short_label(week.period, 'week')}, {span_label(week.period)}: {words}"
    look = f"{week.reach} s{shade(week.rows, strip.most)}"
    return f'<td class="{look}" title="{escape(title)}"><span class="aloud">{escape(words)}</span></td>'


def shade(rows: int, most: int) -> int:
    """0 for none, else 1 to SHADES by the share of the fullest week."""
    return 0 if not rows else min(SHADES, 1 + rows * SHADES // (most + 1))
