"""Which account a customer of another system is."""

from __future__ import annotations

import pytest

from kpi.warehouse import likeness
from kpi.warehouse.identity import Customer, Decision, link_accounts
from kpi.warehouse.names import company_domain, normal_name

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
    link = link_accounts([ACME, BOLT], [customer]).links.get((customer.source, customer.source_id))
    assert (link and link.account_id, link and link.method) == (account, method)


def test_what_two_accounts_share_decides_nothing():
    twin = ("salesforce:001C", Customer("salesforce", "001C", "ACME", "acme.example"))
    found = link_accounts([ACME, twin], [Customer("stripe", "c", "Acme", "acme.example")])
    assert ("stripe", "c") not in found.links
    assert [(one.account_id, one.why) for one in found.candidates] == [
        ("salesforce:001A", "its domain acme.example is that of 2 accounts"),
        ("salesforce:001C", "its domain acme.example is that of 2 accounts"),
    ]


def linked(accounts, *customers, ranking=(), decisions=()):
    """Source id -> (account, method)."""
    found = link_accounts(accounts, customers, ranking, decisions)
    return {link.source_id: (link.account_id, link.method) for link in found.links.values() if link.source == "stripe"}


def asked(accounts, *customers, decisions=()):
    """(source id, account, score, why) of what waits for a person."""
    found = link_accounts(accounts, customers, (), decisions)
    return [(one.source_id, one.account_id, str(one.score), one.why) for one in found.candidates]


def account(id_, name, domain=None, **more):
    return f"salesforce:{id_}", Customer("salesforce", id_, name, domain, **more)


def customer(id_, name, domain=None, **more):
    return Customer("stripe", id_, name, domain, **more)


def test_an_id_that_the_crm_stores_of_billing_counts_as_well():
    assert linked([account("1", "Acme", other_id="cus_9")], customer("cus_9", "X")) == {"cus_9": ("salesforce:1", "stored id")}


def test_an_id_that_customers_of_two_systems_have_says_nothing():
    accounts = [account("1", "Acme", other_id="17")]
    assert linked(accounts, customer("17", "X"), Customer("zendesk", "17", "Y", None)) == {}


def test_an_address_meets_itself_even_at_a_free_mail():
    """cus_1 is Acme by the id it stores; whoever writes from the same address is Acme too."""
    found = linked(
        [account("1", "Acme")],
        customer("cus_1", "Jo", "gmail.com", other_id="1", email="jo@gmail.com"),
        customer("cus_2", "Joe", "gmail.com", email="jo@gmail.com"),
        customer("cus_3", "Joe", "gmail.com", email="joe@gmail.com"),
    )
    assert found == {"cus_1": ("salesforce:1", "stored id"), "cus_2": ("salesforce:1", "e-mail")}


def test_with_a_shared_domain_the_name_decides():
    accounts = [account("1", "Acme Germany", "acme.example"), account("2", "Acme France", "acme.example")]
    assert linked(accounts, customer("c", "Acme France SAS", "acme.example")) == {"c": ("salesforce:2", "domain and name")}


def test_two_companies_of_a_group_are_not_one_by_their_domain():
    accounts = [account("1", "Acme Germany GmbH", "acme.example")]
    assert linked(accounts, customer("c", "Acme France SAS", "acme.example")) == {}
    assert asked(accounts, customer("c", "Acme France SAS", "acme.example"))[0][1] == "salesforce:1"
    assert linked(accounts, customer("c", "Acme", "acme.example")) == {"c": ("salesforce:1", "domain")}


def test_a_subsidiary_without_a_website_is_itself_though_the_domain_is_its_parent_s():
    accounts = [account("1", "Acme Germany", "acme.example"), account("2", "Acme France")]
    assert linked(accounts, customer("c", "Acme France SAS", "acme.example")) == {"c": ("salesforce:2", "domain and name")}


def test_a_domain_that_contradicts_the_name_is_shown_for_a_second_look():
    found = link_accounts([ACME, BOLT], [customer("c", "Acme", "bolt.example")])
    assert found.links[("stripe", "c")].account_id == "salesforce:001B"
    assert [(one.account_id, one.why) for one in found.candidates] == [
        ("salesforce:001A", "its domain says the account it is linked to, its name another")
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Data Works Intl. Ltd", "Dataworks International"),
        ("Müller Technology GmbH", "Mueller Technologies"),
        ("The Bolt Bros & Co", "Bolt Brothers"),
        ("Acme (formerly Bolt)", "ACME"),
    ],
)
def test_shortened_names_meet(one, other):
    assert linked([account("1", other)], customer("c", one)) == {"c": ("salesforce:1", "name, shortened")}


@pytest.mark.parametrize(
    ("name", "score"),
    [("Zephyr Logistik", "0.9"), ("Zefyr Logistics", "0.9"), ("Zephyr Logistics Ventures", "0.85"), ("Logistics Zephyr", "1")],
)
def test_a_name_that_is_only_alike_waits_for_a_person(name, score):
    accounts = [account("1", "Zephyr Logistics")]
    assert linked(accounts, customer("c", name)) == {}
    assert asked(accounts, customer("c", name)) == [("c", "salesforce:1", score, "its name is like Zephyr Logistics")]
    rejected = [Decision("rejected", "stripe", "c", "salesforce:1")]
    assert asked(accounts, customer("c", name), decisions=rejected) == []


def test_initials_are_a_candidate():
    accounts = [account("1", "Nordic Freight Carriers")]
    assert asked(accounts, customer("c", "NFC")) == [("c", "salesforce:1", "0.75", "its name may be short for Nordic Freight Carriers")]


def test_whom_a_person_called_nobody_stays_nobody():
    nobody = [Decision("rejected", "stripe", "c", None)]
    assert linked([ACME], customer("c", "Acme", "acme.example"), decisions=nobody) == {}
    assert asked([ACME], customer("c", "Acmee", None), decisions=nobody) == []


def test_a_common_name_with_another_domain_waits():
    """Every word of Phoenix Consulting is in three names; only a name or domain of one's own tells companies apart."""
    accounts = [
        account("1", "Phoenix Consulting", "phoenix.example"),
        *(account(str(n), f"Phoenix {word}") for n, word in enumerate(("Media", "Sports"), 2)),
        *(account(str(n), f"{word} Consulting") for n, word in enumerate(("Bright", "Stone"), 4)),
    ]
    assert linked(accounts, customer("c", "Phoenix Consulting", "pxc.example")) == {}
    assert linked(accounts, customer("c", "Phoenix Consulting", "phoenix-group.example")) == {"c": ("salesforce:1", "name")}
    assert linked(accounts, customer("c", "Phoenix Consulting")) == {"c": ("salesforce:1", "name")}


def test_records_of_one_crm_never_join_by_themselves():
    accounts = [account("1", "Acme", "acme.example"), account("2", "Acme", "acme.example")]
    found = link_accounts(accounts, [])
    assert {link.account_id for link in found.links.values()} == {"salesforce:1", "salesforce:2"}


def test_a_circle_of_confirmations_leaves_one_account():
    accounts = [account("1", "Acme"), account("2", "Bolt")]
    round_ = [Decision("confirmed", "salesforce", "1", "salesforce:2"), Decision("confirmed", "salesforce", "2", "salesforce:1")]
    assert {link.account_id for link in link_accounts(accounts, [], (), round_).links.values()} == {"salesforce:2"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("shop.acme.co.uk", "acme.co.uk"),
        ("acme.myshopify.com", "acme.myshopify.com"),
        ("www.facebook.com", None),
        ("yahoo.co.uk", None),
        ("acme", None),
        (".example", None),
    ],
)
def test_a_domain_is_its_owner_s(written, meant):
    assert company_domain(written) == meant


def test_a_mailbox_that_pays_for_several_says_nothing_of_another_name():
    """A bookkeeper pays for Acme, whose id is stored, and for Bolt: neither the address nor its domain makes Bolt Acme."""
    accounts = [account("1", "Acme", "acme.example")]
    first = customer("cus_1", "Acme", "books.example", other_id="1", email="office@books.example")
    second = customer("cus_2", "Bolt", "books.example", email="office@books.example")
    assert linked(accounts, first, second) == {"cus_1": ("salesforce:1", "stored id")}
    assert asked(accounts, first, second) == [
        ("cus_2", "salesforce:1", "0", "it has the same e-mail, but another name: one mailbox may pay for several")
    ]


def test_a_domain_that_looks_like_the_account_s_is_learnt_from_who_is_known():
    accounts = [account("1", "Acme", "acme.example")]
    known = customer("cus_1", "Jo", "acme-group.example", other_id="1")
    assert linked(accounts, known, customer("cus_2", "Kim", "acme-group.example"))["cus_2"] == ("salesforce:1", "domain")


def test_legal_forms_of_two_countries_are_two_companies():
    accounts = [account("1", "Zephyr Freight B.V.")]
    assert linked(accounts, customer("c", "Zephyr Freight GmbH")) == {}
    assert linked(accounts, customer("c", "Zephyr Freight")) == {"c": ("salesforce:1", "name")}


def test_one_word_that_many_have_is_no_proof_without_a_domain():
    names = ("Phoenix", "Phoenix Media", "Phoenix Sports")
    accounts = [account(str(n), name, f"p{n}.example") for n, name in enumerate(names)]
    assert linked(accounts, customer("c", "PHOENIX LLC", "gmail.com")) == {}
    assert linked(accounts[:1], customer("c", "PHOENIX LLC", "gmail.com")) == {"c": ("salesforce:0", "name")}


def test_what_a_crowd_of_accounts_shares_says_nothing_and_costs_nothing(monkeypatch):
    """150 accounts have the domain that somebody types where one is asked for: of them only a name that is like one is worth a look.

    One of 150 accounts of the same name can't be told from the others by anybody.
    """
    syllables = ("ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu")
    names = ["".join(f"{syllables[n // 100 % 10]}{syllables[n // 10 % 10]}{syllables[n % 10]}x").title() + "wood" for n in range(300)]
    accounts = [account(str(n), name, "nomail.example") for n, name in enumerate(names[:150])]
    customers = [customer(f"c{n}", name, "nomail.example") for n, name in enumerate(names[150:])]
    compared = []
    alike = likeness.alike
    monkeypatch.setattr(likeness, "alike", lambda one, other: compared.append(one) or alike(one, other))
    misspelt = customer("typo", names[7].replace("wood", "woood"), "nomail.example")
    assert linked(accounts, *customers, misspelt, customer("same", names[9], "nomail.example")) == {
        "same": ("salesforce:9", "domain and name")
    }
    assert asked(accounts, misspelt)[0][:2] == ("typo", "salesforce:7")
    assert asked(accounts, misspelt)[0][3] == f"its name is like {names[7]}"
    people = [account(str(n), "Private Person") for n in range(150)]
    assert linked(people, customer("c", "Private Person")) == {}
    assert asked(people, customer("c", "Private Person")) == []
    assert asked(people[:100], customer("c", "Private Person"))[0] == ("c", "salesforce:0", "1", "100 accounts have this name")
    assert len(compared) == 100  # those of the last line
