"""Every layout whose rows say when they changed, or whose export says when it was made: a newer export of the same rows updates them,
and an older one that is imported after it undoes nothing.

All older exports are imported and then all newer ones, and in another warehouse the other way round; both must hold the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kpi.importing.importer import import_paths
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.schema import metadata
from tests.conftest import ROOT, new_database

OPEN = ("False", "False", "None")


@dataclass(frozen=True)
class Update:
    """What an older and a newer export say of one thing, and what must stand in the end.

    Attributes:
        name: of the file; ``@`` is the day of the export, 2026-03-20 or 2026-03-25.
        head: what stands above the row in both.
        older, newer: the rest of the file.
        table, key, columns: which row is looked at.
        row: it, every value as text; None where it is gone.
    """

    name: str
    head: str
    older: str
    newer: str
    table: str
    key: str
    columns: str
    row: tuple[str, ...] | None


def api(name: str, around: str, older: dict[str, Any], newer: dict[str, Any], *about: Any) -> Update:
    """The same of JSON; ``around``: the page, with ``%s`` for its records."""
    return Update(name, "", around % json.dumps([older]), around % json.dumps([newer]), *about)


SALESFORCE = "Id,IsDeleted,AccountId,Name,StageName,Amount,CloseDate,IsClosed,IsWon,CreatedDate,LastModifiedDate,CurrencyIsoCode\n"
HUBSPOT = "Record ID,Deal Name,Pipeline,Deal Stage,Amount,Currency,Create Date,Close Date,Is Closed Won\n"
PIPEDRIVE = "Deal - ID,Deal - Title,Deal - Value,Deal - Currency,Deal - Status,Deal - Deal created,Deal - Update time,Deal - Won time\n"
DYNAMICS = "(Do Not Modify) Opportunity,(Do Not Modify) Modified On,Topic,Status,Actual Close Date,Est. Revenue,Created On,Currency\n"
STRIPE = "id,Created date (UTC),Amount,Amount Refunded,Currency,Refunded date (UTC),Status,Customer ID\n"
CHARGEBEE = "id,customer_id,status,date,currency_code,total,tax,amount_paid,amount_due,updated_at\n"
CHARGEBEE_PAID = "id,customer_id,gateway,type,date,amount,currency_code,status,updated_at\n"
RECURLY = "id,invoice_number,billed_date,status,account_code,currency,invoice_total,invoice_subtotal,tax_amount,modified_at\n"
RECURLY_PAID = "account_code,transaction_id,type,amount,currency,date,status,modified_at,payment_method,collected_at\n"
PADDLE = "id,status,customer_id,created_at,updated_at,billed_at,captured_at,currency_code,subtotal,tax,total\n"
PADDLE_ADJUSTED = "id,transaction_id,customer_id,action,status,created_at,updated_at,currency_code,subtotal,tax,total\n"
JIRA = "Summary,Issue key,Issue id,Issue Type,Status,Resolution,Created,Updated,Resolved\n"
LINEAR = "ID,Team,Title,Status,Creator,Created,Updated,Completed,Canceled\n"
GITLAB = "Issue ID,URL,Title,State,Author,Author Username,Created At (UTC),Updated At (UTC),Closed At (UTC)\n"
ASANA = "Task ID,Created At,Completed At,Last Modified,Name,Section/Column\n"
ZENDESK = "Id,Requester,Subject,Status,Via,Created at,Updated at,Assignee,Organization\n"
LEDGER = (
    'Acme GmbH,,,,,,,,\nGeneral Ledger,,,,,,,,\n"January 1 - March 31, 2026",,,,,,,,\n,,,,,,,,\n'
    ",Date,Transaction Type,Num,Name,Memo/Description,Split,Amount,Balance\n5100 Hosting,,,,,,,,\n"
)
_WON = ("is_won is_lost closed_on stage",)

UPDATES = (
    # a deal that was won is open again
    Update(
        *("opportunity.csv", SALESFORCE),
        "006A00000000001AAA,0,001A,Atlas,Closed Won,100,2026-02-10,1,1,2026-01-05 10:00:00,2026-02-11 10:00:00,EUR\n",
        "006A00000000001AAA,0,001A,Atlas,Offer,120,2026-09-10,0,0,2026-01-05 10:00:00,2026-03-11 10:00:00,EUR\n",
        *("deal", "salesforce:006A00000000001AAA", "is_won is_lost closed_on stage amount", (*OPEN, "Offer", "120.0000")),
    ),
    Update(
        *("opportunity2.csv", SALESFORCE),
        "006A00000000002AAA,0,001A,Beacon,Offer,100,2026-09-10,0,0,2026-01-05 10:00:00,2026-02-11 10:00:00,EUR\n",
        "006A00000000002AAA,1,001A,Beacon,Offer,100,2026-09-10,0,0,2026-01-05 10:00:00,2026-03-11 10:00:00,EUR\n",
        *("deal", "salesforce:006A00000000002AAA", "stage", None),
    ),
    Update(
        *("lines.csv", "Id,OpportunityId,PricebookEntryId,Quantity,TotalPrice,UnitPrice,CreatedDate,LastModifiedDate,IsDeleted\n"),
        "00kA00000000001AAA,006A00000000001AAA,01uA,3,270,90,2026-01-05 10:00:00,2026-01-05 10:00:00,0\n",
        "00kA00000000001AAA,006A00000000001AAA,01uA,2,180,90,2026-01-05 10:00:00,2026-03-05 10:00:00,0\n",
        *("deal_line", "salesforce:00kA00000000001AAA", "quantity amount", ("2.000000", "180.0000")),
    ),
    Update(
        *("case.csv", "Id,IsDeleted,CaseNumber,ContactId,AccountId,Type,Status,Subject,Description,CreatedDate,LastModifiedDate\n"),
        "500A00000000001AAA,0,1,003A,001A,Bug,New,Slow,Slow,2026-01-05 10:00:00,2026-01-05 10:00:00\n",
        "500A00000000001AAA,0,1,003A,001A,Bug,New,Slow,Very slow,2026-01-05 10:00:00,2026-01-06 10:00:00\n",
        *("remark", "salesforce:500A00000000001AAA", "text", ("Very slow",)),
    ),
    Update(
        *("hubspot-crm-exports-all-deals-@.csv", HUBSPOT),
        "101,Atlas,Sales,Closed Won,1000,EUR,2026-01-05 10:00,2026-01-25 10:00,true\n",
        "101,Atlas,Sales,Demo,1100,EUR,2026-01-05 10:00,2026-09-25 10:00,false\n",
        *("deal", "hubspot:101", "is_won is_lost closed_on stage amount", (*OPEN, "Demo", "1100.0000")),
    ),
    Update(
        *("hubspot-crm-exports-all-tickets-@.csv", "Ticket ID,Ticket name,Ticket status,Create Date,Ticket description\n"),
        "901,Slow,New,2026-01-05 10:00,Slow\n",
        "901,Slow,New,2026-01-05 10:00,Very slow\n",
        *("remark", "hubspot:901", "text", ("Very slow",)),
    ),
    api(
        *("deals.json", '{"results": %s}'),
        {
            "id": "201",
            "properties": {
                "dealname": "Atlas",
                "dealstage": "closedwon",
                "closedate": "2026-01-24T23:30:00Z",
                "createdate": "2026-01-05T09:00:00Z",
                "hs_is_closed_won": "true",
                "hs_is_closed": "true",
                "hs_lastmodifieddate": "2026-01-25T10:00:00Z",
                "deal_currency_code": "EUR",
            },
        },
        {
            "id": "201",
            "properties": {
                "dealname": "Atlas",
                "dealstage": "demo",
                "closedate": "2026-09-24T23:30:00Z",
                "createdate": "2026-01-05T09:00:00Z",
                "hs_is_closed_won": "false",
                "hs_is_closed": "false",
                "hs_lastmodifieddate": "2026-03-25T10:00:00Z",
                "deal_currency_code": "EUR",
            },
        },
        *("deal", "hubspot:201", "is_won is_lost closed_on stage", (*OPEN, "demo")),
    ),
    Update(
        *("pipedrive.csv", PIPEDRIVE),
        '"11","Atlas","1000","USD","Won","2026-01-05 10:00:00","2026-02-01 10:00:00","2026-01-31 10:00:00"\n',
        '"11","Atlas","900","USD","Open","2026-01-05 10:00:00","2026-03-01 10:00:00","2026-01-31 10:00:00"\n',
        *("deal", "pipedrive:11", "is_won is_lost closed_on amount", (*OPEN, "900.0000")),
    ),
    Update(
        *("pipedrive2.csv", PIPEDRIVE),
        '"12","Beacon","1000","USD","Open","2026-01-05 10:00:00","2026-02-01 10:00:00",""\n',
        '"12","Beacon","1000","USD","Deleted","2026-01-05 10:00:00","2026-03-01 10:00:00",""\n',
        *("deal", "pipedrive:12", "amount", None),
    ),
    Update(
        *("dynamics.csv", DYNAMICS),
        "a-1,2026-02-01 10:00,Atlas,Won,2026-01-31,1000,2026-01-05 10:00,Euro\n",
        "a-1,2026-03-01 10:00,Atlas,Open,,1000,2026-01-05 10:00,Euro\n",
        *("deal", "dynamics:a-1", "is_won is_lost closed_on", OPEN),
    ),
    # money that goes back, and documents that are void
    Update(
        *("payments.csv", STRIPE),
        "ch_1,2026-03-01 10:00:00,100.00,0.00,eur,,Paid,cus_1\n",
        "ch_1,2026-03-01 10:00:00,100.00,40.00,eur,2026-03-11 10:00:00,Refunded,cus_1\n",
        *("payment", "stripe:ch_1", "status amount refunded refunded_on", ("paid", "100.0000", "40.0000", "2026-03-11")),
    ),
    api(
        *("charges.json", '{"object": "list", "data": %s}'),
        {
            "id": "ch_2",
            "object": "charge",
            "livemode": True,
            "amount": 10000,
            "amount_refunded": 0,
            "created": 1772407800,
            "currency": "eur",
            "paid": True,
            "captured": True,
            "refunded": False,
            "status": "succeeded",
        },
        {
            "id": "ch_2",
            "object": "charge",
            "livemode": True,
            "amount": 10000,
            "amount_refunded": 2500,
            "created": 1772407800,
            "currency": "eur",
            "paid": True,
            "captured": True,
            "refunded": False,
            "status": "succeeded",
            "refunds": {"data": [{"created": 1773100800, "status": "succeeded"}]},
        },
        *("payment", "stripe:ch_2", "amount refunded refunded_on", ("100.0000", "25.0000", "2026-03-10")),
    ),
    Update(
        *("invoices.csv", CHARGEBEE),
        "1001,c_1,payment_due,2026-03-01 10:00:00,EUR,35.70,5.70,0.00,35.70,2026-03-01 10:00:00\n",
        "1001,c_1,voided,2026-03-01 10:00:00,EUR,35.70,5.70,0.00,0.00,2026-03-11 10:00:00\n",
        *("invoice_line", "chargebee:1001", "amount", None),
    ),
    Update(
        *("transactions.csv", CHARGEBEE_PAID),
        "txn_1,c_1,stripe,payment,2026-03-01 10:00:00,30.00,EUR,in_progress,2026-03-01 10:00:00\n",
        "txn_1,c_1,stripe,payment,2026-03-01 10:00:00,30.00,EUR,success,2026-03-02 10:00:00\n",
        *("payment", "chargebee:txn_1", "status", ("paid",)),
    ),
    Update(
        *("transactions2.csv", CHARGEBEE_PAID),
        "txn_2,c_1,stripe,payment,2026-03-01 10:00:00,30.00,EUR,success,2026-03-01 10:00:00\n",
        "txn_2,c_1,stripe,payment,2026-03-01 10:00:00,30.00,EUR,voided,2026-03-02 10:00:00\n",
        *("payment", "chargebee:txn_2", "status", None),
    ),
    Update(
        *("recurly.csv", RECURLY),
        "i1,1001,2026-03-01 10:00:00 PST,pending,acme,USD,119.00,100.00,19.00,2026-03-01 10:00:00 PST\n",
        "i1,1001,2026-03-01 10:00:00 PST,voided,acme,USD,119.00,100.00,19.00,2026-03-09 10:00:00 PDT\n",
        *("invoice_line", "recurly:1001", "amount", None),
    ),
    Update(
        *("recurly2.csv", RECURLY_PAID),
        "acme,t1,purchase,119.00,USD,2026-03-01 10:00:00 PST,processing,2026-03-01 10:00:00 PST,ACH,\n",
        "acme,t1,purchase,119.00,USD,2026-03-01 10:00:00 PST,success,2026-03-04 10:00:00 PST,ACH,\n",
        *("payment", "recurly:t1", "status amount", ("paid", "119.0000")),
    ),
    Update(
        *("paddle.csv", PADDLE),
        "txn_1,past_due,ctm_1,2026-03-01T10:00:00Z,2026-03-02T10:00:00Z,2026-03-01T10:00:00Z,,EUR,100.00,19.00,119.00\n",
        "txn_1,completed,ctm_1,2026-03-01T10:00:00Z,2026-03-05T10:00:00Z,2026-03-01T10:00:00Z,2026-03-05T10:00:00Z,EUR,100.00,19.00,119.00\n",
        *("payment", "paddle:txn_1", "status paid_on", ("paid", "2026-03-05")),
    ),
    Update(
        *("paddle2.csv", PADDLE_ADJUSTED),
        "adj_1,txn_1,ctm_1,refund,approved,2026-03-09T10:00:00Z,2026-03-09T10:00:00Z,EUR,10.00,1.90,11.90\n",
        "adj_1,txn_1,ctm_1,refund,reversed,2026-03-09T10:00:00Z,2026-03-12T10:00:00Z,EUR,10.00,1.90,11.90\n",
        *("payment", "paddle:adj_1", "refunded", None),
    ),
    # an issue that is open again
    Update(
        *("jira.csv", JIRA),
        "Export,ATL-1,1,Story,Done,Fixed,2026-03-01 09:00,2026-03-09 10:00,2026-03-09 10:00\n",
        "Export,ATL-1,1,Story,Reopened,,2026-03-01 09:00,2026-03-12 10:00,\n",
        *("issue", "jira:1", "status status_category resolved_at resolution", ("Reopened", "todo", "None", "None")),
    ),
    Update(
        *("linear.csv", LINEAR),
        "ENG-1,Engine,Export,Done,Ada,2026-03-01T09:00:00.000Z,2026-03-09T10:00:00.000Z,2026-03-09T10:00:00.000Z,\n",
        "ENG-1,Engine,Export,In Progress,Ada,2026-03-01T09:00:00.000Z,2026-03-12T10:00:00.000Z,,\n",
        *("issue", "linear:ENG-1", "status_category resolved_at", ("doing", "None")),
    ),
    Update(
        *("gitlab.csv", GITLAB),
        "1,https://gitlab.example/acme/atlas/-/issues/1,CSV,Closed,Ada,ada,2026-03-01 09:00:00,2026-03-09 10:00:00,2026-03-09 10:00:00\n",
        "1,https://gitlab.example/acme/atlas/-/issues/1,CSV,Opened,Ada,ada,2026-03-01 09:00:00,2026-03-12 10:00:00,\n",
        *("issue", "gitlab:acme/atlas#1", "status_category resolved_at", ("todo", "None")),
    ),
    Update(
        *("asana.csv", ASANA),
        "1211430000000001,2026-03-01,2026-03-09,2026-03-09,Export,Done\n",
        "1211430000000001,2026-03-01,,2026-03-12,Export,To do\n",
        *("issue", "asana:1211430000000001", "status_category resolved_at", ("todo", "None")),
    ),
    api(
        *("github.json", "%s"),
        {
            "number": 12,
            "title": "Export",
            "state": "closed",
            "state_reason": "completed",
            "labels": [],
            "created_at": "2026-03-01T09:00:00Z",
            "html_url": "https://github.com/acme/atlas/issues/12",
            "closed_at": "2026-03-09T09:00:00Z",
            "updated_at": "2026-03-09T09:00:00Z",
        },
        {
            "number": 12,
            "title": "Export",
            "state": "open",
            "state_reason": "reopened",
            "labels": [],
            "created_at": "2026-03-01T09:00:00Z",
            "html_url": "https://github.com/acme/atlas/issues/12",
            "closed_at": None,
            "updated_at": "2026-03-12T09:00:00Z",
        },
        *("issue", "github:acme/atlas#12", "status resolved_at", ("open", "None")),
    ),
    api(
        *("jira.json", '{"issues": %s}'),
        {
            "id": "7",
            "key": "ATL-7",
            "fields": {
                "summary": "API",
                "status": {"name": "Done", "statusCategory": {"key": "done"}},
                "created": "2026-03-01T09:00:00.000+0000",
                "updated": "2026-03-09T10:00:00.000+0000",
                "resolutiondate": "2026-03-09T10:00:00.000+0000",
                "issuetype": {"name": "Bug"},
            },
            "changelog": {
                "histories": [
                    {"created": "2026-03-09T10:00:00.000+0000", "items": [{"field": "status", "fromString": "To Do", "toString": "Done"}]},
                ]
            },
        },
        {
            "id": "7",
            "key": "ATL-7",
            "fields": {
                "summary": "API",
                "status": {"name": "To Do", "statusCategory": {"key": "new"}},
                "created": "2026-03-01T09:00:00.000+0000",
                "updated": "2026-03-12T10:00:00.000+0000",
                "resolutiondate": None,
                "issuetype": {"name": "Bug"},
            },
            "changelog": {
                "histories": [
                    {"created": "2026-03-12T10:00:00.000+0000", "items": [{"field": "status", "fromString": "Done", "toString": "To Do"}]},
                    {"created": "2026-03-09T10:00:00.000+0000", "items": [{"field": "status", "fromString": "To Do", "toString": "Done"}]},
                ]
            },
        },
        *("issue", "jira:7", "status_category resolved_at", ("todo", "None")),
    ),
    Update(
        *("zendesk.csv", ZENDESK),
        "101,Ada,Slow,Open,Mail,2026-03-02 09:15,2026-03-04 10:00,Sam,First GmbH\n",
        "101,Ada,Slow,Deleted,Mail,2026-03-02 09:15,2026-03-05 10:00,Sam,First GmbH\n",
        *("remark", "zendesk:101", "text", None),
    ),
    api(
        *("zendesk.json", '{"tickets": %s}'),
        {
            "id": 102,
            "subject": "Slow",
            "description": "Slow",
            "status": "open",
            "requester_id": 1,
            "created_at": "2026-03-02T08:15:00Z",
            "updated_at": "2026-03-04T09:00:00Z",
        },
        {
            "id": 102,
            "subject": "Slow",
            "description": "Very slow",
            "status": "open",
            "requester_id": 1,
            "created_at": "2026-03-02T08:15:00Z",
            "updated_at": "2026-03-05T09:00:00Z",
        },
        *("remark", "zendesk:102", "text", ("Very slow",)),
    ),
    # a booking that was corrected
    Update(
        *("ledger.csv", LEDGER),
        ',01/31/2026,Bill,B-1,Cloud Co,January,AP,"1,000.50","1,000.50"\nTotal for 5100 Hosting,,,,,,,"$1,000.50",\n\n'
        '"Accrual Basis Friday, March 6, 2026 10:15 AM GMT",,,,,,,,\n',
        ",01/31/2026,Bill,B-1,Cloud Co,January,AP,900.50,900.50\nTotal for 5100 Hosting,,,,,,,$900.50,\n\n"
        '"Accrual Basis Monday, March 9, 2026 10:15 AM GMT",,,,,,,,\n',
        *("cost_line", "quickbooks", "sum(amount) count(*)", ("900.5000", "1")),
    ),
)


#: Each import takes its time: these go through every way of deciding, the rest is for the slow tests.
FAST = ("opportunity.csv", "opportunity2.csv", "payments.csv", "recurly.csv", "transactions2.csv", "jira.csv")


def _write(folder: Path, day: str, newer: bool, updates: Iterable[Update]) -> list[str]:
    folder.mkdir(parents=True)
    written = []
    for update in updates:
        path = folder / update.name.replace("@", day)
        path.write_text(update.head + (update.newer if newer else update.older), encoding="utf-8")
        written.append(str(path))
    return written


def _imported(folder: Path, updates: Sequence[Update], urls: Sequence[str | None] = (None, None)) -> tuple[Settings, Settings]:
    """Warehouses into which the older exports came first, and the newer ones."""
    older, newer = _write(folder / "older", "2026-03-20", False, updates), _write(folder / "newer", "2026-03-25", True, updates)
    made = []
    for name, url, order in (("forwards", urls[0], (older, newer)), ("backwards", urls[1], (newer, older))):
        settings = Settings(home=folder / name, metrics=ROOT / "metrics.yaml", warehouse_url=url)
        for files in order:
            report = import_paths(settings, Mappings("EUR", "UTC", {}, {}, "m1"), files)
            assert [(file.file, file.message) for file in report.files if file.status != "loaded"] == []
        made.append(settings)
    return made[0], made[1]


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:
    return _imported(tmp_path_factory.mktemp("some"), [update for update in UPDATES if update.name in FAST])


@pytest.fixture(scope="module", params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def every(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:
    urls = [new_database(request.getfixturevalue("postgres_server")) if request.param == "postgresql" else None for _ in range(2)]
    return _imported(tmp_path_factory.mktemp("every"), UPDATES, urls)


def _row(settings: Settings, update: Update) -> tuple[str, ...] | None:
    table = metadata.tables[update.table]
    key = table.c.source if update.table == "cost_line" else next(iter(table.primary_key.columns))
    columns = [sa.literal_column(name) if "(" in name else table.c[name] for name in update.columns.split()]
    with open_reader(settings) as reader:
        rows = reader.run(sa.select(*columns).select_from(table).where(key == update.key)).to_pylist()
    return tuple(str(value) for value in rows[0].values()) if rows else None


@pytest.mark.parametrize("update", [update for update in UPDATES if update.name in FAST], ids=lambda update: update.name)
def test_the_newer_export_counts_in_whatever_order(some: tuple[Settings, Settings], update: Update) -> None:
    for settings in some:
        assert _row(settings, update) == update.row


@pytest.mark.slow
@pytest.mark.parametrize("update", UPDATES, ids=lambda update: update.name)
def test_of_every_layout_the_newer_export_counts(every: tuple[Settings, Settings], update: Update) -> None:
    for settings in every:
        assert _row(settings, update) == update.row


@pytest.mark.slow
def test_the_histories_are_the_same_in_whatever_order(every: tuple[Settings, Settings]) -> None:
    for table, state in (("issue_status", "status"), ("deal_stage", "stage")):
        thing = metadata.tables[table].c
        columns = [next(iter(thing)), thing[state], thing.entered_at, thing.left_at]
        found = []
        for settings in every:
            with open_reader(settings) as reader:
                rows = reader.run(sa.select(*columns).order_by(*columns[:1], thing.entered_at)).to_pylist()
            found.append([tuple(row.values()) for row in rows])
        assert found[0] == found[1]
        reopened = [row[1] for row in found[0] if row[0] in ("jira:7", "salesforce:006A00000000001AAA")]
        assert reopened == (["To Do", "Done", "To Do"] if table == "issue_status" else ["Closed Won", "Offer"])
