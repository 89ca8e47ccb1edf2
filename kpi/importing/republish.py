"""The warehouse made again from the archive, or published anew with other products and costs."""

from __future__ import annotations

from collections.abc import Callable

from kpi.errors import ImportError_, WarehouseError
from kpi.importing.current import silent
from kpi.importing.loading import Told, every_fact, load_file, settle
from kpi.settings import Settings
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.publish import Draft, drafting


def republish(settings: Settings, mappings: Mappings, say: Callable[[str], None] = silent) -> int:
    """Apply the mappings to the rows that are there and publish the result."""
    with drafting(settings, waiting=say) as draft:
        if draft.base.mappings == mappings.hash:  # another process was first
            return draft.base.generation
        settle(draft.store, mappings, every_fact())
        return draft.publish([], mappings).generation


def rebuild(settings: Settings, mappings: Mappings, say: Callable[[str], None] = silent) -> int:
    """Make the warehouse again from nothing but the archive, up to the line that CURRENT names, and publish it.

    Raises:
        WarehouseError: a file of the archive is missing, damaged or can't be imported any more; nothing was published.
    """
    with drafting(settings, empty=True, waiting=say) as draft:
        tables = replay(draft, mappings, say)
        settle(draft.store, mappings, tables)
        return draft.publish([], mappings).generation


def replay(draft: Draft, mappings: Mappings, say: Callable[[str], None]) -> frozenset[str]:
    """Load every archived file in order; the tables written to."""
    tables: frozenset[str] = frozenset()
    entries = draft.archive.entries(draft.base.archive_line)
    for line, entry in enumerate(entries, start=1):
        say(f"{line}/{len(entries)} {entry.name}")
        path = draft.archive.unpack(entry, draft.staging)
        told = Told(entry.name, entry.time, entry.imported_by, entry.options)
        try:
            tables |= load_file(draft, path, told, line, mappings, lambda sha256=entry.sha256: sha256).tables  # type: ignore[misc]
        except ImportError_ as error:
            raise WarehouseError(f"line {line} of the archive can't be imported any more; nothing was published: {error}") from error
        finally:
            path.unlink(missing_ok=True)
    return tables
