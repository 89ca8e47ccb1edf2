"""Staged rows into a table: the newest of each key stays, rows without an id take the place of what they cover.

Of two rows with the same key the newer wins: by the source's own modified time, else by the date of the export,
else by the archive's order, so that exports may be imported in any order. A column that a file doesn't have keeps its
value. The first rows of a source, which are the bulk, go in by one INSERT; nothing is indexed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from kpi.warehouse.engines import duck_dialect
from kpi.warehouse.reasons import NOT_DERIVED
from kpi.warehouse.renewal import Replacement as Replacement
from kpi.warehouse.renewal import Run as Run
from kpi.warehouse.renewal import absent, make_room
from kpi.warehouse.retired import forget_copy, note_full, note_gone, without_retired
from kpi.warehouse.store import Store

#: Fewer rows fit into so few of DuckDB's row groups (122,880 rows each) that their order saves nothing.
_WORTH_ORDERING: Final = 500_000
#: A file of so many rows is not read once more to see whether any is known already: they go in, and those that are come out again.
_MANY: Final = 200_000
#: Of such a file the first rows, which tell whether it is mostly what is known already.
_FIRST: Final = 20_000


def key_of(table: sa.Table) -> list[str]:
    """Names of the key's columns."""
    return [column.name for column in table.primary_key.columns]


def merge(
    store: Store,
    table: sa.Table,
    relation: str,
    run: Run,
    replaces: Replacement | None = None,
    full: int = 0,
    assumed: Sequence[str] = (),
    rows: int = 0,
) -> tuple[str, ...]:
    """Bring the rows of ``relation`` (a relation of the store's scratch) into ``table``.

    With ``full``, the first run of a command with ``--full``, every row of the source that the relation lacks is retired;
    where it replaces rows of a period, every row of that period. ``assumed``: columns that the file doesn't state. ``rows``: about how
    many there are, where that is known.

    Returns:
        sentences on what was retired or left out.
    """
    columns = [name for name in store.columns(relation) if name in table.columns and name != "run_id"]
    incoming = store.bring(relation)
    known = "source" in table.columns and store.run(f"SELECT 1 FROM {table.name} WHERE source = ? LIMIT 1", [run.source])
    incoming, notes = without_retired(store, table, incoming, columns, run, bool(full))
    arrived = incoming
    if replaces is not None:
        deletes = set(replaces.columns) == set(key_of(table))  # what the file says is deleted, not what it holds
        incoming, said = make_room(store, table, incoming, replaces, run, 0 if deletes else full)
        notes += said
    if known and "is_observed" in table.columns:
        _forget_observed(store, table, incoming)
    many = rows >= _MANY and store.engine == "duckdb"
    bulk = "source" in table.columns and (not known or (not full and not _meets(store, table, incoming, _FIRST if many else None)))
    store.rewrites = store.rewrites or bool(known and (not bulk or replaces or "is_observed" in table.columns))
    if bulk:  # nothing to compare with; what a file says twice is told apart in the end
        _insert(store, table, columns, f"SELECT {_list(columns, 'i')} FROM {incoming} i", run)
        if known and many:
            _compare(store, table, columns, run, assumed)
    else:
        _upsert(store, table, columns, incoming, run, assumed)
        if full and replaces is None:
            notes += _retire(store, table, incoming, run)
    if full and replaces is None:
        note_full(store, table, incoming, columns, run)
    if replaces is not None and replaces.whole:
        note_gone(store, table, incoming, replaces, run)
    for name in ("rest", "overtaken"):
        store.run(f"DROP TABLE IF EXISTS {name}")
    forget_copy(store, arrived)
    return tuple(notes)


def _meets(store: Store, table: sa.Table, incoming: str, first: int | None = None) -> bool:
    """Whether a row that comes, or one of the ``first``, may have the key of one that is there; of a month after the last none has."""
    keys = key_of(table)
    if "run_id" not in table.columns or not keys:
        return True
    if store.engine != "duckdb":
        return bool(store.run(f"SELECT 1 FROM {incoming} i JOIN {table.name} t ON {_on(keys, 't', 'i')} LIMIT 1"))
    # hashes take a fraction of the memory of keys; two keys of one hash cost time and nothing else
    dialect = duck_dialect()
    typed = ", ".join(f'CAST("{key}" AS {table.columns[key].type.compile(dialect)})' for key in keys)
    hashes = f"SELECT hash({typed}) AS h FROM {{}}"
    some = "" if first is None else f" LIMIT {int(first)}"
    return bool(store.run(f"SELECT 1 FROM ({hashes.format(incoming)}{some}) i JOIN ({hashes.format(table.name)}) t USING (h) LIMIT 1"))


def _compare(store: Store, table: sa.Table, columns: Sequence[str], run: Run, assumed: Sequence[str]) -> None:
    """Of a run's rows that went in unseen, take those out whose key was there before, and let the newer of the two stay."""
    hashes = f"SELECT hash({_list(key_of(table))}) AS h FROM {table.name} WHERE run_id"
    store.run(f"CREATE TEMP TABLE met AS SELECT DISTINCT h FROM ({hashes} = ?) i JOIN ({hashes} <> ?) t USING (h)", [run.run_id] * 2)
    if store.count("SELECT count(*) FROM met"):
        store.rewrites = True
        store.run(
            f"CREATE TEMP TABLE again AS SELECT {store.row} AS r, {_list(columns)} FROM {table.name} "
            f"WHERE run_id = ? AND hash({_list(key_of(table))}) IN (SELECT h FROM met) ORDER BY r",
            [run.run_id],
        )
        store.run(f"DELETE FROM {table.name} WHERE {store.row} IN (SELECT r FROM again)")
        _upsert(store, table, columns, "again", run, assumed)
        store.run("DROP TABLE again")
    store.run("DROP TABLE met")


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


def _upsert(store: Store, table: sa.Table, columns: Sequence[str], incoming: str, run: Run, assumed: Sequence[str]) -> None:
    keys = key_of(table)
    has_modified = "modified_at" in columns
    latest = '"modified_at" DESC NULLS LAST, ' if has_modified else ""
    store.run(
        f"CREATE TEMP TABLE fresh AS SELECT {_list(columns)} FROM (SELECT n.*, row_number() OVER "
        f"(PARTITION BY {_list(keys)} ORDER BY {latest}nth DESC) AS place FROM "
        f"(SELECT i.*, row_number() OVER () AS nth FROM {incoming} i) n) ranked WHERE place = 1"
    )
    taken = [_taken(column.name, columns, run, assumed) for column in table.columns]
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


def _taken(name: str, columns: Sequence[str], run: Run, assumed: Sequence[str]) -> str:
    if name == "run_id":
        return f'{int(run.run_id)} AS "run_id"'
    if name in assumed and name in columns:
        return f'coalesce(t."{name}", i."{name}") AS "{name}"'
    return f'i."{name}" AS "{name}"' if name in columns else f't."{name}" AS "{name}"'


def _newer(table: sa.Table, has_modified: bool) -> str:
    """Whether the incoming row ``i`` beats the row ``t`` that is there."""
    cases = []
    if has_modified:
        cases.append("WHEN i.modified_at <> t.modified_at THEN i.modified_at > t.modified_at")
    if "run_id" in table.columns:
        cases.append("WHEN CAST(? AS TIMESTAMP) <> r.as_of THEN CAST(? AS TIMESTAMP) > r.as_of")
    return f"CASE {' '.join(cases)} ELSE TRUE END" if cases else "TRUE"


def _forget_observed(store: Store, table: sa.Table, incoming: str) -> None:
    """A history that the source keeps takes the place of what exports showed; see :mod:`kpi.warehouse.sightings`."""
    thing = key_of(table)[0]
    store.run(f'DELETE FROM {table.name} AS t WHERE t.is_observed AND EXISTS (SELECT 1 FROM {incoming} i WHERE i."{thing}" = t."{thing}")')


def _retire(store: Store, table: sa.Table, incoming: str, run: Run) -> list[str]:
    gone = f"source = ? AND NOT EXISTS (SELECT 1 FROM {incoming} i WHERE {_on(key_of(table), 'i', table.name)})"
    if table.name == "remark":  # the reasons of deals and subscriptions go with those
        gone += f" AND {NOT_DERIVED}"
    count = store.count(f"SELECT count(*) FROM {table.name} WHERE {gone}", [run.source])
    if not count:
        return []
    store.run(f"DELETE FROM {table.name} WHERE {gone}", [run.source])
    return [absent(count, table.name)]


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
