"""Jira, as its REST API answers a search: issues, the statuses they stood in, and the work logged on them.

Read are the pages of ``/rest/api/2|3/search`` and of ``/search/jql`` (which have no ``total``), and single issues. Instants
carry an offset (``2018-05-14T23:54:10.593+0200``). What a custom field is called says the member ``names`` of a page, which
``expand=names`` adds; without it ``customfield_10016``, Cloud's own story point estimate, is taken for points where it holds
numbers, and the import says so. Ids are those of the CSV, so that both update the same issues.
"""

from __future__ import annotations

from collections.abc import Mapping as Members
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from connectors.base import CATEGORIES, DROPPED, Layout, Mapping, Renews, Span, Tell, Tree, an_object, objects
from connectors.fields import (
    Value,
    all_of,
    any_of,
    choice,
    constant,
    day,
    equals,
    filled,
    first_of,
    id_of,
    identifier,
    instant,
    no,
    number,
    prefixed,
    required,
    text,
    when,
)

SOURCE: Final = "jira"
#: What custom fields are called whose value is read, and the key under which it is.
_NAMED: Final = {
    "story points": "points",
    "story point estimate": "points",
    "epic link": "epic",
    "actual start": "started",
    "start date": "started",
    "account": "account",
    "customer": "account",
    "organization": "account",
    "organizations": "account",
    "company": "account",
    "opportunity id": "opportunity",
}
_USUAL_POINTS: Final = "customfield_10016"


def derive(record: dict[str, Any], page: Members[str, Any]) -> None:
    """Add ``custom`` (what custom fields are called), ``statuses`` (from the history) and ``logged`` (the worklogs).

    Histories and worklogs that hold only some of theirs, as long ones do in a search, are left out: an end of a list says
    nothing of its beginning.
    """
    fields = an_object(record.get("fields"))
    names = {**(page.get("names") or {}), **(record.get("names") or {})}
    record["custom"] = _custom(fields, names)
    history, is_whole = _listed(record.get("changelog"), "histories")
    if history is not None and is_whole:
        record["statuses"] = _statuses(fields, history)
        started = (each["entered"] for each in record["statuses"] if CATEGORIES.get(str(each["status"]).casefold()) == "doing")
        if (first := next(started, None)) is not None:
            record["custom"].setdefault("started", first)
    logged, all_logged = _listed(fields.get("worklog"), "worklogs")
    if logged is not None and all_logged:
        record["logged"] = [_worklog(each) for each in objects(logged)]
    record["lists"] = {"history": _word(history, is_whole), "work": _word(logged, all_logged)}


def _word(listed: list[Any] | None, is_whole: bool) -> str:
    return "" if listed is None else "whole" if is_whole else "cut"


def _custom(fields: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """The first filled field of each meaning."""
    found: dict[str, Any] = {}
    for key, name in names.items():
        meaning = _NAMED.get(str(name).casefold())
        if meaning and (value := _plain(fields.get(key))):
            found.setdefault(meaning, value)
    if not names and _is_number(value := fields.get(_USUAL_POINTS)):
        found |= {"points": value, "assumed": "yes"}
    return found


def _plain(value: Any) -> Any:
    """A custom field's value: of an option its text, of several all of them."""
    if isinstance(value, dict):
        return value.get("value") or value.get("name") or value.get("key")
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and value.replace(".", "", 1).isdigit()


def _listed(holder: Any, name: str) -> tuple[list[Any] | None, bool]:
    """A list in a page of its own, and whether it is all of it; None where there is no such page."""
    if not isinstance(holder, dict) or not isinstance(found := holder.get(name), list):
        return None, False
    total = str(holder.get("total", len(found)))
    return found, not total.isdigit() or int(total) <= len(found)


def _statuses(fields: dict[str, Any], history: list[Any]) -> list[dict[str, Any]]:
    """Every status, with when it was entered; the first at the issue's creation."""
    changes = []
    for at, each in enumerate(history):
        listed = each.get("items") or () if isinstance(each, dict) else ()
        moved = [item for item in listed if isinstance(item, dict) and item.get("field") == "status"]
        moment = _moment(each.get("created")) if moved else 0.0
        changes += [(moment, at, each.get("created"), item.get("fromString"), item.get("toString")) for item in moved]
    # Cloud lists the newest first, Server the oldest
    is_reversed = len(changes) > 1 and changes[0][0] > changes[-1][0]
    changes.sort(key=lambda change: (change[0], -change[1] if is_reversed else change[1]))
    status = fields.get("status")
    now = status.get("name") if isinstance(status, dict) else None
    first = changes[0][3] if changes else now
    return [{"status": first, "entered": fields.get("created")}, *({"status": to, "entered": when_} for _, _, when_, _, to in changes)]


def _moment(written: Any) -> float:
    try:
        return datetime.fromisoformat(str(written)).timestamp()
    except ValueError:
        return 0.0


def _worklog(log: dict[str, Any]) -> dict[str, Any]:
    seconds = log.get("timeSpentSeconds")
    hours = format(Decimal(seconds) / 3600, ".6f") if isinstance(seconds, str) and seconds.isdigit() else seconds
    return {**log, "hours": hours, "said": " ".join(_words(log.get("comment")))}


def _words(node: Any) -> list[str]:
    """The texts of a comment: Server writes one, Cloud a document of paragraphs."""
    if isinstance(node, str):
        return [node]
    if isinstance(node, list):
        return [word for each in node for word in _words(each)]
    if isinstance(node, dict):
        return [str(node["text"])] if isinstance(node.get("text"), str) else _words(node.get("content"))
    return []


_ISSUE: Final = required(id_of(SOURCE, "id"))
_CREATED: Final = instant("fields.created")
_UPDATED: Final = instant("fields.updated")
_RESOLVED: Final = instant("fields.resolutiondate")
_STATUS: Final = "fields.status.name"
_RESOLUTION: Final = "fields.resolution.name"
_CATEGORY: Final = choice(
    "fields.status.statusCategory.key",
    cases={"new": "todo", "indeterminate": "doing", "done": "done"},
    otherwise="none",
)
#: A status called Rejected may be a step back to work, unless its category says that the work is over.
_GIVEN_UP: Final = any_of(
    equals(_RESOLUTION, *DROPPED),
    all_of(equals(_STATUS, *DROPPED), any_of(no(filled(_CATEGORY)), equals(_CATEGORY, "done"))),
)
_OVER: Final = any_of(filled("fields.resolutiondate"), filled(_RESOLUTION))


def _if_whole(name: str) -> dict[str, Value]:
    """Of which issues a list is told whole, so that it takes the place of what was known."""
    return {"issue_id": when(equals(name, "whole"), id_of(SOURCE, "id"))}


ISSUES: Final = Layout(
    name="api issues",
    needs=(("id",), ("key",), ("fields.summary",), ("fields.status.name",), ("fields.created",)),
    tree=Tree(page=("names",), derive=derive),
    mappings=(
        Mapping(
            "issue",
            {
                "issue_id": _ISSUE,
                "source": constant(SOURCE),
                "source_id": identifier("id"),
                "key": text("key"),
                "title": text("fields.summary"),
                "kind": text("fields.issuetype.name"),
                "status": text(_STATUS),
                "status_category": when(
                    _GIVEN_UP,
                    constant("dropped"),
                    first_of(_CATEGORY, choice(_STATUS, cases=CATEGORIES, otherwise="none"), when(_OVER, constant("done"))),
                ),
                "resolution": text(_RESOLUTION),
                "priority": text("fields.priority.name"),
                "project": text("fields.project.key"),
                "component": text("fields.components.name"),
                "labels": text("fields.labels"),
                "epic": first_of(text("fields.parent.key"), text("custom.epic")),
                "source_product_id": text("fields.project.key"),
                "source_account_id": text("custom.account"),
                "deal_id": prefixed("salesforce", text("custom.opportunity")),
                "assignee": first_of(text("fields.assignee.displayName"), text("fields.assignee.name")),
                "points": number("custom.points"),
                "created_at": required(_CREATED),
                "started_at": instant("custom.started", zone="local"),
                "resolved_at": _RESOLVED,
                "modified_at": _UPDATED,
            },
            span=Span((_CREATED,), (_CREATED, _UPDATED, _RESOLVED), tables=("worklog", "issue_status")),
        ),
        Mapping(
            "issue_status",
            {
                "issue_id": _ISSUE,
                "status": required(text("statuses.status")),
                "entered_at": required(instant("statuses.entered")),
                "source": constant(SOURCE),
                "source_id": identifier("id"),
            },
            part="statuses",
            interval=("issue_id",),
            span=Span((instant("statuses.entered"),)),
            renews=Renews(_if_whole("lists.history")),
        ),
        Mapping(
            "worklog",
            {
                "worklog_id": required(id_of(SOURCE, "logged.id")),
                "issue_id": _ISSUE,
                "source": constant(SOURCE),
                "source_id": identifier("logged.id"),
                "person": first_of(*(text(f"logged.author.{name}") for name in ("accountId", "name", "displayName"))),
                "worked_on": required(day("logged.started", zone="utc")),
                "hours": required(number("logged.hours")),
                "comment": text("logged.said"),
                "modified_at": _UPDATED,
            },
            part="logged",
            span=Span((instant("logged.started"),)),
            renews=Renews(_if_whole("lists.work")),
        ),
    ),
    tells=(
        Tell(
            all_of(filled(_RESOLUTION), no(filled("fields.resolutiondate"))),
            "resolved issues don't say when: they count as done, and on no day as resolved",
            "resolved issue doesn't say when: it counts as done, and on no day as resolved",
        ),
        Tell(
            filled("custom.assumed"),
            f"issues have points in {_USUAL_POINTS}, which is taken for story points: ask the API to expand names to be sure",
            f"issue has points in {_USUAL_POINTS}, which is taken for story points: ask the API to expand names to be sure",
        ),
        Tell(
            equals("lists.history", "cut"),
            "issues have a longer history than the file holds: their statuses are left as they were",
            "issue has a longer history than the file holds: its statuses are left as they were",
        ),
        Tell(
            equals("lists.work", "cut"),
            "issues have more worklogs than the file holds: theirs are left as they were. Export those issues as CSV, which holds all",
            "issue has more worklogs than the file holds: its own are left as they were. Export that issue as CSV, which holds all",
        ),
    ),
    export="GET /rest/api/3/search/jql?jql=…&fields=*all&expand=changelog,names, every page, as JSON",
)

API: Final = (ISSUES,)
