"""Cells as a careful person reads them: without what nobody sees, and without what a spreadsheet put around them."""

from __future__ import annotations

import re
from typing import Final

#: Zero-width blanks, marks of direction and of byte order, soft hyphens. A joiner stays: scripts and emoji need it.
INVISIBLE: Final = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
#: Blanks of every kind and control characters, which no cell means at its ends; joiners join nothing there.
_EDGES: Final = (
    "".join(map(chr, range(33)))
    + "\x7f\x85\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\u200c\u200d"
    + "".join(map(chr, range(0x2000, 0x200B)))
)
#: Digits of double width with the marks of numbers and dates, and no letters.
_WIDE: Final = re.compile("[\uff10-\uff19\uff0c\uff0e\uff0d\uff0f\uff1a\uff08\uff09\uff0b\\x00-\\x40\u20ac\u00a3\u00a5]*")
_WIDE_DIGIT: Final = re.compile("[\uff10-\uff19]")
#: What a spreadsheet keeps as text: ="00123".
_FORMULA: Final = re.compile(r'="([^"]*)"')
#: What somebody marked as text: '00123.
_MARKED: Final = re.compile(r"'[-+(]*[\d.,:/ ’€$£%()-]*\d[\d.,:/ ’€$£%()-]*")


def tidy(cell: str) -> str:
    """A cell's text; what it says stays as it is."""
    if not cell:
        return cell
    first = cell[0]
    if "'" < first < "\x7f" and first != "=" and " " < cell[-1] < "\x7f" and cell.isascii():
        return cell  # as nearly all cells are
    if not cell.isascii():
        cell = INVISIBLE.sub("", cell)
        if _WIDE_DIGIT.search(cell) and _WIDE.fullmatch(cell):
            cell = "".join(chr(ord(letter) - 0xFEE0) if "\uff01" <= letter <= "\uff5e" else letter for letter in cell)
    cell = cell.strip(_EDGES)
    if cell[:1] == "=" and (match := _FORMULA.fullmatch(cell)):
        return match[1].strip(_EDGES)
    if cell[:1] == "'" and _MARKED.fullmatch(cell):
        return cell[1:]
    return cell
