"""Rules of products: and costs: applied to rows."""

from __future__ import annotations

import dataclasses

import pytest

from kpi.warehouse.mappings import Mappings, Rule
from kpi.warehouse.memory import MemoryWriter
from kpi.warehouse.pgstore import PostgresStore
from kpi.warehouse.products import (
    account_names,
    apply_costs,
    apply_products,
    category_of,
    like,
    refresh_product_links,
    refresh_products,
)
from kpi.warehouse.store import DuckStore

COSTS = {"hosting": ("5100*", "Cloud*"), "support": ("5200*",)}
PRODUCTS = {
    "Atlas": {"stripe": (Rule("", "price_atlas_*"),), "quickbooks": (Rule("class", "Atlas"),), "jira": (Rule("project", "ATL"),)},
    "Beacon": {"quickbooks": (Rule("account", "Hosting:Beacon"), Rule("memo", "*beacon*")), "jira": (Rule("component", "bea*"),)},
}


def test_a_star_is_any_text_and_case_is_ignored():
    assert like("PRICE_atlas_monthly", "price_atlas_*")
    assert not like("price_atlas", "price_atlas_*")
    assert not like("priceXatlas_1", "price.atlas_*")


@pytest.mark.parametrize(
    ("account", "category"),
    [
        ("5100 Servers", "hosting"),
        ("Cost of sales:5100 Servers", "hosting"),
        ("Cost of sales:Cloud storage", "hosting"),
        ("6000 · cloud backup", "hosting"),
        ("Servers (5100)", "hosting"),
        ("5200", "support"),
        ("Rent", None),
        ("Clouded judgement fees", "hosting"),
        ("My Cloud", None),
    ],
)
def test_ledger_accounts_by_name_number_and_last_part(account, category):
    assert category_of(account, COSTS.items()) == category


def test_the_names_of_a_ledger_account():
    assert account_names("Hosting:5100 · Cloud") == ("Hosting:5100 · Cloud", "5100 · Cloud", "5100", "Cloud", "Hosting:Cloud")
    assert "Hosting:Beacon" in account_names("5100 Hosting:5110 Beacon")
    assert account_names("5100") == ("5100",)


def _writer():
    writer = MemoryWriter()
    writer.insert(
        "cost_line",
        [
            {"cost_id": "q:1", "source": "quickbooks", "ledger_account": "Hosting:Beacon"},
            {"cost_id": "q:2", "source": "quickbooks", "ledger_account": "5100 Cloud", "class_name": "atlas"},
            {"cost_id": "q:3", "source": "quickbooks", "ledger_account": "Rent", "memo": "For BEACON 50%"},
            {"cost_id": "q:4", "source": "xero", "ledger_account": "Hosting:Beacon"},
        ],
    )
    writer.insert(
        "issue",
        [
            {"issue_id": "j:1", "source": "jira", "project": "ATL"},
            {"issue_id": "j:2", "source": "jira", "project": "X", "component": "api, Beacon-core"},
            {"issue_id": "j:3", "source": "jira", "project": "X", "component": "not beacon"},
        ],
    )
    writer.insert("worklog", [{"worklog_id": "w:1", "issue_id": "j:2"}, {"worklog_id": "w:2", "issue_id": "j:3"}])
    writer.insert(
        "invoice_line",
        [
            {"line_id": "s:1", "source": "stripe", "source_product_id": "price_atlas_m"},
            {"line_id": "s:2", "source": "stripe", "source_product_id": "beacon"},
            {"line_id": "s:3", "source": "stripe", "source_product_id": "price_other"},
        ],
    )
    return writer


_TABLES = ("cost_line", "issue", "worklog", "invoice_line")


def _apply(store, mappings):
    refresh_products(store, mappings)
    apply_products(store, mappings, _TABLES)
    apply_costs(store, mappings)
    refresh_product_links(store, mappings)


def _products(store):
    keys = {"cost_line": "cost_id", "issue": "issue_id", "worklog": "worklog_id", "invoice_line": "line_id"}
    return {key: product for table in _TABLES for key, product in store.run(f"SELECT {keys[table]}, product_id FROM {table}")}


EXPECTED = {
    "q:1": "Beacon",
    "q:2": "Atlas",
    "q:3": "Beacon",
    "q:4": None,
    "j:1": "Atlas",
    "j:2": "Beacon",
    "j:3": None,
    "w:1": "Beacon",
    "w:2": None,
    "s:1": "Atlas",
    "s:2": "Beacon",
    "s:3": None,
}


def test_rules_reach_the_rows_and_their_worklogs():
    store = DuckStore(_writer().connection)
    mappings = Mappings(products=PRODUCTS, costs=COSTS)
    _apply(store, mappings)
    assert _products(store) == EXPECTED
    assert store.run("SELECT cost_id, category FROM cost_line ORDER BY 1") == [
        ("q:1", None),
        ("q:2", "hosting"),
        ("q:3", None),
        ("q:4", None),
    ]
    assert store.run("SELECT source_id, product_id, method FROM product_link ORDER BY 1") == [
        ("beacon", "Beacon", "name"),
        ("price_atlas_m", "Atlas", "rule"),
    ]
    _apply(store, dataclasses.replace(mappings, products={}, costs={}))
    assert set(_products(store).values()) == {None}
    assert store.run("SELECT count(*) FROM cost_line WHERE category IS NOT NULL") == [(0,)]


@pytest.mark.postgres
def test_the_same_on_postgresql(postgres_url, settings):
    from kpi.warehouse.pgstore import create_postgres_tables
    from kpi.warehouse.postgres import connect

    writer = _writer()
    with connect(dataclasses.replace(settings, warehouse_url=postgres_url)) as connection:
        create_postgres_tables(connection)
        store = PostgresStore(connection, writer.connection)
        for table in _TABLES:
            store.add(table, writer.connection.execute(f"FROM {table}").to_arrow_table())
        _apply(store, Mappings(products=PRODUCTS, costs=COSTS))
        assert _products(store) == EXPECTED
