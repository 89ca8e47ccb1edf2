"""GitLab's CSV export."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from tests.connectors.conftest import SAMPLES, Stager

D = Decimal


def test_the_old_shape(staged: Stager) -> None:
    result = staged("gitlab_old.csv")
    assert (result.staged.connector, result.staged.rows_read, result.staged.rows_loaded) == ("gitlab", 3, 3)
    assert result.rows("issue", "issue_id", "status", "status_category", "project", "labels", "epic", "points", "resolved_at") == [
        ("gitlab:acme/atlas#1", "Closed", "done", "acme/atlas", "bug, api", "v1", D(3), datetime(2026, 2, 19, 11, 30)),
        ("gitlab:acme/atlas#2", "Closed", "dropped", "acme/atlas", "status::won't do", None, None, datetime(2026, 2, 17, 8)),
        ("gitlab:acme/atlas#3", "Open", "doing", "acme/atlas", "Doing, api", None, None, None),
    ]


def test_the_shape_of_18_4_knows_the_same_issue_again(staged: Stager) -> None:
    # Issue ID counts across all projects here, the number in the URL does not
    assert staged("gitlab_18_4.csv").rows("issue", "issue_id", "kind", "status_category", "epic", "resolved_at") == [
        ("gitlab:acme/atlas#1", "Task", "todo", "7", None)
    ]


def test_the_shape_that_begins_with_the_title(staged: Stager) -> None:
    lines = (SAMPLES / "gitlab_old.csv").read_text().splitlines()
    turned = "\n".join(",".join([line.split(",", 2)[2], *line.split(",", 2)[:2]]) for line in lines)
    assert staged(turned + "\n").rows("issue", "issue_id") == staged("gitlab_old.csv").rows("issue", "issue_id")


def test_a_status_says_more_than_open_and_closed(staged: Stager) -> None:
    header, first, *_ = (SAMPLES / "gitlab_old.csv").read_text().splitlines()
    result = staged(f"{header},Status\n{first},Duplicate\n")
    assert result.rows("issue", "status", "status_category") == [("Duplicate", "dropped")]


def test_two_projects_with_the_same_number_are_two_issues(staged: Stager) -> None:
    header, first, *_ = (SAMPLES / "gitlab_old.csv").read_text().splitlines()
    result = staged(f"{header}\n{first}\n{first.replace('acme/atlas', 'acme/beacon')}\n")
    assert result.rows("issue", "issue_id") == [("gitlab:acme/atlas#1",), ("gitlab:acme/beacon#1",)]


def test_an_issue_without_its_address_is_a_problem(staged: Stager) -> None:
    header, first, *_ = (SAMPLES / "gitlab_old.csv").read_text().splitlines()
    url = next(cell for cell in first.split(",") if cell.startswith("http"))
    result = staged("\n".join([header, *[first.replace("issues/1", f"issues/{at}") for at in range(1, 7)], first.replace(url, "1.21E+15")]))
    assert [(column, value) for _, column, value, _ in result.problems()] == [("URL", "1.21E+15")]
    assert len(result.rows("issue", "issue_id")) == 6
