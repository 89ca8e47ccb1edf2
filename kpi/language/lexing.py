"""The words of an expression, checked before any parser sees them.

The language is closed here already: only ASCII names, numbers, 'text', the operators below and known functions
come through, nesting is counted, and what is handed to sqlglot has every name quoted and every function marked.
So no keyword of any SQL dialect, comment, second statement or sub-select can reach it, and no depth that ends in
a RecursionError (sqlglot fails at 50 parentheses).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final, NamedTuple

from kpi.errors import BadExpression, did_you_mean

MAX_CHARACTERS: Final = 4000
MAX_LEVELS: Final = 20
#: A list of 400 values has 800; the parser is the slowest part, and needs a bound of its own.
MAX_WORDS: Final = 1500
#: As of names in the file; a message that repeats a longer one is no sentence.
MAX_NAME: Final = 63

KEYWORDS: Final = ("and", "or", "not", "in", "between", "like", "is", "null", "case", "when", "then", "else", "end", "true", "false")
#: Units of ``1 year`` and ``28 days``.
UNITS: Final = ("day", "week", "month", "quarter", "year")
#: Marks function names for sqlglot, which then has nothing of its own to say about them.
PREFIX: Final = "f_"

_TOKEN: Final = re.compile(
    r"""(?P<space>[ \n\r]+)
      | (?P<text>'(?:[^']|'')*')
      | (?P<number>[0-9]+(?:\.[0-9]+)?)(?![0-9A-Za-z_.])
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<operator><>|!=|<=|>=|[-+*/=<>(),.])""",
    re.VERBOSE,
)

#: Things people write out of habit, with what to write instead.
_HABITS: Final = (
    ("--", "comments are not allowed in an expression; write them in the YAML after #"),
    ("/*", "comments are not allowed in an expression; write them in the YAML after #"),
    (";", "an expression is one expression; remove the ;"),
    ('"', "write text in single quotes, 'like this', and names without quotes"),
    ("==", "write = to compare"),
    ("||", "write concat(a, b) to join texts"),
    ("%", "write 0.62 for 62 %"),
    ("::", "casts are not allowed"),
    ("&&", "write and"),
    ("'", "a text in single quotes is opened here and never closed"),
)


class Token(NamedTuple):
    """A word of the expression; ``kind`` is text, number, word or operator."""

    kind: str
    text: str
    start: int


def tokens(text: str) -> list[Token]:
    """Split an expression into words.

    Raises:
        BadExpression: too long, too deep, or a character that has no meaning here.
    """
    if len(text) > MAX_CHARACTERS:
        raise BadExpression(f"an expression has at most {MAX_CHARACTERS:,} characters, and this one has {len(text):,}")
    found: list[Token] = []
    place = 0
    while place < len(text):
        for habit in ("--", "/*"):
            if text.startswith(habit, place):
                raise BadExpression(dict(_HABITS)[habit])
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise BadExpression(_refusal(text, place))
        if match.lastgroup == "text":
            _check_text(match.group())
        if match.lastgroup == "word" and len(match.group()) > MAX_NAME:
            raise BadExpression(f"{match.group()[:20]}… is too long for a name; names have at most {MAX_NAME} characters")
        if match.lastgroup != "space":
            if match.group() == "=" and text.startswith("==", place):
                raise BadExpression(dict(_HABITS)["=="])
            found.append(Token(match.lastgroup, match.group(), place))
        place = match.end()
    if not found:
        raise BadExpression("the expression is empty")
    if len(found) > MAX_WORDS:
        raise BadExpression(f"an expression has at most {MAX_WORDS:,} words and signs, and this one has {len(found):,}")
    _check_levels(found)
    return found


def rewritten(words: list[Token], functions: Collection[str]) -> str:
    """The same expression for sqlglot: names quoted, functions marked, ``1 year`` as a call.

    Raises:
        BadExpression: a function that is not in ``functions``, or two values side by side.
    """
    out: list[str] = []
    before: Token | None = None
    for place, token in enumerate(words):
        after = words[place + 1] if place + 1 < len(words) else None
        lower = token.text.lower()
        if lower == "select" and token.kind == "word":
            raise BadExpression("select is not allowed; an expression speaks of the row it stands on")
        if before is not None and _is_value(token) and _ends_value(before):
            if before.kind == "number" and lower.removesuffix("s") in UNITS and token.kind == "word":
                out[-1] = f"{PREFIX}span({before.text}, '{lower.removesuffix('s')}')"
                before = token
                continue
            raise BadExpression(f"{before.text} {token.text}: an operator or a comma is missing between them")
        if token.kind == "text" or token.kind == "number":
            out.append(token.text)
        elif token.text == "." and (before is None or after is None or (before.kind, after.kind) != ("word", "word")):
            raise BadExpression("a . stands between a table and its column, as in account.industry")
        elif token.kind == "operator":
            out.append("<>" if token.text == "!=" else token.text)
        elif after is not None and after.text == "(" and lower not in KEYWORDS:
            if lower not in functions:
                known = did_you_mean(lower, functions)
                raise BadExpression(f"{token.text}(): no such function{known or '; known are ' + ', '.join(sorted(functions))}")
            out.append(PREFIX + lower)
        elif lower in KEYWORDS:
            out.append(lower)
        else:
            out.append(f'"{token.text}"')
        before = token
    return " ".join(out)


def _is_value(token: Token) -> bool:
    return token.kind in ("text", "number") or (token.kind == "word" and token.text.lower() not in KEYWORDS)


def _ends_value(token: Token) -> bool:
    return _is_value(token) or token.text == ")" or token.text.lower() in ("end", "null", "true", "false")


def _check_levels(words: list[Token]) -> None:
    """Count parentheses, cases and runs of ``not`` and minus, each of which a parser answers with recursion."""
    opened: list[int] = []
    prefixes = 0
    for token in words:
        lower = token.text.lower() if token.kind != "text" else ""
        if lower in ("(", "case"):
            opened.append(1 + prefixes)
        elif lower in (")", "end"):
            if not opened:
                raise BadExpression(f"there is a {token.text} too many")
            opened.pop()
        prefixes = prefixes + 1 if lower in ("not", "-", "+") else 0
        if sum(opened) + prefixes > MAX_LEVELS:
            raise BadExpression(f"an expression has at most {MAX_LEVELS} levels of parentheses, functions and case; name parts of it")
    if opened:
        raise BadExpression("a parenthesis or a case is opened and never closed")


def _check_text(literal: str) -> None:
    for character in literal:
        # Control characters and half ones break databases (PostgreSQL refuses a zero); bidirectional ones hide what is written.
        # A line break and a tab are written into fields of several lines, and are found again as they stand.
        if (unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\r\t") or unicodedata.bidirectional(character) in _BIDI:
            raise BadExpression(f"the text {literal[:40]!r} holds an invisible character (U+{ord(character):04X}); write it without")


_BIDI: Final = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def _refusal(text: str, place: int) -> str:
    for habit, sentence in _HABITS:
        if text.startswith(habit, place):
            return sentence
    rest = text[place:]
    if match := re.match(r"[0-9][0-9A-Za-z_.,]*", rest):
        return f"{match.group()} is not a number; write digits with a point, like 1250.50"
    character = rest[0]
    if ord(character) < 128 and character.isprintable():
        return f'"{character}" has no meaning in an expression'
    name = unicodedata.name(character, "invisible character").lower()
    return f"U+{ord(character):04X} ({name}) is not allowed outside text; type the plain character"
