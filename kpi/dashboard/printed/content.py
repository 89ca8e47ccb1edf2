"""What is printed, as plain values: every text as the page words it, every chart as shares of its plot.

The template (review.typ) only sets it: it computes no figure and formats none, and takes no text for markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from kpi.dashboard import cards, reviewing, weekly, wording
from kpi.dashboard.breakdown import Breakdown, headline, pairs
from kpi.dashboard.filters import Filters
from kpi.dashboard.looking import Look, drawable
from kpi.dashboard.marks import marks
from kpi.dashboard.printed import shares
from kpi.dashboard.remarks import when
from kpi.dashboard.reviewing import Reviewed
from kpi.dashboard.sources import day
from kpi.dashboard.weekly import NONE
from kpi.metrics.groups import called
from kpi.metrics.model import Definitions
from kpi.periods import Period, span_label
from kpi.records.notes import Notes

Content = dict[str, Any]


#: Comments and events on paper; more stand on the page.
MOST_SAID: Final = 8


def content(look: Look, notes: Notes = NONE) -> Content:
    """Both pages; ``notes``: what people wrote beside the figures."""
    made = look.reviewed()
    period = look.definitions.calendar.week(look.week)
    through, answer = look.frame.through, look.answer.result
    return {
        "palette": asdict(look.colours),
        "week": look.definitions.calendar.short_label(period, "week"),
        "span": span_label(period),
        "filters": said_filters(look.filters, look.definitions),
        "fresh": f"Data complete to {day(through)}" if through else "No data yet",
        "star": _star(look, notes),
        "drivers": [_driver(name, look) for name in look.frame.metrics if name != look.definitions.north_star],
        "exceptions": reviewing.exceptions(made, notes),
        "notes": look.notes(),
        **_groups(look),
        "panels": _panels(made, look, notes),
        "comments": _comments(made, look, notes),
        "events": _events(made, look, notes),
        "stamp": "" if answer is None else f"Generation {answer.generation} of the warehouse, definitions {answer.definitions[:12]}",
    }


def said_filters(filters: Filters, definitions: Definitions) -> str:
    """``Segment: SMB or Enterprise``; empty without any."""
    return "; ".join(
        f"{definitions.dimensions[name].label}: {' or '.join(called(value) for value in values)}"
        for name, values in filters.chosen.items()
        if values
    )


def _star(look: Look, notes: Notes) -> Content:
    name = look.definitions.north_star
    series, calendar = look.series[name], look.definitions.calendar
    shown, note, verdict = wording.figure(series), _note(name, look), wording.verdict(series)
    period = calendar.week(look.week)
    owner = notes.verdict(name, *period)
    events = marks(notes, name, Period(series.shown[0][0], period.end))
    return {
        "label": series.metric.label,
        "figure": [shown.before, shown.digits, shown.after],
        "changes": [_parts(change) for change in wording.changes(series, calendar)],
        "target": _parts(wording.target(series)),
        "note": note,
        "verdict": None if note else {"parts": _parts(verdict), "tone": wording.tone(verdict)},
        "overruled": None if owner is None or note else wording.overruled(owner),
        "trend": shares.trend(series, calendar, events) if drawable(series) else None,
    }


def _driver(name: str, look: Look) -> Content:
    series, calendar = look.series[name], look.definitions.calendar
    return {
        "label": series.metric.label,
        "figure": str(wording.figure(series)),
        "changes": [_parts(change) for change in wording.changes(series, calendar)],
        "target": _parts(wording.target(series)),
        "note": _note(name, look),
        "worse": cards.card_verdict(series) == "worse",
        "spark": shares.spark(series) if drawable(series) else None,
    }


def _note(name: str, look: Look) -> str | None:
    return look.problem(name) or wording.state_sentence(look.series[name], look.definitions.calendar)


def _groups(look: Look) -> Content:
    """The North Star by each of its dimensions, and where the two meet."""
    star = look.definitions.metrics[look.definitions.north_star]
    found: list[Content] = []
    sound: list[Breakdown] = []
    for name in look.dimensions:
        breakdown, answer = look.breakdown((name,))
        label = f"{star.label} by {look.definitions.dimensions[name].label.lower()}"
        if breakdown is None or not breakdown.rows:
            reason = answer.refused.get(star.name) or look.problem(star.name) or "There is nothing to show for this week."
            found.append({"label": label, "title": "", "earlier": "", "note": reason, "rows": []})
            continue
        sound.append(breakdown)
        earlier = breakdown.earlier + (", changes in points" if star.unit == "percent" and breakdown.earlier else "")
        found.append({"label": label, "title": breakdown.title(), "earlier": earlier, "note": None, "rows": shares.rows(breakdown)})
    return {"headline": headline(sound) if sound else star.label, "groups": found, "meeting": _meeting(look)}


def _meeting(look: Look) -> Content | None:
    if len(look.dimensions) != 2:
        return None
    breakdown, _ = look.breakdown(tuple(look.dimensions))
    if breakdown is None or not breakdown.rows:
        return None
    first, second, cells = pairs(breakdown)
    lines = []
    for line in first:
        row = [cells.get((line, column)) for column in second]
        lines.append(
            {
                "name": called(line),
                "cells": [
                    None
                    if cell is None
                    else {"text": cell.now_text, "change": cell.change_text, "tone": cell.verdict, "worst": cell is breakdown.worst}
                    for cell in row
                ],
            }
        )
    corner = look.definitions.dimensions[look.dimensions[0]].label
    return {"title": breakdown.title(), "corner": corner, "columns": [called(column) for column in second], "lines": lines}


def _comments(made: Reviewed, look: Look, notes: Notes) -> list[Content]:
    """Of the week, the latest of each metric, in the order of the review."""
    calendar = look.definitions.calendar
    return [
        {"metric": found.metric.label, "author": line.author, "when": when(line, calendar), "text": " ".join(line.text.split())}
        for name, found in made.found.items()
        for line in notes.comments(name, *calendar.week(look.week))[-2:]
    ][:MOST_SAID]


def _events(made: Reviewed, look: Look, notes: Notes) -> list[Content]:
    """Of the twelve months, each once, the latest last."""
    found: dict[tuple[str, str], Period] = {}
    for name, one in made.found.items():
        for mark in marks(notes, name, Period(one.months[0].period.start, one.week.period.end)):
            found[mark.name, mark.when] = mark.days
    return [{"name": name, "when": days} for (name, days), _ in sorted(found.items(), key=lambda item: item[1])][-MOST_SAID:]


def _panels(made: Reviewed, look: Look, notes: Notes) -> list[Content]:
    """In the order of metrics.yaml; the first of a section bears its title."""
    calendar = look.definitions.calendar
    panels = []
    for section in look.definitions.review:
        for place, name in enumerate(section.metrics):
            found = made.found[name]
            why = reviewing.undrawn(found, made.problems.get(name))
            events = marks(notes, name, Period(found.months[0].period.start, found.week.period.end))
            panels.append(
                {
                    "section": "" if place else section.title,
                    "label": found.metric.label,
                    "owner": found.metric.owner,
                    "problem": why,
                    "plot": None if why else shares.panel(found, calendar, events),
                    "box": [
                        {
                            "head": weekly.HEAD[boxed.name],
                            "figure": weekly.figure(boxed, found),
                            "changes": [
                                [weekly.short(change), "quiet" if change is None else change.verdict(found.metric.better)]
                                for change in (boxed.on_year, boxed.on_week)
                            ],
                        }
                        for boxed in found.box
                    ],
                }
            )
    return panels


def _parts(parts: Sequence[wording.Part]) -> list[Content]:
    return [{"text": part.text, "tone": part.tone, "strong": part.strong or bool(part.tone)} for part in parts]
