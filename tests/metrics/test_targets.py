from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from kpi import yamlfile
from kpi.language.problems import Problems
from kpi.metrics import targets
from kpi.periods import Calendar


def read(text: str, unit: str = "money", calendar: Calendar | None = None) -> list[tuple[dt.date, dt.date, Decimal, str]]:
    tree, _ = yamlfile.parse(f"target: {text}\n".encode(), "m.yaml")
    assert isinstance(tree, yamlfile.Mapping)
    problems = Problems("m.yaml")
    found = targets.read(tree.get("target"), unit, calendar or Calendar(), problems)
    if problems.found:
        raise AssertionError("\n".join(str(problem) for problem in problems.found))
    return [(target.start, target.end, target.value, target.period) for target in found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1250.50", "1250.50"),
        ("850 k", "850000"),
        ("2.85 M", "2850000"),
        ("2.85M", "2850000"),
        ("1.2 bn", "1200000000"),
        ("-5", "-5"),
        ("0.1", "0.1"),
    ],
)
def test_values_are_exact(text: str, value: str) -> None:
    assert read(f"{{2026: {text}}}") == [(dt.date(2026, 1, 1), dt.date(2027, 1, 1), Decimal(value), "2026")]


def test_percent_is_a_fraction() -> None:
    assert read("{2026: 62.5%}", "percent")[0][2] == Decimal("0.625")


def test_periods() -> None:
    found = read("{2026: 1, 2026-Q4: 2, 2026-11: 3, 2026-W46: 4}")
    assert [(str(start), str(end)) for start, end, _, _ in found] == [
        ("2026-01-01", "2027-01-01"),
        ("2026-10-01", "2027-01-01"),
        ("2026-11-01", "2026-12-01"),
        ("2026-11-09", "2026-11-16"),
    ]


def test_years_and_quarters_are_fiscal() -> None:
    found = read("{2026: 1, 2026-Q1: 2, 2026-11: 3}", calendar=Calendar(year_starts=4))
    assert [(str(start), str(end)) for start, end, _, _ in found] == [
        ("2025-04-01", "2026-04-01"),
        ("2025-04-01", "2025-07-01"),
        ("2026-11-01", "2026-12-01"),
    ]


def test_all_that_is_wrong_is_said() -> None:
    with pytest.raises(AssertionError) as raised:
        read("{2026: 62, 2026-13: 5%, x: 1%, 2027: lots}", "percent")
    accepted = "accepted are 2026, 2026-Q4, 2026-11, 2026-W46 and 2026-11-09"
    assert str(raised.value).splitlines() == [
        "m.yaml:1 target.2026: the unit is percent; write 62% with the sign, so that 62 and 0.62 can't be mistaken",
        f'm.yaml:1 target.2026-13: "2026-13" names no period; {accepted}',
        f'm.yaml:1 target.x: "x" names no period; {accepted}',
        'm.yaml:1 target.2027: "lots" is not a value; write 62%, 1250.50, 850 k, 2.85 M or 1.2 bn, without separators between thousands',
    ]
