"""Days, weeks, months, quarters and years of a company's calendar. Ends are exclusive everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Grain = Literal["day", "week", "month", "quarter", "year", "all"]


@dataclass(frozen=True)
class Calendar:
    """How a company counts its time.

    Attributes:
        week_starts: 0 for Monday to 6 for Sunday.
        year_starts: month in which the fiscal year begins, 1 to 12.
        timezone: IANA name of the zone whose days count.
        pattern: None for calendar months, or weeks in the months of a quarter, such as (4, 4, 5).
    """

    week_starts: int = 0
    year_starts: int = 1
    timezone: str = "UTC"
    pattern: tuple[int, int, int] | None = None
