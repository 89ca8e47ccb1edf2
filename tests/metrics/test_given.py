"""Tables that this program did not make, in a DuckDB file and in a schema of a PostgreSQL of others.

analytics."Daily Usage"                          crm.customer                    crm.plan_history
account_id  Day         Seat Count  fee  rating   id  name     size               id  plan   from        to
a           2026-01-05  3           1.5  0.1      a   Acme     12                 a   free   null        2026-02-01
a           2026-02-10  5           2.5  0.2      b   B "x"; -- 300               a   pro    2026-02-01  null
b           2026-02-28  7           4    0.7                                      b   pro    2026-01-01  null
z           2026-02-28  1           0    null
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal
from functools import partial

import duckdb
import psycopg
import pytest

from kpi.cli import main
from kpi.errors import BadSetting, DefinitionsError, QueryError, WarehouseError
from kpi.metrics import definitions
from kpi.metrics.explain import explain
from kpi.metrics.groups import OTHER
from kpi.metrics.model import Query
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.given import look, parts, token
from tests.metrics.hand_made import ask, column, rows, states

MADE = """
CREATE SCHEMA analytics;
CREATE SCHEMA crm;
CREATE TABLE crm.customer (id VARCHAR PRIMARY KEY, name VARCHAR, size INTEGER);
CREATE TABLE crm.plan_history (id VARCHAR, plan VARCHAR, "from" DATE, "to" DATE);
CREATE TABLE analytics."Daily Usage" (account_id VARCHAR, "Day" DATE, "Seat Count" INTEGER, fee DECIMAL(10,2),
  rating DOUBLE PRECISION, seen TIMESTAMP, code VARCHAR, secret BLOB);
INSERT INTO crm.customer VALUES ('a', 'Acme', 12), ('b', 'B "x"; --', 300);
INSERT INTO crm.plan_history VALUES ('a', 'free', NULL, '2026-02-01'), ('a', 'pro', '2026-02-01', NULL);
INSERT INTO crm.plan_history VALUES ('b', 'pro', '2026-01-01', NULL);
INSERT INTO analytics."Daily Usage" VALUES
  ('a', '2026-01-05', 3, 1.5, 0.1, '2026-01-05 23:30:00', 'EUR', NULL),
  ('a', '2026-02-10', 5, 2.5, 0.2, '2026-02-10 00:30:00', 'EUR', NULL),
  ('b', '2026-02-28', 7, 4, 0.7, '2026-02-28 12:00:00', 'EUR', NULL), ('z', '2026-02-28', 1, 0, NULL, NULL, 'EUR', NULL);
CREATE VIEW analytics.seats AS SELECT account_id, "Day" AS day, "Seat Count" AS seats FROM analytics."Daily Usage";
"""

TEXT = """
north_star: seats
currency: EUR
calendar: {timezone: Europe/Berlin}
tables:
  usage:
    from: analytics.Daily Usage
    key: [account_id, day]
    columns: {seat_count: Seat Count}
    money: fee
    currency: EUR
    joins: {customer: account_id -> customer.id, plan_history: account_id -> plan_history.id}
  customer: {from: crm.customer}
  plan_history: {from: crm.plan_history, valid: [from, to], columns: {since: from, upto: to}}
dimensions:
  size: {of: customer, is: case when size >= 100 then 'large' when size >= 0 then 'small' end}
  plan: {of: plan_history, is: plan}
  who: {of: customer, is: name}
metrics:
  seats: {sum: seat_count, of: usage, at: day}
  fees: {sum: fee, of: usage, at: day}
  ratings: {average: rating, of: usage, at: day}
  seen: {count: usage, at: seen}
  seats_each: {formula: seats / seen}
  customers: {count_distinct: account_id, of: usage, at: day}
  won: {count: deal, at: closed_on}
"""


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def company(request, tmp_path):
    """Settings of a database of others, and what runs SQL in it."""
    settings = Settings(home=tmp_path / "home", metrics=tmp_path / "metrics.yaml")
    settings.metrics.write_text(TEXT, encoding="utf-8")
    if request.param == "duckdb":
        path = tmp_path / "company's.duckdb"

        def run(text):
            with duckdb.connect(str(path)) as connection:
                connection.execute(text)

        settings = dataclasses.replace(settings, warehouse_url=f"duckdb:///{path}")
    else:
        url = request.getfixturevalue("postgres_url")

        def run(text):
            with psycopg.connect(url.replace("+psycopg", "")) as connection:
                connection.execute(text.replace("BLOB", "BYTEA"))

        settings = dataclasses.replace(settings, warehouse_url=url)
    run(MADE)
    return settings, run


@pytest.fixture
def asked(company):
    """The definitions and a reader, with ``text`` replaced in the file."""
    settings, _ = company
    opened = []

    def load(*changes):
        """``changes``: what stands in the file, and what shall stand there instead, in turn."""
        text = TEXT
        for before, after in zip(changes[::2], changes[1::2], strict=True):
            assert before in text
            text = text.replace(before, after)
        settings.metrics.write_text(text, encoding="utf-8")
        known = definitions.load(settings.metrics, partial(look, settings))
        opened.append(open_reader(settings, True))
        return known, opened[-1]

    yield load
    for reader in opened:
        reader.close()


def test_figures_of_a_table_of_others(asked):
    known, reader = asked()
    result = ask(reader, known, "seats", "fees", "ratings", "customers", grain="month")
    # The data reach from 5 January to 28 February, the span of the leaf's dates.
    assert rows(result) == [
        ("2026-01-01", 3, "1.50", 0.1, 1),
        ("2026-02-01", 13, "6.50", 0.45, 3),
    ]
    assert states(result, "seats") == ["partial", "known"]
    assert (result.generation, result.data_through) == (0, dt.date(2026, 2, 28))


def test_dimensions_joins_and_filters(asked):
    known, reader = asked()
    by_size = ask(reader, known, "seats", by=("size",))
    assert [row[1:] for row in rows(by_size)] == [("large", 7), ("small", 8), (None, 1)]  # z is no customer
    by_who = ask(reader, known, "seats", by=("who",), where=("size = 'large'",))
    assert [row[1:] for row in rows(by_who)] == [('B "x"; --', 7)]
    assert column(ask(reader, known, "seats", where=("usage.account_id in ('a', 'z')", "customer.size is null")), "seats") == [1]


def test_line_to_customer_to_the_country_of_its_region(company, asked):
    """Three joins that the file names, one after the other; a region that isn't there is missing, and no row counts twice."""
    _, run = company
    run("ALTER TABLE crm.customer ADD COLUMN region VARCHAR")
    run("UPDATE crm.customer SET region = CASE WHEN id = 'a' THEN 'n' ELSE 'gone' END")
    run("CREATE TABLE crm.region (code VARCHAR, land VARCHAR); INSERT INTO crm.region VALUES ('n', 'NO')")
    run("CREATE TABLE crm.land (code VARCHAR, name VARCHAR); INSERT INTO crm.land VALUES ('NO', 'Norway'), ('SE', 'Sweden')")
    known, reader = asked(
        "  customer: {from: crm.customer}\n",
        "  customer: {from: crm.customer, joins: {region: region -> region.code}}\n"
        "  region: {from: crm.region, key: code, joins: {land: land -> land.code}}\n"
        "  land: {from: crm.land, key: code}\n",
        "  who: {of: customer, is: name}\n",
        "  who: {of: customer, is: name}\n  country: {of: land, is: name}\n",
    )
    found = ask(reader, known, "seats", "fees", by=("country",))
    assert [row[1:] for row in rows(found)] == [("Norway", 8, "4.00"), (None, 8, "4.00")]
    assert column(ask(reader, known, "seats", where=("country <> 'Norway'",)), "seats") == [8]
    assert column(ask(reader, known, "seats", where=("land.name = 'Norway'",), by=("who",)), "seats") == [8]


def test_per_and_top_work_on_tables_of_others(asked):
    """Rows chosen by a metric of what they belong to, and the largest groups with the rest as one."""
    known, reader = asked(
        "  won: {count: deal, at: closed_on}\n",
        "  won: {count: deal, at: closed_on}\n  busy: {sum: seat_count, of: usage, at: day, where: 'per(who, seats) > 7'}\n",
    )
    # Acme has 8 seats, b 7, and z is no customer: its row has no value of per(), which > never takes.
    assert column(ask(reader, known, "busy"), "busy") == [8]
    assert column(ask(reader, known, "seats", where=("per(customer, seats) > 7",)), "seats") == [8]
    assert column(ask(reader, known, "seats", where=("not per(customer, seats) > 7",)), "seats") == [8]
    assert column(ask(reader, known, "seats", where=("per(usage.account_id, fees) >= 4",)), "seats") == [15]  # a 4, b 4, z 0
    # By February alone a has 5 seats.
    assert column(ask(reader, known, "seats", where=("per(who, seats) > 6",), since="2026-02-01"), "seats") == [7]
    assert [row[1:] for row in rows(ask(reader, known, "seats", "ratings", by=("usage.account_id",), top=1))] == [
        ("a", 8, 0.15),  # (0.1 + 0.2) / 2
        (OTHER, 8, 0.7),  # b 7 and z 1; z has no rating
    ]
    by_who = ask(reader, known, "seats", "customers", by=("who",), top=1, top_by="fees")
    # Both have 4 in fees, and Acme comes first by name; z, who is nobody, keeps its own row.
    assert [row[1:] for row in rows(by_who)] == [("Acme", 8, 1), (OTHER, 7, 1), (None, 1, 1)]


def test_a_history_is_joined_by_the_day(asked):
    known, reader = asked()
    found = ask(reader, known, "seats", by=("plan",), grain="month")
    # a was free until 31 January
    assert [row for row in rows(found) if row[2]] == [
        ("2026-01-01", "free", 3),
        ("2026-02-01", "pro", 12),
        ("2026-02-01", None, 1),
    ]


def test_a_history_as_it_is_now(asked):
    known, reader = asked("is: plan}", "is: plan, as_of: now}")
    # a is pro by now, and is counted once for all its versions; of z there is none
    assert [row for row in rows(ask(reader, known, "seats", by=("plan",), grain="month")) if row[2]] == [
        ("2026-01-01", "pro", 3),
        ("2026-02-01", "pro", 12),
        ("2026-02-01", None, 1),
    ]


def test_a_time_without_a_zone_is_that_of_the_calendar(asked):
    known, reader = asked()
    # 23:30 on 5 January and 00:30 on 10 February are of those days, on the clock in Berlin
    assert rows(ask(reader, known, "seen", grain="day", since="2026-02-10", until="2026-02-11")) == [("2026-02-10", 1)]
    assert rows(ask(reader, known, "seen", grain="day", since="2026-01-05", until="2026-01-06")) == [("2026-01-05", 1)]


def test_a_table_of_our_own_without_imports_is_not_known(asked):
    known, reader = asked()
    assert states(ask(reader, known, "won", since="2026-01-01", until="2026-02-01"), "won") == ["unknown"]


def test_flows_and_stocks_of_others_reach_as_far_as_their_beginnings(asked, company):
    """100 over ten days from 1 January; 31 from the 6th on, without an end: a flow's whole amount is then on its first day."""
    run = company[1]
    run("CREATE TABLE crm.contract (id VARCHAR, starts DATE, ends DATE, worth DECIMAL(12,2), cur VARCHAR)")
    run("INSERT INTO crm.contract VALUES ('a', '2026-01-01', '2026-01-11', 100, 'EUR'), ('b', '2026-01-06', NULL, 31, 'EUR')")
    more = """  contract: {from: crm.contract, key: id, money: worth, currency: cur}
dimensions:
"""
    asked("dimensions:\n", more)
    known, reader = asked(
        "dimensions:\n",
        more,
        "metrics:\n",
        """metrics:
  spread: {sum: worth, of: contract, over: [starts, ends]}
  open: {sum: worth, of: contract, during: [starts, ends]}
""",
    )
    # To 6 January, the last beginning: 6 of 10 days, and 31
    assert [Decimal(value) for value in column(ask(reader, known, "spread"), "spread")] == [91]
    assert rows(ask(reader, known, "open", grain="day", since="2026-01-05", until="2026-01-07")) == [
        ("2026-01-05", "100.00"),
        ("2026-01-06", "131.00"),
    ]


SPLIT = (
    "dimensions:\n",
    """  payer: {from: crm.payer}
  bill: {from: crm.bill, key: nr, money: amount, currency: EUR, joins: {payer: account_id -> payer.nr}}
  spending: {from: crm.spending, key: nr, money: amount, currency: EUR, joins: {payer: account_id -> payer.nr}}
dimensions:
  region: {of: payer, is: region}
""",
    "metrics:\n",
    """metrics:
  billed: {sum: amount, of: bill, at: day}
  spent: {sum: amount, of: spending, at: day, allocate: {to: payer, by: billed, each: month}}
""",
)


def split_tables(run):
    """Payer 1 of the north was billed 100, payer 2 of the south 300; 80 was spent on nobody, 5 on payer 1, 7 on a code unknown."""
    run("CREATE TABLE crm.payer (nr INTEGER PRIMARY KEY, region VARCHAR)")
    run("CREATE TABLE crm.bill (nr INTEGER, day DATE, account_id INTEGER, amount DECIMAL(10,2))")
    run("CREATE TABLE crm.spending (nr INTEGER, day DATE, account_id INTEGER, source_account_id VARCHAR, amount DECIMAL(10,2))")
    run("INSERT INTO crm.payer VALUES (1, 'north'), (2, 'south')")
    run("INSERT INTO crm.bill VALUES (1, '2026-01-01', 1, 100), (2, '2026-01-31', 2, 300)")
    run("INSERT INTO crm.spending VALUES (1, '2026-01-01', NULL, NULL, 80), (2, '2026-01-31', 1, '1', 5), (3, '2026-01-31', NULL, 'q', 7)")


def test_costs_of_others_are_split_by_keys_that_are_numbers(asked, company):
    split_tables(company[1])
    known, reader = asked(*SPLIT)
    found = ask(reader, known, "spent", by=("region",), grain="month")
    # 80 · 100/400 + 5, 80 · 300/400; the 7 are those of a customer who is named and not matched
    assert {row[1]: Decimal(row[2]) for row in rows(found)} == {"north": 25, "south": 60, None: 7}
    assert [Decimal(value) for value in column(ask(reader, known, "spent", where=("spending.account_id = 1",)), "spent")] == [25]
    assert [Decimal(value) for value in column(ask(reader, known, "spent"), "spent")] == [92]


def test_customers_of_others_who_are_not_matched_are_followed_by_their_code(asked, company):
    """q visits and buys, r visits; both are no account of ours, and neither is the other."""
    run = company[1]
    run("CREATE TABLE crm.visit (nr INTEGER, day DATE, account_id VARCHAR, source VARCHAR, source_account_id VARCHAR, buys BOOLEAN)")
    run("INSERT INTO crm.visit VALUES (1, '2026-01-01', NULL, 's', 'q', false), (2, '2026-01-02', NULL, 's', 'q', true)")
    run("INSERT INTO crm.visit VALUES (3, '2026-01-03', NULL, 's', 'r', false), (4, '2026-02-28', NULL, 's', 'q', false)")
    known, reader = asked(
        "dimensions:\n",
        "  visit: {from: crm.visit, key: nr, joins: {account: account_id -> account.account_id}}\ndimensions:\n",
        "metrics:\n",
        """metrics:
  visits: {count: visit, at: day, where: not buys}
  buys: {count: visit, at: day, where: buys}
  led: {conversion: {from: visits, to: buys, each: account, within: 9 days}}
""",
    )
    assert column(ask(reader, known, "led", grain="month"), "led") == [0.5, 0.0]


def test_a_basis_over_a_key_that_several_rows_share_is_refused(asked, company):
    split_tables(company[1])
    company[1]("CREATE TABLE crm.lookup (nr INTEGER, kind VARCHAR)")
    company[1]("INSERT INTO crm.lookup VALUES (1, 'x'), (1, 'x')")
    known, reader = asked(
        *SPLIT[:2],
        "dimensions:\n",
        "  lookup: {from: crm.lookup, key: nr}\ndimensions:\n",
        *SPLIT[2:],
        "{payer: account_id -> payer.nr}}\n  spending",
        "{payer: account_id -> payer.nr, lookup: nr -> lookup.nr}}\n  spending",
        "of: bill, at: day",
        "of: bill, at: day, where: lookup.kind = 'x'",
    )
    with pytest.raises(QueryError, match="lookup has several rows with the same nr"):
        ask(reader, known, "spent", by=("region",))


def test_amounts_in_another_currency_are_converted(asked, company):
    company[1]("""UPDATE analytics."Daily Usage" SET code = 'USD' WHERE account_id = 'b'""")
    known, reader = asked("    currency: EUR\n    joins", "    currency: code\n    joins")
    result = ask(reader, known, "fees")
    assert (column(result, "fees"), states(result, "fees")) == ([None], ["unconverted"])
    assert "4.00 USD on 28 Feb 2026" in result.warnings[-1]


def test_explain_names_where_the_rows_are_and_its_sql_runs(asked):
    known, reader = asked()
    found = explain(Query(("seats",)), known, reader)
    (source,) = found.sources
    assert (source.source, source.rows, source.basis) == ("analytics.Daily Usage", 4, "dates of its rows in day")
    assert (source.covers_from, source.covers_to) == (dt.date(2026, 1, 5), dt.date(2026, 3, 1))
    assert '"Daily Usage"' in found.sql


def test_a_join_to_a_key_that_several_rows_share_is_refused(asked, company):
    company[1]("ALTER TABLE crm.customer RENAME TO once; CREATE TABLE crm.customer AS SELECT * FROM crm.once")
    company[1]("INSERT INTO crm.customer VALUES ('a', 'Acme again', 1)")
    known, reader = asked()
    with pytest.raises(QueryError) as raised:
        ask(reader, known, "seats", by=("size",))
    assert str(raised.value) == (
        "customer has several rows with the same id, so that each row of usage that is joined to it by account_id would count "
        "several times; make id unique there, or join by another column"
    )
    assert column(ask(reader, known, "seats"), "seats") == [16]  # which needs no join


def test_versions_that_overlap_are_refused(asked, company):
    company[1]("INSERT INTO crm.plan_history VALUES ('a', 'trial', '2026-01-15', '2026-01-20')")
    known, reader = asked()
    with pytest.raises(QueryError, match="plan_history has several rows with the same id on one day"):
        ask(reader, known, "seats", by=("plan",))


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            "from: crm.customer",
            "from: crm.custommer",
            'tables.customer.from: the warehouse has no table "crm.custommer"; did you mean "crm.customer"?',
        ),
        ("key: [account_id, day]", "key: [account_di, day]", 'usage has no column "account_di"; did you mean "account_id"?'),
        ("sum: seat_count", "sum: seat_cuont", 'no column of usage or dimension is called "seat_cuont"; did you mean "seat_count"?'),
        ("average: rating", "average: secret", "secret"),
        ("account_id -> customer.id", "account_id -> customer.size", "a join compares values of one type"),
        (
            "customer: account_id -> customer.id",
            "customer: account_id",
            '"account_id" is no join; write customer: column -> customer.column',
        ),
        ("    currency: EUR\n    joins", "    joins", "amounts of money need their currency"),
        (
            "    currency: EUR\n    joins",
            "    currency: EUX\n    joins",
            'tables.usage.currency: "EUX" is no currency of ISO 4217; did you mean "EUR"?',
        ),
        ("valid: [from, to]", "valid: [from]", "valid takes two columns, [from, to]"),
        ("  customer: {from", "  deal: {from", "this program has a table deal of its own; give this one another name"),
        ("from: analytics.Daily Usage", "from: a.b.c", '"a.b.c" is no table; write schema.table'),
    ],
)
def test_what_is_written_wrong_is_said_with_its_line(asked, before, after, says):
    with pytest.raises(DefinitionsError) as raised:
        asked(before, after)
    assert says in str(raised.value)


def test_commands_work_on_it(company, monkeypatch, capsys):
    settings, _ = company
    for name, value in (("KPI_HOME", settings.home), ("KPI_METRICS", settings.metrics), ("KPI_WAREHOUSE_URL", settings.warehouse_url)):
        monkeypatch.setenv(name, str(value))
    assert main(["check"]) == 0
    assert "no problems; 7 metrics" in capsys.readouterr().out
    assert main(["show", "seats", "--by", "size", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(row["size"], row["seats"]) for row in said["rows"]] == [("large", 7), ("small", 8), ("(none)", 1)]
    assert main(["explain", "seats"]) == 0
    assert "usage from analytics.Daily Usage: 4 rows, 2026-01-05 to 2026-02-28 (dates of its rows in day)" in capsys.readouterr().out
    assert main(["tables"]) == 0
    assert "usage: analytics.Daily Usage, which this program did not make; 4 rows" in capsys.readouterr().out


def test_what_is_kept_is_kept_until_something_changes(company):
    settings, run = company
    before = token(settings)
    assert token(settings) == before
    run("DELETE FROM crm.customer")
    assert token(settings) != before


def test_check_works_without_the_warehouse(tmp_path, monkeypatch, capsys):
    path = tmp_path / "metrics.yaml"
    path.write_text(TEXT, encoding="utf-8")
    monkeypatch.setenv("KPI_WAREHOUSE_URL", f"duckdb:///{tmp_path / 'gone.duckdb'}")
    assert main(["check", str(path)]) == 0
    found = capsys.readouterr()
    assert found.err.startswith("note: tables: and what stands on them was not checked, because KPI_WAREHOUSE_URL names")
    path.write_text(TEXT.replace("key: [account_id", "kye: [account_id").replace("closed_on", "closed_no"), encoding="utf-8")
    assert main(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert 'a table has no key "kye"; did you mean "key"?' in out
    assert 'called "closed_no"; did you mean "closed_on"?' in out


def test_a_file_that_is_none_and_engines_that_are_none(tmp_path):
    path = tmp_path / "x.duckdb"
    path.write_text("no database")
    with pytest.raises(WarehouseError, match="it must be a DuckDB file, and no other program may have it open for writing"):
        open_reader(Settings(home=tmp_path, warehouse_url=f"duckdb:///{path}"))
    with pytest.raises(BadSetting, match=r"sqlite:///x.db.*postgresql://user@host/database, duckdb:///path"):
        open_reader(Settings(home=tmp_path, warehouse_url="sqlite:///x.db"))


def test_names_of_places():
    assert parts("a.b") == ("a", "b")
    assert parts('"A.b"."c""d; --"') == ("A.b", 'c"d; --')
    assert parts("daily") == (None, "daily")
    assert parts("a.b.c") is None


def test_the_last_balance_of_each_in_a_table_of_others(asked):
    """January: a 3. February: a 5, b 7, z 1. Who has no moment has no balance."""
    balances = (
        "  balance: {sum: seat_count, of: usage, snapshot: {at: day, each: account_id}}\n"
        "  at_sight: {sum: seat_count, of: usage, snapshot: {at: seen, each: customer}}\n"
        "  earning: {sum: fee, of: usage, snapshot: {at: day, take: first, each: customer}}\n  won:"
    )
    known, reader = asked("  won:", balances)
    result = ask(reader, known, "balance", "earning", grain="month")
    assert rows(result) == [("2026-01-01", 3, "1.50"), ("2026-02-01", 13, "6.50")]
    assert column(ask(reader, known, "at_sight", grain="month"), "at_sight") == [3, 12]
    plans = ask(reader, known, "balance", by=("plan",), grain="month", since="2026-02-01")
    assert rows(plans) == [("2026-02-01", "pro", 12), ("2026-02-01", None, 1)]
    assert column(ask(reader, known, "balance", where=("size = 'small'",), grain="quarter"), "balance") == [5]
