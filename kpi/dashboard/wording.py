"""What is said of a figure, in words and tones, whatever it is written on: the page's HTML and the printed review say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from kpi import units
from kpi.analysis.limits import LEAST, said
from kpi.analysis.pace import Pace
from kpi.dashboard.series import SHOWN_WEEKS, WEEK, YEAR, Series
from kpi.periods import Calendar
from kpi.records.notes import Line

Tone = Literal["", "better", "worse", "neutral"]


class Part(NamedTuple):
    """A piece of a sentence.

    Attributes:
        tone: whether it is good news; empty for plain words. What has one is set bold.
        strong: bold without a tone.
    """

    text: str
    tone: Tone = ""
    strong: bool = False


def figure(series: Series) -> units.Shown:
    """The week's value; of too few cases there is none to show large."""
    now = series.now
    if now is not None and now.state == "too few":
        return units.Shown("", "Too few", "")
    return series.show(now)


def changes(series: Series, calendar: Calendar) -> list[list[Part]]:
    """``+1.1 % on week 45`` and ``−1.9 points on last year``, as far as they can be told."""
    week = calendar.short_label(calendar.week(series.week - WEEK), "week").lower()
    found = []
    for back, name in ((WEEK, week), (YEAR, "last year")):
        change = series.change_on(back)
        if change is not None:
            found.append([Part(change.text, change.verdict(series.metric.better)), Part(f" on {name}")])
    return found


def target(series: Series) -> list[Part]:
    """``Target for 2026: 62.0 %, 1.9 points under, week 3 in a row``; empty without one."""
    now = series.now
    if now is None or now.target is None:
        return []
    period = next(
        (target.period for target in series.metric.targets if target.value == now.target and target.start <= now.period < target.end), ""
    )
    words = f"Target{f' for {period}' if period else ''}: {units.show(now.target, series.metric.unit, series.currency)}"
    gap = series.off_target()
    if gap is None:
        return [Part(words)]
    if gap.direction == 0:
        return [Part(f"{words}, reached")]
    side = "under" if gap.direction < 0 else "over"
    amount = gap.text.lstrip("+" + units.MINUS)
    verdict = gap.verdict(series.metric.better)
    return [Part(f"{words}, "), Part(f"{amount} {side}", verdict), Part(run_of_weeks(series.weeks_off_target()))]


def pace(found: Pace, currency: str) -> list[Part]:
    """``57.6 % of 2026-Q4 is gone and 62.0 % of its target reached, 4.4 points ahead``; of ratios and stocks what can be said of them."""
    gone, name = units.show(found.gone, "percent"), found.target.period
    ahead, better = found.ahead, found.metric.better
    if found.nature == "throughout":
        value = units.show(found.cell.value, found.metric.unit, currency)
        start = Part(f"{name} to date: {value}, with {gone} of it gone")
        if ahead is None or ahead.direction == 0:
            return [start, Part("" if ahead is None else "; on its target")]
        side = "over" if ahead.direction > 0 else "under"
        return [start, Part("; "), Part(f"{ahead.text.lstrip('+' + units.MINUS)} {side} its target", ahead.verdict(better))]
    reached = units.show(found.reached, "percent")
    if found.nature == "stock":
        return [Part(f"{reached} of the target for the end of {name}, with {gone} of it gone")]
    start = Part(f"Pace: {reached} of the target for {name}, with {gone} of it gone")
    if ahead is None or ahead.direction == 0:
        return [start, Part("; on pace")]
    side = "more" if ahead.direction > 0 else "less"
    return [start, Part("; "), Part(f"{ahead.text.lstrip('+' + units.MINUS)} {side} than its share", ahead.verdict(better))]


def verdict(series: Series) -> list[Part]:
    """Signal or noise."""
    made, owner = series.chart, f" Owner: {series.metric.owner}." if series.metric.owner else ""
    if not made.judges:
        return [Part("Too early to tell signal from noise:", strong=True), Part(f" {made.known} of at least {LEAST} whole weeks.")]
    if made.signal is None:
        return [Part("Noise.", strong=True), Part(" Within the range that is normal for it: no single week of these asks for a cause.")]
    text = said(made.signal)
    return [
        Part("Signal.", made.signal.verdict(series.metric.better)),
        Part(f" {text[:1].upper() + text[1:]}: this is not noise.{owner}"),
    ]


def overruled(line: Line) -> str:
    """The owner's word over the chart's: ``Ann says noise: a bank holiday``."""
    return f"{line.author} says {line.said}: {' '.join(line.text.split())}"


def tone(parts: Sequence[Part]) -> Tone:
    """The first that any part has."""
    return next((part.tone for part in parts if part.tone), "")


def state_sentence(series: Series, calendar: Calendar) -> str | None:
    """Why a value is not whole and sure, where the page has no better reason; None where it is."""
    cell = series.now
    if cell is None:
        return "No data for this week."
    week = calendar.short_label(calendar.week(cell.period), "week").lower()
    needs = series.metric.needs
    least = f"fewer than {units.show(needs.at_least, 'number')}" if needs else "too few"
    return {
        "known": None,
        "partial": f"The data cover {week} in part, so it is not compared.",
        "unknown": f"Not known: no data reach {week}.",
        "empty": f"No value: {week} has nothing to divide by or to take an average of.",
        "uncounted": "Not known: two systems hold the same rows, and sources: in metrics.yaml doesn't say which one counts.",
        "unconverted": "Not known: a currency rate is missing.",
        "unallocated": "Not known: more than 5 % of its cost has no customer or product, also after allocation.",
        "not reached": "Not reached: too few have come so far for a day to be told.",
        "too few": f"{series.show(cell)}, but of {least} cases: don't judge by it.",
    }[cell.state]


def run_of_weeks(weeks: int) -> str:
    """``, week 3 in a row`` on the wrong side of the target; empty for the first."""
    if weeks == SHOWN_WEEKS:  # it may have begun before the weeks that are looked at
        return f", all {SHOWN_WEEKS} weeks"
    return f", week {weeks} in a row" if weeks > 1 else ""
