import datetime as dt
from decimal import Decimal

from kpi.dashboard.breakdown import break_down, headline, pairs
from kpi.metrics.model import Query

from .made import metric, result

WEEK = dt.date(2026, 11, 9)
YEAR_AGO = dt.date(2025, 11, 10)  # 364 days before
SPACE = "\u00a0"


def of(values, weights=None, dimension="product", weeks=(YEAR_AGO, WEEK), unit="percent", better="up"):
    """Margins by group: group -> (a year ago, now)."""
    query = Query(("margin", "revenue") if weights else ("margin",), by=(dimension,), grain="week")

    def value(name, place, group):
        return values[group[0]][place] if name == "margin" else weights[group[0]]

    made = result(query, list(weeks), [(group,) for group in values], value)
    return break_down(made, metric("margin", unit, better), "revenue" if weights else None, WEEK)


def test_the_title_names_the_group_whose_change_costs_most():
    # Comet fell further, but ten points of 1,000 are 100 and five of 100,000 are 5,000
    margins = {"Atlas": (0.60, 0.55), "Comet": (0.60, 0.50), "Beacon": (0.60, 0.65)}
    breakdown = of(margins, {"Atlas": Decimal(100_000), "Comet": Decimal(1_000), "Beacon": Decimal(50_000)})
    assert breakdown.title() == f"Atlas fell most since last year: −5.0{SPACE}points, to 55.0{SPACE}%"


def test_without_money_behind_it_the_largest_fall_is_named():
    assert of({"Atlas": (0.60, 0.55), "Comet": (0.60, 0.50)}).title().startswith("Comet fell most")


def test_a_cost_that_rises_is_worse():
    breakdown = of({"Atlas": (100, 150), "Comet": (100, 90)}, unit="money", better="down")
    assert breakdown.title() == f"Atlas rose most since last year: +50.0{SPACE}%, to €{SPACE}150"


def test_when_nothing_got_worse_it_says_so():
    assert of({"Atlas": (0.50, 0.55)}).title() == "No group got worse since last year"


def test_without_last_year_it_compares_with_twelve_weeks_ago():
    breakdown = of({"Atlas": (0.60, 0.55)}, weeks=(WEEK - dt.timedelta(weeks=12), WEEK))
    assert breakdown.title() == f"Atlas fell most since 12 weeks ago: −5.0{SPACE}points, to 55.0{SPACE}%"


def test_with_nothing_earlier_it_compares_nothing():
    breakdown = of({"Atlas": (0.60,)}, weeks=(WEEK,))
    assert breakdown.earlier == ""
    assert breakdown.rows[0].change is None
    assert breakdown.title() == "Margin, with nothing earlier to compare it with"


def test_rows_without_a_group_come_last_and_are_shown():
    breakdown = of({None: (0.5, 0.4), "Beacon": (0.6, 0.6), "Atlas": (0.6, 0.6)})
    assert [row.name for row in breakdown.rows] == ["Atlas", "Beacon", "(none)"]


def test_the_headline_names_the_worst_of_each():
    products, segments = of({"Atlas": (0.6, 0.5)}), of({"Enterprise": (0.6, 0.5), "SMB": (0.6, 0.6)}, dimension="segment")
    assert headline([products, segments]) == "Atlas and Enterprise fell most since last year"


def test_the_headline_of_good_news_names_nobody():
    assert headline([of({"Atlas": (0.5, 0.6)})]) == "Margin by group"


def test_pairs_are_laid_out_in_rows_and_columns():
    query = Query(("margin",), by=("product", "segment"), grain="week")
    groups = [("Atlas", "SMB"), ("Atlas", None), ("Beacon", "SMB")]
    made = result(query, [YEAR_AGO, WEEK], groups, lambda name, place, group: 0.6 - 0.1 * place * (group == ("Atlas", None)))
    breakdown = break_down(made, metric("margin", "percent", "up"), None, WEEK)
    products, segments, cells = pairs(breakdown)
    assert (products, segments) == (["Atlas", "Beacon"], ["SMB", None])
    assert cells["Atlas", None] is breakdown.worst
    assert breakdown.worst.name == "Atlas in (none)"
    assert ("Beacon", None) not in cells
