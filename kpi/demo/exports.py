"""How exported files write cells: CSV of one shape a system, and a time of day for each business date."""

from __future__ import annotations

import csv
import datetime as dt
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from kpi.demo import story

_ZONE: Final = ZoneInfo(story.TIMEZONE)
_OFFICE_OPENS_S: Final = 8 * 3600
_OFFICE_DAY_S: Final = 10 * 3600


def write_csv(path: Path, rows: Iterable[Sequence[str]], *, quote_all: bool = False, bom: bool = False) -> None:
    """Write ``rows``, the header among them; lines end in a line feed, cells are quoted where they must be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL, lineterminator="\n").writerows(rows)


def columns(line: str) -> tuple[str, ...]:
    """The names of a header line that is written without quotes."""
    return tuple(line.split(","))


def office_time(day: dt.date, key: str, minutes: int = 0) -> dt.datetime:
    """A local time between 8 and 18 h on ``day``, always the same for ``key``, and ``minutes`` later."""
    seconds = _OFFICE_OPENS_S + (zlib.crc32(key.encode()) % _OFFICE_DAY_S)
    return dt.datetime.combine(day, dt.time(), _ZONE).replace(hour=seconds // 3600, minute=seconds // 60 % 60) + dt.timedelta(
        minutes=minutes
    )


def any_time(day: dt.date, key: str) -> dt.datetime:
    """A local time on ``day``, always the same for ``key``; in the first hours of it UTC is still the day before."""
    seconds = zlib.crc32(key.encode()) % 86400
    return dt.datetime.combine(day, dt.time(seconds // 3600, seconds // 60 % 60, seconds % 60), _ZONE)


def utc(instant: dt.datetime | None) -> str:
    """``2026-03-01 14:05:09`` in UTC, as Salesforce and Stripe write it; empty for none."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S") if instant else ""
