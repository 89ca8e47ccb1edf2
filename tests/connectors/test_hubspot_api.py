"""What HubSpot's CRM API answers."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from tests.connectors.conftest import Stager

D = Decimal


def test_deals(staged: Stager) -> None:
    result = staged("hubspot_api_deals.json", timezone="Europe/Berlin")
    assert (result.staged.connector, result.staged.layout) == ("hubspot", "api deals")
    assert (result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (4, 3, 0)
    assert result.rows("deal", "deal_id", "kind", "amount", "currency", "is_won", "is_lost", "lost_reason", "source_account_id") == [
        ("hubspot:101", "new", D("1000.5000"), "EUR", True, False, None, "77"),
        # a stage of the company's own: lost is what is closed and not won
        ("hubspot:102", "expansion", None, "EUR", False, True, "Price", None),
        ("hubspot:103", None, D("1.2340"), "EUR", False, False, None, None),
    ]
    # half past midnight of the 25th in Berlin
    assert result.rows("deal", "source_id", "created_on", "closed_on", "expected_close_on") == [
        ("101", date(2026, 1, 5), date(2026, 1, 25), None),
        ("102", date(2026, 1, 6), date(2026, 2, 1), None),
        ("103", date(2026, 1, 7), None, date(2026, 12, 31)),
    ]
    assert result.staged.notes == (
        "1 archived records left out",
        "1 deal stands in a stage that is only a number and doesn't say whether it is closed: it is taken as open. Ask the API for "
        "the properties hs_is_closed and hs_is_closed_won",
    )


def test_stages(staged: Stager) -> None:
    result = staged("hubspot_api_deals.json")
    assert result.rows("deal_stage", "deal_id", "stage", "entered_at", "left_at") == [
        ("hubspot:101", "Appointment Scheduled", datetime(2026, 1, 5, 9), datetime(2026, 1, 24, 23, 30)),
        ("hubspot:101", "Closed Won", datetime(2026, 1, 24, 23, 30), None),
    ]


def test_an_archived_deal_goes(staged: Stager) -> None:
    result = staged("hubspot_api_deals.json")
    gone = [part.replaces for part in result.staged.tables if part.table == "deal" and part.replaces is not None]
    assert [result.connection.execute(f"SELECT deal_id FROM {each.scope}").fetchall() for each in gone] == [[("hubspot:104",)]]


def test_companies_and_tickets(staged: Stager, tmp_path: Path) -> None:
    about = {"createdAt": "2026-01-05T09:00:00.000Z", "updatedAt": "2026-01-06T09:00:00.000Z", "archived": False}
    path = tmp_path / "a.json"
    company = {"name": "First GmbH", "domain": "first.example", "industry": "RETAIL", "numberofemployees": "120"}
    path.write_text(json.dumps({"results": [{"id": "77", "properties": {**company, "createdate": about["createdAt"]}, **about}]}))
    result = staged(path)
    assert result.staged.layout == "api companies"
    assert result.rows("account", "account_id", "name", "domain", "employees", "created_on", "modified_at") == [
        ("hubspot:77", "First GmbH", "first.example", 120, date(2026, 1, 5), datetime(2026, 1, 6, 9))
    ]
    ticket = {"subject": "Help", "content": "It fails", "hs_pipeline_stage": "1", "createdate": about["createdAt"]}
    belongs = {"associations": {"companies": {"results": [{"id": "77", "type": "ticket_to_company"}]}}}
    path.write_text(json.dumps({"results": [{"id": "5", "properties": ticket, **about, **belongs}]}))
    result = staged(path)
    assert result.staged.layout == "api tickets"
    assert result.rows("remark", "remark_id", "kind", "subject", "text", "source_account_id", "said_at") == [
        ("hubspot:5", "ticket", "Help", "It fails", "77", datetime(2026, 1, 5, 9))
    ]


def test_stages_have_one_name_in_the_page_s_export_and_in_the_api(staged: Stager) -> None:
    """Else a deal that both know would seem to move whenever the other one is imported."""
    header = "Record ID,Deal Name,Deal Stage,Close Date,Create Date,hs_v2_date_entered_closedwon\n"
    page = staged(header + "101,Atlas,Closed Won,2026-01-25 10:00,2026-01-05 10:00,2026-01-25 10:00\n")
    answer = staged("hubspot_api_deals.json")
    assert page.rows("deal", "deal_id", "stage") == [("hubspot:101", "Closed Won")] == answer.rows("deal", "deal_id", "stage")[:1]
    assert {stage for (stage,) in page.rows("deal_stage", "stage")} == {"Closed Won"}
    assert {stage for (stage,) in answer.rows("deal_stage", "stage")} == {"Appointment Scheduled", "Closed Won"}
