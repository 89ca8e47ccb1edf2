"""Exports of one CRM that overlap: what a newer one says, what it leaves open, and the reasons that stand beside the deals."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from kpi.importing.importer import Options, import_paths
from kpi.importing.republish import rebuild
from kpi.warehouse.engines import open_reader
from kpi.warehouse.mappings import Mappings, Rule
from kpi.warehouse.schema import deal, deal_line, deal_stage, remark

pytestmark = pytest.mark.first_only

D = Decimal
OPPORTUNITIES = (
    "Id,IsDeleted,AccountId,Name,StageName,Amount,CloseDate,IsClosed,IsWon,CreatedDate,LastModifiedDate,CurrencyIsoCode,Loss_Reason__c"
)


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def both(request, settings):
    """The same promises on either engine."""
    if request.param == "duckdb":
        return settings
    return dataclasses.replace(settings, warehouse_url=request.getfixturevalue("postgres_url"))


@pytest.fixture
def berlin():
    return Mappings("EUR", "Europe/Berlin", {"Atlas": {"salesforce": (Rule("product", "Atlas*"),)}}, {}, "m1")


@pytest.fixture
def load(tmp_path, both, berlin):
    """``load("a.csv", header, rows…)`` imports a file; the sentences about it."""

    def run(name, header, *rows, **options):
        path = tmp_path / name
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        report = import_paths(both, berlin, [str(path)], Options(dates="mdy", **options))
        assert report.files[0].status == "loaded", report.files[0].message
        return report.files[0].message

    return run


def opportunity(stage, modified, closed="0", won="0", reason="", id_="0064600000J5S5TAAV", name="Atlas"):
    return f"{id_},0,0014600001TvgfWAAR,{name},{stage},1000,2026-02-10,{closed},{won},2026-01-05 10:00:00,{modified},USD,{reason}"


def rows(settings, *columns):
    with open_reader(settings) as reader:
        return sorted((tuple(row.values()) for row in reader.run(sa.select(*columns)).to_pylist()), key=repr)


@pytest.mark.slow
def test_a_reason_stands_as_long_as_its_deal_is_lost(both, load, berlin, contents):
    lost = opportunity("Closed Lost", "2026-02-11 10:00:00", "1", "0", "Too expensive")
    load("lost.csv", OPPORTUNITIES, lost)
    told = (remark.c.remark_id, remark.c.kind, remark.c.deal_id, remark.c.said_at, remark.c.subject, remark.c.source)
    # 10 February begins in Berlin an hour before it does in UTC
    expected = ("salesforce:0064600000J5S5TAAV:lost_reason", "lost_reason", "salesforce:0064600000J5S5TAAV", datetime(2026, 2, 9, 23))
    assert rows(both, *told) == [(*expected, "Too expensive", "salesforce")]
    load("won.csv", OPPORTUNITIES, opportunity("Closed Won", "2026-03-01 10:00:00", "1", "1"))
    assert rows(both, *told) == []
    # the older export doesn't undo it, and the archive read again gives the same
    load("older.csv", OPPORTUNITIES, lost.replace("1000", "999"))
    assert rows(both, deal.c.is_won, deal.c.amount) == [(True, D(1000))]
    assert rows(both, *told) == []
    before = contents(both)
    rebuild(both, berlin)
    assert contents(both) == before


@pytest.mark.slow
def test_a_full_list_of_tickets_retires_no_reasons(both, load):
    load("lost.csv", OPPORTUNITIES, opportunity("Closed Lost", "2026-02-11 10:00:00", "1", "0", "Too expensive"))
    cases = "Id,IsDeleted,CaseNumber,AccountId,Subject,Description,CreatedDate,LastModifiedDate"
    load("cases.csv", cases, "500A,0,1,,Help,,2026-02-01 10:00:00,2026-02-01 10:00:00")
    said = load("others.csv", cases, "500B,0,2,,Hello,,2026-02-02 10:00:00,2026-02-02 10:00:00", full=True)
    assert "1 row of remark that is absent from this full export was retired" in said
    assert rows(both, remark.c.kind, remark.c.subject) == [("lost_reason", "Too expensive"), ("ticket", "Hello")]


SUBSCRIPTIONS = (
    "id,Customer ID,Plan,Quantity,Currency,Interval,Amount,Status,Cancellation Reason,Created (UTC),Canceled At (UTC),"
    "Ended At (UTC),Trial End (UTC)"
)


def test_a_cancellation_s_reason_goes_when_it_is_taken_back(both, load):
    gone = "sub_1,cus_1,price_1,1,eur,month,50.00,canceled,too_expensive,2026-01-01 10:00,2026-02-10 10:00,2026-03-01 00:00,"
    # one that ended within its trial never was a customer
    tried = "sub_2,cus_2,price_1,1,eur,month,50.00,canceled,unused,2026-01-01 10:00,2026-01-10 10:00,2026-01-10 10:00,2026-01-15 00:00"
    load("a.csv", SUBSCRIPTIONS, gone, tried)
    told = (remark.c.remark_id, remark.c.kind, remark.c.said_at, remark.c.subject, remark.c.source_product_id)
    assert rows(both, *told) == [
        ("stripe:sub_1:churn_reason", "churn_reason", datetime(2026, 2, 9, 23), "too_expensive", "price_1"),
    ]
    later = "sub_3,cus_3,price_1,1,eur,month,50.00,active,,2026-03-05 10:00,,,"
    load("b.csv", SUBSCRIPTIONS, "sub_1,cus_1,price_1,1,eur,month,50.00,active,,2026-01-01 10:00,,,", tried, later)
    assert rows(both, *told) == []


REPORT = "Opportunity Owner,Account Name,{}Opportunity Name,Stage,Amount,Close Date,Created Date"


def test_a_report_and_the_data_export_are_the_same_deals(both, load):
    load("export.csv", OPPORTUNITIES, opportunity("Negotiation", "2026-01-20 10:00:00"))
    load("report.csv", REPORT.format("Opportunity ID,"), "Ada,First GmbH,0064600000J5S5T,Atlas,Closed Won,1100,2/13/2026,1/5/2026")
    # what the report doesn't show keeps its value: the currency is not assumed, the account is not a name
    assert rows(both, deal.c.deal_id, deal.c.stage, deal.c.amount, deal.c.currency, deal.c.source_account_id, deal.c.owner) == [
        ("salesforce:0064600000J5S5TAAV", "Closed Won", D(1100), "USD", "0014600001TvgfWAAR", "Ada")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("first", ["report", "export"])
def test_a_report_without_ids_gives_way_to_what_is_known_by_its_id(both, load, berlin, contents, first):
    def report():
        known, other = "Ada,First GmbH,Atlas,Closed Won,1100,2/13/2026,1/5/2026", "Bob,Second SA,Beacon,Demo,50,9/30/2026,1/8/2026"
        return load("report.csv", REPORT.format(""), known, other)

    def export():
        return load("export.csv", OPPORTUNITIES, opportunity("Negotiation", "2026-01-20 10:00:00"))

    said = [report(), export()] if first == "report" else [export(), report()]
    assert "1 deal of a report without ids is known by id from another export, which counts (same name, same day of creation)" in said[1]
    assert rows(both, deal.c.name, deal.c.amount, deal.c.stage) == [("Atlas", D(1000), "Negotiation"), ("Beacon", D(50), "Demo")]
    before = contents(both)
    rebuild(both, berlin)
    assert contents(both) == before


@pytest.mark.parametrize("first", ["report", "export"])
def test_stages_of_a_report_without_times_do_not_double_those_with(both, load, first):
    def report():
        header = "Opportunity ID,Opportunity Name,From Stage,To Stage,Last Modified,Amount,Close Date,Stage,Created Date"
        moves = ["0064600000J5S5T,Atlas,,Discovery,1/5/2026,1000,9/30/2026,Demo,1/5/2026"]
        load("report.csv", header, *moves, "0064600000J5S5T,Atlas,Discovery,Demo,1/15/2026,1000,9/30/2026,Demo,1/5/2026")

    def export():
        history = "Id,OpportunityId,CreatedDate,StageName,SystemModstamp,IsDeleted"
        entered = "0084600000iqknnAAA,0064600000J5S5TAAV,2026-01-05 10:00:00,Discovery,2026-01-05 10:00:00,0"
        load("history.csv", history, entered, "0084600000iqknoAAA,0064600000J5S5TAAV,2026-01-15 11:00:00,Demo,2026-01-15 11:00:00,0")

    for step in (report, export) if first == "report" else (export, report):
        step()
    assert rows(both, deal_stage.c.stage, deal_stage.c.entered_at, deal_stage.c.left_at) == [
        ("Demo", datetime(2026, 1, 15, 11), None),
        ("Discovery", datetime(2026, 1, 5, 10), datetime(2026, 1, 15, 11)),
    ]


def test_a_line_item_is_the_product_that_its_price_is_called(both, load):
    lines = "Id,OpportunityId,PricebookEntryId,Quantity,TotalPrice,CreatedDate,LastModifiedDate,CurrencyIsoCode"
    load("lines.csv", lines, "00k4600000iqknnAAA,0064600000J5S5TAAV,01u4600000iqknnAAA,3,270,2026-01-05 10:00:00,2026-01-05 10:00:00,USD")
    assert rows(both, deal_line.c.product_id, deal_line.c.amount) == [(None, D(270))]
    entries = "Id,Name,Pricebook2Id,Product2Id,UnitPrice,ProductCode,LastModifiedDate,IsDeleted"
    load("entries.csv", entries, "01u4600000iqknnAAA,Atlas Seats,01s,01t,100,A-1,2026-01-05 10:00:00,0")
    assert rows(both, deal_line.c.product_id, deal_line.c.amount) == [("Atlas", D(270))]


@pytest.mark.slow
def test_what_was_written_under_an_account_that_was_merged_finds_the_one_that_is_left(both, load):
    accounts = "Id,IsDeleted,MasterRecordId,Name,BillingCountry,OwnerId,LastModifiedDate,CreatedDate"
    kept = "0014600001TvgfXAAR,0,,First GmbH,DE,005A,2026-03-01 10:00:00,2026-01-01 10:00:00"
    load("before.csv", accounts, kept, "0014600001TvgfWAAR,0,,First,DE,005A,2026-01-01 10:00:00,2026-01-01 10:00:00")
    load("deals.csv", OPPORTUNITIES, opportunity("Negotiation", "2026-01-20 10:00:00"))
    assert rows(both, deal.c.account_id) == [("salesforce:0014600001TvgfWAAR",)]
    gone = "0014600001TvgfWAAR,1,0014600001TvgfXAAR,First,DE,005A,2026-03-01 10:00:00,2026-01-01 10:00:00"
    load("after.csv", accounts, kept.replace("First GmbH", "First Company"), gone)
    assert rows(both, deal.c.account_id) == [("salesforce:0014600001TvgfXAAR",)]


def test_a_deal_that_was_opened_again_is_open_and_an_older_export_does_not_close_it(both, load):
    header = (
        "Deal - ID,Deal - Title,Deal - Value,Deal - Status,Deal - Deal created,Deal - Update time,Deal - Won time,Deal - Deal closed on"
    )
    won = "1,Atlas,100,Won,2026-01-05 10:00:00,2026-02-01 10:00:00,2026-02-01 10:00:00,2026-02-01 10:00:00"
    load("a.csv", header, won)
    load("b.csv", header, "1,Atlas,120,Open,2026-01-05 10:00:00,2026-02-09 10:00:00,,")
    load("c.csv", header, won.replace("Atlas", "Old name"))
    assert rows(both, deal.c.name, deal.c.amount, deal.c.is_won, deal.c.closed_on) == [("Atlas", D(120), False, None)]
    load("d.csv", header, won.replace("2026-02-01", "2026-02-20"))
    assert rows(both, deal.c.amount, deal.c.is_won, deal.c.closed_on) == [(D(100), True, date(2026, 2, 20))]
