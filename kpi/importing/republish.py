"""The warehouse made again from the archive, or published anew with other products and costs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from connectors.base import Connector
from kpi.errors import ImportError_, WarehouseError
from kpi.importing.current import silent
from kpi.importing.described import in_use, stamp_of, stamped
from kpi.importing.gathering import Gathering
from kpi.importing.loading import Loaded, Told, every_fact, load_file, settle
from kpi.records.links import standing_rows
from kpi.settings import Settings
from kpi.sources.reading import Source
from kpi.warehouse.archive import Entry
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.publish import Draft, drafting


def republish(settings: Settings, mappings: Mappings, say: Callable[[str], None] = silent) -> int:
    """Apply the mappings to the rows that are there and publish the result."""
    with drafting(settings, waiting=say) as draft:
        own, used = stamp_of(draft.base.mappings)
        if own == mappings.hash:  # another process was first
            return draft.base.generation
        settle(draft.store, mappings, every_fact(), standing_rows(settings), settings.rates == "ecb")
        return draft.publish([], stamped(mappings, used)).generation


def publish_decisions(settings: Settings, mappings: Mappings, say: Callable[[str], None] = silent) -> int:
    """Apply what people decided on links to the rows that are there, and publish the result; the generation that counts now."""
    with drafting(settings, waiting=say) as draft:
        if not draft.base.generation:  # the first import will apply it
            return 0
        settle(draft.store, mappings, frozenset(), standing_rows(settings), settings.rates == "ecb")
        return draft.publish([], stamped(mappings, stamp_of(draft.base.mappings)[1])).generation


def rebuild(settings: Settings, mappings: Mappings, say: Callable[[str], None] = silent) -> int:
    """Make the warehouse again from nothing but the archive, up to the line that CURRENT names, and publish it.

    Raises:
        WarehouseError: a file of the archive is missing, damaged or can't be imported any more; nothing was published.
    """
    with drafting(settings, empty=True, waiting=say) as draft:
        entries = draft.archive.entries(draft.base.archive_line)
        read_with = ((entry.connector, entry.options["mapping"]) for entry in entries if "mapping" in entry.options)
        sources = in_use(settings, stamp_of(draft.base.mappings)[1], read_with)
        tables = replay(draft, entries, mappings, sources, say)
        settle(draft.store, mappings, tables, standing_rows(settings), settings.rates == "ecb")
        used = {name: draft.archive.keep_text(source.content) for name, source in sources.items()}
        return draft.publish([], stamped(mappings, used)).generation


def replay(
    draft: Draft, entries: Sequence[Entry], mappings: Mappings, sources: Mapping[str, Source], say: Callable[[str], None]
) -> frozenset[str]:
    """Load archived files in order, each by what read it at first; the tables written to."""
    loaded: list[frozenset[str]] = []
    gathering = Gathering(draft, mappings, lambda: len(loaded) + 1)
    with closing(_unpacked(draft, entries)) as unpacked:
        for line, (entry, path) in enumerate(unpacked, start=1):
            say(f"{line}/{len(entries)} {entry.name}")
            # what was added since, a connector or a mapping, may know the file as well
            told = Told(entry.name, entry.time, entry.imported_by, {**entry.options, "as": entry.connector})
            source = sources.get(entry.connector) if "mapping" in entry.options else None
            archived = _Archived(draft, mappings, line, told, path, entry.sha256, source, loaded)
            gathering.add(archived, len(entries) > 1 and not told.options.get("full"), archived.sources)
        gathering.flush()
    return frozenset().union(*loaded)


@dataclass(frozen=True)
class _Archived:
    """A file of the archive; see :class:`kpi.importing.gathering.Arrival`."""

    draft: Draft
    mappings: Mappings
    line: int
    told: Told
    path: Path
    sha256: str
    source: Source | None
    loaded: list[frozenset[str]]

    @property
    def sources(self) -> tuple[Connector, ...]:
        """The mapping that describes it, if one does."""
        return (self.source.connector,) if self.source else ()

    def seal(self) -> str:
        """What the archive has it under."""
        return self.sha256

    def load(self, run_id: int) -> Loaded:
        """By itself."""
        return load_file(self.draft, self.path, self.told, run_id, self.mappings, self.seal, self.sources)

    def attempt(self, load: Callable[[int], Loaded]) -> None:
        """Load it, which was possible before."""
        try:
            self.keep(load(self.line))
        except ImportError_ as error:
            by = f" with {self.source.file}" if self.source else ""
            raise WarehouseError(
                f"line {self.line} of the archive can't be imported any more{by}; nothing was published: {error}"
            ) from error

    def keep(self, loaded: Loaded) -> None:
        """It is done."""
        self.loaded.append(loaded.tables)
        self.path.unlink(missing_ok=True)


def _unpacked(draft: Draft, entries: Sequence[Entry]) -> Generator[tuple[Entry, Path], None, None]:
    """The files, each unpacked while the one before it is loaded; two of the same bytes lie in folders of their own."""
    with ThreadPoolExecutor(1) as ahead:

        def unpack(line: int) -> Path:
            folder = draft.folder / f"unpacked-{line}"
            folder.mkdir()
            return draft.archive.unpack(entries[line], folder)

        coming = [ahead.submit(unpack, 0)] if entries else []
        for at, entry in enumerate(entries):
            path = coming.pop().result()
            coming += [ahead.submit(unpack, at + 1)] if at + 1 < len(entries) else []
            yield entry, path
