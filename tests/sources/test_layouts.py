"""The mappings of docs/sources, on small files in the layouts they are for, and on the real ones where those are there."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kpi.importing.importer import import_paths
from kpi.sources import folder
from kpi.warehouse.agreement import listed, read_disagreements
from kpi.warehouse.engines import open_reader
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.schema import account, cost_line, invoice_line, remark, subscription_term

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "docs" / "sources"
PLAIN = Mappings("USD", "UTC", {}, {}, "m1")


@pytest.fixture
def desk(settings):
    return dataclasses.replace(settings, sources=EXAMPLES)


def rows(desk, *columns) -> list[tuple[Any, ...]]:
    with open_reader(desk) as reader:
        return sorted((tuple(row.values()) for row in reader.run(sa.select(*columns)).to_pylist()), key=repr)


def test_the_examples_have_no_problems():
    found = folder.load(EXAMPLES)
    assert found.problems == ()
    assert [source.connector.name for source in found.sources] == ["ravenstack", "saas-sales", "telco"]
    assert folder.names(EXAMPLES)[-3:] == ("ravenstack", "saas-sales", "telco")


def _written(tmp_path, **texts):
    for name, text in texts.items():
        (tmp_path / "files").mkdir(exist_ok=True)
        (tmp_path / "files" / f"{name}.csv").write_text(text)
    return [str(tmp_path / "files")]


def test_a_company_of_subscriptions(desk, tmp_path):
    files = _written(
        tmp_path,
        accounts="account_id,account_name,industry,country,signup_date,referral_source,plan_tier,seats,is_trial,churn_flag\n"
        "A-1,Firm 1,EdTech,US,2024-01-05,ads,Pro,3,FALSE,TRUE\nA-2,Firm 2,FinTech,DE,2024-02-01,ads,Pro,3,FALSE,FALSE\n",
        subscriptions="subscription_id,account_id,start_date,end_date,plan_tier,seats,mrr_amount,arr_amount,is_trial,upgrade_flag,"
        "downgrade_flag,churn_flag,billing_frequency,auto_renew_flag\n"
        "S-1,A-1,2024-01-05,2024-03-01,Pro,3,100,1200,FALSE,FALSE,FALSE,TRUE,monthly,TRUE\n"
        "S-2,A-2,2024-02-01,,Pro,3,90,1000,FALSE,FALSE,FALSE,FALSE,annual,TRUE\n"
        "S-3,A-2,2024-02-01,,Pro,1,0,0,TRUE,FALSE,FALSE,FALSE,annual,TRUE\n",
        churn="churn_event_id,account_id,churn_date,reason_code,refund_amount_usd,preceding_upgrade_flag,preceding_downgrade_flag,"
        "is_reactivation,feedback_text\nC-1,A-2,2024-03-01,pricing,0,FALSE,FALSE,FALSE,\n",
        tickets="ticket_id,account_id,submitted_at,closed_at,resolution_time_hours,priority,first_response_time_minutes,"
        "satisfaction_score,escalation_flag\nT-1,A-1,2024-01-09,2024-01-10 3:00,27,high,74,,FALSE\n",
    )
    report = import_paths(desk, PLAIN, files)
    assert [file.status for file in report.files] == ["loaded"] * 4
    assert rows(
        desk, subscription_term.c.term_id, subscription_term.c.account_id, subscription_term.c.status, subscription_term.c.ended_on
    ) == [
        ("ravenstack:S-1", "ravenstack:A-1", "active", dt.date(2024, 3, 1)),
        ("ravenstack:S-2", "ravenstack:A-2", "active", None),
        ("ravenstack:S-3", "ravenstack:A-2", "trial", None),
    ]
    assert rows(desk, remark.c.kind, remark.c.subject, remark.c.text, remark.c.account_id) == [
        ("churn_reason", "pricing", "pricing", "ravenstack:A-2"),
        ("ticket", "Ticket of priority high", None, "ravenstack:A-1"),
    ]
    assert "1 of 3 records contradict themselves: not so: ARR is twelve times MRR" in report.files[2].message
    with open_reader(desk) as reader:
        assert [(one["of_id"], one["says_yes"], one["says_no"]) for one in listed(reader)] == [
            ("A-1", "accounts, subscriptions", "churn events"),
            ("A-2", "churn events", "accounts, subscriptions"),
        ]


def test_a_list_of_sales(desk, tmp_path):
    text = (
        "\ufeffRow ID,Order ID,Order Date,Date Key,Contact Name,Country,City,Region,Subregion,Customer,Customer ID,Industry,Segment,"
        "Product,License,Sales,Quantity,Discount,Profit\n"
        "1,O-1,6/9/2021,20210609,P,US,X,AMER,N,Firm,10,Energy,SMB,Chat,L,100.5,2,0.2,-3.25\n"
        "2,O-1,6/19/2021,20210619,P,DE,Y,EMEA,D,Firm,10,Energy,SMB,Alchemy,L,50,1,0,20\n"
    )
    import_paths(desk, PLAIN, _written(tmp_path, sales=text))
    assert rows(desk, invoice_line.c.line_id, invoice_line.c.amount, invoice_line.c.invoiced_on, invoice_line.c.account_id) == [
        ("saas-sales:1", Decimal("100.5000"), dt.date(2021, 6, 9), "saas-sales:10"),
        ("saas-sales:2", Decimal("50.0000"), dt.date(2021, 6, 19), "saas-sales:10"),
    ]
    assert rows(desk, cost_line.c.cost_id, cost_line.c.amount) == [
        ("saas-sales:1", Decimal("103.7500")),  # 100.5 + 3.25
        ("saas-sales:2", Decimal("30.0000")),
    ]
    assert rows(desk, account.c.account_id, account.c.name, account.c.industry) == [("saas-sales:10", "Firm", "Energy")]


def test_a_list_of_customers_of_a_day(desk, tmp_path):
    text = "customerID,gender,tenure,Contract,MonthlyCharges,Churn\n"
    text += "A,f,2,One year,10.50,Stayed\nB,m,0,Two year,7,Stayed\nC,m,3,Two year,5,Churned\n"
    path = tmp_path / "telco-2026-03-31.csv"
    path.write_text(text)
    import_paths(desk, PLAIN, [str(path)])
    assert rows(desk, subscription_term.c.term_id, subscription_term.c.started_on, subscription_term.c.ended_on) == [
        ("telco:A", dt.date(2026, 1, 31), None),
        ("telco:B", dt.date(2026, 3, 31), None),
        ("telco:C", dt.date(2025, 12, 31), dt.date(2026, 3, 31)),
    ]
    with open_reader(desk) as reader:
        (covered,) = [row for row in reader.coverage if row.table_name == "subscription_term"]
    assert covered.covers_to == dt.date(2026, 4, 1)


# The real files: figures worked out from them by Python's csv module alone


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_the_real_company_of_subscriptions(desk, shared_data):
    place = shared_data / "ravenstack"
    report = import_paths(desk, PLAIN, [str(place)])
    terms, events, accounts = (_read(place / f"ravenstack_{name}.csv") for name in ("subscriptions", "churn_events", "accounts"))
    flagged = {row["account_id"] for row in accounts if row["churn_flag"] == "TRUE"}
    left = {row["account_id"] for row in events}
    ends = defaultdict(list)
    for row in terms:
        ends[row["account_id"]].append(bool(row["end_date"]))
    ended = {of for of, all_ in ends.items() if all(all_)}
    contradicted = {of for of in ends.keys() | flagged | left if len({of in flagged, of in left, of in ended}) > 1}
    assert (len(accounts), len(flagged), len(left), len(ended)) == (500, 110, 352, 0)
    assert len(contradicted) == 387
    with open_reader(desk) as reader:
        (found,) = read_disagreements(reader)
        assert {one["of_id"] for one in listed(reader)} == contradicted
    assert dict(found.yes) == {"accounts": len(flagged), "churn events": len(left), "subscriptions": len(ended)}
    assert [count for *_, count in found.ways] == [len(left - flagged), len(left & flagged), len(flagged - left)] == [277, 75, 35]
    assert "of 387 of 500" in report.questions[-1]
    sums: Counter[str] = Counter()
    for status, amount in rows(desk, subscription_term.c.status, subscription_term.c.monthly_amount):
        sums[status] += amount
    assert sums == {
        "active": sum(Decimal(row["mrr_amount"]) for row in terms if row["is_trial"] == "FALSE"),
        "trial": sum(Decimal(row["mrr_amount"]) for row in terms if row["is_trial"] == "TRUE"),
    }


@pytest.mark.slow
def test_the_real_list_of_sales(desk, shared_data):
    (path,) = (shared_data / "aws_saas_sales").glob("*.csv")
    import_paths(desk, PLAIN, [str(path)])
    lines = _read(path)
    by_customer: Counter[str] = Counter()
    for row in lines:
        by_customer[f"saas-sales:{row['Customer ID']}"] += Decimal(row["Sales"])
    found: Counter[str] = Counter()
    for of, amount in rows(desk, invoice_line.c.account_id, invoice_line.c.amount):
        found[of] += amount
    assert found == by_customer
    assert sum(amount for _, amount in rows(desk, cost_line.c.cost_id, cost_line.c.amount)) == sum(
        Decimal(row["Sales"]) - Decimal(row["Profit"]) for row in lines
    )
    assert len(rows(desk, account.c.account_id)) == len({row["Customer ID"] for row in lines}) == 99


@pytest.mark.slow
def test_the_real_list_of_customers(desk, shared_data, tmp_path):
    (path,) = (shared_data / "telco").glob("*.csv")
    named = tmp_path / "telco-2024-09-30.csv"
    named.write_bytes(path.read_bytes())
    (held,) = import_paths(desk, PLAIN, [str(path)]).files
    assert held.status == "held back"
    import_paths(desk, PLAIN, [str(named)])
    people = _read(path)
    standing = [amount for amount, ended in rows(desk, subscription_term.c.monthly_amount, subscription_term.c.ended_on) if ended is None]
    assert len(standing) == sum(row["Churn"] == "Stayed" for row in people) == 5174
    assert sum(standing) == sum(Decimal(row["MonthlyCharges"]) for row in people if row["Churn"] == "Stayed")
