"""Movements of amounts in other currencies: at the rate of each day, and what a change of rate makes of what was there."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.hand_made import ask, column, rows, states
from tests.metrics.test_query_movements import MRR, PARTS, company, term, values

pytestmark = pytest.mark.postgres_later

USD = {"currency": "USD"}
#: Euros for a dollar: 0.9 until 9 February 2026, 0.8 until the 19th, then 0.5 until 6 March.
RATES = [
    ("2026-01-28", "0.9"),
    ("2026-02-04", "0.9"),
    ("2026-02-10", "0.8"),
    ("2026-02-17", "0.8"),
    ("2026-02-20", "0.5"),
    ("2026-02-27", "0.5"),
]
FEBRUARY = {"grain": "month", "since": "2026-02-01", "until": "2026-03-01"}


def dollars(warehouse):
    return warehouse.add("fx_rate", *({"currency": "USD", "into": "EUR", "day": day, "rate": rate} for day, rate in RATES))


def test_a_stock_is_worth_what_its_rate_says_each_day(warehouse, defined):
    """100 USD on 31 January, 90 EUR. On the 10th 100 · −0.1, on the 15th 30 more at 0.8, on the 20th 130 · −0.3: 65 EUR."""
    company(dollars(warehouse), term("a", "2026-01-10", "2026-02-15", 100, **USD), term("a", "2026-02-15", None, 130, **USD))
    result = ask(warehouse, defined(MRR), *PARTS, "opening", "mrr", **FEBRUARY)
    assert values(result, *PARTS) == [(0, 24, 0, 0, 0, -49, 0)]
    assert values(result, "opening", "mrr") == [(90, 65)]
    daily = ask(warehouse, defined(MRR), "currency", grain="day", since="2026-02-09", until="2026-02-21")
    assert [value for (value,) in values(daily, "currency")] == [0, -10, *[0] * 9, -39]
    assert set(states(daily, "currency")) == {"known"}


def test_a_change_of_currency_is_a_change_at_the_rate_of_its_day(warehouse, defined):
    """10 EUR become 20 USD on the 12th, 16 EUR: expansion 6, and 20 · −0.3 on the 20th. b leaves on the 25th with 100 USD at 0.5."""
    company(
        dollars(warehouse),
        term("a", "2026-01-10", "2026-02-12", 10),
        term("a", "2026-02-12", None, 20, **USD),
        term("b", "2026-01-10", "2026-02-25", 100, "B", **USD),
    )
    result = ask(warehouse, defined(MRR), *PARTS, by=("product",), **FEBRUARY)
    assert [(row[1], *map(Decimal, row[2:])) for row in rows(result)] == [("A", 0, 6, 0, 0, 0, -6, 0), ("B", 0, 0, 0, -50, 0, -40, 0)]
    filtered = ask(warehouse, defined(MRR), *PARTS, where=("product = 'B'",), **FEBRUARY)
    assert values(filtered, *PARTS) == [(0, 0, 0, -50, 0, -40, 0)]


def test_a_switch_of_product_and_currency_is_a_transfer(warehouse, defined):
    """On the 12th A −100 USD (−80 EUR) and B +30 EUR, + 70 USD (56 EUR) without a product: net 6; 30 · 80/86 and 56 · 80/86."""
    company(
        dollars(warehouse),
        term("a", "2026-02-11", "2026-02-12", 100, "A", **USD),
        term("a", "2026-02-12", None, 30, "B"),
        term("a", "2026-02-12", None, 70, None, **USD),
    )
    result = ask(warehouse, defined(MRR), "expansion", "transfer", by=("product",), grain="day", since="2026-02-12", until="2026-02-13")
    found = {row[1]: [Decimal(value) for value in row[2:]] for row in rows(result)}
    assert [sum(side) for side in zip(*found.values(), strict=True)] == [6, 0]
    assert {name: [round(value, 6) for value in pair] for name, pair in found.items()} == {
        "A": [0, -80],
        "B": [Decimal("2.093023"), Decimal("27.906977")],
        None: [Decimal("3.906977"), Decimal("52.093023")],
    }


def test_a_missing_rate_is_said_where_it_is_needed(warehouse, defined):
    """Francs have no rate: c's beginning can't be told, nor what it was worth from day to day; that nobody left can."""
    company(dollars(warehouse), term("a", "2026-02-11", None, 100, **USD), term("c", "2026-02-10", None, 5, currency="CHF"))
    result = ask(warehouse, defined(MRR), "new", "churn", "currency", "transfer", **FEBRUARY)
    assert [states(result, name) for name in ("new", "churn", "currency", "transfer")] == [
        ["unconverted"],
        ["known"],
        ["unconverted"],
        ["known"],
    ]
    assert column(result, "new") == [None]
    assert "new has no value where an exchange rate into EUR is missing" in result.warnings
    later = ask(warehouse, defined(MRR), "new", "currency", grain="month", since="2026-03-01", until="2026-04-01")
    assert [states(later, name) for name in ("new", "currency")] == [["known"], ["unconverted"]]  # dollars, too, from 7 March on


day = st.integers(0, 50)
terms = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        day,
        st.none() | st.integers(1, 40),
        st.integers(1, 90),
        st.sampled_from(["A", "B", None]),
        st.sampled_from(["EUR", "USD", "CHF"]),
    ),
    max_size=8,
)


@pytest.mark.first_only
@settings(deadline=None, max_examples=8)
@given(terms, st.lists(st.integers(3000, 17000), min_size=40, max_size=40), st.sampled_from([(), ("product = 'A'",), ("segment is null",)]))
def test_the_parts_add_up_to_the_change_of_the_converted_stock(fresh, tmp_path_factory, made, rates, where):
    """In every week, for every product, whatever the rates are: opening + parts = closing, to the last place."""
    from kpi.metrics import definitions

    path = tmp_path_factory.mktemp("d") / "metrics.yaml"
    text = MRR.replace("at_start(mrr, month)", "previous(mrr, 1 week)")
    path.write_text("north_star: mrr\ncurrency: EUR\n" + text, encoding="utf-8")
    known = definitions.load(path)
    warehouse = fresh()
    first = dt.date(2025, 12, 22)
    for place, currency in ((0, "USD"), (20, "CHF")):
        line = [{"currency": currency, "into": "EUR", "day": (first + dt.timedelta(days=6 * n)).isoformat()} for n in range(20)]
        warehouse.add("fx_rate", *(day | {"rate": str(Decimal(rates[place + n]) / 10000)} for n, day in enumerate(line)))
    rows_ = []
    for account, start, length, amount, product, currency in made:
        begins = dt.date(2026, 1, 5) + dt.timedelta(days=start)
        ends = None if length is None else (begins + dt.timedelta(days=length)).isoformat()
        rows_.append(term(account, begins.isoformat(), ends, Decimal(amount * 10000 // 7) / 10000, product, currency=currency))
    company(warehouse, *rows_, covers=("2025-12-22", "2026-04-06"))
    result = ask(warehouse, known, "mrr", "opening", *PARTS, by=("product",), where=where, grain="week", since="2026-01-05")
    transfers: dict[str, Decimal] = {}
    for row in rows(result):
        mrr, opening, *parts = map(Decimal, row[2:])
        assert opening + sum(parts) == mrr
        transfers[row[0]] = transfers.get(row[0], Decimal(0)) + parts[-1]
    assert where or set(transfers.values()) <= {Decimal(0)}
    warehouse.close()
