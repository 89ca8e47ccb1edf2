"""Files on their way in: those that are alike and small wait for each other and are loaded together, in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import duckdb

from connectors.base import Connector
from kpi.errors import ImportError_
from kpi.importing.loading import Loaded, Told, context_of, load_one_of, load_part
from kpi.importing.together import MOST_BYTES, MOST_FILES, Member, Part, in_turn, open_member, stage_together
from kpi.warehouse.failures import fatal_errors, is_disk_full
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.publish import Draft


class Arrival(Protocol):
    """One file and what is to be done with it."""

    @property
    def told(self) -> Told:
        """What is known of it beside the bytes."""
        ...

    @property
    def path(self) -> Path:
        """Its bytes, which stay where they are until it is done."""
        ...

    def seal(self) -> str:
        """The SHA-256 of the bytes that were read; raises where that can't be said."""
        ...

    def load(self, run_id: int) -> Loaded:
        """Load it by itself."""
        ...

    def attempt(self, load: Callable[[int], Loaded]) -> None:
        """Load it as the next run, by calling ``load`` with the run's number, and see to what comes of it."""
        ...

    def keep(self, loaded: Loaded) -> None:
        """It was loaded, as the next run."""
        ...


@dataclass(frozen=True)
class _Waiting:
    arrival: Arrival
    member: Member


class Gathering:
    """The files of one command, each loaded in its turn.

    Attributes:
        draft: what they are loaded into.
        next_run: the number of the next run.
    """

    def __init__(self, draft: Draft, mappings: Mappings, next_run: Callable[[], int]) -> None:
        self.draft = draft
        self.mappings = mappings
        self.next_run = next_run
        self._waiting: list[_Waiting] = []

    def waiting(self) -> list[Arrival]:
        """The files that are not loaded yet."""
        return [one.arrival for one in self._waiting]

    def add(self, arrival: Arrival, may_wait: bool, sources: tuple[Connector, ...] = ()) -> None:
        """One more file; it is loaded at once unless it may wait for others like it."""
        context = context_of(arrival.told, self.mappings, sources)
        member = open_member(arrival.path, arrival.told.name, context, self.draft.staging) if may_wait else None
        if member is None:
            self.flush()
            arrival.attempt(arrival.load)
            return
        if self._waiting and not self._fits(member):
            self.flush()
        self._waiting.append(_Waiting(arrival, member))

    def _fits(self, member: Member) -> bool:
        size = sum(one.member.size for one in self._waiting) + member.size
        return len(self._waiting) < MOST_FILES and size <= MOST_BYTES and self._waiting[0].member.is_like(member)

    def flush(self) -> None:
        """Load all that wait."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            parts = self._staged([one.member for one in waiting]) if len(waiting) > 1 else []
            for turn in in_turn(len(waiting), parts):
                if isinstance(turn, Part):
                    self._load(turn, [waiting[at].arrival for at in turn.numbers])
                else:
                    waiting[turn].arrival.attempt(waiting[turn].arrival.load)
        finally:
            if len(waiting) > 1:
                self._forget()

    def _staged(self, members: list[Member]) -> list[Part]:
        try:
            return stage_together(self.draft.store.scratch, members, self.draft.staging)
        except fatal_errors():
            raise
        except duckdb.Error as error:
            if is_disk_full(error):
                raise
            return []  # one of them is to blame, and will say so

    def _load(self, part: Part, arrivals: list[Arrival]) -> None:
        try:
            digests = [arrival.seal() for arrival in arrivals]
        except (ImportError_, OSError):
            digests = []  # each will say what is wrong with it
        told = [arrival.told for arrival in arrivals]
        loaded = load_part(self.draft, part, told, self.next_run(), digests) if digests else None
        if loaded is not None:
            for arrival, one in zip(arrivals, loaded, strict=True):
                arrival.keep(one)
            return
        for at, arrival in enumerate(arrivals):
            arrival.attempt(partial(self._load_one, part, at, arrival))

    def _load_one(self, part: Part, at: int, arrival: Arrival, run_id: int) -> Loaded:
        return load_one_of(self.draft, part, at, arrival.told, run_id, self.mappings, arrival.seal)

    def _forget(self) -> None:
        try:
            self.draft.store.forget(shared=True)
        except duckdb.Error:  # an invalidated database says so by itself when it is used next
            return
