"""Which mappings a generation was read with: as the folder has them now, else as the archive kept them.

What is published says the mappings behind the hash of metrics.yaml: ``3f9a… ravenstack=8c1e… tills=04bd…``, each with the
SHA-256 of its text. A rebuild reads with the folder's text where there is one, so that a correction counts for what was
imported before it, and else with the text that was used last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from kpi.errors import WarehouseError
from kpi.settings import Settings
from kpi.warehouse.archive import Archive
from kpi.warehouse.mappings import Mappings

if TYPE_CHECKING:
    from kpi.sources.folder import Folder
    from kpi.sources.reading import Source


def stamped(mappings: Mappings, used: Mapping[str, str]) -> Mappings:
    """The mappings of metrics.yaml under a hash that says the used mappings of files as well."""
    words = [f"{name}={sha256}" for name, sha256 in sorted(used.items())]
    return replace(mappings, hash=" ".join([mappings.hash, *words]))


def stamp_of(published: str) -> tuple[str, dict[str, str]]:
    """The hash of metrics.yaml's part, and name -> SHA-256 of the mappings in use."""
    own, *words = published.split(" ")
    return own, dict(word.split("=", 1) for word in words if "=" in word)


def changed(settings: Settings, used: Mapping[str, str]) -> list[str]:
    """Files of the folder that would read otherwise what an older text of theirs has read."""
    if not used:
        return []
    from kpi.sources import folder  # it loads the connectors, which no other question needs

    found = []
    now = folder.load(settings.sources)
    for name, sha256 in sorted(used.items()):
        source = now.named(name)
        if source is not None and folder.digest(source) != sha256 and kept(settings, name, sha256).connector != source.connector:
            found.append(source.file)
    return found


def kept(settings: Settings, name: str, sha256: str) -> Source:
    """A mapping as the archive keeps it.

    Raises:
        WarehouseError: it is missing, damaged, or nothing that this version reads.
    """
    from kpi.sources.reading import read

    content = Archive(settings.home).text(sha256, f"the mapping of {name}")
    source, problems = read(content, f"the archived mapping of {name}")
    if source is None:
        raise WarehouseError(f"{problems[0]}; put a mapping of {name} that has no problems into {settings.sources} and rebuild")
    return source


def in_use(settings: Settings, used: Mapping[str, str], read_with: Iterable[tuple[str, str]]) -> dict[str, Source]:
    """Name -> the mapping to read with.

    Args:
        used: what is published says so.
        read_with: what the archive's lines say, where that says nothing.
    """
    from kpi.sources import folder

    now: Folder = folder.load(settings.sources)
    wanted = dict(read_with) | dict(used)
    return {name: now.named(name) or kept(settings, name, sha256) for name, sha256 in wanted.items()}
