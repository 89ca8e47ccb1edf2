"""Commas within ``{ }`` and ``[ ]``: YAML ends a value there, and what was one expression becomes several keys or items.

``{formula: previous(won, 1 month)}`` holds the key ``formula`` with ``previous(won`` and the key ``1 month)`` with
nothing. The pieces are put together again, so that one sentence says what to write instead of one for each piece.
"""

from __future__ import annotations

import re
from typing import Final

from kpi.errors import Problem
from kpi.yamlfile import Entry, Mapping, Scalar, Sequence, Value

_QUOTED: Final = re.compile(r"'(?:[^']|'')*'")
_NUMBER: Final = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?\Z")
_THOUSANDS: Final = re.compile(r"[0-9]{3}(?:\.[0-9]+)?\Z")
#: 1.000,50 and 1250,5 as much of Europe writes them; a year without a value has four digits.
_DECIMALS: Final = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{3})*,[0-9]{1,2}(?: ?%)?\Z|-?[0-9]+,[0-9]{1,2}(?: ?%)?\Z")
_PLACES: Final = re.compile(r"[0-9]{1,2}(?: ?%)?\Z")


def rejoined(value: Value, file: str) -> tuple[Value, list[Problem]]:
    """The tree with values whole again, and a problem for each that was cut."""
    found: list[Problem] = []
    return _whole(value, file, found), found


def _whole(value: Value, file: str, found: list[Problem]) -> Value:
    if isinstance(value, Mapping):
        return Mapping(value.line, value.path, tuple(_entries(value, file, found)))
    if isinstance(value, Sequence):
        return Sequence(value.line, value.path, tuple(_items(value, file, found)))
    return value


def _entries(mapping: Mapping, file: str, found: list[Problem]) -> list[Entry]:
    left = list(mapping.entries)
    whole: list[Entry] = []
    while left:
        entry = left.pop(0)
        value = entry.value
        if not isinstance(value, Scalar) or value.quoted or not value.text:
            whole.append(Entry(entry.key, _whole(value, file, found)))
            continue
        text = value.text
        while left and _continues(text, left[0], value.line):
            text = _joined(text, left.pop(0).key.text)
        if _NUMBER.match(text):
            plain = text.replace(",", "")
            found.append(Problem(file, value.line, value.path, f"{text}: write {plain}, without separators between thousands"))
        elif _DECIMALS.match(text):
            plain = text.replace(".", "").replace(",", ".").replace(" %", "%")
            found.append(Problem(file, value.line, value.path, f"{text}: write {plain}, with a point before decimals"))
        elif text != value.text:
            words = f"text with a comma within {{ }} needs quotes: {entry.key.text}: {_quoted(text)}"
            found.append(Problem(file, value.line, value.path, words))
        whole.append(Entry(entry.key, Scalar(value.line, value.path, text)))
    return whole


def _items(sequence: Sequence, file: str, found: list[Problem]) -> list[Value]:
    left = list(sequence.items)
    whole: list[Value] = []
    while left:
        item = left.pop(0)
        pieces = 0
        if isinstance(item, Scalar) and not item.quoted:
            text = item.text
            while _is_open(text) and pieces < len(left):
                piece = left[pieces]
                if not isinstance(piece, Scalar) or piece.quoted:
                    break
                text, pieces = _joined(text, piece.text), pieces + 1
            if pieces and not _is_open(text):
                found.append(Problem(file, item.line, item.path, f"text with a comma within [ ] needs quotes: {_quoted(text)}"))
                item = Scalar(item.line, item.path, text)
                del left[:pieces]
        whole.append(_whole(item, file, found))
    return whole


def _continues(text: str, after: Entry, line: int) -> bool:
    """Whether a key without a value is the rest of the text before it, and no key whose value was forgotten."""
    value, key = after.value, after.key
    if not isinstance(value, Scalar) or value.quoted or value.text or key.quoted:
        return False
    if _is_open(text):
        return True
    if key.line != line:
        return False
    digits = text[-1].isdigit() and (_THOUSANDS.match(key.text) or (_PLACES.match(key.text) and "," not in text))
    return " " in key.text or bool(digits)


def _is_open(text: str) -> bool:
    """Whether a parenthesis or a quote is opened and not closed yet."""
    rest = _QUOTED.sub("", text)
    return "'" in rest or rest.count("(") > rest.count(")")


def _joined(text: str, piece: str) -> str:
    is_number = text[-1:].isdigit() and (_THOUSANDS.match(piece) or _PLACES.match(piece))
    return f"{text},{piece}" if is_number else f"{text}, {piece}"


def _quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text and "\\" not in text else "'" + text.replace("'", "''") + "'"
