"""Pairs of closes, an earlier and a later one, put into an order in which both only move on.

The stock of an account is a step function of days; at the n-th pair of a lane it is one of n, for the earlier close and
for the later. So a change on a day is a change from some pair on, and whatever is made of both stocks changes only
where one of them does: the work grows with changes, not with changes times periods.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.stages.scan import Scan, day_number


@dataclass
class Lane:
    """Pairs in order, as day numbers of the first days after the closes; ``seats`` are (slot, place of the period, pair)."""

    earlier: list[int] = field(default_factory=list)
    later: list[int] = field(default_factory=list)
    seats: list[tuple[int, int, int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.later)

    @property
    def first(self) -> int:
        """A day before which all changes are seen by every pair."""
        return min(self.earlier[0], self.later[0]) - 1

    @property
    def last(self) -> int:
        """The day from which on no change is seen."""
        return max(self.earlier[-1], self.later[-1])

    def steps(self, name: str) -> sa.CTE:
        """For each day from ``first`` to ``last`` the first pair whose earlier, and whose later close sees a change on it."""
        days = list(range(self.first, self.last + 1))
        return operations.rows_of(name, day=days, earlier=_passed(self.earlier, days), later=_passed(self.later, days))

    def bounds(self, name: str) -> sa.CTE:
        """The seats, with a bound before which lie the changes that are seen, as :func:`~kpi.metrics.stages.running.running` asks."""
        slots, places, pairs = zip(*self.seats, strict=True)
        return operations.rows_of(name, slot=slots, place=places, bound=[pair + 1 for pair in pairs], sign=[1] * len(pairs))

    def pairs(self, name: str) -> sa.CTE:
        """The number of each pair and the last day of its earlier close, whose rates count."""
        return operations.rows_of(name, pair=list(range(len(self))), rate_day=[day - 1 for day in self.earlier])


def lanes(scan: Scan) -> list[Lane]:
    """As few lanes as hold all windows of a scan of retentions; nearly always one."""
    asked: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for slot, windows in scan.slots.items():
        for place, window in enumerate(windows):
            if window is not None and window.opened is not None:
                asked.setdefault((day_number(window.end), day_number(window.opened)), []).append((slot, place))
    found: list[Lane] = []
    for (later, earlier), seats in sorted(asked.items()):
        lane = next((lane for lane in found if lane.earlier[-1] <= earlier), None)
        if lane is None:
            lane = Lane()
            found.append(lane)
        lane.seats += [(slot, place, len(lane)) for slot, place in seats]
        lane.earlier.append(earlier)
        lane.later.append(later)
    return found


def _passed(bounds: Iterable[int], days: list[int]) -> list[int]:
    """For each day how many of the bounds are on it or before."""
    at: dict[int, int] = {}
    for bound in bounds:
        at[bound] = at.get(bound, 0) + 1
    return list(accumulate(at.get(day, 0) for day in days))
