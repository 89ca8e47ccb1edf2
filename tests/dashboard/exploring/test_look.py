"""The whole state of Explore is in its link: it comes back as it was, and what it asks in vain is said."""

from __future__ import annotations

import datetime as dt

import pytest

from kpi.dashboard.exploring.look import Look, Point, Range, Versus, of_link
from kpi.dashboard.frame import Frame
from kpi.metrics.definitions import load

TEXT = """
north_star: won
currency: EUR
dimensions:
  segment: {label: Segment, of: account, is: industry}
  by: {label: By, of: account, is: owner}
metrics:
  won: {count: deal, at: closed_on, where: is_won}
  amount: {sum: amount, of: deal, at: closed_on}
"""

WEEKS = tuple(dt.date(2026, 1, 5) + dt.timedelta(weeks=place) for place in range(40))
FRAME = Frame(("won",), {}, WEEKS, WEEKS[-1], {}, None)
VALUES = {"segment": ("SMB", "(none)", "it's", None), "by": ("Ann", "B&C")}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory):
    path = tmp_path_factory.mktemp("look") / "metrics.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return load(path)


def read(definitions, **parameters):
    given = {name.replace("__", "."): [value] if isinstance(value, str) else value for name, value in parameters.items()}
    return of_link(given, definitions, FRAME, VALUES.__getitem__)


LOOKS = [
    Look(("won",)),
    Look(("amount", "won"), ("by", "segment"), grain="month", last=24, form="pivot", top=3),
    # a value that is called "(none)" is told from none
    Look(("won",), chosen=(("segment", ("(none)", None, "it's")), ("by", ("B&C",)))),
    Look(("won",), ranges=(Range("account.employees", "10", "500.5", False), Range("deal.closed_on", None, "2026-03-31", True))),
    Look(("won",), last=None, since=dt.date(2026, 1, 7), until=dt.date(2026, 2, 1), grain="day", each=True),
    Look(("won",), last=None, grain="all", form="leaderboard"),
    Look(("won",), versus=Versus("year"), week=WEEKS[3]),
    Look(("won",), versus=Versus("segment", "segment", None), form="bars"),
    Look(("won",), ("segment",), point=Point("won", dt.date(2026, 2, 2), (None,), rows=True)),
    Look(("won",), ("segment",), point=Point("won", None, ("(none)",))),
]


@pytest.mark.parametrize("look", LOOKS, ids=range(len(LOOKS)))
def test_a_look_comes_back_from_its_link(definitions, look):
    assert of_link(look.parameters("won"), definitions, FRAME, VALUES.__getitem__) == (look, ())


def test_what_is_usual_is_not_in_the_link():
    assert Look(("won",)).parameters("won") == {}


def test_filters_are_conditions(definitions):
    look, _ = read(definitions, segment=["it's", "(none)", "\\(none)"], range="account.employees:10..")
    assert look.where() == ("(segment in ('it''s', '(none)') or segment is null)", "account.employees >= 10")


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"metric": "wonn"}, 'No metric is called "wonn" (perhaps "won" was meant); that part of the link was left out.'),
        ({"metric": "<script>"}, 'No metric is called "<script>"; that part of the link was left out.'),
        ({"by": "account.name"}, 'No dimension is called "account.name"; that part of the link was left out.'),
        ({"segment": "Mars"}, 'No segment is called "Mars"; that part of the link was left out.'),
        ({"in__by": "Bob"}, 'No by is called "Bob"; that part of the link was left out.'),
        (
            {"grain": "hour"},
            'The link\'s "grain" is "hour", and may be day, week, month, quarter, year, all; that part of the link was left out.',
        ),
        ({"last": "1e9"}, 'The link\'s "last" is "1e9", and may be a number from 1 to 1500; that part of the link was left out.'),
        ({"top": "٣"}, 'The link\'s "top" is "٣", and may be a number from 1 to 50; that part of the link was left out.'),
        (
            {"from": "2026-13-01"},
            'The link\'s "from" is "2026-13-01", and may be a day such as 2026-11-09; that part of the link was left out.',
        ),
        ({"from": "2026-03-01", "to": "2026-02-01"}, "No day is from 2026-03-01 to 2026-02-01; that part of the link was left out."),
        (
            {"range": "account.employees:1 or 1=1..5"},
            '"account.employees:1 or 1=1..5" is no range of a column, such as account.employees:100..500; '
            "that part of the link was left out.",
        ),
        (
            {"range": "account.name:1..5"},
            '"account.name:1..5" is no range of a column, such as account.employees:100..500; that part of the link was left out.',
        ),
        (
            {"vs": "segment:Mars"},
            'The link\'s "vs" is "segment:Mars", and may be previous, year, target or another segment, such as segment:SMB; '
            "that part of the link was left out.",
        ),
        ({"figure": "amount"}, 'The link\'s figure "amount" is none of those that it shows; that part of the link was left out.'),
        ({"metrics": "won"}, 'This page has no parameter "metrics" (perhaps "metric" was meant); it was left out.'),
    ],
)
def test_what_a_link_asks_in_vain_is_refused_with_a_sentence(definitions, parameters, sentence):
    look, said = read(definitions, **parameters)
    assert (look, said) == (Look(("won",)), (sentence,))


def test_what_is_somebody_elses_is_no_loss(definitions):
    assert read(definitions, utm_source="x", utm_by="y", fbclid="z") == (Look(("won",)), ())


def test_a_hostile_link_gets_a_few_sentences(definitions):
    _, said = read(definitions, metric=[f"m{place}" for place in range(1000)])
    assert len(said) == 5
    assert said[-1] == "996 more parts of this link were left out."
