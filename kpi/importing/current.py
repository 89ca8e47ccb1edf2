"""Whether what is published was made with the metrics.yaml of now and by this version; if not, it is made anew."""

from __future__ import annotations

from collections.abc import Callable

from kpi.errors import Outdated
from kpi.importing.described import changed, stamp_of
from kpi.settings import Settings
from kpi.warehouse.engines import current_state, open_reader
from kpi.warehouse.holdings import published_with
from kpi.warehouse.mappings import Mappings


def silent(sentence: str) -> None:
    """Say nothing."""


def ensure_current(settings: Settings, mappings: Mappings, say: Callable[[str], None] = silent) -> int:
    """Publish anew if the published generation was made with other mappings; the generation that counts now.

    Costs one small read when nothing changed. Another currency or time zone makes the warehouse again from the archive,
    because both were applied when the files were read, and so does another mapping of files that it has read; other products
    or costs only move links.
    """
    state = current_state(settings)
    own, used = stamp_of(state.mappings)
    rewritten = changed(settings, used)
    if state.generation == 0 or (own == mappings.hash and not rewritten):
        return state.generation
    with open_reader(settings) as reader:
        applied = published_with(reader)
    from kpi.importing.republish import rebuild, republish  # most readers never need what imports files: half a second

    if rewritten:
        say(f"{' and '.join(rewritten)} changed: every archived file is read again")
        return rebuild(settings, mappings, say)
    if applied != (mappings.currency, mappings.timezone):
        say("the currency or the time zone of metrics.yaml changed: every archived file is read again")
        return rebuild(settings, mappings, say)
    say("products or costs of metrics.yaml changed: they are applied to all rows")
    return republish(settings, mappings, say)


def ensure_readable(settings: Settings, mappings: Mappings, say: Callable[[str], None] = silent) -> None:
    """Make a warehouse of another version of this program again from the archive, before something is written to it."""
    try:
        open_reader(settings).close()
    except Outdated as outdated:
        from kpi.importing.republish import rebuild

        say(f"the warehouse was made by another version of this program (it has no {outdated.lacks}): every archived file is read again")
        rebuild(settings, mappings, say)
