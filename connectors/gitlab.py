"""GitLab's CSV export of a project's or a group's issues.

Three shapes: the old one begins with ``Issue ID,URL``, a newer one with ``Title,Description``, and 18.4 adds ``IID``, ``Type``,
``Start Date`` and ``Parent IID``. An issue's number counts within its project, so it is known by the project and the number that
its URL states, in every shape alike. Times are UTC. GitLab knows open and closed; whether a closed issue was given up, and
whether an open one is being worked on, its status (where the file has one) or its labels say: ``Doing`` and ``To Do`` are those of
GitLab's own board, and of scoped labels such as ``status::won't do`` the part behind ``::`` counts. Confirmed by public files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from connectors.base import CATEGORIES, Connector, Layout, Mapping, Part, Report, Span, Trouble, spelled
from connectors.fields import choice, constant, equals, first_of, id_of, identifier, instant, number, required, text, when

SOURCE: Final = "gitlab"
_URL: Final = re.compile(r"https?://[^/]+/(?P<project>.+?)/(?:-/)?(?:issues|work_items)/(?P<number>\d+)/?(?:[?#].*)?")
#: Scopes of labels that say how far an issue is; others, such as severity, say nothing of it.
_SCOPES: Final = frozenset({"", "status", "state", "workflow", "resolution", "board", "stage", "closed"})


def flatten(report: Report) -> Iterator[Part | Trouble]:
    """One part a record, with the project and the number of its URL, and what its labels say of its state."""
    names = spelled(report.header)
    width = len(names)
    for record in report.records:
        if not any(cell.strip() for cell in record.cells):
            continue
        if any(cell.strip() for cell in record.cells[width:]) or len(record.cells) < width:
            reason = f"it has {len(record.cells)} cells where the header has {width}"
            yield Trouble(record.line, "", ",".join(record.cells), reason)
            continue
        values = {name.casefold(): cell.strip() for name, cell in zip(names, record.cells, strict=False)}
        match = _URL.fullmatch(values.get("url", ""))
        if match is None:
            # its number alone is that of an issue in every project
            yield Trouble(record.line, "URL", values.get("url", ""), "no address of an issue, by which it is known")
            continue
        values["Project"] = match["project"]
        values["Reference"] = f"{match['project']}#{match['number']}"
        report.counted += 1
        labels = [label.strip() for label in values.get("labels", "").split(",") if label.strip()]
        values["labels"] = ", ".join(labels)
        values["Said"] = said(labels)
        yield Part(record.line, "issue", values)


def where(url: str) -> tuple[str, str]:
    """The project and the number that an issue's address states; empty where it states none."""
    match = _URL.fullmatch(url)
    return (match["project"], match["number"]) if match else ("", "")


def said(labels: list[str]) -> str:
    """What the labels say of the state; the most final of several."""
    found = set()
    for label in labels:
        scope, _, word = label.rpartition("::")
        if scope.strip().casefold() in _SCOPES and (category := CATEGORIES.get(word.strip().casefold())) is not None:
            found.add(category)
    return next((category for category in ("dropped", "doing", "todo") if category in found), "")


_CLOSED: Final = equals("State", "closed")
_DROPPED: Final = constant("dropped")

ISSUES: Final = Layout(
    name="issues csv",
    needs=(
        ("Title",),
        ("URL",),
        ("State",),
        ("Author Username",),
        ("Created At (UTC)", "Created At"),
        ("Closed At (UTC)", "Closed At"),
        ("Updated At (UTC)", "Updated At"),
    ),
    reshape=flatten,
    mappings=(
        Mapping(
            "issue",
            {
                "issue_id": required(id_of(SOURCE, "Reference")),
                "source": constant(SOURCE),
                "source_id": identifier("Reference"),
                "key": text("Reference"),
                "title": text("Title"),
                "kind": text("Type", "Work item type"),
                "status": text("Status", "State"),
                "status_category": first_of(
                    choice("Status", cases=CATEGORIES, otherwise="none"),
                    when(_CLOSED, when(equals("Said", "dropped"), _DROPPED, constant("done"))),
                    when(equals("Said", "dropped"), constant("todo"), text("Said")),
                    constant("todo"),
                ),
                "priority": text("Priority"),
                "project": text("Project"),
                "labels": text("Labels"),
                "epic": first_of(text("Epic Title"), text("Parent Title"), text("Parent IID"), text("Milestone")),
                "source_product_id": text("Project"),
                "assignee": text("Assignee"),
                "points": number("Weight"),
                "created_at": required(instant("Created At (UTC)", "Created At")),
                "resolved_at": when(_CLOSED, instant("Closed At (UTC)", "Closed At")),
                "modified_at": instant("Updated At (UTC)", "Updated At"),
            },
            part="issue",
            span=Span(
                (instant("Created At (UTC)", "Created At"),),
                (
                    instant("Created At (UTC)", "Created At"),
                    instant("Updated At (UTC)", "Updated At"),
                    instant("Closed At (UTC)", "Closed At"),
                ),
            ),
        ),
    ),
    export="a project's Issues > Actions (⋮) > Export as CSV; GitLab sends it by e-mail",
)

GITLAB: Final = Connector(SOURCE, "GitLab", (ISSUES,))
