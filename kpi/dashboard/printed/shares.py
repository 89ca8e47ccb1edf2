"""Charts for print: every point as a share of its plot's width and height, from the left and from the top."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from kpi import units
from kpi.analysis.review import Review
from kpi.dashboard import drawing, plotting
from kpi.dashboard.breakdown import Breakdown
from kpi.dashboard.marks import Mark, together
from kpi.dashboard.plotting import Half
from kpi.dashboard.series import SHOWN_WEEKS, Series
from kpi.dashboard.weekly import month_tick, week_tick
from kpi.metrics.groups import called
from kpi.metrics.result import Cell
from kpi.periods import Calendar

#: Points of type: the plot of a panel as review.typ draws it, and what a label takes beside its dot.
PLOT_HEIGHT: Final = 44.0
_LABEL: Final = 8.0
#: The trend's height, and the least distance between two labels at its edge.
TREND_HEIGHT: Final = 150.0
_EDGE: Final = 11.0

Run = list[list[float]]
Values = Sequence[float | None]


def trend(series: Series, calendar: Calendar, events: Sequence[Mark] = ()) -> dict[str, Any]:
    """Thirteen weeks, last year's, the target, the range that is normal, and the values at the right edge."""
    now = [_drawn(cell) for _, cell in series.shown]
    before = [_drawn(cell) for _, cell in series.last_year]
    aims = [None if cell is None or cell.target is None else float(cell.target) for _, cell in series.shown]
    limits = series.chart.limits
    bounds = [] if limits is None else [float(limits.high), float(limits.mean), float(limits.low)]
    low, high = drawing.within(now, before, aims, bounds)
    last, last_year = series.shown[-1][1], series.last_year[-1][1]
    aim = None if last is None or last.target is None else units.show(last.target, series.metric.unit, series.currency)
    edge: list[tuple[float | None, str, str, bool]] = [
        (now[-1], "accent", str(series.show(last)), True),
        (before[-1], "quiet", f"last year {series.show(last_year)}", False),
        (aims[-1], "target", f"target {aim}", False),
    ]
    at = sorted(
        ((high - value) / (high - low) * TREND_HEIGHT, colour, words, strong) for value, colour, words, strong in edge if value is not None
    )
    tops = drawing.spread([top for top, *_ in at], _EDGE, TREND_HEIGHT)
    weeks = [calendar.week(week) for week, _ in series.shown]
    ticks = [(place, week) for place, (week, _) in enumerate(series.shown) if (SHOWN_WEEKS - 1 - place) % 4 == 0]
    return {
        "title": f"{SHOWN_WEEKS} weeks, with the range that is normal for it",
        "height": TREND_HEIGHT,
        "band": [(high - value) / (high - low) for value in bounds],
        "now": _runs(now, low, high),
        "hollow": [_share(now, place, low, high) for place, (_, cell) in enumerate(series.shown) if _is_hollow(cell)],
        "events": [[place / (SHOWN_WEEKS - 1), numbers] for place, numbers in together(events, weeks).items()],
        "before": _runs(before, low, high),
        "aims": [_steps(run) for run in _runs(aims, low, high)],
        "labels": [[top, *words] for top, (_, *words) in zip(tops, at, strict=True)],
        "ticks": [[place / (SHOWN_WEEKS - 1), f"wk {calendar.week_number(week)[1]}"] for place, week in ticks],
    }


def spark(series: Series) -> dict[str, Any]:
    """The same weeks without anything around them."""
    values = [_drawn(cell) for _, cell in series.shown]
    low, high = drawing.within(values)
    last = None if values[-1] is None else _share(values, len(values) - 1, low, high)
    return {"runs": _runs(values, low, high), "last": last, "hollow": _is_hollow(series.now)}


def panel(review: Review, calendar: Calendar, events: Sequence[Mark] = ()) -> dict[str, Any]:
    """Six weeks and twelve months."""
    weeks, months = plotting.halves(review, PLOT_HEIGHT, _LABEL)
    return {
        "height": PLOT_HEIGHT,
        "halves": [_half(weeks, review, events), _half(months, review, events)],
        "ticks": [
            *([weeks.x(place) / plotting.WIDTH, week_tick(point, calendar)] for place, point in enumerate(review.weeks)),
            *([months.x(place) / plotting.WIDTH, month_tick(point, calendar)] for place, point in enumerate(review.months)),
        ],
    }


def rows(breakdown: Breakdown) -> list[dict[str, Any]]:
    """A row a group: where it was, where it is, and both in words."""
    low, high = drawing.within([value for row in breakdown.rows for value in (row.before_value, row.now_value)])
    across = high - low
    return [
        {
            "name": row.name if len(row.group) > 1 else called(row.group[0]),
            "before": None if row.before_value is None else (row.before_value - low) / across,
            "now": None if row.now_value is None else (row.now_value - low) / across,
            "text": row.now_text,
            "change": row.change_text,
            "tone": row.verdict,
        }
        for row in breakdown.rows
    ]


def _half(half: Half, review: Review, events: Sequence[Mark]) -> dict[str, Any]:
    begun = together(events, [point.period for point in half.points])

    def at(place: plotting.Place) -> list[float]:
        return [place[0] / plotting.WIDTH, place[1] / half.height]

    return {
        "from": (half.left - 15) / plotting.WIDTH,
        "to": (half.right + 15) / plotting.WIDTH,
        "events": [half.x(place) / plotting.WIDTH for place in begun],
        "before": [[at(place) for place in run] for run in half.last_year()],
        "now": [[at(place) for place in run] for run in half.this_year()],
        "unsure": [[at(first), at(second)] for first, second in half.unsure()],
        "dots": [[*at(place), full] for place, full in half.dots()],
        "targets": [at(place) for place in half.targets()],
        "labels": [[*at((label.x, label.y)), label.text, label.side, label.end] for label in half.labels(review)],
    }


def _runs(values: Values, low: float, high: float) -> list[Run]:
    runs: list[Run] = []
    for place, value in enumerate(values):
        if value is None:
            continue
        if not place or values[place - 1] is None:
            runs.append([])
        runs[-1].append(_share(values, place, low, high))
    return runs


def _steps(run: Run) -> Run:
    """A target changes from one week to the next, it doesn't slope."""
    made = run[:1]
    for (x, y), (after, below) in pairwise(run):
        made += [[(x + after) / 2, y], [(x + after) / 2, below], [after, below]]
    return made


def _share(values: Values, place: int, low: float, high: float) -> list[float]:
    value = values[place]
    assert value is not None  # noqa: S101 - asked of drawn values alone
    return [place / max(1, len(values) - 1), (high - value) / (high - low)]


def _drawn(cell: Cell | None) -> float | None:
    return None if cell is None or cell.value is None else float(cell.value)


def _is_hollow(cell: Cell | None) -> bool:
    return cell is not None and cell.value is not None and cell.state not in plotting.SURE
