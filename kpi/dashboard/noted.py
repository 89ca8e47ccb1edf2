"""What people wrote down, as pages show it: read anew when anybody changed it, and never a reason to show no figures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from kpi.errors import KpiError
from kpi.keeping import Keeper
from kpi.records.closings import Closed, closed
from kpi.records.notes import Notes, notes
from kpi.records.opening import latest
from kpi.records.views import Views, views
from kpi.settings import Settings

#: Seconds that a page waits for records which don't answer, and for which it then doesn't ask again.
PATIENCE_S: Final = 2
AGAIN_S: Final = 15.0
#: Readings kept: the last one counts, and one before it is still being drawn.
_KEPT: Final = 4


@dataclass(frozen=True)
class Noted:
    """What is known of the records.

    Attributes:
        problem: why they can't be read now; the rest is then the last that could.
        closed: what weeks showed when they were closed.
        views: saved views, and start pages of teams.
    """

    notes: Notes
    problem: str | None = None
    closed: Closed = field(default_factory=Closed)
    views: Views = field(default_factory=Views)


@dataclass
class _State:
    last: Noted
    problem: str
    until: float


def noted(settings: Settings) -> Noted:
    """The notes that stand; servers that share records see one another's with the next click."""
    place = (str(settings.home.absolute()), settings.records_url)
    state = _states().setdefault(place, _State(Noted(Notes()), "", 0.0))
    if time.monotonic() < state.until:
        return replace(state.last, problem=state.problem)
    try:
        number = latest(settings, PATIENCE_S)
        state.last = _readings().get((place, number), lambda: _read(settings))
    except KpiError as error:
        state.problem, state.until = str(error), time.monotonic() + AGAIN_S
        return replace(state.last, problem=state.problem)
    return state.last


def _read(settings: Settings) -> Noted:
    return Noted(notes(settings, PATIENCE_S), None, closed(settings, PATIENCE_S), views(settings, PATIENCE_S))


def problem_sentences(found: Noted) -> Sequence[str]:
    """What to tell the reader."""
    if found.problem is None:
        return ()
    return (f"Comments, events and verdicts can't be read now, and none can be written; the figures stand. Why: {found.problem}.",)


@cache
def _states() -> dict[tuple[str, str | None], _State]:
    return {}


@cache
def _readings() -> Keeper[Noted]:
    return Keeper(_KEPT)
