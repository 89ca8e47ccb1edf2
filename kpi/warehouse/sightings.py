"""What successive exports of the same issues and deals show: the states they stood in, where no history says more.

An export of issues or deals shows today's status or stage and nothing of the days before. Each one is a sighting: the thing was
seen in that state, at the time the source last changed it (``modified_at``), which lies nearest to the change; where the export
doesn't say, at the export's own date, else when it was imported. A thing's sightings in the order of their times, with repeats
left out, are its history: a state was entered, at the latest, when it was first seen. So exports may come in any order, an older
one undoes nothing, and the same state seen again adds nothing.

A history that a source keeps itself says more: of a thing that has one, no sighting counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from kpi.warehouse.bookkeeping import SEEN
from kpi.warehouse.store import Store


@dataclass(frozen=True)
class _Seen:
    """A table whose rows stand in states: its key, the column of the state, and the table of its history."""

    table: str
    key: str
    state: str
    history: str


_KINDS: Final = (_Seen("issue", "issue_id", "status", "issue_status"), _Seen("deal", "deal_id", "stage", "deal_stage"))


def see(store: Store, table: str, relation: str, source: str, run_id: int, as_of: dt.datetime | None, imported_at: dt.datetime) -> None:
    """Write down in which states the rows of ``relation`` stand, if ``table`` has states.

    Args:
        relation: the staged rows, in the store's scratch.
        as_of, imported_at: UTC without a zone; the export's own date, and when it was imported.
    """
    kind = next((kind for kind in _KINDS if kind.table == table), None)
    columns = store.columns(relation) if kind else []
    if kind is None or kind.state not in columns:
        return
    changed = "i.modified_at" if "modified_at" in columns else "CAST(NULL AS TIMESTAMP)"
    store.scratch.execute(
        f'CREATE OR REPLACE TEMP VIEW sightings AS SELECT row_id, state, changed FROM (SELECT i."{kind.key}" AS row_id, '
        f'i."{kind.state}" AS state, {changed} AS changed, row_number() OVER () AS nth FROM "{relation}" i) n '
        "WHERE row_id IS NOT NULL AND state IS NOT NULL "
        "QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY changed DESC NULLS LAST, nth DESC) = 1"
    )
    seen = store.bring("sightings")
    based = f"SELECT row_id, state, coalesce(changed, CAST(? AS TIMESTAMP)) AS base FROM {seen}"
    made_at = as_of or imported_at
    store.run(f"CREATE TEMP TABLE based AS {based}", [made_at])
    # A source that counts in days, or changes a state without a word, shows two states at one time: the later import's came after.
    last = (
        "SELECT b.row_id, max(k.seen_at) AS last_at FROM based b JOIN state_seen k ON k.table_name = ? AND k.row_id = b.row_id "
        "AND k.seen_at >= b.base AND k.seen_at < b.base + INTERVAL '1 millisecond' GROUP BY b.row_id"
    )
    store.run(
        "CREATE TEMP TABLE seen_at AS SELECT b.row_id, b.state, coalesce(l.last_at + INTERVAL '1 microsecond', b.base) AS seen_at "
        f"FROM based b LEFT JOIN ({last}) l ON l.row_id = b.row_id "
        "LEFT JOIN state_seen k ON k.table_name = ? AND k.row_id = l.row_id AND k.seen_at = l.last_at "
        "WHERE k.state IS DISTINCT FROM b.state",
        [table, table],
    )
    store.run(
        "INSERT INTO state_seen (table_name, row_id, seen_at, state, source, run_id) "
        f"SELECT CAST(? AS VARCHAR), s.row_id, s.seen_at, s.state, CAST(? AS VARCHAR), {int(run_id)} FROM seen_at s",
        [table, source],
    )
    store.run("DROP TABLE based")
    store.run("DROP TABLE seen_at")
    store.scratch.execute("DROP VIEW sightings")


def apply_sightings(store: Store, tables: Collection[str], timezone: str) -> frozenset[str]:
    """Let the histories hold what sightings show of things without a history of their own; the histories looked at.

    Args:
        tables: those that were written to.
        timezone: of the calendar, for the days that are covered.
    """
    done = [kind for kind in _KINDS if kind.table in tables or kind.history in tables]
    for kind in done:
        _apply(store, kind)
        _cover(store, kind, timezone)
    return frozenset(kind.history for kind in done)


def _apply(store: Store, kind: _Seen) -> None:
    history, key, state = kind.history, kind.key, kind.state
    window = "OVER (PARTITION BY row_id ORDER BY seen_at)"
    store.run(
        f"CREATE TEMP TABLE observed AS WITH seen AS (SELECT s.*, lag(s.state) {window} AS before FROM state_seen s "
        f"WHERE s.table_name = '{kind.table}' AND EXISTS (SELECT 1 FROM {kind.table} t WHERE t.{key} = s.row_id) "
        f"AND NOT EXISTS (SELECT 1 FROM {history} h WHERE h.{key} = s.row_id AND h.is_observed IS NOT TRUE)), "
        "changes AS (SELECT * FROM seen WHERE state IS DISTINCT FROM before) "
        f"SELECT row_id, state, seen_at AS entered_at, lead(seen_at) {window} AS left_at, source, run_id FROM changes"
    )
    same = f"t.{key} = o.row_id AND t.{state} = o.state AND t.entered_at = o.entered_at"
    same += " AND t.left_at IS NOT DISTINCT FROM o.left_at AND t.run_id = o.run_id"
    store.run(f"DELETE FROM {history} AS t WHERE t.is_observed AND NOT EXISTS (SELECT 1 FROM observed o WHERE {same})")
    store.run(
        f"INSERT INTO {history} ({key}, {state}, entered_at, left_at, is_observed, source, run_id) "
        "SELECT o.row_id, o.state, o.entered_at, o.left_at, TRUE, o.source, o.run_id FROM observed o "
        f"WHERE NOT EXISTS (SELECT 1 FROM {history} t WHERE t.is_observed AND {same})"
    )
    store.run("DROP TABLE observed")


def _cover(store: Store, kind: _Seen, timezone: str) -> None:
    """A history made of sightings reaches from the first of them as far as the things themselves."""
    store.run("DELETE FROM coverage WHERE table_name = ? AND basis = ?", [kind.history, SEEN])
    rows = store.run(
        f"SELECT h.source, min(h.entered_at), max(c.covers_to) FROM {kind.history} h JOIN coverage c ON c.source = h.source "
        f"AND c.table_name = '{kind.table}' WHERE h.is_observed AND NOT EXISTS "
        f"(SELECT 1 FROM coverage o WHERE o.table_name = '{kind.history}' AND o.source = h.source) GROUP BY h.source ORDER BY h.source"
    )
    made = []
    for source, first, until in rows:
        since = first.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(timezone)).date()
        if since < until:
            row = {"table_name": kind.history, "source": source, "covers_from": since, "covers_to": until, "basis": SEEN}
            made.append(row | {"row_count": 0})
    if made:
        store.add("coverage", pa.Table.from_pylist(made))
