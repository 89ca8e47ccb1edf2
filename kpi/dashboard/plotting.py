"""Where everything of a review's chart lies: six weeks at the left, twelve months at the right, each with a scale of its own.

Numbers without a medium: the page makes SVG and HTML of them, the printed review its own lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from kpi import units
from kpi.analysis.review import Point, Review
from kpi.dashboard.drawing import reach
from kpi.metrics.result import Cell, State

#: Across; the drawing is stretched to its panel.
WIDTH: Final = 1000
#: Where the weeks and the months lie, from left to right.
_WEEKS: Final = (20, 330)
_MONTHS: Final = (430, 975)
#: States whose value is drawn full; those that are not whole and sure are hollow.
SURE: Final[tuple[State, ...]] = ("known",)

Place = tuple[float, float]


class Label(NamedTuple):
    """A value beside its dot.

    Attributes:
        side: ``over`` or ``under`` the dot; ``end``: of which end of the line it is, ``first``, ``middle`` or ``last``.
    """

    x: float
    y: float
    text: str
    side: str
    end: str


@dataclass(frozen=True)
class Half:
    """One half of a chart: its points' places, and the values at its foot and head.

    Attributes:
        height: of the plot; ``room``: what a label takes above or below its dot.
    """

    points: Sequence[Point]
    left: float
    right: float
    low: float
    high: float
    height: float
    room: float

    def x(self, place: int) -> float:
        """Of the point in this place."""
        return self.left + (self.right - self.left) * place / max(1, len(self.points) - 1)

    def y(self, value: float) -> float:
        """From the top."""
        return (self.high - value) / (self.high - self.low) * self.height

    def last_year(self) -> list[list[Place]]:
        """The quiet line, cut where a value is missing."""
        return self._runs([_value(point.before) for point in self.points])

    def this_year(self) -> list[list[Place]]:
        """The line of what is whole and sure."""
        return self._runs([value if sure else None for value, sure in zip(self._values, self._sure, strict=True)])

    def unsure(self) -> list[tuple[Place, Place]]:
        """Into and out of what isn't: dashed."""
        values, sure = self._values, self._sure
        found = []
        for place, value in enumerate(values):
            before = values[place - 1] if place else None
            if value is not None and before is not None and not (sure[place] and sure[place - 1]):
                found.append(((self.x(place - 1), self.y(before)), (self.x(place), self.y(value))))
        return found

    def dots(self) -> list[tuple[Place, bool]]:
        """Each value, and whether it is full."""
        return [((self.x(place), self.y(value)), self._sure[place]) for place, value in enumerate(self._values) if value is not None]

    def targets(self) -> list[Place]:
        """Where the targets are."""
        aims = [target_of(point.cell) for point in self.points]
        return [(self.x(place), self.y(aim)) for place, aim in enumerate(aims) if aim is not None]

    def labels(self, review: Review) -> list[Label]:
        """Values of the first and the last dot, and of the last whole one: over it, or under it where something lies over it."""
        values = self._values
        known = [place for place, value in enumerate(values) if value is not None]
        if not known:
            return []
        whole = [place for place in known if self._sure[place]]
        last = whole[-1] if whole else known[-1]
        labels = []
        for place in [known[0], last] if last - known[0] > 2 else [last]:
            point, value = self.points[place], values[place]
            assert value is not None  # noqa: S101 - one of those that are known
            side = "under" if self._is_over(place, value) else "over"
            end = "first" if place == 0 else "last" if place == len(self.points) - 1 else "middle"
            text = units.show(point.cell.value if point.cell else None, review.metric.unit, review.currency)
            labels.append(Label(self.x(place), self.y(value), str(text), side, end))
        return labels

    def _is_over(self, place: int, value: float) -> bool:
        """Whether more lies over a dot than under it: last year's line and the target close by, and where its own line goes."""
        top, point = self.y(value), self.points[place]
        if top + self.room > self.height:
            return False
        beside = [self.points[at] for at in (place - 1, place + 1) if 0 <= at < len(self.points)]
        own = [self.y(other) - top for near in beside if (other := _value(near.cell)) is not None]
        close = [self.y(other) - top for other in (_value(point.before), target_of(point.cell)) if other is not None]
        near_by = self.room * 1.2
        over = sum(away < -2 for away in own) + sum(-near_by < away <= 0 for away in close)
        under = sum(away > 2 for away in own) + sum(0 < away < near_by for away in close)
        return over > under

    @property
    def _values(self) -> list[float | None]:
        return [_value(point.cell) for point in self.points]

    @property
    def _sure(self) -> list[bool]:
        return [point.cell is not None and point.cell.state in SURE for point in self.points]

    def _runs(self, values: Sequence[float | None]) -> list[list[Place]]:
        runs: list[list[Place]] = []
        for place, value in enumerate(values):
            if value is None:
                continue
            if not place or values[place - 1] is None:
                runs.append([])
            runs[-1].append((self.x(place), self.y(value)))
        return runs


def halves(review: Review, height: float, room: float) -> tuple[Half, Half]:
    """The weeks and the months of a plot so high, with room for labels over the highest dot and under the lowest."""
    return _half(review.weeks, *_WEEKS, height, room), _half(review.months, *_MONTHS, height, room)


def _half(points: Sequence[Point], left: float, right: float, height: float, room: float) -> Half:
    values = [value for point in points for value in (_value(point.cell), _value(point.before), target_of(point.cell)) if value is not None]
    low, high = reach([(points[0].period.start, value) for value in values])
    air = (high - low) * room / height
    return Half(points, left, right, low - air, high + air, height, room)


def _value(cell: Cell | None) -> float | None:
    return None if cell is None or cell.value is None else float(cell.value)


def target_of(cell: Cell | None) -> float | None:
    """For drawing."""
    return None if cell is None or cell.target is None else float(cell.target)
