"""Pipedrive's exports."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from tests.connectors.conftest import SAMPLES, Stager
from tests.importing.test_staging import workbook

D = Decimal


def test_deals(staged: Stager) -> None:
    result = staged("pipedrive_deals.csv", timezone="Europe/Berlin")
    assert (result.staged.connector, result.staged.rows_read, result.staged.rows_loaded) == ("pipedrive", 4, 3)
    assert result.rows("deal", "deal_id", "amount", "currency", "kind", "is_won", "is_lost", "lost_reason", "stage", "pipeline") == [
        ("pipedrive:11", D(1000), "USD", "new", True, False, None, "Negotiation", "Sales"),
        ("pipedrive:12", D("250.5"), "EUR", None, False, True, "Too expensive", "Demo", "Sales"),
        # won once and opened again: neither the old time nor the old reason counts
        ("pipedrive:13", D(300), "EUR", "renewal", False, False, None, "Proposal", "Renewals"),
    ]
    # days as the user's time zone has them
    assert result.rows("deal", "source_id", "created_on", "closed_on", "expected_close_on", "source_account_id", "owner") == [
        ("11", date(2026, 1, 5), date(2026, 1, 31), None, "7", "Sam"),
        ("12", date(2026, 1, 6), date(2026, 2, 2), None, "8", "Sam"),
        ("13", date(2026, 1, 7), None, date(2026, 12, 31), "7", "Kim"),
    ]
    assert result.staged.notes == ("1 deleted deals left out",)
    assert result.staged.covers["deal"] == (date(2026, 1, 5), date(2026, 2, 4), "dates of its rows")


def test_organizations_are_accounts(staged: Stager) -> None:
    result = staged("pipedrive_organizations.csv", timezone="Europe/Berlin")
    assert result.rows("account", "account_id", "name", "domain", "industry", "country", "employees", "created_on") == [
        ("pipedrive:7", "First GmbH", "first.example", "Software", "Germany", 1200, date(2025, 12, 31)),
        ("pipedrive:8", "Second SA", None, None, "France", None, date(2026, 1, 1)),
    ]


def test_a_deal_without_an_organization_s_id_is_its_name_s(staged: Stager) -> None:
    text = (SAMPLES / "pipedrive_deals.csv").read_text().replace("Deal - Organization ID", "Something else")
    result = staged(text)
    assert result.rows("deal", "source_id", "source_account_id") == [("11", "First GmbH"), ("12", "Second SA"), ("13", "First GmbH")]
    assert 'deals know their customer by name only: export the column "Deal - Organization ID" as well' in result.staged.notes[1]


def test_people_say_whose_mail_it_is(staged: Stager) -> None:
    assert staged("pipedrive_people.csv").rows("source_account", "source_id", "name", "domain") == [("Ada", "First GmbH", "first.example")]


def test_products_of_deals(staged: Stager) -> None:
    # 4 · 250 at list prices, sold for 900
    assert staged("pipedrive_products.csv").rows("deal_line", "deal_line_id", "deal_id", "source_product_id", "list_amount", "amount") == [
        ("pipedrive:11/1", "pipedrive:11", "Atlas", D(1000), D(900)),
        ("pipedrive:11/2", "pipedrive:11", "Onboarding", D(100), D(100)),
    ]


def test_a_workbook(staged: Stager, tmp_path: Path) -> None:
    header = ["Deal - Title", "Deal - Value", "Deal - Currency of value", "Organization", "Deal - Stage (pipeline)", "Deal - Status"]
    rows: list[list[str | float]] = [
        [*header, "Deal - Creation date", "Deal - Closed on", "Deal - Pipedrive System ID"],
        ["Atlas", 1200.5, "EUR", "First GmbH", "Demo (Sales)", "Lost", "2026-01-05 10:00:00", "2026-01-09 10:00:00", 17.0],
    ]
    workbook(tmp_path / "deals.xlsx", rows)
    result = staged(tmp_path / "deals.xlsx")
    assert result.rows("deal", "deal_id", "amount", "stage", "is_lost", "closed_on") == [
        ("pipedrive:17", D("1200.5"), "Demo", True, date(2026, 1, 9))
    ]


def test_an_unknown_status_is_set_aside(staged: Stager) -> None:
    text = (SAMPLES / "pipedrive_deals.csv").read_text().replace('"Lost"', '"Perhaps"')
    assert staged(text, bad_share=0.5).problems() == [(3, "Deal - Status", "Perhaps", "not one of won, lost, open")]
