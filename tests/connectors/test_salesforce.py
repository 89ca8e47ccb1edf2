"""Salesforce: Data Export tables and the Opportunity History report."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from tests.connectors.conftest import SAMPLES, Stager

D = Decimal


def test_accounts(staged: Stager) -> None:
    result = staged("salesforce_account.csv", timezone="Europe/Berlin")
    # 23:30 UTC on New Year's Eve is the new year in Berlin
    assert result.rows("account", "account_id", "name", "domain", "region", "country", "employees", "created_on") == [
        ("salesforce:0014600001TvgfWAAR", "First GmbH", "first.example", "DACH", "Germany", 1200, date(2026, 1, 1))
    ]
    assert result.staged.notes == ("1 deleted records left out",)


def test_a_deleted_record_retires_what_earlier_exports_brought(staged: Stager) -> None:
    result = staged("salesforce_account.csv")
    gone = [part for part in result.staged.tables if part.table == "account" and part.replaces]
    assert len(gone) == 1
    assert result.connection.execute(f"SELECT count(*) FROM {gone[0].relation}").fetchall() == [(0,)]
    replaces = gone[0].replaces
    assert replaces is not None
    scope = result.connection.execute(f"SELECT * FROM {replaces.scope}").fetchall()
    assert scope == [("salesforce:0014600001TvgfXAAR", datetime(2026, 1, 3, 10, 0))]  # gone since it was last changed


def test_opportunities(staged: Stager) -> None:
    result = staged("salesforce_opportunity.csv", timezone="Europe/Berlin")
    assert result.rows("deal", "source_id", "kind", "amount", "list_amount", "currency", "is_won", "is_lost", "lost_reason") == [
        ("0064600000J5S5TAAV", "new", D("15000.0000"), D("18000.0000"), "USD", False, False, None),
        ("0064600000J5S5UAAV", "expansion", D("125000.5000"), None, "EUR", True, False, None),
        ("0064600000J5S5VAAV", "renewal", None, None, "EUR", False, True, "Too expensive"),
    ]


def test_a_close_date_is_expected_until_the_deal_is_closed(staged: Stager) -> None:
    result = staged("salesforce_opportunity.csv", timezone="Europe/Berlin")
    # CloseDate is a plain date, CreatedDate an instant
    assert result.rows("deal", "source_id", "created_on", "expected_close_on", "closed_on", "source_account_id") == [
        ("0064600000J5S5TAAV", date(2026, 1, 1), date(2026, 9, 22), None, "0014600001TvgfWAAR"),
        ("0064600000J5S5UAAV", date(2026, 1, 5), None, date(2026, 2, 10), None),
        ("0064600000J5S5VAAV", date(2026, 1, 6), None, date(2026, 2, 20), "0014600001TvgfWAAR"),
    ]
    # to the last modification, 1 March, and not to the close that is hoped for in September
    assert result.staged.covers == {"deal": (date(2026, 1, 1), date(2026, 3, 2), "dates of its rows")}


def test_a_deal_closed_with_a_date_ahead_does_not_stretch_what_is_covered(staged: Stager) -> None:
    closed = (SAMPLES / "salesforce_opportunity.csv").read_text().replace("2026-02-10 00:00:00", "2027-12-31 00:00:00")
    result = staged(closed, timezone="Europe/Berlin")
    # the newest stamp is 1 March
    assert result.staged.covers == {"deal": (date(2026, 1, 1), date(2026, 3, 2), "dates of its rows")}
    assert "things are said to have closed up to 2027-12-31, which lies ahead: what it covers ends on 2026-03-01" in result.staged.notes
    assert date(2027, 12, 31) in [day for (day,) in result.rows("deal", "closed_on")]  # the deal itself stays as it is


def test_a_deal_closed_in_time_is_covered_though_nothing_was_changed_since(staged: Stager) -> None:
    # the close of 20 February, entered before, is older than the newest stamp; with the stamps gone the import's day decides
    lines = (SAMPLES / "salesforce_opportunity.csv").read_text().replace("LastModifiedDate", "Other").replace("SystemModstamp", "More")
    assert staged(lines, today=date(2026, 2, 15)).staged.covers["deal"][1] == date(2026, 2, 16)
    assert staged(lines, today=date(2026, 2, 25)).staged.covers["deal"][1] == date(2026, 2, 21)


def test_history_becomes_intervals(staged: Stager) -> None:
    result = staged("salesforce_opportunity_history.csv")
    # the second row changes the amount only
    assert result.rows("deal_stage", "deal_id", "entered_at", "stage", "left_at") == [
        ("salesforce:0064600000J5S5TAAV", datetime(2026, 1, 1, 10), "Discovery", datetime(2026, 2, 1, 10)),
        ("salesforce:0064600000J5S5TAAV", datetime(2026, 2, 1, 10), "Negotiation", None),
    ]


def test_cases_are_tickets(staged: Stager) -> None:
    result = staged("salesforce_case.csv")
    assert result.rows("remark", "remark_id", "kind", "source_account_id", "said_at", "speaker", "subject", "text") == [
        (
            "salesforce:500A",
            "ticket",
            "0014600001TvgfWAAR",
            datetime(2026, 2, 1, 10),
            "Ada",
            "It doesn't start",
            "Since Monday,\nit doesn't start.",
        )
    ]


def test_the_history_report_knows_the_same_deals(staged: Stager) -> None:
    result = staged("salesforce_history_report.csv", dates="mdy")
    assert (result.staged.rows_read, result.staged.rows_rejected) == (4, 0)  # four footers are no rows
    # 15 characters become the 18 of the Data Export
    assert result.rows("deal", "deal_id", "stage", "amount", "closed_on", "expected_close_on", "is_won") == [
        ("salesforce:0064600000J5S5TAAV", "Closed Won", D("15000.0000"), date(2026, 1, 25), None, True),
        ("salesforce:0064600000J5S5UAAV", "Discovery", None, None, date(2026, 9, 30), False),
    ]
    assert result.rows("deal_stage", "deal_id", "stage", "entered_at", "left_at") == [
        ("salesforce:0064600000J5S5TAAV", "Closed Won", datetime(2026, 1, 25), None),
        ("salesforce:0064600000J5S5TAAV", "Discovery", datetime(2026, 1, 5), datetime(2026, 1, 25)),
        ("salesforce:0064600000J5S5UAAV", "Discovery", datetime(2026, 1, 8), None),
    ]
    assert '"Close Date" is read as month/day/year, since 1/25/2026 stands in it' in result.staged.notes


def test_the_real_data_export(staged: Stager, shared_data: Path) -> None:
    deals = staged(shared_data / "salesforce_data_export" / "Opportunity.csv")
    assert (deals.staged.rows_loaded, deals.staged.rows_rejected) == (31, 0)
    won = [amount for is_won, amount in deals.rows("deal", "is_won", "amount") if is_won]
    assert (len(won), sum(won)) == (18, D(3_645_000))
    assert staged(shared_data / "salesforce_data_export" / "Account.csv").staged.rows_loaded == 12
    assert staged(shared_data / "salesforce_data_export" / "Case.csv").staged.rows_loaded == 26
    assert len(staged(shared_data / "salesforce_data_export" / "OpportunityHistory.csv").rows("deal_stage", "stage")) == 31


def test_the_real_history_report(staged: Stager, shared_data: Path) -> None:
    result = staged(shared_data / "salesforce_reports" / "sample_salesforce_history.csv")
    deals = result.rows("deal", "is_won", "is_lost", "closed_on")
    assert len(deals) == 1600
    assert sum(won for won, _, _ in deals) == 175
    assert sum(lost for _, lost, _ in deals) == 1384
    assert sum(closed is None for _, _, closed in deals) == 41


def test_line_items_are_products_of_deals(staged: Stager) -> None:
    result = staged("salesforce_opportunity_line_item.csv")
    # 3 · 100 at list prices, sold for 270; of the second line no list price is known, the third is deleted
    assert result.rows("deal_line", "deal_line_id", "deal_id", "source_product_id", "quantity", "list_amount", "amount", "currency") == [
        ("salesforce:00k4600000iqknnAAA", "salesforce:0064600000J5S5TAAV", "01u4600000iqknnAAA", D(3), D(300), D(270), "USD"),
        ("salesforce:00k4600000iqknoAAA", "salesforce:0064600000J5S5TAAV", "01u4600000iqknoAAA", D(1), None, D("49.5"), "USD"),
    ]
    assert staged("salesforce_pricebook_entry.csv").rows("source_product", "source_id", "name", "code") == [
        ("01u4600000iqknnAAA", "Atlas Seats", "ATL-1"),
        ("01u4600000iqknoAAA", "Onboarding", "BEA-ON"),
    ]


def test_field_history_begins_with_the_stage_that_the_first_change_left(staged: Stager) -> None:
    result = staged("salesforce_opportunity_field_history.csv")
    assert result.rows("deal_stage", "stage", "entered_at", "left_at") == [
        ("Closed Won", datetime(2026, 2, 5, 10), None),
        ("Discovery", datetime(2026, 1, 5, 10), datetime(2026, 1, 15, 10)),
        ("Proposal", datetime(2026, 1, 15, 10), datetime(2026, 2, 5, 10)),
    ]
    assert result.staged.notes == ("1 changes of other fields left out",)


def test_a_merged_account_says_which_one_is_left(staged: Stager) -> None:
    merged = (SAMPLES / "salesforce_account.csv").read_text().replace('"1","","Gone Ltd"', '"1","0014600001TvgfWAAR","Gone Ltd"')
    result = staged(merged)
    assert [name for (name,) in result.rows("account", "name")] == ["First GmbH"]
    assert result.rows("source_account", "source_id", "merged_into") == [
        ("0014600001TvgfWAAR", None),
        ("0014600001TvgfXAAR", "0014600001TvgfWAAR"),
    ]
