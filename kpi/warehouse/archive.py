"""The raw exports, kept for good: compressed, each under the SHA-256 of its bytes, with a log of what was imported.

    archive/imports.jsonl                  one line an import, in order; a line's number is the run's id
    archive/3f/3f9a….zst                   the bytes, zstd
    archive/incoming-<pid>-<any>-<n>.part  bytes on their way in

The log counts up to the line that CURRENT names; what stands behind it belongs to an import that was killed before
it was published, and the next import cuts it off.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import itertools
import json
import os
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import zstandard

from kpi.errors import WarehouseError
from kpi.warehouse.home import sync_file, sync_folder

#: Packing a block takes longer than a thread waits for the interpreter.
_CHUNK: Final = 4 << 20
_NUMBERS: Final = itertools.count()


@dataclass(frozen=True)
class Entry:
    """A line of the log.

    Attributes:
        time: UTC, ISO 8601.
        name: the file's name as given; an export's date may stand in it.
        size: bytes, uncompressed.
        options: what the import was told beside the bytes: as, dates, bad_share, full; ``mapping``: the SHA-256 of the
            text that described the file, which the archive keeps too.
    """

    time: str
    name: str
    size: int
    sha256: str
    connector: str
    imported_by: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def imported_at(self) -> dt.datetime:
        """``time`` as UTC without a zone."""
        return dt.datetime.fromisoformat(self.time).replace(tzinfo=None)


class Archive:
    """The archive of one home. Reading needs no lock; everything that writes is called by the holder of import.lock."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "archive"
        self.log = self.folder / "imports.jsonl"

    def entries(self, lines: int) -> tuple[Entry, ...]:
        """The first ``lines`` lines of the log.

        Raises:
            WarehouseError: there are fewer, or one can't be read.
        """
        try:
            with self.log.open(encoding="utf-8") as log:
                read = [Entry(**json.loads(text)) for text in itertools.islice(log, lines)]
        except FileNotFoundError:
            read = []
        except (ValueError, TypeError) as error:
            raise WarehouseError(f"{self.log} is damaged: {error}") from error
        if len(read) < lines:
            raise WarehouseError(
                f"the warehouse holds {lines} imports and {self.log} only {len(read)}: use the KPI_HOME in which they were imported"
            )
        return tuple(read)

    def blob(self, sha256: str) -> Path:
        """Where the bytes lie."""
        return self.folder / sha256[:2] / f"{sha256}.zst"

    def unpack(self, entry: Entry, folder: Path) -> Path:
        """The bytes as they came, in a file of ``folder`` that keeps the name's ending.

        Raises:
            WarehouseError: they are missing or damaged.
        """
        path = folder / f"{entry.sha256}-{Path(entry.name).name[-80:]}"
        digest = hashlib.sha256()
        try:
            with self.blob(entry.sha256).open("rb") as packed, path.open("wb") as plain:
                for chunk in zstandard.ZstdDecompressor().read_to_iter(packed, read_size=_CHUNK, write_size=_CHUNK):
                    digest.update(chunk)
                    plain.write(chunk)
        except (FileNotFoundError, zstandard.ZstdError) as error:
            raise WarehouseError(
                f"the archived bytes of {entry.name} ({self.blob(entry.sha256)}) are missing or damaged: {error}"
            ) from error
        if digest.hexdigest() != entry.sha256:
            raise WarehouseError(f"the archived bytes of {entry.name} ({self.blob(entry.sha256)}) are not those that were imported")
        return path

    def receive(self, path: Path) -> Incoming:
        """Begin to hash and compress ``path`` in a thread of its own.

        May be called before the lock is held; another process may then remove the part, see :attr:`Incoming.is_there`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        return Incoming(path, self.folder / f"{_incoming()}{next(_NUMBERS)}.part")

    def keep(self, incoming: Incoming) -> None:
        """Give received bytes their final name; twice the same is kept once."""
        final = self.blob(incoming.sha256)
        final.parent.mkdir(exist_ok=True)
        incoming.part.replace(final)
        sync_folder(final.parent)

    def keep_text(self, content: bytes) -> str:
        """Keep a mapping's text, durably; the SHA-256 it lies under."""
        sha256 = hashlib.sha256(content).hexdigest()
        final = self.blob(sha256)
        if not final.exists():
            final.parent.mkdir(parents=True, exist_ok=True)
            part = self.folder / f"{_incoming()}{next(_NUMBERS)}.part"
            part.write_bytes(zstandard.compress(content))
            sync_file(part)
            part.replace(final)
            sync_folder(final.parent)
        return sha256

    def text(self, sha256: str, what: str) -> bytes:
        """A text that :meth:`keep_text` kept.

        Raises:
            WarehouseError: it is missing or damaged.
        """
        try:
            content = zstandard.ZstdDecompressor().decompress(self.blob(sha256).read_bytes(), max_output_size=1 << 26)
        except (OSError, zstandard.ZstdError) as error:
            raise WarehouseError(f"{what} ({self.blob(sha256)}) is missing from the archive or damaged: {error}") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise WarehouseError(f"{what} ({self.blob(sha256)}) is not the text that was used")
        return content

    def append(self, entries: Sequence[Entry]) -> None:
        """Write lines behind the last one, durably. They count once CURRENT says so."""
        with self.log.open("ab") as log:
            for entry in entries:
                log.write((json.dumps(asdict(entry), ensure_ascii=False) + "\n").encode())
            log.flush()
            os.fsync(log.fileno())
        sync_folder(self.folder)

    def clean(self, lines: int) -> None:
        """Cut the log to its first ``lines`` lines and remove what killed imports left."""
        for part in self.folder.glob("incoming-*.part"):
            if not part.name.startswith(_incoming()):
                part.unlink(missing_ok=True)
        if not self.log.exists():
            return
        raw = self.log.read_bytes().splitlines(keepends=True)
        if len(raw) <= lines:
            return
        kept = b"".join(raw[:lines])
        counted = {entry.sha256 for entry in self.entries(lines)}
        with self.log.open("r+b") as log:
            log.truncate(len(kept))
            os.fsync(log.fileno())
        for line in raw[lines:]:
            try:
                sha256 = Entry(**json.loads(line)).sha256
            except (ValueError, TypeError):  # the half line of a kill in mid-write
                continue
            if sha256 not in counted:
                self.blob(sha256).unlink(missing_ok=True)


@functools.cache
def _incoming() -> str:
    """How the names of this process's parts begin; in a container the number of a process comes again."""
    return f"incoming-{os.getpid()}-{secrets.token_hex(4)}-"


def stamp(path: Path) -> tuple[int, int]:
    """What differs when a file was written to: its size and the time of its last change."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns


class Incoming:
    """Bytes on their way into the archive.

    Attributes:
        path, stamp: the file, and what was so of it when this began.
        part: the compressed bytes, under a name that says they are not whole.
        sha256, size: known after :meth:`wait`.
    """

    def __init__(self, path: Path, part: Path) -> None:
        self.path = path
        self.stamp = stamp(path)
        self.part = part
        self.sha256 = ""
        self.size = 0
        self._stopped = False
        self._failure: BaseException | None = None
        part.touch()
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)
        self._thread.start()

    def is_of(self, path: Path, now: tuple[int, int]) -> bool:
        """Whether these are the bytes of ``path`` as it is now, and the part was not removed before the lock was held."""
        return self.path == path and self.stamp == now and self.part.exists()

    def wait(self) -> None:
        """Return when all bytes are compressed and on the disk.

        Raises:
            OSError: they could not be read or written.
        """
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def discard(self) -> None:
        """Stop and remove what was written; harmless after :meth:`Archive.keep`."""
        self._stopped = True
        self._thread.join()
        self.part.unlink(missing_ok=True)

    def _run(self) -> None:
        digest = hashlib.sha256()
        try:
            # Level 1: exports are text, which it packs to a fifth at the speed of reading.
            packing = zstandard.ZstdCompressor(level=1)
            with self.path.open("rb") as plain, self.part.open("wb") as file, packing.stream_writer(file, closefd=False) as packed:
                while not self._stopped and (chunk := plain.read(_CHUNK)):
                    digest.update(chunk)
                    packed.write(chunk)
                    self.size += len(chunk)
            sync_file(self.part)
        except BaseException as error:
            self._failure = error
        self.sha256 = digest.hexdigest()


def hash_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
