"""Which account a customer of another system is."""

from __future__ import annotations

import pytest

from kpi.warehouse.identity import Customer, apply_account_links, company_domain, link_accounts, normal_name, refresh_account_links
from kpi.warehouse.memory import MemoryWriter
from kpi.warehouse.store import DuckStore

ACME = ("salesforce:001A", Customer("salesforce", "001A", "Acme GmbH & Co. KG", "acme.example"))
BOLT = ("salesforce:001B", Customer("salesforce", "001B", "Bolt, Inc.", "bolt.example"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme GmbH & Co. KG", "ACME"),
        ("Bolt, Inc.", "bolt inc"),
        ("Société Générale S.A.", "societe generale"),
        ("The Limited", "the limited"),
    ],
)
def test_names_without_form_case_and_punctuation(one, other):
    assert normal_name(one) == normal_name(other)


def test_different_companies_stay_different():
    assert normal_name("Acme North") != normal_name("Acme South")


def test_free_mail_is_nobody_s_domain():
    assert company_domain("gmail.com") is None
    assert company_domain("WWW.Acme.example") == "acme.example"


@pytest.mark.parametrize(
    ("customer", "account", "method"),
    [
        (Customer("stripe", "cus_1", "Somebody", "bolt.example", "001A"), "salesforce:001A", "stored id"),
        (Customer("stripe", "cus_2", "Acme", "bolt.example"), "salesforce:001B", "domain"),
        (Customer("stripe", "cus_3", "acme gmbh", "gmail.com"), "salesforce:001A", "name"),
        (Customer("stripe", "cus_4", "Nobody", None), None, None),
    ],
)
def test_ids_then_domains_then_names(customer, account, method):
    link = link_accounts([ACME, BOLT], [customer]).get((customer.source, customer.source_id))
    assert (link and link.account_id, link and link.method) == (account, method)


def test_what_two_accounts_share_decides_nothing():
    twin = ("salesforce:001C", Customer("salesforce", "001C", "ACME", "acme.example"))
    assert ("stripe", "c") not in link_accounts([ACME, twin], [Customer("stripe", "c", "Acme", "acme.example")])


def test_links_reach_the_facts_and_move_with_them():
    writer = MemoryWriter()
    writer.insert("payment", [{"payment_id": "stripe:1", "source": "stripe", "source_account_id": "cus_1"}])
    writer.insert("source_account", [{"source": "stripe", "source_id": "cus_1", "name": "Acme", "email": "ap@acme.example"}])
    store = DuckStore(writer.connection)
    assert not refresh_account_links(store)  # no CRM: nobody to be
    writer.insert("account", [{"account_id": "salesforce:001A", "source": "salesforce", "source_id": "001A", "domain": "acme.example"}])
    assert refresh_account_links(store)
    assert not refresh_account_links(store)
    apply_account_links(store, ["payment"])
    assert store.run("SELECT account_id FROM payment") == [("salesforce:001A",)]
    store.run("DELETE FROM account")
    refresh_account_links(store)
    apply_account_links(store, ["payment"])
    assert store.run("SELECT account_id FROM payment") == [(None,)]
