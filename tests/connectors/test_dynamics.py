"""Microsoft Dynamics 365: workbooks with hidden columns and day numbers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.connectors.conftest import Result, Stager
from tests.importing.test_staging import workbook

D = Decimal
HIDDEN = ["(Do Not Modify) Opportunity", "(Do Not Modify) Row Checksum", "(Do Not Modify) Modified On"]
SHOWN = ["Topic", "Potential Customer", "Est. Close Date", "Est. Revenue", "Actual Revenue", "Actual Close Date", "Status", "Status Reason"]
HEADER = [*HIDDEN, *SHOWN, "Pipeline Phase", "Owner", "Created On", "Currency"]
#: Day 46027 is 5 January 2026, 46053.5 noon of the 31st.
ROWS: list[list[str | float]] = [
    [*("a-1", "x", 46054.5, "Atlas", "First GmbH", 46060.0, 1000.0, 900.0, 46053.5), "Won", "Won", "4-Close", "Ada", 46027.0, "Euro"],
    [*("a-2", "x", 46055.5, "Beacon", "Second", 46060.0, 500.0, "", 46054.0), "Lost", "Out-Sold", "2-Develop", "Bob", 46028.0, "US Dollar"],
    [*("a-3", "x", 46056.5, "Cirrus", "First GmbH", 46300.0, 700.0, "", ""), "Open", "In Progress", "1-Qualify", "Bob", 46029.0, "Euro"],
]


@pytest.fixture
def opportunities(staged: Stager, tmp_path: Path) -> Result:
    workbook(tmp_path / "All Opportunities.xlsx", [list(HEADER), *ROWS])
    return staged(tmp_path / "All Opportunities.xlsx", timezone="Europe/Berlin")


def test_opportunities(opportunities: Result) -> None:
    assert (opportunities.staged.connector, opportunities.staged.rows_loaded) == ("dynamics", 3)
    columns = ("deal_id", "amount", "currency", "is_won", "is_lost", "lost_reason", "stage", "owner", "source_account_id")
    # won for 900 where 1000 was hoped for
    assert opportunities.rows("deal", *columns) == [
        ("dynamics:a-1", D(900), "EUR", True, False, None, "4-Close", "Ada", "First GmbH"),
        ("dynamics:a-2", D(500), "USD", False, True, "Out-Sold", "2-Develop", "Bob", "Second"),
        ("dynamics:a-3", D(700), "EUR", False, False, None, "1-Qualify", "Bob", "First GmbH"),
    ]


def test_day_numbers_are_dates(opportunities: Result) -> None:
    # the last change, at noon of 1 February in Berlin, is 11:00 UTC
    assert opportunities.rows("deal", "source_id", "created_on", "closed_on", "expected_close_on", "modified_at") == [
        ("a-1", date(2026, 1, 5), date(2026, 1, 31), None, datetime(2026, 2, 1, 11)),
        ("a-2", date(2026, 1, 6), date(2026, 2, 1), None, datetime(2026, 2, 2, 11)),
        ("a-3", date(2026, 1, 7), None, date(2026, 10, 5), datetime(2026, 2, 3, 11)),
    ]
    assert '"Created On" holds a workbook\'s day numbers, which are read as dates' in opportunities.staged.notes
    assert opportunities.staged.covers["deal"] == (date(2026, 1, 5), date(2026, 2, 4), "dates of its rows")


def test_accounts(staged: Stager) -> None:
    result = staged(
        "(Do Not Modify) Account,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,Account Name,Website,Industry,"
        "Number of Employees,Address 1: Country/Region,Owner,Created On\n"
        "b-1,x,2026-01-02 10:00:00,First GmbH,https://first.example,Software,120,Germany,Ada,2026-01-01 09:00:00\n"
    )
    assert result.rows("account", "account_id", "name", "domain", "employees", "country", "created_on") == [
        ("dynamics:b-1", "First GmbH", "first.example", 120, "Germany", date(2026, 1, 1))
    ]
