"""The weekly review of one week: what it asks, what came of it, and what in it needs a look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from kpi.analysis.limits import said
from kpi.analysis.review import Part, Plan, Review, names, plan, questions, review
from kpi.dashboard import weekly
from kpi.dashboard.data import Answer, Desk
from kpi.dashboard.filters import Filters
from kpi.dashboard.sources import missing
from kpi.dashboard.theme import Palette
from kpi.dashboard.weekly import NONE, OPEN
from kpi.dashboard.wording import overruled, run_of_weeks
from kpi.metrics.model import Definitions, Query, Section
from kpi.records.closings import Closed
from kpi.records.notes import Notes


@dataclass(frozen=True)
class Reviewed:
    """The review of one week under one set of filters.

    Attributes:
        found: metric -> its review: the North Star, the drivers, and those of ``review:``.
        problems: metric -> why its week has no value, or not a whole one.
    """

    found: Mapping[str, Review]
    problems: Mapping[str, str]


def asked(definitions: Definitions, filters: Filters, week: dt.date) -> tuple[Plan, dict[Part, Query]]:
    """The days that it looks at, and a query a part, each of all its metrics."""
    made = plan(definitions.calendar.week(week), definitions.calendar)
    return made, questions(names(definitions), filters.where(), made, definitions.calendar)


def reviewed(desk: Desk, filters: Filters, week: dt.date) -> Reviewed:
    """Ask for all of it, side by side."""
    made, queries = asked(desk.definitions, filters, week)
    desk.expect(queries.values())
    answers = {part: desk.ask(query) for part, query in queries.items()}
    found, problems = {}, {}
    for name in names(desk.definitions):
        refused = next((answer.refused[name] for answer in answers.values() if name in answer.refused), None)
        results = {part: None if name in answer.refused else answer.result for part, answer in answers.items()}
        found[name] = review(desk.definitions.metrics[name], made, results, desk.definitions.calendar)
        problem = f"Not shown: {refused}." if refused is not None else _problem(found[name], answers["weeks"], desk)
        if problem is not None:
            problems[name] = problem
    return Reviewed(found, problems)


def _problem(found: Review, answer: Answer, desk: Desk) -> str | None:
    """Why the week's value is not whole and sure, in a sentence; None where it is, or is of too few."""
    name, cell = found.metric.name, found.week.cell
    if cell is not None and cell.state in ("known", "too few", "empty"):
        return None
    reason = None if answer.result is None or cell is None else answer.result.reason(name, cell.state)
    if reason is not None:
        text = f"{found.metric.label}{reason.removeprefix(name)}" if reason.startswith(f"{name} ") else reason
        return f"{text}."
    span = None if answer.result is None else answer.result.coverage.get(name)
    return missing(name, span, found.week.period.start, desk.definitions, desk.reader)


def section(of: Section, made: Reviewed, desk: Desk, colours: Palette, notes: Notes = NONE, closed: Closed = OPEN) -> str:
    """A section's panels as HTML, in the order of metrics.yaml."""
    panels = []
    for name in of.metrics:
        found, problem = made.found[name], made.problems.get(name)
        panels.append(weekly.panel(found, undrawn(found, problem), colours, desk.definitions.calendar, notes, closed))
    return weekly.grid(panels)


def undrawn(found: Review, problem: str | None) -> str | None:
    """Why there is nothing to draw; None where there is."""
    if any(point.cell is not None and point.cell.value is not None for point in (*found.weeks, *found.months)):
        return None
    return problem or "There is nothing to show for these weeks yet."


def exceptions(made: Reviewed, notes: Notes = NONE) -> list[dict[str, str]]:
    """What needs a look before the figures are used: not known or partial, a signal, off target; a line a metric.

    What an owner says against the chart stands beside what the chart says.
    """
    lines = []
    for name, found in made.found.items():
        cell, problem, signal, gap = found.week.cell, made.problems.get(name), found.chart.signal, found.off_target
        if cell is not None and cell.state == "not reached":  # an honest answer, and the same for months
            continue
        sentences = [problem.rstrip(".")] if problem is not None else []
        if signal is not None:
            sentences.append(said(signal))
        if gap is not None:
            side = "under" if gap.direction < 0 else "over"
            sentences.append(f"{gap.text.lstrip('+−')} {side} its target{run_of_weeks(found.weeks_off_target)}")
        owner = notes.verdict(name, *found.week.period)
        against = owner is not None and owner.said != ("noise" if signal is None else "signal")
        if owner is not None and (against or sentences):
            sentences.append(overruled(owner))
        if not sentences:
            continue
        if problem is not None:
            word, kind = ("partial" if cell is not None and cell.state == "partial" else "not known"), "partial"
        elif owner is not None and against and (signal is not None or gap is None):
            word, kind = owner.said, "neutral"
        elif signal is not None:
            word, kind = "signal", signal.verdict(found.metric.better)
        else:
            word, kind = "off target", "worse"
        lines.append(
            {"metric": found.metric.label, "owner": found.metric.owner, "sentence": "; ".join(sentences), "word": word, "kind": kind}
        )
    return lines
