"""Packed files: gzip and zip, opened within limits, so that a small file can't fill a disk or a minute.

What is declared is looked at first: a bomb then costs no unpacking at all. What is unpacked is counted against what it
came from while it comes, since gzip declares nothing and a zip may lie.
"""

from __future__ import annotations

import contextlib
import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final

from connectors.base import NotATable as NotATable

#: Unpacked size at which an archive is refused, and the ratio beyond which it is a bomb: real exports pack 5 to 40 times.
MOST_UNPACKED: Final = 8 << 30
#: Of all members of a zip together; the largest exports seen are a few GB.
_MOST_TOGETHER: Final = 20 << 30
MOST_RATIO: Final = 250
#: Packed bytes that every ratio is measured against at least, since a short file may pack very well.
_LEAST_PACKED: Final = 4096
#: The directory of a zip that is read: ten thousand members with long names fit.
_MOST_DIRECTORY: Final = 2 << 20
_CHUNK: Final = 1 << 20
GZIP: Final = b"\x1f\x8b"
ZIP: Final = b"PK\x03\x04"


_TOO_LARGE: Final = f"unpacked it is more than {MOST_UNPACKED >> 30} GB or {MOST_RATIO} times its size, which no export is"


def gunzip(path: Path, target: Path) -> Path:
    """Unpack a gzip file into ``target``."""
    try:
        with path.open("rb") as packed, gzip.GzipFile(fileobj=packed) as source:
            pour(source, target, packed.tell)
    except (OSError, EOFError, zlib.error) as error:
        raise NotATable("its gzip data are damaged or cut off") from error
    return target


@contextlib.contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip whose directory is of a size that can be read, and whose members don't share their bytes.

    Raises:
        NotATable: damaged, encrypted, or a bomb.
    """
    if directory_size(path) > _MOST_DIRECTORY:
        raise NotATable("the archive holds more files than a person exports; unpack it and import the folder")
    try:
        with zipfile.ZipFile(path) as archive:
            refuse_bombs(path, archive.infolist())
            yield archive
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, struct.error, ValueError) as error:
        raise NotATable("its zip data are damaged, cut off or encrypted") from error


def directory_size(path: Path) -> int:
    """Bytes of a zip's directory as its end says; 0 where there is no end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = max(0, size - 22 - 0xFFFF)
        file.seek(start)
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < 22:
            return 0
        directory: int = struct.unpack_from("<I", tail, at + 12)[0]
        if directory == 0xFFFFFFFF and at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":
            file.seek(struct.unpack_from("<Q", tail, at - 12)[0])
            wide = file.read(56)
            directory = struct.unpack_from("<Q", wide, 40)[0] if len(wide) == 56 else size
    return min(directory, size)


def refuse_bombs(path: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse what only a bomb declares of all its members together.

    Raises:
        NotATable: members that share bytes, or that unpack to more than any export.
    """
    if sum(member.compress_size for member in members) > path.stat().st_size:
        raise NotATable("the files in the archive share their bytes, which only a bomb does")
    if sum(member.file_size for member in members) > _MOST_TOGETHER:
        raise NotATable(f"unpacked it is more than {_MOST_TOGETHER >> 30} GB; unpack it and import the folder")


def refuse_growth(size: int, packed: int) -> None:
    """Refuse ``size`` unpacked bytes that come from ``packed``.

    Raises:
        NotATable: it grows as only a bomb does.
    """
    if size > MOST_UNPACKED or size > max(packed, _LEAST_PACKED) * MOST_RATIO:
        raise NotATable(_TOO_LARGE)


def unzip(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> Path:
    """Unpack one member into ``target``; its name is of no account."""
    refuse_growth(member.file_size, member.compress_size)
    with archive.open(member) as source:
        pour(source, target, lambda: member.compress_size)
    return target


def pour(source: IO[bytes] | gzip.GzipFile, target: Path, consumed: Callable[[], int]) -> None:
    """Unpack ``source`` into ``target``.

    Args:
        consumed: packed bytes that were read so far.

    Raises:
        NotATable: it grows as only a bomb does.
    """
    size = 0
    with target.open("wb") as copy:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            refuse_growth(size - _CHUNK, consumed())
            copy.write(chunk)
