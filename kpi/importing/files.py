"""What the words behind ``import`` name: files, folders, patterns, places elsewhere, standard input, and the members of zips."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.packing import MOST_UNPACKED, NotATable, opened, unzip
from kpi.errors import Unreadable, UsageError
from kpi.importing import places
from kpi.importing.places import Remote
from kpi.printing import printable

#: Endings that exports have; other files of a folder (a readme, a picture) are left alone.
_ENDINGS: Final = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xls", ".xlsm", ".json", ".jsonl", ".ndjson", ".vtt", ".srt", ".gz", ".zip"})

_LINKED: Final = "it is a link to a folder, which may lead in a circle; name that folder itself"

_NO_EXPORTS: Final = f"holds no exports; their names end in {', '.join(sorted(_ENDINGS))}"

#: What stands for several files in a path that DuckDB reads.
_PATTERN: Final = ("*", "?", "[", "\\", "{")
#: Where one file at a time is unpacked.
_UNPACKED_NAME: Final = "unpacked-input"


@dataclass(frozen=True)
class Input:
    """One file to import.

    Attributes:
        name: as the user gave it, with what can't be printed written out; a zip's member is ``exports.zip/Account.csv``.
        path: where its bytes lie.
        member: what to unpack from the zip at ``path``; None for the file itself. A zip may hold two of one name.
        refused: why it can't be imported, where that is known before it is opened.
        remote: where it is fetched from when its turn comes; ``path`` is then nothing.
    """

    name: str
    path: Path
    member: zipfile.ZipInfo | None = None
    refused: str = ""
    remote: Remote | None = None

    @property
    def is_plain(self) -> bool:
        """DuckDB takes the path as it stands: it is UTF-8, and holds none of the marks by which it looks for several files."""
        return (
            self.remote is None
            and not any(mark in str(self.path) for mark in _PATTERN)
            and os.fsencode(self.path).decode(errors="replace") == str(self.path)
        )

    def placed(self, folder: Path, say: Callable[[str], None] = lambda sentence: None) -> Path:
        """Where the bytes can be read; a member is unpacked into ``folder``, a file from elsewhere or with a peculiar name copied there.

        Raises:
            Unreadable: it is refused, can't be fetched, or the member is encrypted, damaged, or grows as only a bomb does.
        """
        target = folder / _UNPACKED_NAME
        if self.refused:
            raise Unreadable(f"{self.name} can't be read: {self.refused}")
        if self.remote is not None:
            self.remote.fetch(target, say)
            return target
        if self.member is None:
            return self.path if self.is_plain else Path(shutil.copyfile(self.path, target))
        try:
            with opened(self.path) as archive:
                unzip(archive, self.member, target)
        except NotATable as error:
            raise Unreadable(f"{self.name} can't be read: {error}") from error
        return target

    def forget(self, folder: Path) -> None:
        """Remove what :meth:`placed` put there."""
        (folder / _UNPACKED_NAME).unlink(missing_ok=True)


def find(words: Sequence[str], landing: Path | None = None, say: Callable[[str], None] = lambda sentence: None) -> list[Input]:
    """Every file that the words name, in their order; those of a folder, a pattern or a place by name.

    Args:
        landing: folder for what must be here before it can be looked into: standard input, and zips from elsewhere.

    Raises:
        UsageError: a word names nothing, or a place can't be read.
    """
    found: list[Input] = []
    for word in words:
        inside = list(_inputs(_standard_input(landing), "standard input")) if word == "-" else named(word)
        if not inside and len(words) > 1:
            inside = [Input(printable(word), Path(word), refused=f"the folder {_NO_EXPORTS}")]
        found += [member for one in inside for member in expanded(one, landing, say)]
    if not found:
        raise UsageError(f"{' '.join(words)} {_NO_EXPORTS}")
    return found


def named(word: str) -> list[Input]:
    """The files that one word names, by name; nothing is fetched. A folder or place may hold none.

    Raises:
        UsageError: it names nothing, or a place that can't be read.
    """
    path = Path(word)
    if places.is_address(word):
        return [Input(remote.name, Path(), remote=remote) for remote in places.find(word, _is_export_name)]
    if path.is_dir():
        return list(_inside(path))
    if path.is_file():
        return list(_inputs(path))
    if matched := _matched(word):
        return [one for file in matched for one in (_inside(file) if file.is_dir() else _inputs(file))]
    raise UsageError(f"there is no file or folder {printable(word)}")


def expanded(one: Input, landing: Path | None, say: Callable[[str], None]) -> Iterator[Input]:
    """The file; of a zip from elsewhere, which is fetched to ``landing``, its members."""
    if one.remote is None or landing is None or not one.name.lower().endswith(".zip"):
        yield one
        return
    landing.mkdir(parents=True, exist_ok=True)
    target = landing / f"{len(list(landing.iterdir()))}.zip"
    try:
        say(f"fetching {one.name}")
        one.remote.fetch(target, say)
    except Unreadable as error:
        yield Input(one.name, target, refused=str(error).removeprefix(one.name).strip())
    else:
        yield from _inputs(target, one.name)


def _matched(word: str) -> list[Path]:
    """What a pattern names that the shell left alone; exports and folders only."""
    if not any(mark in word for mark in "*?["):
        return []
    found = [Path(name) for name in sorted(glob.glob(word, recursive=True))]  # noqa: PTH207 - a pattern may begin at the root
    return [path for path in found if path.is_dir() or path.suffix.lower() in _ENDINGS]


def _standard_input(landing: Path | None) -> Path:
    """A copy, since a file is read more than once."""
    if landing is None:
        raise UsageError("standard input can't be read here")
    if sys.stdin.isatty():
        raise UsageError("- is standard input: pipe a file into it, as in  cat export.csv | python -m kpi import -")
    landing.mkdir(parents=True, exist_ok=True)
    target = landing / "standard-input"
    size = 0
    with target.open("wb") as copy:
        while chunk := sys.stdin.buffer.read(1 << 20):
            size += len(chunk)
            if size > MOST_UNPACKED:
                raise UsageError(f"standard input is longer than {MOST_UNPACKED >> 30} GB")
            copy.write(chunk)
    return target


def _inside(folder: Path) -> Iterator[Input]:
    """The exports of a folder and of those in it, by name; what can't be opened is refused, so that it has its line."""
    refused: dict[Path, str] = {}

    def closed(error: OSError) -> None:
        why = f"the folder can't be opened ({error.strerror or error}), so nothing in it was imported"
        refused[Path(os.fsdecode(error.filename))] = f"{why}; let yourself read it and import it again"

    inside: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=closed):
        inside += [Path(place, name) for name in names]
        linked = [Path(place, name) for name in folders if Path(place, name).is_symlink()]
        refused.update((link, _LINKED) for link in linked)
    for file in sorted([*inside, *refused]):
        if _is_hidden(file, folder):
            continue
        if file in refused:
            yield Input(printable(str(file)), file, refused=refused[file])
        elif file.suffix.lower() in _ENDINGS:
            try:
                if file.is_file():
                    yield from _inputs(file)
                else:
                    reason = "it is a link to nothing" if file.is_symlink() and not file.exists() else "it is no file"
                    yield Input(printable(str(file)), file, refused=reason)
            except PermissionError as error:
                yield Input(printable(str(file)), file, refused=f"it can't be opened ({error.strerror})")


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in file.relative_to(folder).parts)


def _inputs(file: Path, shown: str = "") -> Iterator[Input]:
    """The file, or the members of a zip; ``shown``: what to call it where its path says nothing."""
    shown = shown or printable(str(file))
    if file.suffix.lower() != ".zip":
        yield Input(shown, file)
        return
    try:
        with opened(file) as packed:
            whole = [member for member in packed.infolist() if not member.is_dir()]
    except NotATable as error:
        yield Input(shown, file, refused=str(error))
        return
    members = [member for member in whole if _is_export_name(member.filename)]
    if not members:
        yield Input(shown, file, refused=f"the archive {_NO_EXPORTS}")
        return
    for member in sorted(members, key=lambda m: m.filename):
        name = f"{shown}/{printable(member.filename)}"
        packed_again = member.filename.lower().endswith(".zip")
        yield Input(name, file, member, "it is an archive inside an archive; unpack the outer one" if packed_again else "")


def _is_export_name(name: str) -> bool:
    path = Path(name)
    hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts)
    return not hidden and path.suffix.lower() in _ENDINGS
