"""The tables of accounts: links that reach the facts, records that are one account, attributes by ranking."""

from __future__ import annotations

import datetime as dt

import pytest

from kpi.warehouse.accounts import apply_account_links, copy_decisions, refresh_accounts
from kpi.warehouse.memory import MemoryWriter
from kpi.warehouse.store import DuckStore


@pytest.fixture
def writer():
    return MemoryWriter()


def record(source, id_, name, **more):
    return {"account_id": f"{source}:{id_}", "source": source, "source_id": id_, "name": name, **more}


def decision(number, verdict, source, id_, target):
    about = {"decided_at": dt.datetime(2026, 3, 1), "decided_by": "fin", "reason": ""}
    return {"decision_id": number, "kind": "account", "decision": verdict, "source": source, "source_id": id_, "target": target, **about}


def test_links_reach_the_facts_and_move_with_them(writer):
    writer.insert("payment", [{"payment_id": "stripe:1", "source": "stripe", "source_account_id": "cus_1"}])
    writer.insert("source_account", [{"source": "stripe", "source_id": "cus_1", "name": "Acme", "email": "ap@acme.example"}])
    store = DuckStore(writer.connection)
    assert not refresh_accounts(store, ())  # no CRM: nobody to be
    writer.insert("account_record", [record("salesforce", "001A", "Acme", domain="acme.example")])
    assert refresh_accounts(store, ())
    assert not refresh_accounts(store, ())
    apply_account_links(store, ["payment"])
    assert store.run("SELECT account_id FROM payment") == [("salesforce:001A",)]
    store.run("DELETE FROM account_record")
    refresh_accounts(store, ())
    apply_account_links(store, ["payment"])
    assert store.run("SELECT account_id FROM payment") == [(None,)]


def test_two_systems_records_of_one_customer_are_one_account_with_attributes_by_ranking(writer):
    writer.insert(
        "account_record",
        [
            record("hubspot", "7", "Acme Incorporated", domain="acme.example", employees=90, industry="Steel", country="DE"),
            record("salesforce", "001A", "Acme GmbH", domain="www.acme.example", employees=1200, owner="Kim"),
        ],
    )
    store = DuckStore(writer.connection)
    query = "SELECT account_id, source, name, employees, industry, country, owner FROM account"
    refresh_accounts(store, ("salesforce", "hubspot"))
    assert store.run(query) == [("salesforce:001A", "salesforce", "Acme GmbH", 1200, "Steel", "DE", "Kim")]
    refresh_accounts(store, ("hubspot",))
    assert store.run(query) == [("hubspot:7", "hubspot", "Acme Incorporated", 90, "Steel", "DE", "Kim")]


def test_an_account_that_only_a_deal_names_stands_until_an_export_of_accounts_has_it(writer):
    writer.insert("account_mention", [record("hubspot", "7", "Acme")])
    store = DuckStore(writer.connection)
    refresh_accounts(store, ())
    assert store.run("SELECT account_id, name, employees FROM account") == [("hubspot:7", "Acme", None)]
    writer.insert("account_record", [record("hubspot", "7", "Acme Inc.", employees=5)])
    refresh_accounts(store, ())
    assert store.run("SELECT account_id, name, employees FROM account") == [("hubspot:7", "Acme Inc.", 5)]


def test_a_customer_of_whom_there_is_only_a_name_in_the_rows_is_matched_by_it(writer):
    writer.insert("account_record", [record("salesforce", "001A", "Acme GmbH")])
    writer.insert("issue", [{"issue_id": "jira:1", "source": "jira", "source_account_id": "ACME"}])
    store = DuckStore(writer.connection)
    refresh_accounts(store, ())
    apply_account_links(store, ["issue"])
    assert store.run("SELECT account_id FROM issue") == [("salesforce:001A",)]


def test_decisions_count_over_every_rule_and_are_taken_back(writer):
    writer.insert("account_record", [record("salesforce", "001A", "Acme", domain="acme.example"), record("salesforce", "001B", "Bolt")])
    writer.insert("source_account", [{"source": "stripe", "source_id": "cus_1", "name": "Acme", "email": "ap@acme.example"}])
    store = DuckStore(writer.connection)
    links = "SELECT account_id, method FROM account_link WHERE source = 'stripe'"
    refresh_accounts(store, ())
    assert store.run(links) == [("salesforce:001A", "domain")]
    assert copy_decisions(store, [decision(1, "confirmed", "stripe", "cus_1", "salesforce:001B")]) == {"account"}
    refresh_accounts(store, ())
    assert store.run(links) == [("salesforce:001B", "person")]
    assert copy_decisions(store, [decision(2, "rejected", "stripe", "cus_1", "salesforce:001A")]) == {"account"}
    refresh_accounts(store, ())
    assert store.run(links) == []
    assert copy_decisions(store, []) == {"account"}
    refresh_accounts(store, ())
    assert store.run(links) == [("salesforce:001A", "domain")]


def test_a_person_joins_what_one_crm_has_twice_and_splits_what_was_joined(writer):
    writer.insert(
        "account_record",
        [
            record("salesforce", "001A", "Acme", domain="acme.example"),
            record("salesforce", "001B", "Acme (old)", created_on=dt.date(2020, 1, 1)),
            record("hubspot", "7", "Acme Labs", domain="acme.example"),
        ],
    )
    store = DuckStore(writer.connection)
    refresh_accounts(store, ("salesforce", "hubspot"))
    assert store.run("SELECT account_id FROM account ORDER BY 1") == [("salesforce:001A",), ("salesforce:001B",)]
    copy_decisions(
        store,
        [
            decision(1, "confirmed", "salesforce", "001B", "salesforce:001A"),
            decision(2, "rejected", "hubspot", "7", "salesforce:001A"),
        ],
    )
    refresh_accounts(store, ("salesforce", "hubspot"))
    assert store.run("SELECT account_id, name, created_on FROM account ORDER BY 1") == [
        ("hubspot:7", "Acme Labs", None),
        ("salesforce:001A", "Acme", dt.date(2020, 1, 1)),
    ]


def test_records_that_the_crm_merged_are_followed_over_several_merges(writer):
    """001C was merged into 001B and that into 001A; 7 says that 5 and 6 were merged into it; deals still name the old ones."""
    writer.insert(
        "account_record", [record("salesforce", "001A", "Acme"), record("hubspot", "7", "Bolt"), record("hubspot", "5", "Bolt 5")]
    )
    writer.insert(
        "source_account",
        [
            {"source": "salesforce", "source_id": "001C", "merged_into": "001B"},
            {"source": "salesforce", "source_id": "001B", "merged_into": "001A"},
            {"source": "hubspot", "source_id": "7", "name": "Bolt", "merged_ids": "5;6"},
        ],
    )
    deals = [("salesforce", "001C"), ("salesforce", "001B"), ("hubspot", "5"), ("hubspot", "6")]
    writer.insert("deal", [{"deal_id": f"{s}:{i}", "source": s, "source_account_id": i} for s, i in deals])
    store = DuckStore(writer.connection)
    refresh_accounts(store, ("salesforce",))
    apply_account_links(store, ["deal"])
    assert store.run("SELECT deal_id, account_id FROM deal ORDER BY 1") == [
        ("hubspot:5", "hubspot:7"),
        ("hubspot:6", "hubspot:7"),
        ("salesforce:001B", "salesforce:001A"),
        ("salesforce:001C", "salesforce:001A"),
    ]
    assert store.run("SELECT account_id FROM account ORDER BY 1") == [("hubspot:7",), ("salesforce:001A",)]
