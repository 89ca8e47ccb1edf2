"""The sample company's files: the same bytes every time, and the story they tell."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from kpi.demo import sample, story, truth
from kpi.demo.company import Company
from tests.demo.conftest import END


def _hashes(company: Company, folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path, _ in sample.write(company, folder)}


@pytest.mark.slow
def test_the_same_seed_and_end_give_the_same_bytes(company: Company, tmp_path: Path) -> None:
    assert _hashes(company, tmp_path / "one") == _hashes(sample.make(sample.DEFAULT_SEED, END), tmp_path / "two")


@pytest.mark.slow
def test_another_seed_gives_other_files(company: Company, tmp_path: Path) -> None:
    one, other = _hashes(company, tmp_path / "one"), _hashes(sample.make(7, END), tmp_path / "two")
    assert one.keys() == other.keys()
    assert not set(one.values()) & set(other.values())


@pytest.mark.parametrize(
    ("today", "end"),
    [("2026-11-22", "2026-11-15"), ("2026-11-23", "2026-11-22"), ("2026-11-16", "2026-11-15"), ("2027-01-03", "2026-12-27")],
)
def test_it_ends_on_the_last_sunday_before_today(today: str, end: str) -> None:
    assert sample.default_end(dt.date.fromisoformat(today)) == dt.date.fromisoformat(end)


def test_its_size(company: Company, tmp_path: Path) -> None:
    """Large enough to be a company, small enough for a page of half a second."""
    rows = sum(count for _, count in sample.write(company, tmp_path))
    assert len(company.accounts) == 400
    assert {account.region for account in company.accounts} == {"DACH", "Nordics", "UK & Ireland", "North America"}
    assert 60_000 < rows < 150_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "end"), [(sample.DEFAULT_SEED, END), (1, dt.date(2026, 3, 1)), (99, dt.date(2027, 1, 3)), (5, dt.date(2024, 2, 25))]
)
def test_it_tells_its_story_whatever_the_seed_and_end(company: Company, seed: int, end: dt.date) -> None:
    """Revenue grows by 8 to 30 % a year; margin falls below its target of 65 % and only because of one group."""
    company = company if (seed, end) == (sample.DEFAULT_SEED, END) else sample.make(seed, end)
    after = end + dt.timedelta(days=1)
    year = dt.timedelta(days=364)
    periods = [(after - year - dt.timedelta(weeks=4), after - year), (after - dt.timedelta(weeks=4), after)]
    before, now = truth.figures(company, periods)

    def margin(figures: truth.Figures, runaway: bool | None = None) -> Decimal:
        def keep(group: truth.Group) -> bool:
            return runaway is None or (group == (story.RUNAWAY_PRODUCT, story.RUNAWAY_SEGMENT)) is runaway

        found = truth.margin(truth.total(figures.revenue, keep), truth.total(figures.cost_to_serve, keep))
        assert found is not None
        return found

    growth = truth.total(now.revenue) / truth.total(before.revenue) - 1
    assert Decimal("0.08") < growth < Decimal("0.30")
    assert Decimal("0.655") < margin(before) < Decimal("0.72")
    assert Decimal("0.585") < margin(now) < Decimal("0.64")
    # The rest keeps its margin, the runaway loses more than 20 points.
    assert abs(margin(now, runaway=False) - margin(before, runaway=False)) < Decimal("0.03")
    assert margin(before, runaway=True) - margin(now, runaway=True) > Decimal("0.2")


def test_the_big_deal_bends_the_roadmap(company: Company) -> None:
    """Since it was won, its label takes about half of the hours of its product's team."""
    big = story.BIG_DEAL
    deal = max((deal for deal in company.deals if deal.account.name == big.account and deal.is_won), key=lambda deal: deal.amount)
    assert deal.closed_on is not None
    since = deal.closed_on
    hours = {True: Decimal(0), False: Decimal(0)}
    for issue in company.issues:
        if issue.product.name == big.product:
            for work in issue.works:
                if work.day >= since:
                    hours[big.label in issue.labels] += work.hours
    assert Decimal("0.4") < hours[True] / (hours[True] + hours[False]) < Decimal("0.75")
    # 38 % off the list price, where Enterprise gets 24 % at most.
    assert round(1 - deal.amount / deal.list_amount, 2) == Decimal("0.38")


def test_new_list_prices_two_quarters_ago() -> None:
    assert story.price_rise_on(END) == dt.date(2026, 4, 1)
    assert story.price_rise_on(dt.date(2026, 3, 1)) == dt.date(2025, 7, 1)
    # 49.00 · 1.06 = 51.94
    assert story.list_price(story.BY_NAME["Atlas"], dt.date(2026, 4, 1), END) == Decimal("51.94")
    assert story.list_price(story.BY_NAME["Atlas"], dt.date(2026, 3, 31), END) == Decimal("49.00")


def test_spreading_by_hand() -> None:
    """1.00 over 3 days: 33,333,333 units a day and one unit more on the first."""
    days = [dt.date(2026, 1, day) for day in (1, 2, 3, 4)]
    assert truth.spread(Decimal("1.00"), days[0], days[3], days[0], days[1]) == Decimal("0.33333334")
    assert truth.spread(Decimal("1.00"), days[0], days[3], days[1], days[3]) == Decimal("0.66666666")
    assert truth.spread(Decimal("-1.00"), days[0], days[3], days[0], days[3]) == Decimal("-1.00")
    assert truth.spread(Decimal("5.00"), days[1], days[1], days[1], days[2]) == Decimal("5.00")
