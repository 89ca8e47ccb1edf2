"""Text of an expression -> a syntax tree of sqlglot in which only known node types occur."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from kpi.errors import BadExpression
from kpi.language import lexing

#: Operators in a row, such as a + b + c …, which a tree holds one below the other; far below Python's recursion limit.
MAX_CHAIN: Final = 60

ARITHMETIC: Final[dict[type[exp.Expr], str]] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}
COMPARISONS: Final[dict[type[exp.Expr], str]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_OTHERS: Final = (
    *(exp.And, exp.Or, exp.Not, exp.Neg, exp.Paren, exp.In, exp.Between, exp.Like, exp.Is),
    *(exp.Case, exp.If, exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Anonymous),
)
_ALLOWED: Final = frozenset((*ARITHMETIC, *COMPARISONS, *_OTHERS))


def parse(text: str, functions: Collection[str], places: Mapping[str, str] = MappingProxyType({})) -> exp.Expr:
    """The tree of an expression that may hold ``functions``; ``places`` says of others where they stand.

    Raises:
        BadExpression: with one sentence that says what can't be read or isn't allowed.
    """
    words = lexing.tokens(text)
    for place, word in enumerate(words[:-1]):
        if word.kind == "word" and words[place + 1].text == "(":
            name = word.text.lower()
            if name in places and name not in functions:
                raise BadExpression(f"{name}() stands in {places[name]}")
    try:
        trees = sqlglot.parse(lexing.rewritten(words, functions))
    except SqlglotError as error:
        raise BadExpression(_sentence(error, words)) from None
    except RecursionError:
        raise BadExpression("the expression is nested too deep; name parts of it") from None
    if len(trees) != 1 or trees[0] is None:
        raise BadExpression("an expression is one expression")
    _check(trees[0])
    return trees[0]


def _sentence(error: SqlglotError, words: list[lexing.Token]) -> str:
    details = getattr(error, "errors", None) or [{}]
    near = (details[0].get("highlight") or "").strip().strip('"').removeprefix(lexing.PREFIX)
    if near:
        return f'this can\'t be read near "{near}"; see docs/metrics.md for what an expression may hold'
    return f'this can\'t be read; it ends with "{words[-1].text}"'


def _check(tree: exp.Expr) -> None:
    """Only known nodes, and no chain too long; without recursion."""
    waiting: list[tuple[exp.Expr, int]] = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if type(node) not in _ALLOWED:
            raise BadExpression(f"{_shown(node)} is not allowed in an expression")
        if depth > MAX_CHAIN:
            raise BadExpression(f"more than {MAX_CHAIN} operators in a row; name parts of the sum")
        for child in node.iter_expressions():
            flat = type(child) is type(node) and isinstance(node, exp.And | exp.Or)
            waiting.append((child, depth if flat else depth + 1))


def _shown(node: exp.Expr) -> str:
    if isinstance(node, exp.Star):
        return "*"
    if isinstance(node, exp.Tuple):
        return "a list in parentheses outside in (…)"
    return type(node).__name__.lower()
