"""Accounts over several exports: versions by the exports' dates, records that the CRM merged, an account that two CRMs know."""

from __future__ import annotations

import dataclasses

import pytest
import sqlalchemy as sa

from kpi.importing.importer import Options, import_paths
from kpi.importing.republish import rebuild
from kpi.warehouse.engines import open_reader
from kpi.warehouse.schema import account, account_version, deal, payment

pytestmark = pytest.mark.first_only

HEADER = "Id,IsDeleted,MasterRecordId,Name,BillingCountry,Website,Industry,NumberOfEmployees,OwnerId,CreatedDate,LastModifiedDate\n"
DEALS = "Id,IsDeleted,AccountId,Name,StageName,Amount,CloseDate,IsClosed,IsWon,CreatedDate,LastModifiedDate\n"
COMPANIES = "Record ID,Company name,Company Domain Name,Create Date,Number of Employees,Industry,Last Modified Date\n"


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request, settings):
    if request.param == "duckdb":
        return settings
    return dataclasses.replace(settings, warehouse_url=request.getfixturevalue("postgres_url"))


def acme(employees, modified, deleted=0, master="000000000000000AAA", id_="001000000000001AAA", country="DE"):
    return f"{id_},{deleted},{master},Acme GmbH,{country},acme.example,Steel,{employees},005A,2024-01-05T10:00:00Z,{modified}T10:00:00Z\n"


def load(settings, mappings, path, name, text, **options):
    file = path / name
    file.write_text(text)
    (report,) = import_paths(settings, mappings, [str(file)], Options(**options)).files
    assert report.status == "loaded", report.message
    return report


def rows(settings, *columns):
    with open_reader(settings) as reader:
        found = reader.run(sa.select(*columns).order_by(*columns)).to_pylist()
    return [tuple(str(value) if value is not None else None for value in row.values()) for row in found]


def versions(settings):
    which = account_version.c
    return rows(settings, which.valid_from, which.valid_to, which.employees, which.country)


JANUARY = HEADER + acme(50, "2026-01-10")
MARCH = HEADER + acme(150, "2026-03-03", country="AT")
JUNE = HEADER + acme(1500, "2026-06-06", country="AT")
#: The newest change in a file that states no date of its own is its date.
ALL_THREE = [
    ("0001-01-01", "2026-03-03", "50", "DE"),
    ("2026-03-03", "2026-06-06", "150", "AT"),
    ("2026-06-06", None, "1500", "AT"),
]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 0, 1), (2, 1, 0)])
def test_changed_attributes_make_versions_in_whatever_order_exports_come(both, mappings, tmp_path, order):
    for at in order:
        load(both, mappings, tmp_path, f"{at}.csv", (JANUARY, MARCH, JUNE)[at])
    assert versions(both) == ALL_THREE
    assert rows(both, account.c.employees) == [("1500",)]
    rebuild(both, mappings)
    assert versions(both) == ALL_THREE


def test_what_stays_the_same_makes_no_version(settings, mappings, tmp_path):
    for at, day in enumerate(("2026-01-10", "2026-01-11", "2026-02-01")):
        load(settings, mappings, tmp_path, f"{at}.csv", HEADER + acme(50, day))
    assert versions(settings) == [("0001-01-01", None, "50", "DE")]


def test_what_a_full_export_lacks_is_no_account_any_more(settings, mappings, tmp_path):
    other = acme(7, "2026-02-02", id_="001000000000002AAA")
    load(settings, mappings, tmp_path, "a.csv", JANUARY + other)
    load(settings, mappings, tmp_path, "b.csv", MARCH, full=True)
    assert rows(settings, account.c.account_id) == [("salesforce:001000000000001AAA",)]
    assert versions(settings) == [ALL_THREE[0], ("2026-03-03", None, "150", "AT")]


@pytest.mark.slow
def test_rows_of_a_record_that_was_merged_count_for_the_one_that_stayed(both, mappings, tmp_path):
    """002 had a deal, then Salesforce merged it into 001: it is deleted and names its master."""
    loser, winner = "001000000000002AAA", "001000000000001AAA"
    load(
        both, mappings, tmp_path, "a.csv", JANUARY + acme(7, "2026-01-02", id_=loser).replace("Acme GmbH", "Bolt").replace("acme.", "bolt.")
    )
    load(
        both,
        mappings,
        tmp_path,
        "d.csv",
        DEALS + f"006A,0,{loser},Deal,Won,10.00,2026-01-20,1,1,2026-01-02T10:00:00Z,2026-01-20T10:00:00Z\n",
    )
    assert rows(both, deal.c.account_id) == [(f"salesforce:{loser}",)]
    report = load(both, mappings, tmp_path, "b.csv", JANUARY + acme(7, "2026-02-02", 1, winner, loser))
    assert report.message.startswith("1 deleted records left out; 1 row of account reads otherwise here")
    assert rows(both, account.c.account_id) == [(f"salesforce:{winner}",)]
    assert rows(both, deal.c.account_id) == [(f"salesforce:{winner}",)]
    rebuild(both, mappings)
    assert rows(both, deal.c.account_id) == [(f"salesforce:{winner}",)]


def test_one_customer_of_two_crms_is_one_account_whose_attributes_go_by_rank(both, mappings, tmp_path):
    """HubSpot ranks first and knows no country; what it says of employees counts from its own first export on."""
    ranked = dataclasses.replace(mappings, ranking=("hubspot", "salesforce"))
    load(both, ranked, tmp_path, "a.csv", JANUARY)
    hubspot = COMPANIES + "77,Acme Inc,acme.example,2025-01-01 10:00,{},Metal,2026-02-{} 10:00\n"
    load(both, ranked, tmp_path, "hubspot-2026-02-10.csv", hubspot.format(60, "01"), dates="dmy")
    load(both, ranked, tmp_path, "hubspot-2026-04-10.csv", hubspot.format(70, "02"), dates="dmy")
    assert rows(both, account.c.account_id, account.c.employees, account.c.country, account.c.industry) == [
        ("hubspot:77", "70", "DE", "Metal")
    ]
    assert versions(both) == [("0001-01-01", "2026-04-10", "60", "DE"), ("2026-04-10", None, "70", "DE")]
    payments = "id,Created date (UTC),Amount,Amount Refunded,Currency,Status,Customer ID,Customer Description,Customer Email\n"
    load(both, ranked, tmp_path, "p.csv", payments + "ch_1,2026-03-01 10:00:00,1.00,0.00,eur,Paid,cus_1,A,ap@acme.example\n")
    assert rows(both, payment.c.account_id) == [("hubspot:77",)]
