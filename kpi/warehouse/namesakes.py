"""What two exports of one system say of the same thing in different precision counts once.

A report without ids knows a deal by its name, account and day of creation; one that writes dates without times knows of a
stage only the day it was entered. Where another export of the same system knows the deal by its id, or the instant, that
one counts. Done with each file, so that the archive replayed gives the same.
"""

from __future__ import annotations

from typing import Final

from kpi.warehouse.literals import literal
from kpi.warehouse.schema import issue
from kpi.warehouse.store import Store

#: How ids of deals begin that are made of names; see connectors.base.BY_NAME.
_BY_NAME: Final = ":name-"


def drop_namesakes(store: Store, source: str) -> list[str]:
    """Let deals that are known by name only give way to those that are known by their ids; a sentence on how many did."""
    marked = literal(f"{source}{_BY_NAME}%")
    same = (
        f"SELECT 1 FROM deal o WHERE o.source = d.source AND o.deal_id NOT LIKE {marked} AND lower(o.name) = lower(d.name) "
        "AND o.created_on = d.created_on"
    )
    where = f"d.source = ? AND d.deal_id LIKE {marked} AND EXISTS ({same})"
    count = store.count(f"SELECT count(*) FROM deal d WHERE {where}", [source])
    if not count:
        return []
    store.run(f"DELETE FROM deal AS d WHERE {where}", [source])
    deals = "1 deal of a report without ids is" if count == 1 else f"{count:,} deals of reports without ids are"
    return [f"{deals} known by id from another export, which counts (same name, same day of creation)"]


def settle_stages(store: Store, source: str, timezone: str) -> None:
    """Drop stages that are known to the day only where the instant is known, and let each last until the next.

    Of what exports say themselves: what was seen in successive ones is made anew from the sightings.

    ``timezone``: the calendar's, in which a day without a time begins.
    """
    several = (
        "SELECT deal_id FROM deal_stage WHERE source = ? AND is_observed IS NOT TRUE GROUP BY deal_id HAVING count(DISTINCT run_id) > 1"
    )
    local = f"timezone({literal(timezone)}, timezone('UTC', {{}}.entered_at))"
    store.run(
        f"CREATE TEMP TABLE vague AS SELECT t.{store.row} AS r FROM deal_stage t WHERE t.deal_id IN ({several}) AND EXISTS "
        "(SELECT 1 FROM deal_stage o WHERE o.deal_id = t.deal_id AND o.stage = t.stage AND o.source = t.source "
        "AND o.is_observed IS NOT TRUE AND t.is_observed IS NOT TRUE "
        f"AND o.entered_at > t.entered_at AND {local.format('t')} = date_trunc('day', {local.format('o')}))",
        [source],
    )
    if store.count("SELECT count(*) FROM vague"):
        store.run(f"DELETE FROM deal_stage WHERE {store.row} IN (SELECT r FROM vague)")
    store.run("DROP TABLE vague")
    store.run(
        f"CREATE TEMP TABLE lasting AS SELECT r, left_now FROM (SELECT t.{store.row} AS r, t.left_at, lead(t.entered_at) OVER "
        "(PARTITION BY t.deal_id ORDER BY t.entered_at, t.left_at NULLS LAST, t.stage) AS left_now FROM deal_stage t "
        f"WHERE t.deal_id IN ({several}) AND t.is_observed IS NOT TRUE) s WHERE left_now IS DISTINCT FROM left_at",
        [source],
    )
    if store.count("SELECT count(*) FROM lasting"):
        store.run(f"UPDATE deal_stage SET left_at = lasting.left_now FROM lasting WHERE deal_stage.{store.row} = lasting.r")
    store.run("DROP TABLE lasting")


#: What an issue stands in: of these an empty one says something, the others may be columns that the export lacks.
_STATE: Final = ("key", "title", "status", "status_category", "resolution", "resolved_at", "modified_at", "run_id")


def settle_issues(store: Store, source: str) -> list[str]:
    """Let issues that are known by their key only be those whose id is known; a sentence on how many were.

    What changed last counts, as for two exports that both have ids; its worklogs take the place of the other's where it has any.
    """
    newer = "a.modified_at > b.modified_at OR (a.modified_at IS NOT DISTINCT FROM b.modified_at AND a.run_id > b.run_id)"
    store.run(
        f"CREATE TEMP TABLE twice AS SELECT a.issue_id AS by_key, min(b.issue_id) AS by_id, bool_or({newer}) AS is_newer FROM issue a "
        "JOIN issue b ON b.source = a.source AND b.key = a.key AND b.issue_id <> a.issue_id "
        "WHERE a.source = ? AND a.issue_id = a.source || ':' || a.key GROUP BY a.issue_id",
        [source],
    )
    count = store.count("SELECT count(*) FROM twice")
    if count:
        _join_issues(store)
    store.run("DROP TABLE twice")
    if not count:
        return []
    issues = "1 issue of an export without ids is" if count == 1 else f"{count:,} issues of exports without ids are"
    return [f"{issues} known by id from another export (same key), and counted once"]


def _join_issues(store: Store) -> None:
    columns = [column.name for column in issue.columns if column.name not in ("issue_id", "source", "source_id")]
    taken = ", ".join(f"{name} = " + (f"a.{name}" if name in _STATE else f"coalesce(a.{name}, issue.{name})") for name in columns)
    store.run(f"UPDATE issue SET {taken} FROM twice w JOIN issue a ON a.issue_id = w.by_key WHERE issue.issue_id = w.by_id AND w.is_newer")
    logged = "SELECT 1 FROM worklog l WHERE l.issue_id = w.by_key"
    store.run(
        "DELETE FROM worklog WHERE EXISTS (SELECT 1 FROM twice w WHERE (worklog.issue_id = w.by_key AND NOT w.is_newer) "
        f"OR (worklog.issue_id = w.by_id AND w.is_newer AND EXISTS ({logged})))"
    )
    store.run("UPDATE worklog SET issue_id = w.by_id FROM twice w WHERE worklog.issue_id = w.by_key")
    store.run(
        "DELETE FROM state_seen AS s WHERE s.table_name = 'issue' AND EXISTS (SELECT 1 FROM twice w JOIN state_seen o "
        "ON o.row_id = w.by_id WHERE s.row_id = w.by_key AND o.table_name = 'issue' AND o.seen_at = s.seen_at)"
    )
    store.run("UPDATE state_seen SET row_id = w.by_id FROM twice w WHERE state_seen.table_name = 'issue' AND state_seen.row_id = w.by_key")
    for table in ("issue_status", "issue"):
        store.run(f"DELETE FROM {table} WHERE issue_id IN (SELECT by_key FROM twice)")
