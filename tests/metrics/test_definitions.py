from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from kpi.errors import DefinitionsError
from kpi.metrics import definitions, graph
from kpi.metrics.model import At, Call, CountedSpan, Definitions, During, Formula, Leaf, Over, ProductRule
from kpi.periods import Calendar

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))
BAD_FORTY = Path(__file__).parent / "bad" / "forty_mistakes.yaml"
SYSTEMS = ("salesforce", "hubspot", "stripe", "quickbooks", "xero", "gocardless", "jira")
SHIPPED = Path(__file__).parents[2] / "metrics.yaml"

SOUND = """\
north_star: win_rate
drivers: [won]
calendar: {week_starts: sunday, year_starts: april, timezone: Europe/Berlin, pattern: 4-4-5}
currency: EUR
sources:
  deal: salesforce
  payment: [stripe, gocardless]
  cost_line: {quickbooks: {until: 2026-03-31}, xero: {from: 2026-04-01}}
products:
  Atlas: {stripe: [price_atlas_*], quickbooks: {class: Atlas}, jira: {project: [ATL, AT2]}}
  Beacon:
costs: {hosting: ['5100*', 'Cloud*'], support: 5200}
dimensions:
  segment: {of: account, is: case when employees >= 1000 then 'Enterprise' else 'SMB' end}
  country: {label: Land, of: account, is: country, as_of: now}
metrics:
  win_rate:
    formula: won / (won + lost)
    unit: percent
    better: up
    target: {2026: 62%, 2026-11-02: 65.5%}
    needs: {at_least: 20, of: won + lost}
  won: {count: deal, at: closed_on, where: is_won}
  lost: {count: deal, at: closed_on, where: is_lost}
  bookings: {label: Booked, means: What was won., owner: sales, sum: amount, of: deal, at: closed_on, where: is_won, target: {2026: 2.85 M}}
  revenue: {sum: amount, of: invoice_line, over: [service_from, service_to], where: kind <> 'tax'}
  mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}
  cycle: {percentile: 'days(created_at, resolved_at)', at_percent: 90, of: issue, at: resolved_at}
"""


def load(tmp_path: Path, text: str = SOUND) -> Definitions:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    return definitions.load(path)


def leaf(loaded: Definitions, name: str) -> Leaf:
    metric = loaded.metrics[name]
    assert isinstance(metric, Leaf)
    return metric


def name_of(node: object) -> str | None:
    return getattr(node, "name", None)


@pytest.mark.parametrize("path", BAD, ids=[path.stem for path in BAD])
def test_each_mistake_has_its_whole_message(path: Path) -> None:
    """The last lines of each file, after ``#>``, are what ``check`` says about it."""
    expected = [line.removeprefix("#> ") for line in path.read_text().splitlines() if line.startswith("#> ")]
    assert expected, "a bad file says what is bad about it"
    found = [str(problem).replace(str(path), path.name) for problem in definitions.check(path, systems=SYSTEMS)]
    assert found == expected


def test_any_system_is_taken_where_nobody_says_which_there_are() -> None:
    """A page goes on when a source is no longer configured: its figures say that it was never imported."""
    path = next(path for path in BAD if path.stem == "source_unknown")
    assert definitions.check(path) == []


def test_there_are_bad_files() -> None:
    assert len(BAD) > 100


def test_sections(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert (loaded.north_star, loaded.drivers, loaded.currency) == ("win_rate", ("won",), "EUR")
    assert loaded.calendar == Calendar(week_starts=6, year_starts=4, timezone="Europe/Berlin", pattern=(4, 4, 5))
    assert loaded.costs == {"hosting": ("5100*", "Cloud*"), "support": ("5200",)}
    assert loaded.products == {
        "Atlas": {
            "stripe": (ProductRule("", "price_atlas_*"),),
            "quickbooks": (ProductRule("class", "Atlas"),),
            "jira": (ProductRule("project", "ATL"), ProductRule("project", "AT2")),
        },
        "Beacon": {},
    }


def test_until_is_the_last_day_that_counts(tmp_path: Path) -> None:
    assert load(tmp_path).sources == {
        "deal": (CountedSpan("salesforce", None, None),),
        "payment": (CountedSpan("stripe", None, None), CountedSpan("gocardless", None, None)),
        # both bounds meet: 31 March is QuickBooks', 1 April is Xero's
        "cost_line": (CountedSpan("quickbooks", None, dt.date(2026, 4, 1)), CountedSpan("xero", dt.date(2026, 4, 1), None)),
    }


def test_defaults_of_a_metric(tmp_path: Path) -> None:
    won = leaf(load(tmp_path), "won")
    assert (won.label, won.means, won.owner, won.unit, won.better, won.targets, won.needs) == ("Won", "", "", "number", None, (), None)
    assert (won.table, won.value, won.percent, won.money, won.where.line) == ("deal", None, None, None, 23)
    assert isinstance(won.time, At)
    assert dict(won.text) == {"count": "deal", "at": "closed_on", "where": "is_won"}


def test_units_come_from_the_definition(tmp_path: Path) -> None:
    assert {name: metric.unit for name, metric in load(tmp_path).metrics.items()} == {
        "win_rate": "percent",
        "won": "number",
        "lost": "number",
        "bookings": "money",
        "revenue": "money",
        "mrr": "money",
        "cycle": "days",
    }


def test_targets_are_exact(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    year, day = loaded.metrics["win_rate"].targets
    # fiscal 2026 of a 4-4-5 year that begins on the Sunday nearest to 1 April 2025
    assert (year.start, year.end, year.value, year.period) == (dt.date(2025, 3, 30), dt.date(2026, 3, 29), Decimal("0.62"), "2026")
    assert (day.start, day.end, day.value) == (dt.date(2026, 11, 2), dt.date(2026, 11, 3), Decimal("0.655"))
    assert loaded.metrics["bookings"].targets[0].value == Decimal("2850000")


def test_money_finds_its_currency_and_twin(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    bookings, revenue, mrr = (leaf(loaded, name).money for name in ("bookings", "revenue", "mrr"))
    assert bookings is not None
    assert revenue is not None
    assert mrr is not None
    assert (bookings.currency.name, name_of(bookings.document), name_of(bookings.home_value)) == (
        "currency",
        "closed_on",
        "home_amount",
    )
    assert bookings.home_currency is not None
    assert (bookings.home_currency.table, bookings.home_currency.name) == ("deal", "home_currency")
    assert (name_of(revenue.document), name_of(revenue.home_value)) == ("invoiced_on", "home_amount")
    assert (name_of(mrr.document), name_of(mrr.home_value)) == ("started_on", "home_monthly_amount")


def test_times(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    flow, stock = leaf(loaded, "revenue").time, leaf(loaded, "mrr").time
    assert isinstance(flow, Over)
    assert isinstance(stock, During)
    assert flow.document is not None
    assert (name_of(flow.start), name_of(flow.end), flow.document.name) == ("service_from", "service_to", "invoiced_on")
    assert (name_of(stock.start), name_of(stock.end)) == ("started_on", "ended_on")


def test_a_time_may_be_an_expression(tmp_path: Path) -> None:
    loaded = load(tmp_path, SOUND.replace("during: [started_on,", "during: ['coalesce(trial_ends_on, started_on)',"))
    stock = leaf(loaded, "mrr").time
    assert isinstance(stock, During)
    assert isinstance(stock.start, Call)
    assert (stock.start.function, stock.start.type) == ("coalesce", "day")


def test_formulas_and_needs(tmp_path: Path) -> None:
    rate = load(tmp_path).metrics["win_rate"]
    assert isinstance(rate, Formula)
    assert isinstance(rate.formula, Call)
    assert rate.needs is not None
    assert (rate.needs.at_least, getattr(rate.needs.of, "function", None)) == (Decimal(20), "+")


def test_dimensions(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert (loaded.dimensions["segment"].label, loaded.dimensions["segment"].as_of) == ("Segment", "then")
    country = loaded.dimensions["country"]
    assert (country.label, country.table, country.as_of, getattr(country.expression, "now", None)) == ("Land", "account", "now", True)


def test_drivers_default_to_what_the_north_star_is_made_of(tmp_path: Path) -> None:
    loaded = load(tmp_path, SOUND.replace("drivers: [won]\n", ""))
    assert loaded.drivers == ("won", "lost", "bookings", "revenue", "mrr", "cycle")


def test_forty_mistakes_are_forty_problems(tmp_path: Path) -> None:
    wrong = [
        "lable: x",
        "unit: euro",
        "better: higher",
        "target: lots",
        "where: amuont > 1",
        "owner: [a]",
        "needs: {at_least: 5}",
        "means: ",
    ]
    lines = ["north_star: m0", "currency: EUR", "metrics:"]
    for number in range(5):
        lines += [f"  m{number}:", "    count: deal", "    at: closed_on", *(f"    {line}" for line in wrong)]
    path = tmp_path / "m.yaml"
    path.write_text("\n".join(lines))
    problems = definitions.check(path)
    assert len(problems) == 40
    # metrics m0 begins in line 4, and each has 11 lines
    assert [problem.line for problem in problems] == [4 + 11 * metric + line for metric in range(5) for line in range(3, 11)]


def test_what_uses_a_wrong_metric_stays_silent(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(SOUND.replace("{count: deal, at: closed_on, where: is_won}", "{count: dael, at: closed_on}"))
    assert [str(problem) for problem in definitions.check(path)] == [
        f'{path}:23 metrics.won.count: no table is called "dael"; did you mean "deal"?',
    ]


def test_load_raises_all_problems_with_the_sentences(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(SOUND.replace("won + lost)", "won + lots)").replace("week_starts: sunday", "week_start: sunday"))
    with pytest.raises(DefinitionsError) as raised:
        definitions.load(path)
    assert str(raised.value) == (
        f'{path}:3 calendar.week_start: calendar has no key "week_start"; did you mean "week_starts"?\n'
        f'{path}:18 metrics.win_rate.formula: no metric is called "lots"; did you mean "lost"?'
    )


def test_an_unused_dimension_is_found_by_check_and_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "north_star: n\ncurrency: EUR\ndimensions: {plan: {of: subscription_term, is: plan}}\nmetrics: {n: {count: deal, at: closed_on}}\n"
    )
    assert [problem.key for problem in definitions.check(path)] == ["dimensions.plan"]
    assert definitions.load(path).north_star == "n"


def test_hashes_follow_the_meaning(tmp_path: Path) -> None:
    first = load(tmp_path)
    commented = load(tmp_path, "# a comment\n" + SOUND)
    renamed = load(tmp_path, SOUND.replace("Booked", "Bookings"))
    recosted = load(tmp_path, SOUND.replace("'Cloud*'", "'Clouds*'"))
    elsewhere = load(tmp_path, SOUND.replace("Europe/Berlin", "Europe/Paris"))
    assert first == commented
    assert hash(first) == hash(commented)
    assert first.hash != renamed.hash
    assert first.mappings_hash == commented.mappings_hash == renamed.mappings_hash
    assert len({first.mappings_hash, recosted.mappings_hash, elsewhere.mappings_hash}) == 3


def test_nothing_in_it_can_be_changed(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    with pytest.raises(TypeError):
        loaded.metrics["won"] = loaded.metrics["lost"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        loaded.currency = "USD"  # type: ignore[misc]


def test_the_shipped_file_is_sound_and_holds_the_catalogue() -> None:
    assert definitions.check(SHIPPED) == []
    catalogue = {
        *(
            "deals_created",
            "deals_won",
            "deals_lost",
            "bookings",
            "open_pipeline",
            "win_rate",
            "sales_cycle",
            "average_deal",
            "discount_rate",
        ),
        *("mrr", "arr", "accounts_active", "invoiced", "revenue", "collected", "refunds", "payment_failures", "revenue_growth"),
        *("cost_to_serve", "cost_to_win", "engineering_cost", "product_margin", "margin_after_engineering", "cac"),
        *("issues_created", "issues_resolved", "issue_cycle_time", "hours_spent", "tickets_opened", "churn_reasons", "lost_reasons"),
    }
    loaded = definitions.load(SHIPPED)
    assert catalogue <= set(loaded.metrics)
    assert all(metric.means and metric.owner for metric in loaded.metrics.values())


def test_forty_different_mistakes_are_forty_sentences() -> None:
    """One of each: spelling, types, circles, units, reach, time, duplicates, traps of YAML; none hides another."""
    problems = definitions.check(BAD_FORTY)
    assert len(problems) == 40
    assert len({problem.message for problem in problems}) == 40
    assert len({(problem.line, problem.key) for problem in problems}) == 40


def test_two_ways_to_a_table_are_a_problem_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No table of the schema has two shortest ways to another, so one is made: deal by its account's key as well."""
    one = graph.hops("deal_line")
    ways = tuple((hop,) for hop in one[:2])
    monkeypatch.setattr(graph, "shortest", lambda start, goal, _catalog: ways if (start, goal) == ("deal_line", "product") else ((),))
    path = tmp_path / "m.yaml"
    path.write_text("north_star: n\ncurrency: EUR\nmetrics:\n  n: {count: deal_line, at: deal.closed_on, where: product.name = 'Atlas'}\n")
    written = " or ".join(f"deal_line.{hop.column}" for hop in one[:2])
    assert [str(problem) for problem in definitions.check(path)] == [
        f"{path}:4 metrics.n.where: deal_line leads to product in more than one way of the same length: {written}; "
        "name a column of a table in between"
    ]
