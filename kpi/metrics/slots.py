"""What a query asks of each of its metrics: the days they cover, and the windows over which every leaf is taken.

Each set of windows is a slot. Uses of a leaf over the same windows share one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from kpi.metrics.figures import Figures
from kpi.metrics.model import Definitions
from kpi.metrics.reach import Reach
from kpi.metrics.result import State
from kpi.metrics.uses import Tree, Use, uses_of
from kpi.metrics.windows import KEPT, Frame, Window, opened, windows
from kpi.periods import Period

Windows = tuple[Window | None, ...]

#: A use in a metric's own coverage is taken over one slot.
UseKey = tuple[str, tuple[Any, ...], tuple[Period, ...]]


@dataclass(frozen=True)
class Asked:
    """A metric of the query.

    Attributes:
        tree: its formula over uses of leaves; ``needs``: of its needs, with the least.
        covered: the days that all its leaves cover.
        base: the window of each period without steps; None: outside coverage.
        whole: for each period whether every window of every use is whole.
        known: for each period whether every window of every use is there.
        late: places of the periods whose later events may not all be there yet: which events, and within how many days.
        figures: of each per() that its rows, or those of the query, are chosen by.
    """

    name: str
    tree: Tree
    needs: Tree | None
    at_least: Decimal | None
    covered: tuple[Period, ...]
    reaches: Mapping[str, Reach]
    base: Windows
    whole: tuple[bool, ...]
    known: tuple[bool, ...]
    late: Mapping[int, tuple[str, int]]
    figures: tuple[Figures, ...] = ()

    @property
    def waits(self) -> State:
        """What a cohort's figure without a value is: not reached yet, or of a day to which nobody was followed."""
        shown = [use.leaf.shown.what for use in uses_of(self.tree) if use.leaf.shown]
        return "empty" if set(shown) <= {"share"} else "not reached"

    @property
    def uncounted(self) -> bool:
        """Whether two systems hold the same thing and nothing says which counts."""
        return any(reach.uncounted for reach in self.reaches.values())


def asked_for(
    name: str,
    tree: Tree,
    needs: Tree | None,
    covered: tuple[Period, ...],
    reaches: Mapping[str, Reach],
    frame: Frame,
    definitions: Definitions,
    figures: tuple[Figures, ...] = (),
) -> Asked:
    """A metric of a query, with what is known of its periods."""
    base = windows(frame, (), covered, definitions.calendar)
    of_uses = [windows_of(use, frame, covered, definitions) for use in uses_of(tree) if use.steps or use.leaf.retained] + [base]
    late = _late(tree, covered, reaches, frame, definitions)
    metric = definitions.metrics.get(name)
    sure = all(figure.is_whole for figure in figures)
    whole, known = _found(tuple(dict.fromkeys(of_uses)))
    return Asked(
        name=name,
        tree=tree,
        needs=needs,
        at_least=metric.needs.at_least if metric and metric.needs else None,
        covered=covered,
        reaches=_concerned(tree, reaches),
        base=base,
        whole=tuple(found and place not in late and sure for place, found in enumerate(whole)) if late or not sure else whole,
        known=known,
        late=late,
        figures=figures,
    )


@lru_cache(maxsize=KEPT)
def _found(of_uses: tuple[Windows, ...]) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """For each period whether every window is whole, and whether every one is there; most metrics of a page ask for the same."""
    together = list(zip(*of_uses, strict=True))
    whole = tuple(all(window is not None and window.whole for window in found) for found in together)
    return whole, tuple(None not in found for found in together)


def _late(
    tree: Tree, covered: tuple[Period, ...], reaches: Mapping[str, Reach], frame: Frame, definitions: Definitions
) -> Mapping[int, tuple[str, int]]:
    """Places of periods after which not all days are covered that later events may still happen on: which, and how many days."""
    found: dict[int, tuple[str, int]] = {}
    for use in uses_of(tree):
        followed = use.leaf.followed
        if followed is None:
            continue
        spans = reaches[followed.to.table].spans
        for place, window in enumerate(windows(frame, use.steps, covered, definitions.calendar)):
            if window is None:
                continue
            until = window.end + dt.timedelta(days=followed.within_days)
            if not any(span.start <= window.start and until <= span.end for span in spans):
                found.setdefault(place, (followed.to.name.removeprefix("events of "), followed.within_days))
    return found


def windows_of(use: Use, frame: Frame, covered: tuple[Period, ...], definitions: Definitions) -> Windows:
    """The days over which a use takes its leaf in each period."""
    if use.leaf.retained is not None:
        return opened(frame, use.steps, use.leaf.retained.back, covered, definitions.calendar)
    return windows(frame, use.steps, covered, definitions.calendar)


def _concerned(tree: Tree, reaches: Mapping[str, Reach]) -> dict[str, Reach]:
    """The reach of each table that a metric counts, and of those that it is split by where nobody knows which rows count."""
    found = {table: reaches[table] for use in uses_of(tree) for table in use.leaf.tables}
    by = {use.leaf.allocate.basis.table for use in uses_of(tree) if use.leaf.allocate}
    return found | {table: reaches[table] for table in sorted(by) if reaches[table].uncounted}


def use_key(use: Use, covered: tuple[Period, ...]) -> UseKey:
    """What decides the slot of a use."""
    return use.leaf.name, use.steps, covered


def slots_of(
    asked: Sequence[Asked], frame: Frame, definitions: Definitions
) -> tuple[list[Windows], dict[UseKey, tuple[Use, int, set[bool]]]]:
    """Distinct sets of windows, and for each use its slot and whether its groups and its total are asked for."""
    slots: dict[Windows, int] = {}
    of_use: dict[UseKey, tuple[Use, int, set[bool]]] = {}
    for one in asked:
        for tree in (one.tree, one.needs):
            for use in uses_of(tree) if tree is not None else ():
                key = use_key(use, one.covered)
                if key not in of_use:
                    found = windows_of(use, frame, one.covered, definitions)
                    of_use[key] = (use, slots.setdefault(found, len(slots)), set())
                of_use[key][2].add(use.total)
    return list(slots), of_use
