"""Charts from Results: Plotly figures of the trend and of groups in rows, and a card's sparkline.

Labels sit on the data or in a column of their own beside it, so that none touches a marker or leaves the panel.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from html import escape
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote

import plotly.graph_objects as go

from kpi import units
from kpi.dashboard import drawing
from kpi.dashboard.breakdown import Breakdown
from kpi.dashboard.marks import Mark, places, together
from kpi.dashboard.series import Series
from kpi.dashboard.theme import Palette
from kpi.metrics.groups import called
from kpi.metrics.result import Cell
from kpi.periods import Calendar, Period

#: No toolbar and no zoom: a page that is read needs neither, and a finger that scrolls must not drag an axis.
CONFIG: Final = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}
TREND_HEIGHT: Final = 230
#: Units of a sparkline's drawing, which is stretched to its card.
SPARK_WIDTH: Final = 240
SPARK_HEIGHT: Final = 36
ROW_HEIGHT: Final = 34

#: A space as wide as a digit, which neither HTML nor SVG takes for two words' gap.
DIGIT_SPACE: Final = "\u2007"

#: Pixels between two labels at the edge of a trend.
_LABEL_GAP: Final = 16


def trend(series: Series, palette: Palette, calendar: Calendar, events: Sequence[Mark] = ()) -> go.Figure:
    """Thirteen weeks, last year's same weeks in grey, the target in amber, each named at its end; events by their numbers at the top."""
    days = [day for day, _ in series.shown]
    this_year = _points(series.shown, series)
    earlier = [(day, value) for day, (_, value) in zip(days, _points(series.last_year, series), strict=True)]
    target = [(day, None if cell is None or cell.target is None else float(cell.target)) for day, cell in series.shown]
    limits = series.chart.limits
    bounds = [] if limits is None else [(days[0], float(limits.low)), (days[0], float(limits.high))]
    low, high = drawing.reach(this_year, earlier, target, bounds)
    aim = drawing.line(
        target,
        palette.target,
        1.5,
        "target",
        [units.show(cell.target if cell else None, series.metric.unit, series.currency) for _, cell in series.shown],
    )
    aim["line"]["shape"] = "hvh"  # a target changes from one week to the next, it doesn't slope
    traces = [
        *([] if limits is None else drawing.band(days[0], days[-1], limits, palette)),
        *_events(events, [calendar.week(day) for day in days], low, high, palette),
        drawing.line(earlier, palette.last_year, 2, "last year", [series.show(cell) for _, cell in series.last_year]),
        aim,
        *_this_year(series, this_year, palette),
    ]
    edge = [
        (this_year, palette.accent, "", 600),
        (earlier, palette.quiet, "last year ", 400),
        (target, palette.target, "target ", 400),
    ]
    inner = TREND_HEIGHT - (22 if events else 8) - 28
    first, last = days[0] - dt.timedelta(days=2), days[-1] + dt.timedelta(days=2)
    labels = _edge_labels(edge, last, -1, inner, low, high, series) + _edge_labels(edge[:2], first, 0, inner, low, high, series)
    traces.append(drawing.texts(labels, 12))
    named = _every_fourth(days)
    return drawing.figure(
        traces,
        palette,
        TREND_HEIGHT,
        margin={"l": 58, "r": 118, "t": 22 if events else 8, "b": 28},
        xaxis={
            **drawing.bare(),
            "showticklabels": True,
            "tickvals": [day.isoformat() for day in named],
            "ticktext": [calendar.short_label(calendar.week(day), "week").replace("Week", "wk") for day in named],
            "tickfont": {"color": palette.quiet, "size": 11},
            "range": [first.isoformat(), last.isoformat()],
            "type": "date",
        },
        yaxis={**drawing.bare(), "range": [low, high], "showgrid": True, "gridcolor": palette.line, "nticks": 4},
    )


def _events(events: Sequence[Mark], weeks: Sequence[Period], low: float, high: float, palette: Palette) -> list[dict[str, Any]]:
    """A line at the week in which each begins, with its number over it, and along the top as long as it lasts."""
    if not events:
        return []
    traces = []
    for mark in events:
        span = places(mark, weeks)
        if span is not None:
            first, last = (weeks[place].start.isoformat() for place in span)
            line = {"color": palette.quiet, "width": 1, "dash": "dot"}
            quiet = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
            traces.append({**quiet, "x": [first, first], "y": [low, high], "line": line})
            if last > first:
                traces.append({**quiet, "x": [first, last], "y": [high, high], "line": {"color": palette.quiet, "width": 2}})
    numbers = together(events, weeks)
    words = [(weeks[place].start.isoformat(), high, "top center", text, palette.quiet, 600) for place, text in numbers.items()]
    return [*traces, drawing.texts(words, 11)]


def spark(series: Series, colour: str, ground: str, words: str) -> str:
    """The same weeks without axes, this week marked, as an image in HTML: six Plotly figures would take most of half a second.

    Args:
        ground: colour of the card, seen through the mark of a partial week.
        words: what it says, for those who don't see it.
    """
    points = _points(series.shown, series)
    low, high = drawing.reach(points)
    step = SPARK_WIDTH / (len(points) - 1)
    drawn = [None if value is None else (high - value) / (high - low) * SPARK_HEIGHT for _, value in points]
    line = ""
    for place, y in enumerate(drawn):
        if y is not None:
            line += f"{'L' if place and drawn[place - 1] is not None else 'M'}{place * step:.1f} {y:.1f}"
    paths = _svg_path(line, colour, 2)
    if drawn[-1] is not None:
        # a line of no length with round ends stays a circle however the drawing is stretched
        dot = f"M{SPARK_WIDTH - 0.01:.2f} {drawn[-1]:.1f}h.01"
        paths += _svg_path(dot, colour, 8)
        if series.now is not None and series.now.state == "partial":
            paths += _svg_path(dot, ground, 4.5)
    box = f'viewBox="-6 -5 {SPARK_WIDTH + 12} {SPARK_HEIGHT + 10}" preserveAspectRatio="none"'
    image = f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{paths}</svg>'
    return f'<img class="spark" alt="{escape(words, quote=True)}" src="data:image/svg+xml;utf8,{quote(image)}">'


def _svg_path(line: str, colour: str, width: float) -> str:
    ends = 'stroke-linejoin="round" stroke-linecap="round" vector-effect="non-scaling-stroke"'
    return f'<path d="{line}" fill="none" stroke="{colour}" stroke-width="{width}" {ends}/>'


def rows(breakdown: Breakdown, palette: Palette) -> go.Figure:
    """A row a group: where it was (grey), where it is (accent), both written out in columns at the right.

    Columns are text traces: annotations or axes of their own would take a browser many times as long.
    """
    shown = breakdown.rows
    places = list(range(len(shown)))
    before, now = [row.before_value for row in shown], [row.now_value for row in shown]
    low, high = drawing.reach([(dt.date.min, value) for value in (*before, *now)])
    joins: list[float | None] = []
    levels: list[int | None] = []
    for place, then, value in zip(places, before, now, strict=True):
        if then is not None and value is not None:
            joins += [then, value, None]
            levels += [place, place, None]
    hairs = [bound for _ in places for bound in (low, high, None)]
    beside = [level for place in places for level in (place, place, None)]
    names = [f"{drawing.plain(_short(called(row.group[0])))}  " for row in shown]
    verdicts = {"better": palette.better, "worse": palette.worse, "neutral": palette.quiet}
    traces = [
        drawing.stroke(hairs, beside, palette.line, 1),
        drawing.stroke(joins, levels, palette.last_year, 2),
        _dots([row.before_text for row in shown], breakdown, before, palette.last_year, breakdown.earlier),
        _dots([row.now_text for row in shown], breakdown, now, palette.accent, "this week"),
        drawing.columns(
            [
                (low, "middle left", names, [palette.ink] * len(shown), 400),
                (high, "middle right", [DIGIT_SPACE + row.now_text for row in shown], [palette.ink] * len(shown), 600),
                (
                    high,
                    "middle right",
                    [DIGIT_SPACE * 11 + row.change_text for row in shown],
                    [verdicts[row.verdict] for row in shown],
                    500,
                ),
            ]
        ),
    ]
    if breakdown.target is not None and low < float(breakdown.target) < high:
        aim = float(breakdown.target)
        traces.insert(1, drawing.stroke([aim, aim], [-0.5, len(shown) - 0.5], palette.target, 1.5, "dot"))
    return drawing.figure(
        traces,
        palette,
        max(1, len(shown)) * ROW_HEIGHT + 8,
        {"l": 96, "r": 138, "t": 4, "b": 4},
        {"visible": False, "range": [low, high]},
        {"visible": False, "range": [len(shown) - 0.5, -0.5]},
    )


def _this_year(series: Series, points: Sequence[drawing.Point], palette: Palette) -> list[dict[str, Any]]:
    """The accent line in whole weeks; into and out of a partial week it is dashed and the marker hollow."""
    cells = [cell for _, cell in series.shown]
    texts = [series.show(cell) for cell in cells]
    whole = [None if cell is None or cell.state == "partial" else value for (_, value), cell in zip(points, cells, strict=True)]
    traces = [drawing.line([(day, value) for (day, _), value in zip(points, whole, strict=True)], palette.accent, 2.4, "this year", texts)]
    for (first, second), (cell, following) in zip(pairwise(points), pairwise(cells), strict=True):
        if "partial" in (cell.state if cell else "", following.state if following else ""):
            dashed = drawing.line([first, second], palette.accent, 2, "", [])
            dashed["line"]["dash"] = "dot"
            traces.append({**dashed, "hoverinfo": "skip"})
    traces[0]["hoverinfo"] = "skip"
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": drawing.days_of(points),
            "y": drawing.values_of(points),
            "marker": {
                "size": [8 if place == len(points) - 1 else 6 for place in range(len(points))],
                "color": [palette.panel if cell and cell.state == "partial" else palette.accent for cell in cells],
                "line": {"color": palette.accent, "width": 1.6},
                "opacity": 1,
            },
            "text": [f"{text}{' (partial)' if cell and cell.state == 'partial' else ''}" for text, cell in zip(texts, cells, strict=True)],
            "hovertemplate": "%{text}<extra>this year</extra>",
            "cliponaxis": False,
        }
    )
    return traces


def _dots(texts: Sequence[str], breakdown: Breakdown, values: Sequence[float | None], colour: str, name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(values),
        "y": list(range(len(values))),
        "marker": {"color": colour, "size": 11, "opacity": 1},
        "text": [f"{drawing.plain(called(row.group[0]))}: {text}" for row, text in zip(breakdown.rows, texts, strict=True)],
        "hovertemplate": f"%{{text}}<extra>{name}</extra>",
        "cliponaxis": False,
    }


def _edge_labels(
    lines: Sequence[tuple[Sequence[drawing.Point], str, str, int]],
    day: dt.date,
    place: int,
    height: int,
    low: float,
    high: float,
    series: Series,
) -> list[tuple[Any, float, str, str, str, int]]:
    """Values written at ``day`` beside a trend's first or last points, moved apart where they would touch."""
    wanted = []
    for points, colour, name, weight in lines:
        value = points[place][1]
        if value is not None:
            text = str(units.show(Decimal(repr(value)), series.metric.unit, series.currency))
            text = f"{DIGIT_SPACE}{name}{text}" if place else f"{text}{DIGIT_SPACE}"
            wanted.append(((high - value) / (high - low) * height, colour, text, weight))
    wanted.sort(key=lambda label: label[0])
    tops = drawing.spread([label[0] for label in wanted], _LABEL_GAP, height)
    side = "middle right" if place else "middle left"
    return [
        (day.isoformat(), high - top / height * (high - low), side, text, colour, weight)
        for top, (_, colour, text, weight) in zip(tops, wanted, strict=True)
    ]


def _points(cells: Sequence[tuple[dt.date, Cell | None]], series: Series) -> list[drawing.Point]:
    return [(day, None if cell is None or cell.value is None else float(cell.value)) for day, cell in cells]


def _every_fourth(days: Sequence[dt.date]) -> list[dt.date]:
    return [day for place, day in enumerate(days) if (len(days) - 1 - place) % 4 == 0]


def _short(text: str) -> str:
    return text if len(text) <= 14 else f"{text[:13]}…"
