"""Exports of one system that contradict each other: every contradiction is counted, listed and said beside the figures."""

from __future__ import annotations

import dataclasses
import json

import pytest
import sqlalchemy as sa

from kpi.importing.importer import import_paths
from kpi.importing.republish import rebuild
from kpi.warehouse.agreement import listed, read_disagreements
from kpi.warehouse.engines import open_reader
from kpi.warehouse.schema import import_problem

pytestmark = pytest.mark.first_only

MAPPING = """
source: crm
agree:
  left: whether a customer has left
exports:
  customers:
    columns: [Nr, Name, Gone]
    says:
      left: {of: Nr, is: gone}
    rows:
      account: {account_id: Nr, name: Name}
  farewells:
    columns: [Event, Customer, Day, Words]
    says:
      left: {of: Customer, silent: false}
    rows:
      remark: {remark_id: Event, kind: {value: churn_reason}, customer: Customer, said_at: Day, text: Words}
  contracts:
    columns: [Contract, Customer, From, To, Month, Year]
    holds:
      - {that: year = month * 12, words: a year is twelve months}
      - {that: to is null or day(to) > day(from), words: a contract ends after it begins}
    says:
      left: {of: Customer, is: to is not null, take: every}
    rows:
      subscription_term:
        term_id: Contract
        customer: Customer
        status: {value: active}
        monthly_amount: Month
        currency: {value: EUR}
        started_on: From
        ended_on: To
"""
#: Ada and Bob have left, says the list; of Cy it says nothing.
CUSTOMERS = "Nr,Name,Gone\n1,Ada,yes\n2,Bob,yes\n3,Cy,\n4,Di,no\n5,Ed,no\n"
#: Ada and Di have said farewell, Di twice.
FAREWELLS = "Event,Customer,Day,Words\nE1,1,2026-01-05,bye\nE2,4,2026-01-06,bye\nE3,4,2026-01-07,again\n"
#: All of Ada's and of Ed's have ended, of Di's one goes on; Bob and Cy have none.
CONTRACTS = """\
Contract,Customer,From,To,Month,Year
C1,1,2025-01-01,2026-01-01,10,120
C2,4,2025-01-01,2026-01-01,10,110
C3,4,2025-01-01,,10,120
C4,5,2025-01-01,2026-01-01,10,120
"""


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def desk(request, settings, tmp_path):
    """Settings with the mapping, on either engine."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "crm.yaml").write_text(MAPPING)
    settings = dataclasses.replace(settings, sources=folder)
    if request.param == "duckdb":
        return settings
    return dataclasses.replace(settings, warehouse_url=request.getfixturevalue("postgres_url"))


def _files(tmp_path, **texts):
    made = []
    for name, text in texts.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(text)
        made.append(str(path))
    return made


def test_what_exports_contradict_each_other_on_is_counted_and_listed(desk, mappings, tmp_path, contents):
    report = import_paths(desk, mappings, _files(tmp_path, customers=CUSTOMERS))
    assert report.questions == ()  # one voice contradicts nobody
    report = import_paths(desk, mappings, _files(tmp_path, farewells=FAREWELLS))
    # Ada: yes, yes; Bob: yes, silent, which is no; Cy: nothing, no; Di: no, yes; Ed: no, no
    assert report.questions == (
        "the exports of crm contradict each other on whether a customer has left, of 2 of 5 (1: yes by customers, no by farewells; "
        "1: yes by farewells, no by customers). They say yes: customers of 2, farewells of 2. Nothing was chosen; "
        "python -m kpi problems lists each",
    )
    import_paths(desk, mappings, _files(tmp_path, contracts=CONTRACTS))
    with open_reader(desk) as reader:
        # contracts: Ada yes, Di no, Ed yes; of the others it says nothing
        assert [tuple(one.values()) for one in listed(reader)] == [
            ("crm", "left", "2", "customers", "farewells"),
            ("crm", "left", "4", "farewells", "contracts, customers"),
            ("crm", "left", "5", "contracts", "customers, farewells"),
        ]
        (found,) = read_disagreements(reader)
        assert (found.count, found.things) == (3, 5)
        assert found.tables == {"account", "remark", "subscription_term"}
        assert found.yes == (("contracts", 2), ("customers", 2), ("farewells", 2))
    before = contents(desk)
    rebuild(desk, mappings)
    assert contents(desk) == before


def test_the_order_of_the_files_is_no_matter(desk, mappings, tmp_path):
    files = _files(tmp_path, contracts=CONTRACTS, farewells=FAREWELLS, customers=CUSTOMERS)
    import_paths(desk, mappings, files)
    with open_reader(desk) as reader:
        assert [one["of_id"] for one in listed(reader)] == ["2", "4", "5"]


def test_what_is_corrected_contradicts_no_more(desk, mappings, tmp_path):
    import_paths(desk, mappings, _files(tmp_path, customers=CUSTOMERS, farewells=FAREWELLS))
    later = CUSTOMERS.replace("Bob,yes", "Bob,no").replace("Di,no", "Di,yes")
    report = import_paths(desk, mappings, _files(tmp_path, later=later))
    assert report.questions == ()
    with open_reader(desk) as reader:
        assert listed(reader) == []
        assert read_disagreements(reader) == ()


def test_a_full_export_takes_back_no_other_exports_word(desk, mappings, tmp_path):
    from kpi.importing.importer import Options

    import_paths(desk, mappings, _files(tmp_path, customers=CUSTOMERS))
    report = import_paths(desk, mappings, _files(tmp_path, farewells=FAREWELLS), Options(full=True))
    assert "of 2 of 5" in report.questions[0]


def test_records_that_contradict_themselves_count_and_are_listed(desk, mappings, tmp_path):
    bad = CONTRACTS + "C5,9,2025-03-01,2025-02-01,10,1\n"
    (file,) = import_paths(desk, mappings, _files(tmp_path, contracts=bad)).files
    assert file.status == "loaded", file.message
    assert (file.rows_read, file.rows_loaded, file.rows_rejected) == (5, 5, 0)
    assert "2 of 5 records contradict themselves: not so: a year is twelve months; the record counts as it stands" in file.message
    with open_reader(desk) as reader:
        columns = import_problem.c.line, import_problem.c.column_name
        rows = reader.run(sa.select(*columns).order_by(*columns)).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (3, "holds: a year is twelve months"),
        (6, "holds: a contract ends after it begins"),
        (6, "holds: a year is twelve months"),
    ]


METRICS = """
north_star: paying
currency: EUR
metrics:
  paying: {count_distinct: source_account_id, of: subscription_term, during: [started_on, ended_on]}
  paid: {sum: amount, of: payment, at: paid_on, unit: money}
"""


@pytest.mark.slow
def test_figures_say_on_whom_they_hang(settings, mappings, tmp_path, command):
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "crm.yaml").write_text(MAPPING)
    (tmp_path / "metrics.yaml").write_text(METRICS)
    settings = dataclasses.replace(settings, sources=folder, metrics=tmp_path / "metrics.yaml")
    files = _files(tmp_path, customers=CUSTOMERS, farewells=FAREWELLS, contracts=CONTRACTS)

    def kpi(*words):
        process = command(settings, *words, KPI_SOURCES=str(folder))
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out

    assert "of 3 of 5" in kpi("import", *files)
    shown = json.loads(kpi("show", "paying", "paid", "--json"))
    (warning,) = [text for text in shown["warnings"] if "contradict" in text]
    assert warning.startswith("paying: the exports of crm contradict each other on whether a customer has left, of 3 of 5 (")
    (tmp_path / "metrics.yaml").write_text(METRICS + "sources: {subscription_term: stripe}\n")  # whose word counts instead
    assert not [text for text in json.loads(kpi("show", "paying", "--json"))["warnings"] if "contradict" in text]
    listing = json.loads(kpi("problems", "--json"))
    assert [one["of_id"] for one in listing["disagreements"]] == ["2", "4", "5"]
    assert "says yes" in kpi("problems")
