"""Running sums of all stages at once: what happened on days, in every table -> the value of every window.

Let F(B) be the sum of all that happened before day B (of flows: of each change of slope times the days since). A window
from S to before E holds F(E) − F(S), and a stock's is F(E). The bounds of all windows stand in order, and what happened
on a day is counted at the first bound after it; running sums over the bounds are F. So days meet bounds once, whatever
the number of metrics, and what is summed up in order are bounds, not days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.stages.scan import Part, Stage, day_number
from kpi.metrics.windows import KEPT, Window

#: Windows of each slot, by its number.
Slots = tuple[tuple[int, tuple[Window | None, ...]], ...]


class _Bounds(NamedTuple):
    """The bounds of windows, as day numbers in order, and whose they are.

    Attributes:
        days: the bounds, each once.
        steps: every day from the one before the first bound to the one before the last; ``passed``: for each of them how
            many bounds are on it or before, which is the place of the first one that sees what happens on it.
        slots, places, bounds: of each bound of a window its slot, the place of its period, and the place in ``days``.
        signs: how its F is taken where the window is from its beginning on; ``closes``: where it is at its end.
    """

    days: tuple[int, ...]
    steps: tuple[int, ...]
    passed: tuple[int, ...]
    slots: tuple[int, ...]
    places: tuple[int, ...]
    bounds: tuple[int, ...]
    signs: tuple[int, ...]
    closes: tuple[int, ...]


def windowed(stages: Sequence[Stage], slots: Slots, groups: Sequence[str], within: str) -> sa.CTE:
    """Rows of place, the groups, slot, and every part of the stages; a row for each window and each group of any stage.

    Args:
        stages: those that say what changes on days.
        slots: all windows that any of them is taken over.
        within: begins the names of the statement's parts.
    """
    parts = [part for stage in stages for part in stage.columns()]
    slopes = {part.name for stage in stages if stage.changes and stage.changes.of_slopes for part in stage.columns()}
    stocks = {part.name for stage in stages if stage.changes and stage.changes.of_stock for part in stage.columns()}
    found = _bounds(slots)
    columns: dict[str, Any] = {"day": operations.BIG, **dict.fromkeys(groups, operations.TEXT)}
    columns |= {part.name: part.type for part in parts}
    bound = operations.rows_of(f"{within}all_bounds", nth=range(len(found.days)), day=found.days)
    happened: Any = [stage.changes.happened for stage in stages if stage.changes]
    # Each group has a row at each bound, though nothing happens: on the day before it.
    before = (bound.c.day - 1).label("day")
    if groups:
        change = operations.stacked(happened, columns).cte(f"{within}all_changes")
        distinct = sa.select(*(change.c[group] for group in groups)).distinct().subquery(f"{within}all_groups")
        every = sa.select(before, *distinct.c).select_from(sa.join(bound, distinct, sa.true())).cte(f"{within}all_nothing")
        happened = [change, every]
    else:
        happened.append(sa.select(before).cte(f"{within}all_nothing"))
    rows = operations.stacked(happened, columns).subquery(f"{within}all_days")
    step = operations.rows_of(f"{within}all_steps", day=found.steps, nth=found.passed)
    keys = [rows.c[group] for group in groups]
    over: dict[str, Any] = {"partition_by": keys or None, "order_by": step.c.nth}

    def sums(part: Part) -> Iterable[Any]:
        column = rows.c[part.name]
        yield sa.func.sum(sa.func.sum(column)).over(**over).label(part.name)
        if part.name in slopes:
            yield sa.func.sum(sa.func.sum(column * rows.c.day)).over(**over).label(f"{part.name}_moment")

    meets = step.c.day == sa.func.greatest(rows.c.day, sa.literal_column(str(found.steps[0])))
    summed = (
        sa.select(step.c.nth, *keys, *(column for part in parts for column in sums(part)))
        .select_from(sa.join(rows, step, meets))
        .group_by(step.c.nth, *keys)
        .subquery(f"{within}all_running")
    )
    names = ("slot", "place", "nth", "day", "sign", "closes")
    days = tuple(found.days[nth] for nth in found.bounds)
    given = (found.slots, found.places, found.bounds, days, found.signs, found.closes)
    window = operations.rows_of(f"{within}all_windows", **dict(zip(names, given, strict=True)))

    def value(part: Part) -> Any:
        total: Any = summed.c[part.name]
        if part.name in slopes:
            total = total * window.c.day - summed.c[f"{part.name}_moment"]
        taken = window.c.closes if part.name in stocks else window.c.sign
        return (sa.cast(total, part.type) * taken).label(part.name)

    return (
        sa.select(window.c.place, window.c.slot, *(summed.c[group] for group in groups), *map(value, parts))
        .select_from(sa.join(window, summed, window.c.nth == summed.c.nth))
        .cte(f"{within}all_values")
    )


@lru_cache(maxsize=KEPT)
def _bounds(slots: Slots) -> _Bounds:
    taken: dict[tuple[int, int, int], list[int]] = {}
    for slot, windows in slots:
        for place, window in enumerate(windows):
            if window is None:
                continue
            for piece in window.pieces():
                taken.setdefault((slot, place, day_number(piece.start)), [0, 0])[0] -= 1
                taken.setdefault((slot, place, day_number(piece.end)), [0, 0])[0] += 1
            taken.setdefault((slot, place, day_number(window.end)), [0, 0])[1] = 1
    days = sorted({day for _, _, day in taken})
    nth = {day: place for place, day in enumerate(days)}
    steps = range(days[0] - 1, days[-1])
    passed = tuple(accumulate(int(day in nth) for day in steps))
    of_slots, places, bounds = zip(*((slot, place, nth[day]) for slot, place, day in taken), strict=True)
    signs, closes = zip(*taken.values(), strict=True)
    return _Bounds(tuple(days), tuple(steps), passed, of_slots, places, bounds, signs, closes)
