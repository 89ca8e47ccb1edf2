"""The names of systems that metrics.yaml may speak of."""

from __future__ import annotations

from pathlib import Path
from typing import Final

#: Systems that no connector reads yet. A company names them in its definitions before a file of theirs is there, so each
#: has one spelling.
_OTHERS: Final = (
    *("chargebee", "gocardless", "paddle", "recurly"),
    *("dynamics", "pipedrive"),
    *("asana", "github", "gitlab", "linear"),
    *("gong", "intercom", "zendesk"),
)


def known(sources: Path) -> tuple[str, ...]:
    """All of them: those that can be imported from first, in the order of the registry, then the mappings of ``sources``."""
    from kpi.sources import folder  # only check asks, and show shall not wait for them

    return tuple(dict.fromkeys((*folder.names(sources), *_OTHERS)))
