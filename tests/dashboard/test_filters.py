import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kpi.dashboard.filters import MOST_SENTENCES, Filters, condition, read

WEEKS = tuple(dt.date(2026, 10, 19) + dt.timedelta(days=7 * place) for place in range(4))  # to 9 November
OPTIONS = {"segment": ("Enterprise", "SMB", None), "product": ("Atlas", "O'Neil's"), "region": ("EMEA",)}


def test_a_link_is_read_back_as_it_was_written():
    filters = Filters(dt.date(2026, 11, 2), {"segment": ("SMB", None), "product": ("O'Neil's",)})
    assert filters.parameters() == {"week": ["2026-11-02"], "segment": ["SMB", "(none)"], "product": ["O'Neil's"]}
    assert read(filters.parameters(), WEEKS, OPTIONS) == (filters, ())


def test_a_region_that_is_called_none_is_told_from_none_in_a_link():
    filters = Filters(None, {"region": ("(none)", None, "\\(none)")})
    assert filters.parameters() == {"region": ["\\(none)", "(none)", "\\\\(none)"]}
    assert read(filters.parameters(), WEEKS, {"region": ("(none)", "\\(none)", None)}) == (filters, ())


@pytest.mark.parametrize(
    "name", ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "gclid", "fbclid", "mc_cid", "ref", "_hsenc"]
)
def test_parameters_of_others_are_passed_over_in_silence(name):
    assert read({name: ["x"], "segment": ["SMB"]}, WEEKS, OPTIONS) == (Filters(None, {"segment": ("SMB",)}), ())


def test_a_value_of_two_lines_is_one_value():
    filters = Filters(None, {"region": ("North\nWest",)})
    assert filters.where() == ("region in ('North\nWest')",)
    assert read(filters.parameters(), WEEKS, {"region": ("North\nWest", "North West")}) == (filters, ())


def test_an_empty_link_filters_nothing():
    assert read({}, WEEKS, OPTIONS) == (Filters(), ())


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        (
            {"segment": ["Enterprize"]},
            'No segment is called "Enterprize" (perhaps "Enterprise" was meant); that part of the link was left out.',
        ),
        ({"region": ["Mars"]}, 'No region is called "Mars"; that part of the link was left out.'),
        ({"segmnt": ["SMB"]}, 'This page has no filter "segmnt" (perhaps "segment" was meant); it was left out.'),
        ({"week": ["2026-11-04"]}, 'The link\'s week "2026-11-04" is not the first day of a week; the last whole week is shown.'),
        ({"week": ["2026-11-15"]}, 'The link\'s week "2026-11-15" is not the first day of a week; the last whole week is shown.'),
        (
            {"week": ["2019-01-07"]},
            'There are no data for the link\'s week "2019-01-07": they reach from 2026-10-19 to 2026-11-15; the last whole week is shown.',
        ),
        ({"week": ["week 46"]}, 'The link\'s week "week 46" is not a date such as 2026-11-09; the last whole week is shown.'),
        ({"week": ["2026-11-09", "2026-11-02"]}, "This link names 2 weeks, and a page shows one; the last whole week is shown."),
        (
            {"product": ["'); drop table account; --" + "x" * 10_000]},
            'No product is called "\'); drop table account; --xxxxxxxxxxxxxx…"; that part of the link was left out.',
        ),
    ],
)
def test_what_does_not_hold_is_left_out_with_a_sentence(parameters, sentence):
    assert read(parameters, WEEKS, OPTIONS) == (Filters(), (sentence,))


def test_what_holds_stays_beside_what_does_not():
    filters, ignored = read({"segment": ["SMB", "Mars"], "week": ["2026-11-09"]}, WEEKS, OPTIONS)
    assert filters == Filters(dt.date(2026, 11, 9), {"segment": ("SMB",)})
    assert len(ignored) == 1


def test_a_hostile_link_gets_few_sentences():
    _, ignored = read({f"segment{place}": ["1"] for place in range(1000)}, WEEKS, OPTIONS)
    assert len(ignored) == MOST_SENTENCES
    assert ignored[-1] == "996 more parts of this link were left out."


@given(some.dictionaries(some.text(), some.lists(some.text(), max_size=3), max_size=4))
def test_any_link_is_read(parameters):
    filters, ignored = read(parameters, WEEKS, OPTIONS)
    assert read(filters.parameters(), WEEKS, OPTIONS) == (filters, ())
    assert all(sentence.isprintable() for sentence in ignored)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (("SMB",), "segment in ('SMB')"),
        (("SMB", "O'Neil's"), "segment in ('SMB', 'O''Neil''s')"),
        ((None,), "segment is null"),
        (("SMB", None), "(segment in ('SMB') or segment is null)"),
    ],
)
def test_a_filter_is_a_condition_of_the_language(values, text):
    assert condition("segment", values) == text


def test_choosing_nothing_takes_a_filter_away():
    filters = Filters(None, {"segment": ("SMB",), "region": ("EMEA",)})
    assert filters.choose("segment", ()).where() == ("region in ('EMEA')",)
