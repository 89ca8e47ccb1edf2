"""GitHub issues: what the REST API answers, and what ``gh issue list --json`` prints.

The API lists pull requests among the issues; a record with ``pull_request`` is one, and left out. An issue is closed as
``completed``, ``not_planned`` or ``duplicate`` (GitHub's docs: REST API endpoints for issues, ``state_reason``); closed ones of
before 2022 have no reason, and there the labels wontfix, duplicate and invalid, which GitHub gives every repository, say it.
The two shapes meet in the issue's address, so ``gh`` must be asked for ``url``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Members
from typing import Any, Final

from connectors.base import CATEGORIES, Connector, Layout, Mapping, Skip, Span, Tell, Tree
from connectors.fields import (
    all_of,
    any_of,
    choice,
    constant,
    equals,
    filled,
    first_of,
    id_of,
    identifier,
    instant,
    no,
    required,
    text,
    when,
)

SOURCE: Final = "github"
_ADDRESS: Final = re.compile(r"https?://[^/]+/(?:repos/|api/v3/repos/)?(?P<repository>[^/]+/[^/]+?)(?:/(?P<what>issues|pull|pulls)/\d+)?/?")
#: The labels for it that every repository begins with.
_GIVEN_UP: Final = ("wontfix", "won't fix", "duplicate", "invalid")


def derive(record: dict[str, Any], page: Members[str, Any]) -> None:
    """Add ``at``: the repository, the issue's key in it, whether it is a pull request, and what its labels say."""
    repository = record.get("repository")
    addresses = [record.get(name) for name in ("html_url", "url", "repository_url")]
    found = [match for address in addresses if isinstance(address, str) and (match := _ADDRESS.fullmatch(address))]
    name = found[0]["repository"] if found else ""
    if isinstance(repository, dict):
        name = repository.get("full_name") or repository.get("nameWithOwner") or name
    labels = record.get("labels")
    words = {str(label.get("name") if isinstance(label, dict) else label).casefold() for label in labels or ()}
    record["at"] = {
        "repository": name,
        "key": f"{name}#{record.get('number')}" if record.get("number") else None,
        "pull": "yes" if record.get("pull_request") or any(match["what"] in ("pull", "pulls") for match in found) else "",
        "labels": "given up" if words & set(_GIVEN_UP) else "",
        "doing": "yes" if any(CATEGORIES.get(word) == "doing" for word in words) else "",
    }


_CREATED: Final = first_of(instant("created_at"), instant("createdAt"))
_UPDATED: Final = first_of(instant("updated_at"), instant("updatedAt"))
_CLOSED: Final = first_of(instant("closed_at"), instant("closedAt"))
_REASON: Final = first_of(text("state_reason"), text("stateReason"))
_DROPPED: Final = any_of(
    equals(_REASON, "not_planned", "duplicate"),
    all_of(no(filled(_REASON)), equals("at.labels", "given up")),
)
_IS_CLOSED: Final = equals("state", "closed")

ISSUES: Final = Layout(
    name="issues",
    needs=(("number",), ("title",), ("state",), ("created_at", "createdAt"), ("labels", "assignees", "user.login", "author.login")),
    lacks=("iid", "headRefName", "merged_at", "mergedAt"),
    tree=Tree(derive=derive),
    mappings=(
        Mapping(
            "issue",
            {
                "issue_id": required(id_of(SOURCE, "at.key")),
                "source": constant(SOURCE),
                "source_id": identifier("at.key"),
                "key": text("at.key"),
                "title": text("title"),
                "kind": first_of(text("type.name"), text("issueType.name")),
                "status": choice("state", cases={"open": "open", "closed": "closed"}),
                "status_category": when(
                    _IS_CLOSED,
                    when(_DROPPED, constant("dropped"), constant("done")),
                    when(equals("at.doing", "yes"), constant("doing"), constant("todo")),
                ),
                "resolution": when(_IS_CLOSED, choice(_REASON, cases={"not_planned": "not planned"}, otherwise="keep")),
                "project": text("at.repository"),
                # of plain texts in older answers
                "labels": first_of(text("labels.name"), text("labels")),
                "epic": text("milestone.title"),
                "source_product_id": text("at.repository"),
                "assignee": first_of(text("assignees.login"), text("assignee.login")),
                "created_at": required(_CREATED),
                "resolved_at": when(_IS_CLOSED, _CLOSED),
                "modified_at": _UPDATED,
            },
            span=Span((_CREATED,), (_CREATED, _UPDATED, _CLOSED)),
        ),
    ),
    skips=(Skip(equals("at.pull", "yes"), "pull requests", retires=True),),
    tells=(
        Tell(
            no(filled("at.repository")),
            "issues don't say of which repository they are: issue 12 of two such files would be one. Ask gh for url as well",
            "issue doesn't say of which repository it is: issue 12 of two such files would be one. Ask gh for url as well",
        ),
        Tell(
            all_of(_IS_CLOSED, no(filled("closed_at")), no(filled("closedAt"))),
            "closed issues don't say when: they count as done, and on no day as resolved",
            "closed issue doesn't say when: it counts as done, and on no day as resolved",
        ),
    ),
    export="gh api --paginate 'repos/OWNER/NAME/issues?state=all&per_page=100', or gh issue list --state all --limit 100000 --json "
    "number,title,state,stateReason,createdAt,updatedAt,closedAt,labels,assignees,milestone,url",
)

GITHUB: Final = Connector(SOURCE, "GitHub", (ISSUES,))
