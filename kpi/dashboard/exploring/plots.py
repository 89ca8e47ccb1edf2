"""What is seen, as Plotly figures: lines, bars, stacked bars, a small chart for each group.

Every mark carries which figure it is, so that a click on it finds its way back: the place of its metric, of its period (-1: the whole
time) and of its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from kpi import units
from kpi.dashboard import drawing
from kpi.dashboard.cards import escape
from kpi.dashboard.charts import DIGIT_SPACE
from kpi.dashboard.exploring.seen import Line, Seen, known
from kpi.dashboard.series import COMPARABLE
from kpi.dashboard.theme import GROUP_WORDS, GROUPS, Mode, Palette
from kpi.metrics.result import Cell
from kpi.periods import Calendar

#: Only the button that saves the picture; it is made in the reader's own browser.
CONFIG: Final[dict[str, Any]] = {
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"format": "png", "filename": "north-star", "scale": 2},
    "scrollZoom": False,
    "doubleClick": False,
    "showTips": False,
}
HEIGHT: Final = 340
_SMALL: Final = 132
#: Small charts beside each other.
_COLUMNS: Final = 3
_GAP: Final = 15
_NAME: Final = 20
#: What bars say, they say under the pointer: Plotly would write it on them, as small as it fits.
_SILENT: Final = {"textposition": "none"}
#: Labels under an axis.
_TICKS: Final = 8


def chart(metric: str, seen: Seen, mode: Mode, palette: Palette, calendar: Calendar) -> go.Figure:
    """A metric's chart, as the look says."""
    lines = seen.lines[metric]
    if seen.look.each and seen.look.by:
        return _each(metric, lines, seen, mode, palette, calendar)
    if seen.look.grain == "all":
        return _ranked(metric, lines, seen, mode, palette)
    return (
        _bars(metric, lines, seen, mode, palette, calendar)
        if seen.look.form != "line"
        else _line(metric, lines, seen, mode, palette, calendar)
    )


def colour_of(line: Line, mode: Mode, palette: Palette) -> str:
    """A group's colour, the same in every chart."""
    return palette.last_year if line.is_rest else GROUPS[mode][line.place % len(GROUPS[mode])]


def _words_of(line: Line, mode: Mode, palette: Palette) -> str:
    """The colour of a group's name: its own, as far as small words can be read in it."""
    return palette.quiet if line.is_rest else GROUP_WORDS[mode][line.place % len(GROUP_WORDS[mode])]


def key(lines: Sequence[Line], seen: Seen, mode: Mode, palette: Palette) -> str:
    """Which colour is whose, as HTML, where no line's end says it."""
    if seen.look.form not in ("bars", "stacked") or seen.look.grain == "all" or seen.look.each:
        return ""
    named = [(colour_of(line, mode, palette), line.name) for line in lines]
    if len(lines) == 1 and any(map(known, lines[0].before)):
        named.append((palette.last_year, seen.against))
    if len(named) < 2:
        return ""
    return (
        f'<p class="caption key">{"".join(f"<span><i style=background:{colour}></i>{escape(name)}</span>" for colour, name in named)}</p>'
    )


def text_of(cell: Cell | None, line: Line, seen: Seen) -> str:
    """A value for a label: a gap is a dash, what isn't whole and sure says so."""
    if cell is None or cell.value is None:
        return "–" if cell is None or cell.state in COMPARABLE else f"– ({cell.state})"
    shown = str(units.show(cell.value, line.metric.unit, seen.currency))
    return shown if cell.state in COMPARABLE else f"{shown} ({cell.state})"


def _line(metric: str, lines: Sequence[Line], seen: Seen, mode: Mode, palette: Palette, calendar: Calendar) -> go.Figure:
    traces: list[dict[str, Any]] = []
    for line in lines:
        traces += _traces(metric, line, seen, mode, palette, calendar, alone=len(lines) == 1)
    low, high = _reach(lines, zero=False)
    ends = _ends(lines, seen, mode, palette, low, high)
    traces.append(drawing.texts(ends, 12))
    right = 26 + 7 * max((len(text) for *_, text, _, _ in ends), default=6)
    return _figure(traces, seen, palette, lines, (low, high), {"l": 58, "r": right, "t": 10, "b": 30}, calendar)


def _traces(metric: str, line: Line, seen: Seen, mode: Mode, palette: Palette, calendar: Calendar, alone: bool) -> list[dict[str, Any]]:
    """What it is compared with, then the line itself: hollow where it isn't whole, broken where nothing is known."""
    colour = colour_of(line, mode, palette)
    x = _x(seen)
    traces: list[dict[str, Any]] = []
    if any(map(known, line.before)):
        target = seen.look.versus is not None and seen.look.versus.kind == "target"
        beside = palette.target if target else palette.last_year if alone else colour
        shape: dict[str, Any] = {"color": beside, "width": 1.6 if target else 2, "dash": "solid" if alone else "dot"} | (
            {"shape": "hvh"} if target else {}
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": _y(line.before),
                "line": shape,
                "opacity": 1 if alone else 0.6,
                "text": [text_of(cell, line, seen) for cell in line.before],
                "hovertemplate": f"%{{text}}<extra>{drawing.plain(line.name)}, {drawing.plain(seen.against)}</extra>",
            }
        )
    sure = [cell is not None and cell.state in COMPARABLE for cell in line.now]
    whole = [value if good else None for value, good in zip(_y(line.now), sure, strict=True)]
    traces.append({"type": "scatter", "mode": "lines", "x": x, "y": whole, "line": {"color": colour, "width": 2.4}, "hoverinfo": "skip"})
    for place in range(1, len(x)):
        if not (sure[place - 1] and sure[place]) and known(line.now[place - 1]) and known(line.now[place]):
            y = _y(line.now[place - 1 : place + 1])
            dotted = {"color": colour, "width": 2, "dash": "dot"}
            traces.append({"type": "scatter", "mode": "lines", "x": x[place - 1 : place + 1], "y": y, "line": dotted, "hoverinfo": "skip"})
    size = 7 if len(x) <= 60 else 4
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": x,
            "y": _y(line.now),
            "marker": {
                "size": size,
                "color": [colour if good else palette.panel for good in sure],
                "line": {"color": colour, "width": 1.6},
                "opacity": 1,
            },
            **_said(metric, line, seen, calendar),
            "cliponaxis": False,
        }
    )
    return traces


def _said(metric: str, line: Line, seen: Seen, calendar: Calendar) -> dict[str, Any]:
    """What a mark says under the pointer, and which figure it is."""
    at = seen.look.metrics.index(metric)
    words = [
        f"{calendar.label(period, seen.look.grain)}: {text_of(cell, line, seen)}"
        for period, cell in zip(seen.periods, line.now, strict=True)
    ]
    return {
        "text": words,
        "hovertemplate": f"%{{text}}<extra>{drawing.plain(line.name)}</extra>",
        "customdata": [[at, place, line.place] for place in range(len(words))],
    }


def _bars(metric: str, lines: Sequence[Line], seen: Seen, mode: Mode, palette: Palette, calendar: Calendar) -> go.Figure:
    stacked = seen.look.form == "stacked"
    traces: list[dict[str, Any]] = []
    for line in lines:
        colour = colour_of(line, mode, palette)
        if not stacked and len(lines) == 1 and any(map(known, line.before)):
            hover = {
                "text": [text_of(cell, line, seen) for cell in line.before],
                "hovertemplate": f"%{{text}}<extra>{drawing.plain(seen.against)}</extra>",
            }
            traces.append(
                {
                    "type": "bar",
                    "x": _x(seen),
                    "y": _y(line.before),
                    "marker": {"color": palette.last_year, "line": {"width": 0}},
                    **_SILENT,
                    **hover,
                }
            )
        sure = [cell is not None and cell.state in COMPARABLE for cell in line.now]
        marker = {
            "color": [colour if good else palette.panel for good in sure],
            "line": {"color": colour, "width": [0 if good else 1.6 for good in sure]},
        }
        traces.append({"type": "bar", "x": _x(seen), "y": _y(line.now), "marker": marker, **_SILENT, **_said(metric, line, seen, calendar)})
    low, high = _reach(lines, zero=True)
    if stacked:
        tops = [
            sum(max(value, 0) for value in column if value is not None) for column in zip(*(_y(line.now) for line in lines), strict=True)
        ]
        feet = [
            sum(min(value, 0) for value in column if value is not None) for column in zip(*(_y(line.now) for line in lines), strict=True)
        ]
        low, high = min([0.0, *feet]) * 1.06, max([0.0, *tops]) * 1.06 or 1.0
    figure = _figure(traces, seen, palette, lines, (low, high), {"l": 58, "r": 16, "t": 10, "b": 30}, calendar)
    figure.layout.barmode = "relative" if stacked else "group"
    figure.layout.bargap = 0.28
    return figure


def _ranked(metric: str, lines: Sequence[Line], seen: Seen, mode: Mode, palette: Palette) -> go.Figure:
    """A bar a group, of the whole time."""
    at = seen.look.metrics.index(metric)
    values = [drawing_value(line.whole) for line in lines]
    names = [f"{_short(line.name)}  " for line in lines]
    places = list(range(len(lines)))
    low, high = min([0.0, *(value for value in values if value is not None)]), max([0.0, *(value for value in values if value is not None)])
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": places,
        "marker": {"color": [colour_of(line, mode, palette) for line in lines], "line": {"width": 0}},
        "text": [drawing.plain(text_of(line.whole, line, seen)) for line in lines],
        "textposition": "outside",
        "cliponaxis": False,
        "textfont": {"color": palette.ink, "size": 12},
        "hovertext": [drawing.plain(line.name) for line in lines],
        "hovertemplate": "%{text}<extra>%{hovertext}</extra>",
        "customdata": [[at, -1, line.place] for line in lines],
    }
    axis = {
        **drawing.bare(),
        "showticklabels": True,
        "tickvals": places,
        "ticktext": [drawing.plain(name) for name in names],
        "range": [len(lines) - 0.4, -0.6],
    }
    left = 24 + 7 * max((len(name) for name in names), default=6)
    figure = drawing.figure(
        [trace],
        palette,
        max(2, len(lines)) * 34 + 16,
        {"l": left, "r": 96, "t": 4, "b": 4},
        {"visible": False, "range": [low, high or 1.0]},
        axis,
    )
    figure.layout.bargap = 0.35
    return figure


def _each(metric: str, lines: Sequence[Line], seen: Seen, mode: Mode, palette: Palette, calendar: Calendar) -> go.Figure:
    """A small chart for each group, all on one scale."""
    low, high = _reach(lines, zero=seen.look.form != "line")
    rows = -(-len(lines) // _COLUMNS)
    height = rows * _SMALL + 20
    traces: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    for place, line in enumerate(lines):
        column, row = place % _COLUMNS, place // _COLUMNS
        suffix = "" if place == 0 else str(place + 1)
        top = 1 - row * _SMALL / height - 24 / height
        foot = max(0.0, top - (_SMALL - 46) / height)
        left = column / _COLUMNS + 0.01
        axes[f"xaxis{suffix}"] = {
            **drawing.bare(),
            "domain": [left, left + 1 / _COLUMNS - 0.035],
            "anchor": f"y{suffix}",
            "fixedrange": True,
            "type": "date",
        }
        axes[f"yaxis{suffix}"] = {
            **drawing.bare(),
            "domain": [foot, top],
            "anchor": f"x{suffix}",
            "range": [low, high],
            "fixedrange": True,
            "showgrid": True,
            "gridcolor": palette.line,
            "nticks": 3,
        }
        own = _traces(metric, line, seen, mode, palette, calendar, alone=True)
        last = next((cell for cell in reversed(line.now) if known(cell)), None)
        words = f"<b>{drawing.plain(_short(line.name))}</b>{DIGIT_SPACE}{drawing.plain(text_of(last, line, seen))}"
        title = drawing.texts([(_x(seen)[0], high, "top right", words, palette.ink, 400)], 12)
        traces += [{**trace, "xaxis": f"x{suffix}", "yaxis": f"y{suffix}"} for trace in (*own, title)]
    base = {"l": 8, "r": 8, "t": 4, "b": 4}
    figure = drawing.figure(traces, palette, height, base, axes.pop("xaxis"), axes.pop("yaxis"))
    figure.layout.update(axes)
    return figure


def _figure(
    traces: list[dict[str, Any]],
    seen: Seen,
    palette: Palette,
    lines: Sequence[Line],
    reach: tuple[float, float],
    margin: dict[str, int],
    calendar: Calendar,
) -> go.Figure:
    step = max(1, -(-len(seen.periods) // _TICKS))
    named = [period for place, period in enumerate(seen.periods) if (len(seen.periods) - 1 - place) % step == 0]
    years = len({period.start.year for period in seen.periods}) > 1
    ticks = [calendar.short_label(period, seen.look.grain).replace("Week", "wk") for period in named]
    if years and seen.look.grain in ("week", "month", "quarter", "day"):
        ticks = [f"{tick} {str(period.start.year)[2:]}" for tick, period in zip(ticks, named, strict=True)]
    unit = lines[0].metric.unit if lines else "number"
    sign = {"percent": ".0%", "money": "~s"}.get(unit, "~s" if reach[1] >= 10_000 else "")
    return drawing.figure(
        traces,
        palette,
        HEIGHT,
        margin,
        {
            **drawing.bare(),
            "type": "category" if any(trace["type"] == "bar" for trace in traces) else "date",
            "showticklabels": True,
            "tickvals": [period.start.isoformat() for period in named],
            "ticktext": ticks,
            "tickfont": {"color": palette.quiet, "size": 11},
            "tickangle": 0,
        },
        {
            **drawing.bare(),
            "showticklabels": True,
            "tickfont": {"color": palette.quiet, "size": 11},
            "tickformat": sign,
            "range": list(reach),
            "showgrid": True,
            "gridcolor": palette.line,
            "nticks": 5,
            "zeroline": reach[0] < 0 < reach[1],
            "zerolinecolor": palette.last_year,
        },
    )


def _ends(
    lines: Sequence[Line], seen: Seen, mode: Mode, palette: Palette, low: float, high: float
) -> list[tuple[Any, float, str, str, str, int]]:
    """Each line's name and last value at its end, moved apart where they would touch."""
    inner = HEIGHT - 40
    wanted = []
    for line in lines:
        place = next((at for at in reversed(range(len(line.now))) if known(line.now[at])), None)
        if place is None:
            continue
        value = drawing_value(line.now[place])
        text = drawing.plain(text_of(line.now[place], line, seen).partition(" (")[0])
        name = f"{drawing.plain(_short(line.name))} {text}" if line.group else text
        wanted.append(((high - (value or 0.0)) / (high - low) * inner, name, _words_of(line, mode, palette)))
    wanted.sort(key=lambda one: one[0])
    tops = drawing.spread([one[0] for one in wanted], _GAP, inner)
    last = _x(seen)[-1]
    return [
        (last, high - top / inner * (high - low), "middle right", DIGIT_SPACE * 2 + name, colour, 600 if len(lines) == 1 else 500)
        for top, (_, name, colour) in zip(tops, wanted, strict=True)
    ]


def _reach(lines: Sequence[Line], zero: bool) -> tuple[float, float]:
    values = [value for line in lines for value in (*_y(line.now), *_y(line.before)) if value is not None]
    if zero:
        return min([0.0, *values]) * 1.06, max([0.0, *values]) * 1.06 or 1.0
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    air = (high - low) * 0.12 or abs(high) * 0.05 or 1.0
    return low - air, high + air


def _x(seen: Seen) -> list[str]:
    return [period.start.isoformat() for period in seen.periods]


def _y(cells: Sequence[Cell | None]) -> list[float | None]:
    return [drawing_value(cell) for cell in cells]


def drawing_value(cell: Cell | None) -> float | None:
    """A value for drawing."""
    return None if cell is None or cell.value is None else float(cell.value)


def _short(text: str) -> str:
    return text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"
