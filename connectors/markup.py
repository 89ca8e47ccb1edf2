"""XML of a plain shape as arrays: which tags stand in a block of it and where, told at the speed of a scan.

A workbook's parts hold millions of tags of a dozen kinds. A parser that calls back for each takes ten times as long as
looking at all of them together. What is not of the plain shape — prefixes, comments, stray text — is :class:`Unlike` it,
and is for a parser; so nothing is read here that one would refuse.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Places = npt.NDArray[np.int64]

_REFERENCE: Final = re.compile(r"&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});")
#: Characters that XML can't hold, not even by number.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Unlike(Exception):
    """The XML is not of the shape that is looked for."""


@dataclass(frozen=True)
class Shape:
    """The tags that may stand in a block, and which may follow which.

    Attributes:
        names: of elements, none the beginning of another's first two letters.
        follows: tag -> tags that may come next: ``c`` opens, ``c/`` is empty, ``/c`` closes.
        texts: the elements that hold text.
    """

    names: tuple[str, ...]
    follows: Mapping[str, Iterable[str]]
    texts: frozenset[str]

    def kind(self, tag: str) -> int:
        """A tag's number; 0 is none of them."""
        at = 1 + 3 * self.names.index(tag.strip("/"))
        return at + (1 if tag.endswith("/") else 2 if tag.startswith("/") else 0)

    def starts(self) -> npt.NDArray[np.uint8]:
        """Kind by a tag's first two bytes, the lower one first."""
        table = np.zeros(1 << 16, np.uint8)
        for name in self.names:
            ways = [name[:2]] if len(name) > 1 else [f"{name}{end}" for end in " >/"]
            for way in ways:
                table[int.from_bytes(way.encode(), "little")] = self.kind(name)
            table[int.from_bytes(f"/{name[0]}".encode(), "little")] = self.kind(f"/{name}")
        return table

    def pairs(self) -> npt.NDArray[np.bool_]:
        """Whether one kind may follow another."""
        made = np.zeros((3 * len(self.names) + 1,) * 2, np.bool_)
        for tag, after in self.follows.items():
            for other in after:
                made[self.kind(tag), self.kind(other)] = True
        return made


@dataclass(frozen=True)
class Tags:
    """The tags of a block: their kinds, and where the marks stand that begin and end them."""

    content: npt.NDArray[np.uint8]
    kinds: npt.NDArray[np.uint8]
    begins: Places
    ends: Places


class Scanner:
    """Finds the tags of blocks of one shape."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._starts = shape.starts()
        self._pairs = shape.pairs()
        # bytes from < to >: at least so many, and of those that close exactly
        self._least = np.array([0, *(size for name in shape.names for size in (len(name) + 1, len(name) + 2, len(name) + 2))])
        self._closes = np.array([False, *([False, False, True] * len(shape.names))])
        self._speaks = np.isin(np.arange(len(self._least)), [shape.kind(name) for name in shape.texts])

    def tags(self, block: bytes) -> Tags:
        """The tags of a block that begins and ends with one.

        Raises:
            Unlike: another tag, an order of its own, text where none belongs, or characters that XML has not.
        """
        if b"\r" in block:  # XML 1.0, 2.11: however a line ends, it is one newline
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        content = np.frombuffer(block, np.uint8)
        low = np.count_nonzero(content < 32)
        if low and low != block.count(b"\n") + block.count(b"\t"):
            raise Unlike
        begins = np.flatnonzero(content == ord("<"))
        ends = np.flatnonzero(content == ord(">"))
        if not len(begins) or len(begins) != len(ends) or begins[0] != 0 or ends[-1] != len(content) - 1:
            raise Unlike
        if not ((begins < ends).all() and (ends[:-1] < begins[1:]).all() and (ends - begins > 1).all()):
            raise Unlike
        kinds = self._starts[windows(content, np.uint16)[begins + 1]]
        kinds[(content[ends - 1] == ord("/")) & (kinds % 3 == 1)] += 1
        sizes, least = ends - begins, self._least[kinds]
        if not (kinds.all() and (np.where(self._closes[kinds], sizes == least, sizes >= least)).all()):
            raise Unlike
        if not self._pairs[kinds[:-1], kinds[1:]].all():
            raise Unlike
        silent = ends[:-1] + 1 == begins[1:]
        if not (silent | self._speaks[kinds[:-1]]).all():
            raise Unlike
        self._check_names(content, kinds, begins)
        return Tags(content, kinds, begins, ends)

    def _check_names(self, content: npt.NDArray[np.uint8], kinds: npt.NDArray[np.uint8], begins: Places) -> None:
        """Whole names: two letters told them so far, and of those that close how long they are."""
        for name in self.shape.names:
            if len(name) == 1:
                continue
            for tag in (name, f"{name}/", f"/{name}"):
                at = begins[kinds == self.shape.kind(tag)] + 1
                whole = tag.removesuffix("/")
                if any((content[at + step] != letter).any() for step, letter in enumerate(whole.encode())):
                    raise Unlike
                behind = content[at + len(whole)]
                if not ((behind == ord(" ")) | (behind == ord(">")) | (behind == ord("/"))).all():
                    raise Unlike


def windows(content: npt.NDArray[np.uint8], kind: Any) -> npt.NDArray[Any]:
    """The number of ``kind`` that begins at each byte, the lower byte first."""
    size = np.dtype(kind).itemsize
    return np.ndarray((max(0, len(content) - size + 1),), np.dtype(kind).newbyteorder("<"), content, 0, (1,))


def slices(content: npt.NDArray[np.uint8], begins: Places, ends: Places) -> pa.Array:
    """The texts from ``begins`` to ``ends``, which go upwards, as they are written.

    Raises:
        Unlike: they are not UTF-8.
    """
    if not len(begins):
        return pa.array([], pa.string())
    borders = np.empty(2 * len(begins), np.int32)
    borders[0::2], borders[1::2] = begins, ends
    every = pa.Array.from_buffers(pa.binary(), len(borders) - 1, [None, pa.py_buffer(borders), pa.py_buffer(content)])
    try:
        return every.take(pa.array(np.arange(0, len(borders), 2, dtype=np.int32))).cast(pa.string())
    except pa.ArrowInvalid:
        raise Unlike from None


def unescaped(texts: pa.Array) -> pa.Array:
    """Texts with what their references stand for.

    Raises:
        Unlike: one stands for nothing.
    """
    marked = pc.match_substring(texts, "&")
    return altered(texts, marked, _unescape)


def altered(texts: pa.Array, where: pa.Array, change: Any) -> pa.Array:
    """``texts`` with those changed that ``where`` says."""
    if not pc.any(where).as_py():
        return texts
    chosen = texts.filter(where).dictionary_encode()
    changed = pa.array([change(text) for text in chosen.dictionary.to_pylist()], pa.string())
    return pc.replace_with_mask(texts, where, changed.take(chosen.indices))


def _unescape(text: str) -> str:
    if text.count("&") != len(_REFERENCE.findall(text)):
        raise Unlike
    made = _REFERENCE.sub(lambda match: html.unescape(match[0]) if match[0][1] != "#" else _numbered(match[0][2:-1]), text)
    if _FORBIDDEN.search(made):
        raise Unlike
    return made


def _numbered(digits: str) -> str:
    number = int(digits[1:], 16) if digits[0] == "x" else int(digits)
    if number > 0x10FFFF:
        raise Unlike
    return chr(number)
