"""Exports of subscriptions, which show only today's state, as terms."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from kpi.warehouse.memory import MemoryWriter
from kpi.warehouse.merge import Run
from kpi.warehouse.store import DuckStore
from kpi.warehouse.terms import merge_terms

D = dt.date


@pytest.fixture
def store():
    return DuckStore(MemoryWriter().connection)


def export(store, run_id, seen, as_of=None, newest=None, full=False, **state):
    row = {
        "term_id": "x:s1",
        "subscription_id": "x:s1",
        "source": "x",
        "status": "active",
        "monthly_amount": Decimal("100.0000"),
        "currency": "EUR",
        "started_on": D(2026, 1, 10),
        "ended_on": None,
        "trial_ends_on": None,
        **state,
    }
    schema = pa.schema([(name, pa.date32()) for name in ("started_on", "ended_on", "trial_ends_on")])
    found = pa.Table.from_pylist([row])
    for field in schema:
        found = found.set_column(found.schema.get_field_index(field.name), field.name, found.column(field.name).cast(field.type))
    store.scratch.register(f"staged_{run_id}", found)
    said = merge_terms(store, f"staged_{run_id}", Run(run_id, "x", as_of), seen, newest, full)
    store.add("import_run", pa.Table.from_pylist([{"run_id": run_id, "as_of": as_of}]))
    return said


def terms(store):
    return store.run("SELECT status, monthly_amount, started_on, ended_on, is_assumed FROM subscription_term ORDER BY started_on, term_id")


def test_a_first_export_assumes_the_past(store):
    export(store, 1, D(2026, 6, 1))
    assert terms(store) == [("active", Decimal(100), D(2026, 1, 10), None, True)]


def test_a_cancelled_subscription_was_in_service_until_it_ended(store):
    export(store, 1, D(2026, 6, 1), status="canceled", ended_on=D(2026, 4, 1))
    assert terms(store) == [("active", Decimal(100), D(2026, 1, 10), D(2026, 4, 1), True)]


def test_a_trial_before_it_is_a_term_of_its_own(store):
    export(store, 1, D(2026, 6, 1), trial_ends_on=D(2026, 1, 24))
    assert terms(store) == [
        ("trial", Decimal(100), D(2026, 1, 10), D(2026, 1, 24), True),
        ("active", Decimal(100), D(2026, 1, 24), None, True),
    ]


def test_one_that_ended_in_its_trial_never_was_in_service(store):
    export(store, 1, D(2026, 6, 1), status="canceled", trial_ends_on=D(2026, 1, 24), ended_on=D(2026, 1, 20))
    assert terms(store) == [("trial", Decimal(100), D(2026, 1, 10), D(2026, 1, 20), True)]


def test_a_pause_begins_on_the_export_s_day(store):
    export(store, 1, D(2026, 6, 1), status="paused")
    assert terms(store) == [
        ("active", Decimal(100), D(2026, 1, 10), D(2026, 6, 1), True),
        ("paused", Decimal(100), D(2026, 6, 1), None, False),
    ]


def test_another_price_closes_the_term_on_the_export_s_day(store):
    export(store, 1, D(2026, 6, 1))
    export(store, 2, D(2026, 7, 1), monthly_amount=Decimal("120.0000"))
    export(store, 3, D(2026, 8, 1), monthly_amount=Decimal("120.0000"))
    assert terms(store) == [
        ("active", Decimal(100), D(2026, 1, 10), D(2026, 7, 1), True),
        ("active", Decimal(120), D(2026, 7, 1), None, False),
    ]


def test_a_cancellation_ends_the_term_that_stands(store):
    export(store, 1, D(2026, 6, 1))
    export(store, 2, D(2026, 7, 1), monthly_amount=Decimal("120.0000"))
    export(store, 3, D(2026, 9, 1), monthly_amount=Decimal("120.0000"), status="canceled", ended_on=D(2026, 8, 20))
    assert terms(store) == [
        ("active", Decimal(100), D(2026, 1, 10), D(2026, 7, 1), True),
        ("active", Decimal(120), D(2026, 7, 1), D(2026, 8, 20), False),
    ]


def test_a_trial_seen_before_turns_on_its_own_day(store):
    export(store, 1, D(2026, 1, 15), status="trial", trial_ends_on=D(2026, 1, 24))
    export(store, 2, D(2026, 2, 15), trial_ends_on=D(2026, 1, 24))
    assert [row[:4] for row in terms(store)] == [
        ("trial", Decimal(100), D(2026, 1, 10), D(2026, 1, 24)),
        ("active", Decimal(100), D(2026, 1, 24), None),
    ]


def test_an_older_export_changes_nothing(store):
    export(store, 1, D(2026, 6, 1), as_of=dt.datetime(2026, 6, 1))
    export(store, 2, D(2026, 5, 1), as_of=dt.datetime(2026, 5, 1), monthly_amount=Decimal("80.0000"))
    assert terms(store) == [("active", Decimal(100), D(2026, 1, 10), None, True)]


def items(store, run_id, seen, **amounts):
    rows = [
        {
            "term_id": "x:s1",
            "subscription_id": "x:s1",
            "source": "x",
            "source_product_id": price,
            "status": "active",
            "monthly_amount": Decimal(amount),
            "currency": "EUR",
            "started_on": D(2026, 1, 10),
        }
        for price, amount in amounts.items()
    ]
    store.scratch.register(f"staged_{run_id}", pa.Table.from_pylist(rows))
    merge_terms(store, f"staged_{run_id}", Run(run_id, "x", None), seen)
    store.add("import_run", pa.Table.from_pylist([{"run_id": run_id, "as_of": None}]))


def priced(store):
    return store.run("SELECT source_product_id, monthly_amount, started_on, ended_on FROM subscription_term ORDER BY started_on, term_id")


def test_every_item_of_a_subscription_counts(store):
    items(store, 1, D(2026, 6, 1), seats=100, storage=20)
    both = [("seats", Decimal(100), D(2026, 1, 10), None), ("storage", Decimal(20), D(2026, 1, 10), None)]
    assert priced(store) == both
    items(store, 2, D(2026, 7, 1), seats=100, storage=20)
    assert priced(store) == both


def test_an_item_that_joins_or_leaves_begins_or_ends_on_the_export_s_day(store):
    items(store, 1, D(2026, 6, 1), seats=100, storage=20)
    items(store, 2, D(2026, 7, 1), seats=110, support=5)
    assert priced(store) == [
        ("seats", Decimal(100), D(2026, 1, 10), D(2026, 7, 1)),
        ("storage", Decimal(20), D(2026, 1, 10), D(2026, 7, 1)),
        ("seats", Decimal(110), D(2026, 7, 1), None),
        ("support", Decimal(5), D(2026, 7, 1), None),
    ]


def test_a_price_that_gets_company_is_counted_once(store):
    items(store, 1, D(2026, 6, 1), seats=100)
    items(store, 2, D(2026, 7, 1), seats=100, storage=20)
    assert priced(store) == [
        ("seats", Decimal(100), D(2026, 1, 10), D(2026, 7, 1)),
        ("seats", Decimal(100), D(2026, 7, 1), None),
        ("storage", Decimal(20), D(2026, 7, 1), None),
    ]


def test_an_older_export_that_comes_later_changes_nothing_and_says_so(store):
    export(store, 1, D(2026, 4, 1), as_of=dt.datetime(2026, 4, 1))
    before = terms(store)
    said = export(store, 2, D(2026, 3, 1), as_of=dt.datetime(2026, 3, 1), monthly_amount=Decimal("80.0000"), status="past_due")
    assert said == ["1 subscription is known from a newer export, whose state stands"]
    assert terms(store) == before
    assert export(store, 3, D(2026, 5, 1), as_of=dt.datetime(2026, 5, 1)) == []


def test_an_older_export_without_a_date_is_told_by_what_happened_last_in_it(store):
    export(store, 1, D(2026, 6, 1), newest=D(2026, 5, 20))
    covered = {"table_name": "subscription_term", "source": "x", "covers_from": D(2026, 1, 1), "covers_to": D(2026, 5, 21)}
    store.add("coverage", pa.Table.from_pylist([covered]))
    (said,) = export(store, 2, D(2026, 6, 2), newest=D(2026, 3, 2), monthly_amount=Decimal("80.0000"))
    assert said.startswith(
        "nothing in this export happened on the last days that another one covers, so it is taken for an older one: 1 sub"
    )
    assert terms(store) == [("active", Decimal(100), D(2026, 1, 10), None, True)]
    # as late as what is known is not older
    assert export(store, 3, D(2026, 6, 3), newest=D(2026, 5, 20), monthly_amount=Decimal("80.0000")) == []
    assert [row[1] for row in terms(store)] == [Decimal(100), Decimal(80)]


def test_full_ends_what_the_export_lacks_on_its_day(store):
    export(store, 1, D(2026, 4, 1))
    other = {"term_id": "x:s2", "subscription_id": "x:s2"}
    said = export(store, 2, D(2026, 5, 1), full=True, **other)
    assert said == ["1 subscription that is absent from this full export ends on its day, 2026-05-01"]
    assert [(start, end) for _, _, start, end, _ in terms(store)] == [(D(2026, 1, 10), D(2026, 5, 1)), (D(2026, 1, 10), None)]
