"""Numbers of a workbook's cells as a person sees them: plain ones, and those that a format shows as days or times."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Final

#: Formats that Excel has built in for days and times.
DAY_FORMATS: Final = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_WHOLE: Final = re.compile(r"-?\d{1,15}")


def is_day_format(code: str) -> bool:
    """Whether a number format shows a day or a time of day."""
    bare = re.sub(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', "", code.split(";")[0], flags=re.IGNORECASE)
    return re.search("[dmyhs]", bare, re.IGNORECASE) is not None and "general" not in bare.casefold()


def number_of(raw: str) -> str:
    """A number as people write it: Excel shows 15 digits, and what lies beyond is the error of a binary fraction.

    Whole numbers of more digits keep the form 1.21143E+15, since their last digits are lost.
    """
    text = raw.strip()
    if _WHOLE.fullmatch(text):
        return text
    number = float(text)
    if abs(number) >= 1e15:
        return format(number, ".15G")
    shown = format(number, ".15g")
    if "e" in shown:
        shown = format(Decimal(shown), ".20f").rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "-") else shown


def moment_of(serial: float, since_1904: bool) -> str:
    """A day, an instant or a time of day from its number; empty for a number that is none."""
    # Excel takes 1900 for a leap year, so its days before 1 March 1900 are one too many
    offset = 1462 if since_1904 else 0 if serial >= 61 else 1
    if serial < 0 or serial + offset > 2_958_465.99999:
        return ""
    moment = dt.datetime(1899, 12, 30) + dt.timedelta(days=offset) + dt.timedelta(milliseconds=round(serial * 86_400_000))  # noqa: DTZ001
    if serial < 1:
        return f"{moment:%H:%M:%S}"
    if moment.microsecond:
        return moment.isoformat(" ", "milliseconds")
    return str(moment.date()) if moment.time() == dt.time() else str(moment)
