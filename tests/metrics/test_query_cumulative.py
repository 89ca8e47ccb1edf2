"""Time until what was earned has paid for what it cost: sums by customer at the ends of months, exact to the last digit."""

from __future__ import annotations

import datetime as dt
import random
from itertools import pairwise
from typing import Any

import pytest

from kpi.errors import DefinitionsError
from kpi.metrics.curves import curve
from kpi.metrics.explain import explain
from kpi.metrics.model import Query
from kpi.metrics.query import run, run_together
from tests.metrics.hand_made import Warehouse, ask, column, rows, states

pytestmark = pytest.mark.postgres_later

TEXT = """
dimensions:
  region: {of: account, is: region}
metrics:
  revenue: {sum: amount, of: invoice_line, over: [service_from, service_to]}
  serving: {sum: amount, of: cost_line, over: [service_from, service_to], where: category = 'hosting'}
  winning: {sum: amount, of: cost_line, over: [service_from, service_to], where: category = 'sales'}
  profit: {formula: revenue - serving - winning}
  mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on], where: status = 'active'}
  paid_terms: {count: subscription_term, at: started_on, where: status = 'active' and monthly_amount > 0}
  payback: {time_to: {each: account, from: paid_terms, until: cumulative(profit) >= 0, lost: mrr = 0}}
  payback_of_stock: {time_to: {each: account, from: mrr, until: cumulative(revenue - serving - winning) >= 0, lost: mrr = 0}}
  earned: {time_to: {each: account, from: paid_terms, until: cumulative(revenue) > 100}, show: reached}
  earning: {count: payment, at: paid_on}
  started: {time_to: {each: account, from: paid_terms, until: cumulative(profit) >= 0, lost: mrr = 0}, show: started}
  reached: {time_to: {each: account, from: paid_terms, until: cumulative(profit) >= 0, lost: mrr = 0}, show: reached}
  lost: {time_to: {each: account, from: paid_terms, until: cumulative(profit) >= 0, lost: mrr = 0}, show: lost}
"""
COVERS = ("2025-01-01", "2026-07-01")


def term(account: str | None, start: str, end: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "account_id": account,
        "started_on": start,
        "ended_on": end,
        "monthly_amount": "100",
        "currency": "EUR",
        "status": "active",
    } | more


def line(account: str | None, start: str, end: str, amount: str, **more: Any) -> dict[str, Any]:
    return {"account_id": account, "service_from": start, "service_to": end, "amount": amount, "currency": "EUR", "kind": "charge"} | more


def cost(account: str | None, start: str, end: str, amount: str, category: str = "sales", **more: Any) -> dict[str, Any]:
    row = {"account_id": account, "service_from": start, "service_to": end, "booked_on": start, "amount": amount, "currency": "EUR"}
    return row | {"category": category} | more


def company(warehouse: Warehouse, terms, lines, costs) -> Warehouse:
    warehouse.add("account", *({"account_id": key, "region": place} for key, place in zip("abcd", ("N", "N", "S", None), strict=True)))
    warehouse.add("subscription_term", *terms, covers=COVERS)
    warehouse.add("invoice_line", *lines, covers=COVERS)
    return warehouse.add("cost_line", *costs, covers=COVERS)


def three(warehouse: Warehouse) -> Warehouse:
    """Revenue 100 a month each; a cost 300 to win in December, before the start: even at the end of the third month, 31 March.

    a: starts 1 January; 3·100 − 300 = 0 on 31 March: day 89. b: the same, but leaves on 15 March: lost on day 73. c: costs
    nothing, but its revenue begins on 10 February: even (and earning) on 28 February, day 58.
    """
    months = ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"]
    spans = list(pairwise(months))
    return company(
        warehouse,
        [term("a", "2026-01-01"), term("b", "2026-01-01", "2026-03-15"), term("c", "2026-01-01")],
        [*(line(who, first, after, "100") for who in "ab" for first, after in spans), line("c", "2026-02-10", "2026-03-10", "1")],
        [cost("a", "2025-12-01", "2026-01-01", "300"), cost("b", "2025-12-01", "2026-01-01", "300")],
    )


def test_a_table_by_hand(warehouse, defined):
    """t=58: n 3, F 1/3. t=73: n 2, b lost, S 2/3·1/2 = 1/3. t=89: n 1, F 1/3 + 1/3·1 = 2/3: the half.
    Of a and b alone F is 1/2 on day 89, which is the half as well."""
    known = defined(TEXT)
    result = ask(three(warehouse), known, "payback", "payback_of_stock", "started", "reached", "lost")
    assert rows(result) == [("2025-01-01", 89, 89, 3, 2, 1)]
    by = ask(warehouse, known, "payback", "started", by=("region",))
    assert rows(by) == [("2025-01-01", "N", 89, 2), ("2025-01-01", "S", 58, 1)]
    assert states(by, "payback") == ["partial", "partial"]  # the data are younger than 24 months


def test_nothing_is_known_before_the_month_is_over(warehouse, defined):
    """On 27 February nobody is even; on the 28th c is; on 30 March b is lost, on the 31st a is even."""
    three(warehouse)
    known = defined(TEXT)
    with warehouse.reader() as reader:
        found = [
            column(ask(reader, known, "reached", until=day), "reached") for day in ("2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01")
        ]
    assert found == [[0], [1], [1], [2]]


def test_the_last_digit_counts(warehouse, defined):
    """Three thirds of 0.0001 over days that don't divide it are 0.0001: even; a unit of 1e-4 less isn't."""
    company(
        warehouse,
        [term("a", "2026-01-01"), term("b", "2026-01-01")],
        [line(who, "2026-01-01", "2026-01-08", "0.0001") for who in "ab"],
        [cost("a", "2026-01-02", "2026-01-05", "0.0001"), cost("b", "2026-01-02", "2026-01-05", "0.0002")],
    )
    assert column(ask(warehouse, defined(TEXT), "reached"), "reached") == [1]


def test_what_was_never_earned_is_not_reached(warehouse, defined):
    """0 − 0 ≥ 0 from the first month, and yet nothing was earned; and more than 100 is not 100."""
    company(warehouse, [term("a", "2026-01-01"), term("b", "2026-01-01")], [line("b", "2026-01-01", "2026-02-01", "100")], [])
    assert rows(ask(warehouse, defined(TEXT), "reached", "earned")) == [("2025-01-01", 1, 0)]


def test_a_month_in_which_the_stock_is_gone_for_a_day_is_the_end(warehouse, defined):
    """a pauses for a day before it is even, b changes its plan without one."""
    company(
        warehouse,
        [term("a", "2026-01-01", "2026-01-10"), term("a", "2026-01-11"), term("b", "2026-01-01", "2026-01-10"), term("b", "2026-01-10")],
        [line(who, "2026-01-01", "2026-02-01", "10") for who in "ab"],
        [],
    )
    assert rows(ask(warehouse, defined(TEXT), "reached", "lost")) == [("2025-01-01", 1, 1)]


def test_customers_that_were_not_matched_are_one_each(warehouse, defined):
    company(
        warehouse,
        [term(None, "2026-01-01", source_account_id="x"), term(None, "2026-01-01", source_account_id="y"), term(None, "2026-01-01")],
        [line(None, "2026-01-01", "2026-02-01", "10", source_account_id="x")],
        [],
    )
    assert rows(ask(warehouse, defined(TEXT), "started", "reached")) == [("2025-01-01", 2, 1)]


def test_without_a_rate_nobody_can_tell(warehouse, defined):
    """a is billed in dollars, and there is no rate; before its first bill nothing is missing."""
    three(warehouse).add("invoice_line", line("a", "2026-02-01", "2026-03-01", "5", currency="USD", invoiced_on="2026-02-01"))
    warehouse.sql("insert into money_currency values ('invoice_line', 'test', 'USD', '', 1)")
    result = ask(warehouse, defined(TEXT), "reached", grain="month", since="2026-01-01", until="2026-04-01")
    assert column(result, "reached") == [0, None, None]
    assert states(result, "reached") == ["partial", "unconverted", "unconverted"]


def test_the_data_of_all_that_is_summed_up_count(warehouse, defined):
    """Costs are known from February on: nobody who started before can be told."""
    warehouse.add("account", {"account_id": "a"}, {"account_id": "b"})
    warehouse.add("subscription_term", term("a", "2026-01-10"), term("b", "2026-02-10"), covers=COVERS)
    warehouse.add("invoice_line", *(line(who, "2026-02-10", "2026-02-20", "1") for who in "ab"), covers=COVERS)
    warehouse.cover("cost_line", "2026-02-01", "2026-07-01")
    assert rows(ask(warehouse, defined(TEXT), "started", "reached")) == [("2026-02-01", 1, 1)]


SPLIT = (
    TEXT.replace("category = 'hosting'}", "category = 'hosting', allocate: {to: account, by: revenue}}").replace(
        "category = 'sales'}", "category = 'sales', allocate: {to: account, by: sold}}"
    )
    + "  sold: {count: deal, at: closed_on}\n"
)


def shared(warehouse: Warehouse, deals_from: str = COVERS[0]) -> Warehouse:
    """All costs lack a customer; 700 to win in January, by deals won 1 : 2 : 4, so 100, 200 and 400; hosting by revenue.

    | at the end of | a: 100 a month    | b: 300 a month   | c: 410 in March and April |
    |---------------|-------------------|------------------|---------------------------|
    | January       | 100−10−100 = −10  | 300−30−200 = 70  | −400                      |
    | February      | 200−20−100 = 80   |                  | −400                      |
    | March         |                   |                  | 410−41−400 = −31          |
    | April         |                   |                  | 820−82−400 = 338          |

    So b is even on 31 January (day 30), a on 28 February (58) and c on 30 April (119). Without their shares a would be
    even in January and c in March.
    """
    months = ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"]
    spans = list(pairwise(months))
    company(
        warehouse,
        [term(who, "2026-01-01") for who in "abc"],
        [
            *(line(who, *span, amount) for who, amount in (("a", "100"), ("b", "300")) for span in spans),
            *(line("c", *span, "410") for span in spans[2:]),
        ],
        [
            cost(None, "2026-01-01", "2026-02-01", "700"),
            *(cost(None, *span, "40", "hosting") for span in spans[:2]),
            *(cost(None, *span, "81", "hosting") for span in spans[2:]),
        ],
    )
    won = [{"closed_on": "2026-01-20", "created_on": "2026-01-02", "account_id": who} for who in "abbcccc"]
    return warehouse.add("deal", *won, covers=(deals_from, COVERS[1]))


def test_shared_costs_count_by_the_shares_of_each_customer(warehouse, defined):
    known = defined(SPLIT)
    with shared(warehouse).reader() as reader:
        months = ask(reader, known, "reached", "payback", "profit", grain="month", since="2026-01-01", until="2026-05-01")
        assert column(months, "reached") == [1, 2, 2, 3]
        assert column(months, "payback") == [None, 58, 58, 58]  # 1/3, then 2/3 of three
        by = ask(reader, known, "payback", "started", by=("region",))
        assert rows(by) == [("2025-01-01", "N", 30, 2), ("2025-01-01", "S", 119, 1)]
        for region, reached in (("N", [1, 2, 2, 2]), ("S", [0, 0, 0, 1])):
            one = ask(reader, known, "reached", where=(f"region = '{region}'",), grain="month", since="2026-01-01", until="2026-05-01")
            assert column(one, "reached") == reached
        steps = curve("payback", dt.date(2026, 5, 31), known, reader)
        assert steps is not None
        assert [(step.days, step.reached) for step in steps.steps if step.reached] == [(30, 1), (58, 1), (119, 1)]


def test_unshared_costs_leave_the_customers_alone(warehouse, defined):
    """The same company without allocation: nobody bears what has no customer."""
    result = ask(shared(warehouse), defined(TEXT), "reached", grain="month", since="2026-01-01", until="2026-05-01")
    assert column(result, "reached") == [2, 2, 3, 3]


def test_costs_are_summed_up_while_what_splits_them_is_known(warehouse, defined):
    """Deals are known from February on, so sums begin there, and who started in January did so before anybody could tell."""
    result = ask(shared(warehouse, "2026-02-01"), defined(SPLIT), "reached", grain="month", since="2026-01-01", until="2026-05-01")
    assert column(result, "reached") == [None, 0, 0, 0]
    assert states(result, "reached") == ["unknown", "partial", "partial", "partial"]


def test_groups_together_are_the_groups_one_by_one(warehouse, defined):
    """No curve of groups adds up to one of more, so each grouping has a statement of its own."""
    known = defined(SPLIT)
    with shared(warehouse).reader() as reader:
        queries = [Query(("payback", "profit"), by=by, grain="month") for by in ((), ("region",))]
        assert [rows(one) for one in run_together(queries, known, reader)] == [rows(run(query, known, reader)) for query in queries]


def test_explain_says_how_costs_are_split(warehouse, defined):
    with shared(warehouse).reader() as reader:
        said = explain(Query(("payback",)), defined(SPLIT), reader).switches
    assert "winning without account is split by sold of each month" in said
    assert "serving without account is split by revenue of each month" in said


def test_one_statement_over_many_periods(warehouse, defined):
    result = ask(three(warehouse), defined(TEXT), "payback", "started", "profit", grain="week", since="2026-01-05", until="2026-06-29")
    assert column(result, "started") == [3] * 25
    assert column(result, "payback") == [None] * 12 + [89] * 13


@pytest.mark.parametrize(
    ("line_", "says"),
    [
        ("{time_to: {A, until: cumulative(mrr) >= 0}}", "mrr is a stock (during:), and cumulative() adds up days"),
        ("{time_to: {A, until: profit >= 0}}", "what is waited for is a metric, or a sum that has come so far"),
        ("{time_to: {each: account, from: revenue, until: paid_terms}}", "revenue has no day that it happens on"),
        ("{time_to: {A, until: payback}}", "payback has no day that it happens on"),
        ("{time_to: {each: deal, from: paid_terms, until: earning}}", "time_to.each: paid_terms: subscription_term leads to no deal"),
        ("{time_to: {A, until: earning, lost: mrr}}", "mrr is a stock; write mrr = 0"),
        ("{time_to: {A, until: earning, lost: mrr > 0}}", '"mrr > 0" is no end of the wait'),
        ("{time_to: {each: account, from: paid_terms}}", "time_to.until: a time_to needs this key"),
        ("{time_to: {A, until: earning}, show: mean}", '"mean" is not what can be shown'),
        ("{time_to: {A, until: earning}, show: {share_by: soon}}", '"soon" is no number of days'),
        ("{time_to: {A, until: earning}, show: started, bound: lower}", "started is a count, which has no bounds"),
        ("{time_to: {A, until: earning}, unit: percent}", "the unit is percent, but what is shown is days"),
        ("{formula: cumulative(revenue)}", "cumulative() stands in until: of time_to"),
        ("{formula: 'rolling(payback, 3 months)'}", "payback is as known on a day, and rolling() adds up days"),
    ],
)  # fmt: skip
def test_what_is_written_wrong_is_said(defined, line_, says):
    with pytest.raises(DefinitionsError) as raised:
        defined(TEXT + f"  odd: {line_.replace('{A,', '{each: account, from: paid_terms,')}\n")
    said = [f"{problem.key}: {problem.message}" for problem in raised.value.problems]
    assert any(says in sentence for sentence in said), said


def test_sums_of_months_are_the_sums_of_all_days(warehouse, defined):
    """What may be added up month by month comes to what is taken of all days at once, as a formula with an offset is.

    Lines over days and over years, of the days before the data, in a month with a gap, of customers that aren't matched.
    """
    pick = random.Random(7)

    def span() -> tuple[str, str]:
        first = dt.date(2024, 10, 1) + dt.timedelta(days=pick.randrange(600))
        return first.isoformat(), (first + dt.timedelta(days=pick.choice((1, 30, 45, 400)))).isoformat()

    whose = [*"abcd", None]
    lines = [line(pick.choice(whose), *span(), f"{pick.randrange(1, 90000)}.{pick.randrange(10000):04}") for _ in range(60)]
    costs = [cost(pick.choice(whose), *span(), f"{pick.randrange(1, 60000)}.{pick.randrange(10000):04}") for _ in range(60)]
    for row in (*lines, *costs):
        row["source_account_id"] = None if row["account_id"] else pick.choice(("u1", "u2"))
    terms = [term(who, f"2025-{place + 2:02}-11") for place, who in enumerate("abcd")]
    terms += [term(None, "2025-03-03", source_account_id=who) for who in ("u1", "u2")]
    company(warehouse, terms, lines, costs)
    text = TEXT + (
        "  steps: {time_to: {each: account, from: paid_terms, until: cumulative(profit) >= 20000, lost: mrr = 0}, show: reached}\n"
        '  at_once: {time_to: {each: account, from: paid_terms, until: "cumulative(profit + 0 * previous(profit, 1 month)) >= '
        '20000", lost: mrr = 0}, show: reached}\n'
    )
    result = ask(warehouse, defined(text), "steps", "at_once", grain="month")
    assert column(result, "steps") == column(result, "at_once")
    assert len(set(column(result, "steps"))) > 3
    assert "so_far" in result.sql


def test_the_metrics_that_it_is_made_of_are_named(warehouse, defined):
    """They are looked at for each customer by itself, so they have no value of their own here."""
    known = defined(TEXT)
    three(warehouse)
    with warehouse.reader() as reader:
        (told,) = explain(Query(("payback",)), known, reader).metrics
    parts = [(branch.depth, branch.name, branch.cell is None) for branch in told.tree]
    assert parts[:3] == [(0, "payback", False), (1, "paid_terms", True), (1, "profit", True)]
    assert parts[-1] == (1, "mrr", True)
