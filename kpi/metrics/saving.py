"""metrics.yaml written whole or not at all, each time with a version in the records; and changes made elsewhere recognised as such.

Who saves says what the file was when the change was begun. If it is something else by then nothing is written, so that neither
side overwrites the other. File and version are written in one transaction of the records, which nobody else writes beside; if the
version can't be kept, the file stays as it was.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kpi.errors import DefinitionsError, FileMoved, NotSaved, UsageError
from kpi.metrics.changes import changes
from kpi.metrics.definitions import checked
from kpi.metrics.given import Look
from kpi.metrics.model import Definitions
from kpi.records import versions
from kpi.records.opening import PATIENCE_S, records
from kpi.records.versions import Origin, Version, hash_of
from kpi.settings import Settings
from kpi.yamlfile import MAX_BYTES

#: Characters of a reason and of a name.
MOST_REASON: Final = 500
MOST_AUTHOR: Final = 80
_BOM: Final = "\ufeff"


@dataclass(frozen=True)
class Written:
    """What a file holds.

    Attributes:
        content: its bytes; ``hash`` is of them.
    """

    content: bytes

    @property
    def hash(self) -> str:
        """Tells one content from another."""
        return hash_of(self.content)

    @property
    def text(self) -> str:
        """As an editor shows it: without a byte order mark, lines ended by ``\\n``."""
        text = self.content.decode("utf-8", "replace").removeprefix(_BOM)
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def with_text(self, text: str) -> bytes:
        """A changed text as it is written: with this file's mark and ends of lines."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if b"\r\n" in self.content:
            text = text.replace("\n", "\r\n")
        mark = _BOM if self.content.startswith(_BOM.encode()) else ""
        return (mark + text).encode("utf-8", "replace")


@dataclass(frozen=True)
class Saving:
    """A change that is to be saved.

    Attributes:
        base: hash of the file that it was made of; None: whatever it is.
        restores: the version whose text it has.
    """

    content: bytes
    base: str | None
    author: str
    reason: str
    origin: Origin = "page"
    restores: int | None = None


def read(path: Path) -> Written:
    """The file as it stands.

    Raises:
        NotSaved: it can't be read, or is no file of definitions for its size.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotSaved(f"{path} can't be read: {error.strerror or error}; KPI_METRICS says where the definitions are") from error
    if len(content) > MAX_BYTES:
        raise NotSaved(f"{path} is larger than {MAX_BYTES // 1_000_000} MB; definitions are far smaller")
    return Written(content)


def why_not(path: Path) -> str | None:
    """Why a file can't be written, with what to do, before anybody types; None where nothing speaks against it."""
    place = path.resolve()
    if not place.exists():
        return f"{path} is not there; KPI_METRICS says where the definitions are."
    if not os.access(place, os.W_OK):
        return f"{path} is read-only for this program; {_WAY_ON}"
    if not os.access(place.parent, os.W_OK | os.X_OK):
        return f"the folder of {path} is read-only for this program, and a file is replaced whole; {_WAY_ON}"
    return None


_WAY_ON: Final = "change it where it comes from, such as Git, or let the user that runs this program write it"


def note(settings: Settings, look: Look | None = None, patience_s: int = PATIENCE_S) -> Version | None:
    """Record the file as a version where it was changed elsewhere since the last one; None where it was not, or isn't sound.

    Raises:
        NotSaved: the file can't be read. RecordsError: the records can't be used.
    """
    now = read(settings.metrics)
    with records(settings, patience_s=patience_s) as connection:
        last = None if connection is None else versions.newest(connection)
    if last is not None and last[0].content_hash == now.hash:
        return None
    made, _ = checked(now.content, str(settings.metrics), look)
    if made is None:
        return None
    with records(settings, write=True, patience_s=patience_s) as connection:
        assert connection is not None  # noqa: S101 - asked for writing
        return _noted(connection, settings, now, made, look)


def save(settings: Settings, one: Saving, look: Look | None = None, systems: Collection[str] = ()) -> Version:
    """Write the file and its version, both or neither.

    Raises:
        DefinitionsError: the text has problems. FileMoved: the file is no longer ``base``.
        NotSaved: the file can't be written. RecordsError: the version can't be. UsageError: no name or no reason.
    """
    author, reason = _said(one.author, MOST_AUTHOR, "your name"), _said(one.reason, MOST_REASON, "a reason, for those who read it later")
    path = settings.metrics
    made, problems = checked(one.content, str(path), look, systems)
    if made is None or problems:
        raise DefinitionsError(problems)
    before = read(path)
    was, _ = checked(before.content, str(path), look)
    with records(settings, write=True) as connection:
        assert connection is not None  # noqa: S101 - asked for writing
        now = read(path)
        if now.hash != (one.base or before.hash):
            raise FileMoved(str(path), now.content)
        if was is not None:
            _noted(connection, settings, now, was, look)
        touched = {} if was is None else _touched(was, made)
        version = Version(one.origin, author, reason, hash_of(one.content), made.hash, touched, one.restores)
        kept = versions.keep(connection, version, one.content)
        replace_file(path, one.content)
    return kept


def replace_file(path: Path, content: bytes) -> None:
    """Have a file hold something else from one instant to the next, with the rights it had; a link stays one.

    Raises:
        NotSaved: it can't be written; it holds what it held.
    """
    place = path.resolve()
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        before = place.stat()
        with part.open("wb") as file:
            os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
            with suppress(OSError):  # only root may give files away
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not os.access(place, os.W_OK):  # a folder that can be written would let a protected file be replaced
            raise PermissionError(13, "it is read-only")
        part.replace(place)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise NotSaved(f"{path} can't be written: {error.strerror or error}; nothing was saved; {_WAY_ON}") from error


def _noted(connection: versions.Connection, settings: Settings, now: Written, made: Definitions, look: Look | None) -> Version | None:
    """The file as a version of its own, unless the last one is the same."""
    last = versions.newest(connection)
    if last is not None and last[0].content_hash == now.hash:
        return None
    touched: Mapping[str, str] = {}
    if last is not None:
        before, _ = checked(last[1], str(settings.metrics), look)
        touched = {} if before is None else _touched(before, made)
    version = Version("file", "", "changed outside this program" if last else "as it was found", now.hash, made.hash, touched)
    return versions.keep(connection, version, now.content)


def _touched(before: Definitions, after: Definitions) -> dict[str, str]:
    """Metric -> how, of everything that differs: figures, and words and targets as ``changed``."""
    said = changes(before, after)
    found: dict[str, str] = {one.name: one.how for one in said.touched}
    others = (*(one.metric for one in said.targets), *(one.about for one in said.words if one.about in after.metrics))
    return found | {name: "changed" for name in others if found.get(name) in (None, "through")}


def _said(text: str, most: int, what: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise UsageError(f"nothing was saved: write {what}")
    if len(words) > most:
        raise UsageError(f"nothing was saved: {what} may have {most} characters, and this has {len(words)}")
    return words
