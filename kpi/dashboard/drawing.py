"""What charts are drawn of: lines, texts, the room they take, and the figure around them.

All are plain dictionaries until the end: validating each property takes ten times as long as drawing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from typing import Any

import plotly.graph_objects as go

from kpi import units
from kpi.analysis.limits import Limits
from kpi.dashboard.theme import FONT, Palette

Point = tuple[dt.date, float | None]

#: Where texts stand, on which side of it, the texts with their colours, and their weight.
Column = tuple[float, str, Sequence[str], Sequence[str], int]


def columns(wanted: Sequence[Column]) -> dict[str, Any]:
    """Words one below the other, a row each: in the margins, so many digits' widths from the plot's edge, however wide that is."""
    return texts(
        [
            (edge, place, side, text, colour, weight)
            for edge, side, words, colours, weight in wanted
            for place, (text, colour) in enumerate(zip(words, colours, strict=True))
        ],
        13,
    )


def texts(wanted: Sequence[tuple[Any, float, str, str, str, int]], size: int) -> dict[str, Any]:
    """One trace for all texts of a chart, each with x, y, its side, colour and weight: a browser draws it as fast as one of them."""
    x, y, sides, words, colours, weights = (list(column) for column in zip(*wanted, strict=True)) if wanted else ([] for _ in range(6))
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


def line(points: Sequence[Point], colour: str, width: float, name: str, shown: Sequence[units.Shown]) -> dict[str, Any]:
    """A line through points, broken where a value is missing, with a text for each."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": days_of(points),
        "y": values_of(points),
        "line": {"color": colour, "width": width},
        "text": [str(text) for text in shown],
        "hovertemplate": f"%{{text}}<extra>{name}</extra>",
        "connectgaps": False,
    }


def stroke(x: Sequence[float | None], y: Sequence[float | None], colour: str, width: float, dash: str = "solid") -> dict[str, Any]:
    """Lines without words; a None lifts the pen."""
    line = {"color": colour, "width": width, "dash": dash}
    return {"type": "scatter", "mode": "lines", "x": list(x), "y": list(y), "line": line, "hoverinfo": "skip"}


def band(first: dt.date, last: dt.date, limits: Limits, palette: Palette) -> list[dict[str, Any]]:
    """The range that is normal, and its middle as a dotted line."""
    days = [first.isoformat(), last.isoformat()]
    low, mean, high = (float(value) for value in (limits.low, limits.mean, limits.high))
    quiet = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    return [
        {
            **quiet,
            "x": [*days, *reversed(days)],
            "y": [low, low, high, high],
            "fill": "toself",
            "fillcolor": palette.soft,
            "line": {"width": 0},
        },
        {**quiet, "x": days, "y": [mean, mean], "line": {"color": palette.last_year, "width": 1, "dash": "dot"}},
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


def figure(
    traces: list[dict[str, Any]],
    palette: Palette,
    height: int,
    margin: dict[str, int],
    xaxis: dict[str, Any],
    yaxis: dict[str, Any],
) -> go.Figure:
    """The figure of some traces, which a browser doesn't draw twice."""
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
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": palette.quiet, "activecolor": palette.ink},
        "xaxis": {**xaxis, "fixedrange": True},
        "yaxis": {**yaxis, "fixedrange": True},
    }
    figure = go.Figure({"data": traces, "layout": layout}, skip_invalid=False)
    # Streamlit draws each figure twice, the second time from a copy. With a revision and without a template Plotly sees
    # that the copy says the same, and leaves the drawing alone.
    figure.layout.template = None
    return figure


def bare() -> dict[str, Any]:
    """An axis without anything."""
    return {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "showline": False}


def days_of(points: Sequence[Point]) -> list[str]:
    """Days as Plotly takes them."""
    return [day.isoformat() for day, _ in points]


def values_of(points: Sequence[Point]) -> list[float | None]:
    """Their values."""
    return [value for _, value in points]


def reach(*lines: Sequence[Point]) -> tuple[float, float]:
    """From the lowest to the highest value with air on both sides; never empty, so that a flat line lies in the middle."""
    return within(*(values_of(line) for line in lines))


def within(*lines: Sequence[float | None]) -> tuple[float, float]:
    """The same of values without days."""
    values = [value for line in lines for value in line if value is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    air = (high - low) * 0.12 or abs(high) * 0.05 or 1.0
    return low - air, high + air


def plain(text: str) -> str:
    """Somebody's text, of which Plotly would take tags such as <b> for its own."""
    return escape(text, quote=False)
