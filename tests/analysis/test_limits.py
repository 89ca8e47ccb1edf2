"""The XmR chart against limits worked out by hand, and each rule by itself."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.analysis.limits import Signal, chart

# mean (10 + 12 + 11 + 13 + 11 + 9) / 6 = 66 / 6 = 11; ranges 2 1 2 2 2, mean 1.8; 2.66 × 1.8 = 4.788
QUIET = [10, 12, 11, 13, 11, 9]


def test_limits_by_hand():
    found = chart(QUIET)
    assert found.limits is not None
    assert (found.limits.low, found.limits.mean, found.limits.high) == (Decimal("6.212"), Decimal(11), Decimal("15.788"))
    assert found.signals == (None,) * 6
    assert found.judges


def test_five_figures_have_no_limits():
    assert chart(QUIET[:5]).limits is None
    assert not chart(QUIET[:5]).judges


def test_a_week_that_is_not_known_has_no_range():
    # mean 66 / 6 again; ranges 2 1 (10 12 11), then 2 2 (13 11 9): the gap is none. Mean 1.75; 2.66 × 1.75 = 4.655
    found = chart([10, 12, 11, None, 13, 11, 9])
    assert found.limits is not None
    assert found.limits.high == Decimal("15.655")
    assert found.signals[3] is None
    assert not chart([*QUIET, None]).judges


def test_outside_the_limits_and_for_how_long():
    # mean (10 × 10 + 3 + 2 + 1) / 13 = 106 / 13 = 8.154; ranges 7 1 1 of 12, mean 0.75; limits 8.154 ± 1.995
    values = [10] * 10 + [3, 2, 1]
    assert chart(values).signal == Signal("outside", "below", 3)
    assert chart([-value for value in values]).signal == Signal("outside", "above", 3)
    # a week that isn't known breaks the run
    assert chart([10] * 10 + [3, None, 1]).signal == Signal("outside", "below", 1)


def test_three_of_four_near_a_limit():
    values = [9, 11, 9, 11, 9, 11, 9, 8, Decimal("12.5"), Decimal("12.5"), 9, Decimal("12.5")]
    # sum 9·5 + 11·3 + 8 + 37.5 = 45 + 33 + 8 + 37.5 = 123.5, mean 10.2917; ranges 2·6 + 1 + 4.5 + 0 + 3.5 + 3.5 = 24.5, mean 2.22727
    # limits 10.2917 ± 5.9245; half way 13.2539: 12.5 is not near. With 13.5 it is:
    assert chart(values).signal is None
    near = [13.5 if value == Decimal("12.5") else value for value in values]
    # sum 126.5, mean 10.5417; ranges 12 + 1 + 5.5 + 0 + 4.5 + 4.5 = 27.5, mean 2.5; ± 6.65; half way 13.8667: not near
    assert chart(near).signal is None
    steps = [0, 1] * 5 + [3, 3, 2, 3]
    # sum 5 + 11 = 16, mean 1.142857; ranges 9 × 1 + 2 + 0 + 1 + 1 = 13, mean 1; ± 2.66; half way 2.472857: 3 is near, 2 is not
    assert chart(steps).signal == Signal("near a limit", "above", 1)
    assert chart([*steps[:-1], 2]).signal is None  # the last week itself must be near
    assert chart([0, 1] * 5 + [3, 2, 2, 3]).signal is None  # two of four


def test_eight_weeks_on_one_side():
    values = [8, 10, 8, 10, 8, 12, 10, 12, 10, 12, 10, 12, 10]
    # sum 44 + 88 = 132, mean 10.1538; 10 lies below it, so no run
    assert chart(values).signal is None
    values = [7, 10, 7, 10, 7, 12, 11, 12, 11, 12, 11, 12, 11]
    # sum 41 + 92 = 133, mean 10.2308; ranges 3 3 3 3 5 1 × 7 = 24, mean 2; ± 5.32; half way 12.89: near none, and eight above
    assert chart(values).signal == Signal("long run", "above", 8)
    assert chart(values[:-1]).signal is None


def test_what_never_changes_is_normal():
    assert chart([5] * 13).signal is None


@pytest.mark.parametrize("factor", [-3, 1, 1000])
def test_units_change_nothing(factor):
    one, other = chart(QUIET), chart([value * factor for value in QUIET])
    assert one.limits is not None
    assert other.limits is not None
    assert sorted((other.limits.low, other.limits.high)) == sorted((one.limits.low * factor, one.limits.high * factor))


@given(st.lists(st.one_of(st.none(), st.integers(-1000, 1000)), max_size=20))
def test_mirrored_figures_tell_the_mirrored_signal(values):
    there, back = chart(values), chart([None if value is None else -value for value in values])
    mirrored = {"above": "below", "below": "above"}
    assert back.signals == tuple(None if one is None else Signal(one.rule, mirrored[one.side], one.weeks) for one in there.signals)
