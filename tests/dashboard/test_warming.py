"""What is planned ahead of the first filter serves the filters that come."""

from __future__ import annotations

import pytest

from kpi import settings
from kpi.dashboard.data import open_desk
from kpi.dashboard.filters import Filters
from kpi.dashboard.frame import frame
from kpi.dashboard.looking import questions
from kpi.dashboard.pages.this_week import first_shapes
from kpi.metrics import query


@pytest.fixture
def shaped(company, environment, monkeypatch):
    """The desk and frame of the company with all first shapes planned, and the plans that were made since then."""
    environment(company)
    desk, _ = open_desk(settings.load())
    reach = frame(desk)
    for plan in first_shapes(desk, reach, reach.last_whole):
        plan()
    made, plain = [], query.plan
    monkeypatch.setattr(query, "plan", lambda *given: made.append(given[0]) or plain(*given))
    return desk, reach, made


@pytest.mark.parametrize(
    "chosen",
    [
        {"segment": ("SMB",)},
        {"region": ("AMER",)},
        {"region": ("EMEA", "AMER")},
        {"product": ("Beacon",), "region": ("AMER",)},
        {"segment": ("SMB", "Enterprise"), "product": ("Beacon",)},
    ],
)
def test_a_filter_finds_its_statements_planned(shaped, chosen):
    """Also by product, where Paid is refused and the others are asked without it."""
    desk, reach, made = shaped
    desk.answer(questions(desk.definitions, reach, Filters(None, chosen), reach.last_whole).values())
    assert [one.metrics for one in made if "paid" not in one.metrics] == []
