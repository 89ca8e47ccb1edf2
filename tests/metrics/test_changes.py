"""What is touched, through what; nothing but words and comments touches nothing."""

from __future__ import annotations

import pytest

from kpi.metrics import definitions
from kpi.metrics.changes import Said, Touched, changes
from kpi.metrics.dependants import made_of, stands_on, used_in

TEXT = """\
north_star: margin
drivers: [revenue]
review: {Money: [margin, growth]}
currency: EUR
calendar: {timezone: Europe/Berlin}
costs: {hosting: ['5100*']}
dimensions:
  segment: {label: Segment, of: account, is: case when employees >= 1000 then 'Large' else 'Small' end}
metrics:
  revenue: {label: Revenue, means: what was earned, sum: amount, of: invoice_line, over: [service_from, service_to], unit: money}
  cost: {sum: amount, of: cost_line, over: [service_from, service_to], unit: money,
    allocate: {to: account, by: revenue, each: month}}
  margin: {formula: (revenue - cost) / revenue, unit: percent, target: {2026: 60%}}
  growth: {formula: "revenue / previous(revenue, 1 year) - 1", unit: percent}
  large: {count: deal, at: closed_on, where: is_won and segment = 'Large'}
  won: {count: deal, at: closed_on, where: is_won}
"""


def read(text):
    found, problems = definitions.checked(text.encode(), "metrics.yaml")
    assert found is not None, problems
    return found


BEFORE = read(TEXT)


def changed(*replacements):
    text = TEXT
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return changes(BEFORE, read(text))


def named(said):
    return {one.name: (one.how, one.because) for one in said.touched}


def test_layout_and_comments_change_nothing():
    said = changed(("currency: EUR", "# the company's own\ncurrency:   EUR"), ("is_won and segment", "is_won  and segment"))
    assert said.nothing


def test_words_touch_no_figure():
    said = changed(
        ("label: Revenue", "label: Turnover"),
        ("over: [service_from, service_to], unit: money}", "over: [service_from, service_to], unit: money, better: up}"),
    )
    assert said.touched == ()
    assert said.words == (Said("revenue", "label", "Revenue", "Turnover"), Said("revenue", "better", "", "up"))


def test_a_condition_touches_all_that_stand_on_it():
    said = changed(
        ("over: [service_from, service_to], unit: money}", "over: [service_from, service_to], unit: money, where: kind <> 'tax'}")
    )
    assert named(said) == {
        "revenue": ("changed", ("where",)),
        "cost": ("through", ("revenue",)),  # what no customer has is split by it
        "margin": ("through", ("revenue",)),
        "growth": ("through", ("revenue",)),
    }


def test_a_dimension_touches_the_metrics_whose_conditions_name_it():
    said = changed(("employees >= 1000", "employees >= 500"))
    assert said.dimensions == (("segment", "changed"),)
    assert said.touched == (Touched("large", "Large", "through", ("segment",)),)


def test_one_that_comes_and_one_that_goes():
    said = changed(("  won: {count: deal", "  closed: {count: deal"))
    assert named(said) == {"closed": ("added", ()), "won": ("removed", ())}


def test_the_calendar_touches_everything():
    said = changed(("timezone: Europe/Berlin", "timezone: Europe/Berlin, week_starts: sunday"))
    assert set(named(said)) == set(BEFORE.metrics)
    assert named(said)["won"] == ("through", ("calendar: of week_starts",))
    assert said.publishes is False


def test_which_system_counts_touches_what_reads_its_table():
    said = changed(("currency: EUR", "currency: EUR\nsources: {deal: salesforce}"))
    assert set(named(said)) == {"large", "won"}
    assert said.sections == (Said("sources", "deal", "", "salesforce"),)


def test_targets_and_what_publishing_applies():
    said = changed(("{2026: 60%}", "{2026: 62%, 2027: 65%}"), ("hosting: ['5100*']", "support: ['5100*']"))
    assert [(one.metric, one.period, str(one.before), str(one.after)) for one in said.targets] == [
        ("margin", "2026", "0.60", "0.62"),
        ("margin", "2027", "None", "0.65"),
    ]
    assert said.applied == (Said("costs", "5100*", "hosting", "support"),)
    assert said.publishes
    assert said.touched == ()


def test_where_a_metric_is_used():
    assert made_of(BEFORE.metrics["margin"]) == ("revenue", "cost")
    assert stands_on("margin", BEFORE.metrics) == ("revenue", "cost")
    assert used_in("revenue", BEFORE) == ("the cards", "cost", "margin", "growth")
    assert used_in("margin", BEFORE) == ("the North Star", "the review, Money")


@pytest.mark.parametrize("text", ["", "metrics: [", "north_star: &a b\ncurrency: *a\n", "a" * 1_000_001])
def test_a_text_that_is_no_file_is_read_as_hostile_as_one(text):
    found, problems = definitions.checked(text.encode(), "draft")
    assert found is None
    assert problems
    assert all(problem.file == "draft" for problem in problems)
