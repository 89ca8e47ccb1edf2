"""Retention of a stock: what the customers of an earlier close have now, against what they had then."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.errors import DefinitionsError
from tests.metrics.hand_made import ask, column, rows, states

pytestmark = pytest.mark.postgres_later

KEPT = """
dimensions:
  segment: {of: account, is: region}
  segment_now: {of: account, is: region, as_of: now}
  product: {of: product, is: name}
metrics:
  mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on], where: status = 'active'}
  customers:
    count_distinct: coalesce(account_id, source_account_id)
    of: subscription_term
    during: [started_on, ended_on]
    where: status = 'active' and monthly_amount > 0
  seats: {count: subscription_term, during: [started_on, ended_on], where: status = 'active'}
  nrr: {retention: mrr}
  grr: {retention: mrr, capped: true}
  kept: {retention: customers, after: 1 month}
  seats_kept: {retention: seats, after: 3 months, capped: true}
  churn: {formula: 1 - kept}
"""
COVERS = ("2024-01-01", "2026-07-01")


def term(account, start, end, amount, product="A", **more):
    row = {"account_id": account, "product_id": product, "started_on": start, "monthly_amount": str(amount), "currency": "EUR"}
    return row | {"status": "active"} | ({"ended_on": end} if end else {}) | more


def company(warehouse, *terms, covers=COVERS):
    warehouse.add("account", *({"account_id": key, "name": key, "region": "Big" if key == "b" else "SMB"} for key in "abcd"))
    warehouse.add("product", {"product_id": "A", "name": "A"}, {"product_id": "B", "name": "B"})
    return warehouse.add("subscription_term", *terms, covers=covers)


def test_net_and_gross_of_a_year(warehouse, defined):
    """On 31 January 2025: a 100, b 200, d 50. A year later: a 150, b 120, c (new) 70, d gone.

    Net (150 + 120) / 350; gross (100 + 120) / 350.
    """
    company(
        warehouse,
        term("a", "2024-06-01", "2025-06-01", 100),
        term("a", "2025-06-01", None, 150),
        term("b", "2024-06-01", "2025-03-01", 200),
        term("b", "2025-03-01", None, 120),
        term("c", "2025-02-01", None, 70),
        term("d", "2024-06-01", "2025-12-01", 50),
    )
    result = ask(warehouse, defined(KEPT), "nrr", "grr", grain="month", since="2026-01-01", until="2026-02-01")
    assert rows(result) == [("2026-01-01", 0.7714285714, 0.6285714286)]
    assert states(result, "nrr") == ["known"]


def test_one_that_left_and_came_back_counts_as_retained(warehouse, defined):
    company(warehouse, term("a", "2025-01-10", "2025-03-01", 100), term("a", "2026-01-20", None, 90))
    assert column(ask(warehouse, defined(KEPT), "nrr", grain="month", since="2026-01-01", until="2026-02-01"), "nrr") == [0.9]


def test_no_customer_then_is_no_value_and_days_before_the_data_are_not_known(warehouse, defined):
    """Data from 15 June 2024; a begins in July 2024. May 2025 looks back before the data; June 2025 to 30 June 2024: nobody."""
    company(warehouse, term("a", "2024-07-10", None, 100), covers=("2024-06-15", "2025-08-01"))
    result = ask(warehouse, defined(KEPT), "nrr", grain="month", since="2025-05-01", until="2025-09-01")
    assert column(result, "nrr") == [None, None, 1.0, None]
    assert states(result, "nrr") == ["unknown", "empty", "known", "unknown"]


@pytest.mark.parametrize(
    ("grain", "since", "until", "then"),
    [
        ("day", "2026-03-31", "2026-04-01", "2025-04-01"),  # 364 days before, as previous() counts
        ("week", "2026-03-30", "2026-04-06", "2025-04-06"),  # 5 April 2026 less 364 days
        ("month", "2026-02-01", "2026-03-01", "2025-02-28"),
        ("quarter", "2026-01-01", "2026-04-01", "2025-03-31"),
        ("year", "2025-01-01", "2026-01-01", "2024-12-31"),
        ("all", "2025-05-05", "2026-03-11", "2025-03-10"),
        ("month", "2026-03-01", "2026-03-11", "2025-03-10"),  # ten days of a month are set against as many
    ],
)
def test_the_close_it_looks_back_to(warehouse, defined, grain, since, until, then):
    """a has 10 on that day only, and b on the days around it."""
    day = dt.date.fromisoformat(then)
    one = dt.timedelta(days=1)
    company(
        warehouse,
        term("a", then, (day + one).isoformat(), 10),
        term("a", "2025-12-31", None, 5),
        term("b", (day - one).isoformat(), then, 10),
        term("b", (day + one).isoformat(), None, 10),
    )
    result = ask(warehouse, defined(KEPT), "nrr", grain=grain, since=since, until=until)
    assert column(result, "nrr") == [0.5]


def test_customers_count_once_however_many_subscriptions_they_have(warehouse, defined):
    """At the end of January a (twice), b and one that was not matched; at the end of February a (once) and c: 1 of 3."""
    company(
        warehouse,
        term("a", "2026-01-05", "2026-02-10", 10),
        term("a", "2026-01-05", None, 10),
        term("b", "2026-01-05", "2026-02-10", 10),
        term(None, "2026-01-05", "2026-02-20", 10, source_account_id="cus_1"),
        term("c", "2026-02-05", None, 10),
        term("d", "2026-01-05", None, 0),
    )
    result = ask(warehouse, defined(KEPT), "kept", "churn", grain="month", since="2026-02-01", until="2026-03-01")
    assert rows(result) == [("2026-02-01", 0.3333333333, 0.6666666667)]


def test_rows_are_counted_by_their_customer(warehouse, defined):
    """Three months ago a had 2 seats and b 1; now a has 3 and b none: gross min(3, 2) / 3."""
    company(
        warehouse,
        term("a", "2026-01-05", None, 1),
        term("a", "2026-01-05", None, 1),
        term("a", "2026-02-05", None, 1),
        term("b", "2026-01-05", "2026-02-05", 1),
    )
    result = ask(warehouse, defined(KEPT), "seats_kept", grain="month", since="2026-04-01", until="2026-05-01")
    assert column(result, "seats_kept") == [0.6666666667]


def moved_up(warehouse):
    """a was SMB until July 2025 and is Big since, and its 100 grew to 130; b was Big all along and has 200 as before."""
    warehouse.add(
        "account_version",
        {"account_id": "a", "valid_from": "2020-01-01", "valid_to": "2025-07-01", "region": "SMB"},
        {"account_id": "a", "valid_from": "2025-07-01", "region": "Big"},
        {"account_id": "b", "valid_from": "2020-01-01", "region": "Big"},
    )
    warehouse.add("account", {"account_id": "a", "region": "Big"}, {"account_id": "b", "region": "Big"})
    terms = [term("a", "2024-03-01", "2025-08-01", 100, None), term("a", "2025-08-01", None, 130, None), term("b", "2024-03-01", None, 200)]
    return warehouse.add("subscription_term", *terms, covers=COVERS)


def test_a_customer_is_in_the_segment_it_was_in_then(warehouse, defined):
    """March 2026 against March 2025: SMB 130/100, Big 200/200. As it is now: Big 330/300."""
    moved_up(warehouse)
    asked = {"grain": "month", "since": "2026-03-01", "until": "2026-04-01"}
    known = defined(KEPT)
    assert rows(ask(warehouse, known, "nrr", by=("segment",), **asked)) == [("2026-03-01", "Big", 1.0), ("2026-03-01", "SMB", 1.3)]
    assert rows(ask(warehouse, known, "nrr", by=("segment_now",), **asked)) == [("2026-03-01", "Big", 1.1)]
    for segment, value in (("SMB", 1.3), ("Big", 1.0)):
        assert column(ask(warehouse, known, "nrr", where=(f"segment = '{segment}'",), **asked), "nrr") == [value]
    later = ask(warehouse, known, "nrr", by=("segment",), grain="month", since="2026-06-01", until="2026-07-01")
    assert rows(later) == [("2026-06-01", "Big", 1.0), ("2026-06-01", "SMB", 1.3)]


def test_from_month_to_month_the_segment_changes_with_the_close(warehouse, defined):
    """June 2025 against June 2024: SMB 100/100. July 2026 lies beyond the data; June 2026 against June 2025: still SMB then."""
    moved_up(warehouse)
    known = defined(KEPT + "  monthly: {retention: mrr, after: 1 month}\n")
    result = ask(warehouse, known, "monthly", by=("segment",), grain="month", since="2025-07-01", until="2025-10-01")
    assert rows(result) == [
        ("2025-07-01", "Big", 1.0),
        ("2025-07-01", "SMB", 1.0),  # Big on 31 July, and SMB on 30 June: its 100 count with SMB
        ("2025-08-01", "Big", 1.1),  # (200 + 130) / (200 + 100)
        ("2025-08-01", "SMB", None),
        ("2025-09-01", "Big", 1.0),
        ("2025-09-01", "SMB", None),
    ]


def test_a_product_keeps_what_its_customers_still_have_of_it(warehouse, defined):
    """a had A 100, and has A 40 and B 80: A 40/100, B had no customer then; in all 120/100, and capped 100/100."""
    company(
        warehouse,
        term("a", "2025-01-01", "2025-09-01", 100, "A"),
        term("a", "2025-09-01", None, 40, "A"),
        term("a", "2025-09-01", None, 80, "B"),
    )
    known = defined(KEPT + '  of_all: {formula: "total(nrr)"}\n  only_b: {formula: "only(nrr, product = \'B\')"}\n')
    asked = {"grain": "month", "since": "2026-02-01", "until": "2026-03-01"}
    by = ask(warehouse, known, "nrr", "grr", "of_all", by=("product",), **asked)
    assert rows(by) == [("2026-02-01", "A", 0.4, 0.4, 1.2), ("2026-02-01", "B", None, None, 1.2)]
    assert rows(ask(warehouse, known, "nrr", "grr", "only_b", **asked)) == [("2026-02-01", 1.2, 1.0, None)]


def test_previous_and_formulas_take_it_like_any_figure(warehouse, defined):
    company(
        warehouse, term("a", "2024-02-01", "2025-01-15", 100), term("a", "2025-01-15", "2026-01-15", 80), term("a", "2026-01-15", None, 60)
    )
    known = defined(KEPT + '  change: {formula: "nrr - previous(nrr, 1 year)"}\n  opening: {formula: "at_start(nrr, month)"}\n')
    result = ask(warehouse, known, "nrr", "change", "opening", grain="month", since="2026-02-01", until="2026-03-01")
    assert rows(result) == [("2026-02-01", 0.75, -0.05, 0.75)]


def test_only_on_a_movement_doesnt_change_what_it_is(warehouse, defined):
    """With B alone in sight a's second product is an expansion, as under a filter."""
    company(warehouse, term("a", "2026-01-01", None, 100, "A"), term("a", "2026-03-05", None, 20, "B"))
    known = defined(
        KEPT
        + "  fresh: {movement: new, of: mrr}\n  more: {movement: expansion, of: mrr}\n"
        + "  of_b: {formula: \"only(more, product = 'B')\"}\n  fresh_b: {formula: \"only(fresh, product = 'B')\"}\n"
    )
    result = ask(warehouse, known, "of_b", "fresh_b", grain="month", since="2026-03-01", until="2026-04-01")
    assert rows(result) == [("2026-03-01", "20.0000", "0.0000")]


RATES = [("2025-01-31", "0.9"), ("2025-02-28", "0.5"), ("2026-01-31", "0.8")]


def test_both_sides_are_converted_at_opening_rates(warehouse, defined):
    """31 January 2025 at 0.9: a 100 USD = 90, b 10 EUR, c 10 EUR and 20 USD = 28: 128.
    A year later, still at 0.9: a 120 USD = 108, b 20 EUR, c 50 USD = 45 (capped 28): 173, capped 90 + 10 + 28.
    """
    warehouse.add("fx_rate", *({"currency": "USD", "into": "EUR", "day": day, "rate": rate} for day, rate in RATES))
    usd = {"currency": "USD"}
    company(
        warehouse,
        term("a", "2024-02-01", "2025-06-01", 100, **usd),
        term("a", "2025-06-01", None, 120, **usd),
        term("b", "2024-02-01", "2025-06-01", 10),
        term("b", "2025-06-01", None, 20),
        term("c", "2024-02-01", "2025-06-01", 10),
        term("c", "2024-02-01", "2025-06-01", 20, **usd),
        term("c", "2025-06-01", None, 50, **usd),
        term("d", "2025-06-01", None, 7, currency="CHF"),  # no customer then: needs no rate
    )
    known = defined(KEPT)
    result = ask(warehouse, known, "nrr", "grr", grain="month", since="2026-01-01", until="2026-02-01")
    assert rows(result) == [("2026-01-01", 1.3515625, 1.0)]
    many = ask(warehouse, known, "nrr", by=("product",), grain="month", since="2026-01-01", until="2026-03-01")
    # February at 0.5: (60 + 20 + 25) / (50 + 10 + 20)
    assert rows(many) == [("2026-01-01", "A", 1.3515625), ("2026-02-01", "A", 1.3125)]


def test_a_missing_rate_is_said(warehouse, defined):
    """March 2025 has no rate of USD; in January 2025 a had USD, and CHF now, which had no rate then."""
    warehouse.add("fx_rate", *({"currency": "USD", "into": "EUR", "day": day, "rate": rate} for day, rate in RATES))
    company(
        warehouse,
        term("a", "2024-02-01", "2025-06-01", 100, currency="USD"),
        term("a", "2025-06-01", None, 120, currency="CHF"),
        term("b", "2024-02-01", None, 10),
    )
    known = defined(KEPT)
    result = ask(warehouse, known, "nrr", grain="month", since="2026-01-01", until="2026-02-01")
    assert (column(result, "nrr"), states(result, "nrr")) == ([None], ["unconverted"])
    assert result.warnings == ("nrr has no value where an exchange rate into EUR is missing",)
    result = ask(warehouse, known, "nrr", grain="month", since="2026-03-01", until="2026-04-01")
    assert states(result, "nrr") == ["unconverted"]
    assert result.warnings == (
        "nrr has no value where an exchange rate into EUR is missing: 100.00 USD on 31 Mar 2025; the part that is known is 10.00 EUR",
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{retention: mr}", 'no metric is called "mr"; did you mean "mrr"?'),
        ("{retention: churn}", "churn is no stock; a retention follows the sum or count of rows during: two days"),
        ("{retention: nrr}", "nrr is no stock"),
        ("{retention: mean}", "mean takes the average, of which no account has a share; take a sum, count, count_distinct"),
        ("{retention: mrr, after: a year}", '"a year" is no length of time; write it as 1 year, 3 months or 28 days'),
        ("{retention: mrr, after: 11 years}", '"11 years" is not from 1 to 10 years'),
        ("{retention: mrr, capped: perhaps}", '"perhaps" is not whether it is capped; accepted are true, false'),
        ("{movement: new, of: nrr}", "nrr is no stock"),
        ('{formula: "rolling(nrr, 3 months)"}', "nrr is the retention of a stock, and rolling() adds up days"),
        ("{retention: mrr, unit: money}", "the unit is money, but a retention is percent"),
    ],
)
def test_what_is_written_wrong_is_said(defined, line, says):
    with pytest.raises(DefinitionsError) as raised:
        defined(KEPT + f"  mean: {{average: monthly_amount, of: subscription_term, during: [started_on, ended_on]}}\n  odd: {line}\n")
    (problem,) = raised.value.problems
    assert says in problem.message


day = st.integers(0, 100)
terms = st.lists(
    st.tuples(st.sampled_from("abc"), day, st.none() | st.integers(1, 60), st.integers(0, 90), st.sampled_from(["A", "B", None])),
    max_size=9,
)
VERSIONS = """
insert into account_version (account_id, valid_from, valid_to, region) values
  ('a', date '2020-01-01', date '2026-02-03', 'SMB'), ('a', date '2026-02-03', date '2026-03-10', 'Big'),
  ('a', date '2026-03-10', null, 'SMB'), ('b', date '2020-01-01', null, 'Big'), ('c', date '2020-01-01', null, null)
"""
#: Week by week, group by group, account by account: the stock at both closes, joined.
BY_HAND = """
with week as (select d::date as day from range(date '2026-02-02', date '2026-05-04', interval 7 day) t(d)),
pair as (select day, day + 6 as later, day + 6 - {days} as earlier from week),
then_ as (
  select p.day, t.account_id, {group} as g, sum(t.monthly_amount) as amount
  from pair p join subscription_term t on t.started_on <= p.earlier and (t.ended_on is null or t.ended_on > p.earlier)
  left join product using (product_id)
  left join account_version v on v.account_id = t.account_id
    and v.valid_from <= p.earlier and (v.valid_to is null or v.valid_to > p.earlier)
  group by all
),
now_ as (
  select p.day, t.account_id, {group} as g, sum(t.monthly_amount) as amount
  from pair p join subscription_term t on t.started_on <= p.later and (t.ended_on is null or t.ended_on > p.later)
  left join product using (product_id)
  left join account_version v on v.account_id = t.account_id
    and v.valid_from <= p.earlier and (v.valid_to is null or v.valid_to > p.earlier)
  group by all
)
select o.day, o.g, sum(coalesce(n.amount, 0)) / sum(o.amount), sum(least(coalesce(n.amount, 0), o.amount)) / sum(o.amount)
from then_ o left join now_ n on n.day = o.day and n.account_id = o.account_id and n.g is not distinct from o.g
where o.amount > 0
group by 1, 2
"""


@pytest.mark.first_only
@settings(deadline=None, max_examples=20)
@given(terms, st.sampled_from([("product", "product.name"), ("segment", "v.region")]), st.sampled_from([28, 7, 84]))
def test_it_is_what_a_join_by_hand_gives(fresh, tmp_path_factory, made, split, days):
    from kpi.metrics import definitions

    path = tmp_path_factory.mktemp("d") / "metrics.yaml"
    text = KEPT + f"  net: {{retention: mrr, after: {days} days}}\n  gross: {{retention: mrr, after: {days} days, capped: true}}\n"
    path.write_text("north_star: mrr\ncurrency: EUR\n" + text, encoding="utf-8")
    warehouse = fresh()
    first = dt.date(2026, 1, 5)
    rows_ = []
    for account, start, length, amount, product in made:
        begins = first + dt.timedelta(days=start)
        ends = None if length is None else (begins + dt.timedelta(days=length)).isoformat()
        rows_.append(term(account, begins.isoformat(), ends, amount, product))
    company(warehouse, *rows_, covers=("2025-01-01", "2026-06-01"))
    warehouse.sql(VERSIONS)
    result = ask(warehouse, definitions.load(path), "net", "gross", by=(split[0],), grain="week", since="2026-02-02", until="2026-05-04")
    found = {(row[0], row[1]): (row[2], row[3]) for row in rows(result) if row[2] is not None}
    expected = {
        (day.isoformat(), group): (round(float(net), 10), round(float(gross), 10))
        for day, group, net, gross in warehouse.sql(BY_HAND.format(days=days, group=split[1]))
    }
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, abs=1e-9)
    warehouse.close()
