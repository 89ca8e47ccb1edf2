"""Events as charts mark them: a number at the week or month, and beside the chart what the number stands for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, NamedTuple

from kpi.periods import Period, span_label
from kpi.records.notes import Notes

#: Marks of one chart; the latest are kept, since more can't be told apart.
MOST: Final = 6


class Mark(NamedTuple):
    """An event on one chart.

    Attributes:
        days: of the event, ``end`` exclusive; ``when``: the same in words.
    """

    number: int
    name: str
    when: str
    days: Period


def marks(notes: Notes, metric: str, days: Period) -> list[Mark]:
    """The latest events that concern a metric and touch these days, by their first day."""
    found = []
    for line in notes.events:
        end = (line.ends or line.starts) + dt.timedelta(days=1)
        if line.concerns(metric) and line.starts < days.end and end > days.start:
            found.append((line.text, Period(line.starts, end)))
    return [Mark(number, name, span_label(span), span) for number, (name, span) in enumerate(found[-MOST:], 1)]


def places(mark: Mark, periods: Sequence[Period]) -> tuple[int, int] | None:
    """The first and last of a chart's periods that it touches."""
    touched = [place for place, period in enumerate(periods) if mark.days.start < period.end and mark.days.end > period.start]
    return (touched[0], touched[-1]) if touched else None


def together(wanted: Sequence[Mark], periods: Sequence[Period]) -> dict[int, str]:
    """Place -> the numbers of all events that begin there, or before the chart does: ``1,3``."""
    found: dict[int, list[str]] = {}
    for mark in wanted:
        span = places(mark, periods)
        if span is not None:
            found.setdefault(span[0], []).append(str(mark.number))
    return {place: ",".join(numbers) for place, numbers in found.items()}
