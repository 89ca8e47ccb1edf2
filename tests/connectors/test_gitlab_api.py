"""What GitLab's API answers of issues."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.connectors.conftest import Stager


def issue(number: int, state: str, **more: Any) -> dict[str, Any]:
    return {
        "id": 9000 + number,
        "iid": number,
        "project_id": 7,
        "title": f"Issue {number}",
        "state": state,
        "created_at": "2026-01-05T10:00:00.000+01:00",
        "updated_at": "2026-01-20T10:00:00.000Z",
        "closed_at": "2026-01-20T10:00:00.000Z" if state == "closed" else None,
        "labels": [],
        "milestone": None,
        "weight": 3,
        "web_url": f"https://gitlab.example/acme/atlas/-/issues/{number}",
        "_links": {"closed_as_duplicate_of": None},
        **more,
    }


def test_issues(staged: Stager, tmp_path: Path) -> None:
    issues = [
        issue(1, "closed", labels=["bug", "p1"], milestone={"title": "v2"}),
        issue(2, "closed", labels=["status::won't do"]),
        issue(3, "closed", _links={"closed_as_duplicate_of": "https://gitlab.example/api/v4/projects/7/issues/1"}),
        issue(4, "opened", labels=["Doing"]),
        issue(5, "opened"),
    ]
    path = tmp_path / "issues.json"
    path.write_text(json.dumps(issues))
    result = staged(path)
    assert (result.staged.connector, result.staged.layout) == ("gitlab", "api issues")
    assert result.rows("issue", "issue_id", "status_category", "labels", "points", "created_at", "resolved_at") == [
        (f"gitlab:acme/atlas#{number}", category, labels, Decimal(3), datetime(2026, 1, 5, 9), closed)
        for number, category, labels, closed in [
            (1, "done", "bug, p1", datetime(2026, 1, 20, 10)),
            (2, "dropped", "status::won't do", datetime(2026, 1, 20, 10)),
            (3, "dropped", None, datetime(2026, 1, 20, 10)),
            (4, "doing", "Doing", None),
            (5, "todo", None, None),
        ]
    ]
    assert result.rows("issue", "project", "epic")[0] == ("acme/atlas", "v2")
