"""Closed weeks: what each metric showed when its week was first looked at whole. No line is ever changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from kpi.records.opening import PATIENCE_S, records
from kpi.records.schema import closed_figure
from kpi.settings import Settings


@dataclass(frozen=True)
class Figure:
    """One metric in one week.

    Attributes:
        week, week_end: first day, and the day after the last.
        is_whole: whether the value was whole and sure; else ``state`` says what it was.
        value: exactly as it was; None where there was none.
        currency: of money. definitions: the hash of the definitions.
        closed_at (UTC): given when it is written down.
    """

    week: dt.date
    week_end: dt.date
    metric: str
    is_whole: bool
    state: str
    value: Decimal | None
    unit: str
    currency: str
    generation: int
    definitions: str
    closed_by: str
    closed_at: dt.datetime | None = None


@dataclass(frozen=True)
class Closed:
    """All closed weeks.

    Attributes:
        figures: (metric, first day of the week) -> as it was first shown whole, or, where it never was, as it was shown.
    """

    figures: Mapping[tuple[str, dt.date], Figure] = field(default_factory=dict)

    @property
    def weeks(self) -> list[dt.date]:
        """Their first days, the oldest first."""
        return sorted({week for _, week in self.figures})

    def first(self, metric: str, week: dt.date) -> Figure | None:
        """What a metric showed when the week was closed, where that was whole."""
        found = self.figures.get((metric, week))
        return found if found is not None and found.is_whole else None


def write_down(settings: Settings, figures: Sequence[Figure], patience_s: int = PATIENCE_S) -> int:
    """Append those that are not there yet, all or none; how many those were. What is there stays as it was.

    Raises:
        RecordsError: they can't be written.
    """
    if not figures:
        return 0
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    weeks = sorted({figure.week for figure in figures})
    with records(settings, write=True, patience_s=patience_s) as connection:
        assert connection is not None  # noqa: S101 - asked for writing
        there = sa.select(closed_figure.c.week, closed_figure.c.metric, closed_figure.c.is_whole).where(closed_figure.c.week.in_(weeks))
        known = {tuple(row) for row in connection.execute(there)}
        rows = []
        for figure in figures:
            key = (figure.week, figure.metric, figure.is_whole)
            # what was whole once is no longer shown for the first time when it isn't
            if key in known or (figure.week, figure.metric, True) in known:
                continue
            known.add(key)
            value = None if figure.value is None else f"{figure.value:f}"
            rows.append({**vars(figure), "value": value, "closed_at": figure.closed_at or now})
        if rows:
            connection.execute(sa.insert(closed_figure), rows)
    return len(rows)


def closed(settings: Settings, patience_s: int = PATIENCE_S) -> Closed:
    """All of them.

    Raises:
        RecordsError: they can't be read.
    """
    with records(settings, patience_s=patience_s) as connection:
        if connection is None:
            return Closed()
        columns = [column for column in closed_figure.columns if column.name != "line_id"]
        rows = connection.execute(sa.select(*columns).order_by(closed_figure.c.line_id)).mappings()
        return _of(_figure(row) for row in rows)


def _of(figures: Iterable[Figure]) -> Closed:
    found: dict[tuple[str, dt.date], Figure] = {}
    for figure in figures:
        key = (figure.metric, figure.week)
        if key not in found or figure.is_whole:
            found[key] = figure
    return Closed(found)


def _figure(row: Mapping[Any, Any]) -> Figure:
    return Figure(**{**row, "value": None if row["value"] is None else Decimal(row["value"])})
