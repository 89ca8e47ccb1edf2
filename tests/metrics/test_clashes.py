from __future__ import annotations

import pytest

from kpi.errors import BadExpression
from kpi.metrics import clashes, expressions

UNITS = {"revenue": "money", "cost": "money", "won": "number", "rate": "percent", "cycle": "days", "spent": "hours"}


def unit_of(text: str) -> str | None:
    node = expressions.formula(text, UNITS, lambda name: "money" if UNITS[name] == "money" else "number")
    return clashes.unit_of(node, UNITS.__getitem__)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("revenue - cost", "money"),
        ("revenue * 12", "money"),
        ("12 * revenue", "money"),
        ("revenue * rate", "money"),
        ("revenue / won", "money"),
        ("(revenue - cost) / revenue", "ratio"),
        ("revenue / previous(revenue, 1 year) - 1", "ratio"),
        ("won / (won + won)", "ratio"),
        ("won + 1", "number"),
        ("rate + 0.05", "percent"),
        ("rate - won", "ratio"),
        ("-rolling(revenue, 28 days)", "money"),
        ("revenue / total(revenue)", "ratio"),
        ("coalesce(revenue, 0)", "money"),
        ("greatest(0, revenue)", "money"),
        ("case when won > 20 then revenue else 0 end", "money"),
        ("case when revenue > 1000 then 1 else 0 end", None),
        ("round(cycle, 1)", "days"),
        ("cycle / 7", "days"),
        ("revenue / spent", "any"),
        ("won / spent", "any"),
        ("spent * cycle", "any"),
    ],
)
def test_units(text: str, unit: str | None) -> None:
    assert unit_of(text) == unit


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("revenue + rate", "revenue is money and rate is percent; + needs one unit"),
        ("cycle - spent", "cycle is days and spent is hours; - needs one unit"),
        ("revenue + 1", "revenue is money and 1 is a plain number; + needs one unit"),
        ("revenue * cost", "revenue and cost are both money and can't be multiplied"),
        ("case when won > 1 then revenue else won end", "revenue is money and won is number; case needs one unit"),
        ("case when revenue > won then 1 end", "revenue is money and won is number; > needs one unit"),
        ("coalesce(revenue, won)", "revenue is money and won is number; coalesce needs one unit"),
    ],
)
def test_clashes(text: str, sentence: str) -> None:
    with pytest.raises(BadExpression) as raised:
        unit_of(text)
    assert str(raised.value) == sentence


def test_what_a_definition_may_call_its_result() -> None:
    assert clashes.fits("percent", "ratio")
    assert clashes.fits("days", "hours")  # hours / 8
    assert clashes.fits("money", "any")
    assert not clashes.fits("percent", "money")
    assert not clashes.fits("money", "number")
