"""What a column of an unknown file holds, as far as its cells show it: the facts that a draft of a mapping is made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connectors.base import Record, Trouble
from connectors.documents import Document, Sample, is_json, text_of
from connectors.packing import NotATable
from connectors.parsing import Broken
from connectors.reading import HEADER_WITHIN, head_records, open_texts, records
from kpi.errors import Unreadable
from kpi.printing import printable
from kpi.warehouse.casting import folded
from kpi.warehouse.shapes import Undecided, date_shape

#: Records that are looked at, and different texts of a column that are kept.
SEEN: Final = 20_000
_DISTINCT: Final = 1000
#: Wider tables are no exports that somebody maps by hand; headers that are longer are content.
_MOST_COLUMNS: Final = 400
MOST_HEADER: Final = 120
#: Objects in objects that are looked into.
_DEEPEST: Final = 8

_DAY: Final = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|\d{1,2}[ /-][A-Za-z]{3,9}\.?[ /,-]+\d{2,4}"
    r"|[A-Za-z]{3,9}\.? \d{1,2},? \d{4})(?:[T ,]+\d{1,2}:\d{2}.*)?"
)
_NUMBER: Final = re.compile(r"[-+(−]?\s?[€$£¥]?\s?-?\d[\d.,' ]*\s?[€$£¥%]?\s?\)?")
_COMPACT: Final = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_FLAGS: Final = frozenset({"0", "1", "true", "false", "yes", "no", "y", "n", "t", "f", "x"})
_CODE: Final = re.compile(r"[A-Za-z]{3}")
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Profile:
    """A column.

    Attributes:
        header: as written, with single blanks.
        kind: day, compact (20260131), number, flag, code (three letters), mail, text or empty.
        filled, unique: how many cells hold something, and whether no two hold the same.
        texts: different texts, in the order of the file; ``many`` when there are more.
        question: why days can be read in two ways; empty where they can't.
    """

    header: str
    kind: str
    filled: int
    unique: bool
    texts: tuple[str, ...]
    many: bool
    question: str = ""


@dataclass(frozen=True)
class Sheet:
    """A file of an unknown layout.

    Attributes:
        header: the cells that are taken for the names of columns, or the keys of JSON's objects; ``line`` is where they stand.
        columns: those with a name of their own.
        left_out: why other cells of the header are none, a sentence each.
        rows: records looked at.
        whole: those are all.
        sample: of JSON, what its first objects hold.
    """

    header: tuple[str, ...]
    line: int
    columns: tuple[Profile, ...]
    left_out: tuple[str, ...]
    rows: int
    whole: bool
    sample: Sample | None = None


def look(path: Path, folder: Path) -> Sheet:
    """Look at a file; copies go to ``folder``.

    Raises:
        Unreadable: it is no table, and no JSON with objects.
    """
    try:
        texts = open_texts(path, folder)
        if is_json(texts[0]):
            return _objects(Document(texts[0]), path)
    except NotATable as error:
        raise Unreadable(f"{path} can't be read: {error}") from error
    text = next((one for one in texts if not one.is_hidden), texts[0])
    tried = [(*_header(head_records(text, mark)), -at) for at, mark in enumerate(text.delimiters)]
    width, alike, header, at = max(tried, key=lambda one: (one[0], one[1], one[3]))
    delimiter = text.delimiters[-at]
    if header is None or width < 1 or not alike:
        raise Unreadable(f"{path}: no row of it looks like the names of columns with rows of the same width below it")
    names, left_out = _names(header.cells)
    cells: dict[int, list[str]] = {at: [] for at in names}
    rows = 0
    whole = True
    for record in records(text, delimiter):
        if isinstance(record, Broken) or record.line <= header.line or not any(cell.strip() for cell in record.cells):
            continue
        if rows >= SEEN:
            whole = False
            break
        rows += 1
        for at in names:
            cells[at].append(record.cells[at].strip() if at < len(record.cells) else "")
    profiles = tuple(_profile(name, cells[at]) for at, name in names.items())
    return Sheet(tuple(header.cells), header.line, profiles, tuple(left_out), rows, whole)


def _objects(document: Document, path: Path) -> Sheet:
    """The objects of a file of JSON: of several lists of them the longest, and of those the outermost.

    Raises:
        NotATable: its JSON is damaged.
        Unreadable: it holds no objects.
    """
    sample = max(document.samples(), key=lambda one: (one.count, -len(one.path)), default=Sample(()))
    if not sample.names:
        raise Unreadable(f"{path}: it holds JSON without any record, an object")
    cells: dict[str, list[str]] = {}
    listed: dict[str, None] = {}
    rows = 0
    whole = True
    for found in document.records(sample.path):
        if isinstance(found, Trouble):
            continue
        if rows >= SEEN:
            whole = False
            break
        for name, value in _leaves(found.value, "", listed):
            cells.setdefault(name, []).extend([""] * (rows - len(cells.get(name, ()))))
            cells[name].append(text_of(value).strip())
        rows += 1
    # of what is null in one record another may hold an object
    holding = {name.rpartition(".")[0] for name in cells} | listed.keys()
    names, said = _names([name for name in cells if name not in holding])
    said += [f"{printable(name)[:MOST_HEADER]} is a list of objects" for name in listed]
    profiles = [_profile(name, [*cells[name], *[""] * (rows - len(cells[name]))]) for name in names.values() if name in cells]
    return Sheet(tuple(sample.names), 1, tuple(profiles), tuple(said), rows, whole, sample)


def _leaves(value: dict[str, Any], above: str, listed: dict[str, None]) -> Iterator[tuple[str, Any]]:
    """The values of an object and of those in it, by their dotted names; of lists of objects only the name, in ``listed``."""
    for key, inner in value.items():
        name = f"{above}.{key}" if above else key
        if isinstance(inner, dict):
            if above.count(".") < _DEEPEST:
                yield from _leaves(inner, name, listed)
        elif isinstance(inner, list) and any(isinstance(item, dict | list) for item in inner):
            listed[name] = None
        else:
            yield name, inner


def _header(head: Sequence[Record]) -> tuple[int, int, Record | None]:
    """How many names the likeliest header has, how many of the rows below are as wide, and the header."""
    best: tuple[int, int, Record | None] = (0, 0, None)
    for at, record in enumerate(head[:HEADER_WITHIN]):
        names = [cell.strip() for cell in record.cells if cell.strip()]
        worded = [name for name in names if not _NUMBER.fullmatch(name) and not _DAY.fullmatch(name)]
        below = head[at + 1 : at + 21]
        alike = sum(len(other.cells) == len(record.cells) for other in below)
        if len(worded) * 2 > len(names) and alike * 2 >= len(below) > 0 and len(names) > best[0]:
            best = (len(names), alike, record)
    return best


def _names(header: Sequence[str]) -> tuple[dict[int, str], list[str]]:
    """Position -> name, each once; and what is wrong with the others."""
    names: dict[int, str] = {}
    said: list[str] = []
    taken: set[str] = set()
    for at, cell in enumerate(header):
        name = " ".join(cell.split())
        if not name:
            said.append(f"column {at + 1} has no name")
        elif len(name) > MOST_HEADER or "\x00" in name or len(names) >= _MOST_COLUMNS:
            said.append(f"the name of column {at + 1} is too long for one")
        elif folded(name) in taken:
            said.append(f"column {at + 1} is called as one before it")
        else:
            names[at] = name
            taken.add(folded(name))
    return names, said


def _profile(header: str, cells: Iterable[str]) -> Profile:
    given = [cell for cell in cells if cell]
    distinct = list(dict.fromkeys(given))
    kind = _kind(distinct)
    question = ""
    if kind == "day":
        try:
            date_shape(header, distinct, None)
        except Undecided as undecided:
            question = undecided.question
    return Profile(header, kind, len(given), len(distinct) == len(given), tuple(distinct[:_DISTINCT]), len(distinct) > _DISTINCT, question)


def _kind(texts: Sequence[str]) -> str:
    """What most of the texts are; one in twenty may be something else."""
    if not texts:
        return "empty"
    if len(texts) <= 3 and {text.casefold() for text in texts} <= _FLAGS:
        return "flag"
    for kind, pattern in (("day", _DAY), ("compact", _COMPACT), ("number", _NUMBER), ("mail", _MAIL), ("code", _CODE)):
        if sum(pattern.fullmatch(text) is not None for text in texts) * 20 >= len(texts) * 19:
            return kind
    return "text"
