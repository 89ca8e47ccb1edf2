"""The rows of several files into a table at once, with the result of merging one file after the other.

Rows whose keys stand nowhere else, which are nearly all, are inserted. Of the others the newest is found at once, where "newer"
orders them all: by the source's own modified time, else by the export's date, else by the order of the files, as
:mod:`kpi.warehouse.merge` has it. Where some rows say when they were modified and others don't, that is no order: who is newer
depends on which two are compared first, so that files are merged one by one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from kpi.warehouse.engines import duck_dialect
from kpi.warehouse.merge import key_of
from kpi.warehouse.store import Store

#: Tables whose rows depend on their own key's other rows and on nothing else.
ALONE: Final = frozenset({"payment", "source_account", "source_product", "deal_line", "remark", "account_mention"})


@dataclass(frozen=True)
class Runs:
    """Consecutive imports: the number of the first file in the staged relations, its run, and the exports' own dates (UTC)."""

    first_file: int
    first_run: int
    source: str
    as_of: tuple[dt.datetime | None, ...]

    @property
    def is_ordered(self) -> bool:
        """Their dates tell which is the newer, or none has one."""
        return len({date is None for date in self.as_of}) == 1


def merge_together(store: Store, table: sa.Table, relation: str, runs: Runs, assumed: Sequence[str] = ()) -> bool:
    """Bring the rows of ``relation`` into ``table``; ``run_id`` in it is the number of their file. The runs are in ``import_run``.

    Returns:
        False where only one file after the other gives what one after the other gives; ``table`` is as it was.
    """
    if store.run("SELECT 1 FROM retired WHERE table_name = ? AND source = ? LIMIT 1", [table.name, runs.source]):
        return False
    columns = [name for name in store.columns(relation) if name in table.columns and name != "run_id"]
    last = runs.first_file + len(runs.as_of) - 1
    store.scratch.execute(
        f"CREATE OR REPLACE TEMP VIEW several AS SELECT {_list(columns)}, run_id + {runs.first_run - runs.first_file} AS run_id, "
        f'row_number() OVER () AS nth FROM "{relation}" WHERE run_id BETWEEN {runs.first_file} AND {last}'
    )
    several = store.bring("several")
    known = bool(store.run(f"SELECT 1 FROM {table.name} WHERE source = ? LIMIT 1", [runs.source]))
    _find_contested(store, table, several, known)
    every = _list([*columns, "run_id"])
    if not store.count("SELECT count(*) FROM contested"):
        store.run(f"INSERT INTO {table.name} ({every}) SELECT {every} FROM {several}")
        done = True
    elif done := not assumed and runs.is_ordered and _is_ordered(store, table, columns, several, known):
        name = _name(store, table)
        store.run(f"INSERT INTO {table.name} ({every}) SELECT {every} FROM {several} WHERE {name} NOT IN (SELECT name FROM contested)")
        _settle(store, table, columns, several, known)
    store.run("DROP TABLE contested")
    store.scratch.execute("DROP VIEW several")
    return done


def _list(columns: Sequence[str], alias: str = "") -> str:
    return ", ".join(f'{alias}"{name}"' for name in columns)


def _name(store: Store, table: sa.Table) -> str:
    """One value for a row's key; two keys of one name cost time and nothing else."""
    if store.engine == "duckdb":
        dialect = duck_dialect()
        typed = [f'CAST("{key}" AS {table.columns[key].type.compile(dialect)})' for key in key_of(table)]
        return f"hash({', '.join(typed)})"
    return " || ' ' || ".join(f"coalesce(CAST(\"{key}\" AS TEXT), '')" for key in key_of(table))


def _find_contested(store: Store, table: sa.Table, several: str, known: bool) -> None:
    """The names of keys that several rows have."""
    names = f"SELECT {_name(store, table)} AS name FROM"
    twice = f"SELECT name FROM ({names} {several}) s GROUP BY name HAVING count(*) > 1"
    if known:
        twice += f" UNION SELECT s.name FROM ({names} {several}) s JOIN ({names} {table.name}) t ON t.name = s.name"
    store.run(f"CREATE TEMP TABLE contested AS {twice}")


def _is_ordered(store: Store, table: sa.Table, columns: Sequence[str], several: str, known: bool) -> bool:
    """Whether all contested rows say when they were modified, or none does."""
    if "modified_at" not in columns:
        return True
    name = _name(store, table)
    rows = f"SELECT modified_at FROM {several} WHERE {name} IN (SELECT name FROM contested)"
    if known:
        rows += f" UNION ALL SELECT modified_at FROM {table.name} WHERE {name} IN (SELECT name FROM contested)"
    stamped, every = store.run(f"SELECT count(modified_at), count(*) FROM ({rows}) r")[0]
    return stamped in (0, every)


def _settle(store: Store, table: sa.Table, columns: Sequence[str], several: str, known: bool) -> None:
    """Of the rows of each contested key the newest, the one that is there among them."""
    keys = key_of(table)
    by_time = "i.modified_at DESC NULLS LAST, " if "modified_at" in columns else ""
    store.run(
        f"CREATE TEMP TABLE newest AS SELECT * FROM (SELECT i.*, r.as_of, row_number() OVER (PARTITION BY {_list(keys, 'i.')} "
        f"ORDER BY {by_time}r.as_of DESC NULLS LAST, i.run_id DESC, i.nth DESC) AS place FROM {several} i "
        f"JOIN import_run r ON r.run_id = i.run_id WHERE {_name(store, table)} IN (SELECT name FROM contested)) ranked WHERE place = 1"
    )
    every = [column.name for column in table.columns]
    same = " AND ".join(f't."{key}" = i."{key}"' for key in keys)
    mine = [*columns, "run_id"]
    if known:
        taken = ", ".join(f'i."{name}"' if name in mine else f't."{name}"' for name in every)
        cases = "WHEN i.modified_at <> t.modified_at THEN i.modified_at > t.modified_at " if by_time else ""
        store.run(
            f"CREATE TEMP TABLE renewed AS SELECT {taken}, t.{store.row} AS old FROM newest i JOIN {table.name} t ON {same} "
            f"LEFT JOIN import_run r ON r.run_id = t.run_id "
            f"WHERE CASE {cases}WHEN i.as_of <> r.as_of THEN i.as_of > r.as_of ELSE TRUE END"
        )
    new = f"NOT EXISTS (SELECT 1 FROM {table.name} t WHERE {same})" if known else "TRUE"
    store.run(f"INSERT INTO {table.name} ({_list(mine)}) SELECT {_list(mine, 'i.')} FROM newest i WHERE {new}")
    if known:
        # those of this command leave few gaps, and closing them would write all of its rows again
        before = "SELECT coalesce(max(archive_line), 0) FROM generation"
        replaced = f"SELECT count(*) FROM {table.name} WHERE {store.row} IN (SELECT old FROM renewed) AND run_id <= ({before})"
        store.rewrites = store.rewrites or bool(store.count(replaced))
        store.run(f"DELETE FROM {table.name} WHERE {store.row} IN (SELECT old FROM renewed)")
        store.run(f"INSERT INTO {table.name} ({_list(every)}) SELECT {_list(every)} FROM renewed")
        store.run("DROP TABLE renewed")
    store.run("DROP TABLE newest")
