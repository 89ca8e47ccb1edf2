"""Costs that lack a key, split by another metric's shares of their month; all parts add up to what was not split."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi.errors import DefinitionsError
from kpi.metrics import definitions
from kpi.metrics.explain import explain
from kpi.metrics.groups import OTHER
from kpi.metrics.model import Query
from kpi.metrics.query import run, run_together
from kpi.settings import Settings
from tests.metrics.hand_made import Warehouse, ask, column, rows, states

pytestmark = pytest.mark.postgres_later

TEXT = """
dimensions:
  account: {of: account, is: account_id}
  segment: {of: account, is: region}
  product: {of: product, is: name}
metrics:
  margin: {formula: (revenue - cost) / revenue}
  profit: {formula: revenue - cost}
  revenue: {sum: amount, of: invoice_line, at: invoiced_on}
  cost: {sum: amount, of: cost_line, over: [service_from, service_to], allocate: {to: [account, product], by: revenue, each: month}}
  sold: {count: deal, at: closed_on}
  spent: {sum: amount, of: cost_line, over: [service_from, service_to], allocate: {to: account, by: sold}}
  cac: {formula: spent / sold, lag: {of: spent}}
"""
#: A share has 14 places, rounded down; the largest takes what is left to 1.
THIRD = Decimal("0.33333333333333")
LARGEST = Decimal("0.33333333333334")


def invoice(day, account, product, amount, **other):
    return {"invoiced_on": day, "account_id": account, "product_id": product, "amount": amount, "currency": "EUR"} | other


def cost(start, end, account, product, amount, **other):
    return {
        "service_from": start,
        "service_to": end,
        "booked_on": start,
        "account_id": account,
        "product_id": product,
        "amount": amount,
        "currency": "EUR",
    } | other


def deal(day, account):
    return {"closed_on": day, "created_on": day, "account_id": account}


def company(warehouse, invoices=(), costs=(), deals=()):
    warehouse.add("account", *({"account_id": name, "region": region} for name, region in (("a", "SMB"), ("b", "SMB"), ("c", "Big"))))
    warehouse.add("product", {"product_id": "A", "name": "A"}, {"product_id": "B", "name": "B"})
    for table, made in (("invoice_line", invoices), ("cost_line", costs), ("deal", deals)):
        warehouse.add(table, *made)
        warehouse.cover(table, "2026-01-01", "2026-04-01")


def amounts(result, name="cost"):
    """Group -> amount of a result of one period."""
    return {
        row[1 : 1 + len(result.query.by)]: Decimal(row[1 + result.query.metrics.index(name) + len(result.query.by)]) for row in rows(result)
    }


JANUARY = {"since": "2026-01-01", "until": "2026-02-01"}
DAYS = {key: dt.date.fromisoformat(day) for key, day in JANUARY.items()}
INVOICES = (
    invoice("2026-01-10", "a", "A", 100),
    invoice("2026-01-11", "a", "B", 50),
    invoice("2026-01-12", "b", "B", 150),
    invoice("2026-01-13", "c", "A", 300),
    invoice("2026-01-14", None, "A", 200),  # a customer who is not matched, with a revenue like any other
)


def test_a_cost_without_keys_is_split_among_all_pairs(warehouse, defined):
    """Revenue 800: (a, A) 100, (a, B) 50, (b, B) 150, (c, A) 300, (none, A) 200; a cost of 80 follows it."""
    company(warehouse, INVOICES, [cost("2026-01-01", "2026-02-01", None, None, 80)])
    known = defined(TEXT)
    reader = warehouse.reader()
    pairs = ask(reader, known, "cost", by=("account", "product"), **JANUARY)
    assert amounts(pairs) == {("a", "A"): 10, ("a", "B"): 5, ("b", "B"): 15, ("c", "A"): 30, (None, "A"): 20}
    assert amounts(ask(reader, known, "cost", by=("segment",), **JANUARY)) == {("Big",): 30, ("SMB",): 30, (None,): 20}
    assert amounts(ask(reader, known, "cost", by=("product",), **JANUARY)) == {("A",): 60, ("B",): 20}
    assert pairs.warnings == ("100.0 % of cost was allocated by revenue",)


def test_a_cost_with_one_key_is_split_among_the_pairs_that_have_it(warehouse, defined):
    """Of A: a 100, c 300, none 200. Of a: A 100, B 50. A cost with both keys stays."""
    company(
        warehouse,
        INVOICES,
        [
            cost("2026-01-01", "2026-02-01", None, "A", 60),  # a 10, c 30, none 20
            cost("2026-01-01", "2026-02-01", "a", None, 30),  # A 20, B 10
            cost("2026-01-01", "2026-02-01", "b", "B", 7),
        ],
    )
    result = ask(warehouse, defined(TEXT), "cost", by=("account", "product"), **JANUARY)
    third, largest = 30 * THIRD, 30 * (1 - THIRD)  # of a's revenue B is a third, and A the largest
    sixth = 60 * Decimal("0.16666666666666")  # a's of A; c is a half, none a third
    assert amounts(result) == {
        ("a", "A"): sixth + largest,
        ("a", "B"): third,
        ("b", "B"): 7,
        ("c", "A"): 60 * (1 - Decimal("0.16666666666666") - THIRD),
        (None, "A"): 60 * THIRD,
    }


def test_what_has_no_basis_stays_without_a_key(warehouse, defined):
    """Nothing was invoiced in February, and never anything of b for A."""
    company(warehouse, INVOICES, [cost("2026-02-01", "2026-03-01", None, "A", 28), cost("2026-01-01", "2026-02-01", "c", None, 31)])
    known = defined(TEXT)
    result = ask(warehouse, known, "cost", by=("account", "product"), grain="month", since="2026-01-01", until="2026-03-01")
    assert [(row[0], *row[1:3], Decimal(row[3])) for row in rows(result) if Decimal(row[3])] == [
        ("2026-01-01", "c", "A", 31),
        ("2026-02-01", None, "A", 28),
    ]


def test_each_day_follows_the_shares_of_its_month_in_weeks_as_well(warehouse, defined):
    """10 a day from 26 January to 8 February: 6 days by January (a 1, b 3), 8 by February (all c)."""
    company(
        warehouse,
        [invoice("2026-01-10", "a", "A", 1), invoice("2026-01-10", "b", "A", 3), invoice("2026-02-10", "c", "A", 9)],
        [cost("2026-01-26", "2026-02-09", None, None, 140)],
    )
    known = defined(TEXT)
    reader = warehouse.reader()
    weeks = ask(reader, known, "cost", by=("account",), grain="week", since="2026-01-26", until="2026-02-09")
    assert [(row[0], row[1], Decimal(row[2])) for row in rows(weeks)] == [
        ("2026-01-26", "a", 15),
        ("2026-01-26", "b", 45),
        ("2026-01-26", "c", 10),
        ("2026-02-02", "a", 0),
        ("2026-02-02", "b", 0),
        ("2026-02-02", "c", 70),
    ]


def test_a_basis_that_is_not_positive_takes_no_share(warehouse, defined):
    """a was credited more than it was charged, b came to nothing: c bears it all."""
    credited = [invoice("2026-01-05", "a", "A", -50), invoice("2026-01-06", "b", "A", 10), invoice("2026-01-07", "b", "A", -10)]
    company(warehouse, [*credited, invoice("2026-01-08", "c", "A", 5)], [cost("2026-01-01", "2026-02-01", None, None, 31)])
    result = ask(warehouse, defined(TEXT), "cost", by=("account",), **JANUARY)
    assert amounts(result) == {("c",): 31}


def test_filters_hold_of_what_was_allocated_and_the_basis_knows_none(warehouse, defined):
    """Of SMB: a 10 + 5, b 15 of the 80 as above; with the costs of hosting alone, half of each."""
    half = [cost("2026-01-01", "2026-02-01", None, None, 40, category=name) for name in ("hosting", "support")]
    company(warehouse, INVOICES, half)
    known = defined(TEXT)
    reader = warehouse.reader()
    smb, hosting = ("segment = 'SMB'",), ("cost_line.category = 'hosting'",)
    assert amounts(ask(reader, known, "cost", where=smb, **JANUARY)) == {(): 30}
    assert amounts(ask(reader, known, "cost", where=(*smb, *hosting), by=("product",), **JANUARY)) == {("A",): 5, ("B",): 10}
    either = ("segment = 'Big' or cost_line.category = 'hosting'",)  # Big 30, and half of the other 50
    assert amounts(ask(reader, known, "cost", where=either, **JANUARY)) == {(): 55}
    assert amounts(ask(reader, known, "cost", where=hosting, by=("cost_line.category", "account"), **JANUARY)) == {
        ("hosting", "a"): Decimal("7.5"),
        ("hosting", "b"): Decimal("7.5"),
        ("hosting", "c"): 15,
        ("hosting", None): 10,
    }


def test_only_and_total_hold_of_what_was_allocated(warehouse, defined):
    """Of 600 the four known pairs have 100, 50, 150 and 300: half is of small customers."""
    company(warehouse, INVOICES[:4], [cost("2026-01-01", "2026-02-01", None, None, 60)])
    known = defined(TEXT + "  small: {formula: \"only(cost, segment = 'SMB')\"}\n  share: {formula: cost / total(cost)}\n")
    reader = warehouse.reader()
    assert amounts(ask(reader, known, "small", **JANUARY), "small") == {(): Decimal("29.9999999999994")}  # its shares are rounded down
    assert [row[1:] for row in rows(ask(reader, known, "share", by=("segment",), **JANUARY))] == [("Big", 0.5), ("SMB", 0.5)]


def test_without_a_key_in_sight_nothing_is_split(warehouse, defined):
    """The statement doesn't read the basis, and the figure has the eight places of a flow."""
    company(warehouse, INVOICES, [cost("2026-01-01", "2026-02-01", None, None, 80, category="hosting")])
    result = ask(warehouse, defined(TEXT), "cost", by=("cost_line.category",), **JANUARY)
    assert rows(result) == [("2026-01-01", "hosting", "80.00000000")]
    assert "invoice_line" not in result.sql
    assert result.warnings == ()


def test_where_no_row_lacks_a_key_nothing_is_split(warehouse, defined):
    company(warehouse, INVOICES, [cost("2026-01-01", "2026-02-01", "a", "A", 80)])
    result = ask(warehouse, defined(TEXT), "cost", by=("account",), **JANUARY)
    assert rows(result) == [("2026-01-01", "a", "80.00000000")]
    assert "invoice_line" not in result.sql


def test_the_cost_of_a_customer_who_is_not_matched_is_nobody_elses(warehouse, defined):
    """It names its customer, so it lacks no key, and stands under "(none)"."""
    stray = cost("2026-01-01", "2026-02-01", None, "A", 9, source_account_id="Somebody")
    company(warehouse, [invoice("2026-01-10", "a", "A", 1)], [stray, cost("2026-01-01", "2026-02-01", None, None, 1)])
    assert amounts(ask(warehouse, defined(TEXT), "cost", by=("account",), **JANUARY)) == {("a",): 1, (None,): 9}


def test_an_account_is_what_it_was_on_the_day(warehouse, defined):
    """a was SMB until 11 January: 10 of 31 days of its 31."""
    company(warehouse, [invoice("2026-01-20", "a", "A", 1)], [cost("2026-01-01", "2026-02-01", None, None, 31)])
    warehouse.add(
        "account_version",
        {"account_id": "a", "valid_from": "2020-01-01", "valid_to": "2026-01-11", "region": "SMB"},
        {"account_id": "a", "valid_from": "2026-01-11", "region": "Big"},
    )
    known = defined(TEXT)
    reader = warehouse.reader()
    assert amounts(ask(reader, known, "cost", by=("segment",), **JANUARY)) == {("Big",): 21, ("SMB",): 10}
    assert amounts(ask(reader, known, "cost", where=("segment = 'SMB'",), since="2026-01-05", until="2026-01-20")) == {(): 6}


def test_a_pattern_of_weeks_has_months_of_its_own(warehouse, defined):
    """In 4-4-5 the year 2026 begins on 29 December; its first month ends before 26 January."""
    company(
        warehouse,
        [invoice("2026-01-25", "a", "A", 1), invoice("2026-01-26", "b", "A", 1)],
        [cost("2026-01-20", "2026-02-01", None, None, 12)],
    )
    known = defined("calendar: {pattern: 4-4-5}\n" + TEXT)
    assert amounts(ask(warehouse, known, "cost", by=("account",), since="2026-01-01", until="2026-02-20")) == {("a",): 6, ("b",): 6}


def test_a_ratio_by_a_key_that_too_much_of_its_cost_lacks_has_no_value(warehouse, defined):
    """In January all is allocated; in February 5 of 100 have no account, which is not more than 5 %; in March 6 of 100."""
    invoices = [invoice(f"2026-0{month}-10", "a", "A", 200) for month in (1, 2, 3)]
    costs = [cost("2026-01-01", "2026-02-01", None, None, 100)]
    for month, lacks in ((2, 5), (3, 6)):
        start, end = f"2026-0{month}-01", f"2026-0{month + 1}-01"
        costs += [cost(start, end, "a", "A", 100 - lacks), cost(start, end, None, "B", lacks)]
    company(warehouse, invoices, costs)
    known = defined(TEXT)
    reader = warehouse.reader()
    where = {"where": ("segment = 'SMB'",)}
    for asked in ({"by": ("segment",)}, where):
        result = ask(reader, known, "margin", "cost", "profit", grain="month", **asked)
        kept = [place for place, group in enumerate(column(result, "segment")) if group] if "by" in asked else range(3)
        assert [column(result, "margin")[place] for place in kept] == [0.5, 0.525, None]  # (200 − 95) / 200
        assert [states(result, "margin")[place] for place in kept] == ["known", "known", "unallocated"]
        assert [Decimal(column(result, "cost")[place]) for place in kept] == [100, 95, 94]
        assert [states(result, "profit")[place] for place in kept] == ["known"] * 3
        reason = (
            "margin has no value where more than 5 % of its cost has no account, also after allocation: "
            "6.0 % of cost of 1 Mar 2026 to 31 Mar 2026 has none"
        )
        assert result.reason("margin", "unallocated") == reason
    whole = ask(reader, known, "margin", grain="month")
    assert column(whole, "margin") == [0.5, 0.5, 0.5]
    assert states(ask(reader, known, "margin", by=("product",), grain="month"), "margin").count("unallocated") == 0


def test_a_lagged_cost_is_earlier_and_split_by_what_it_is_set_against(warehouse, defined):
    """January's 90 won February's 3 deals, 2 of a and 1 of b: 30 each. A year counts its own 120 for its own 4."""
    company(
        warehouse,
        costs=[cost("2026-01-01", "2026-02-01", None, None, 90), cost("2026-02-01", "2026-03-01", None, None, 30)],
        deals=[deal("2026-02-05", "a"), deal("2026-02-06", "a"), deal("2026-02-07", "b"), deal("2026-01-07", "c")],
    )
    known = defined(TEXT)
    reader = warehouse.reader()
    february = {"grain": "month", "since": "2026-02-01", "until": "2026-03-01"}
    assert column(ask(reader, known, "cac", **february), "cac") == [30.0]
    by = ask(reader, known, "cac", "spent", "sold", by=("account",), **february)
    assert [(row[1], row[2], Decimal(row[3]).quantize(Decimal("1e-8")), row[4]) for row in rows(by)] == [
        ("a", 30.0, 20, 2),
        ("b", 30.0, 10, 1),
    ]
    year = ask(reader, known, "cac", grain="year")
    assert column(year, "cac") == [30.0]
    assert [row[1:] for row in rows(ask(reader, known, "cac", by=("account",), grain="year"))] == [("a", 10.0), ("b", 10.0), ("c", 90.0)]


def test_the_lag_is_a_switch(warehouse, defined):
    """None for months: February's 30 for its 3. One month for years: January to March of a year that begins in April is next year's."""
    company(
        warehouse,
        costs=[cost("2026-01-01", "2026-02-01", None, None, 90), cost("2026-02-01", "2026-03-01", None, None, 30)],
        deals=[deal("2026-02-05", "a"), deal("2026-02-06", "a"), deal("2026-02-07", "b")],
    )
    text = TEXT.replace("lag: {of: spent}", "lag: {of: spent, months: none, years: 2 months}")
    known = defined(text)
    reader = warehouse.reader()
    assert column(ask(reader, known, "cac", grain="month", since="2026-02-01", until="2026-03-01"), "cac") == [10.0]
    whole = ask(reader, known, "cac", since="2026-03-01", until="2026-04-01")
    assert column(whole, "cac") == [None]  # no deal in March, and January's cost
    assert states(whole, "cac") == ["empty"]


def test_two_systems_in_the_basis_are_told(duck_warehouse, defined):
    company(duck_warehouse, INVOICES, [cost("2026-01-01", "2026-02-01", None, None, 80)])
    duck_warehouse.add("invoice_line", invoice("2026-01-10", "b", "A", 1), covers=("2026-01-01", "2026-04-01"), source="other")
    known = defined(TEXT)
    reader = duck_warehouse.reader()
    assert states(ask(reader, known, "cost", **JANUARY), "cost") == ["known"]
    by = ask(reader, known, "cost", by=("account",), **JANUARY)
    assert set(states(by, "cost")) == {"uncounted"}
    assert "until then cost has no value" in by.warnings[0].lower()


def test_a_basis_without_a_rate_is_told(warehouse, defined):
    company(warehouse, [*INVOICES, invoice("2026-01-10", "b", "A", 1, currency="USD")], [cost("2026-01-01", "2026-02-01", None, None, 80)])
    result = ask(warehouse, defined(TEXT), "cost", by=("account",), **JANUARY)
    assert set(states(result, "cost")) == {"unconverted"}
    assert "cost has no value where an exchange rate into EUR is missing" in result.warnings


def test_amounts_in_other_currencies_are_converted_before_they_are_split(warehouse, defined):
    """100 USD at 0.9 are 90; a has 1 of 3 of the revenue, b the rest."""
    company(warehouse, [invoice("2026-01-10", "a", "A", 1), invoice("2026-01-10", "b", "A", 2)])
    warehouse.add("cost_line", cost("2026-01-01", "2026-02-01", None, None, 100) | {"currency": "USD"})
    warehouse.add("fx_rate", {"currency": "USD", "into": "EUR", "day": "2026-01-01", "rate": "0.9"})
    result = ask(warehouse, defined(TEXT), "cost", by=("account",), **JANUARY)
    assert amounts(result) == {("a",): 90 * THIRD, ("b",): 90 * (1 - THIRD)}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "to: [account, product]",
            "to: [account, produkt]",
            'cost_line has no key to "produkt"; it has account, product; did you mean "product"?',
        ),
        ("to: [account, product]", "to: [account, account]", "account is there twice"),
        ("by: revenue,", "by: revenu,", 'no metric is called "revenu"; did you mean "revenue"?'),
        ("by: revenue,", "by: cost,", "cost can't be split by itself"),
        ("by: revenue,", "by: spent,", "spent is allocated itself"),
        ("by: revenue,", "by: profit,", "profit"),
        ("by: revenue,", "by: paid,", "paid is of payment, which doesn't reach product; it reaches account"),
        ("each: month}", "each: week}", '"week" is not how long a proportion holds; accepted are month'),
        (", by: revenue", "", "allocate needs this key: a metric"),
        ("lag: {of: spent}", "lag: {of: spend}", 'the formula has no metric "spend"; it has spent, sold; did you mean "spent"?'),
        ("lag: {of: spent}", "lag: {of: spent, months: soon}", '"soon" is no number of months up to 24; write it as 1 month, or none'),
        ("lag: {of: spent}", "lag: {months: none}", "lag needs this key: a metric of the formula"),
    ],
)
def test_what_is_written_wrong_is_said(defined, old, new, says):
    paid = "  paid: {sum: amount, of: payment, at: paid_on}\n"
    with pytest.raises(DefinitionsError) as raised:
        defined((TEXT + paid).replace(old, new, 1))
    assert says in raised.value.problems[0].message


@pytest.mark.parametrize(
    "line", ["{median: amount, of: cost_line, at: booked_on", "{sum: amount, of: cost_line, during: [service_from, service_to]"]
)
def test_only_sums_at_or_over_days_are_split(defined, line):
    with pytest.raises(DefinitionsError) as raised:
        defined(TEXT + f"  odd: {line}, allocate: {{to: account, by: sold}}}}\n")
    assert "allocate splits a sum at: or over: days, and odd is a" in raised.value.problems[0].message


FIRST = dt.date(2026, 1, 1)
who = st.sampled_from(["a", "b", "c", None])
what = st.sampled_from(["A", "B", None])
invoices_ = st.lists(st.tuples(st.integers(0, 89), who, what, st.integers(-300, 900)), max_size=12)
costs_ = st.lists(
    st.tuples(st.integers(-20, 85), st.integers(1, 70), who, what, st.decimals("-500", "900", places=4), st.sampled_from("hs")),
    min_size=1,
    max_size=7,
)
relaxed = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    path = tmp_path_factory.mktemp("laws") / "metrics.yaml"
    path.write_text("north_star: margin\ncurrency: EUR\n" + TEXT, encoding="utf-8")
    return definitions.load(path)


def filled(invoices, costs):
    warehouse = Warehouse(Settings())
    day = lambda place: (FIRST + dt.timedelta(days=place)).isoformat()  # noqa: E731
    company(
        warehouse,
        [invoice(day(place), account, product, amount) for place, account, product, amount in invoices],
        [
            cost(day(place), day(place + days), account, product, amount, category=kind)
            for place, days, account, product, amount, kind in costs
        ],
    )
    warehouse.add(
        "account_version",
        {"account_id": "b", "valid_from": "2020-01-01", "valid_to": "2026-02-11", "region": "SMB"},
        {"account_id": "b", "valid_from": "2026-02-11", "region": "Mid"},
    )
    return warehouse


@pytest.mark.slow
@relaxed
@given(invoices_, costs_, st.sampled_from([(), ("cost_line.category = 'h'",)]))
def test_groups_weeks_and_filters_add_up_to_what_was_not_split(known, invoices, costs, where):
    warehouse = filled(invoices, costs)
    with warehouse.reader() as reader:

        def total(grain, by=(), more=()):
            found = ask(reader, known, "cost", by=by, where=(*where, *more), grain=grain, since="2026-01-01", until="2026-04-01")
            return sum(Decimal(value) for value in column(found, "cost"))

        whole = total("all")
        for grain in ("week", "month", "all"):
            for by in (("account",), ("segment", "product"), ("account", "cost_line.category")):
                assert total(grain, by) == whole
        for condition in ("segment = 'SMB'", "product is null", "segment = 'Big' or cost_line.category = 's'"):
            assert total("week", (), (condition,)) + total("month", (), (f"not ({condition})",)) == whole
        with_it = ask(reader, known, "cost", by=("account",), where=("cost_line.category = 'h'",))
        without = ask(reader, known, "cost", by=("account",), where=("cost_line.category = 's'",))
        both = amounts(ask(reader, known, "cost", by=("account",)))
        assert {name: amounts(with_it).get(name, 0) + amounts(without).get(name, 0) for name in both} == both


@relaxed
@given(invoices_, costs_)
def test_each_group_has_what_plain_arithmetic_says(known, invoices, costs):
    """In fractions, a day at a time; the program's shares are rounded to 14 places."""
    warehouse = filled(invoices, costs)
    with warehouse.reader() as reader:
        result = ask(reader, known, "cost", by=("account", "product"), grain="month", since="2026-01-01", until="2026-04-01")
    found = {(row[0], row[1], row[2]): Decimal(row[3]) for row in rows(result) if Decimal(row[3])}
    expected = by_hand(invoices, costs)
    assert all(abs(Fraction(found.get(key, 0)) - value) < Fraction(1, 10**6) for key, value in expected.items())
    assert found.keys() <= expected.keys()
    warehouse.close()


def by_hand(invoices, costs):
    basis = {}
    for place, account, product, amount in invoices:
        month = (FIRST + dt.timedelta(days=place)).replace(day=1)
        basis[month, account, product] = basis.get((month, account, product), 0) + amount
    expected = {}
    for place, days, account, product, amount, _ in costs:
        for passed in range(days):
            day = FIRST + dt.timedelta(days=place + passed)
            month = day.replace(day=1)
            if not FIRST <= day < dt.date(2026, 4, 1):
                continue
            part = Fraction(amount) / days
            pairs = {
                key[1:]: weight
                for key, weight in basis.items()
                if key[0] == month and weight > 0 and account in (None, key[1]) and product in (None, key[2])
            }
            if (account is not None and product is not None) or not pairs:
                pairs = {(account, product): 1}
            for pair, weight in pairs.items():
                key = (month.isoformat(), *pair)
                expected[key] = expected.get(key, 0) + part * weight / sum(pairs.values())
    return expected


def test_explain_says_what_is_split_and_lagged_and_names_the_sources_of_the_basis(duck_warehouse, defined):
    company(duck_warehouse, INVOICES, [cost("2026-01-01", "2026-02-01", None, None, 80)], [deal("2026-02-05", "a")])
    known = defined(TEXT)
    with duck_warehouse.reader() as reader:
        cac = explain(Query(("cac", "cost"), by=("account",)), known, reader)
        whole = explain(Query(("cost",)), known, reader)
    assert cac.switches[-3:] == (
        "spent is that 1 month earlier; for years and all time of the same days",
        "spent without account is split by sold of each month",
        "cost without account or product is split by revenue of each month",
    )
    assert [branch.name for branch in cac.metrics[0].tree] == [
        "cac",
        "spent 1 month earlier; for years and all time of the same days",
        "spent",
        "sold",
        "sold",
    ]
    assert sorted({source.table for source in cac.sources}) == ["cost_line", "deal", "invoice_line"]
    assert {source.table for source in whole.sources} == {"cost_line"}


def test_groupings_asked_together_have_the_values_they_have_alone(warehouse, defined):
    """6 of 100 have no account: no margin by segment, and one by product, in one statement or in two."""
    costs = [cost("2026-01-01", "2026-02-01", "a", "A", 94), cost("2026-01-01", "2026-02-01", None, "B", 6)]
    company(warehouse, [invoice("2026-01-10", "a", "A", 200)], costs)
    known = defined(TEXT)
    with warehouse.reader() as reader:
        asked = [
            Query(("margin", "cost"), by=by, since=dt.date(2026, 1, 1), until=dt.date(2026, 2, 1)) for by in (("product",), ("segment",))
        ]
        together = run_together(asked, known, reader)
        alone = [run(query, known, reader) for query in asked]
    for one, other in zip(together, alone, strict=True):
        assert column(one, "margin") == column(other, "margin")
        assert list(map(Decimal, column(one, "cost"))) == list(map(Decimal, column(other, "cost")))
        assert states(one, "margin") == states(other, "margin")
    assert states(together[0], "margin") == ["known", "empty"]
    assert set(states(together[1], "margin")) == {"unallocated"}


#: Two costs without a key, and one of a's own; in January a has 150, b 150 and c 300 of revenue, and 200 have no customer.
SHARED = (cost("2026-01-01", "2026-02-01", None, None, 80), cost("2026-01-01", "2026-02-01", "a", None, 15))


def test_the_rest_of_the_top_groups_has_what_was_allocated_to_it(warehouse, defined):
    company(warehouse, INVOICES, SHARED)
    known = defined(TEXT)
    with warehouse.reader() as reader:
        top = run(Query(("cost", "profit"), by=("account",), top=1, **DAYS), known, reader)
        every = amounts(run(Query(("cost",), by=("account",), **DAYS), known, reader))
    # Shares of 800: a 150, b 150, c 300, none 200. So a has 15 + 15 and c 30, which are equal; by name a is the first.
    assert {group: round(amount) for (group,), amount in every.items()} == {"a": 30, "b": 15, "c": 30, None: 20}
    found = amounts(top)
    assert found[(None,)] == every[(None,)]
    assert sum(found.values()) == sum(every.values()) == 95
    assert found == {("a",): 30, (OTHER,): 45, (None,): 20}
    assert amounts(top, "profit") == {("a",): 150 - 30, (OTHER,): 450 - 45, (None,): 200 - 20}


def test_per_chooses_what_is_allocated_and_what_it_is_allocated_by(warehouse, defined):
    company(warehouse, INVOICES, SHARED)
    text = TEXT.replace("at: invoiced_on}", "at: invoiced_on, where: 'per(account, taken) > 1'}") + (
        "  taken: {sum: amount, of: invoice_line, at: invoiced_on, where: \"account.account_id <> 'b'\"}\n"
    )
    known = defined(text)
    with warehouse.reader() as reader:
        found = amounts(run(Query(("cost",), by=("account",), **DAYS), known, reader))
        big = amounts(run(Query(("cost",), by=("account",), where=("per(account, taken) > 200",), **DAYS), known, reader))
        tree = explain(Query(("margin",), by=("account",), **DAYS), known, reader).metrics[0].tree
    # Without b, and without what has no customer, a and c have 150 and 300: 80 are 26.67 and 53.33, and a has 15 of its own.
    assert {group: round(amount, 2) for (group,), amount in found.items()} == {"a": Decimal("41.67"), "c": Decimal("53.33")}
    assert {group: round(amount, 2) for (group,), amount in big.items()} == {"c": Decimal("53.33")}
    assert [(branch.name, branch.cell is None) for branch in tree] == [
        ("margin", False),
        ("revenue", False),
        ("taken", True),
        ("cost", False),
        ("revenue", True),
        ("taken", True),
    ]


def test_per_may_be_of_an_allocated_cost_and_choose_a_cost_that_is_split(warehouse, defined):
    company(warehouse, INVOICES, SHARED)
    known = defined(
        TEXT.replace("service_to], allocate: {to: account,", "service_to], where: 'per(product, revenue) is null', allocate: {to: account,")
    )
    with warehouse.reader() as reader:
        dear = amounts(run(Query(("revenue",), by=("account",), where=("per(account, cost) > 20",), **DAYS), known, reader), "revenue")
        spent = amounts(run(Query(("spent",), by=("account",), **DAYS), known, reader), "spent")
    assert dear == {("a",): 150, ("c",): 300}  # 30 each, and b has 15
    assert spent == {("a",): 15, (None,): 80}  # no deal to split by


def test_the_tree_has_what_is_taken_earlier(warehouse, defined):
    company(warehouse, INVOICES, [cost("2026-01-01", "2026-02-01", None, None, 80)], [deal("2026-02-05", "a")])
    with warehouse.reader() as reader:
        asked = Query(("cac",), grain="month", since=dt.date(2026, 2, 1), until=dt.date(2026, 3, 1))
        tree = explain(asked, defined(TEXT), reader).metrics[0].tree
    # In February 80 of January win one customer, and February has no cost; sold splits, and then divides.
    assert [(branch.name, branch.cell and branch.cell.value) for branch in tree] == [
        ("cac", 80),
        ("spent 1 month earlier; for years and all time of the same days", 80),
        ("spent", 0),
        ("sold", None),
        ("sold", 1),
    ]
