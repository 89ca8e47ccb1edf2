"""What was true of an account, and when: versions, made of what each export said.

An export tells of its own day. From one to the next that says something else, what the earlier one said holds; what the first
one said reaches back to the beginning. So an export that comes late finds its place by its date, and undoes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import pyarrow as pa

from kpi.warehouse.renewal import Run
from kpi.warehouse.schema import account_version
from kpi.warehouse.store import Store

#: The attributes that are kept as they were.
KEPT: Final = ("industry", "region", "country", "employees", "owner")
_FIRST: Final = dt.date(1, 1, 1)
_LIST: Final = ", ".join(KEPT)


def note_seen(store: Store, relation: str, run: Run, seen: dt.date | None, imported: dt.date) -> None:
    """Write down what an export of accounts says of them.

    Args:
        relation: in the store's scratch, as staged for ``account``.
        seen: the export's own date; None where it states none: then that of the newest change in it, else ``imported``.
    """
    there = store.columns(relation)
    stated = [name for name in KEPT if name in there]
    if not stated:
        return
    incoming = store.bring(relation)
    if seen is None:
        stamps = [name for name in ("modified_at", "created_on") if name in there]
        newest = [row[0] for name in stamps for row in store.run(f"SELECT CAST(max({name}) AS DATE) FROM {incoming}") if row[0]]
        seen = min(max(newest, default=imported), imported)
    listed = ", ".join(stated)
    modified = "modified_at" if "modified_at" in there else "CAST(NULL AS TIMESTAMP) AS modified_at"
    store.run(
        f"INSERT INTO account_seen (source, source_id, seen_on, run_id, stated, {listed}, modified_at) "
        f"SELECT source, source_id, DATE '{seen.isoformat()}', {int(run.run_id)}, '{','.join(stated)}', {listed}, modified_at "
        "FROM (SELECT n.*, row_number() OVER (PARTITION BY source_id ORDER BY modified_at DESC NULLS LAST, nth DESC) AS place FROM "
        f"(SELECT source, source_id, {listed}, {modified}, row_number() OVER () AS nth FROM {incoming}) n) ranked WHERE place = 1"
    )
    _drop_what_says_nothing(store, run)


def _drop_what_says_nothing(store: Store, run: Run) -> None:
    """A record that was not changed between two exports was the same in all those between them."""
    same = " AND ".join(f"{name} IS NOT DISTINCT FROM {{0}}({name}) OVER w" for name in ("modified_at", "stated", *KEPT))
    store.run(
        f"CREATE TEMP TABLE needless AS SELECT r FROM (SELECT {store.row} AS r, modified_at IS NOT NULL AND "
        f"{same.format('lag')} AND {same.format('lead')} AS between_two FROM account_seen "
        "WHERE source = ? WINDOW w AS (PARTITION BY source, source_id ORDER BY seen_on, run_id)) s WHERE between_two",
        [run.source],
    )
    store.run(f"DELETE FROM account_seen WHERE {store.row} IN (SELECT r FROM needless)")
    store.run("DROP TABLE needless")


def refresh_account_versions(store: Store, ranking: Sequence[str]) -> None:
    """Make ``account_version`` anew, and let ``account`` say what its version of now says."""
    store.run(
        "CREATE TEMP TABLE sighting AS SELECT l.account_id, s.* FROM account_seen s "
        "JOIN account_link l ON l.source = s.source AND l.source_id = s.source_id JOIN account a ON a.account_id = l.account_id"
    )
    differ = " OR ".join(
        f"count(DISTINCT {name}) + max(CASE WHEN {name} IS NULL THEN 1 ELSE 0 END) > 1" for name in (*KEPT, "stated", "source_id")
    )
    store.run(f"CREATE TEMP TABLE changing AS SELECT account_id FROM sighting GROUP BY account_id HAVING {differ}")
    rows = store.run(
        f"SELECT t.account_id, t.source, t.source_id, t.seen_on, t.stated, {', '.join(f't.{name}' for name in KEPT)} "
        "FROM sighting t JOIN changing c ON c.account_id = t.account_id "
        "ORDER BY t.account_id, t.seen_on, t.modified_at NULLS FIRST, t.run_id"
    )
    store.run("DELETE FROM account_version")
    store.run(
        f"INSERT INTO account_version (account_id, valid_from, valid_to, {_LIST}) SELECT account_id, DATE '0001-01-01', NULL, {_LIST} "
        "FROM account a WHERE NOT EXISTS (SELECT 1 FROM changing c WHERE c.account_id = a.account_id)"
    )
    made = [version for _, group in groupby(rows, key=lambda row: row[0]) for version in _versions(list(group), ranking)]
    if made:
        store.add("account_version", pa.Table.from_pylist(made, schema=_SCHEMA))
        now = " AND ".join(f"a.{name} IS NOT DISTINCT FROM v.{name}" for name in KEPT)
        taken = ", ".join(f"{name} = v.{name}" for name in KEPT)
        store.run(
            f"UPDATE account AS a SET {taken} FROM account_version v "
            f"WHERE v.account_id = a.account_id AND v.valid_to IS NULL AND NOT ({now})"
        )
    store.run("DROP TABLE sighting")
    store.run("DROP TABLE changing")


_SCHEMA: Final = pa.schema(
    [(column.name, {"day": pa.date32(), "integer": pa.int64()}.get(column.info["unit"], pa.string())) for column in account_version.columns]
)


def _versions(seen: Sequence[tuple[Any, ...]], ranking: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The versions of one account.

    Args:
        seen: account_id, source, source_id, day, what was stated, and the attributes, in the order of their days.
    """
    account_id = seen[0][0]
    place = {source: at for at, source in enumerate(ranking)}
    own = account_id.split(":", 1)[1]
    members = sorted({(row[1], row[2]) for row in seen}, key=lambda who: (place.get(who[0], len(place)), who[0], who[1] != own, who[1]))
    said = [_stated(row) for row in seen]
    # what an attribute was first said to be holds before that as well
    state: dict[tuple[str, str], dict[str, Any]] = {who: {} for who in members}
    for row, values in zip(seen, said, strict=True):
        for name, value in values.items():
            state[(row[1], row[2])].setdefault(name, value)
    current = _ranked(members, state)
    since = _FIRST
    for day, rows in groupby(zip(seen, said, strict=True), key=lambda pair: pair[0][3]):
        for row, values in rows:
            state[(row[1], row[2])].update(values)
        changed = _ranked(members, state)
        if changed != current:
            yield {"account_id": account_id, "valid_from": since, "valid_to": day, **current}
            current, since = changed, day
    yield {"account_id": account_id, "valid_from": since, "valid_to": None, **current}


def _stated(row: tuple[Any, ...]) -> dict[str, Any]:
    return {name: row[5 + KEPT.index(name)] for name in row[4].split(",")}


def _ranked(members: Iterable[tuple[str, str]], state: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    """Of each attribute what the first member that knows it says."""
    values = {name: [state[who].get(name) for who in members] for name in KEPT}
    return {name: next((value for value in known if value is not None), None) for name, known in values.items()}
