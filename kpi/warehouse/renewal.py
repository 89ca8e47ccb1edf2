"""Rows without an id of their own: what a newer export says of the same things takes their place.

A ledger's report speaks of the accounts it shows, over its period; an issue's worklogs are all in its export. Whether
a report shows every account it doesn't say, so the rows of an account that it leaves out stay, with two exceptions: a
booking that stands in it under another account has moved where that is certain (:mod:`kpi.warehouse.moves`), and an
export imported with ``--full`` is complete.

A list of bookings (QuickBooks' Transaction List by Date, bills) is no full account of any ledger account. Its rows count only on
days that no report by account covers, whichever of the two is imported first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import pyarrow as pa
import sqlalchemy as sa

from kpi.warehouse.moves import Bookings, Moves
from kpi.warehouse.store import Store


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

    @property
    def alike(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def partial(self) -> bool: ...  # noqa: D102

    @property
    def whole(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class Run:
    """The import that rows come from: its number, its system, and the export's own date (UTC) if it has one."""

    run_id: int
    source: str
    as_of: dt.datetime | None


def make_room(store: Store, table: sa.Table, incoming: str, replaces: Replacement, run: Run, full: int) -> tuple[str, list[str]]:
    """Delete what the file speaks of; the relation with what is left to bring, and sentences on what went.

    What a newer export (by its own date) says of the same things stands: its rows stay, and the file's rows that lie in
    what it covers are left out. ``full``: the first run of a command with ``--full``, else 0.
    """
    scope = store.bring(replaces.scope)
    if replaces.day is None:
        return _for_all_time(store, table, incoming, replaces, scope, run, full)
    if replaces.partial:
        return _as_list(store, table, incoming, replaces, scope, run)
    return _Period(store, table, replaces, scope, run, full).make_room(incoming)


def _for_all_time(
    store: Store, table: sa.Table, incoming: str, replaces: Replacement, scope: str, run: Run, full: int
) -> tuple[str, list[str]]:
    """The rows of an issue go with the issue: where the file's is not the one that counts, neither are its rows."""
    notes = []
    where, values = ["t.source = ?"], [run.source, *_newer_than(store, run)]
    left_out = []
    newer = "(SELECT run_id FROM import_run WHERE as_of > ?)"
    if len(values) > 1:
        where.append(f"t.run_id NOT IN {newer}")
        left_out.append(f"EXISTS (SELECT 1 FROM {table.name} t WHERE t.run_id IN {newer} AND {_same(replaces.columns, 't', 'i')})")
    if "modified_at" in store.columns(replaces.scope):
        same, mine = _same(replaces.columns, "t", "z"), ", ".join(f'z."{name}"' for name in replaces.columns)
        store.run(
            f"CREATE TEMP TABLE overtaken AS SELECT DISTINCT {mine} FROM {scope} z "
            f"JOIN {table.name} t ON {same} AND t.source = ? AND t.modified_at > z.modified_at",
            [run.source],
        )
        where.append(f"NOT EXISTS (SELECT 1 FROM overtaken o WHERE {_same(replaces.columns, 't', 'o')})")
        left_out.append(f"EXISTS (SELECT 1 FROM overtaken o WHERE {_same(replaces.columns, 'i', 'o')})")
    stale = _stale(table, replaces.columns, run)
    if stale and (count := store.count(f"SELECT count(*) FROM {scope} i WHERE {stale.format('i')}")):
        where.append(f"NOT {stale.format('t')}")
        left_out.append(stale.format("i"))
        are, them, their = ("is", "it", "its") if count == 1 else ("are", "them", "their")
        notes.append(f"{count:,} of its records {are} older than what is known of {them}, so {their} rows of {table.name} stay as they are")
    if not full:
        where.append(f"EXISTS (SELECT 1 FROM {scope} z WHERE {_same(replaces.columns, 't', 'z')})")
    if left_out:
        store.run(f"CREATE TEMP TABLE rest AS SELECT * FROM {incoming} i WHERE NOT ({' OR '.join(left_out)})", values[1:])
        incoming = "rest"
    return incoming, [*notes, *_delete(store, table, incoming, " AND ".join(where), values, bool(full))]


#: What a list writes down in place of an account that it speaks of.
_LIST: Final = ""
_LISTS: Final = f"(SELECT s.run_id FROM report_scope s WHERE s.table_name = ? AND s.source = ? AND s.account = '{_LIST}')"


def _as_list(store: Store, table: sa.Table, incoming: str, replaces: Replacement, scope: str, run: Run) -> tuple[str, list[str]]:
    """What of a list counts: days that no report by account covers, nor a list of a later date.

    What older lists hold of the same scope and days makes room.
    """
    day = f'"{replaces.day}"'
    if replaces.since == dt.date.max:
        return incoming, []  # it holds no rows
    store.run(f"CREATE TEMP TABLE rest AS SELECT * FROM {incoming}")
    covered = (
        f"DELETE FROM rest AS t WHERE EXISTS (SELECT 1 FROM report_scope s JOIN import_run r ON r.run_id = s.run_id "
        f"WHERE s.table_name = ? AND s.source = ? AND t.{day} >= s.covers_from AND t.{day} < s.covers_to AND {{}})"
    )
    notes = []
    for which, words, values in (
        (f"s.account <> '{_LIST}'", "a report by account", []),
        (f"s.account = '{_LIST}' AND r.as_of > ?", "a newer list", _newer_than(store, run)),
    ):
        if "?" in which and not values:
            continue
        before = store.count("SELECT count(*) FROM rest")
        store.run(covered.format(which), [table.name, run.source, *values])
        left_out = before - store.count("SELECT count(*) FROM rest")
        if left_out:
            rows = "1 of its rows lies" if left_out == 1 else f"{left_out:,} of its rows lie"
            notes.append(f"{rows} in days that {words} covers, which counts instead")
    newer = _newer_than(store, run)
    older = " AND t.run_id NOT IN (SELECT run_id FROM import_run WHERE as_of > ?)" if newer else ""
    where = f"t.source = ? AND t.{day} >= ? AND t.{day} < ? AND t.run_id IN {_LISTS}{older} "
    where += f"AND EXISTS (SELECT 1 FROM {scope} z WHERE {_same(replaces.columns, 't', 'z')})"
    notes += _delete(store, table, "rest", where, [run.source, replaces.since, replaces.until, table.name, run.source, *newer], False)
    said = {"run_id": run.run_id, "table_name": table.name, "source": run.source, "account": _LIST}
    store.add("report_scope", pa.Table.from_pylist([said | {"covers_from": replaces.since, "covers_to": replaces.until}]))
    return "rest", notes


def _stale(table: sa.Table, columns: Iterable[str], run: Run) -> str:
    """Whether the thing that a row of an alias ``{0}`` belongs to counts as another import has it."""
    for column in (table.columns[name] for name in columns):
        for key in column.foreign_keys:
            if "run_id" in key.column.table.columns:
                parent, name = key.column.table.name, key.column.name
                return f"EXISTS (SELECT 1 FROM {parent} p WHERE p.{name} = {{0}}.{column.name} AND p.run_id <> {int(run.run_id)})"
    return ""


def _newer_than(store: Store, run: Run) -> list[Any]:
    """The file's own date, if there are exports that were made after it."""
    if run.as_of is None or not store.run("SELECT 1 FROM import_run WHERE as_of > ? LIMIT 1", [run.as_of]):
        return []
    return [run.as_of]


def _same(columns: Iterable[str], left: str, right: str) -> str:
    return " AND ".join(f'{left}."{name}" IS NOT DISTINCT FROM {right}."{name}"' for name in columns) or "TRUE"


def _delete(store: Store, table: sa.Table, incoming: str, where: str, values: list[Any], full: bool) -> list[str]:
    """Delete rows; the sentence on those that don't come again. The first of ``values`` is the source."""
    if not store.run(f"SELECT 1 FROM {table.name} WHERE source = ? LIMIT 1", values[:1]):
        return []  # a first import: to find nothing that comes again, the whole file would be read
    keys = [column.name for column in table.primary_key.columns]
    same = " AND ".join(f'i."{key}" = t."{key}"' for key in keys)
    again = f"EXISTS (SELECT 1 FROM {incoming} i WHERE {same})"
    gone = store.count(f"SELECT count(*) FROM {table.name} t WHERE {where} AND NOT {again}", values)
    store.run(f"DELETE FROM {table.name} t WHERE {where}", values)
    if not gone:
        return []
    if full:
        return [absent(gone, table.name)]
    rows = f"1 row of {table.name} reads" if gone == 1 else f"{gone:,} rows of {table.name} read"
    return [f"{rows} otherwise here than in earlier exports, or not at all: what this one says took their place"]


def absent(count: int, table: str) -> str:
    """What ``--full`` retired, in a sentence."""
    rows = f"1 row of {table} that is" if count == 1 else f"{count:,} rows of {table} that are"
    return f"{rows} absent from this full export {'was' if count == 1 else 'were'} retired"


class _Period:
    """A report of some accounts over a period."""

    def __init__(self, store: Store, table: sa.Table, replaces: Replacement, scope: str, run: Run, full: int) -> None:
        self.store, self.table, self.replaces, self.run, self.full = store, table, replaces, run, full
        self.scope = scope
        self.account = replaces.columns[0]
        self.day = str(replaces.day)
        newer = _newer_than(store, run)
        older = " AND t.run_id NOT IN (SELECT run_id FROM import_run WHERE as_of > ?)" if newer else ""
        self.within = f't.source = ? AND t."{self.day}" >= ? AND t."{self.day}" < ?{older}'
        self.values: list[Any] = [run.source, replaces.since, replaces.until, *newer]
        self.spoken_of = f"EXISTS (SELECT 1 FROM {scope} z WHERE {_same(replaces.columns, 't', 'z')})"
        self.newer = bool(newer)

    def make_room(self, incoming: str) -> tuple[str, list[str]]:
        """See :func:`make_room`."""
        notes = self._without_lists()
        if self.newer:
            incoming, newer = self._without_newer(incoming)
            notes += newer
        if self.full:
            # the other reports of the same command are as complete as this one
            every = f"{self.within} AND ({self.spoken_of} OR t.run_id < {int(self.full)})"
            notes += _delete(self.store, self.table, incoming, every, self.values, True)
        else:
            notes += self._moved(incoming)
            notes += _delete(self.store, self.table, incoming, f"{self.within} AND {self.spoken_of}", self.values, False)
        self._remember()
        return incoming, notes

    def _without_lists(self) -> list[str]:
        """Lists count only where no report does, however new they are."""
        where = f't.source = ? AND t."{self.day}" >= ? AND t."{self.day}" < ? AND t.run_id IN {_LISTS}'
        values = [self.run.source, self.replaces.since, self.replaces.until, self.table.name, self.run.source]
        count = self.store.count(f"SELECT count(*) FROM {self.table.name} t WHERE {where}", values)
        if not count:
            return []
        self.store.run(f"DELETE FROM {self.table.name} t WHERE {where}", values)
        rows = "1 row that a list brought lies" if count == 1 else f"{count:,} rows that lists brought lie"
        return [f"{rows} in the days of this report, which counts instead"]

    def _remember(self) -> None:
        """Write down what the file spoke of, for older ones that come later."""
        accounts = [row[0] for row in self.store.run(f'SELECT DISTINCT "{self.account}" FROM {self.scope}')]
        said = {"run_id": self.run.run_id, "table_name": self.table.name, "source": self.run.source}
        said |= {"covers_from": self.replaces.since, "covers_to": self.replaces.until}
        rows = [{**said, "account": account} for account in ["*" if self.full else None, *accounts] if account is not None]
        if rows:
            self.store.add("report_scope", pa.Table.from_pylist(rows))

    def _moved(self, incoming: str) -> list[str]:
        """Retire what stands under another account now; say what the report doesn't show.

        Only rows of reports that have an account in common with this one: of others it may know nothing.
        """
        mine = f"EXISTS (SELECT 1 FROM {self.scope} z WHERE z.{self.account} = s.account)"
        common = (
            f"t.run_id IN (SELECT s.run_id FROM report_scope s WHERE s.table_name = '{self.table.name}' AND s.source = ? "
            f"AND (s.account = '*' OR {mine}))"
        )
        unseen = f"{self.within} AND NOT {self.spoken_of}"
        if not self.store.run(f"SELECT 1 FROM {self.table.name} t WHERE {unseen} AND {common} LIMIT 1", [*self.values, self.run.source]):
            return []
        moves = self._moves()
        moves.gone(self.table.name, unseen, [self.run.source, *self.values], "t.run_id", common)
        moves.kept(self.table.name, f"{self.within} AND {self.spoken_of}", self.values)
        moves.fresh(incoming)
        moved, left = moves.compare(self._last_to_show())
        if moved.count:
            moves.retire(self.table.name)
        moves.forget()
        said = []
        if moved.count:
            place = "here under another account and no longer"
            said.append(moved.say(f"stands {place} counts under the old one", f"stand {place} count under the old one"))
        if left.count:
            known = left.say(
                "in this period is known from earlier reports and still counts",
                "in this period are known from earlier reports and still count",
            )
            said.append(
                f"{known}, though this report doesn't show the {left.noun}: if it is one of all accounts, import it again with --full"
            )
        return said

    def _last_to_show(self) -> str:
        """Whether a report showed an account on a day, and none did since: what stands in the account is what it said."""
        return (
            "EXISTS (SELECT 1 FROM report_scope s JOIN import_run sr ON sr.run_id = s.run_id WHERE s.run_id = c.run_id "
            f"AND s.table_name = '{self.table.name}' AND s.account IN ('*', c.account) AND NOT EXISTS "
            "(SELECT 1 FROM report_scope o JOIN import_run r ON r.run_id = o.run_id WHERE o.run_id <> s.run_id "
            "AND o.table_name = s.table_name AND o.source = s.source AND o.account IN ('*', c.account) "
            "AND c.on_day >= o.covers_from AND c.on_day < o.covers_to AND (o.run_id > s.run_id OR r.as_of > sr.as_of)))"
        )

    def _moves(self) -> Moves:
        return Moves(self.store, self.account, self.day, self.replaces.alike)

    def _without_newer(self, incoming: str) -> tuple[str, list[str]]:
        """What is left of the file's rows beside what newer reports say of the same accounts and days."""
        store = self.store
        store.run(f"CREATE TEMP TABLE rest AS SELECT * FROM {incoming}")
        before = store.count("SELECT count(*) FROM rest")
        runs = store.run(
            "SELECT DISTINCT s.run_id, s.covers_from, s.covers_to FROM report_scope s JOIN import_run r ON r.run_id = s.run_id "
            "WHERE r.as_of > ? AND s.table_name = ? AND s.source = ? ORDER BY s.run_id",
            [self.run.as_of, self.table.name, self.run.source],
        )
        notes = []
        unseen: dict[str, int] = {}
        for run_id, since, until in runs:
            days = f't."{self.day}" >= ? AND t."{self.day}" < ?'
            theirs = f"EXISTS (SELECT 1 FROM report_scope s WHERE s.run_id = {int(run_id)} AND s.account IN ('*', t.{self.account}))"
            mine = (
                f"SELECT 1 FROM report_scope s JOIN {self.scope} z ON z.{self.account} = s.account WHERE s.run_id = {int(run_id)} LIMIT 1"
            )
            if store.run(mine):
                moved, left = self._against(incoming, int(run_id), f"{days} AND {{}}{theirs}", [since, until])
                if moved.count:
                    place = "under another account in a newer report, where"
                    notes.append(moved.say(f"stands {place} it counts", f"stand {place} they count"))
                    before -= moved.count
                unseen |= {account: max(n, unseen.get(account, 0)) for account, n in left.accounts}
            store.run(f"DELETE FROM rest t WHERE {days} AND {theirs}", [since, until])
        left_out = before - store.count("SELECT count(*) FROM rest")
        if left_out:
            lines = "1 of its bookings lies" if left_out == 1 else f"{left_out:,} of its bookings lie"
            notes.append(f"{lines} in what a newer report covers, which counts instead")
        here = {str(account): int(n) for account, n in store.run(f'SELECT "{self.account}", count(*) FROM rest GROUP BY 1')}
        still = Bookings(tuple((account, min(n, here[account])) for account, n in sorted(unseen.items()) if account in here))
        if still.count:
            notes.append(
                f"{still.say('still counts', 'still count')}, though a newer report of the period doesn't show the {still.noun}: "
                "if it is one of all accounts, import that one again with --full"
            )
        return "rest", notes

    def _against(self, incoming: str, run_id: int, theirs: str, days: list[Any]) -> tuple[Bookings, Bookings]:
        """What a newer report, which is in the table, says of the rest of the file: see :meth:`Moves.compare`.

        ``theirs``: SQL of whether ``t`` lies in what it covers, with a place for NOT before the accounts.
        """
        hidden, shown = theirs.format("NOT "), theirs.format("")
        moves = self._moves()
        moves.gone("rest", hidden, days, "0")
        # other reports' lines that the newer one doesn't show may be what moved as well
        moves.gone_too(self.table.name, f"t.source = ? AND {hidden} AND NOT {self.spoken_of}", [self.run.source, *days])
        moves.kept(incoming, shown, days)  # not of the rest: what one newer report covers, another may cover too
        moves.fresh(self.table.name, f"t.run_id = {run_id}")
        both = moves.compare("TRUE" if self.full else f"EXISTS (SELECT 1 FROM {self.scope} z WHERE z.{self.account} = c.account)")
        if both[0].count:
            moves.retire("rest")
        moves.forget()
        return both
