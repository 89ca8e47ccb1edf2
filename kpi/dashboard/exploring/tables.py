"""What is seen, as HTML tables: a row a period and group, a pivot of two, a leaderboard. Each figure is a link to itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final
from urllib.parse import quote, urlencode

from kpi import units
from kpi.dashboard.cards import escape
from kpi.dashboard.exploring.look import Look, Point
from kpi.dashboard.exploring.plots import colour_of, drawing_value, text_of
from kpi.dashboard.exploring.seen import Group, Line, Seen, aim, change, known
from kpi.dashboard.theme import Mode, Palette
from kpi.metrics.groups import called
from kpi.metrics.model import Definitions, Metric
from kpi.metrics.result import Cell
from kpi.periods import Calendar, Period

#: Rows that a person reads at once.
MOST: Final = 300
_SPARK: Final = (120, 26)


def href(look: Look, north_star: str) -> str:
    """A link to a look; "&" is written out by whoever puts it into HTML."""
    return "?" + urlencode(look.parameters(north_star), doseq=True)


def table(seen: Seen, definitions: Definitions, palette: Palette) -> str:
    """A row for each period and group, newest first; metrics beside each other, with their change."""
    calendar = definitions.calendar
    names = list(seen.lines)
    groups = list(dict.fromkeys(line.group for lines in seen.lines.values() for line in lines))
    lines = {name: {line.group: line for line in seen.lines[name]} for name in names}
    head = ["Period", *(definitions.dimensions[name].label for name in seen.look.by)]
    tops = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    for name in names:
        tops += f'<th scope="col" class="number">{escape(titled(definitions.metrics[name], seen))}</th>'
        tops += f'<th scope="col" class="number">on {escape(seen.against)}</th>' if seen.against else ""
    body: list[str] = []
    for place in reversed(range(len(seen.periods))):
        for group in groups:
            if len(body) == MOST:
                break
            period = seen.periods[place]
            cells = [f'<th scope="row">{escape(calendar.label(period, seen.look.grain))}</th>']
            cells += [f"<td>{escape(called(value))}</td>" for value in group]
            for name in names:
                line = lines[name].get(group)
                cell = line.now[place] if line else None
                cells.append(f'<td class="number">{_linked(cell, line, seen, definitions, period.start)}</td>')
                if seen.against:
                    cells.append(_changed(cell, line.before[place] if line else None, definitions.metrics[name]))
            body.append(f"<tr>{''.join(cells)}</tr>")
    count = len(seen.periods) * len(groups)
    more = f'<p class="caption">The newest {MOST} of {count:,} rows; the download has all.</p>' if count > MOST else ""
    return (
        f'<div class="rows explored" tabindex="0"><table><thead><tr>{tops}</tr></thead><tbody>{"".join(body)}</tbody></table></div>{more}'
    )


def pivot(metric: str, seen: Seen, definitions: Definitions) -> str:
    """One dimension down, the other across, of the whole time; with one dimension, periods across."""
    lines = seen.lines[metric]
    calendar = definitions.calendar
    if len(seen.look.by) == 2:
        down = list(dict.fromkeys(line.group[0] for line in lines))
        across = list(dict.fromkeys(line.group[1] for line in lines))
        found = {line.group: line for line in lines}
        corner = definitions.dimensions[seen.look.by[0]].label
        head = [called(value) for value in across]
        rows = []
        for first in down:
            made = []
            for second in across:
                line = found.get((first, second))
                made.append(_linked(line.whole if line else None, line, seen, definitions, None))
            rows.append((called(first), made))
    else:
        corner = definitions.dimensions[seen.look.by[0]].label if seen.look.by else "Metric"
        head = [calendar.label(period, seen.look.grain) for period in seen.periods]
        rows = [
            (line.name, [_linked(cell, line, seen, definitions, period.start) for cell, period in zip(line.now, seen.periods, strict=True)])
            for line in lines
        ]
    tops = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    body = "".join(f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>' for name, cells in rows)
    return (
        f'<div class="grid explored" tabindex="0"><table><thead><tr><th scope="col">{escape(corner)}</th>{tops}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def leaderboard(metric: str, seen: Seen, definitions: Definitions, mode: Mode, palette: Palette) -> str:
    """Groups by their figure of the whole time: value, share where groups are parts of the whole, change, and its way there."""
    lines = seen.lines[metric]
    about = definitions.metrics[metric]
    total = seen.totals.get(metric)
    shares = seen.uneven[metric] is None and bool(seen.look.by) and total is not None and bool(total.value)
    label = " and ".join(definitions.dimensions[name].label for name in seen.look.by) or "Metric"
    head = [("", label), ("number", titled(about, seen)), *([("number", "share")] if shares else [])]
    head += [("number", f"on {seen.against}")] if seen.against else []
    tops = "".join(f'<th scope="col" class="{kind}">{escape(text)}</th>' for kind, text in (*head, ("", "over time")))
    ordered = sorted(lines, key=lambda line: (line.is_rest, -(drawing_value(line.whole) or 0.0), line.name))
    most = max((abs(drawing_value(line.whole) or 0.0) for line in lines if not line.is_rest), default=0.0)
    body = []
    for line in ordered:
        cells = [f'<th scope="row">{_narrowed(line, seen, definitions)}</th>']
        width = abs(drawing_value(line.whole) or 0.0) / most * 100 if most and not line.is_rest else 0
        bar = f'<i class="bar" style="width:{min(width, 100):.1f}%;background:{colour_of(line, mode, palette)}"></i>'
        cells.append(f'<td class="number value">{bar}{_linked(line.whole, line, seen, definitions, None)}</td>')
        if shares:
            cells.append(f'<td class="number">{escape(_share(line.whole, total))}</td>')
        if seen.against:
            cells.append(_changed(line.whole, _against(line, seen), about))
        cells.append(f"<td>{_spark(line, seen, colour_of(line, mode, palette), palette.panel)}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    if seen.look.by and total is not None:
        whole = Line(about, (), 0, (), (), total, None)
        cells = ['<th scope="row">All</th>', f'<td class="number">{_linked(total, whole, seen, definitions, None)}</td>']
        cells += ['<td class="number">100.0&nbsp;%</td>'] if shares else []
        cells += ["<td></td>"] * (1 + bool(seen.against))
        body.append(f'<tr class="total">{"".join(cells)}</tr>')
    return f'<div class="rows explored" tabindex="0"><table><thead><tr>{tops}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def titled(metric: Metric, seen: Seen) -> str:
    """A metric with its unit, as a heading."""
    unit = {"money": seen.currency, "percent": "%", "days": "days", "hours": "hours", "ratio": "×"}.get(metric.unit, "")
    return f"{metric.label}, {unit}" if unit else metric.label


def parts_and_whole(metric: str, seen: Seen) -> str | None:
    """What the groups come to where it isn't the figure of all, in a sentence."""
    if not seen.look.by:
        return None
    label = next((line.metric.label for line in seen.lines.get(metric, ())), metric)
    if seen.uneven.get(metric):
        return f"The groups of {label} don't add up to its total, because {seen.uneven[metric]}: there is no share and no stack."
    total = seen.totals.get(metric)
    values = [line.whole.value for line in seen.lines.get(metric, ()) if line.whole is not None and line.whole.value is not None]
    if total is None or total.value is None or not values:
        return None
    come_to = sum((units.exact(value) for value in values), Decimal(0))
    if come_to == units.exact(total.value):
        return None
    unit = next(line.metric.unit for line in seen.lines[metric])
    shown = [units.show_in_full(value, unit, seen.currency) for value in (come_to, total.value)]
    return f"The groups of {label} come to {shown[0]}, and all together to {shown[1]}: what one gains from another counts in each."


def _against(line: Line, seen: Seen) -> Cell | None:
    return aim(line.whole) if seen.look.versus is not None and seen.look.versus.kind == "target" else line.whole_before


def _share(cell: Cell | None, total: Cell | None) -> str:
    if cell is None or total is None or cell.value is None or not total.value:
        return "–"
    return str(units.show(units.exact(cell.value) / units.exact(total.value), "percent"))


def _changed(now: Cell | None, before: Cell | None, metric: Metric) -> str:
    found = change(now, before, metric.unit)
    if found is None:
        return '<td class="number quiet">–</td>'
    return f'<td class="number {found.verdict(metric.better)}">{escape(found.text)}</td>'


def _linked(cell: Cell | None, line: Line | None, seen: Seen, definitions: Definitions, period: dt.date | None) -> str:
    """A figure as a link to what stands behind it."""
    if cell is None or line is None:
        return "–"
    full = units.show_in_full(cell.value, line.metric.unit, seen.currency) if known(cell) else text_of(cell, line, seen)
    text = escape(full if not known(cell) or cell.state == "known" else f"{full} ({cell.state})")
    if not known(cell) or line.is_rest:
        return text
    to = replace(seen.look, point=Point(line.metric.name, period, line.group))
    return f'<a href="{escape(href(to, definitions.north_star))}">{text}</a>'


def _narrowed(line: Line, seen: Seen, definitions: Definitions) -> str:
    """A group's name as a link that filters by it."""
    name = escape(line.name)
    if line.is_rest or not seen.look.by:
        return name
    look = seen.look
    for dimension, value in zip(seen.look.by, line.group, strict=True):
        look = look.choose(dimension, (value,))
    return f'<a href="{escape(href(look, definitions.north_star))}">{name}</a>'


def _spark(line: Line, seen: Seen, colour: str, ground: str) -> str:
    """Its figures over time as a picture without axes."""
    values = [drawing_value(cell) for cell in line.now]
    there = [value for value in values if value is not None]
    if len(there) < 2:
        return ""
    width, height = _SPARK
    low, high = min(there), max(there)
    air = (high - low) or 1.0
    track, pen = "", False
    for place, value in enumerate(values):
        if value is None:
            pen = False
            continue
        track += f"{'L' if pen else 'M'}{place * width / max(1, len(values) - 1):.1f} {(high - value) / air * height:.1f}"
        pen = True
    path = f'<path d="{track}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-linejoin="round" stroke-linecap="round"/>'
    image = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-3 -3 {width + 6} {height + 6}">{path}</svg>'
    words = ", ".join(text_of(cell, line, seen) for cell in line.now)
    return f'<img class="tiny" alt="{escape(f"{line.name}, oldest first: {words}")}" src="data:image/svg+xml;utf8,{quote(image)}">'


def point_words(point: Point, seen: Seen, definitions: Definitions) -> tuple[str, Period]:
    """The figure that a point is, in words, and its days."""
    days = Period(seen.periods[0].start, seen.periods[-1].end)
    grain = seen.look.grain
    found = next((period for period in seen.periods if period.start == point.period), None)
    when = definitions.calendar.label(found, grain) if found else definitions.calendar.label(days, "all")
    names = [f"{definitions.dimensions[name].label} {called(value)}" for name, value in zip(seen.look.by, point.groups, strict=False)]
    return " · ".join([definitions.metrics[point.metric].label, *names, when]), found or days


def spoken(lines: Sequence[Line], seen: Seen, calendar: Calendar) -> str:
    """What a chart says, for those who don't see it."""
    first, last = seen.periods[0], seen.periods[-1]
    span = f"{calendar.label(first, seen.look.grain)} to {calendar.label(last, seen.look.grain)}"
    said = [f"{line.name}: {', '.join(text_of(cell, line, seen) for cell in line.now[-13:])}" for line in lines[:5]]
    return f"{span}, oldest first. {'. '.join(said)}"


def title(metric: str, seen: Seen, definitions: Definitions) -> str:
    """What a chart shows, said of its newest whole period: who is largest, or how it moved."""
    about, lines = definitions.metrics[metric], seen.lines[metric]
    shown = [line for line in lines if not line.is_rest and known(line.whole)]
    if seen.look.by and shown:
        largest = max(shown, key=lambda line: drawing_value(line.whole) or 0.0)
        return f"{largest.name} has the highest {_lower(about.label)}: {text_of(largest.whole, largest, seen)}"
    for line in lines:
        whole = [cell for cell in line.now if cell is not None and cell.state == "known" and cell.value is not None]
        moved = change(whole[-1], whole[0], about.unit) if len(whole) > 1 else None
        if moved is not None:
            verb = {1: "rose", -1: "fell", 0: "stood still"}[moved.direction]
            text = text_of(whole[-1], line, seen)
            return f"{about.label} {verb} to {text}" + (
                f", {moved.text} since {_when(whole[0], seen, definitions.calendar)}" if moved.direction else ""
            )
    return about.label


def _when(cell: Cell, seen: Seen, calendar: Calendar) -> str:
    return calendar.label(Period(cell.period, cell.end), seen.look.grain)


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def groups_by_name(lines: Mapping[str, Sequence[Line]]) -> dict[str, Group]:
    """Every group by its name, in the order of the charts."""
    return {line.name: line.group for found in lines.values() for line in found if not line.is_rest}
