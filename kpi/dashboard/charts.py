"""Charts from Results: Plotly figures of the trend and of groups in rows, and a card's sparkline.

Labels sit on the data or in a column of their own beside it, so that none touches a marker or leaves the panel.
A figure is a plain dictionary until the end: validating each property takes ten times as long as drawing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from html import escape
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote

import plotly.graph_objects as go

from kpi import units
from kpi.dashboard.breakdown import Breakdown
from kpi.dashboard.series import Series
from kpi.dashboard.theme import FONT, Palette
from kpi.metrics.groups import called
from kpi.metrics.result import Cell
from kpi.periods import Calendar

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

Point = tuple[dt.date, float | None]


def trend(series: Series, palette: Palette, calendar: Calendar) -> go.Figure:
    """Thirteen weeks, last year's same weeks in grey, the target in amber, each named at its end."""
    days = [day for day, _ in series.shown]
    this_year = _points(series.shown, series)
    earlier = [(day, value) for day, (_, value) in zip(days, _points(series.last_year, series), strict=True)]
    target = [(day, None if cell is None or cell.target is None else float(cell.target)) for day, cell in series.shown]
    low, high = _range(this_year, earlier, target)
    aim = _line(
        target,
        palette.target,
        1.5,
        "target",
        [units.show(cell.target if cell else None, series.metric.unit, series.currency) for _, cell in series.shown],
    )
    aim["line"]["shape"] = "hvh"  # a target changes from one week to the next, it doesn't slope
    traces = [
        _line(earlier, palette.last_year, 2, "last year", [series.show(cell) for _, cell in series.last_year]),
        aim,
        *_this_year(series, this_year, palette),
    ]
    edge = [
        (this_year, palette.accent, "", 600),
        (earlier, palette.quiet, "last year ", 400),
        (target, palette.target, "target ", 400),
    ]
    inner = TREND_HEIGHT - 8 - 28
    first, last = days[0] - dt.timedelta(days=2), days[-1] + dt.timedelta(days=2)
    labels = _edge_labels(edge, last, -1, inner, low, high, series) + _edge_labels(edge[:2], first, 0, inner, low, high, series)
    traces.append(_texts(labels, 12))
    named = _every_fourth(days)
    return _figure(
        traces,
        palette,
        TREND_HEIGHT,
        margin={"l": 58, "r": 118, "t": 8, "b": 28},
        xaxis={
            **_bare(),
            "showticklabels": True,
            "tickvals": [day.isoformat() for day in named],
            "ticktext": [calendar.short_label(calendar.week(day), "week").replace("Week", "wk") for day in named],
            "tickfont": {"color": palette.quiet, "size": 11},
            "range": [first.isoformat(), last.isoformat()],
            "type": "date",
        },
        yaxis={**_bare(), "range": [low, high], "showgrid": True, "gridcolor": palette.line, "nticks": 4},
    )


def spark(series: Series, colour: str, ground: str, words: str) -> str:
    """The same weeks without axes, this week marked, as an image in HTML: six Plotly figures would take most of half a second.

    Args:
        ground: colour of the card, seen through the mark of a partial week.
        words: what it says, for those who don't see it.
    """
    points = _points(series.shown, series)
    low, high = _range(points)
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
    low, high = _range([(dt.date.min, value) for value in (*before, *now)])
    joins: list[float | None] = []
    levels: list[int | None] = []
    for place, then, value in zip(places, before, now, strict=True):
        if then is not None and value is not None:
            joins += [then, value, None]
            levels += [place, place, None]
    hairs = [bound for _ in places for bound in (low, high, None)]
    beside = [level for place in places for level in (place, place, None)]
    verdicts = {"better": palette.better, "worse": palette.worse, "neutral": palette.quiet}
    traces = [
        _stroke(hairs, beside, palette.line, 1),
        _stroke(joins, levels, palette.last_year, 2),
        _dots([row.before_text for row in shown], breakdown, before, palette.last_year, breakdown.earlier),
        _dots([row.now_text for row in shown], breakdown, now, palette.accent, "this week"),
        _columns(
            [
                (low, "middle left", [f"{_short(called(row.group[0]))}  " for row in shown], [palette.ink] * len(shown), 400),
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
        traces.insert(1, _stroke([aim, aim], [-0.5, len(shown) - 0.5], palette.target, 1.5, "dot"))
    return _figure(
        traces,
        palette,
        max(1, len(shown)) * ROW_HEIGHT + 8,
        {"l": 96, "r": 138, "t": 4, "b": 4},
        {"visible": False, "range": [low, high]},
        {"visible": False, "range": [len(shown) - 0.5, -0.5]},
    )


#: Where texts stand, on which side of it, the texts with their colours, and their weight.
Column = tuple[float, str, Sequence[str], Sequence[str], int]


def _columns(columns: Sequence[Column]) -> dict[str, Any]:
    """Words one below the other, a row each: in the margins, so many digits' widths from the plot's edge, however wide that is."""
    return _texts(
        [
            (edge, place, side, text, colour, weight)
            for edge, side, texts, colours, weight in columns
            for place, (text, colour) in enumerate(zip(texts, colours, strict=True))
        ],
        13,
    )


def _texts(texts: Sequence[tuple[Any, float, str, str, str, int]], size: int) -> dict[str, Any]:
    """One trace for all texts of a chart, each with x, y, its side, colour and weight: a browser draws it as fast as one of them."""
    x, y, sides, words, colours, weights = (list(column) for column in zip(*texts, strict=True)) if texts else ([] for _ in range(6))
    return {
        "type": "scatter",
        "mode": "text",
        "x": x,
        "y": y,
        "text": words,
        "textposition": sides,
        "textfont": {"size": size, "weight": weights, "color": colours},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }


def _this_year(series: Series, points: Sequence[Point], palette: Palette) -> list[dict[str, Any]]:
    """The accent line in whole weeks; into and out of a partial week it is dashed and the marker hollow."""
    cells = [cell for _, cell in series.shown]
    texts = [series.show(cell) for cell in cells]
    whole = [None if cell is None or cell.state == "partial" else value for (_, value), cell in zip(points, cells, strict=True)]
    traces = [_line([(day, value) for (day, _), value in zip(points, whole, strict=True)], palette.accent, 2.4, "this year", texts)]
    for (first, second), (cell, following) in zip(pairwise(points), pairwise(cells), strict=True):
        if "partial" in (cell.state if cell else "", following.state if following else ""):
            dashed = _line([first, second], palette.accent, 2, "", [])
            dashed["line"]["dash"] = "dot"
            traces.append({**dashed, "hoverinfo": "skip"})
    traces[0]["hoverinfo"] = "skip"
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": _x(points),
            "y": _y(points),
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


def _line(points: Sequence[Point], colour: str, width: float, name: str, texts: Sequence[units.Shown]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _x(points),
        "y": _y(points),
        "line": {"color": colour, "width": width},
        "text": [str(text) for text in texts],
        "hovertemplate": f"%{{text}}<extra>{name}</extra>",
        "connectgaps": False,
    }


def _stroke(x: Sequence[float | None], y: Sequence[float | None], colour: str, width: float, dash: str = "solid") -> dict[str, Any]:
    """Lines without words; a None lifts the pen."""
    line = {"color": colour, "width": width, "dash": dash}
    return {"type": "scatter", "mode": "lines", "x": list(x), "y": list(y), "line": line, "hoverinfo": "skip"}


def _dots(texts: Sequence[str], breakdown: Breakdown, values: Sequence[float | None], colour: str, name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(values),
        "y": list(range(len(values))),
        "marker": {"color": colour, "size": 11, "opacity": 1},
        "text": [f"{called(row.group[0])}: {text}" for row, text in zip(breakdown.rows, texts, strict=True)],
        "hovertemplate": f"%{{text}}<extra>{name}</extra>",
        "cliponaxis": False,
    }


def _edge_labels(
    lines: Sequence[tuple[Sequence[Point], str, str, int]], day: dt.date, place: int, height: int, low: float, high: float, series: Series
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
    tops = spread([label[0] for label in wanted], _LABEL_GAP, height)
    side = "middle right" if place else "middle left"
    return [
        (day.isoformat(), high - top / height * (high - low), side, text, colour, weight)
        for top, (_, colour, text, weight) in zip(tops, wanted, strict=True)
    ]


def spread(positions: Sequence[float], gap: float, height: float) -> list[float]:
    """Sorted positions moved as little as need be so that neighbours are ``gap`` apart and stay within ``height``."""
    moved = list(positions)
    for place in range(1, len(moved)):
        moved[place] = max(moved[place], moved[place - 1] + gap)
    if moved and moved[-1] > height:
        moved[-1] = height
        for place in reversed(range(len(moved) - 1)):
            moved[place] = min(moved[place], moved[place + 1] - gap)
    return moved


def _figure(
    traces: list[dict[str, Any]],
    palette: Palette,
    height: int,
    margin: dict[str, int],
    xaxis: dict[str, Any],
    yaxis: dict[str, Any],
) -> go.Figure:
    layout = {
        "datarevision": sha256(repr(traces).encode()).hexdigest(),
        "height": height,
        "margin": {**margin, "pad": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "font": {"family": FONT, "size": 12, "color": palette.ink},
        "hoverlabel": {"bgcolor": palette.soft, "bordercolor": palette.line, "font": {"family": FONT, "size": 12, "color": palette.ink}},
        "hovermode": "closest",
        "dragmode": False,
        "xaxis": {**xaxis, "fixedrange": True},
        "yaxis": {**yaxis, "fixedrange": True},
    }
    figure = go.Figure({"data": traces, "layout": layout}, skip_invalid=False)
    # Streamlit draws each figure twice, the second time from a copy. With a revision and without a template Plotly sees
    # that the copy says the same, and leaves the drawing alone.
    figure.layout.template = None
    return figure


def _bare() -> dict[str, Any]:
    return {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "showline": False}


def _points(cells: Sequence[tuple[dt.date, Cell | None]], series: Series) -> list[Point]:
    return [(day, None if cell is None or cell.value is None else float(cell.value)) for day, cell in cells]


def _x(points: Sequence[Point]) -> list[str]:
    return [day.isoformat() for day, _ in points]


def _y(points: Sequence[Point]) -> list[float | None]:
    return [value for _, value in points]


def _range(*lines: Sequence[Point]) -> tuple[float, float]:
    """From the lowest to the highest value with air on both sides; never empty, so that a flat line lies in the middle."""
    values = [value for line in lines for _, value in line if value is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    air = (high - low) * 0.12 or abs(high) * 0.05 or 1.0
    return low - air, high + air


def _every_fourth(days: Sequence[dt.date]) -> list[dt.date]:
    return [day for place, day in enumerate(days) if (len(days) - 1 - place) % 4 == 0]


def _short(text: str) -> str:
    return text if len(text) <= 14 else f"{text[:13]}…"
