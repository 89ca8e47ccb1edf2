"""What the words behind ``import`` name: files, folders, and the members of zips."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kpi.errors import Unreadable, UsageError

#: Endings that exports have; other files of a folder (a readme, a picture) are left alone.
_ENDINGS: Final = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xls", ".xlsm", ".json", ".jsonl", ".ndjson", ".gz", ".zip"})

#: Unpacked bytes of one zip; more is taken for a bomb. The largest exports seen are a few GB.
_UNPACKED: Final = 20 << 30


@dataclass(frozen=True)
class Input:
    """One file to import.

    Attributes:
        name: as the user gave it; a zip's member is ``exports.zip/Account.csv``.
        path: where its bytes lie.
        member: what to unpack from the zip at ``path``; empty for the file itself.
    """

    name: str
    path: Path
    member: str = ""

    def placed(self, folder: Path) -> Path:
        """Where the bytes can be read; a member is unpacked into ``folder``.

        Raises:
            Unreadable: the member is encrypted, damaged, or larger than it says.
        """
        if not self.member:
            return self.path
        target = folder / Path(self.member).name[-120:]
        try:
            with zipfile.ZipFile(self.path) as packed, packed.open(self.member) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            raise Unreadable(f"{self.name} can't be unpacked ({error}); unpack it yourself and import the folder") from error
        return target


def find(words: Sequence[str]) -> list[Input]:
    """Every file that the words name, in their order; a folder's by name.

    Raises:
        UsageError: a word names nothing.
    """
    found: list[Input] = []
    for word in words:
        path = Path(word)
        if path.is_dir():
            found += [one for file in sorted(path.rglob("*")) if _is_export(file, path) for one in _inputs(file)]
        elif path.is_file():
            found += _inputs(path)
        else:
            raise UsageError(f"there is no file or folder {word}")
    if not found:
        raise UsageError(f"{' '.join(words)} holds no exports; their names end in {', '.join(sorted(_ENDINGS))}")
    return found


def _is_export(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in file.relative_to(folder).parts)
    return file.is_file() and not hidden and file.suffix.lower() in _ENDINGS


def _inputs(file: Path) -> Iterator[Input]:
    if file.suffix.lower() != ".zip":
        yield Input(str(file), file)
        return
    try:
        with zipfile.ZipFile(file) as packed:
            members = [m for m in packed.infolist() if not m.is_dir() and _is_export_name(m.filename)]
    except (zipfile.BadZipFile, OSError):
        yield Input(str(file), file)  # staging says what is wrong with it
        return
    if sum(member.file_size for member in members) > _UNPACKED:
        yield Input(str(file), file)
        return
    for member in sorted(members, key=lambda m: m.filename):
        yield Input(f"{file}/{member.filename}", file, member.filename)


def _is_export_name(name: str) -> bool:
    path = Path(name)
    return not any(part.startswith((".", "__MACOSX")) for part in path.parts) and path.suffix.lower() in _ENDINGS - {".zip"}
