"""Running sums of all stages at once: what happened on days, in every table -> the value of every window.

Let F(B) be the sum of all that happened before day B (of flows: of each change of slope times the days since). A window
from S to before E holds F(E) − F(S), and a stock's is F(E). The bounds of all windows stand in order, and what happened
on a day is counted at the first bound after it; running sums over the bounds are F. So days meet bounds once, whatever
the number of metrics, and what is summed up in order are bounds, not days.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

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
    rows = operations.stacked(happened, columns)
    step = operations.rows_of(f"{within}all_steps", day=found.steps, nth=found.passed)
    names = ("slot", "place", "nth", "day", "sign", "closes")
    days = tuple(found.days[nth] for nth in found.bounds)
    given = (found.slots, found.places, found.bounds, days, found.signs, found.closes)
    window = operations.rows_of(f"{within}all_windows", **dict(zip(names, given, strict=True)))
    return _Sums(parts, slopes, stocks, groups, rows, step, found.steps[0], window).cte(f"{within}all_values")


class _Sums(sa.TextualSelect):
    """The running sums at the bounds, and what windows make of them.

    All that varies are our own names of groups and parts, and SQLAlchemy would make and write hundreds of elements of
    them: a third of the time that planning takes. So it is written as a whole.
    """

    inherit_cache = False

    def __init__(
        self,
        parts: Sequence[Part],
        slopes: Collection[str],
        stocks: Collection[str],
        groups: Sequence[str],
        rows: sa.TextualSelect,
        step: sa.CTE,
        first: int,
        window: sa.CTE,
    ) -> None:
        columns: list[Any] = [sa.column(name, operations.BIG) for name in ("place", "slot")]
        columns += [sa.column(group, operations.TEXT) for group in groups]
        super().__init__(sa.text(""), [*columns, *(sa.column(part.name, part.type) for part in parts)])
        self.parts, self.slopes, self.stocks, self.groups = parts, slopes, stocks, groups
        self.rows, self.step, self.first, self.window = rows, step, first, window


@compiles(_Sums)
def _sums(element: _Sums, compiler: SQLCompiler, **kw: Any) -> str:
    types = compiler.dialect.type_compiler_instance
    kw |= {"asfrom": True}
    window, step, rows = (compiler.process(table, **kw) for table in (element.window, element.step, element.rows))
    values, sums = ["w.place AS place", "w.slot AS slot"], ["s.nth AS nth"]
    values += [f"r.{group} AS {group}" for group in element.groups]
    sums += [f"d.{group} AS {group}" for group in element.groups]
    for part in element.parts:
        name, total = part.name, f"r.{part.name}"
        sums.append(f"sum(sum(d.{name})) OVER so_far AS {name}")
        if name in element.slopes:
            sums.append(f"sum(sum(d.{name} * d.day)) OVER so_far AS {name}_moment")
            total = f"r.{name} * w.day - r.{name}_moment"
        taken = "closes" if name in element.stocks else "sign"
        values.append(f"CAST({total} AS {types.process(part.type)}) * w.{taken} AS {name}")
    keys = [f"d.{group}" for group in element.groups]
    partition = f"PARTITION BY {', '.join(keys)} " if keys else ""
    meets = f"s.day = greatest(d.day, {element.first})"
    running = (
        *("SELECT", ", ".join(sums), "FROM", f"({rows}) AS d JOIN {step} AS s ON {meets}"),
        *("GROUP BY", ", ".join(["s.nth", *keys]), f"WINDOW so_far AS ({partition}ORDER BY s.nth)"),
    )
    return " ".join(("SELECT", ", ".join(values), "\nFROM", f"{window} AS w JOIN (", *running, ") AS r ON r.nth = w.nth"))


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
