"""Movements of a stock: seven parts that add up to its change, by any dimension and under any filter."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.errors import DefinitionsError
from tests.metrics.hand_made import ask, column, rows, states

pytestmark = pytest.mark.postgres_later

PARTS = ("new", "expansion", "contraction", "churn", "reactivation", "currency", "transfer")
MRR = """
dimensions:
  segment: {of: account, is: region}
  product: {of: product, is: name}
metrics:
  mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on], where: status = 'active'}
  opening: {formula: "at_start(mrr, month)"}
""" + "".join(f"  {part}: {{movement: {part}, of: mrr}}\n" for part in PARTS)


def term(account, start, end, amount, product="A", **more):
    row = {"account_id": account, "product_id": product, "started_on": start, "monthly_amount": str(amount), "currency": "EUR"}
    return row | {"status": "active"} | ({"ended_on": end} if end else {}) | more


def company(warehouse, *terms, covers=("2025-01-01", "2026-07-01")):
    warehouse.add("account", *({"account_id": key, "name": key} for key in "abcd"))
    warehouse.add("product", {"product_id": "A", "name": "A"}, {"product_id": "B", "name": "B"})
    return warehouse.add("subscription_term", *terms, covers=covers)


def values(result, *names):
    return [
        tuple(Decimal(value) if value is not None else None for value in line)
        for line in zip(*(column(result, n) for n in names), strict=True)
    ]


def test_one_customer_through_its_life(warehouse, defined):
    """new 100 (January), expansion 50 (February), contraction 120 (March), churn 30 (April), reactivation 80 (June)."""
    company(
        warehouse,
        term("a", "2026-01-10", "2026-02-10", 100),
        term("a", "2026-02-10", "2026-03-10", 150),
        term("a", "2026-03-10", "2026-04-10", 30),
        term("a", "2026-06-10", None, 80),
    )
    result = ask(warehouse, defined(MRR), *PARTS, "mrr", grain="month", since="2026-01-01")
    assert values(result, "new", "expansion", "contraction", "churn", "reactivation") == [
        (100, 0, 0, 0, 0),
        (0, 50, 0, 0, 0),
        (0, 0, -120, 0, 0),
        (0, 0, 0, -30, 0),
        (0, 0, 0, 0, 0),
        (0, 0, 0, 0, 80),
    ]
    assert values(result, "currency", "transfer") == [(0, 0)] * 6


def test_back_within_the_window_is_reactivation_and_later_is_new_again(warehouse, defined):
    """a is away for 365 days, b for 366; both within the same window of 365 days."""
    company(
        warehouse,
        term("a", "2025-01-01", "2025-06-01", 10),
        term("a", "2026-06-01", None, 10),
        term("b", "2025-01-01", "2025-06-01", 7),
        term("b", "2026-06-02", None, 7),
    )
    result = ask(warehouse, defined(MRR), "new", "reactivation", grain="month", since="2026-06-01")
    assert values(result, "new", "reactivation") == [(7, 10)]
    shorter = defined(MRR.replace("movement: reactivation, of: mrr", "movement: reactivation, of: mrr, reactivated_within: 30 days"))
    assert values(ask(warehouse, shorter, "reactivation", grain="month", since="2026-06-01"), "reactivation") == [(0,)]


def test_losing_one_of_several_is_contraction_and_the_last_is_churn(warehouse, defined):
    company(warehouse, term("a", "2026-01-01", "2026-03-05", 100), term("a", "2026-01-01", "2026-04-05", 40))
    result = ask(warehouse, defined(MRR), "contraction", "churn", grain="month", since="2026-03-01", until="2026-05-01")
    assert values(result, "contraction", "churn") == [(-100, 0), (0, -40)]


def test_a_switch_of_product_is_a_transfer_and_the_rest_an_expansion(warehouse, defined):
    """A −100, B +130 on one day: net +30 is expansion, all of it with B; −100 and +100 are transfers."""
    company(warehouse, term("a", "2026-01-01", "2026-03-05", 100, "A"), term("a", "2026-03-05", None, 130, "B"))
    known = defined(MRR)
    by = ask(
        warehouse,
        known,
        "expansion",
        "transfer",
        "contraction",
        "new",
        by=("product",),
        grain="month",
        since="2026-03-01",
        until="2026-04-01",
    )
    assert [(row[1], *map(Decimal, row[2:])) for row in rows(by)] == [("A", 0, -100, 0, 0), ("B", 30, 100, 0, 0)]
    whole = ask(warehouse, known, "expansion", "transfer", grain="month", since="2026-03-01", until="2026-04-01")
    assert values(whole, "expansion", "transfer") == [(30, 0)]


def test_what_goes_along_shares_the_transfer_in_proportion_and_the_rest_goes_to_the_largest(warehouse, defined):
    """A −100; B +80, none +50: net 30. 100 × 80/130 = 61.538…, 100 × 50/130 = 38.461…: rounded down to 1e-4, 0.0001 is left."""
    company(
        warehouse,
        term("a", "2026-01-01", "2026-03-05", 100, "A"),
        term("a", "2026-03-05", None, 80, "B"),
        term("a", "2026-03-05", None, 50, None),
    )
    result = ask(warehouse, defined(MRR), "expansion", "transfer", by=("product",), grain="month", since="2026-03-01", until="2026-04-01")
    assert [(row[1], *map(Decimal, row[2:])) for row in rows(result)] == [
        ("A", 0, -100),
        ("B", Decimal("18.4615"), Decimal("61.5385")),  # 61.5384 and the rest of 0.0001
        (None, Decimal("11.5385"), Decimal("38.4615")),  # rounded down: 38.46153… → 38.4615
    ]


def test_a_filter_doesnt_change_what_a_movement_is(warehouse, defined):
    """With B alone in sight, a's second product is still an expansion and not a new customer."""
    company(warehouse, term("a", "2026-01-01", None, 100, "A"), term("a", "2026-03-05", None, 20, "B"))
    result = ask(
        warehouse, defined(MRR), "new", "expansion", where=("product = 'B'",), grain="month", since="2026-03-01", until="2026-04-01"
    )
    assert values(result, "new", "expansion") == [(0, 20)]


def test_a_customer_that_was_not_matched_is_one_of_its_own(warehouse, defined):
    company(
        warehouse,
        term(None, "2026-01-01", "2026-03-05", 10, source_account_id="cus_1"),
        term(None, "2026-03-05", None, 10, source_account_id="cus_2"),
        term(None, "2026-03-05", None, 4, source_account_id="cus_2"),
    )
    result = ask(warehouse, defined(MRR), "new", "churn", "expansion", grain="month", since="2026-03-01", until="2026-04-01")
    assert values(result, "new", "churn", "expansion") == [(14, -10, 0)]


def test_a_move_between_segments_is_a_transfer(warehouse, defined):
    """Account a was SMB until 1 March 2026, Big since."""
    warehouse.add(
        "account_version",
        {"account_id": "a", "valid_from": "2020-01-01", "valid_to": "2026-03-01", "region": "SMB"},
        {"account_id": "a", "valid_from": "2026-03-01", "region": "Big"},
    )
    warehouse.add("account", {"account_id": "a", "region": "Big"})
    warehouse.add("subscription_term", term("a", "2026-01-01", None, 100, None), covers=("2025-01-01", "2026-07-01"))
    result = ask(
        warehouse, defined(MRR), "transfer", "new", "churn", by=("segment",), grain="month", since="2026-03-01", until="2026-04-01"
    )
    assert [(row[1], *map(Decimal, row[2:])) for row in rows(result)] == [("Big", 100, 0, 0), ("SMB", -100, 0, 0)]


def test_outside_coverage_nothing_is_known_and_within_it_nothing_moved_is_zero(warehouse, defined):
    company(warehouse, term("a", "2026-01-10", None, 100), covers=("2026-01-01", "2026-03-01"))
    result = ask(warehouse, defined(MRR), "new", grain="month", since="2025-12-01", until="2026-04-01")
    assert column(result, "new") == [None, "100.0000", "0.0000", None]
    assert states(result, "new") == ["unknown", "known", "known", "unknown"]


def test_a_movement_adds_up_over_days(warehouse, defined):
    """It is no stock: a rolling sum of it is allowed."""
    company(warehouse, term("a", "2026-01-10", None, 100), term("b", "2026-02-10", None, 50))
    known = defined(MRR + '  lately: {formula: "rolling(new, 2 months)"}\n')
    assert values(ask(warehouse, known, "lately", grain="month", since="2026-01-01", until="2026-04-01"), "lately") == [
        (100,),
        (150,),
        (50,),
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{movement: nwe, of: mrr}", "new"),
        ("{movement: new}", "a metric needs this key: a metric"),
        ("{movement: new, of: mr}", 'no metric is called "mr"; did you mean "mrr"?'),
        ("{movement: new, of: opening}", "opening is no stock"),
        ("{movement: new, of: churn}", "churn is no stock"),
        ("{movement: new, of: mrr, reactivated_within: soon}", '"soon" is no number of days from 0 to 3660; write it as 365 days'),
    ],
)
def test_what_is_written_wrong_is_said(defined, line, says):
    with pytest.raises(DefinitionsError) as raised:
        defined(MRR + f"  odd: {line}\n")
    (problem,) = raised.value.problems
    assert says in problem.message


day = st.integers(0, 60)
terms = st.lists(
    st.tuples(st.sampled_from("abc"), day, st.none() | st.integers(1, 40), st.integers(1, 90), st.sampled_from(["A", "B", None])),
    max_size=9,
)


@pytest.mark.first_only
@settings(deadline=None, max_examples=15)
@given(terms, st.sampled_from([(), ("product = 'A'",), ("product is null",), ("segment <> 'SMB'",)]))
def test_the_parts_add_up_to_the_change_of_the_stock(fresh, tmp_path_factory, made, where):
    """In every week, for every product, under every filter: opening + parts = closing."""
    from kpi.metrics import definitions

    path = tmp_path_factory.mktemp("d") / "metrics.yaml"
    text = MRR.replace("at_start(mrr, month)", "previous(mrr, 1 week)")
    path.write_text("north_star: mrr\ncurrency: EUR\n" + text, encoding="utf-8")
    known = definitions.load(path)
    warehouse = fresh()
    first = dt.date(2026, 1, 5)
    rows_ = []
    for account, start, length, amount, product in made:
        begins = first + dt.timedelta(days=start)
        ends = None if length is None else (begins + dt.timedelta(days=length)).isoformat()
        rows_.append(term(account, begins.isoformat(), ends, Decimal(amount) / 7 // Decimal("0.0001") * Decimal("0.0001"), product))
    company(warehouse, *rows_, covers=("2025-12-01", "2026-05-04"))
    result = ask(warehouse, known, "mrr", "opening", *PARTS, by=("product",), where=where, grain="week", since="2026-01-05")
    for row in rows(result):
        mrr, opening, *parts = map(Decimal, row[2:])
        assert opening + sum(parts) == mrr
    transfers: dict[str, Decimal] = {}
    for row in rows(result):
        transfers[row[0]] = transfers.get(row[0], Decimal(0)) + Decimal(row[-1])
    assert where or set(transfers.values()) <= {Decimal(0)}
    warehouse.close()


@pytest.mark.first_only
@settings(deadline=None, max_examples=10)
@given(terms, st.sampled_from([(), ("segment <> 'SMB'",), ("segment is null",)]))
def test_by_what_customers_are_no_part_changes_places(fresh, tmp_path_factory, made, where):
    """By segment each customer is in one group, which is computed without looking for transfers: with the same outcome as
    with a filter on the rows, true of all of them, that makes it look."""
    from kpi.metrics import definitions

    path = tmp_path_factory.mktemp("d") / "metrics.yaml"
    path.write_text("north_star: mrr\ncurrency: EUR\n" + MRR, encoding="utf-8")
    known = definitions.load(path)
    warehouse = fresh()
    first = dt.date(2026, 1, 5)
    for account, start, length, amount, product in made:
        begins = first + dt.timedelta(days=start)
        ends = None if length is None else (begins + dt.timedelta(days=length)).isoformat()
        # c is never matched to an account, which makes it a customer of its own
        whose = {"account_id": None, "source_account_id": "c"} if account == "c" else {}
        warehouse.add("subscription_term", term(account, begins.isoformat(), ends, amount, product) | whose)
    warehouse.add("account", {"account_id": "a", "name": "a", "region": "SMB"}, {"account_id": "b", "name": "b", "region": "Large"})
    warehouse.cover("subscription_term", "2025-12-01", "2026-05-04")
    asked = {"by": ("segment",), "grain": "week", "since": "2026-01-05"}
    reader = warehouse.reader()
    plain = ask(reader, known, *PARTS, where=where, **asked)
    searched = ask(reader, known, *PARTS, where=(*where, "subscription_term.currency = 'EUR'"), **asked)
    assert rows(plain) == rows(searched)
    warehouse.close()
