"""What a reader must be told beside the figures, in whole sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from kpi.metrics.model import Leaf, Query
from kpi.metrics.result import Note, State
from kpi.metrics.uses import COHORT
from kpi.metrics.windows import Frame
from kpi.periods import MONTHS, Period
from kpi.units import minor_places, rounded
from kpi.warehouse.reader import CoverageRow

if TYPE_CHECKING:
    from kpi.metrics.lacking import Lack
    from kpi.metrics.reach import Reach
    from kpi.metrics.slots import Asked

_DAY = dt.timedelta(days=1)


def of_coverage(asked: Sequence[Asked], frame: Frame, query: Query, coverage: Sequence[CoverageRow]) -> tuple[Note, ...]:
    """Tables that nobody said who counts in, what was never imported, periods known in part or not, sources that lag."""
    said: list[Note] = []
    for one in asked:
        for figure in one.figures:
            state: State = "partial" if figure.is_known else "unknown"
            said += [Note(f"{one.name} hangs on {figure.written}: {note.text}", (one.name,), state) for note in figure.plan.notes]
        if not all(figure.is_known for figure in one.figures):
            continue
        for table, reach in one.reaches.items():
            if sentence := _of_table(one.name, table, reach, coverage):
                said.append(Note(sentence, (one.name,), "uncounted" if reach.uncounted else "unknown"))
        if one.covered:
            said += [Note(sentence, (one.name,)) for sentence in _of_lag(one, coverage)]
            if not frame.periods:
                days = f"its data are from {_reaching(one.covered)}, and none of these days was asked for"
                said.append(Note(f"{one.name} is not known: {days}", (one.name,), "unknown"))
        elif all(reach.spans for reach in one.reaches.values()):
            data = and_([f"{table} from {_reaching(reach.spans)}" for table, reach in one.reaches.items()])
            said.append(Note(f"{one.name} is not known: no day is covered by all its data, which are {data}", (one.name,), "unknown"))
    return (*said, *_of_periods(asked, frame, query))


def _of_table(name: str, table: str, reach: Reach, coverage: Sequence[CoverageRow]) -> str | None:
    """Why a table has no days, or not those of all that count."""
    if reach.uncounted:
        return (
            f"{and_(reach.uncounted)} hold rows of {table} over the same days, and counting all of them would count things twice: "
            f"which one counts? Say so under sources: in metrics.yaml, such as {table}: {reach.uncounted[0]}. "
            f"Until then {name} has no value"
        )
    if reach.missing:
        known = f"known from {_reaching(reach.spans)} only" if reach.spans else "not known"
        verb, was = ("counts", "was") if len(reach.missing) == 1 else ("count", "were")
        return f"{name} is {known}: {and_(reach.missing)} {verb} for {table} by sources:, and {was} never imported"
    if reach.spans:
        return None
    imported = sorted(row.source for row in coverage if row.table_name == table)
    if not imported:
        return f"{name} is not known: nothing was ever imported for {table}"
    if reach.counted is None:
        return (
            f"{name} is not known: {and_(imported)} hold {table} over days that overlap, and on no day all of them do; "
            "say under sources: in metrics.yaml which one counts when"
        )
    counted = tuple(dict.fromkeys(span.source for span in reach.counted))
    verb, whose = ("counts", "its") if len(counted) == 1 else ("count", "their")
    return f"{name} is not known: {and_(counted)} {verb} for {table} by sources:, but on none of the days that {whose} data cover"


def _of_periods(asked: Sequence[Asked], frame: Frame, query: Query) -> list[Note]:
    """The periods that coverage cuts: one sentence for the metrics that it cuts alike."""
    wanted = [period.cut(query.since or dt.date.min, query.until or dt.date.max) for period in frame.periods]
    holds = {covered: [_holds(covered, period) for period in wanted] for covered in {one.covered for one in asked}}
    alike: dict[str, list[str]] = {}
    for one in asked:
        if not one.covered:
            continue
        outside = [period for period, window in zip(wanted, one.base, strict=True) if window is None]
        in_part = [
            period for period, window, held in zip(wanted, one.base, holds[one.covered], strict=True) if window is not None and not held
        ]
        parts = []
        if in_part:
            parts.append(f"{_few(in_part, frame)} {'is' if len(in_part) == 1 else 'are'} covered in part")
        before = [period for period, window, known in zip(wanted, one.base, one.known, strict=True) if window is not None and not known]
        if before:
            parts.append(f"{_few(before, frame)} {'looks' if len(before) == 1 else 'look'} back to days that are not covered")
        if outside:
            parts.append(f"{_few(outside, frame)} {'is' if len(outside) == 1 else 'are'} not covered, and not known")
        if parts:
            alike.setdefault(f"reach from {_reaching(one.covered)}: {and_(parts)}", []).append(one.name)
    said = [Note(f"the data of {_at_most(names)} {rest}", tuple(names), "partial") for rest, names in alike.items()]
    return said + [Note(_of_late(one, frame), (one.name,), "partial") for one in asked if one.late]


def _of_late(one: Asked, frame: Frame) -> str:
    """Periods whose events may still lead to others."""
    late = [frame.periods[place] for place in one.late]
    later, days = next(iter(one.late.values()))
    verb = "is" if len(late) == 1 else "are"
    return (
        f"{_few(late, frame)} {verb} not settled: {one.name} counts {later} up to {days} days after, and not all of these days are covered"
    )


def _of_lag(one: Asked, coverage: Sequence[CoverageRow]) -> list[str]:
    """Sources that end before the others of the same metric do, and so end it."""
    latest, ending = dt.date.min, set()
    for row in coverage:
        reach = one.reaches.get(row.table_name)
        if reach is None:
            continue
        for start, end in _counted_days(reach, row.source):
            if row.covers_to > start and row.row_count:
                latest = max(latest, min(row.covers_to, end))
            stops = max(row.covers_to, start)
            # One that counted until then has handed over to the next.
            if stops < end and reach.spans and stops == reach.spans[-1].end == one.covered[-1].end:
                ending.add(row.source)
    stop = one.covered[-1].end
    if latest <= stop:
        return []
    return [
        f"{one.name} stops with {source} on {day(stop - _DAY)}; its other data reach to {day(latest - _DAY)}" for source in sorted(ending)
    ]


def _counted_days(reach: Reach, source: str) -> list[tuple[dt.date, dt.date]]:
    """From when to when a source counts."""
    if reach.counted is None:
        return [(dt.date.min, dt.date.max)]
    return [(span.start or dt.date.min, span.end or dt.date.max) for span in reach.counted if span.source == source]


def of_rates(name: str, leaf: str, lack: Lack, currency: str) -> str:
    """A metric that lacks the rates of a leaf's amounts, and what is known of that."""
    parts = []
    for code, first, last, days, amount in lack.amounts:
        if days == 1:
            when = f"on {day(last)}"
        elif lack.day is not None:
            when = f"on {day(last)}, the last of {days:,} such days from {day(first)}"
        else:
            when = f"on {days:,} days from {day(first)} to {day(last)}"
        parts.append(f"{_in_full(amount, code)} {code or 'without a currency'} {when}")
    one_day = lack.day is None or all(amount.first == lack.day for amount in lack.amounts)
    of_day = "" if one_day or lack.day is None else f" on {day(lack.day)}"
    known = f"the part that is known{of_day} is {_in_full(lack.known, currency)} {currency}"
    return f"{of_no_rate(name, leaf, currency)}: {and_(parts)}; {known}"


def of_split(leaf: Leaf, whole: float, allocated: float) -> str | None:
    """How much of a figure was allocated; None where nothing was."""
    if leaf.allocate is None or not whole or not allocated:
        return None
    return f"{_percent(allocated / whole)} of {leaf.name} was allocated by {leaf.allocate.basis.name}"


def of_unallocated(name: str, leaf: Leaf, key: str, lacks: float, when: str) -> str:
    """A ratio that has no value, because too much of its cost has none of a key."""
    return (
        f"{name} has no value where more than 5 % of its cost has no {key}, also after allocation: "
        f"{_percent(lacks)} of {leaf.name} {when} has none"
    )


def _percent(share: float) -> str:
    shown = f"{abs(share) * 100:.1f}"
    if shown == "0.0":
        return "less than 0.1 %"
    return f"{'−' if share < 0 else ''}{shown} %"


def of_no_rate(name: str, leaf: str, currency: str) -> str:
    """A metric without a value for want of a rate, of its own or of a leaf that it is made of."""
    which = leaf if name == leaf else f"{name} is made of {leaf}, which"
    return f"{which} has no value where an exchange rate into {currency} is missing"


def of_needs(name: str, currency: str) -> str:
    """A metric whose needs lack a rate, so that nobody knows whether there are enough."""
    return f"{name} may be of too few: what it needs has no value where an exchange rate into {currency} is missing"


def _in_full(amount: Decimal, currency: str) -> str:
    """Digits as the exports have them: those of the currency."""
    return f"{rounded(amount, minor_places(currency)):,f}"


def of_backwards(leaf: Leaf, rows: int) -> str:
    """Durations that run backwards."""
    return f"{leaf.name} leaves out {rows:,} {'row' if rows == 1 else 'rows'} of {leaf.table} whose end lies before its beginning"


def of_limit(shown: int, rows: int) -> str:
    """Rows that a limit left out."""
    return f"{shown:,} of {rows:,} rows {'is' if shown == 1 else 'are'} shown, as the limit says"


def of_not_reached(name: str, leaf: Leaf, end: dt.date, started: int, share: float, groups: Sequence[str | None], figures: int) -> str:
    """A day that can't be told, because too few of a cohort have reached what they wait for."""
    assert leaf.lived is not None  # noqa: S101 - asked of such leaves only
    assert leaf.shown is not None  # noqa: S101
    which = f" of {and_([group or '(none)' for group in groups])}" if groups else ""
    whom = f"of {started:,} {leaf.lived.each}{'' if started == 1 else 's'}{which} that started in the {COHORT.count} months before"
    part, by = f"an estimated {share:.1%}".replace("%", " %"), day(end - _DAY)
    more = "" if figures == 1 else f"; so for {figures:,} figures"
    if leaf.shown.what == "share":
        return f"{name} is not known: {whom}, none was followed for {leaf.shown.day} days by {by}, and {part} had reached it{more}"
    return f"{name} is not reached: {whom}, {part} had reached it by {by}{more}"


def day(value: dt.date) -> str:
    """A day in words: 9 Nov 2026."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def _at_most(names: Sequence[str], most: int = 5) -> str:
    return and_(names) if len(names) <= most else and_([*names[: most - 1], f"{len(names) - most + 1} more"])


def _reaching(spans: Iterable[Period]) -> str:
    return and_([f"{day(span.start)} to {day(span.end - _DAY)}" for span in spans])


def _holds(covered: Iterable[Period], period: Period) -> bool:
    return any(span.start <= period.start and period.end <= span.end for span in covered)


def period_words(first: dt.date, frame: Frame) -> str:
    """The period of an answer that begins on a day, in words."""
    return next((f"of {_days(period)}" for period in frame.periods if period.start == first), f"of {day(first)}")


def _days(period: Period) -> str:
    return f"{day(period.start)} to {day(period.end - _DAY)}" if period.days > 1 else day(period.start)


def _few(periods: Sequence[Period], frame: Frame) -> str:
    """The first such period by its days, and how many more."""
    words = _days(periods[0])
    if len(periods) == 1:
        return words
    return f"{len(periods):,} {frame.grain}s, the first {words},"


def and_(words: Sequence[str]) -> str:
    """Words as a list in a sentence: a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
