"""A comparison in words, the same on the page and in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kpi import units
from kpi.analysis.comparing import Comparison, Difference, Group, Week
from kpi.metrics.changes import Retargeted, Said
from kpi.metrics.groups import called
from kpi.metrics.result import Cell
from kpi.periods import span_label

#: What stands where nothing was written.
_NOTHING: Final = "nothing"
_SECTIONS: Final = {
    "north_star": "the North Star",
    "drivers": "the cards",
    "review": "the weekly review",
    "currency": "the currency",
    "calendar": "the calendar",
    "sources": "which system counts",
    "tables": "tables of others",
    "costs": "ledger account",
    "products": "product",
}


def heading(one: Difference) -> str:
    """``Recognised revenue: its where``; what it is that touches a metric."""
    because = ", ".join(one.touched.because)
    words = {
        "added": "a new metric",
        "removed": "taken away",
        "changed": f"its own definition: {because}",
        "through": f"through {because}",
    }
    return f"{one.metric.label}: {words[one.touched.how]}"


def summary(one: Difference) -> str:
    """What a reader asks first: in how many of the weeks, and whether of closed ones."""
    if one.refused:
        return f"No figures: {one.refused}"
    if not one.weeks:
        return "No whole week of data yet." if not one.groups else "The total stays; its groups move."
    count, of = len(one.differs), len(one.weeks)
    if one.touched.how in ("added", "removed"):
        return "What the weeks show with it." if one.touched.how == "added" else "What the weeks showed with it."
    if not count:
        return f"No figure of the last {of} weeks moves." + (" Its groups do." if one.groups else "")
    restated = len(one.restates)
    closed = f"; {restated} of them {'is' if restated == 1 else 'are'} closed and would be restated" if restated else ""
    return f"{count} of the last {of} weeks {'moves' if count == 1 else 'move'}{closed}."


def weeks(one: Difference, comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of weeks, the last one first; with a column of what was shown where weeks are closed."""
    closed = any(week.closed for week in one.weeks)
    head = ["week", *(["as it was closed"] if closed else []), "as it is", "as it would be", "change"]
    calendar = comparison.before.calendar
    rows = []
    for week in reversed(one.weeks):
        shown = [units.show_in_full(week.shown, one.metric.unit, comparison.currencies[0]) if week.closed else ""] if closed else []
        label = f"{calendar.short_label(week.period, 'week')} · {span_label(week.period)}"
        was, now = value(week.before, one, comparison, 0), value(week.after, one, comparison, 1)
        rows.append([label, *shown, was, now, _changed(week, one, comparison)])
    return head, rows


def groups(one: Difference, comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of groups, over all the weeks."""
    rows = [
        [
            f"{comparison.after.dimensions[group.dimension].label}: {called(group.value)}",
            value(group.before, one, comparison, 0),
            value(group.after, one, comparison, 1),
            _changed(group, one, comparison),
        ]
        for group in one.groups
    ]
    return ["over these weeks", "as it is", "as it would be", "change"], rows


def value(cell: Cell | None, one: Difference, comparison: Comparison, side: int) -> str:
    """A figure with its unit, and why it is as it is."""
    if cell is None:
        return units.NOTHING
    metric = (comparison.before.metrics if side == 0 else comparison.after.metrics).get(one.touched.name, one.metric)
    shown = units.show_in_full(cell.value, metric.unit, comparison.currencies[side])
    return shown if cell.state == "known" else f"{shown} ({cell.state})"


def others(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    """What else differs, by its heading: targets, what is applied at publishing, the pages, words."""
    said = comparison.changes
    if said.dimensions:
        yield "Dimensions", [f"{name}: {how}" for name, how in said.dimensions]
    if said.targets:
        yield "Targets", [target(one, comparison) for one in said.targets]
    if said.applied:
        yield "Applied when data are published", [sentence(one) for one in said.applied]
    if said.sections:
        yield "Pages and counting", [sentence(one) for one in said.sections]
    if said.words:
        yield "Words", [sentence(one) for one in said.words]


def target(one: Retargeted, comparison: Comparison) -> str:
    """``product_margin, 2026: 66.0 % → 67.0 %``."""
    was = units.show_in_full(one.before, one.unit, comparison.currencies[0]) if one.before is not None else "none"
    now = units.show_in_full(one.after, one.unit, comparison.currencies[1]) if one.after is not None else "none"
    return f"{one.metric}, {one.period}: {was} → {now}"


def sentence(one: Said) -> str:
    """``refunds label: Refunds → Money given back``."""
    about = " ".join(part for part in (_SECTIONS.get(one.about, one.about), one.key) if part)
    return f"{about}: {one.before or _NOTHING} → {one.after or _NOTHING}"


def _changed(one: Week | Group, of: Difference, comparison: Comparison) -> str:
    was, now = one.before, one.after
    if was is None or now is None or was.value is None or now.value is None:
        return "" if not isinstance(one, Week) or not one.differs else "only one side"
    if isinstance(one, Week) and not one.differs:
        return "same"
    if was.value == now.value:
        return "only its state"
    if comparison.currencies[0] != comparison.currencies[1] and of.metric.unit == "money":
        return "another currency"
    change = units.change(now.value, was.value, of.metric.unit)
    difference = units.exact(now.value) - units.exact(was.value)
    if of.metric.unit == "percent" and change is not None:
        return change.text if change.direction else "less than 0.1 points"
    words = units.show_in_full(abs(difference), of.metric.unit, comparison.currencies[1])
    signed = f"{'+' if difference > 0 else units.MINUS}{words}"
    return signed if change is None or not change.direction else f"{signed} ({change.text})"
