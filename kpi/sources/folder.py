"""The folder of mappings: every file in it, those without problems ready to read exports."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors import CONNECTORS
from connectors.base import Connector
from kpi.errors import Problem
from kpi.sources.reading import Source, read
from kpi.yamlfile import MAX_BYTES

_ENDINGS: Final = (".yaml", ".yml")
#: More mappings than a company has systems; each is tried on every file.
_MOST_FILES: Final = 200


@dataclass(frozen=True)
class Folder:
    """What the folder holds.

    Attributes:
        sources: the mappings without problems, by file name.
        problems: of the others, in the order of files and lines.
    """

    sources: tuple[Source, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def connectors(self) -> tuple[Connector, ...]:
        """What they describe."""
        return tuple(source.connector for source in self.sources)

    def named(self, name: str) -> Source | None:
        """The mapping of a system."""
        return next((source for source in self.sources if source.connector.name == name), None)


def load(folder: Path) -> Folder:
    """Read every mapping of ``folder``; none where there is no such folder. Never raises for what a file holds."""
    if not folder.is_dir():
        return Folder()
    sources: list[Source] = []
    problems: list[Problem] = []
    taken = {connector.name for connector in CONNECTORS}
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS and not path.name.startswith("."))
    for path in files[:_MOST_FILES]:
        source, found = read_file(path, taken)
        problems += found
        if source is not None:
            sources.append(source)
            taken.add(source.connector.name)
    if len(files) > _MOST_FILES:
        problems.append(
            Problem(str(folder), 1, "", f"more than {_MOST_FILES} mappings; {files[_MOST_FILES].name} and those behind it are left out")
        )
    return Folder(tuple(sources), tuple(problems))


def read_file(path: Path, taken: Collection[str] = ()) -> tuple[Source | None, list[Problem]]:
    """Read one mapping; see :func:`kpi.sources.reading.read`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        return None, [Problem(str(path), 1, "", f"the file can't be opened: {error.strerror or error}")]
    return read(content, str(path), taken)


def names(folder: Path) -> tuple[str, ...]:
    """The systems whose exports can be imported: those that connectors know, and those that mappings of ``folder`` describe."""
    return tuple(connector.name for connector in (*CONNECTORS, *load(folder).connectors))


def digest(source: Source) -> str:
    """SHA-256 of a mapping's text, hex: under it the archive keeps the text."""
    return hashlib.sha256(source.content).hexdigest()
