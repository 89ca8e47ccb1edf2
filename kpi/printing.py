"""Text of strangers on a terminal and in a spreadsheet."""

from __future__ import annotations

from typing import Final

#: Texts that begin so would be run as formulas by a spreadsheet.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def printable(text: str) -> str:
    """The text on one line, with what can't be printed (line breaks, escapes, marks of direction) written out as ``\\n``."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def harmless(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
