"""GitLab, as its REST API answers in JSON: the issues of a project or a group.

An issue is known by the project and the number that its address states, as in the CSV, so that both update the same rows.
``closed_as_duplicate_of`` in ``_links`` names the issue that a closed one repeats; apart from that a status, where the answer has
one, and the labels say what the CSV's say (GitLab's docs: Issues API).
"""

from __future__ import annotations

from collections.abc import Mapping as Members
from typing import Any, Final

from connectors.base import CATEGORIES, Layout, Mapping, Span, Tree
from connectors.fields import choice, constant, equals, filled, first_of, id_of, identifier, instant, number, required, text, when
from connectors.gitlab import SOURCE, said, where


def derive(record: dict[str, Any], page: Members[str, Any]) -> None:
    """Add ``at`` (the project and the issue's key in it) and ``said`` (what the labels say of its state)."""
    project, key = where(str(record.get("web_url") or ""))
    labels = [str(label.get("name") if isinstance(label, dict) else label) for label in record.get("labels") or ()]
    record["at"] = {"project": project, "key": f"{project}#{key}" if project else None, "labels": ", ".join(labels)}
    record["said"] = said(labels)


_CLOSED: Final = equals("state", "closed")
_DROPPED: Final = constant("dropped")
_CREATED: Final = instant("created_at")
_STATUS: Final = first_of(text("status.name"), text("status"))

ISSUES: Final = Layout(
    name="api issues",
    needs=(("iid",), ("project_id",), ("title",), ("state",), ("web_url",), ("created_at",), ("closed_at",)),
    lacks=("merged_at", "source_branch", "merge_status"),
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
                "kind": first_of(text("issue_type"), text("type")),
                "status": first_of(_STATUS, text("state")),
                "status_category": when(
                    filled("_links.closed_as_duplicate_of"),
                    _DROPPED,
                    first_of(
                        choice(_STATUS, cases=CATEGORIES, otherwise="none"),
                        when(_CLOSED, when(equals("said", "dropped"), _DROPPED, constant("done"))),
                        when(equals("said", "dropped"), constant("todo"), text("said")),
                        constant("todo"),
                    ),
                ),
                "project": text("at.project"),
                "labels": text("at.labels"),
                "epic": first_of(text("epic.title"), text("milestone.title")),
                "source_product_id": text("at.project"),
                "assignee": first_of(text("assignees.name"), text("assignee.name")),
                "points": number("weight"),
                "created_at": required(_CREATED),
                "resolved_at": when(_CLOSED, instant("closed_at")),
                "modified_at": instant("updated_at"),
            },
            span=Span((_CREATED,), (_CREATED, instant("updated_at"), instant("closed_at"))),
        ),
    ),
    export="GET /api/v4/projects/ID/issues?scope=all&per_page=100, every page, as JSON",
)

API: Final = (ISSUES,)
