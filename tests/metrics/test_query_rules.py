"""The rules of meaning, each with a little table and its arithmetic."""

from __future__ import annotations

import datetime as dt
import textwrap

import pytest

from kpi.errors import QueryError, UnknownName, Unreachable, UsageError
from kpi.metrics.result import Span
from kpi.periods import Period
from tests.metrics.hand_made import ask, column, rows, states

WON = """
won: {count: deal, at: closed_on, where: is_won}
lost: {count: deal, at: closed_on, where: is_lost}
amount: {sum: amount, of: deal, at: closed_on}
rate: {formula: won / (won + lost), unit: percent}
"""


def deal(day, amount="10", won=True, **more):
    return {"closed_on": day, "amount": amount, "currency": "EUR", "is_won": won, "is_lost": not won, **more}


def period(first, after):
    return Period(dt.date.fromisoformat(first), dt.date.fromisoformat(after))


# Rule 1: coverage


def test_outside_coverage_nothing_is_known_and_a_period_covered_in_part_is_partial(warehouse, defined):
    warehouse.add("deal", deal("2026-01-20"), deal("2026-02-03"), deal("2026-03-30"), covers=("2026-01-15", "2026-02-11"))
    result = ask(warehouse, defined(WON), "won", "rate", grain="month", since="2025-12-01", until="2026-04-01")
    # December and March are not covered: the deal of 30 March lies ahead of what the data reach, and is cut.
    assert rows(result) == [("2025-12-01", None, None), ("2026-01-01", 1, 1.0), ("2026-02-01", 1, 1.0), ("2026-03-01", None, None)]
    assert states(result, "won") == ["unknown", "partial", "partial", "unknown"]
    assert result.table.column("partial").to_pylist() == [False, True, True, False]
    assert result.coverage["won"] == Span(dt.date(2026, 1, 15), dt.date(2026, 2, 11))
    assert result.data_through == dt.date(2026, 2, 10)
    assert result.warnings == (
        "the data of won and rate reach from 15 Jan 2026 to 10 Feb 2026: 2 months, the first 1 Jan 2026 to 31 Jan 2026, are covered "
        "in part and 2 months, the first 1 Dec 2025 to 31 Dec 2025, are not covered, and not known",
    )


def test_what_was_never_imported_is_not_known(warehouse, defined):
    result = ask(warehouse, defined(WON), "won", "rate", grain="month", since="2026-01-01", until="2026-02-01")
    assert rows(result) == [("2026-01-01", None, None)]
    assert states(result, "rate") == ["unknown"]
    assert result.coverage["won"] is None
    assert result.data_through is None
    assert result.warnings[0] == "won is not known: nothing was ever imported for deal"
    assert rows(ask(warehouse, defined(WON), "won")) == []


def test_a_month_to_date_is_whole_as_far_as_it_goes(warehouse, defined):
    """Days 1 to 15 of two months, a year apart; what their formulas look back at is cut the same way."""
    text = WON + "than_before: {formula: 'won / previous(won, 1 month)'}\n"
    days = ["2025-10-10", "2025-10-20", "2025-11-02", "2026-10-03", "2026-10-16", "2026-11-01", "2026-11-15", "2026-11-16"]
    warehouse.add("deal", *map(deal, days), covers=("2025-10-01", "2026-11-21"))
    spans = (period("2025-11-01", "2025-11-16"), period("2026-11-01", "2026-11-16"))
    result = ask(warehouse, defined(text), "won", "than_before", grain="month", spans=spans)
    # 2 November alone beside 10 October alone; 1 and 15 November beside 3 October
    assert rows(result) == [("2025-11-01", 1, 1.0), ("2026-11-01", 2, 2.0)]
    assert states(result, "won") == ["known", "known"]
    late = (period("2026-11-01", "2026-11-23"),)
    assert states(ask(warehouse, defined(text), "won", grain="month", spans=late), "won") == ["partial"]


@pytest.mark.parametrize(
    ("grain", "spans"),
    [
        ("month", [("2026-11-02", "2026-11-16")]),
        ("month", [("2026-11-01", "2026-12-02")]),
        ("week", [("2026-11-01", "2026-11-02")]),
        ("all", [("2026-11-01", "2026-11-02")]),
        ("month", [("2026-11-01", "2026-11-02"), ("2026-11-01", "2026-11-03")]),
    ],
)
def test_spans_that_are_no_first_days_are_refused(duck_warehouse, defined, grain, spans):
    with pytest.raises(QueryError, match=r"^spans are the first days of"):
        ask(duck_warehouse, defined(WON), "won", grain=grain, spans=tuple(period(*span) for span in spans))


def test_since_and_until_cut_periods_which_are_then_partial(warehouse, defined):
    warehouse.add("deal", deal("2026-01-05"), deal("2026-01-20"), deal("2026-02-20"), covers=("2026-01-01", "2026-03-01"))
    result = ask(warehouse, defined(WON), "won", grain="month", since="2026-01-10", until="2026-02-15")
    assert rows(result) == [("2026-01-01", 1), ("2026-02-01", 0)]
    assert states(result, "won") == ["partial", "partial"]
    assert result.warnings == ()


def test_a_formula_covers_what_all_its_leaves_cover_and_its_leaves_are_cut_to_that(warehouse, defined):
    warehouse.add("deal", deal("2026-01-05"), deal("2026-01-25"), covers=("2026-01-01", "2026-02-01"))
    warehouse.add("issue", {"created_at": "2026-01-04T12:00:00"}, covers=("2026-01-01", "2026-01-11"))
    known = defined(WON + "issues: {count: issue, at: created_at}\neach: {formula: won / issues}")
    result = ask(warehouse, known, "won", "issues", "each", grain="month")
    # Until 10 January 1 deal was won and 1 issue created; the deal of the 25th has no issues to be set against.
    assert rows(result) == [("2026-01-01", 2, 1, 1.0)]
    assert [states(result, name) for name in ("won", "issues", "each")] == [["known"], ["partial"], ["partial"]]


# Rule 2: counted systems

SF = ("deal", {"closed_on": "2026-01-10", "is_won": True})
HS = ("deal", {"closed_on": "2026-02-10", "is_won": True}, {"closed_on": "2026-02-20", "is_won": True})


def test_two_systems_over_the_same_days_have_no_value_until_one_is_said_to_count(warehouse, defined):
    warehouse.add(*SF, covers=("2026-01-01", "2026-03-01"), source="salesforce").add(
        *HS, covers=("2026-02-01", "2026-04-01"), source="hubspot"
    )
    result = ask(warehouse, defined(WON), "won", "rate", since="2026-01-01", until="2026-03-01")
    assert rows(result) == [("2026-01-01", None, None)]
    assert states(result, "rate") == ["uncounted"]
    assert result.warnings[0] == (
        "hubspot and salesforce hold rows of deal over the same days, and counting all of them would count things twice: which one counts? "
        "Say so under sources: in metrics.yaml, such as deal: hubspot. Until then won has no value"
    )
    counted = defined(f"sources: {{deal: hubspot}}\nmetrics:\n{_indented(WON)}")
    result = ask(warehouse, counted, "won", grain="month", since="2026-01-01", until="2026-04-01")
    assert rows(result) == [("2026-01-01", None), ("2026-02-01", 2), ("2026-03-01", 0)]


def test_systems_that_follow_each_other_both_count(warehouse, defined):
    warehouse.add(*SF, covers=("2026-01-01", "2026-02-01"), source="salesforce").add(
        *HS, covers=("2026-02-01", "2026-03-01"), source="hubspot"
    )
    result = ask(warehouse, defined(WON), "won", grain="month")
    assert rows(result) == [("2026-01-01", 1), ("2026-02-01", 2)]
    assert states(result, "won") == ["known", "known"]


def test_a_gap_between_systems_is_not_known(warehouse, defined):
    warehouse.add(*SF, covers=("2026-01-01", "2026-01-16"), source="salesforce").add(
        *HS, covers=("2026-03-01", "2026-04-01"), source="hubspot"
    )
    result = ask(warehouse, defined(WON), "won", grain="month")
    assert rows(result) == [("2026-01-01", 1), ("2026-02-01", None), ("2026-03-01", 0)]
    assert states(result, "won") == ["partial", "unknown", "known"]


def test_sources_count_on_their_days_only(warehouse, defined):
    for source in ("quickbooks", "xero"):
        warehouse.add(
            "cost_line",
            *({"amount": amount, "currency": "EUR", "booked_on": day} for amount, day in (("1", "2026-03-31"), ("10", "2026-04-01"))),
            covers=("2026-01-01", "2026-05-01"),
            source=source,
        )
    known = defined("""
        sources:
          cost_line: {quickbooks: {until: 2026-03-31}, xero: {from: 2026-04-01}}
        metrics:
          cost: {sum: amount, of: cost_line, over: [service_from, service_to]}
          booked: {sum: amount, of: cost_line, at: booked_on}
    """)
    result = ask(warehouse, known, "cost", "booked", grain="month", since="2026-03-01")
    # until: is the last day that counts. March: QuickBooks' 1; April: Xero's 10.
    assert rows(result) == [("2026-03-01", "1.00000000", "1.0000"), ("2026-04-01", "10.00000000", "10.0000")]


def test_a_source_that_counts_and_was_never_imported_leaves_the_figure_unknown(warehouse, defined):
    warehouse.add(
        "payment", {"amount": "5", "currency": "EUR", "paid_on": "2026-01-03"}, covers=("2026-01-01", "2026-02-01"), source="stripe"
    )
    known = defined("sources: {payment: [stripe, gocardless]}\nmetrics:\n  collected: {sum: amount, of: payment, at: paid_on}")
    result = ask(warehouse, known, "collected", since="2026-01-01", until="2026-02-01")
    assert states(result, "collected") == ["unknown"]
    assert result.warnings[0] == "collected is not known: gocardless counts for payment by sources:, and was never imported"


# Rules 3 and 4: joins, missing values, groups

SEGMENTS = """
dimensions:
  segment: {label: Segment, of: account, is: case when employees >= 100 then 'Large' when employees >= 0 then 'Small' end}
metrics:
"""


def _indented(text):
    return "\n".join(f"  {line}" for line in text.strip().splitlines())


@pytest.fixture
def grouped(warehouse):
    warehouse.add("account", {"account_id": "a", "employees": 500}, {"account_id": "b", "employees": 5}, {"account_id": "c"})
    warehouse.add(
        "deal",
        deal("2026-01-05", "1", account_id="a"),
        deal("2026-01-06", "20", account_id="b"),
        deal("2026-01-07", "300", account_id="c"),  # an account without a size
        deal("2026-01-08", "4000"),  # no account at all
        deal("2026-02-08", "50000", False, account_id="a"),
        covers=("2026-01-01", "2026-03-01"),
    )
    return warehouse


def test_groups_have_none_as_one_of_their_own_and_add_up(grouped, defined):
    known = defined(SEGMENTS + _indented(WON))
    result = ask(grouped, known, "won", "amount", by=("segment",), grain="month")
    assert rows(result) == [
        ("2026-01-01", "Large", 1, "1.0000"),
        ("2026-01-01", "Small", 1, "20.0000"),
        ("2026-01-01", None, 2, "4300.0000"),
        ("2026-02-01", "Large", 0, "50000.0000"),
        ("2026-02-01", "Small", 0, "0.0000"),
        ("2026-02-01", None, 0, "0.0000"),
    ]


@pytest.mark.parametrize(
    ("where", "amount"),
    [
        ("segment = 'Small'", "20.0000"),
        ("segment <> 'Small'", "54301.0000"),  # everything but 20: what is missing isn't Small
        ("not segment = 'Small'", "54301.0000"),
        ("segment in ('Small', 'Large')", "50021.0000"),
        ("segment not in ('Small', 'Large')", "4300.0000"),
        ("segment is null", "4300.0000"),
        ("segment is not null", "50021.0000"),
        ("not (account.employees > 100)", "4320.0000"),
        ("segment like 'La%'", "50001.0000"),
        ("segment not like 'La%'", "4320.0000"),
        ("deal.closed_on between '2026-01-06' and '2026-01-07'", "320.0000"),
        ("deal.amount >= 20 and (segment = 'Large' or account.employees is null)", "54300.0000"),
    ],
)
def test_filters_and_their_opposites_add_up(grouped, defined, where, amount):
    assert column(ask(grouped, defined(SEGMENTS + _indented(WON)), "amount", where=(where,)), "amount") == [amount]


def test_groups_are_those_of_any_leaf_or_offset(grouped, defined):
    grouped.add("issue", {"created_at": "2026-02-02T00:00:00", "account_id": "b"}, covers=("2026-02-01", "2026-03-01"))
    more = """
        issues: {count: issue, at: created_at}
        before: {formula: 'previous(amount, 1 month)'}
        middle: {median: amount, of: deal, at: closed_on}
    """
    known = defined(SEGMENTS + _indented(WON + textwrap.dedent(more)))
    result = ask(
        grouped, known, "won", "issues", "before", "middle", by=("segment",), grain="month", since="2026-02-01", until="2026-03-01"
    )
    assert rows(result) == [
        ("2026-02-01", "Large", 0, 0, "1.0000", "50000.00000"),
        ("2026-02-01", "Small", 0, 1, "20.0000", None),
        ("2026-02-01", None, 0, 0, "4300.0000", None),
    ]


def test_every_group_stands_in_every_period(grouped, defined):
    known = defined(
        SEGMENTS + _indented("middle: {median: amount, of: deal, at: closed_on}\nbefore: {formula: 'previous(middle, 1 month)'}")
    )
    result = ask(grouped, known, "middle", by=("segment",), where=("segment is not null",), grain="month", until="2026-04-01")
    assert rows(result) == [
        ("2026-01-01", "Large", "1.00000"),
        ("2026-01-01", "Small", "20.00000"),
        ("2026-02-01", "Large", "50000.00000"),
        ("2026-02-01", "Small", None),
        ("2026-03-01", "Large", None),
        ("2026-03-01", "Small", None),
    ]
    assert states(result, "middle") == ["known", "known", "known", "empty", "unknown", "unknown"]


def test_total_is_over_all_groups_with_the_filters_kept(grouped, defined):
    known = defined(
        SEGMENTS
        + _indented("""
amount: {sum: amount, of: deal, at: closed_on}
share: {formula: amount / total(amount)}
customers: {count_distinct: account_id, of: deal, at: closed_on}
all_customers: {formula: total(customers)}
mean: {average: amount, of: deal, at: closed_on}
all_mean: {formula: total(mean)}
""")
    )
    result = ask(grouped, known, "share", "all_customers", "all_mean", by=("segment",), where=("deal.amount < 4000",))
    # 1, 20 and 300 of 321; three customers; a mean of 107
    assert rows(result) == [
        ("2026-01-01", "Large", 0.0031152648, 3, 107.0),
        ("2026-01-01", "Small", 0.0623052960, 3, 107.0),
        ("2026-01-01", None, 0.9345794393, 3, 107.0),
    ]


def test_a_dimension_that_no_key_leads_to_is_refused_with_those_that_can(grouped, defined):
    known = defined(SEGMENTS + _indented(WON + "costs: {sum: amount, of: cost_line, at: booked_on}"))
    with pytest.raises(
        Unreachable, match=r'costs can\'t be split or filtered by "deal.stage": table cost_line has no key that leads there'
    ):
        ask(grouped, known, "costs", by=("deal.stage",))
    with pytest.raises(UnknownName, match='no metric is called "wonn"; did you mean "won"'):
        ask(grouped, known, "wonn")


# Rule 5: as of when


def test_a_dimension_of_an_account_is_what_was_true_then(warehouse, defined):
    warehouse.add("account", {"account_id": "a", "region": "EMEA"})
    warehouse.add(
        "account_version",
        {"account_id": "a", "valid_from": "0001-01-01", "valid_to": "2026-01-11", "region": "APAC"},
        {"account_id": "a", "valid_from": "2026-01-11", "region": "EMEA"},
    )
    warehouse.add(
        "deal", deal("2026-01-10", "1", account_id="a"), deal("2026-01-11", "20", account_id="a"), covers=("2026-01-01", "2026-02-01")
    )
    warehouse.add(
        "invoice_line",
        {"amount": "0.0001", "currency": "EUR", "account_id": "a", "service_from": "2026-01-09", "service_to": "2026-01-16"},
        covers=("2026-01-01", "2026-02-01"),
    )
    warehouse.add(
        "subscription_term",
        {"monthly_amount": "7", "currency": "EUR", "account_id": "a", "started_on": "2026-01-02"},
        covers=("2026-01-01", "2026-02-01"),
    )
    known = defined("""
        dimensions:
          region: {label: Region, of: account, is: region}
          region_now: {label: Region now, of: account, is: region, as_of: now}
        metrics:
          amount: {sum: amount, of: deal, at: closed_on}
          revenue: {sum: amount, of: invoice_line, over: [service_from, service_to]}
          mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}
    """)
    # 10,000 units over 7 days: 1,429 on the first four days (9 to 12 January), 1,428 on the last three.
    # APAC holds the first two, EMEA 2 × 1,429 + 3 × 1,428. The stock on 31 January is EMEA's.
    assert rows(ask(warehouse, known, "amount", "revenue", "mrr", by=("region",))) == [
        ("2026-01-01", "APAC", "1.0000", "0.00002858", "0.0000"),
        ("2026-01-01", "EMEA", "20.0000", "0.00007142", "7.0000"),
    ]
    assert rows(ask(warehouse, known, "amount", "revenue", "mrr", by=("region_now",))) == [
        ("2026-01-01", "EMEA", "21.0000", "0.00010000", "7.0000")
    ]
    early = ask(warehouse, known, "mrr", "revenue", by=("region",), until="2026-01-10")
    assert rows(early) == [("2026-01-01", "APAC", "7.0000", "0.00001429")]


def test_a_stock_without_a_beginning_counts_in_no_segment(warehouse, defined):
    """Nobody knows since when: neither a new version of its account nor a source that counts from a day begins it."""
    warehouse.add("account", {"account_id": "a", "region": "EMEA"})
    warehouse.add(
        "account_version",
        {"account_id": "a", "valid_from": "0001-01-01", "valid_to": "2026-01-11", "region": "APAC"},
        {"account_id": "a", "valid_from": "2026-01-11", "region": "EMEA"},
    )
    term = {"account_id": "a", "currency": "EUR"}
    warehouse.add("subscription_term", {**term, "monthly_amount": "7", "started_on": "2025-12-20"}, {**term, "monthly_amount": "90"})
    warehouse.cover("subscription_term", "2025-12-01", "2026-03-01")
    text = """
        sources: {subscription_term: {test: {from: 2025-12-15}}}
        dimensions: {region: {label: Region, of: account, is: region}}
        metrics:
          mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}
          terms: {count: subscription_term, during: [started_on, ended_on]}
          middle: {median: monthly_amount, of: subscription_term, during: [started_on, ended_on]}
          new: {movement: new, of: mrr}
          expansion: {movement: expansion, of: mrr}
          kept: {retention: mrr, after: 1 month}
    """
    for known in (defined(text), defined(text.replace("sources: {subscription_term: {test: {from: 2025-12-15}}}", "currency: EUR"))):
        found = ask(warehouse, known, "mrr", "terms", "middle", "new", "expansion", "kept", grain="month", since="2026-01-01")
        assert rows(found) == [
            ("2026-01-01", "7.0000", 1, "7.00000", "0.0000", "0.0000", 1.0),
            ("2026-02-01", "7.0000", 1, "7.00000", "0.0000", "0.0000", 1.0),
        ]
        found = ask(warehouse, known, "mrr", "terms", "middle", "new", "expansion", by=("region",), grain="month", since="2026-01-01")
        assert rows(found) == [
            ("2026-01-01", "APAC", "0.0000", 0, None, "0.0000", "0.0000"),  # its 7 moved to EMEA: a transfer
            ("2026-01-01", "EMEA", "7.0000", 1, "7.00000", "0.0000", "0.0000"),
            ("2026-02-01", "APAC", "0.0000", 0, None, "0.0000", "0.0000"),
            ("2026-02-01", "EMEA", "7.0000", 1, "7.00000", "0.0000", "0.0000"),
        ]


# Division


def test_division_by_zero_is_no_value(warehouse, defined):
    warehouse.add("deal", deal("2026-01-05", "5"), covers=("2026-01-01", "2026-02-01"))
    known = defined(WON + "odd: {formula: won / lost}\nsafe: {formula: 'coalesce(won / lost, 0) + won'}")
    result = ask(warehouse, known, "odd", "safe")
    assert rows(result) == [("2026-01-01", None, 1.0)]
    assert states(result, "odd") == ["empty"]


def test_fewer_than_needed_is_too_few_and_the_value_stays(warehouse, defined):
    warehouse.add("deal", deal("2026-01-05"), deal("2026-01-06"), deal("2026-02-06", won=False), covers=("2026-01-01", "2026-03-01"))
    known = defined(WON.replace("unit: percent}", "unit: percent, needs: {at_least: 2, of: won + lost}}"))
    result = ask(warehouse, known, "rate", grain="month")
    assert rows(result) == [("2026-01-01", 1.0), ("2026-02-01", 0.0)]
    assert states(result, "rate") == ["known", "too few"]


def test_queries_that_make_no_sense_are_refused(warehouse, defined):
    warehouse.add("deal", deal("2026-01-05"), covers=("2026-01-01", "2026-03-01"))
    with pytest.raises(UsageError, match="there is no day from 2026-02-01 to before 2026-01-01"):
        ask(warehouse, defined(WON), "won", since="2026-02-01", until="2026-01-01")
    with pytest.raises(QueryError, match="days are too many for one answer"):
        ask(warehouse, defined(WON), "won", since="0001-01-01", until="2026-01-01", grain="day")


def test_days_outside_the_data_alone_say_so(warehouse, defined):
    """Without a grain there is no period to mark: the reason is all there is."""
    warehouse.add("deal", {"closed_on": "2026-01-05", "is_won": True}, covers=("2026-01-01", "2026-02-01"))
    result = ask(warehouse, defined("won: {count: deal, at: closed_on, where: is_won}"), "won", until="2020-01-01")
    assert result.table.num_rows == 0
    assert result.warnings == ("won is not known: its data are from 1 Jan 2026 to 31 Jan 2026, and none of these days was asked for",)
