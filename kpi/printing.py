"""Text of strangers on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text on one line, with what can't be printed (line breaks, escapes, marks of direction) written out as ``\\n``."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
