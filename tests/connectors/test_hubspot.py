"""HubSpot's deal exports."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from tests.connectors.conftest import SAMPLES, Stager

D = Decimal


def test_deals(staged: Stager) -> None:
    result = staged("hubspot_deals.csv", timezone="Europe/Berlin")
    assert result.rows(
        "deal", "deal_id", "kind", "amount", "home_amount", "home_currency", "currency", "is_won", "is_lost", "lost_reason"
    ) == [
        ("hubspot:101", "new", D("1000.0000"), D("920.0000"), "EUR", "USD", True, False, None),
        ("hubspot:102", "expansion", None, None, None, "EUR", False, True, "Price"),
        ("hubspot:103", "renewal", D("500.0000"), D("500.0000"), "EUR", "EUR", False, False, None),
    ]
    # dates are those of the portal, whatever the hour
    assert result.rows("deal", "source_id", "created_on", "closed_on", "expected_close_on", "source_account_id") == [
        ("101", date(2026, 1, 5), date(2026, 1, 25), None, "77"),
        ("102", date(2026, 1, 6), date(2026, 2, 1), None, "78"),
        ("103", date(2026, 1, 7), None, date(2026, 12, 31), "77"),
    ]
    assert result.staged.covers["deal"] == (date(2026, 1, 5), date(2026, 2, 2), "dates of its rows")


def test_a_deal_closed_with_a_date_ahead_is_covered_up_to_the_export(staged: Stager) -> None:
    ahead = (SAMPLES / "hubspot_deals.csv").read_text().replace("2026-02-01 10:00,Price", "2026-12-24 10:00,Price")
    # there is no stamp: the day in the file's name, else that of the import, is the last
    named = staged(ahead, name="hubspot-crm-exports-all-deals-2026-03-04.csv", today=date(2026, 6, 1))
    assert named.staged.covers["deal"] == (date(2026, 1, 5), date(2026, 3, 5), "dates of its rows")
    assert staged(ahead, today=date(2026, 6, 1)).staged.covers["deal"] == (date(2026, 1, 5), date(2026, 6, 2), "dates of its rows")


def test_stage_columns_with_any_quotes(staged: Stager) -> None:
    result = staged("hubspot_deals.csv", timezone="Europe/Berlin")
    # 23:45 in Berlin is 22:45 UTC
    assert result.rows("deal_stage", "deal_id", "entered_at", "stage", "left_at") == [
        ("hubspot:101", datetime(2026, 1, 5, 22, 45), "Discovery", datetime(2026, 1, 25, 9)),
        ("hubspot:101", datetime(2026, 1, 25, 9), "Closed Won", None),
        ("hubspot:102", datetime(2026, 1, 6, 9), "Discovery", datetime(2026, 2, 1, 10)),
        ("hubspot:102", datetime(2026, 2, 1, 10), "Closed Lost", None),
        ("hubspot:103", datetime(2026, 1, 7, 9), "Discovery", None),
    ]


def test_companies_of_deals_are_accounts(staged: Stager) -> None:
    result = staged("hubspot_deals.csv")
    assert result.rows("account", "account_id", "name") == [("hubspot:77", "First GmbH"), ("hubspot:78", "Second SA")]


def test_the_date_of_the_export_stands_in_its_name(staged: Stager) -> None:
    result = staged("hubspot_deals.csv", name="hubspot-crm-exports-all-deals-2026-03-04-1.csv")
    assert result.staged.as_of == datetime(2026, 3, 4)


def test_the_real_pipeline(staged: Stager, shared_data: Path) -> None:
    result = staged(shared_data / "hubspot" / "sample_hubspot_deals.csv")
    deals = result.rows("deal", "is_won", "is_lost")
    assert (len(deals), sum(won for won, _ in deals), sum(lost for _, lost in deals)) == (1600, 175, 1384)
    # the last close, and the last entry into a stage, are of 15 September; an open deal hopes for January
    assert result.staged.covers["deal"][1] == date(2026, 9, 16)


def test_the_real_portal(staged: Stager, shared_data: Path) -> None:
    result = staged(shared_data / "hubspot" / "hubspot_deals.csv")
    assert (result.staged.rows_loaded, result.staged.rows_rejected) == (500, 0)
    assert staged(shared_data / "hubspot" / "hubspot_companies.csv").staged.layout == "companies"
    assert staged(shared_data / "hubspot" / "hubspot_tickets.csv").staged.layout == "tickets"


def test_a_stage_that_says_not_won_is_a_loss(staged: Stager) -> None:
    rows = [
        "1,A,Not won,2026-02-14,2026-01-05",
        "2,B,Nicht gewonnen - Preis,2026-02-14,2026-01-05",
        "3,C,Non-profit won,2026-02-14,2026-01-05",
    ]
    result = staged("\n".join(["Record ID,Deal Name,Deal Stage,Close Date,Create Date", *rows]) + "\n")
    assert result.rows("deal", "source_id", "is_won", "is_lost") == [("1", False, True), ("2", False, True), ("3", True, False)]


def test_a_date_with_an_offset_is_a_day_of_the_calendar(staged: Stager) -> None:
    rows = ["1,A,closedwon,2026-02-13T23:30:00.000Z,2026-01-15T22:30:00Z", "2,B,closedwon,2026-03-29 02:30,2026-01-15 23:30"]
    result = staged("\n".join(["Record ID,Deal Name,Deal Stage,Close Date,Create Date", *rows]) + "\n", timezone="Europe/Berlin")
    # half past midnight of the 14th in Berlin; without an offset the day is as written, in the hour that doesn't exist as well
    assert result.rows("deal", "created_on", "closed_on") == [
        (date(2026, 1, 15), date(2026, 2, 14)),
        (date(2026, 1, 15), date(2026, 3, 29)),
    ]


SEVERAL = "Record ID,Deal Name,Deal Stage,Close Date,Create Date,Associated Company,Associated Company IDs"


def test_of_several_companies_the_first_counts_and_that_is_said(staged: Stager) -> None:
    result = staged(f"{SEVERAL}\n1,A,Demo,2026-02-14,2026-01-05,First GmbH;Second SA,77;78\n2,B,Demo,2026-02-14,2026-01-05,Third,79\n")
    assert result.rows("deal", "source_id", "source_account_id") == [("1", "77"), ("2", "79")]
    assert result.rows("account", "account_id", "name") == [("hubspot:77", "First GmbH"), ("hubspot:79", "Third")]
    assert 'row has several companies, of which the first counts: export "Associated Company IDs (Primary)" as well' in [
        note.partition(" ")[2] for note in result.staged.notes
    ]


def test_a_column_of_the_primary_company_decides(staged: Stager) -> None:
    header = f"{SEVERAL},Associated Company IDs (Primary),Associated Company (Primary)"
    result = staged(f"{header}\n1,A,Demo,2026-02-14,2026-01-05,First GmbH;Second SA,77;78,78,Second SA\n")
    assert result.rows("account", "account_id", "name") == [("hubspot:78", "Second SA")]
    assert not any("several companies" in note for note in result.staged.notes)


def test_closed_and_not_won_is_lost_whatever_the_stage_is_called(staged: Stager) -> None:
    header = "Record ID,Deal Name,Deal Stage,Close Date,Create Date,Is Closed Won,Is Deal Closed?"
    rows = [
        "1,A,Abgesagt,2026-02-14,2026-01-05,false,true",
        "2,B,Unterschrieben,2026-02-14,2026-01-05,true,true",
        "3,C,Demo,,2026-01-05,false,false",
    ]
    result = staged("\n".join([header, *rows]) + "\n")
    assert result.rows("deal", "source_id", "is_won", "is_lost") == [("1", False, True), ("2", True, False), ("3", False, False)]


def test_of_stages_written_as_ids_the_flags_decide_and_where_there_are_none_that_is_said(staged: Stager) -> None:
    rows = [
        "1,A,148273645,2026-02-14,2026-01-05,true,true",
        "2,B,148273646,2026-02-14,2026-01-05,false,true",
        "3,C,148273647,2026-02-14,2026-01-05,false,false",
        "4,D,b5a1a9b7-31f1-43f5-9bd3-2f6f9d7c1a55,2026-02-14,2026-01-05,,",
        "5,E,148273648,2026-02-14,2026-01-05,false,",
        "6,F,Closed Won,2026-02-14,2026-01-05,,",
    ]
    header = "Record ID,Deal Name,Deal Stage,Close Date,Create Date,Is Closed Won,Is deal closed?"
    result = staged("\n".join([header, *rows]))
    assert result.rows("deal", "source_id", "is_won", "is_lost") == [
        ("1", True, False),
        ("2", False, True),
        ("3", False, False),
        ("4", False, False),
        ("5", False, False),
        ("6", True, False),
    ]
    flagged, unsaid = (note for note in result.staged.notes if "stage's id" in note)
    assert flagged.startswith("3 deals have their stage's id in the place of its label: whether they are won or lost is taken")
    assert unsaid.startswith("2 deals have their stage's id in the place of its label, and nothing says whether they are won or lost")


def test_a_column_that_the_view_lacks_is_not_spoken_of(staged: Stager) -> None:
    result = staged("Record ID,Deal Name,Deal Stage,Close Date,Create Date\n1,A,Closed Lost,2026-02-14,2026-01-05\n")
    columns = [part for part in result.staged.tables if part.table == "deal"]
    named = [row[0] for row in result.connection.execute(f"DESCRIBE {columns[0].relation}").fetchall()]
    assert {"amount", "lost_reason", "owner", "modified_at"}.isdisjoint(named)
    # the currency is assumed, so that of a deal that is known already stands
    assert columns[0].assumed == ("currency",)


def test_a_count_of_employees_is_never_rounded(staged: Stager) -> None:
    header = "Record ID,Company name,Company Domain Name,Create Date,Number of Employees\n"
    rows = [f'{at},C {at},c{at}.example,2026-01-{at:02d} 10:00,"{said}"\n' for at, said in enumerate(["1.234", *["250", "1,200"] * 4], 1)]
    result = staged(header + "".join(rows))
    assert [(column, value, reason) for _, column, value, reason in result.problems()] == [
        ("Number of Employees", "1.234", "not a whole number")
    ]
    assert {count for (count,) in result.rows("account", "employees")} == {250, 1200}


def test_deals_without_a_column_of_amounts_say_so(staged: Stager) -> None:
    result = staged("Record ID,Deal Name,Deal Stage,Close Date,Create Date\n1,A,Closed Won,2026-02-20 10:00,2026-01-20 10:00\n")
    assert "it has no column of amounts, so its deals bring none" in result.staged.notes


def test_a_workbook_says_what_the_csv_says(staged: Stager) -> None:
    """The same deals as .xlsx: ids and amounts as numbers, days as Excel's with a format, flags as texts."""
    book, plain = (staged(f"hubspot_deals.{ending}", timezone="Europe/Berlin") for ending in ("xlsx", "csv"))
    deal = ("deal_id", "source_account_id", "kind", "amount", "home_amount", "currency", "created_on", "closed_on", "expected_close_on")
    assert book.rows("deal", *deal)[0] == (
        *("hubspot:101", "77", "new", D(1000), D(920), "USD"),
        *(date(2026, 1, 5), date(2026, 1, 25), None),
    )
    assert book.rows("deal", *deal) == plain.rows("deal", *deal)
    stage = ("deal_id", "entered_at", "stage", "left_at")
    assert len(book.rows("deal_stage", *stage)) == 5
    assert book.rows("deal_stage", *stage) == plain.rows("deal_stage", *stage)
    assert book.rows("account", "account_id", "name") == plain.rows("account", "account_id", "name")
    assert (book.staged.covers, book.problems()) == (plain.staged.covers, [])
