"""A query's filters apart from their values, so that one plan serves every value that is chosen.

``segment in ('SMB', 'Enterprise')`` and ``segment in ('SMB', 'Mid-market')`` are one shape. Planning and writing a
statement takes longer than running it on the data of a small company, and filters are what a reader changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from kpi.errors import BadExpression
from kpi.language import lexing
from kpi.metrics.model import Bound, Call, Literal_, Node, Query

#: Begins the text that stands for a value in a shape. A query whose own text holds it has no shape but itself.
_MARK: Final = "\ue000"

Values = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Shape:
    """A query whose filters' values are taken out, and the values by their names."""

    query: Query
    values: Values


def shape(query: Query) -> Shape:
    """Take the values out: texts after ``=`` and the texts of ``in (…)``; all else stays where it is.

    What can't be read stays too; planning says what is wrong with it.
    """
    values: dict[str, str | tuple[str, ...]] = {}
    if any(_MARK in text for text in query.where):
        return Shape(query, values)
    try:
        marked = tuple(_marked(text, values) for text in query.where)
    except BadExpression:
        return Shape(query, {})
    return Shape(replace(query, where=marked), values) if values else Shape(query, values)


def bound(node: Node, values: Values) -> Node:
    """The filter of a shape with these values."""
    if isinstance(node, Bound):
        return replace(node, value=values[node.name])
    if isinstance(node, Literal_) and isinstance(node.value, str) and node.value.startswith(_MARK):
        name = node.value.removeprefix(_MARK)
        return Bound(name, values[name]) if name in values else node
    if isinstance(node, Call):
        return replace(node, arguments=tuple(bound(argument, values) for argument in node.arguments))
    return node


def _marked(text: str, values: dict[str, str | tuple[str, ...]]) -> str:
    words = lexing.tokens(text)
    parts: list[str] = []
    place = 0
    while place < len(words):
        word = words[place].text
        parts.append(word)
        place += 1
        if word == "=" and place < len(words) and words[place].kind == "text":
            parts.append(_named(_plain(words[place].text), values))
            place += 1
        elif word.lower() == "in":
            found = _list_at(words, place)
            if found:
                chosen = tuple(_plain(token.text) for token in found)
                parts += ["(", _named(chosen, values), ")"]
                place += 2 * len(found) + 1
    return " ".join(parts)


def _list_at(words: list[lexing.Token], place: int) -> list[lexing.Token]:
    """The texts of a list in parentheses that begins here, or none where it holds anything else."""
    found: list[lexing.Token] = []
    expected = "("
    while place < len(words) and words[place].text == expected:
        if place + 2 >= len(words) or words[place + 1].kind != "text":
            return []
        found.append(words[place + 1])
        if words[place + 2].text == ")":
            return found
        place, expected = place + 2, ","
    return []


def _named(value: str | tuple[str, ...], values: dict[str, str | tuple[str, ...]]) -> str:
    # One that is equal and a list, of however many, are written differently, so they are different shapes.
    name = f"{'filter' if isinstance(value, str) else 'filters'}_{len(values)}"
    values[name] = value
    return f"'{_MARK}{name}'"


def _plain(literal: str) -> str:
    return literal[1:-1].replace("''", "'")
