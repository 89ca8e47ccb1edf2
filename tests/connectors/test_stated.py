"""Periods and dates that reports state in their titles and footers."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.stated import period

D = date


@pytest.mark.parametrize(
    ("title", "since", "until"),
    [
        ("January 1 - December 31, 2025", D(2025, 1, 1), D(2026, 1, 1)),
        ("January – March, 2025", D(2025, 1, 1), D(2025, 4, 1)),
        ("January - December 2024", D(2024, 1, 1), D(2025, 1, 1)),
        ("December 2024 - January 2025", D(2024, 12, 1), D(2025, 2, 1)),
        ("March 2025", D(2025, 3, 1), D(2025, 4, 1)),
        ("For the month of March 2025", D(2025, 3, 1), D(2025, 4, 1)),
        ("1-31 January 2024", D(2024, 1, 1), D(2024, 2, 1)),
        ("January 1-31, 2025", D(2025, 1, 1), D(2025, 2, 1)),
        ("Jan. 1, 2024 - Feb. 29, 2024", D(2024, 1, 1), D(2024, 3, 1)),
        ("For the period 1 January 2024 to 31 December 2024", D(2024, 1, 1), D(2025, 1, 1)),
        ("From 2024-01-01 to 2024-03-31", D(2024, 1, 1), D(2024, 4, 1)),
        ("Period: 2024-01-01 - 2024-03-31", D(2024, 1, 1), D(2024, 4, 1)),
        ("For the year ended 31 December 2021", D(2021, 1, 1), D(2022, 1, 1)),
        ("For the 12 months ended 31 March 2024", D(2023, 4, 1), D(2024, 4, 1)),
        ("For the month ended 29 February 2024", D(2024, 2, 1), D(2024, 3, 1)),
        ("For the quarter ended June 30, 2024", D(2024, 4, 1), D(2024, 7, 1)),
        ("For the three months ended 30 June 2024", D(2024, 4, 1), D(2024, 7, 1)),
    ],
)
def test_the_period_of_a_title(title: str, since: date, until: date) -> None:
    assert period(["Acme, Inc.", "General Ledger", title, ""]) == (since, until)


@pytest.mark.parametrize(
    "title",
    ["As of March 31, 2025", "All Dates", "April 2020 Holdings", "31 February 2024", "Market 2024 - 2025", "December 31 - January 1, 2025"],
)
def test_what_is_no_period(title: str) -> None:
    assert period([title]) is None


def test_a_company_named_like_a_month_does_not_count() -> None:
    assert period(["April 2020", "General Ledger", "For the period 1 May 2021 to 31 May 2021"]) == (D(2021, 5, 1), D(2021, 6, 1))
