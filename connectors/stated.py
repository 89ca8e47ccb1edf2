"""What the title and the footer of a report state: the period it is about and when it was made.

A line counts as a period only when all of it is one: a company may be called April 2020 Holdings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

_MONTHS: Final = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_COUNTS: Final = {"": 1, "three": 3, "six": 6, "nine": 9, "twelve": 12, "month": 1, "quarter": 3, "half year": 6, "year": 12}

_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)


def _day(at: int) -> str:
    """A bound: a day, a month or a day without its year, with groups numbered ``at``."""
    return (
        rf"(?:(?P<iso{at}>\d{{4}}-\d{{2}}-\d{{2}})"
        rf"|(?P<day{at}>\d{{1,2}})(?:st|nd|rd|th)? (?P<month{at}>{_MONTH})(?:,? (?P<year{at}>\d{{4}}))?"
        rf"|(?P<named{at}>{_MONTH})(?: (?P<nth{at}>\d{{1,2}})(?:st|nd|rd|th)?(?!\d))?(?:,? (?P<of{at}>\d{{4}}))?)"
    )


_FOR: Final = r"(?:(?:for|from|period|the|of) |period: ?)*"
_BETWEEN: Final = re.compile(rf"{_FOR}{_day(1)} ?(?:-|to|through|until|and) ?{_day(2)}")
_WITHIN: Final = re.compile(
    rf"{_FOR}(?:(?P<from1>\d{{1,2}}) ?(?:-|to) ?(?P<to1>\d{{1,2}}) (?P<month1>{_MONTH})"
    rf"|(?P<month2>{_MONTH}) (?P<from2>\d{{1,2}}) ?(?:-|to) ?(?P<to2>\d{{1,2}})(?!\d)),? (?P<year>\d{{4}})"
)
_ENDED: Final = re.compile(
    rf"{_FOR}(?:(?P<unit>year|half year|quarter|month)|(?P<count>\d{{1,2}}|three|six|nine|twelve) months?) end(?:ed|ing) {_day(1)}"
)
_MONTH_ALONE: Final = re.compile(rf"{_FOR}(?:month of )?(?P<month>{_MONTH}),? (?P<year>\d{{4}})")

_PRINTED: Final = re.compile(
    r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4}),? (\d{1,2}):(\d{2})(?::\d{2})? ?([AaPp][Mm])?"
    r"(?: ?(?:GMT|UTC)?([+-]\d{1,2}):?(\d{2})?)?"
)


def period(lines: Iterable[str]) -> tuple[date, date] | None:
    """The first day of the period that a report's title states, and the first day after it; None where none does.

    ``January 1 - December 31, 2025``, ``January - March, 2025``, ``March 2025``, ``1-31 January 2024``,
    ``For the period 1 January 2024 to 31 December 2024``, ``From 2024-01-01 to 2024-03-31``,
    ``For the year ended 31 December 2024``. The last such line counts: the company's name comes first.
    """
    stated = None
    for line in lines:
        words = " ".join(re.sub(r"[–—]", "-", line.casefold()).split()).strip(" ,;")
        try:
            stated = _stated(words) or stated
        except ValueError:  # 31 February
            continue
    return stated


def _stated(words: str) -> tuple[date, date] | None:
    if match := _ENDED.fullmatch(words):
        year, month, day = _bound(match, 1)
        if year is None:
            return None
        until = _after(year, month, day)
        count = _COUNTS[match["unit"]] if match["unit"] else int(_COUNTS.get(match["count"]) or match["count"])
        return _earlier(until, count), until
    if match := _WITHIN.fullmatch(words):
        month, year = _number(match["month1"] or match["month2"]), int(match["year"])
        since, last = int(match["from1"] or match["from2"]), int(match["to1"] or match["to2"])
        return _ordered(date(year, month, since), _after(year, month, last))
    if match := _MONTH_ALONE.fullmatch(words):
        month, year = _number(match["month"]), int(match["year"])
        return date(year, month, 1), _after(year, month, None)
    if match := _BETWEEN.fullmatch(words):
        first, last_ = _bound(match, 1), _bound(match, 2)
        if last_[0] is None:
            return None
        return _ordered(date(first[0] or last_[0], first[1], first[2] or 1), _after(last_[0], last_[1], last_[2]))
    return None


def _bound(match: re.Match[str], at: int) -> tuple[int | None, int, int | None]:
    """Year, month and day; a year or a day that isn't stated is None."""
    found = match.groupdict()
    if iso := found[f"iso{at}"]:
        day = date.fromisoformat(iso)
        return day.year, day.month, day.day
    year, day_ = found[f"year{at}"] or found[f"of{at}"], found[f"day{at}"] or found[f"nth{at}"]
    return int(year) if year else None, _number(found[f"month{at}"] or found[f"named{at}"]), int(day_) if day_ else None


def _number(month: str) -> int:
    return next(at for at, full in enumerate(_MONTHS, start=1) if full.startswith(month[:3]))


def _after(year: int, month: int, day: int | None) -> date:
    """The first day after a day, or after a month."""
    if day is not None:
        return date(year, month, day) + timedelta(days=1)
    return date(year + month // 12, month % 12 + 1, 1)


def _earlier(day: date, months: int) -> date:
    """So many months before; the months of a report begin on days that every month has, or on none."""
    ordinal = day.year * 12 + day.month - 1 - months
    return date(ordinal // 12, ordinal % 12 + 1, day.day)


def _ordered(since: date, until: date) -> tuple[date, date] | None:
    return (since, until) if since < until else None


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
