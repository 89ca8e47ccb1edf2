"""The program and the statements by hand give the same figures, on a company a two-hundredth of the one that is timed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import layer, queries
from benchmarks.contest import WEEKS, Contest, Ring, opened
from kpi.metrics import query

CONTESTS = (queries.FOUR, *layer.CONTESTS)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ring]:
    with opened(tmp_path_factory.mktemp("companies"), 0.005) as found:
        yield found


@pytest.mark.parametrize("contest", CONTESTS, ids=lambda contest: contest.file)
def test_the_statement_by_hand_has_the_figures_of_the_program(ring: Ring, contest: Contest) -> None:
    ring.check(contest)


@pytest.mark.parametrize("contest", CONTESTS, ids=lambda contest: contest.file)
def test_no_figure_is_empty_or_zero_throughout(ring: Ring, contest: Contest) -> None:
    # Otherwise the comparison would say nothing of it.
    table = ring.ours(contest)
    for name in contest.metrics:
        assert any(table[name].to_pylist()), name


def test_groups_without_a_segment_are_compared_too(ring: Ring) -> None:
    by_product = next(contest for contest in layer.CONTESTS if "product" in contest.by)
    rows = ring.ours(by_product).to_pylist()
    assert {row["segment"] for row in rows} == {None, "SMB", "Mid-market", "Enterprise"}
    assert len(rows) == WEEKS * 6 * 4


def test_a_figure_that_differs_is_told(ring: Ring) -> None:
    with pytest.raises(AssertionError, match=r"twenty metrics of a segment, .*: deals_created is \d+, and \d+ by hand"):
        ring.check(replace(layer.PAGE, where=("segment = 'SMB'",)))


def test_groups_that_differ_are_told(ring: Ring) -> None:
    retention = next(contest for contest in layer.CONTESTS if contest.metrics == ("nrr",))
    with pytest.raises(AssertionError, match=r"retention by segment: only one of both has .*\(none\)"):
        ring.check(replace(retention, where=("segment in ('SMB', 'Mid-market', 'Enterprise')",)))


def test_planning_is_measured_new_and_seen_before(ring: Ring) -> None:
    new, known = layer.planning(ring, 3)
    assert new.measured > known.measured > 0
    assert (new.limit, known.limit) == (0.030, 0.001)


def test_growth_is_set_against_the_rows(tmp_path: Path, ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "_peak_mb", lambda *_: 300)
    monkeypatch.setattr(layer, "interleaved", lambda runs, contenders: {name: [1.0 if "0.0001" in name else 5.0] for name in contenders})
    small, large, peak = layer.growth(tmp_path, [0.0001, 0.0002], 1)
    assert (small.measured, small.ratio) == (1.0, None)
    # Five times the time for twice the rows.
    assert (large.measured, large.ratio, large.holds) == (5.0, 2.5, False)
    assert (peak.measured, peak.unit, peak.limit) == (300, "MB", 2048)


def test_one_query_in_a_process_of_its_own_has_a_peak(ring: Ring, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    assert 50 < layer._peak_mb(root, tmp_path, 0.0001) < 2048
    query.forget_plans()
