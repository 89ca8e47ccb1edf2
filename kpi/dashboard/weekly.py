"""The weekly review as HTML: a panel for each metric, always of the same form.

Lines and dots are an SVG image that is stretched to its panel; words and targets are HTML over it, in the page's own type, so that
forty metrics are one element of the page and take a browser a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from kpi import units
from kpi.analysis.review import Boxed, Point, Review
from kpi.dashboard.cards import escape
from kpi.dashboard.drawing import reach
from kpi.dashboard.theme import Palette
from kpi.metrics.result import Cell, State
from kpi.periods import Calendar

#: Units of a drawing, which is stretched to its panel; its height is that of .review .plot in page.css, in pixels.
_WIDTH: Final = 1000
_HEIGHT: Final = 118
#: Where the weeks and the months lie, from left to right.
_WEEKS: Final = (20, 330)
_MONTHS: Final = (430, 975)
#: Pixels a label takes above or below its dot.
_LABEL: Final = 20
#: What stands where nothing is known: never 0.
NOTHING: Final = "–"

_HEAD: Final = {"week": "Last wk", "month": "MTD", "quarter": "QTD", "year": "YTD"}
_TITLES: Final = {"week": "the week", "month": "the month to date", "quarter": "the quarter to date", "year": "the year to date"}
#: States whose value is drawn; those that are not whole and sure are hollow.
_SURE: Final[tuple[State, ...]] = ("known",)


@dataclass(frozen=True)
class _Scale:
    """One half of a chart: its points' places, and the values at its foot and head."""

    points: Sequence[Point]
    left: float
    right: float
    low: float
    high: float

    def x(self, place: int) -> float:
        """Of the point in this place."""
        return self.left + (self.right - self.left) * place / max(1, len(self.points) - 1)

    def y(self, value: float) -> float:
        """From the top."""
        return (self.high - value) / (self.high - self.low) * _HEIGHT


def panel(review: Review, problem: str | None, palette: Palette, calendar: Calendar) -> str:
    """A metric's panel: title and owner, the chart, the box.

    Args:
        problem: why there is nothing to see; the form stays the same.
    """
    metric = review.metric
    better = {"up": "up is better", "down": "down is better", None: ""}[metric.better]
    owner = " · ".join(part for part in (metric.owner, better) if part)
    head = f'<div class="head"><h4>{escape(metric.label)}</h4><span class="quiet">{escape(owner)}</span></div>'
    body = _chart(review, palette, calendar) if problem is None else f'<p class="note">{escape(problem)}</p>'
    return f'<div class="review">{head}{body}{_box(review)}</div>'


def legend() -> str:
    """What the marks of every chart mean."""
    return (
        '<p class="caption legend"><i class="now"></i>this year<i class="line"></i>last year<i class="triangle"></i>target'
        '<i class="hollow"></i>not whole, or of too few<span>left: 6 weeks, right: 12 months, each with a scale of its own</span></p>'
    )


def grid(panels: Iterable[str]) -> str:
    """Panels beside each other where there is room."""
    return f'<div class="reviews">{"".join(panels)}</div>'


def _chart(review: Review, palette: Palette, calendar: Calendar) -> str:
    halves = [_scale(review.weeks, *_WEEKS), _scale(review.months, *_MONTHS)]
    paths = [_stroke(f"M{half.left - 15} {y}H{half.right + 15}", palette.line, 1) for half in halves for y in (0.5, _HEIGHT - 0.5)]
    paths += [_line(half, [_value(point.before) for point in half.points], palette.last_year, 1.8) for half in halves]
    paths += [part for half in halves for part in _this_year(half, palette)]
    image = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none">{"".join(paths)}</svg>'
    marks = [mark for half in halves for mark in (*_targets(half), *_labels(half, review))]
    ticks = [_tick(halves[0].x(place), _week(point, calendar)) for place, point in enumerate(review.weeks)]
    ticks += [_tick(halves[1].x(place), _month(point, calendar)) for place, point in enumerate(review.months)]
    return (
        f'<div class="plot"><img alt="{escape(_words(review))}" src="data:image/svg+xml;utf8,{quote(image)}">'
        f'{"".join(marks)}</div><div class="ticks" aria-hidden="true">{"".join(ticks)}</div>'
    )


def _scale(points: Sequence[Point], left: float, right: float) -> _Scale:
    values = [value for point in points for value in (_value(point.cell), _value(point.before), _target(point.cell)) if value is not None]
    low, high = reach([(points[0].period.start, value) for value in values])
    # room for a label over the highest dot and under the lowest
    air = (high - low) * _LABEL / _HEIGHT
    return _Scale(points, left, right, low - air, high + air)


def _this_year(half: _Scale, palette: Palette) -> list[str]:
    """The line, dashed into and out of what isn't whole, and its dots, hollow there."""
    values = [_value(point.cell) for point in half.points]
    sure = [point.cell is not None and point.cell.state in _SURE for point in half.points]
    paths = [_line(half, [value if whole else None for value, whole in zip(values, sure, strict=True)], palette.accent, 2.4)]
    dots = []
    for place, value in enumerate(values):
        if value is None:
            continue
        before = values[place - 1] if place else None
        if before is not None and not (sure[place] and sure[place - 1]):
            track = f"M{half.x(place - 1):.1f} {half.y(before):.1f}L{half.x(place):.1f} {half.y(value):.1f}"
            paths.append(_stroke(track, palette.accent, 2, "4 4"))
        # a line of no length with round ends stays a circle however the drawing is stretched
        dot = f"M{half.x(place):.2f} {half.y(value):.1f}h.01"
        dots.append(_stroke(dot, palette.accent, 8))
        if not sure[place]:
            dots.append(_stroke(dot, palette.panel, 4.5))
    return paths + dots


def _line(half: _Scale, values: Sequence[float | None], colour: str, width: float) -> str:
    track = ""
    for place, value in enumerate(values):
        if value is not None:
            track += f"{'L' if place and values[place - 1] is not None else 'M'}{half.x(place):.1f} {half.y(value):.1f}"
    return _stroke(track, colour, width) if track else ""


def _stroke(track: str, colour: str, width: float, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    ends = 'stroke-linejoin="round" stroke-linecap="round" vector-effect="non-scaling-stroke"'
    return f'<path d="{track}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes} {ends}/>'


def _targets(half: _Scale) -> list[str]:
    aims = [_target(point.cell) for point in half.points]
    return [f'<i class="triangle" style="{_at(half.x(place), half.y(aim))}"></i>' for place, aim in enumerate(aims) if aim is not None]


def _labels(half: _Scale, review: Review) -> list[str]:
    """Values of the first and the last dot, and of the last whole one: over it, or under it where something lies over it."""
    known = [place for place, point in enumerate(half.points) if _value(point.cell) is not None]
    if not known:
        return []
    whole = [place for place in known if half.points[place].cell.state in _SURE]  # type: ignore[union-attr]
    last = whole[-1] if whole else known[-1]
    wanted = [known[0], last] if last - known[0] > 2 else [last]
    labels = []
    for place in wanted:
        point = half.points[place]
        value = _value(point.cell)
        assert value is not None  # noqa: S101 - one of those that are known
        side = "under" if _is_over(half, place, value) else "over"
        end = "first" if place == 0 else "last" if place == len(half.points) - 1 else "middle"
        text = units.show(point.cell.value if point.cell else None, review.metric.unit, review.currency)
        labels.append(f'<b class="{side} {end}" style="{_at(half.x(place), half.y(value))}">{escape(str(text))}</b>')
    return labels


def _is_over(half: _Scale, place: int, value: float) -> bool:
    """Whether more lies over a dot than under it: last year's line and the target close by, and where its own line goes."""
    top, point = half.y(value), half.points[place]
    if top + _LABEL > _HEIGHT:
        return False
    beside = [half.points[at] for at in (place - 1, place + 1) if 0 <= at < len(half.points)]
    own = [half.y(other) - top for near in beside if (other := _value(near.cell)) is not None]
    close = [half.y(other) - top for other in (_value(point.before), _target(point.cell)) if other is not None]
    over = sum(away < -2 for away in own) + sum(-_LABEL - 4 < away <= 0 for away in close)
    under = sum(away > 2 for away in own) + sum(0 < away < _LABEL + 4 for away in close)
    return over > under


def _at(x: float, y: float) -> str:
    return f"left:{x / _WIDTH * 100:.2f}%;top:{y:.1f}px"


def _tick(x: float, text: str) -> str:
    return f'<span style="left:{x / _WIDTH * 100:.2f}%">{escape(text)}</span>'


def _week(point: Point, calendar: Calendar) -> str:
    return str(calendar.week_number(point.period.start)[1])


def _month(point: Point, calendar: Calendar) -> str:
    return calendar.short_label(point.period, "month")[0]


def _box(review: Review) -> str:
    head, row = [], []
    for boxed in review.box:
        changes = [("WoW", boxed.on_week, "week on week")] if boxed.name == "week" else []
        changes.append(("YoY", boxed.on_year, "year on year"))
        head.append(f'<th scope="col" title="{_TITLES[boxed.name]}">{_HEAD[boxed.name]}</th>')
        row.append(f"<td>{escape(figure(boxed, review))}</td>")
        for name, change, words in changes:
            head.append(f'<th scope="col" title="{_TITLES[boxed.name]}, {words}">{name}</th>')
            verdict = "quiet" if change is None else change.verdict(review.metric.better)
            row.append(f'<td class="{verdict}">{escape(short(change))}</td>')
    table = f"<table><thead><tr>{''.join(head)}</tr></thead><tbody><tr>{''.join(row)}</tr></tbody></table>"
    return f'<div class="box">{table}</div>'


def figure(boxed: Boxed, review: Review) -> str:
    """A value of the box; a partial one is marked, and what isn't known is a dash, never 0."""
    cell = boxed.cell
    if cell is None or cell.value is None:
        return NOTHING
    mark = "" if cell.state in _SURE else "*"
    return f"{units.show(cell.value, review.metric.unit, review.currency)}{mark}"


def short(change: units.Change | None) -> str:
    """A change of the box: points are "pts"."""
    return NOTHING if change is None else change.text.replace("points", "pts")


def _value(cell: Cell | None) -> float | None:
    return None if cell is None or cell.value is None else float(cell.value)


def _target(cell: Cell | None) -> float | None:
    return None if cell is None or cell.target is None else float(cell.target)


def _words(review: Review) -> str:
    """What the chart says, for those who don't see it."""

    def told(points: Sequence[Point]) -> str:
        return ", ".join(
            NOTHING if point.cell is None else str(units.show(point.cell.value, review.metric.unit, review.currency)) for point in points
        )

    return f"{review.metric.label}. Last 6 weeks, oldest first: {told(review.weeks)}. Last 12 months: {told(review.months)}"
