from __future__ import annotations

import pytest

from kpi.errors import BadExpression
from kpi.language import lexing


def rewritten(text: str) -> str:
    return lexing.rewritten(lexing.tokens(text), ("abs", "previous"))


def refused(text: str) -> str:
    with pytest.raises(BadExpression) as raised:
        rewritten(text)
    return str(raised.value)


def test_names_are_quoted_functions_marked_keywords_lower() -> None:
    assert rewritten("ABS(deal.key) >= 1 AND Into IS NOT null") == 'f_abs ( "deal" . "key" ) >= 1 and "Into" is not null'


def test_a_length_of_time_becomes_a_call() -> None:
    assert rewritten("previous(won, 28 days)") == "f_previous ( \"won\" , f_span(28, 'day') )"


def test_text_stays_as_it_is() -> None:
    assert rewritten("name = 'it''s -- no; comment'") == "\"name\" = 'it''s -- no; comment'"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a -- b", "comments are not allowed in an expression; write them in the YAML after #"),
        ("a /* b */", "comments are not allowed in an expression; write them in the YAML after #"),
        ("a; b", "an expression is one expression; remove the ;"),
        ('a = "b"', "write text in single quotes, 'like this', and names without quotes"),
        ("a == b", "write = to compare"),
        ("a || b", "write concat(a, b) to join texts"),
        ("a = 'b", "a text in single quotes is opened here and never closed"),
        ("1e5", "1e5 is not a number; write digits with a point, like 1250.50"),
        ("1.2.3", "1.2.3 is not a number; write digits with a point, like 1250.50"),
        ("a $ b", '"$" has no meaning in an expression'),
        ("a ≥ b", "U+2265 (greater-than or equal to) is not allowed outside text; type the plain character"),
        ("a b", "a b: an operator or a comma is missing between them"),
        ("(a", "a parenthesis or a case is opened and never closed"),
        ("a)", "there is a ) too many"),
        ("abz(1)", 'abz(): no such function; did you mean "abs"?'),
        ("select", "select is not allowed; an expression speaks of the row it stands on"),
        ("", "the expression is empty"),
        ("a" * 4001, "an expression has at most 4,000 characters, and this one has 4,001"),
        ("+".join(["a"] * 1000), "an expression has at most 1,500 words and signs, and this one has 1,999"),
        ("(" * 21, "an expression has at most 20 levels of parentheses, functions and case; name parts of it"),
        ("not " * 21 + "a", "an expression has at most 20 levels of parentheses, functions and case; name parts of it"),
    ],
)
def test_refusals(text: str, sentence: str) -> None:
    assert refused(text) == sentence


def test_prefixes_before_a_parenthesis_count_inside_it() -> None:
    # 10 × (not + parenthesis) are 20 levels, one more is too deep
    rewritten("not (" * 10 + "a" + ")" * 10)
    assert refused("not (" * 11 + "a" + ")" * 11).startswith("an expression has at most 20 levels")
