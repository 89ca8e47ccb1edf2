"""What exports said is gone, written down so that an older export, imported later, doesn't bring it back.

A row is gone where an export says that it was deleted, where an invoice is void, and, after an import with ``--full``, where that
export lacks it. Which of two exports is the newer is told as for rows: by the source's own modified time, else by the exports' own
dates. Of a full export the newest modified time in it is its own: what was there then and unchanged since would stand in it.
Where neither is known, the order of the imports counts, and nothing needs to be written down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from kpi.warehouse.renewal import Replacement, Run
from kpi.warehouse.store import Store

#: In place of a key: everything that a full export lacks.
_REST: Final = "*"
_KEPT: Final = "those_that_stay"


def without_retired(store: Store, table: sa.Table, incoming: str, columns: Sequence[str], run: Run, is_full: bool) -> tuple[str, list[str]]:
    """The relation with the rows that aren't gone as a newer export has it, and a sentence on the others.

    ``is_full``: the file is of a command with ``--full``, whose other files are as complete.
    """
    known = store.run(
        "SELECT DISTINCT column_name, row_id = ? FROM retired WHERE table_name = ? AND source = ?", [_REST, table.name, run.source]
    )
    if not known:
        return incoming, []
    stamp = "i.modified_at" if "modified_at" in columns else "CAST(NULL AS TIMESTAMP)"
    newer = (
        f"CASE WHEN g.modified_at <> {stamp} THEN g.modified_at > {stamp} "
        "WHEN CAST(? AS TIMESTAMP) <> r.as_of THEN r.as_of > CAST(? AS TIMESTAMP) ELSE FALSE END"
    )
    gone = "FROM retired g LEFT JOIN import_run r ON r.run_id = g.run_id WHERE g.table_name = ? AND g.source = ? AND g.column_name = ?"
    conditions, values = [], []
    for name, is_rest in sorted(known, key=repr):
        about = [table.name, run.source, name, run.as_of, run.as_of]
        if not is_rest:
            conditions.append(f'EXISTS (SELECT 1 {gone} AND g.row_id = i."{name}" AND {newer})')
            values += about
        elif not is_full:
            there = f'EXISTS (SELECT 1 FROM {table.name} t WHERE t."{name}" = i."{name}")'
            conditions.append(f"(NOT {there} AND EXISTS (SELECT 1 {gone} AND g.row_id = '{_REST}' AND {newer}))")
            values += about
    if not conditions:
        return incoming, []
    left_out = " OR ".join(conditions)
    count = store.count(f"SELECT count(*) FROM {incoming} i WHERE {left_out}", values)
    if not count:
        return incoming, []
    store.run(f"CREATE TEMP TABLE {_KEPT} AS SELECT * FROM {incoming} i WHERE NOT ({left_out})", values)
    rows = f"1 row of {table.name} is" if count == 1 else f"{count:,} rows of {table.name} are"
    return _KEPT, [f"{rows} gone as a newer export has it, and left out"]


def forget_copy(store: Store, incoming: str) -> None:
    """Drop the relation that :func:`without_retired` made."""
    if incoming == _KEPT:
        store.run(f"DROP TABLE {_KEPT}")


def note_gone(store: Store, table: sa.Table, incoming: str, replaces: Replacement, run: Run) -> None:
    """Write down what the file speaks of and has no rows for, and strike out what it has rows for.

    ``incoming``: the rows of the file that came in.
    """
    if len(replaces.columns) != 1:
        return
    (name,) = replaces.columns
    scope = store.bring(replaces.scope)
    has_stamp = "modified_at" in store.columns(replaces.scope)
    stamp = "z.modified_at" if has_stamp else "CAST(NULL AS TIMESTAMP)"
    about = [table.name, run.source, name]
    store.run(
        "DELETE FROM retired WHERE table_name = ? AND source = ? AND column_name = ? AND "
        f'EXISTS (SELECT 1 FROM {incoming} i WHERE i."{name}" = retired.row_id)',
        about,
    )
    if not has_stamp and run.as_of is None:
        return
    absent = f'NOT EXISTS (SELECT 1 FROM {incoming} i WHERE i."{name}" = z."{name}")'
    newer = f'NOT EXISTS (SELECT 1 FROM {table.name} t WHERE t."{name}" = z."{name}")'  # rows of a newer export stand
    gone = f'SELECT z."{name}" AS row_id, max({stamp}) AS modified_at FROM {scope} z WHERE {absent} AND {newer} GROUP BY 1'
    store.run(f"CREATE TEMP TABLE gone_now AS {gone}")
    older = "(g.modified_at IS NULL OR n.modified_at IS NULL OR n.modified_at >= g.modified_at)"
    key = "g.table_name = ? AND g.source = ? AND g.column_name = ?"
    store.run(f"DELETE FROM retired AS g WHERE {key} AND EXISTS (SELECT 1 FROM gone_now n WHERE n.row_id = g.row_id AND {older})", about)
    store.run(
        "INSERT INTO retired (table_name, source, column_name, row_id, modified_at, run_id) SELECT CAST(? AS VARCHAR), CAST(? AS VARCHAR), "
        f"CAST(? AS VARCHAR), n.row_id, n.modified_at, {int(run.run_id)} FROM gone_now n WHERE NOT EXISTS "
        f"(SELECT 1 FROM retired g WHERE {key} AND g.row_id = n.row_id)",
        [*about, *about],
    )
    store.run("DROP TABLE gone_now")


def note_full(store: Store, table: sa.Table, incoming: str, columns: Sequence[str], run: Run) -> None:
    """Write down that a full export has all rows of its source there are."""
    keys = [column.name for column in table.primary_key.columns]
    newest = store.run(f"SELECT max(modified_at) FROM {incoming}")[0][0] if "modified_at" in columns else None
    if len(keys) != 1 or (newest is None and run.as_of is None):
        return
    about = [table.name, run.source, keys[0], _REST]
    where = "table_name = ? AND source = ? AND column_name = ? AND row_id = ?"
    store.run(f"DELETE FROM retired WHERE {where} AND (modified_at IS NULL OR modified_at <= CAST(? AS TIMESTAMP))", [*about, newest])
    store.run(
        "INSERT INTO retired (table_name, source, column_name, row_id, modified_at, run_id) SELECT CAST(? AS VARCHAR), CAST(? AS VARCHAR), "
        f"CAST(? AS VARCHAR), CAST(? AS VARCHAR), CAST(? AS TIMESTAMP), {int(run.run_id)} "
        f"WHERE NOT EXISTS (SELECT 1 FROM retired WHERE {where})",
        [*about, newest, *about],
    )
