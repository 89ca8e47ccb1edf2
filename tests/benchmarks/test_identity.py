"""A small crowd of what ``make bench`` matches: few links are wrong, and most are made."""

from __future__ import annotations

from benchmarks.crowd import make_crowd
from benchmarks.identity import RANKING, score
from kpi.warehouse.identity import link_accounts


def test_links_of_a_crowd_are_right_and_most_are_made():
    crowd = make_crowd(1_000, seed=11)
    found = score(crowd, link_accounts(crowd.accounts, crowd.customers, RANKING))
    assert found.should > 1_000
    assert found.precision >= 0.99  # of some 1,100 links: one wrong one is 0.1 %
    assert found.recall >= 0.90


def test_the_score_can_tell_a_wrong_link():
    crowd = make_crowd(200, seed=11)
    linked = link_accounts(crowd.accounts, crowd.customers, RANKING)
    before = score(crowd, linked)
    key, link = next((key, link) for key, link in linked.links.items() if link.method == "domain")
    other = next(id_ for id_, record in crowd.accounts if crowd.truth[record.key] != crowd.truth[key])
    linked.links[key] = type(link)(*key, other, link.method, link.confidence)
    after = score(crowd, linked)
    assert (after.right, after.wrong) == (before.right - 1, before.wrong + 1)


def test_the_same_seed_is_the_same_crowd():
    assert make_crowd(100, seed=3) == make_crowd(100, seed=3)
