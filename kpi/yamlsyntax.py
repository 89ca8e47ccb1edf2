"""What YAML's parser can't read: in which line, and in a sentence for who wrote it."""

from __future__ import annotations

import re
from typing import Final

import yaml

_WORD: Final = re.compile(r"[A-Za-z0-9_-]+\Z")
#: Sentences that say where a line begins.
_MISPLACED: Final = "this line doesn't fit what stands above it; check the indentation and the quotes"
_COLON: Final = 'a ":" where no key can stand; check the indentation of this line, or put text that holds ": " in quotes'
INDENTATION: Final = (_MISPLACED, _COLON)
NO_COLON: Final = 'a key without ":"; write "key: value"'


def line_of(error: yaml.MarkedYAMLError, lines: list[str]) -> int:
    """The line to look at, from 1: of a key without its colon the key's, of what isn't closed the one that opens it, or its last."""
    words = str(error.problem)
    begun = "end of stream" in words or "<stream end>" in words or "could not find expected" in words
    mark = (error.context_mark if begun else None) or error.problem_mark or error.context_mark
    if mark is None:
        return 1
    line = int(mark.line)
    before_it, here = lines[line][: mark.column].strip(), lines[line][mark.column : mark.column + 1]
    if "expected ',' or" in words and not begun and (not before_it or (here == ":" and _WORD.match(before_it))):  # a line begins here
        line = next((before for before in range(line - 1, -1, -1) if lines[before].strip()), line)
    return line + 1


def sentence_of(error: yaml.MarkedYAMLError) -> str:
    """A sentence for a syntax error; the parser's own words where it has nothing to add."""
    words = (error.problem or "can't be read").replace("\n", " ")
    if "mapping values are not allowed" in words:
        return _COLON
    if "expected alphabetic or numeric character" in words:
        return "a value can't begin with * or &; put it in quotes"
    if "cannot start any token" in words:
        character = words.split("'")[1] if "'" in words else "this character"
        return f"a value can't begin with {character}; put it in quotes"
    if "expected <block end>" in words:
        return _MISPLACED
    if "could not find expected ':'" in words:
        return NO_COLON
    if "expected ',' or" in words:
        return "a comma or a closing bracket is missing; put text that holds commas, quotes or brackets in quotes"
    if "expected the node content" in words:
        return "a value is missing here; write it, or remove the comma or the bracket before it"
    if "unexpected end of stream" in words:
        return "a quote is opened and never closed"
    return f"this is not YAML: {words}"
