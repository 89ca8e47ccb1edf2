from __future__ import annotations

import pytest
import sqlalchemy as sa

from kpi.metrics import graph
from kpi.metrics.catalog import Catalog
from kpi.metrics.model import Hop
from kpi.warehouse import schema

DEAL_TO_ACCOUNT = Hop("deal", "account_id", "account", "account_id")


@pytest.fixture
def two_ways(monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """start -> left -> goal and start -> right -> goal."""
    metadata = sa.MetaData()
    info = {"kind": "fact", "day": None}
    sa.Table("goal", metadata, sa.Column("id", sa.String), info=info)
    for side in ("left", "right"):
        sa.Table(side, metadata, sa.Column("id", sa.String), sa.Column("goal_id", sa.String, sa.ForeignKey("goal.id")), info=info)
    keys = [sa.Column(f"{side}_id", sa.String, sa.ForeignKey(f"{side}.id")) for side in ("left", "right")]
    sa.Table("start", metadata, *keys, info=info)
    catalog = Catalog()
    monkeypatch.setattr(catalog, "tables", metadata.tables)
    return catalog


def test_a_key_is_a_path_from_the_many_to_the_one() -> None:
    assert graph.path("deal", "account") == (DEAL_TO_ACCOUNT,)
    assert graph.path("account", "deal") is None


def test_a_table_reaches_itself_without_a_step() -> None:
    assert graph.path("deal", "deal") == ()


def test_the_shortest_path_counts() -> None:
    # issue has its own account_id, and could also go by the deal
    assert graph.path("issue", "account") == (Hop("issue", "account_id", "account", "account_id"),)
    # worklog knows its issue and its product, and reaches the account by the issue
    assert graph.path("worklog", "account") == (
        Hop("worklog", "issue_id", "issue", "issue_id"),
        Hop("issue", "account_id", "account", "account_id"),
    )
    assert graph.path("deal_line", "account") == (Hop("deal_line", "deal_id", "deal", "deal_id"), DEAL_TO_ACCOUNT)


def test_reachable_lists_the_nearest_first() -> None:
    assert graph.reachable("deal") == ("deal", "account", "product")
    assert graph.reachable("account") == ("account",)
    assert graph.reachable("worklog") == ("worklog", "issue", "product", "account", "deal")


def test_bookkeeping_is_no_way() -> None:
    reached = {table for start in schema.facts() for table in graph.reachable(start.name)}
    assert reached.isdisjoint({"import_run", "account_link", "product_link", "source_account", "account_version"} - {"account_version"})


def test_two_paths_of_the_same_length_are_a_question(two_ways: Catalog) -> None:
    with pytest.raises(graph.AmbiguousPath) as raised:
        graph.path("start", "goal", two_ways)
    assert str(raised.value) == (
        "start leads to goal in more than one way of the same length: start.left_id, then left.goal_id or "
        "start.right_id, then right.goal_id; name a column of a table in between"
    )
