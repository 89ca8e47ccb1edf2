"""GitHub's issues, from its API and from gh."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.connectors.conftest import Stager


def test_issues_of_the_api(staged: Stager) -> None:
    result = staged("github_api_issues.json")
    assert (result.staged.connector, result.staged.rows_read, result.staged.rows_loaded) == ("github", 6, 5)
    assert result.rows("issue", "issue_id", "status", "status_category", "resolution", "labels") == [
        ("github:acme/atlas#12", "closed", "done", "completed", "bug, p1"),
        ("github:acme/atlas#14", "closed", "dropped", "not planned", None),
        ("github:acme/atlas#15", "closed", "dropped", "duplicate", "duplicate"),
        ("github:acme/atlas#16", "open", "doing", None, "In progress"),
        # closed before there were reasons
        ("github:acme/atlas#3", "closed", "dropped", None, "wontfix"),
    ]
    assert result.rows("issue", "key", "title", "kind", "project", "epic", "assignee", "created_at", "resolved_at")[0] == (
        "acme/atlas#12", "Export fails", "Bug", "acme/atlas", "v2", "ada, bob", datetime(2026, 1, 5, 22, 30), datetime(2026, 1, 20, 10),
    )  # fmt: skip
    assert result.staged.notes == ("1 pull requests left out",)


def gh(number: int, state: str, reason: str, **more: Any) -> dict[str, Any]:
    closed = None if state == "OPEN" else "2026-01-20T10:00:00Z"
    about = {"number": number, "title": f"Issue {number}", "state": state, "stateReason": reason, "closedAt": closed}
    return {**about, "createdAt": "2026-01-05T22:30:00Z", "labels": [{"name": "bug"}], "assignees": [], "milestone": None, **more}


def test_issues_of_gh_are_the_same(staged: Stager, tmp_path: Path) -> None:
    url = "https://github.com/acme/atlas/issues/"
    issues = [
        gh(12, "CLOSED", "COMPLETED", url=f"{url}12"),
        gh(14, "CLOSED", "NOT_PLANNED", url=f"{url}14"),
        gh(16, "OPEN", "", url=f"{url}16"),
    ]
    path = tmp_path / "issues.json"
    path.write_text(json.dumps(issues))
    result = staged(path)
    assert result.rows("issue", "issue_id", "status", "status_category", "resolved_at") == [
        ("github:acme/atlas#12", "closed", "done", datetime(2026, 1, 20, 10)),
        ("github:acme/atlas#14", "closed", "dropped", datetime(2026, 1, 20, 10)),
        ("github:acme/atlas#16", "open", "todo", None),
    ]
    assert result.staged.notes == ()


def test_without_an_address_the_repository_is_not_known_and_that_is_told(staged: Stager, tmp_path: Path) -> None:
    path = tmp_path / "issues.json"
    path.write_text(json.dumps([gh(1, "OPEN", ""), gh(2, "CLOSED", "DUPLICATE")]))
    result = staged(path)
    assert result.rows("issue", "issue_id", "project", "status_category") == [("github:#1", None, "todo"), ("github:#2", None, "dropped")]
    assert result.staged.notes == (
        "2 issues don't say of which repository they are: issue 12 of two such files would be one. Ask gh for url as well",
    )
