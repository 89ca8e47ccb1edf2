"""Words and numbers as the page writes them."""

from kpi.dashboard.cards import labelled
from kpi.metrics.definitions import load

from .conftest import ROOT


def test_sentences_name_metrics_as_the_page_does():
    metrics = load(ROOT / "metrics.yaml").metrics
    # "revenue" is a metric too, and here as well a word of the sentence
    assert labelled("0.4 % of cost_to_serve was allocated by revenue", metrics) == "0.4 % of Cost to serve was allocated by revenue"
    assert labelled("cost_to_serve_2 and other_words stay", metrics) == "cost_to_serve_2 and other_words stay"
