"""Which bookings of accounts that a ledger's report doesn't show stand in it under another account.

Equal lines are no proof: a bill may be split evenly over accounts, and a report shows some of them. A booking has moved
only where nothing else explains the line: its own report showed the other account too, and the line wasn't in it; no
account has lost one since; and of lines that are not shown, as many as there are have come up. Else both count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from kpi.warehouse.store import Store

#: Accounts named in a sentence; more are counted.
_NAMED: Final = 3


@dataclass(frozen=True)
class Bookings:
    """How many of which accounts."""

    accounts: tuple[tuple[str, int], ...]

    @property
    def count(self) -> int:
        """Of all accounts."""
        return sum(n for _, n in self.accounts)

    @property
    def noun(self) -> str:
        """``account``, or ``accounts``."""
        return "account" if len(self.accounts) == 1 else "accounts"

    def say(self, one: str, more: str) -> str:
        """``3 bookings of 5200 Tools, 5300 Travel and 2 more accounts``, and what they do: ``counts`` or ``count``."""
        rest = len(self.accounts) - _NAMED
        names = ", ".join(name for name, _ in self.accounts[:_NAMED])
        others = f" and {rest} more account{'' if rest == 1 else 's'}" if rest > 0 else ""
        return f"{self.count:,} booking{'' if self.count == 1 else 's'} of {names}{others} {one if self.count == 1 else more}"


class Moves:
    """Two reports side by side: ``gone``, lines the newer doesn't show the account of; ``kept`` and ``fresh_lines``, old and new
    lines of the accounts that it shows. After :meth:`compare`, ``gone_moved`` has the rows (``r``) that moved.
    """

    def __init__(self, store: Store, account: str, day: str, alike: Sequence[str]) -> None:
        self._store, self._account, self._day = store, account, day
        self._alike = " || '|' || ".join(f"coalesce(CAST(t.\"{column}\" AS VARCHAR), '')" for column in alike) or "''"

    def gone(self, relation: str, where: str, values: Sequence[Any], run: str, asked: str = "TRUE") -> None:
        """List lines that aren't shown. ``run``: SQL of the report that a line is from; ``asked``: SQL of whether it may be retired."""
        self._store.run(
            f"CREATE TEMP TABLE gone AS SELECT t.{self._store.row} AS r, {self._gone(run, asked)} FROM {relation} t WHERE {where}", values
        )

    def gone_too(self, relation: str, where: str, values: Sequence[Any]) -> None:
        """List more of them: they may be what moved, but are not to be retired."""
        self._store.run(f"INSERT INTO gone SELECT NULL, {self._gone('0', 'FALSE')} FROM {relation} t WHERE {where}", values)

    def kept(self, relation: str, where: str, values: Sequence[Any]) -> None:
        """List the older lines of the accounts that the newer report shows."""
        self._lines("kept", relation, where, values)

    def fresh(self, relation: str, where: str = "TRUE", values: Sequence[Any] = ()) -> None:
        """List the newer report's lines."""
        self._lines("fresh_lines", relation, where, values)

    def _gone(self, run: str, asked: str) -> str:
        return f'{run} AS run_id, ({asked}) AS asked, t."{self._account}" AS account, {self._alike} AS alike'

    def _lines(self, name: str, relation: str, where: str, values: Sequence[Any]) -> None:
        self._store.run(
            f'CREATE TEMP TABLE {name} AS SELECT t."{self._account}" AS account, t."{self._day}" AS on_day, {self._alike} AS alike '
            f"FROM {relation} t WHERE {where}",
            list(values),
        )

    def compare(self, shown: str) -> tuple[Bookings, Bookings]:
        """Accounts all of whose lines have moved, and the others.

        ``shown``: SQL of whether the report ``c.run_id`` is what is known of the account ``c.account`` on ``c.on_day``.
        """
        self._store.run(
            "CREATE TEMP TABLE gone_moved AS WITH changed AS (SELECT account, on_day, alike, sum(n) AS n FROM "
            "(SELECT account, on_day, alike, 1 AS n FROM fresh_lines UNION ALL SELECT account, on_day, alike, -1 FROM kept) both_of_them "
            "WHERE alike IN (SELECT alike FROM gone WHERE asked) GROUP BY account, on_day, alike HAVING sum(n) <> 0), "
            "candidates AS (SELECT a.run_id, c.account, c.on_day, c.alike, c.n FROM "
            "(SELECT DISTINCT run_id, alike FROM gone WHERE asked) a JOIN changed c ON c.alike = a.alike), "
            # what an account lost counts whoever saw it, what it gained only if the line's own report saw it without
            f"more AS (SELECT run_id, alike, sum(n) AS n FROM candidates c WHERE c.n < 0 OR {shown} GROUP BY run_id, alike), "
            "rivals AS (SELECT alike, count(*) AS n FROM gone GROUP BY alike), "
            "marked AS (SELECT g.r, g.account, coalesce(m.n >= v.n, FALSE) AS has_moved FROM gone g JOIN rivals v ON v.alike = g.alike "
            "LEFT JOIN more m ON m.alike = g.alike AND m.run_id = g.run_id WHERE g.asked) "
            "SELECT r, account FROM marked a WHERE NOT EXISTS "
            "(SELECT 1 FROM marked b WHERE b.account = a.account AND NOT b.has_moved)"
        )
        count = "SELECT account, count(*) FROM {} GROUP BY account ORDER BY account"
        moved = [(str(account), int(n)) for account, n in self._store.run(count.format("gone_moved"))]
        every = [(str(account), int(n)) for account, n in self._store.run(count.format("gone WHERE asked"))]
        return Bookings(tuple(moved)), Bookings(tuple(one for one in every if one not in moved))

    def retire(self, relation: str) -> None:
        """Delete the rows that moved from what :meth:`gone` listed."""
        self._store.run(f"DELETE FROM {relation} WHERE {self._store.row} IN (SELECT r FROM gone_moved)")

    def forget(self) -> None:
        """Drop the lists."""
        for name in ("gone", "kept", "fresh_lines", "gone_moved"):
            self._store.run(f"DROP TABLE {name}")
