"""One metric through the weeks: this week, the week before, the same week last year, and what may be compared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kpi import units
from kpi.analysis.limits import Chart, chart
from kpi.analysis.review import JUDGED
from kpi.metrics.model import Metric
from kpi.metrics.result import Cell

WEEK: Final = dt.timedelta(days=7)
#: A year in weeks, so that weekdays meet (SEMANTICS, ``previous``).
YEAR: Final = dt.timedelta(days=364)
#: Weeks of a trend: those that the last one is judged by.
SHOWN_WEEKS: Final = JUDGED

#: States whose value may be set beside another one.
COMPARABLE: Final = ("known",)


@dataclass(frozen=True)
class Series:
    """A metric, for one group or all, around one week.

    Attributes:
        cells: week's first day -> its cell, for every week that was asked for.
        currency: of money values.
    """

    metric: Metric
    week: dt.date
    cells: Mapping[dt.date, Cell]
    currency: str

    @property
    def now(self) -> Cell | None:
        """The week looked at."""
        return self.cells.get(self.week)

    @property
    def shown(self) -> tuple[tuple[dt.date, Cell | None], ...]:
        """The last weeks up to it, oldest first."""
        return self._run(self.week)

    @property
    def last_year(self) -> tuple[tuple[dt.date, Cell | None], ...]:
        """The same weeks a year earlier."""
        return self._run(self.week - YEAR)

    def _run(self, last: dt.date) -> tuple[tuple[dt.date, Cell | None], ...]:
        days = [last - back * WEEK for back in reversed(range(SHOWN_WEEKS))]
        return tuple((day, self.cells.get(day)) for day in days)

    def change_on(self, back: dt.timedelta) -> units.Change | None:
        """The change on the week that much earlier; None unless both are whole and sure."""
        now, before = self.now, self.cells.get(self.week - back)
        if now is None or before is None or now.state not in COMPARABLE or before.state not in COMPARABLE:
            return None
        return units.change(now.value, before.value, self.metric.unit)

    @property
    def chart(self) -> Chart:
        """What the weeks shown tell of this one; a week that isn't whole and sure is none of them."""
        return chart([None if cell is None or cell.state not in COMPARABLE else cell.value for _, cell in self.shown])

    def off_target(self) -> units.Change | None:
        """The distance to the week's target, where there is one and either way is good."""
        now = self.now
        if now is None or now.state not in COMPARABLE:
            return None
        return units.gap(now.value, now.target, self.metric.unit, self.metric.better)

    def weeks_off_target(self) -> int:
        """How many weeks in a row, up to the one looked at, were whole and on the wrong side of their target."""
        count = 0
        for _, cell in reversed(self.shown):
            if cell is None or cell.state not in COMPARABLE:
                break
            gap = units.gap(cell.value, cell.target, self.metric.unit, self.metric.better)
            if gap is None or gap.verdict(self.metric.better) != "worse":
                break
            count += 1
        return count

    def show(self, cell: Cell | None) -> units.Shown:
        """A cell's value as a card shows it."""
        return units.show(None if cell is None else cell.value, self.metric.unit, self.currency)


def weeks_of_series(week: dt.date) -> tuple[dt.date, ...]:
    """The weeks that a :class:`Series` around ``week`` looks at, oldest first."""
    return tuple(week - year - back * WEEK for year in (YEAR, dt.timedelta(0)) for back in reversed(range(SHOWN_WEEKS)))


def by_week(cells: Sequence[Cell]) -> dict[dt.date, Cell]:
    """Cells of a query without dimensions, under their week's first day."""
    return {cell.period: cell for cell in cells}


def by_group(cells: Sequence[Cell]) -> dict[tuple[str | None, ...], dict[dt.date, Cell]]:
    """Cells of a query by dimensions: group -> week's first day -> cell, groups in the order of the Result."""
    groups: dict[tuple[str | None, ...], dict[dt.date, Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.groups, {})[cell.period] = cell
    return groups
