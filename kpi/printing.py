"""Text of strangers on a terminal and in a spreadsheet."""

from __future__ import annotations

from typing import Final

#: A text that begins so, blanks aside, is run as a formula by one spreadsheet or another.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def printable(text: str) -> str:
    """The text on one line, with what can't be printed (line breaks, escapes, marks of direction) written out as ``\\n``."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run it."""
    return text.lstrip(" ").startswith(_FORMULA_STARTS)


def harmless(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if is_formula(text) else text
