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
from kpi.importing.loading import SAID, Told, load_file, settle
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
        try:
            reports = []
            for number, one in enumerate(inputs, start=1):
                say(f"{number}/{len(inputs)} {one.name}")
                reports.append(_import_one(draft, one, known, batch, settings, mappings, chosen, described, say))
            asked: tuple[str, ...] = ()
            generation = draft.base.generation
            if batch.kept:
                lacks = settle(draft.store, mappings, batch.tables, standing_rows(settings), settings.rates == "ecb")
                asked = (*questions(draft.store, batch.tables, chosen.counted), *lacks)
                if SAID & batch.tables:
                    asked += tuple(one.sentence() for one in found(draft.store))
                generation = draft.publish(batch.kept, stamped(mappings, batch.used)).generation
        finally:
            for incoming in (ahead, *(kept for _, kept in batch.kept)):
                if incoming is not None:
                    incoming.discard()
    return ImportReport(tuple(reports), generation, asked)


def _import_one(
    draft: Draft,
    one: Input,
    known: dict[str, Entry],
    batch: _Batch,
    settings: Settings,
    mappings: Mappings,
    options: Options,
    described: folder.Folder,
    say: Callable[[str], None],
) -> FileReport:
    incoming: Incoming | None = None
    try:
        path = one.placed(draft.staging, say)
        before = stamp(path)
        sized = any(entry.size == before[0] for entry in known.values())
        if sized and (twin := known.get(hash_of(path))) and _says_no_more(options, twin):
            same = f"the same bytes were imported on {twin.time[:10]} as {twin.name}"
            return FileReport(one.name, twin.connector, "", "unchanged", 0, 0, 0, same)
        begun = batch.ahead if batch.ahead is not None and batch.ahead.is_of(path, before) else None
        receiving = incoming = begun or draft.archive.receive(path)

        def seal() -> str:
            receiving.wait()
            if stamp(path) != before:
                raise HeldBack(f"{one.name} changed while it was read; import it again")
            return receiving.sha256

        told = _told(one.name, settings, options, draft.base.archive_line + 1)
        run_id = draft.base.archive_line + len(batch.kept) + 1
        loaded = load_file(draft, path, told, run_id, mappings, seal, described.connectors)
        system, said = loaded.staged.connector, dict(told.options)
        if (source := described.named(system)) is not None:
            said["mapping"] = batch.used[system] = draft.archive.keep_text(source.content)
        entry = Entry(told.time, told.name, incoming.size, incoming.sha256, system, told.imported_by, said)
        batch.kept.append((entry, incoming))
    except ImportError_ as error:
        return FileReport(
            one.name, options.connector or "", "", "unknown" if error.status == "unknown" else "held back", 0, 0, 0, str(error)
        )
    except (PermissionError, FileNotFoundError, IsADirectoryError) as error:
        return FileReport(one.name, options.connector or "", "", "held back", 0, 0, 0, f"{one.name} can't be read: {error.strerror}")
    finally:
        if incoming is not None and (not batch.kept or batch.kept[-1][1] is not incoming):
            incoming.discard()
        one.forget(draft.staging)
    known[entry.sha256] = entry
    batch.tables |= loaded.tables
    staged = loaded.staged
    rejected = [_rejected(staged.rows_rejected)] if staged.rows_rejected else []
    counts = (staged.rows_read, staged.rows_loaded, staged.rows_rejected)
    return FileReport(one.name, staged.connector, staged.layout, "loaded", *counts, "; ".join([*rejected, *loaded.notes]))


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
