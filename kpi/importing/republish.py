"""The warehouse made again from the archive, and published anew when products:, costs:, currency or calendar change."""

from __future__ import annotations

from collections.abc import Callable

from kpi.errors import ImportError_, Outdated, WarehouseError
from kpi.importing.loading import Told, every_fact, load_file, settle
from kpi.settings import Settings
from kpi.warehouse.engines import current_state, open_reader
from kpi.warehouse.holdings import published_with
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.publish import Draft, drafting


def _silent(sentence: str) -> None:
    """Say nothing."""


def ensure_current(settings: Settings, mappings: Mappings, say: Callable[[str], None] = _silent) -> int:
    """Publish anew if the published generation was made with other mappings; the generation that counts now.

    Costs one small read when nothing changed. Another currency or time zone makes the warehouse again from the archive,
    because both were applied when the files were read; other products or costs only move links.
    """
    state = current_state(settings)
    if state.generation == 0 or state.mappings == mappings.hash:
        return state.generation
    with open_reader(settings) as reader:
        applied = published_with(reader)
    if applied != (mappings.currency, mappings.timezone):
        say("the currency or the time zone of metrics.yaml changed: every archived file is read again")
        return rebuild(settings, mappings, say)
    say("products or costs of metrics.yaml changed: they are applied to all rows")
    return republish(settings, mappings, say)


def ensure_readable(settings: Settings, mappings: Mappings, say: Callable[[str], None] = _silent) -> None:
    """Make a warehouse of another version of this program again from the archive, before something is written to it."""
    try:
        open_reader(settings).close()
    except Outdated as outdated:
        say(f"the warehouse was made by another version of this program (it has no {outdated.lacks}): every archived file is read again")
        rebuild(settings, mappings, say)


def republish(settings: Settings, mappings: Mappings, say: Callable[[str], None] = _silent) -> int:
    """Apply the mappings to the rows that are there and publish the result."""
    with drafting(settings, waiting=say) as draft:
        if draft.base.mappings == mappings.hash:  # another process was first
            return draft.base.generation
        settle(draft.store, mappings, every_fact())
        return draft.publish([], mappings).generation


def rebuild(settings: Settings, mappings: Mappings, say: Callable[[str], None] = _silent) -> int:
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
