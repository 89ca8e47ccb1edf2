"""``import``: every file named, archived, recognised, read, merged, and published together as one generation.

Each file is a run of its own: a file that can't be used harms no other, and the ones that can be are published.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from kpi.errors import HeldBack, ImportError_
from kpi.importing.counting import questions
from kpi.importing.current import ensure_current, ensure_readable
from kpi.importing.described import stamp_of, stamped
from kpi.importing.files import Input, find
from kpi.importing.gathering import Gathering
from kpi.importing.loading import SAID, Loaded, Told, load_file, settle
from kpi.records.links import standing_rows
from kpi.settings import AmountUnits, DateOrder, Settings, user
from kpi.sources import folder
from kpi.warehouse.agreement import found
from kpi.warehouse.archive import Entry, Incoming, hash_of, stamp
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.publish import Draft, drafting, landing

Status = Literal["loaded", "unchanged", "held back", "unknown"]


@dataclass(frozen=True)
class Options:
    """What a user may say beside the files.

    Attributes:
        connector: the system, where the header can't tell.
        dates: how 12/06/2024 is read where a column can't decide.
        amounts: whether amounts that could be both are in minor units (cents) or major ones.
        full: rows of the source that are absent from the file are retired.
        counted: tables for which ``sources:`` of metrics.yaml says which system counts.
    """

    connector: str | None = None
    dates: DateOrder | None = None
    full: bool = False
    counted: frozenset[str] = frozenset()
    amounts: AmountUnits | None = None


@dataclass(frozen=True)
class FileReport:
    """What became of one file; ``message`` says what to do next, or is empty."""

    file: str
    connector: str
    layout: str
    status: Status
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    message: str


@dataclass(frozen=True)
class ImportReport:
    """What became of all of them, and the generation that counts now. ``questions`` concern several files together."""

    files: tuple[FileReport, ...]
    generation: int
    questions: tuple[str, ...] = ()


@dataclass
class _Batch:
    """What one command has put into its draft so far, and what is on its way into the archive already."""

    ahead: Incoming | None = None
    kept: list[tuple[Entry, Incoming | None]] = field(default_factory=list)
    tables: frozenset[str] = frozenset()
    used: dict[str, str] = field(default_factory=dict)


def import_paths(
    settings: Settings,
    mappings: Mappings,
    words: Sequence[str],
    options: Options | None = None,
    say: Callable[[str], None] = lambda sentence: None,
    ahead: Incoming | None = None,
) -> ImportReport:
    """Import files, folders, patterns and places elsewhere.

    Args:
        say: told, a sentence each, what is going on.
        ahead: one of the files, already on its way into the archive; it is discarded where it is not used.

    Raises:
        UsageError: a word names nothing, or a place can't be read.
        WarehouseError: the warehouse can't be written; nothing was imported.
    """
    with landing(settings) as folder:
        return import_inputs(settings, mappings, find(words, folder, say), options, say, ahead)


def import_folder(
    settings: Settings, mappings: Mappings, folder: Path, options: Options | None = None, say: Callable[[str], None] = lambda sentence: None
) -> ImportReport:
    """As :func:`import_paths`, of every file that lies in ``folder``, each called by its name there: what somebody uploaded."""
    with landing(settings) as place:
        inputs = find([str(path) for path in sorted(folder.iterdir())], place, say)
        named = [replace(one, name=one.name.removeprefix(f"{folder}{os.sep}")) for one in inputs]
        return import_inputs(settings, mappings, named, options, say)


def import_inputs(
    settings: Settings,
    mappings: Mappings,
    inputs: Sequence[Input],
    options: Options | None = None,
    say: Callable[[str], None] = lambda sentence: None,
    ahead: Incoming | None = None,
) -> ImportReport:
    """As :func:`import_paths`, of files that were found already."""
    chosen = options or Options()
    ensure_readable(settings, mappings, say)
    ensure_current(settings, mappings, say)
    with drafting(settings, [one.path for one in inputs if one.is_plain], waiting=say) as draft:
        known = {entry.sha256: entry for entry in draft.archive.entries(draft.base.archive_line)}
        batch = _Batch(used=stamp_of(draft.base.mappings)[1], ahead=ahead)
        described = folder.load(settings.sources)
        for file, count in Counter(problem.file for problem in described.problems).items():
            say(f"{file} has {count} problem{'' if count == 1 else 's'} and reads nothing: python -m kpi check {file} lists them")
        importing = _Import(draft, known, batch, settings, mappings, chosen, described, say, len(inputs) > 1)
        try:
            for number, one in enumerate(inputs, start=1):
                say(f"{number}/{len(inputs)} {one.name}")
                importing.take(one)
            importing.gathering.flush()
            reports = [report for report in importing.reports if report is not None]
            asked: tuple[str, ...] = ()
            generation = draft.base.generation
            if batch.kept:
                lacks = settle(draft.store, mappings, batch.tables, standing_rows(settings), settings.rates == "ecb")
                asked = (*questions(draft.store, batch.tables, chosen.counted), *lacks)
                if SAID & batch.tables:
                    asked += tuple(one.sentence() for one in found(draft.store))
                generation = draft.publish(batch.kept, stamped(mappings, batch.used)).generation
        finally:
            for incoming in (ahead, *importing.received, *(kept for _, kept in batch.kept)):
                if incoming is not None:
                    incoming.discard()
    return ImportReport(tuple(reports), generation, asked)


class _Import:
    """One command's files, as they come.

    Attributes:
        reports: what became of each, in their order; None while it waits.
        received: what is on its way into the archive for files that wait.
    """

    def __init__(
        self,
        draft: Draft,
        known: dict[str, Entry],
        batch: _Batch,
        settings: Settings,
        mappings: Mappings,
        options: Options,
        described: folder.Folder,
        say: Callable[[str], None],
        several: bool,
    ) -> None:
        self.draft = draft
        self.known = known
        self.batch = batch
        self.settings = settings
        self.mappings = mappings
        self.options = options
        self.described = described
        self.say = say
        self.several = several and not options.full
        self.reports: list[FileReport | None] = []
        self.received: list[Incoming] = []
        self.gathering = Gathering(draft, mappings, self.next_run)

    def next_run(self) -> int:
        """The number of the next run."""
        return self.draft.base.archive_line + len(self.batch.kept) + 1

    def take(self, one: Input) -> None:
        """One more file: loaded, or waiting for others like it."""
        at = len(self.reports)
        self.reports.append(None)
        arrival: _Arrival | None = None
        try:
            path = one.placed(self.draft.staging, self.say)
            before = stamp(path)
            if (twin := self._twin(path, before[0])) and _says_no_more(self.options, twin):
                same = f"the same bytes were imported on {twin.time[:10]} as {twin.name}"
                self.reports[at] = FileReport(one.name, twin.connector, "", "unchanged", 0, 0, 0, same)
                return
            ahead = self.batch.ahead
            incoming = ahead if ahead is not None and ahead.is_of(path, before) else self.draft.archive.receive(path)
            told = _told(one.name, self.settings, self.options, self.draft.base.archive_line + 1)
            arrival = _Arrival(self, at, told, path, before, incoming)
            self.received.append(incoming)
            self.gathering.add(arrival, self.several and one.is_plain and one.member is None, self.described.connectors)
        except (ImportError_, PermissionError, FileNotFoundError, IsADirectoryError) as error:
            self.refuse(at, one.name, error)
            if arrival is not None:
                arrival.discard()
        finally:
            one.forget(self.draft.staging)

    def _twin(self, path: Path, size: int) -> Entry | None:
        """The import of the same bytes."""
        waiting = [arrival.incoming for arrival in self.gathering.waiting() if isinstance(arrival, _Arrival) and arrival.before[0] == size]
        if not waiting and not any(entry.size == size for entry in self.known.values()):
            return None
        digest = hash_of(path)
        for incoming in waiting:
            incoming.wait()
        if any(incoming.sha256 == digest for incoming in waiting):
            self.gathering.flush()
        return self.known.get(digest)

    def refuse(self, at: int, name: str, error: Exception) -> None:
        """Say why a file was not imported."""
        status: Status = "unknown" if isinstance(error, ImportError_) and error.status == "unknown" else "held back"
        message = f"{name} can't be read: {error.strerror}" if isinstance(error, OSError) else str(error)
        self.reports[at] = FileReport(name, self.options.connector or "", "", status, 0, 0, 0, message)


@dataclass
class _Arrival:
    """A file that is being imported; see :class:`kpi.importing.gathering.Arrival`."""

    importing: _Import
    at: int
    told: Told
    path: Path
    before: tuple[int, int]
    incoming: Incoming

    def seal(self) -> str:
        self.incoming.wait()
        if stamp(self.path) != self.before:
            raise HeldBack(f"{self.told.name} changed while it was read; import it again")
        return self.incoming.sha256

    def load(self, run_id: int) -> Loaded:
        """By itself."""
        mine = self.importing
        return load_file(mine.draft, self.path, self.told, run_id, mine.mappings, self.seal, mine.described.connectors)

    def attempt(self, load: Callable[[int], Loaded]) -> None:
        try:
            self.keep(load(self.importing.next_run()))
        except (ImportError_, PermissionError, FileNotFoundError, IsADirectoryError) as error:
            self.importing.refuse(self.at, self.told.name, error)
            self.discard()

    def keep(self, loaded: Loaded) -> None:
        """Write down what became of it."""
        mine, staged, said = self.importing, loaded.staged, dict(self.told.options)
        if (source := mine.described.named(staged.connector)) is not None:
            said["mapping"] = mine.batch.used[staged.connector] = mine.draft.archive.keep_text(source.content)
        incoming, told = self.incoming, self.told
        entry = Entry(told.time, told.name, incoming.size, incoming.sha256, staged.connector, told.imported_by, said)
        mine.batch.kept.append((entry, incoming))
        mine.received.remove(incoming)
        mine.known[entry.sha256] = entry
        mine.batch.tables |= loaded.tables
        rejected = [_rejected(staged.rows_rejected)] if staged.rows_rejected else []
        counts = (staged.rows_read, staged.rows_loaded, staged.rows_rejected)
        message = "; ".join([*rejected, *loaded.notes])
        mine.reports[self.at] = FileReport(told.name, staged.connector, staged.layout, "loaded", *counts, message)

    def discard(self) -> None:
        """Stop what is on its way into the archive."""
        self.incoming.discard()
        if self.incoming in self.importing.received:
            self.importing.received.remove(self.incoming)


def _says_no_more(options: Options, twin: Entry) -> bool:
    """Whether the same bytes, imported again, would mean nothing that they didn't mean then."""
    return bool(twin.options.get("full") or not options.full) and options.amounts in (None, twin.options.get("amounts"))


def _rejected(count: int) -> str:
    if count == 1:
        return "1 row can't be used: python -m kpi problems shows it with its reason"
    return f"{count:,} rows can't be used: python -m kpi problems lists them with their reasons"


def _told(name: str, settings: Settings, options: Options, first: int) -> Told:
    """What the archive's line will say, so that a replay in years to come decides as this import does."""
    chosen: dict[str, Any] = {"bad_share": settings.bad_share}
    if options.connector:
        chosen["as"] = options.connector
    if dates := options.dates or settings.dates:
        chosen["dates"] = dates
    if options.amounts:
        chosen["amounts"] = options.amounts
    if options.full:
        chosen["full"] = first
    return Told(name, dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"), user(), chosen)
