"""Salesforce's reports: what is read, what stands for an id, and what is refused."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from kpi.errors import Unreadable
from tests.connectors.conftest import SAMPLES, Stager
from tests.importing.test_staging import workbook

D = Decimal
REPORT = (SAMPLES / "salesforce_opportunity_report.csv").read_text(encoding="utf-8")


def without(text: str, column: str) -> str:
    """A quoted CSV without one of its columns; footers stay as they are."""
    lines = [cells for cells in csv.reader(text.splitlines()) if cells]
    at = lines[0].index(column)
    made = io.StringIO()
    csv.writer(made).writerows(cells[:at] + cells[at + 1 :] if len(cells) > 1 else cells for cells in lines)
    return made.getvalue()


def test_an_opportunity_report_with_ids(staged: Stager) -> None:
    result = staged("salesforce_opportunity_report.csv")
    assert (result.staged.layout, result.staged.rows_read, result.staged.rows_rejected) == ("opportunity report", 3, 0)
    columns = ("deal_id", "amount", "currency", "home_amount", "home_currency", "kind", "is_won", "is_lost", "lost_reason")
    # ids of 15 characters become the 18 of the Data Export; the Total row and the footers are no deals
    assert result.rows("deal", *columns) == [
        ("salesforce:0064600000J5S5TAAV", D(1000), "USD", D(920), "EUR", "new", True, False, None),
        ("salesforce:0064600000J5S5UAAV", D(500), "EUR", D(500), "EUR", "expansion", False, True, "Price"),
        ("salesforce:0064600000J5S5VAAV", D(700), "EUR", D(700), "EUR", None, False, False, None),
    ]
    assert result.rows("deal", "source_id", "created_on", "closed_on", "expected_close_on", "owner", "source_account_id") == [
        ("0064600000J5S5TAAV", date(2026, 1, 15), date(2026, 1, 25), None, "Ada", "First GmbH"),
        ("0064600000J5S5UAAV", date(2026, 1, 5), date(2026, 1, 26), None, "Ada", "First GmbH"),
        ("0064600000J5S5VAAV", date(2026, 1, 8), None, date(2026, 9, 30), "Bob", "Second SA"),
    ]
    assert (
        "1 deal has a probability of 100 % and a stage that says neither won nor lost: it counts as open. "
        "Export the columns Closed and Won as well"
    ) in result.staged.notes


def test_the_columns_closed_and_won_say_what_a_stage_means(staged: Stager) -> None:
    lines = REPORT.splitlines()
    flags = ['"Closed","Won"', '"1","1"', '"1","0"', '"1","1"']
    text = "\n".join(f"{line},{flag}" for line, flag in zip(lines, flags, strict=False)) + "\n"
    # Signed is closed and won
    assert staged(text).rows("deal", "source_id", "is_won", "is_lost", "closed_on") == [
        ("0064600000J5S5TAAV", True, False, date(2026, 1, 25)),
        ("0064600000J5S5UAAV", False, True, date(2026, 1, 26)),
        ("0064600000J5S5VAAV", True, False, date(2026, 9, 30)),
    ]


def test_the_name_of_the_file_says_when_it_was_exported(staged: Stager) -> None:
    # 1,767,312,000 seconds after 1970 is midnight of 2 January 2026
    assert staged("salesforce_opportunity_report.csv", name="report1767312000000.csv").staged.as_of == datetime(2026, 1, 2)
    assert staged("salesforce_opportunity_report.csv").staged.as_of is None


def test_without_ids_a_deal_is_known_by_name_account_and_creation(staged: Stager) -> None:
    result = staged(without(REPORT, "Opportunity ID"))
    assert (result.staged.layout, result.staged.rows_read) == ("opportunity report without ids", 3)
    assert [name for (name,) in result.rows("deal", "name")] == ["Atlas for First", "Beacon", "More seats"]
    ids = [id_ for (id_,) in result.rows("deal", "deal_id")]
    assert all(id_.startswith("salesforce:name-") for id_ in ids)
    again = REPORT.replace("Closed Lost", "Negotiation").replace("500.00", "600.00")
    assert [id_ for (id_,) in staged(without(again, "Opportunity ID")).rows("deal", "deal_id")] == ids


def test_two_deals_that_are_alike_are_two(staged: Stager) -> None:
    lines = REPORT.splitlines()
    text = "\n".join([*lines[:2], *lines[1:]]) + "\n"
    assert len({id_ for (id_,) in staged(without(text, "Opportunity ID")).rows("deal", "deal_id")}) == 4


def test_a_report_with_products_has_each_deal_once(staged: Stager) -> None:
    lines = REPORT.splitlines()[:2]
    products = [f'{lines[0]},"Product Name"', f'{lines[1]},"Atlas"', f'{lines[1]},"Onboarding"']
    assert [amount for (amount,) in staged("\n".join(products) + "\n").rows("deal", "amount")] == [D(1000)]


def test_a_workbook_is_the_same_report(staged: Stager, tmp_path: Path) -> None:
    # days as a workbook holds them where a cell has no date format: 46047 is 25 January 2026, 46037 the 15th
    header = ["Opportunity ID", "Opportunity Name", "Account Name", "Stage", "Amount", "Close Date", "Created Date"]
    rows: list[list[str | float]] = [
        list(header),
        ["0064600000J5S5T", "Atlas", "First GmbH", "Closed Won", 1000.0, 46047.0, 46037.0],
        ["Total", "", "", "", 1000.0, "", ""],
        ["Copyright © 2000-2026 salesforce.com, inc. All rights reserved.", "", "", "", "", "", ""],
    ]
    workbook(tmp_path / "report.xlsx", rows)
    result = staged(tmp_path / "report.xlsx")
    assert result.rows("deal", "amount", "closed_on", "created_on") == [(D(1000), date(2026, 1, 25), date(2026, 1, 15))]
    assert result.staged.rows_read == 1


GROUPED = "it is a formatted report with groups and subtotals; export the report again as Details Only, in which every row is one deal"


@pytest.mark.parametrize(
    "text",
    [
        # arrows show what it is grouped by
        REPORT.replace('"Stage"', '"Stage ↑"'),
        # sums of groups
        REPORT.replace('"Total",""', '"","Subtotal"'),
    ],
)
def test_a_grouped_report_is_refused(staged: Stager, text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        staged(text, name="report.csv")
    assert str(refused.value) == f"report.csv can't be read: {GROUPED}"


def test_field_history_becomes_stages(staged: Stager) -> None:
    result = staged("salesforce_field_history_report.csv", timezone="Europe/Berlin", dates="mdy")
    assert (result.staged.layout, result.staged.rows_read, result.staged.rows_rejected) == ("opportunity field history report", 7, 0)
    # 3:30 PM in Berlin is 14:30 UTC. The first deal began as Discovery; the second's changes lead in a circle, so it began as
    # what it is now; of the third's something was cut off, so what it began with isn't known
    began = datetime(2026, 1, 4, 23)
    assert result.rows("deal_stage", "source_id", "entered_at", "stage", "left_at") == [
        ("0064600000J5S5TAAV", began, "Discovery", datetime(2026, 1, 15, 8)),
        ("0064600000J5S5TAAV", datetime(2026, 1, 15, 8), "Demo", datetime(2026, 1, 25, 14, 30)),
        ("0064600000J5S5TAAV", datetime(2026, 1, 25, 14, 30), "Closed Won", None),
        ("0064600000J5S5UAAV", datetime(2026, 1, 5, 23), "Demo", datetime(2026, 1, 16, 8)),
        ("0064600000J5S5UAAV", datetime(2026, 1, 16, 8), "Discovery", datetime(2026, 1, 17, 8)),
        ("0064600000J5S5UAAV", datetime(2026, 1, 17, 8), "Demo", None),
        ("0064600000J5S5VAAV", datetime(2026, 1, 18, 8), "Negotiation", datetime(2026, 1, 28, 8)),
        ("0064600000J5S5VAAV", datetime(2026, 1, 28, 8), "Demo", None),
    ]
    assert result.rows("deal", "source_id", "amount", "is_won", "closed_on") == [
        ("0064600000J5S5TAAV", D(1000), True, date(2026, 1, 25)),
        ("0064600000J5S5UAAV", D(500), False, None),
        ("0064600000J5S5VAAV", D(700), False, None),
    ]
