"""``link``: who is not matched, what hangs on it, and what people decide, from the files to the figures."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from kpi import cli

ACCOUNTS = "Id,IsDeleted,MasterRecordId,Name,BillingCountry,Website,Industry,NumberOfEmployees,OwnerId,CreatedDate,LastModifiedDate\n"
#: Zephyr is known by its name alone; Acme by its domain.
ACME = (
    "001000000000001AAA,0,000000000000000AAA,Acme GmbH,DE,https://acme.example,Steel,1200,005A,2024-01-05T10:00:00Z,2026-01-05T10:00:00Z\n"
)
ZEPHYR = "001000000000002AAA,0,000000000000000AAA,Zephyr Logistics,FR,,Freight,40,005A,2024-01-05T10:00:00Z,2026-01-05T10:00:00Z\n"
PAYMENTS = "id,Created date (UTC),Amount,Amount Refunded,Currency,Status,Customer ID,Customer Description,Customer Email\n"
METRICS = """\
north_star: collected
calendar: {timezone: UTC}
currency: EUR
dimensions:
  account: {label: Account, of: account, is: name}
metrics:
  collected: {label: Collected, means: money taken, sum: amount, of: payment, at: paid_on, unit: money}
"""


def paid(number, amount, customer, name, email, currency="eur"):
    return f"ch_{number},2026-03-0{number} 10:00:00,{amount},0.00,{currency},Paid,{customer},{name},{email}\n"


@pytest.fixture
def kpi(tmp_path, monkeypatch, capsys):
    """``kpi("link")`` in a folder with Acme, Zephyr and three customers of Stripe imported; exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    Path("metrics.yaml").write_text(METRICS)
    Path("accounts.csv").write_text(ACCOUNTS + ACME + ZEPHYR)
    Path("payments.csv").write_text(
        PAYMENTS
        + paid(1, "100.00", "cus_1", "Acme", "ap@acme.example")
        + paid(2, "250.00", "cus_2", "Zephyr Logistik", "z@gmail.com")
        + paid(3, "70.00", "cus_2", "Zephyr Logistik", "z@gmail.com")
        + paid(4, "9.00", "=cmd|x", "=HYPERLINK(1)", "n@gmail.com", "eur")
    )

    def run(*words):
        code = cli.main(list(words))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    assert run("import", "accounts.csv", "payments.csv")[0] == 0
    return run


def figures(kpi, *words):
    rows = json.loads(kpi("show", "collected", "--by", "account", "--grain", "all", "--format", "json")[1])["rows"]
    return {row["account"]: row["collected"] for row in rows}


ZEPHYR_ID = "salesforce:001000000000002AAA"


def test_who_waits_is_listed_with_the_money_and_the_candidates(kpi):
    found = json.loads(kpi("link", "list", "--json")[1])["customers"]
    assert [(one["source_id"], one["linked_to"], one["at_stake"]) for one in found] == [
        ("cus_2", None, [{"table": "payment", "currency": "EUR", "amount": "320.0000", "rows": 2}]),  # 250 + 70
        ("=cmd|x", None, [{"table": "payment", "currency": "EUR", "amount": "9.0000", "rows": 1}]),
    ]
    assert found[0]["candidates"] == [
        {"account_id": ZEPHYR_ID, "name": "Zephyr Logistics", "score": "0.90", "why": "its name is like Zephyr Logistics"}
    ]
    code, out, _ = kpi("link")
    assert code == 0
    assert "stripe:cus_2" in out.splitlines()[2]
    assert "320.00 EUR paid" in out.splitlines()[2]
    assert "2 not matched, 0 linked but in doubt" in out
    assert figures(kpi) == {"Acme GmbH": "100.0000", "(none)": "329.0000"}


def test_a_confirmation_counts_at_once_and_after_a_rebuild(kpi):
    code, out, _ = kpi("link", "confirm", "stripe:cus_2", ZEPHYR_ID, "--reason", "same tax number")
    assert (code, out) == (0, "1 decision written down; generation 2 counts now\n")
    assert figures(kpi) == {"Acme GmbH": "100.0000", "Zephyr Logistics": "320.0000", "(none)": "9.0000"}
    assert kpi("link", "confirm", "stripe:cus_2", ZEPHYR_ID)[1] == "0 decisions written down; 1 stood already; generation 2 counts now\n"
    assert kpi("rebuild")[0] == 0
    assert figures(kpi) == {"Acme GmbH": "100.0000", "Zephyr Logistics": "320.0000", "(none)": "9.0000"}
    Path("more.csv").write_text(PAYMENTS + paid(5, "1.00", "cus_2", "Zephyr Logistik", "z@gmail.com"))
    assert kpi("import", "more.csv")[0] == 0
    assert figures(kpi)["Zephyr Logistics"] == "321.0000"
    said = json.loads(kpi("link", "history", "--json")[1])["decisions"]
    assert [(one["decision"], one["target"], one["reason"]) for one in said] == [("confirmed", ZEPHYR_ID, "same tax number")]
    assert said[0]["decided_by"]
    kpi("link", "withdraw", "stripe:cus_2")
    assert figures(kpi)["(none)"] == "330.0000"
    assert len(json.loads(kpi("link", "history", "--json")[1])["decisions"]) == 2


def test_a_wrong_link_is_split(kpi):
    kpi("link", "reject", "stripe:cus_1", "salesforce:001000000000001AAA")
    assert figures(kpi) == {"(none)": "429.0000"}
    assert "stripe:cus_1" in kpi("link")[1]


def test_nobody_leaves_the_list_of_candidates(kpi):
    kpi("link", "reject", "stripe:cus_2")
    (one, _) = json.loads(kpi("link", "list", "--json")[1])["customers"]
    assert (one["source_id"], one["candidates"]) == ("cus_2", [])


@pytest.mark.parametrize(
    "words", [("reject", "stripe:cus_9"), ("confirm", "stripe:cus_1", "salesforce:x"), ("confirm", "cus_1", ZEPHYR_ID)]
)
def test_what_does_not_exist_is_refused_and_nothing_is_written(kpi, words):
    code, _, err = kpi("link", *words)
    assert code == 2
    assert err.startswith(('no customer is called "stripe:cus_9"', 'no account is called "salesforce:x"', '"cus_1" is no customer; write'))
    assert kpi("link", "history")[1] == "nothing was decided yet\n"


def test_a_spreadsheet_gets_nothing_to_run_and_gives_everything_back(kpi):
    assert kpi("link", "export", "list.csv")[0] == 0
    with Path("list.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["source_id"], row["name"], row["at_stake"], row["account_id"]) for row in rows] == [
        ("cus_2", "Zephyr Logistik", "320.00 EUR paid", ZEPHYR_ID),
        ("'=cmd|x", "'=HYPERLINK(1)", "9.00 EUR paid", ""),
    ]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    rows[0]["decision"], rows[1]["decision"], rows[1]["account_id"] = "Confirm", "confirm", "salesforce:001000000000001AAA"
    with Path("back.csv").open("w", newline="") as file:  # as Excel saves it in Germany
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    assert kpi("link", "import", "back.csv")[1] == "2 decisions written down; generation 2 counts now\n"
    assert figures(kpi) == {"Acme GmbH": "109.0000", "Zephyr Logistics": "320.0000"}


def test_a_file_with_mistakes_is_refused_whole_with_their_lines(kpi):
    Path("back.csv").write_text(
        f"source,source_id,account_id,decision\nstripe,cus_2,{ZEPHYR_ID},yes\nstripe,cus_2,,yes\nstripe,cus_2,x,maybe\n"
    )
    code, _, err = kpi("link", "import", "back.csv")
    assert code == 2
    assert err.splitlines() == [
        "back.csv:3 account_id: it is empty, so there is no account to confirm",
        'back.csv:4 decision: "maybe" is none of confirm, reject, nobody, withdraw',
    ]
    assert kpi("link", "history")[1] == "nothing was decided yet\n"


def test_a_product_of_a_source_is_what_a_person_says(kpi):
    Path("metrics.yaml").write_text(
        METRICS.replace(
            "dimensions:\n",
            "products:\n  Atlas: {hubspot: [a*]}\n  Beacon: {hubspot: [b*]}\ndimensions:\n  product: {of: product, is: name}\n",
        )
        + "  won: {count: deal, at: closed_on, where: is_won}\n"
    )
    head = "Record ID,Deal Name,Deal Stage,Close Date,Create Date,Product,Is Closed Won\n"
    Path("deals.csv").write_text(
        head + "".join(f"{n},D{n},Won,2026-03-0{n} 10:00,2026-01-25 10:00,{p},true\n" for n, p in ((1, "a1"), (2, "a2"), (3, "x")))
    )
    assert kpi("import", "deals.csv")[0] == 0

    def won():
        rows = json.loads(kpi("show", "won", "--by", "product", "--grain", "all", "--format", "json")[1])["rows"]
        return {row["product"]: row["won"] for row in rows}

    assert won() == {"Atlas": 2, "(none)": 1}
    assert kpi("link", "confirm", "hubspot:x", "Beacon", "--product")[0] == 0
    assert won() == {"Atlas": 2, "Beacon": 1}
    assert kpi("link", "reject", "hubspot:a2", "Atlas", "--product")[0] == 0
    assert won() == {"Atlas": 1, "Beacon": 1, "(none)": 1}
    assert kpi("rebuild")[0] == 0
    assert won() == {"Atlas": 1, "Beacon": 1, "(none)": 1}
    assert kpi("link", "confirm", "hubspot:x", "Atlsa", "--product")[2].startswith('no product is called "Atlsa"; did you mean "Atlas"?')
