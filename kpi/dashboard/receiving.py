"""Files that somebody uploads: written to a folder of their own, imported by one thread beside the pages, and reported.

How they are imported is told by ``app.py``: a page may not import what writes the warehouse. What a browser calls a file is
hostile: no more than its last part is kept, without what can't be printed, and the folder goes when the import is over.
"""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from kpi.errors import KpiError
from kpi.settings import AmountUnits, DateOrder, Settings

#: Files of one upload.
MOST_FILES: Final = 50
#: Sentences kept of what goes on.
_MOST_SAID: Final = 200
#: Characters of a name that are kept.
_LONGEST: Final = 120
_BLOCK: Final = 1 << 20
_STRANGE: Final = re.compile(r"[^\w .()+,@-]")

BUSY: Final = "Another upload is being imported; yours can follow when it is done."
FAILED: Final = "Something failed that should not; the server's log says what. What was there before stands."
NOT_HERE: Final = "This server doesn't take files; python -m kpi import FILE does."


class Uploaded(Protocol):
    """A file as the browser sent it."""

    name: str

    def seek(self, place: int, /) -> int:
        """Go to a byte."""

    def read(self, size: int = ..., /) -> bytes:
        """The next bytes."""


@dataclass(frozen=True)
class Asked:
    """What the user said of the files; None leaves it to them."""

    dates: DateOrder | None = None
    amounts: AmountUnits | None = None


@dataclass(frozen=True)
class Line:
    """What became of a file, as ``python -m kpi import`` prints it."""

    file: str
    recognised: str
    status: str
    read: int
    loaded: int
    rejected: int
    message: str


@dataclass(frozen=True)
class Received:
    """What became of an upload: a line a file, what concerns several of them, and the generation that counts then."""

    lines: tuple[Line, ...]
    questions: tuple[str, ...]
    generation: int


#: Imports the files of a folder: what was said of them, and whom to tell what goes on.
Importer = Callable[[Settings, Path, Asked, Callable[[str], None]], Received]


@dataclass(frozen=True)
class State:
    """Where an upload stands.

    Attributes:
        said: what went on, oldest first.
        received, failure: at its end, one of them.
    """

    running: bool = False
    said: tuple[str, ...] = ()
    received: Received | None = None
    failure: str = ""


class Receiving:
    """One import at a time; its outcome stays until the next one begins, or somebody has read it."""

    def __init__(self) -> None:
        self.importer: Importer | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._state = State()

    @property
    def state(self) -> State:
        """Where the last upload stands."""
        with self._lock:
            return self._state

    def start(self, settings: Settings, files: Sequence[Uploaded], asked: Asked) -> str:
        """Begin to import ``files``; a sentence where that can't be, else empty."""
        importer = self.importer
        if importer is None:
            return NOT_HERE
        if len(files) > MOST_FILES:
            return f"{len(files)} files are more than one upload takes; it takes {MOST_FILES}, and python -m kpi import FOLDER any number."
        with self._lock:
            if self._state.running:
                return BUSY
            self._state = State(running=True)
        folder = settings.home / "uploads" / secrets.token_hex(8)
        try:
            written(files, folder)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            self._ended(failure=f"The files can't be kept for the import: {error.strerror or error}.")
            return ""
        self._thread = threading.Thread(target=self._import, args=(importer, settings, folder, asked), name="receiving", daemon=True)
        self._thread.start()
        return ""

    def forget(self) -> None:
        """The outcome was read."""
        with self._lock:
            if not self._state.running:
                self._state = State()

    def wait(self) -> None:
        """Until what is being imported has been; for tests."""
        if self._thread is not None:
            self._thread.join()

    def _import(self, importer: Importer, settings: Settings, folder: Path, asked: Asked) -> None:
        try:
            self._ended(importer(settings, folder, asked, self._say))
        except KpiError as error:
            self._ended(failure=str(error))
        except Exception:
            logging.getLogger("kpi").exception("an upload could not be imported")
            self._ended(failure=FAILED)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _say(self, sentence: str) -> None:
        with self._lock:
            self._state = replace(self._state, said=(*self._state.said, sentence)[-_MOST_SAID:])

    def _ended(self, received: Received | None = None, failure: str = "") -> None:
        with self._lock:
            self._state = State(False, self._state.said, received, failure)


def written(files: Sequence[Uploaded], folder: Path) -> list[Path]:
    """The files in a new folder, under names that mean nothing to any program."""
    folder.mkdir(parents=True)
    paths: list[Path] = []
    for file in files:
        name = safe_name(file.name)
        path = folder / name
        number = 2
        while path.exists():
            path = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
            number += 1
        file.seek(0)
        with path.open("xb") as target:
            _copy(file, target)
        paths.append(path)
    return paths


def _copy(file: Uploaded, target: BinaryIO) -> None:
    while block := file.read(_BLOCK):
        target.write(block)


def safe_name(name: str) -> str:
    """The last part of a file's name, of letters, digits and a few marks; never hidden, never empty."""
    last = _STRANGE.sub("_", name.replace("\\", "/").rpartition("/")[2]).lstrip(" .-")
    if len(last) > _LONGEST:
        last = last[: _LONGEST - 12] + last[-12:]
    return last or "file"


@cache
def receiving() -> Receiving:
    """The one of this process."""
    return Receiving()
