"""The page Definitions: the catalogue and a page for each metric. The figures are those of conftest.py, by hand."""

from kpi.dashboard import catalogue
from kpi.metrics import definitions

from .conftest import METRICS
from .test_pages import page, text

__all__ = ["page"]


def known(text=METRICS):
    found, problems = definitions.checked(text.encode(), "metrics.yaml")
    assert found is not None, problems
    return found


def test_the_catalogue_lists_every_metric_with_owner_unit_and_use(page, company):
    app = page(company, "definitions")
    words = text(app)
    assert "6 metrics" in words
    assert "Revenue revenue what was invoiced finance money the cards, the review, Margin" in words
    assert "Margin margin what is left of revenue finance percent the North Star, the review" in words


def test_search_and_owner_are_in_the_link(page, company):
    words = text(page(company, "definitions", search="costs", owner="product"))
    assert "1 of 6 metrics" in words
    assert "what hosting costs" in words
    assert "what was invoiced" not in words


def test_every_word_must_occur_somewhere():
    metrics = known().metrics.values()
    assert [one.name for one in catalogue.matching(metrics, "finance REVENUE", None, None)] == ["revenue", "margin"]
    assert [one.name for one in catalogue.matching(metrics, "", None, "percent")] == ["margin"]
    assert catalogue.matching(metrics, "revenue nowhere", None, None) == []


def test_one_metric_by_its_link(page, company):
    app = page(company, "definitions", metric="margin")
    words = text(app)
    assert "Margin margin what is left of revenue" in words
    assert "made of Revenue , Cost" in words.replace(", Cost", " , Cost")
    assert "used in the North Star, the review" in words
    assert "Value 53.75 %" in words  # (1600 - 740) / 1600
    assert "Revenue € 1,600.00 Cost € 740.00" in words
    assert "2026 60 %" in words  # a target
    codes = [element.value for element in app.code]
    assert any(code.startswith("margin:\n  label: Margin") for code in codes)
    assert any("SELECT" in code for code in codes)
    assert any("href=" in element.value and "metric=revenue" in element.value for element in app.html)


def test_a_link_to_no_metric_says_so_and_lists_all(page, company):
    words = text(page(company, "definitions", metric="<img src=x>margn"))
    assert "No metric is called" in words
    assert "6 metrics" in words
    assert "<img" not in "".join(element.value for element in page(company, "definitions", metric="<img src=x>").html)


def test_without_data_the_definitions_are_there(page, nothing):
    assert "6 metrics" in text(page(nothing, "definitions"))
    assert "Nothing was imported yet." in text(page(nothing, "definitions", metric="margin"))


def test_what_definitions_say_is_escaped():
    text = METRICS.replace("label: Revenue, means: what was invoiced", "label: '<b>x</b>', means: '<script>'")
    made = catalogue.table(known(text).metrics.values(), known(text), {"margin": "<i>"})
    assert "<b>x" not in made
    assert "<script>" not in made
    assert "<i>" not in made
