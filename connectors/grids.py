"""Sheets whose XML is as plain as nearly all programs write it -> CSV, whole columns of tags at a time.

The same cells come out as of :mod:`connectors.workbook`'s parser, whose meanings these are; where the XML is not plain
(prefixes, comments, rich text, cells that don't say where they stand) :class:`connectors.markup.Unlike` says so.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.evening import FIRST_ROWS, is_sparse
from connectors.markup import Places, Scanner, Shape, Tags, Unlike, altered, slices, unescaped, windows
from connectors.packing import NotATable
from connectors.serials import moment_of, number_of
from connectors.streamed import GROWN, MOST_TEXTS, About

#: XML that is looked at at once: the arrays of its tags take thirty times as much memory.
_BLOCK: Final = 1 << 19
#: Blocks that are laid out at the same time; as many wait to be written, so that more would cost memory.
_THREADS: Final = 2
#: A row longer than this is no plain one.
_LONGEST_ROW: Final = 4 << 20
#: Letters of shared texts in one block; more is for the parser, which writes cell by cell.
_MOST_LETTERS: Final = 16 << 20
_MOST_COLUMNS: Final = 16_384
_ATTRIBUTES: Final = re.compile(r'(?:\s+[\w:]+="[^"<&]*")*\s*/?')
_ATTRIBUTE: Final = re.compile(r'\s([\w:]+)="([^"]*)"')
#: A number that is shown as it is written: no more digits than Excel shows, and no zeros to leave away.
_SHOWN: Final = r"^-?(?:[0-9]{1,15}|(?:0|[1-9][0-9]{0,8})\.[0-9]{0,5}[1-9])$"
#: The same of a number's shortest text, which has no sign before a zero.
_SHORT: Final = r"^(?:0|-?[1-9][0-9]{0,14}|-?(?:0|[1-9][0-9]{0,8})\.[0-9]{0,5}[1-9])$"
#: Milliseconds of a day; days from 30 December 1899 to 1970, and to the year 10000.
_DAY: Final = 86_400_000
_UNIX: Final = 25_569
_LAST_DAY: Final = 2_958_465.99999
_NOTHING: Final = pa.scalar("", pa.large_string())
_LINE_END: Final = pa.scalar("\n", pa.large_string())
_COMMA: Final = pa.scalar(",", pa.large_string())
_CELLS: Final = Shape(
    ("row", "c", "v", "f", "is", "t"),
    {
        "row": ("c", "c/", "/row"),
        "row/": ("row", "row/"),
        "/row": ("row", "row/"),
        "c": ("v", "v/", "f", "f/", "is", "/c"),
        "c/": ("c", "c/", "/row"),
        "/c": ("c", "c/", "/row"),
        "f": ("/f",),
        "f/": ("v", "v/", "/c"),
        "/f": ("v", "v/", "/c"),
        "v": ("/v",),
        "v/": ("/c",),
        "/v": ("/c",),
        "is": ("t", "t/"),
        "t": ("/t",),
        "t/": ("/is",),
        "/t": ("/is",),
        "/is": ("/c",),
    },
    frozenset(("v", "f", "t")),
)
_TEXTS: Final = Shape(
    ("si", "t"),
    {"si": ("t", "t/", "/si"), "si/": ("si", "si/"), "t": ("/t",), "t/": ("/si",), "/t": ("/si",), "/si": ("si", "si/")},
    frozenset(("t",)),
)


def blocks(source: IO[bytes], begin: bytes, cut: bytes, around: Callable[[bytes, bool], None]) -> Iterator[bytes]:
    """The XML between the tag ``begin`` and what follows the last ``cut``, some MB at a time, each ending in ``cut``.

    Args:
        around: is given what stands before and behind, and whether it is the last.

    Raises:
        Unlike: there is no such part, or one piece is longer than a plain one.
    """
    pending = source.read(_BLOCK)
    declared = re.match(rb'<\?xml[^>]*encoding=["\']([^"\']*)', pending.removeprefix(b"\xef\xbb\xbf"))
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        raise Unlike
    at = pending.find(begin)
    end = pending.find(b">", at) + 1
    if at < 0 or end == 0 or pending[end - 2 : end - 1] == b"/" or b"<!--" in pending[:end] or b"<![" in pending[:end]:
        raise Unlike
    around(pending[:end], False)
    pending = pending[end:].lstrip()
    while chunk := source.read(_BLOCK):
        if (last := pending.rfind(cut)) >= 0:
            yield pending[: last + len(cut)]
            pending = pending[last + len(cut) :].lstrip()
        pending += chunk
        if len(pending) > _LONGEST_ROW:
            raise Unlike
    if (last := pending.rfind(cut)) >= 0:
        yield pending[: last + len(cut)]
        pending = pending[last + len(cut) :]
    around(pending, True)


def held_texts(source: IO[bytes], around: Callable[[bytes, bool], None]) -> pa.Array:
    """The texts that sheets share.

    Raises:
        Unlike: they have letters of several kinds, or readings beside them.
        NotATable: there are too many.
    """
    scanner = Scanner(_TEXTS)
    made: list[pa.Array] = []
    count = 0
    for block in blocks(source, b"<sst", b"</si>", around):
        tags = scanner.tags(block)
        item = (tags.kinds == scanner.shape.kind("si")) | (tags.kinds == scanner.shape.kind("si/"))
        count += int(item.sum())
        if count > MOST_TEXTS:
            raise NotATable(f"the workbook holds more than {MOST_TEXTS:,} texts; export it as .csv")
        opens = np.flatnonzero(tags.kinds == scanner.shape.kind("t"))
        found = unescaped(slices(tags.content, tags.ends[opens] + 1, tags.begins[opens + 1]))
        where = np.full(int(item.sum()), -1, np.int64)
        where[np.cumsum(item)[opens] - 1] = np.arange(len(opens))
        made.append(pc.fill_null(found.take(pa.array(where, mask=where < 0)), ""))
    return pa.concat_arrays(made).cast(pa.large_string()) if made else pa.array([], pa.large_string())


def quoted(texts: pa.Array) -> pa.Array:
    """Texts as cells of a CSV."""
    marked = pc.or_(pc.or_(pc.match_substring(texts, '"'), pc.match_substring(texts, ",")), pc.match_substring_regex(texts, "[\r\n]"))
    if not pc.any(marked).as_py():
        return texts
    inside = pc.replace_substring(texts.filter(marked), '"', '""')
    mark = pa.scalar('"', texts.type)
    return pc.replace_with_mask(texts, marked, pc.binary_join_element_wise(mark, inside, mark, pa.scalar("", texts.type)))


@dataclass(frozen=True)
class _Lines:
    """Rows of one block: how many have cells, how many cells each was given, the letters and cells of all, and the CSV."""

    rows: int
    width: int
    size: int
    content: bytes | memoryview


class Grid:
    """Writes a sheet's rows as CSV, a block of them at a time.

    Attributes:
        count: rows that have cells.
        width: cells that every row is given, see :attr:`connectors.evening.Even.width`.
    """

    def __init__(self, about: About, target: IO[bytes]) -> None:
        self.count = 0
        self.width = 0
        self._least: int | None = None
        self._about = about
        self._target = target
        self._scanner = Scanner(_CELLS)
        self._texts = quoted(about.held) if about.held is not None else pa.array([], pa.large_string())
        self._lengths = pc.binary_length(self._texts)
        self._size = 0

    def write_all(self, source: IO[bytes], around: Callable[[bytes, bool], None]) -> tuple[int, int]:
        """The sheet whose XML ``source`` is; ``count`` and ``width``. ``around`` is given what stands before and behind the rows."""
        rest = blocks(source, b"<sheetData", b"</row>", around)
        for block in rest:
            made = self._laid(block)
            self._write(made)
            if made.rows:
                self.width = self._least = made.width
                break
        # numpy and Arrow let other threads run, and so does unpacking
        with ThreadPoolExecutor(_THREADS, "sheet") as pool:
            waiting: deque[Future[_Lines]] = deque()
            try:
                for block in rest:
                    waiting.append(pool.submit(self._laid, block))
                    if len(waiting) > _THREADS:
                        self._write(waiting.popleft().result())
                while waiting:
                    self._write(waiting.popleft().result())
            finally:
                for future in waiting:
                    future.cancel()
        return self.count, self.width

    def _write(self, made: _Lines) -> None:
        self._size += made.size
        if self._size > self._about.allowed:
            raise NotATable(GROWN)
        if made.rows:
            self._target.write(made.content)
            self._target.write(b"\n")
            self.count += made.rows
            self.width = min(self.width, made.width)

    def _laid(self, block: bytes) -> _Lines:
        """Rows of XML, from the first one's beginning to the last one's end, as lines of CSV.

        Raises:
            Unlike: it isn't plain.
            NotATable: a number is none, or the cells are many times what they come from.
        """
        tags = self._scanner.tags(block)
        kind = self._scanner.shape.kind
        is_row = (tags.kinds == kind("row")) | (tags.kinds == kind("row/"))
        rows, digits = self._numbers(tags, np.flatnonzero(is_row))
        cells = np.flatnonzero((tags.kinds == kind("v")) | (tags.kinds == kind("t")))
        cells = cells[tags.ends[cells] + 1 < tags.begins[cells + 1]]  # with something in them
        # the cell that a value stands in begins some tags before it: <c><v>, <c><f></f><v>, <c><f/><v>, <c><is><t>
        before = tags.kinds[cells - 1]
        heads = cells - np.where(before == kind("c"), 1, np.where(before == kind("/f"), 3, 2))
        row_of = np.cumsum(is_row)[heads] - 1
        columns, kinds = self._heads(tags, heads, digits[row_of])
        texts = self._values(tags, cells, kinds)
        return self._lines(rows, row_of, columns, texts)

    def _numbers(self, tags: Tags, at: Places) -> tuple[Places, Places]:
        """The number of each row, and how many digits it has."""
        begins, size = tags.begins[at], len(tags.content)
        if not len(at) or (tags.ends[at] - begins < 9).any():
            raise Unlike
        if (windows(tags.content, np.uint64)[begins] != int.from_bytes(b'<row r="', "little")).any():
            raise Unlike
        numbers = np.zeros(len(at), np.int64)
        digits = np.zeros(len(at), np.int64)
        for step in range(8):
            byte = tags.content[np.minimum(begins + 8 + step, size - 1)]
            here = (digits == step) & (byte >= ord("0")) & (byte <= ord("9"))
            numbers[here] = numbers[here] * 10 + byte[here] - ord("0")
            digits += here
        if (digits == 0).any() or (tags.content[np.minimum(begins + 8 + digits, size - 1)] != ord('"')).any():
            raise Unlike
        return numbers, digits

    def _heads(self, tags: Tags, heads: Places, digits: Places) -> tuple[Places, pa.DictionaryArray]:
        """The column of each cell, and what else its tag says."""
        content, begins, ends = tags.content, tags.begins[heads], tags.ends[heads]
        last = len(content) - 1
        if (windows(content, np.uint32)[begins + 2] != int.from_bytes(b' r="', "little")).any():
            raise Unlike
        columns = np.zeros(len(heads), np.int64)
        letters = np.zeros(len(heads), np.int64)
        for step in range(3):
            byte = content[np.minimum(begins + 6 + step, last)]
            here = (letters == step) & (byte >= ord("A")) & (byte <= ord("Z"))
            columns = np.where(here, columns * 26 + byte - 64, columns)
            letters += here
        rest = begins + 6 + letters + digits + 1
        if (
            (letters == 0).any()
            or (rest > ends).any()
            or (columns > _MOST_COLUMNS).any()
            or (content[np.minimum(rest - 1, last)] != ord('"')).any()
        ):
            raise Unlike
        return columns - 1, slices(content, rest, ends).dictionary_encode()

    def _values(self, tags: Tags, at: Places, kinds: pa.DictionaryArray) -> pa.Array:
        """The text of each cell, as a cell of a CSV."""
        about = [self._kind(words) for words in kinds.dictionary.to_pylist()]
        codes = kinds.indices.to_numpy()
        made: list[pa.Array] = []
        order: list[Places] = []
        for kind in dict.fromkeys(about):
            wanted = np.array([one == kind for one in about])
            chosen = np.flatnonzero(wanted[codes])
            raw = slices(tags.content, tags.ends[at[chosen]] + 1, tags.begins[at[chosen] + 1])
            made.append(self._read(kind, raw))
            order.append(chosen)
        if not made:
            return pa.array([], pa.large_string())
        back = np.empty(len(at), np.int64)
        back[np.concatenate(order)] = np.arange(len(at))
        return pa.concat_arrays([part.cast(pa.large_string()) for part in made]).take(pa.array(back))

    def _kind(self, words: str) -> str:
        """How cells are to be read: s, b, n, d (days) or t (as they stand)."""
        if not _ATTRIBUTES.fullmatch(words):
            raise Unlike
        said = dict(_ATTRIBUTE.findall(words))
        kind = said.get("t", "n")
        if kind == "n":
            return "d" if int(said.get("s", 0)) in self._about.days else "n"
        return kind if kind in ("s", "b") else "t"

    def _read(self, kind: str, raw: pa.Array) -> pa.Array:
        if kind == "t":
            return quoted(unescaped(raw))
        if pc.any(pc.match_substring(raw, "&")).as_py():
            raise Unlike
        if kind == "s":
            return self._shared(raw)
        if kind == "b":
            return pc.if_else(pc.equal(pc.ascii_trim_whitespace(raw), "1"), "TRUE", "FALSE")
        return moments(raw, self._about.since_1904) if kind == "d" else numbers(raw)

    def _shared(self, raw: pa.Array) -> pa.Array:
        try:
            at = raw.cast(pa.int64())
        except pa.ArrowInvalid:
            raise Unlike from None
        if len(at) and not 0 <= pc.min(at).as_py() <= pc.max(at).as_py() < len(self._texts):
            raise IndexError("a shared text that is not there")
        if (pc.sum(self._lengths.take(at)).as_py() or 0) > _MOST_LETTERS:  # a long text in every cell
            raise Unlike
        return self._texts.take(at)

    def _lines(self, rows: Places, row_of: Places, columns: Places, texts: pa.Array) -> _Lines:
        widths = np.zeros(len(rows), np.int64)
        np.maximum.at(widths, row_of, columns + 1)
        filled = np.zeros(len(rows), np.bool_)
        filled[row_of[pc.greater(pc.binary_length(texts), 0).to_numpy(zero_copy_only=False)]] = True
        count = int(filled.sum())
        width = int(widths[filled][:FIRST_ROWS].max(initial=0)) if self._least is None else self._least
        width = 0 if is_sparse(width * count, len(columns)) else width
        widths = np.maximum(widths, width)
        widths[~filled] = -1
        starts = np.concatenate(([0], np.cumsum(widths + 1)))  # a row's number stands before its cells
        total = int(starts[-1])
        size = total + int(pc.sum(pc.binary_length(texts)).as_py() or 0)
        if size > self._about.allowed:
            raise NotATable(GROWN)
        if is_sparse(total, len(columns)):  # better read cell by cell
            raise Unlike
        if not total:
            return _Lines(0, width, 0, b"")
        where = np.full(total, -1, np.int64)
        kept = filled[row_of]
        where[starts[row_of[kept]] + 1 + columns[kept]] = np.flatnonzero(kept)
        numbers = pa.array(rows[filled]).cast(pa.large_string())
        where[starts[:-1][filled]] = len(texts) + np.arange(len(numbers))
        every = pa.concat_arrays([texts, pc.binary_join_element_wise(_NOTHING, numbers, _LINE_END)])
        cells = pc.fill_null(every.take(pa.array(where, mask=where < 0)), "")
        lines = pc.binary_join(pa.ListArray.from_arrays(pa.array(np.append(starts[:-1][filled], total), pa.int32()), cells), _COMMA)
        # each line begins with the end of the one before
        content = memoryview(lines.buffers()[2])[1 : pc.sum(pc.binary_length(lines)).as_py()]
        return _Lines(count, width, size, content)


def numbers(raw: pa.Array) -> pa.Array:
    """As :func:`connectors.serials.number_of`."""
    long = pc.invert(pc.match_substring_regex(raw, _SHOWN))
    if not pc.any(long).as_py():
        return raw
    # Excel writes 17 digits and shows 15; the shortest text of the same number is mostly what it shows
    chosen = raw.filter(long)
    try:
        short = chosen.cast(pa.float64()).cast(pa.string())
    except pa.ArrowInvalid:
        raise Unlike from None
    odd = pc.invert(pc.match_substring_regex(short, _SHORT))
    changed = pc.if_else(odd, altered(chosen, odd, number_of), short)
    return pc.replace_with_mask(raw, long, changed)


def moments(raw: pa.Array, since_1904: bool) -> pa.Array:
    """As :func:`connectors.serials.moment_of`."""
    try:
        serial = raw.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        raise Unlike from None
    offset = np.where(since_1904, 1462, np.where(serial >= 61, 0, 1))
    plain = (serial >= 1) & (serial + offset <= _LAST_DAY)
    stamps = np.rint(np.where(plain, serial, 1) * _DAY).astype(np.int64) + (offset - _UNIX) * _DAY
    shown = pa.array(stamps, pa.timestamp("ms")).cast(pa.string())  # 2026-01-31 23:59:59.000
    second = pc.if_else(pa.array(stamps % 1000 == 0), pc.utf8_slice_codeunits(shown, 0, 19), shown)
    whole = pc.if_else(pa.array(stamps % _DAY == 0), pc.utf8_slice_codeunits(shown, 0, 10), second)
    peculiar = altered(raw, pa.array(~plain), lambda text: moment_of(float(text), since_1904) or number_of(text))
    return pc.if_else(pa.array(plain), whole, peculiar)
