"""Staged rows into a table: the newest of each key stays, rows without an id take the place of what they cover.

Of two rows with the same key the newer wins: by the source's own modified time, else by the date of the export,
else by the archive's order, so that exports may be imported in any order. A column that a file doesn't have keeps its
value. The first rows of a source, which are the bulk, go in by one INSERT; nothing is indexed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import sqlalchemy as sa

from kpi.warehouse.store import Store

#: Fewer rows fit into so few of DuckDB's row groups (122,880 rows each) that their order saves nothing.
_WORTH_ORDERING: Final = 500_000


class Replacement(Protocol):
    """What older rows of the same source go; see :class:`kpi.importing.staging.Replaces`."""

    @property
    def scope(self) -> str: ...  # noqa: D102

    @property
    def columns(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def day(self) -> str | None: ...  # noqa: D102

    @property
    def since(self) -> dt.date | None: ...  # noqa: D102

    @property
    def until(self) -> dt.date | None: ...  # noqa: D102


@dataclass(frozen=True)
class Run:
    """The import that rows come from: its number, its system, and the export's own date (UTC) if it has one."""

    run_id: int
    source: str
    as_of: dt.datetime | None


def key_of(table: sa.Table) -> list[str]:
    """Names of the key's columns."""
    return [column.name for column in table.primary_key.columns]


def merge(store: Store, table: sa.Table, relation: str, run: Run, replaces: Replacement | None = None, full: bool = False) -> int:
    """Bring the rows of ``relation`` (a relation of the store's scratch) into ``table``.

    With ``full`` every row of the source whose key the relation lacks is retired.

    Returns:
        how many rows were retired.
    """
    columns = [name for name in store.columns(relation) if name in table.columns and name != "run_id"]
    incoming = store.bring(relation)
    known = "source" in table.columns and store.run(f"SELECT 1 FROM {table.name} WHERE source = ? LIMIT 1", [run.source])
    store.rewrites = store.rewrites or bool(known)
    if known and replaces is not None:
        incoming = _make_room(store, table, incoming, replaces, run)
    if "source" in table.columns and not known:  # the bulk: nothing to compare with
        _insert(store, table, columns, f"SELECT {_list(columns, 'i')} FROM {incoming} i", run)
        return 0
    _upsert(store, table, columns, incoming, run)
    if incoming == "rest":
        store.run("DROP TABLE rest")
    return _retire(store, table, incoming, run) if full and replaces is None else 0


def tidy(store: Store, table: sa.Table, run: Run) -> None:
    """After a run's rows are committed: of rows that share a key the newest stays, and a big file's rows lie in order.

    Not in the transaction that brings the rows: DuckDB writes rows twice that are deleted in the one that inserts them.
    """
    if "run_id" in table.columns and key_of(table):
        _drop_older_twins(store, table, run)
        _order(store, table, run)


def _list(columns: Sequence[str], alias: str = "") -> str:
    dot = f"{alias}." if alias else ""
    return ", ".join(f'{dot}"{name}"' for name in columns)


def _on(keys: Sequence[str], left: str, right: str) -> str:
    return " AND ".join(f'{left}."{key}" = {right}."{key}"' for key in keys)


def _insert(store: Store, table: sa.Table, columns: Sequence[str], select: str, run: Run) -> None:
    if "run_id" in table.columns:
        store.run(f'INSERT INTO {table.name} ({_list(columns)}, "run_id") SELECT s.*, {int(run.run_id)} FROM ({select}) s')
    else:
        store.run(f"INSERT INTO {table.name} ({_list(columns)}) {select}")


def _make_room(store: Store, table: sa.Table, incoming: str, replaces: Replacement, run: Run) -> str:
    """Delete what the file speaks of; what is left to bring.

    What a newer export (by its own date) says of the same things stands: its rows stay, and the file's rows that lie in
    what it covers are left out.
    """
    where, values = ["t.source = ?"], [run.source]
    if replaces.day is not None:
        for sign, bound in ((">=", replaces.since), ("<", replaces.until)):
            if bound is not None:
                where.append(f't."{replaces.day}" {sign} ?')
                values.append(bound)  # type: ignore[arg-type]
    if replaces.columns:
        scope = store.bring(replaces.scope)
        where.append(f"EXISTS (SELECT 1 FROM {scope} z WHERE {_same(replaces.columns, 't', 'z')})")
    newer = "(SELECT run_id FROM import_run WHERE as_of > ?)"
    if run.as_of is not None and store.run(f"SELECT 1 FROM {newer} n LIMIT 1", [run.as_of]):
        where.append(f"t.run_id NOT IN {newer}")
        values.append(run.as_of)  # type: ignore[arg-type]
        days = f' AND i."{replaces.day}" >= r.covers_from AND i."{replaces.day}" < r.covers_to' if replaces.day else ""
        store.run(
            f"CREATE TEMP TABLE rest AS SELECT * FROM {incoming} i WHERE NOT EXISTS (SELECT 1 FROM {table.name} t JOIN import_run r "
            f"ON r.run_id = t.run_id WHERE r.as_of > ? AND t.source = ? AND {_same(replaces.columns, 't', 'i')}{days})",
            [run.as_of, run.source],
        )
        incoming = "rest"
    store.run(f"DELETE FROM {table.name} t WHERE {' AND '.join(where)}", values)
    return incoming


def _same(columns: Sequence[str], left: str, right: str) -> str:
    return " AND ".join(f'{left}."{name}" IS NOT DISTINCT FROM {right}."{name}"' for name in columns) or "TRUE"


def _drop_older_twins(store: Store, table: sa.Table, run: Run) -> None:
    """Rows of one file may share a key: the later modified_at stays, else the later row."""
    keys = key_of(table)
    latest = '"modified_at" DESC NULLS LAST, ' if "modified_at" in table.columns else ""
    same, twice = _on(keys, "t", "d"), f"SELECT {_list(keys)} FROM {table.name} WHERE run_id = ? GROUP BY {_list(keys)} HAVING count(*) > 1"
    if store.engine == "duckdb":
        # Hashes are grouped at a third of the cost of keys; rows that share one without sharing a key are told apart below.
        same = f"hash({_list(keys, 't')}) = d.h"
        twice = f"SELECT hash({_list(keys)}) AS h FROM {table.name} WHERE run_id = ? GROUP BY h HAVING count(*) > 1"
    store.run(
        f"CREATE TEMP TABLE twins AS SELECT r FROM (SELECT t.{store.row} AS r, row_number() OVER "
        f"(PARTITION BY {_list(keys, 't')} ORDER BY {latest}t.{store.row} DESC) AS place FROM {table.name} t "
        f"JOIN ({twice}) d ON {same} WHERE t.run_id = ?) ranked WHERE place > 1",
        [run.run_id, run.run_id],
    )
    if store.count("SELECT count(*) FROM twins"):
        store.run(f"DELETE FROM {table.name} WHERE {store.row} IN (SELECT r FROM twins)")
    store.run("DROP TABLE twins")


def _upsert(store: Store, table: sa.Table, columns: Sequence[str], incoming: str, run: Run) -> None:
    keys = key_of(table)
    has_modified = "modified_at" in columns
    latest = '"modified_at" DESC NULLS LAST, ' if has_modified else ""
    store.run(
        f"CREATE TEMP TABLE fresh AS SELECT {_list(columns)} FROM (SELECT n.*, row_number() OVER "
        f"(PARTITION BY {_list(keys)} ORDER BY {latest}nth DESC) AS place FROM "
        f"(SELECT i.*, row_number() OVER () AS nth FROM {incoming} i) n) ranked WHERE place = 1"
    )
    taken = [_taken(column.name, columns, run) for column in table.columns]
    runs = "LEFT JOIN import_run r ON r.run_id = t.run_id" if "run_id" in table.columns else ""
    store.run(
        f"CREATE TEMP TABLE renewed AS SELECT {', '.join(taken)}, t.{store.row} AS old FROM fresh i "
        f"JOIN {table.name} t ON {_on(keys, 't', 'i')} {runs} WHERE {_newer(table, has_modified)}",
        [run.as_of, run.as_of] if runs else [],
    )
    _insert(
        store,
        table,
        columns,
        f"SELECT {_list(columns, 'i')} FROM fresh i WHERE NOT EXISTS (SELECT 1 FROM {table.name} t WHERE {_on(keys, 't', 'i')})",
        run,
    )
    store.run(f"DELETE FROM {table.name} WHERE {store.row} IN (SELECT old FROM renewed)")
    every = [column.name for column in table.columns]
    store.run(f"INSERT INTO {table.name} ({_list(every)}) SELECT {_list(every)} FROM renewed")
    store.run("DROP TABLE renewed")
    store.run("DROP TABLE fresh")


def _taken(name: str, columns: Sequence[str], run: Run) -> str:
    if name == "run_id":
        return f'{int(run.run_id)} AS "run_id"'
    return f'i."{name}" AS "{name}"' if name in columns else f't."{name}" AS "{name}"'


def _newer(table: sa.Table, has_modified: bool) -> str:
    """Whether the incoming row ``i`` beats the row ``t`` that is there."""
    cases = []
    if has_modified:
        cases.append("WHEN i.modified_at <> t.modified_at THEN i.modified_at > t.modified_at")
    if "run_id" in table.columns:
        cases.append("WHEN CAST(? AS TIMESTAMP) <> r.as_of THEN CAST(? AS TIMESTAMP) > r.as_of")
    return f"CASE {' '.join(cases)} ELSE TRUE END" if cases else "TRUE"


def _retire(store: Store, table: sa.Table, incoming: str, run: Run) -> int:
    gone = f"source = ? AND NOT EXISTS (SELECT 1 FROM {incoming} i WHERE {_on(key_of(table), 'i', table.name)})"
    count = store.count(f"SELECT count(*) FROM {table.name} WHERE {gone}", [run.source])
    if count:
        store.run(f"DELETE FROM {table.name} WHERE {gone}", [run.source])
    return count


def _order(store: Store, table: sa.Table, run: Run) -> None:
    """Write a big file's rows again by their business date, if they lie scattered: queries skip what they don't ask for."""
    day = table.info["day"]
    if store.engine != "duckdb" or day is None:
        return
    rows, span, spread = store.run(
        f"SELECT sum(n), date_diff('day', min(lo), max(hi)), avg(date_diff('day', lo, hi)) FROM "
        f"(SELECT count(*) n, min(CAST({day} AS TIMESTAMP)) lo, max(CAST({day} AS TIMESTAMP)) hi FROM {table.name} "
        "WHERE run_id = ? GROUP BY rowid // 122880)",
        [run.run_id],
    )[0]
    if rows is None or rows < _WORTH_ORDERING or not span or spread <= span / 2:
        return
    store.run(f"CREATE TEMP TABLE ordered AS SELECT * FROM {table.name} WHERE run_id = ? ORDER BY {day}", [run.run_id])
    store.run(f"DELETE FROM {table.name} WHERE run_id = ?", [run.run_id])
    store.run(f"INSERT INTO {table.name} SELECT * FROM ordered")
    store.run("DROP TABLE ordered")
