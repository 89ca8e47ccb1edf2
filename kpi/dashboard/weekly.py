"""The weekly review as HTML: a panel for each metric, always of the same form.

Lines and dots are an SVG image that is stretched to its panel; words and targets are HTML over it, in the page's own type, so that
forty metrics are one element of the page and take a browser a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from kpi import units
from kpi.analysis.restating import restated
from kpi.analysis.review import Boxed, Point, Review
from kpi.dashboard import remarks
from kpi.dashboard.cards import escape
from kpi.dashboard.marks import Mark, marks, places, together
from kpi.dashboard.plotting import SURE, WIDTH, Half, Place, halves
from kpi.dashboard.theme import Palette
from kpi.periods import Calendar, Period
from kpi.records.closings import Closed
from kpi.records.notes import Notes

#: Pixels: that of .review .plot in page.css, and what a label takes above or below its dot.
_HEIGHT: Final = 118
_LABEL: Final = 20
#: What stands where nothing is known: never 0.
NOTHING: Final = "–"

#: What the periods of the box are called over their figures.
HEAD: Final = {"week": "Last wk", "month": "MTD", "quarter": "QTD", "year": "YTD"}
NONE: Final = Notes()
OPEN: Final = Closed()
_TITLES: Final = {"week": "the week", "month": "the month to date", "quarter": "the quarter to date", "year": "the year to date"}


def panel(review: Review, problem: str | None, palette: Palette, calendar: Calendar, notes: Notes = NONE, closed: Closed = OPEN) -> str:
    """A metric's panel: title and owner, the chart, the box, what was shown before, what people wrote.

    Args:
        problem: why there is nothing to see; the form stays the same.
    """
    metric = review.metric
    better = {"up": "up is better", "down": "down is better", None: ""}[metric.better]
    owner = " · ".join(part for part in (metric.owner, better) if part)
    head = f'<div class="head"><h4>{escape(metric.label)}</h4><span class="quiet">{escape(owner)}</span></div>'
    events = marks(notes, metric.name, Period(review.months[0].period.start, review.week.period.end))
    body = _chart(review, palette, calendar, events) if problem is None else f'<p class="note">{escape(problem)}</p>'
    comments = remarks.comments(notes.comments(metric.name, *review.week.period), calendar)
    cells = [point.cell for point in review.weeks]
    before = remarks.restated(restated(cells, metric.unit, review.currency, closed), calendar)
    return f'<div class="review">{head}{body}{remarks.events(events)}{_box(review)}{before}{comments}</div>'


def legend() -> str:
    """What the marks of every chart mean."""
    return (
        '<p class="caption legend"><i class="now"></i>this year<i class="line"></i>last year<i class="triangle"></i>target'
        '<i class="hollow"></i>not whole, or of too few<span>left: 6 weeks, right: 12 months, each with a scale of its own</span></p>'
    )


def grid(panels: Iterable[str]) -> str:
    """Panels beside each other where there is room."""
    return f'<div class="reviews">{"".join(panels)}</div>'


def _chart(review: Review, palette: Palette, calendar: Calendar, events: Sequence[Mark]) -> str:
    weeks, months = halves(review, _HEIGHT, _LABEL)
    paths = [_stroke(f"M{half.left - 15} {y}H{half.right + 15}", palette.line, 1) for half in (weeks, months) for y in (0.5, _HEIGHT - 0.5)]
    paths += [part for half in (weeks, months) for part in _event_lines(half, events, palette)]
    paths += [_lines(half.last_year(), palette.last_year, 1.8) for half in (weeks, months)]
    paths += [part for half in (weeks, months) for part in _this_year(half, palette)]
    image = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {_HEIGHT}" preserveAspectRatio="none">{"".join(paths)}</svg>'
    over = [part for half in (weeks, months) for part in (*_targets(half), *_labels(half, review), *_numbers(half, events))]
    ticks = [_tick(weeks.x(place), week_tick(point, calendar)) for place, point in enumerate(review.weeks)]
    ticks += [_tick(months.x(place), month_tick(point, calendar)) for place, point in enumerate(review.months)]
    return (
        f'<div class="plot{" marked" if events else ""}"><img alt="{escape(_words(review))}" src="data:image/svg+xml;utf8,{quote(image)}">'
        f'{"".join(over)}</div><div class="ticks" aria-hidden="true">{"".join(ticks)}</div>'
    )


def _this_year(half: Half, palette: Palette) -> list[str]:
    """The line, dashed into and out of what isn't whole, and its dots, hollow there."""
    paths = [_lines(half.this_year(), palette.accent, 2.4)]
    paths += [_stroke(_track(pair), palette.accent, 2, "4 4") for pair in half.unsure()]
    for (x, y), full in half.dots():
        # a line of no length with round ends stays a circle however the drawing is stretched
        dot = f"M{x:.2f} {y:.1f}h.01"
        paths.append(_stroke(dot, palette.accent, 8))
        if not full:
            paths.append(_stroke(dot, palette.panel, 4.5))
    return paths


def _lines(runs: Sequence[Sequence[Place]], colour: str, width: float) -> str:
    return _stroke("".join(_track(run) for run in runs), colour, width) if runs else ""


def _track(places: Sequence[Place]) -> str:
    return "".join(f"{'L' if at else 'M'}{x:.1f} {y:.1f}" for at, (x, y) in enumerate(places))


def _stroke(track: str, colour: str, width: float, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    ends = 'stroke-linejoin="round" stroke-linecap="round" vector-effect="non-scaling-stroke"'
    return f'<path d="{track}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes} {ends}/>'


def _event_lines(half: Half, events: Sequence[Mark], palette: Palette) -> list[str]:
    """A line where each event begins, and along the top as long as it lasts."""
    periods = [point.period for point in half.points]
    found = []
    for mark in events:
        span = places(mark, periods)
        if span is not None:
            first, last = half.x(span[0]), half.x(span[1])
            found.append(_stroke(f"M{first:.1f} 0V{_HEIGHT}", palette.quiet, 1, "2 3"))
            found += [_stroke(f"M{first:.1f} 0.5H{last:.1f}", palette.quiet, 2)] if last > first else []
    return found


def _numbers(half: Half, events: Sequence[Mark]) -> list[str]:
    found = together(events, [point.period for point in half.points])
    return [f'<i class="event" style="{_at(half.x(place), 0)}">{numbers}</i>' for place, numbers in found.items()]


def _targets(half: Half) -> list[str]:
    return [f'<i class="triangle" style="{_at(x, y)}"></i>' for x, y in half.targets()]


def _labels(half: Half, review: Review) -> list[str]:
    return [
        f'<b class="{label.side} {label.end}" style="{_at(label.x, label.y)}">{escape(label.text)}</b>' for label in half.labels(review)
    ]


def _at(x: float, y: float) -> str:
    return f"left:{x / WIDTH * 100:.2f}%;top:{y:.1f}px"


def _tick(x: float, text: str) -> str:
    return f'<span style="left:{x / WIDTH * 100:.2f}%">{escape(text)}</span>'


def week_tick(point: Point, calendar: Calendar) -> str:
    """Under a week."""
    return str(calendar.week_number(point.period.start)[1])


def month_tick(point: Point, calendar: Calendar) -> str:
    """Under a month."""
    return calendar.short_label(point.period, "month")[0]


def _box(review: Review) -> str:
    head, row = [], []
    for boxed in review.box:
        changes = [("WoW", boxed.on_week, "week on week")] if boxed.name == "week" else []
        changes.append(("YoY", boxed.on_year, "year on year"))
        head.append(f'<th scope="col" title="{_TITLES[boxed.name]}">{HEAD[boxed.name]}</th>')
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
    mark = "" if cell.state in SURE else "*"
    return f"{units.show(cell.value, review.metric.unit, review.currency)}{mark}"


def short(change: units.Change | None) -> str:
    """A change of the box: points are "pts"."""
    return NOTHING if change is None else change.text.replace("points", "pts")


def _words(review: Review) -> str:
    """What the chart says, for those who don't see it."""

    def told(points: Sequence[Point]) -> str:
        return ", ".join(
            NOTHING if point.cell is None else str(units.show(point.cell.value, review.metric.unit, review.currency)) for point in points
        )

    return f"{review.metric.label}. Last 6 weeks, oldest first: {told(review.weeks)}. Last 12 months: {told(review.months)}"
