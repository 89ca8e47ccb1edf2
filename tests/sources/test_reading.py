"""Mappings: what their values become, and every mistake in them with its line."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from connectors.base import BOOKING
from kpi.errors import HeldBack
from kpi.sources.reading import read

SHOP = """
source: tills
label: The tills
exports:
  sales:
    columns: [Receipt, Sold on, Client, Kind, Net, Cur, Note]
    may_have: {tip: [Tip, Gratuity]}
    lacks: Refund of
    totals: [Total*, Grand total]
    dates: dmy
    leave_out:
      - {where: "kind = 'training'", words: receipts of the training mode}
    rows:
      payment:
        payment_id: Receipt
        customer: {column: Client, empty: [walk-in, '-']}
        status: {column: Kind, choices: {sale: paid, open: pending, void: }}
        amount: {column: Net, unit: minor}
        fee: {is: tip * 0.01}
        currency: Cur
        paid_on: Sold on
        description: {join: [Kind, Note], with: ' / '}
"""
SALES = """\
Shop 12;;;;;;
Receipt;Sold on;Client;Kind;Net;Cur;Note
R-1;01/02/2026;Ada;Sale;1234;eur;hello
R-2;03/02/2026;walk-in;open;900;JPY;
R-3;04/02/2026;Bob;training;700;EUR;
R-4;05/02/2026;Bob;gift;5;EUR;
R-5;06/02/2026;Bob;void;5;EUR;
R-6;07/02/2026;Bob;sale;5;;
Total;;;;2839;;
"""


def test_a_mapping_becomes_rows(mapped):
    result = mapped(SHOP, SALES)
    assert (result.staged.connector, result.staged.layout, result.staged.source) == ("tills", "sales", "tills")
    columns = ("payment_id", "source", "source_id", "source_account_id", "status", "amount", "currency", "paid_on", "description", "fee")
    assert result.rows("payment", *columns) == [
        # cents are hundredths, yen are yen; 1 February, since the mapping says so
        ("tills:R-1", "tills", "R-1", "Ada", "paid", Decimal("12.3400"), "EUR", dt.date(2026, 2, 1), "Sale / hello", None),
        ("tills:R-2", "tills", "R-2", None, "pending", Decimal("900.0000"), "JPY", dt.date(2026, 2, 3), "open", None),
    ]
    assert result.problems() == [
        (6, "Kind", "gift", "not one of sale, open, void"),
        (7, "Kind", "", "empty, and no row can do without it"),
        (8, "Net", "", "empty, and no row can do without it"),  # of which currency are 5 the cents?
    ]
    assert (result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (6, 2, 3)
    assert "1 receipts of the training mode left out" in result.staged.notes
    assert result.staged.covers == {"payment": (dt.date(2026, 2, 1), dt.date(2026, 2, 4), "dates of its rows")}


BILLING = """
source: plans
exports:
  terms:
    columns: [Id, Who, Plan, Price, Every, Seats, From, Last day]
    rows:
      subscription_term:
        term_id: Id
        customer: Who
        status: {value: active}
        monthly_amount:
          column: Price
          per: {column: Every, choices: {yearly: year, monthly: month, weekly: week}}
          times: Seats
        currency: {value: USD}
        started_on: {column: From, written: yyyymmdd}
        ended_on: {column: Last day, inclusive: true}
"""


def test_prices_of_a_year_and_last_days(mapped):
    rows = "Id,Who,Plan,Price,Every,Seats,From,Last day\n1,a,P,120,yearly,3,20260101,2026-06-30\n2,b,P,10.50,weekly,,20260201,\n"
    assert mapped(BILLING, rows).rows("subscription_term", "term_id", "subscription_id", "monthly_amount", "started_on", "ended_on") == [
        ("plans:1", "plans:1", Decimal("30.0000"), dt.date(2026, 1, 1), dt.date(2026, 7, 1)),  # 120 · 3 / 12
        ("plans:2", "plans:2", Decimal("45.5000"), dt.date(2026, 2, 1), None),  # 10.50 · 52 / 12
    ]


PEOPLE = """
source: crm
exports:
  people:
    columns: [Nr, Name, Mail, Web, Staff]
    rows:
      account:
        account_id: Nr
        name: {is: "concat(upper(name), trim(lower(nr)))"}
        email: Mail
        domain: Web
        employees: Staff
"""


def test_customers_tell_who_they_are(mapped):
    result = mapped(PEOPLE, "Nr,Name,Mail,Web,Staff\nN1,Firm,X@Firm.example,https://www.firm.example/de,12\n")
    assert result.rows("account", "account_id", "name", "domain", "employees") == [("crm:N1", "FIRMn1", "firm.example", 12)]
    who = ("source", "source_id", "name", "email", "domain")
    assert result.rows("source_account", *who) == [("crm", "N1", "FIRMn1", "x@firm.example", "firm.example")]


STAGES = """
source: crm
exports:
  deals:
    columns: [Nr, Made, Entered Demo]
    rows:
      deal: {deal_id: Nr, created_on: Made}
      deal_stage: {each: Entered *, where: nr <> 'x', deal_id: Nr, stage: {from: header}, entered_at: {from: cell}}
"""


def test_columns_that_are_states(mapped):
    result = mapped(STAGES, "Nr,Made,Entered Demo,Entered Won\n7,2026-01-01,2026-01-02 10:00,2026-01-05\n8,2026-01-01,,\n")
    moments = [dt.datetime(2026, 1, 2, 10), dt.datetime(2026, 1, 5)]
    assert result.rows("deal_stage", "deal_id", "stage", "entered_at", "left_at") == [
        ("crm:7", "Demo", moments[0], moments[1]),
        ("crm:7", "Won", moments[1], None),
    ]


COSTS = """
source: books
exports:
  costs:
    columns: [Account, Day, Text, Amount]
    totals: Total*
    rows:
      cost_line:
        cost_id: {made_of: row}
        ledger_account: Account
        booked_on: Day
        memo: Text
        amount: Amount
        currency: {value: EUR}
        replaces: {of: ledger_account, during: booked_on}
"""


def test_equal_rows_without_an_id_all_count(mapped):
    rows = "ACCOUNT,Day,Text,Amount\n4000,2026-01-05,Cab,10\n4000,2026-01-05,Cab,10\n4100,2026-01-07,Rent,5\nTotal,,,25\n"
    result = mapped(COSTS, rows)
    found = result.rows("cost_line", "ledger_account", "memo", "amount", "cost_id", "source_id")
    assert [(account, memo, amount) for account, memo, amount, *_ in found] == [
        ("4000", "Cab", Decimal(10)),
        ("4000", "Cab", Decimal(10)),
        ("4100", "Rent", Decimal(5)),
    ]
    assert len({key for *_, key, _ in found}) == 3
    assert all(key == f"books:{bare}" for *_, key, bare in found)
    (table,) = result.staged.tables
    assert table.replaces is not None
    assert (table.replaces.columns, table.replaces.day) == (("ledger_account",), "booked_on")
    assert (table.replaces.since, table.replaces.until) == (dt.date(2026, 1, 5), dt.date(2026, 1, 8))
    assert set(table.replaces.alike) <= set(BOOKING)


def test_a_file_that_two_systems_fit_is_asked_about(mapped):
    loose = "source: loose\nexports:\n  any:\n    columns: [id, Amount]\n    rows:\n      account: {account_id: id}\n"
    stripe = "id,Created (UTC),Amount,Amount Refunded,Currency,Status\nch_1,2026-01-01 10:00:00,1.00,0.00,eur,Paid\n"
    with pytest.raises(HeldBack) as held:
        mapped(loose, stripe)
    assert str(held.value) == (
        "file.csv is held back: it can be read as stripe unified payments and as loose any. Import it again with --as stripe or "
        "--as loose, or let columns: or lacks: of the mapping tell them apart"
    )
    assert mapped(loose, stripe, connector="loose").rows("account", "account_id") == [("loose:ch_1",)]
    assert mapped(loose, stripe, connector="stripe").staged.connector == "stripe"


def test_a_file_without_the_day_of_its_export_is_held_back(mapped):
    mapping = BILLING.replace("{column: From, written: yyyymmdd}", "{is: 'months_after(exported_on, -seats)'}")
    mapping = mapping.replace("    rows:", "    dated_by: name\n    rows:")
    rows = "Id,Who,Plan,Price,Every,Seats,From,Last day\n1,a,P,120,yearly,3,20260101,2026-06-30\n"
    assert mapped(mapping, rows, name="a-2026-05-31.csv").rows("subscription_term", "started_on") == [(dt.date(2026, 2, 28),)]
    with pytest.raises(HeldBack, match=r"Put that day into the file's name, as in customers-2026-03-31\.csv"):
        mapped(mapping, rows, name="a.csv")


def test_every_mistake_is_told_with_its_line(found):
    assert found(
        """\
source: stripe
lable: Tills
exports:
  sales:
    columns: [Id, Day, Net, Net]
    dates: ymd
    totals: '*'
    leave_out: [{where: nett > 0}]
    rows:
      payments: {payment_id: Id}
      payment:
        payment_id: Idd
        account_id: Id
        status: {value: payed}
        amount: {column: Net, unit: pence}
        paid_on: {value: yesterday}
        refunded: {column: Net, is: net}
        description: {column: Id, choices: {}}
"""
    ) == [
        '1 source: "stripe" is a system that is known already; choose another name, since ids begin with it',
        '2 lable: a mapping has no key "lable"; did you mean "label"?',
        '5 exports.sales.columns[4]: the column "Net" stands here twice',
        '6 exports.sales.dates: "ymd" is not an order of days and months; accepted are dmy, mdy; did you mean "mdy"?',
        '7 exports.sales.totals: "*": write a text with at most 2 *, such as Total*',
        '8 exports.sales.leave_out[1].where: the export has no column nett; did you mean "net"?',
        "8 exports.sales.leave_out[1].words: what is left out needs this key: text",
        '10 exports.sales.rows.payments: no mapping can fill a table "payments"; did you mean "payment"?',
        "12 exports.sales.rows.payment.currency: amount needs the currency it is in: a column of the file, or {value: EUR} where all "
        "of it is in one currency",
        '12 exports.sales.rows.payment.payment_id: columns: lists no "Idd"; did you mean "Id"?',
        "13 exports.sales.rows.payment.account_id: account_id is decided when data are published; write customer: with the "
        "customer's id, e-mail or name in this file",
        '14 exports.sales.rows.payment.status.value: "payed" is none of paid, failed, pending, disputed; did you mean "paid"?',
        '15 exports.sales.rows.payment.amount.unit: "pence" is not a unit; accepted are minor, cents',
        '16 exports.sales.rows.payment.paid_on.value: "yesterday" is no day; write it as 2026-01-31',
        "17 exports.sales.rows.payment.refunded: a value has exactly one of column, value, is, first, join, made_of, from",
        "18 exports.sales.rows.payment.description.choices: needs what stands there with what it becomes",
    ]


def test_yaml_can_do_no_harm(found):
    assert any("anchors are not allowed" in line for line in found("source: &a x\nexports: {}\n"))
    deep = "exports: " + "{a: " * 40 + "}" * 40
    assert any("levels deep" in line for line in found(f"source: x\n{deep}\n"))
    assert found("- 1") == ["1: the file holds no keys; it needs source and exports, see docs/connectors.md"]
    wild = (
        "source: x\nexports:\n  e:\n    columns: [a]\n    rows:\n      deal_stage: {each: '*a*a*', deal_id: a, stage: a, entered_at: a}\n"
    )
    assert any("needs one *" in line for line in found(wild))


def test_two_readings_of_one_text_are_equal():
    """What decides whether a changed mapping reads otherwise."""
    for text in (SHOP, BILLING, COSTS, STAGES):
        first, second = (read(content.encode(), "a.yaml")[0] for content in (text, f"# a comment\n{text}"))
        assert first is not None
        assert second is not None
        assert first.connector == second.connector
    assert read(SHOP.encode(), "a")[0].connector != read(SHOP.replace("minor", "cents").encode(), "a")[0].connector


def test_a_mapping_comes_before_the_plain_ledger_that_fits_as_well(mapped):
    rows = "Account,Date,Text,Debit,Credit,Amount\n4000,2026-01-05,Cab,10,,10\n"
    mine = "source: mine\nexports:\n  any:\n    columns: [Account, Debit, Credit]\n    rows:\n      account: {account_id: Account}\n"
    assert mapped(mine, rows).staged.connector == "mine"
