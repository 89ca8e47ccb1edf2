"""``watch``: what is new in some places is imported, each file once and only when it is whole.

A file counts as whole when it has stayed the same for some seconds: between two looks, or, on this machine, since it
was last changed. An object of S3 or Google's storage appears whole. What was seen is kept under the home, so that a
watch that was stopped or killed goes on where it was; importing the same bytes twice changes nothing anyway.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kpi.errors import KpiError
from kpi.importing.files import Input, named
from kpi.importing.places import WHOLE
from kpi.warehouse.home import write_durably

#: Seconds for which a file must stay the same.
SETTLE_S: Final = 10.0
_SEEN: Final = "watched.json"

Stamp = list[str]


@dataclass(frozen=True)
class _File:
    """A file of a place, with its members where it is a zip of this machine.

    Attributes:
        stamp: changes when the file does.
        changed: seconds since 1970 as this machine's clock has them; None where another clock wrote them; 0: it is whole.
    """

    name: str
    stamp: Stamp
    changed: float | None
    inputs: tuple[Input, ...]


class Watch:
    """What is known of some places.

    Args:
        home: the folder in which it is kept what was seen.
        words: the places: folders, patterns, addresses, files.
        settle_s: how long a file must stay the same.
        clock: seconds since 1970.
    """

    def __init__(self, home: Path, words: Sequence[str], settle_s: float = SETTLE_S, clock: Callable[[], float] = time.time) -> None:
        self._home, self._words, self._settle_s, self._clock = home, words, settle_s, clock
        self._seen: dict[str, Stamp] = {}
        self._waiting: dict[str, tuple[Stamp, float]] = {}
        with suppress(FileNotFoundError, ValueError):
            found = json.loads((home / _SEEN).read_text(encoding="utf-8"))
            self._seen = found if isinstance(found, dict) else {}

    @property
    def waits(self) -> bool:
        """Whether the last look left files that may still be in the making."""
        return bool(self._waiting)

    def look(self, say: Callable[[str], None]) -> list[Input]:
        """The files that are new and whole. A place that can't be read is told, and left for the next look."""
        ready: list[Input] = []
        waiting: dict[str, tuple[Stamp, float]] = {}
        now = self._clock()
        for word in self._words:
            try:
                files = list(_files(named(word)))
            except KpiError as error:
                say(str(error))
                continue
            for file in files:
                if self._seen.get(file.name) == file.stamp:
                    continue
                stamp, since = self._waiting.get(file.name, (file.stamp, now))
                since = since if stamp == file.stamp else now
                waiting[file.name] = (file.stamp, since)
                changed = since if file.changed is None else min(since, file.changed)
                if now - changed >= self._settle_s:
                    ready += file.inputs
        self._waiting = waiting
        return ready

    def imported(self, inputs: Sequence[Input]) -> None:
        """These were read or refused: they are looked at again when they change.

        Raises:
            OSError: the home can't be written.
        """
        for name in {_name(one) for one in inputs} & self._waiting.keys():
            self._seen[name] = self._waiting.pop(name)[0]
        self._home.mkdir(parents=True, exist_ok=True)
        write_durably(self._home / _SEEN, json.dumps(self._seen, ensure_ascii=False, indent=0).encode())


def _name(one: Input) -> str:
    return one.name if one.remote is not None else str(one.path.absolute())


def _files(inputs: Sequence[Input]) -> Iterator[_File]:
    members: dict[str, list[Input]] = {}
    for one in inputs:
        members.setdefault(_name(one), []).append(one)
    for name, found in members.items():
        remote = found[0].remote
        if remote is not None:
            yield _File(name, list(remote.stamp), 0.0 if remote.scheme in WHOLE else None, tuple(found))
            continue
        with suppress(OSError):  # gone since the folder was read
            state = found[0].path.lstat() if found[0].refused else found[0].path.stat()
            yield _File(name, [str(state.st_size), str(state.st_mtime_ns), str(state.st_ino)], state.st_mtime, tuple(found))
