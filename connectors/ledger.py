"""What the reports of ledgers have in common: the period they state, and the instant they were printed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

_MONTHS: Final = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_NAMED: Final = re.compile(
    r"(?P<day2>\d{1,2})(?:st|nd|rd|th)?\s+(?P<month2>[a-z]{3,9})\.?,?(?:\s+(?P<year2>\d{4}))?"
    r"|(?P<month>[a-z]{3,9})\.?\s+(?P<day>\d{1,2})(?!\d)(?:st|nd|rd|th)?,?(?:\s+(?P<year>\d{4}))?"
    r"|(?P<year3>\d{4})-(?P<month3>\d{2})-(?P<day3>\d{2})"
    r"|(?P<month4>[a-z]{3,9})\.?,?\s+(?P<year4>\d{4})"
    r"|(?P<month5>[a-z]{3,9})(?=\s*[-–])"
)
_PRINTED: Final = re.compile(
    r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4}),? (\d{1,2}):(\d{2})(?::\d{2})? ?([AaPp][Mm])?"
    r"(?: ?(?:GMT|UTC)?([+-]\d{1,2}):?(\d{2})?)?"
)


def period(lines: Iterable[str]) -> tuple[date, date] | None:
    """The first day of the period that a report's title states, and the first day after it; None where none does.

    ``January 1 - December 31, 2025``, ``January - March, 2025``, ``March 2025``,
    ``For the period 1 January 2024 to 31 December 2024``, ``From 2024-01-01 to 2024-03-31``.
    """
    for line in lines:
        bounds = [bound for match in _NAMED.finditer(line.casefold()) if (bound := _bound(match)) is not None]
        if not bounds or len(bounds) > 2 or bounds[-1][0] is None:
            continue
        first, last = bounds[0], bounds[-1]
        year = first[0] or last[0]
        try:
            since = date(int(year or 0), first[1], first[2] or 1)
            until = _after(int(last[0] or 0), last[1], last[2])
        except ValueError:
            continue
        if since < until:
            return since, until
    return None


def _bound(match: re.Match[str]) -> tuple[int | None, int, int | None] | None:
    """Year, month, day; a month's name that is none is no bound."""
    found = match.groupdict()
    name = next((found[key] for key in ("month", "month2", "month4", "month5") if found[key]), None)
    if found["month3"]:
        month = int(found["month3"])
    else:
        month = next((at for at, full in enumerate(_MONTHS, start=1) if name and len(name) >= 3 and full.startswith(name)), 0)
    year = found["year"] or found["year2"] or found["year3"] or found["year4"]
    day = found["day"] or found["day2"] or found["day3"]
    return (int(year) if year else None, month, int(day) if day else None) if month else None


def _after(year: int, month: int, day: int | None) -> date:
    if day is not None:
        return date(year, month, day) + timedelta(days=1)
    return date(year + month // 12, month % 12 + 1, 1)


def printed_at(line: str) -> datetime | None:
    """The UTC instant in a footer; None where there is none.

    ``Accrual Basis Friday, June 6, 2025 10:15 AM GMT+02:00``.
    """
    found = _PRINTED.search(line)
    if not found:
        return None
    month = next((at for at, full in enumerate(_MONTHS, start=1) if full.startswith(found[1].casefold())), 0)
    hour = int(found[4]) % 12 + (12 if found[6].lower() == "pm" else 0) if found[6] else int(found[4])
    try:
        moment = datetime(int(found[3]), month, int(found[2]), hour, int(found[5]))  # noqa: DTZ001 - made UTC below
    except ValueError:
        return None
    sign = -1 if (found[7] or "+").startswith("-") else 1
    return moment - sign * timedelta(hours=abs(int(found[7] or 0)), minutes=int(found[8] or 0))
