"""Time to an event: curves worked out by hand, states, and an estimator written apart in Python."""

from __future__ import annotations

import datetime as dt
import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.metrics import definitions
from kpi.metrics.curves import curve
from kpi.settings import Settings
from tests.metrics.hand_made import Warehouse, ask, column, rows, states

pytestmark = pytest.mark.postgres_later

#: Deals wait for the first issue of theirs that is resolved, or are lost.
TEXT = """
dimensions:
  region: {of: deal, is: lead_source}
metrics:
  opened: {count: deal, at: created_on}
  solved: {count: issue, at: resolved_at}
  dropped: {count: deal, at: closed_on, where: is_lost}
  days_until: {time_to: {each: deal, from: opened, until: solved, lost: dropped}}
  quarter_of_them: {time_to: {each: deal, from: opened, until: solved, lost: dropped}, show: quartile25}
  by_day_10: {time_to: {each: deal, from: opened, until: solved, lost: dropped}, show: {share_by: 10 days}}
  by_day_90: {time_to: {each: deal, from: opened, until: solved, lost: dropped}, show: {share_by: 90 days}}
  started: {time_to: {each: deal, from: opened, until: solved, lost: dropped}, show: started}
  reached: {time_to: {each: deal, from: opened, until: solved, lost: dropped}, show: reached}
  lost: {time_to: {each: deal, from: opened, until: solved, lost: dropped}, show: lost}
  waiting: {time_to: {each: deal, from: opened, until: solved, lost: dropped}, show: waiting}
  at_day_10: {time_to: {each: deal, from: opened, until: solved, lost: dropped}, show: {at_risk: 10 days}}
  plain: {time_to: {each: deal, from: opened, until: solved}}
  plain_low: {time_to: {each: deal, from: opened, until: solved}, bound: lower}
  plain_high: {time_to: {each: deal, from: opened, until: solved}, bound: upper}
  plain_by: {time_to: {each: deal, from: opened, until: solved}, show: {share_by: 10 days}}
  plain_by_low: {time_to: {each: deal, from: opened, until: solved}, show: {share_by: 10 days}, bound: lower}
  plain_by_high: {time_to: {each: deal, from: opened, until: solved}, show: {share_by: 10 days}, bound: upper}
  days_before: {formula: "previous(days_until, 1 month)"}
  days_overall: {formula: "total(days_until)"}
  days_of_web: {formula: "only(days_until, region = 'Web')"}
"""
COUNTS = ("started", "reached", "lost", "waiting", "at_day_10")


def deal(name: str, created: str, lost: str | None = None, source: str | None = None) -> dict[str, Any]:
    return {"deal_id": name, "created_on": created, "closed_on": lost, "is_lost": lost is not None, "lead_source": source}


def issue(name: str, resolved: str) -> dict[str, Any]:
    return {"deal_id": name, "created_at": "2024-01-01T00:00", "resolved_at": f"{resolved}T12:00"}


def desk(warehouse: Warehouse, deals: list[dict[str, Any]], issues: list[dict[str, Any]], covers=("2024-01-01", "2026-03-01")) -> Warehouse:
    return warehouse.add("deal", *deals, covers=covers).add("issue", *issues, covers=covers)


def six(warehouse: Warehouse) -> Warehouse:
    """Known through 28 February 2026.

    deal  opened  ended            t   how
    a     1 Feb   3 Feb solved     2   reached (and once more on the 9th, which changes nothing)
    b     1 Feb   5 Feb lost       4   lost (solved on the 20th: too late)
    c     1 Feb   7 Feb solved     6   reached
    d    20 Feb   –                8   waiting
    e     1 Feb  11 Feb solved    10   reached
    f     1 Feb   –               27   waiting
    """
    opened = {name: "2026-02-20" if name == "d" else "2026-02-01" for name in "abcdef"}
    return desk(
        warehouse,
        [deal(name, day, "2026-02-05" if name == "b" else None) for name, day in opened.items()],
        [issue("a", "2026-02-03"), issue("a", "2026-02-09"), issue("b", "2026-02-20"), issue("c", "2026-02-07"), issue("e", "2026-02-11")],
    )


def test_a_table_by_hand(warehouse, defined):
    """t=2: n 6, S− 1, F 1/6 = 0.1667. t=4: n 5, lost, S 5/6·4/5 = 2/3. t=6: n 4, F + 2/3·1/4 = 1/3, S 1/2. t=8: waiting.
    t=10: n 2, F + 1/2·1/2 = 7/12 = 0.5833: the half. t=27: waiting. The first quarter of them is there on day 6."""
    result = ask(six(warehouse), defined(TEXT), "days_until", "quarter_of_them", "by_day_10", "by_day_90", *COUNTS)
    assert rows(result) == [("2024-01-01", 10, 6, round(7 / 12, 10), None, 6, 3, 1, 2, 2)]
    assert states(result, "days_until") == ["known"]


def test_the_half_that_is_never_there_is_not_reached_and_says_how_far_it_came(warehouse, defined):
    """a reached it, b and c were lost, d waits: F = 1/4 and never more than 1/4 + 1/4."""
    desk(
        warehouse,
        [deal("a", "2026-02-01"), deal("b", "2026-02-01", "2026-02-05"), deal("c", "2026-02-01", "2026-02-06"), deal("d", "2026-02-01")],
        [issue("a", "2026-02-03")],
    )
    result = ask(warehouse, defined(TEXT), "days_until", "by_day_90")
    assert rows(result) == [("2024-01-01", None, None)]
    assert (states(result, "days_until"), states(result, "by_day_90")) == (["not reached"], ["empty"])
    whom = "of 4 deals that started in the 24 months before"
    assert (
        result.reason("days_until", "not reached")
        == f"days_until is not reached: {whom}, an estimated 25.0 % had reached it by 28 Feb 2026"
    )
    said = f"by_day_90 is not known: {whom}, none was followed for 90 days by 28 Feb 2026, and an estimated 25.0 % had reached it"
    assert result.reason("by_day_90", "empty") == said


def test_each_period_knows_what_had_happened_by_its_end(warehouse, defined):
    """One deal, opened on 20 January, lost on 5 March, solved on 10 March: waiting, waiting, lost. One of 25 January is
    solved on 1 February."""
    desk(
        warehouse,
        [deal("a", "2026-01-20", "2026-03-05"), deal("b", "2026-01-25")],
        [issue("a", "2026-03-10"), issue("b", "2026-02-01")],
        covers=("2023-01-01", "2026-04-01"),
    )
    result = ask(warehouse, defined(TEXT), "days_until", "days_before", *COUNTS[:4], grain="month", since="2025-12-01")
    assert rows(result) == [
        ("2025-12-01", None, None, 0, 0, 0, 0),
        ("2026-01-01", None, None, 2, 0, 0, 2),
        ("2026-02-01", 7, None, 2, 1, 0, 1),  # 1 of 2 on day 7
        ("2026-03-01", 7, 7, 2, 1, 1, 0),
    ]
    assert states(result, "days_until") == ["empty", "not reached", "known", "known"]
    assert states(result, "days_before") == ["empty", "empty", "not reached", "known"]


def test_starts_of_24_months_and_none_from_before_the_data(warehouse, defined):
    """As of 28 February 2026: from 1 March 2024 on, and of those who have had an earlier start nobody."""
    deals = [deal("old", "2024-02-29"), deal("first", "2024-03-01"), deal("last", "2026-02-28"), deal("late", "2026-03-01")]
    desk(warehouse, deals, [], covers=("2024-01-01", "2026-04-01"))
    known = defined(TEXT)
    assert column(ask(warehouse, known, "started", until="2026-03-01"), "started") == [2]
    # The cohort of November 2025 began in December 2023, before the data do: it is there in part.
    months = ask(warehouse, known, "started", grain="month", since="2025-11-01", until="2026-01-01")
    assert (column(months, "started"), states(months, "started")) == ([2, 2], ["partial", "known"])
    again = defined(TEXT.replace("each: deal", "each: account"))
    with warehouse.reader() as reader:
        assert column(ask(reader, again, "started", until="2026-03-01"), "started") == [0]  # of nobody


def test_an_account_starts_once_and_what_was_there_before_the_data_is_out(warehouse, defined):
    text = TEXT.replace("each: deal", "each: account")
    deals = [deal("d1", "2025-12-20"), deal("d2", "2026-01-10"), deal("d3", "2026-01-10"), deal("d4", "2026-02-01")]
    for row, whose in zip(deals, "aabb", strict=True):
        row["account_id"] = whose
    desk(warehouse, deals, [], covers=("2026-01-01", "2026-03-01"))
    assert column(ask(warehouse, defined(text), "started"), "started") == [1]  # b, on 10 January; a was there


def test_groups_filters_and_totals_are_those_of_the_start(warehouse, defined):
    desk(
        warehouse,
        [deal("a", "2026-02-01", source="Web"), deal("b", "2026-02-01", source="Web"), deal("c", "2026-02-01", source="Fair")],
        [issue("a", "2026-02-03"), issue("b", "2026-02-05"), issue("c", "2026-02-21")],
    )
    known = defined(TEXT)
    by = ask(warehouse, known, "days_until", "days_overall", "started", by=("region",))
    assert rows(by) == [("2024-01-01", "Fair", 20, 4, 1), ("2024-01-01", "Web", 2, 4, 2)]
    assert rows(ask(warehouse, known, "days_until", "days_of_web", where=("region = 'Fair'",))) == [("2024-01-01", 20, None)]
    assert column(ask(warehouse, known, "days_of_web"), "days_of_web") == [2]


def test_bounds_are_greenwoods_on_the_scale_of_log_minus_log(warehouse, defined):
    """Five deals, solved after 2, 4, 6 and 10 days, one waiting: after 10 days S = 1/5.
    Greenwood: 1/(5·4) + 1/(4·3) + 1/(3·2) + 1/(2·1) = 0.8. s = √0.8 / |ln 0.2| = 0.555739.
    S^exp(±1.96 s) = 0.2^exp(±1.089228): lower share 1 − 0.2^0.336476 = 0.418147, upper 1 − 0.2^2.971979 = 0.991631."""
    opened = [deal(name, "2026-02-01") for name in "abcde"]
    solved = [issue(name, f"2026-02-{day:02}") for name, day in zip("abcd", (3, 5, 7, 11), strict=True)]
    desk(warehouse, opened, solved)
    result = ask(warehouse, defined(TEXT), "plain", "plain_by", "plain_by_low", "plain_by_high", "plain_low", "plain_high")
    (found,) = rows(result)
    assert found[1:3] == (6, 0.8)
    assert found[3:5] == pytest.approx((0.418147, 0.991631), abs=1e-6)
    assert found[5:] == (2, None)
    assert states(result, "plain_high") == ["not reached"]


def estimated(ends: list[tuple[int, str]]) -> list[tuple[int, Fraction, float | None, float | None]]:
    """Days with the share that reached it (Aalen and Johansen, in fractions) and its bounds, straight from the formulas.

    Var F = Σ (F − Fj)²·d/(n(n−d)) + Σ S²·r(n−r)/n³ − 2 Σ (F − Fj)·S·r/n², for each day anew.
    """
    stays, share, seen, found = Fraction(1), Fraction(0), [], []
    for t in sorted({t for t, _ in ends}):
        n = sum(1 for end, _ in ends if end >= t)
        r, d = (sum(1 for end, how in ends if end == t and how in kinds) for kinds in (("reached",), ("reached", "lost")))
        share += stays * Fraction(r, n)
        seen.append((n, r, d, stays, share))
        stays *= 1 - Fraction(d, n)
        variance = Fraction(0)
        for n, r, d, before, then in seen:
            variance += (share - then) ** 2 * Fraction(d, n * (n - d)) if n > d else 0
            variance += before**2 * Fraction(r * (n - r), n**3) - 2 * (share - then) * before * Fraction(r, n**2)
        lower = upper = None
        if 0 < share < 1:
            spread = 1.959963984540054 * math.sqrt(max(variance, 0)) / ((1 - share) * abs(math.log(1 - share)))
            lower, upper = (float(1 - float(1 - share) ** math.exp(sign * spread)) for sign in (-1, 1))
        found.append((t, share, lower, upper))
    return found


lives_of = st.lists(st.tuples(st.integers(0, 45), st.none() | st.integers(0, 30), st.none() | st.integers(0, 30)), min_size=1, max_size=14)


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(lives_of, st.integers(5, 60))
def test_an_estimator_in_fractions_finds_the_same(tmp_path_factory, lives, after):
    """As of a day, of random deals that open, are solved and are lost; and counts add up."""
    path = tmp_path_factory.mktemp("d") / "metrics.yaml"
    more = "".join(
        f"  {name}: {{time_to: {{each: deal, from: opened, until: solved, lost: dropped}}, show: {show}{bound}}}\n"
        for name, show, bound in [
            ("q3", "quartile75", ""),
            ("low", "{share_by: 10 days}", ", bound: lower"),
            ("high", "{share_by: 10 days}", ", bound: upper"),
            ("q1_low", "quartile25", ", bound: lower"),
        ]
    )
    path.write_text("north_star: days_until\ncurrency: EUR\n" + TEXT + more, encoding="utf-8")
    known = definitions.load(path)
    first, warehouse = dt.date(2026, 1, 1), Warehouse(Settings())
    deals, issues, ends = [], [], []
    for place, (start, solved, lost) in enumerate(lives):
        opened = first + dt.timedelta(days=start)
        gone = None if lost is None else str(opened + dt.timedelta(days=lost))
        deals.append(deal(f"d{place}", str(opened), gone))
        issues += [] if solved is None else [issue(f"d{place}", str(opened + dt.timedelta(days=solved)))]
        if start < after:
            followed = after - 1 - start
            happened = [(day, how) for day, how in ((solved, "reached"), (lost, "lost")) if day is not None and day <= followed]
            ends.append(min(happened, key=lambda one: one[0]) if happened else (followed, "waiting"))  # on one day it has reached
    desk(warehouse, deals, issues, covers=("2023-01-01", "2026-06-01"))
    until = first + dt.timedelta(days=after)
    result = ask(warehouse, known, "days_until", "quarter_of_them", "q3", "by_day_10", "low", "high", "q1_low", *COUNTS, until=str(until))
    found = dict(zip(result.query.metrics, rows(result)[0][1:], strict=True))
    steps = estimated(ends)

    def at(share: Fraction, column: int = 1) -> int | None:
        return next((step[0] for step in steps if step[column] is not None and step[column] >= share), None)

    assert (found["days_until"], found["quarter_of_them"], found["q3"]) == (at(Fraction(1, 2)), at(Fraction(1, 4)), at(Fraction(3, 4)))
    assert found["q1_low"] == at(Fraction(1, 4), 3)
    last = [step for step in steps if step[0] <= 10]
    told = bool(steps) and (steps[-1][0] >= 10 or all(how != "waiting" for end, how in ends if end == steps[-1][0]))
    assert found["by_day_10"] == (pytest.approx(float(last[-1][1]) if last else 0.0) if told else None)
    for name, column_ in (("low", 2), ("high", 3)):
        expected = max((step[column_] for step in last if step[column_] is not None), default=None) if told else None
        assert found[name] == (None if expected is None else pytest.approx(expected, abs=1e-7))
    hows = [how for _, how in ends]
    counts = (len(ends), *(hows.count(how) for how in ("reached", "lost", "waiting")), sum(end >= 10 for end, _ in ends))
    assert tuple(found[name] for name in COUNTS) == counts
    curve_ = curve("days_until", until - dt.timedelta(days=1), known, warehouse.reader())
    assert curve_ is not None
    assert (curve_.started, curve_.reached, curve_.lost, curve_.waiting, curve_.at_risk(10)) == counts
    assert [(step.days, pytest.approx(step.share)) for step in curve_.steps] == [(t, float(share)) for t, share, _, _ in steps]
    warehouse.close()
