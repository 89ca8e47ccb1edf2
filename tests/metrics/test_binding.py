"""One plan serves every value of a filter, and answers as a plan of its own would."""

from __future__ import annotations

import pytest

from kpi.errors import BadExpression
from kpi.metrics import query
from kpi.metrics.binding import bound, shape
from kpi.metrics.model import Bound, Call, Literal_, Query
from tests.metrics.hand_made import ask, column

pytestmark = pytest.mark.postgres_later

WON = "won: {count: deal, at: closed_on, where: is_won}"


def deals(warehouse):
    """Stages a, a, b, o'c, none; currencies EUR but for b's, closed a day later each."""
    for place, stage in enumerate(("a", "a", "b", "o'c", None)):
        warehouse.add("deal", {"closed_on": f"2026-01-0{place + 1}", "is_won": True, "stage": stage}, covers=("2026-01-01", "2026-02-01"))
    return warehouse


def of(*where):
    return shape(Query(("won",), where=where))


@pytest.mark.parametrize(
    ("text", "expected", "values"),
    [
        ("deal.stage = 'a'", "deal . stage = '\ue000filter_0'", {"filter_0": "a"}),
        ("deal.stage in ('a')", "deal . stage in ( '\ue000filters_0' )", {"filters_0": ("a",)}),
        ("deal.stage in ('a', 'b')", "deal . stage in ( '\ue000filters_0' )", {"filters_0": ("a", "b")}),
        ("deal.stage IN ('o''c', 'b') or deal.stage is null", None, {"filters_0": ("o'c", "b")}),
        ("deal.stage not in ('a', 'b') and deal.name = 'x'", None, {"filters_0": ("a", "b"), "filter_1": "x"}),
        ("deal.amount in (1, 2)", "deal.amount in (1, 2)", {}),
        ("deal.stage in ('a', 2)", "deal.stage in ('a', 2)", {}),
        ("deal.stage like 'a%'", "deal.stage like 'a%'", {}),
        ("deal.stage <> 'a'", "deal.stage <> 'a'", {}),
    ],
)
def test_values_are_taken_out_of_a_filter(text, expected, values):
    found = of(text)
    assert found.values == values
    if expected is not None:
        assert found.query.where == (expected,)


def test_a_list_has_one_shape_however_long_and_another_than_an_equal():
    assert of("deal.stage in ('a')").query == of("deal.stage in ('a', 'b', 'c')").query
    assert of("deal.stage in ('a')").query != of("deal.stage = 'a'").query


def test_what_holds_the_mark_or_cannot_be_read_has_no_shape_but_itself():
    for text in ("deal.stage = '\ue000filter_0'", "deal.stage = ", "deal.stage == 'a'", "'"):
        found = of(text)
        assert (found.query.where, found.values) == ((text,), {})


def test_marks_become_bound_values_and_other_texts_stay():
    node = Call("=", (Literal_("\ue000filter_0", "text"), Literal_("\ue000other", "text")), "flag")
    first = bound(node, {"filter_0": "a"})
    assert first == Call("=", (Bound("filter_0", "a"), Literal_("\ue000other", "text")), "flag")
    assert bound(first, {"filter_0": "b"}).arguments[0] == Bound("filter_0", "b")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("deal.stage in ('a')", 2),
        ("deal.stage in ('b')", 1),
        ("deal.stage = 'o''c'", 1),
        ("deal.stage in ('a', 'b')", 3),
        ("deal.stage in ('a', 'o''c', 'x')", 3),
        ("deal.stage not in ('a', 'b')", 2),  # o'c and the one without a stage
        ("(deal.stage in ('a', 'b') or deal.stage is null)", 4),
        ("deal.stage in ('x', 'y')", 0),
        ("deal.stage = '\ue000filter_0'", 0),
        ("deal.stage = 'b' and deal.stage <> 'filter_0'", 1),  # a text that reads like the name of a value
        ("deal.stage in ('a', 'b') and deal.stage <> 'filters_0'", 3),
        ("deal.closed_on = '2026-01-03'", 1),  # the text is a day here, which the shape can't know
        ("deal.closed_on in ('2026-01-03', '2026-01-04')", 2),
    ],
)
def test_answers_are_those_of_a_plan_of_its_own(warehouse, defined, where, expected):
    """On both engines; asked after others of the same shape."""
    reader, known = deals(warehouse).reader(), defined(WON)
    for other in ("deal.stage in ('x')", "deal.stage in ('x', 'y', 'z')", "deal.stage = 'x'"):
        ask(reader, known, "won", where=(other,))
    assert column(ask(reader, known, "won", where=(where,)), "won") == [expected]


def test_filters_that_differ_in_values_share_a_plan_and_show_their_own_sql(warehouse, defined):
    reader, known = deals(warehouse).reader(), defined(WON)
    first = query.planned(Query(("won",), where=("deal.stage in ('a', 'b')",)), known, reader)
    second = query.planned(Query(("won",), where=("deal.stage in ('o''c', 'x', 'y')",)), known, reader)
    assert first[1].sql == second[1].sql
    assert "['a', 'b']" in str(first[2])
    assert "['o''c', 'x', 'y']" in str(second[2])
    assert reader.run(second[1]).num_rows == 1
    assert first[0].scans[0].filters != second[0].scans[0].filters


def test_a_sentence_shows_the_text_that_was_asked(warehouse, defined):
    with pytest.raises(BadExpression, match=r"'soon'") as raised:
        ask(deals(warehouse).reader(), defined(WON), "won", where=("deal.closed_on = 'soon'",))
    assert "\ue000" not in str(raised.value)
