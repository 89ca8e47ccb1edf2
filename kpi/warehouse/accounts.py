"""The tables of accounts, made anew from what the systems know: links, accounts, candidates, versions.

All of it is a function of the imported rows and of what people decided, so that a rebuilt warehouse is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import pyarrow as pa

from kpi.warehouse.identity import Candidate, Customer, Decision, Link, link_accounts
from kpi.warehouse.schema import account, account_link, facts, link_candidate, link_decision
from kpi.warehouse.store import Store

#: Every record: what exports of accounts say, and what others name.
_RECORDS: Final = (
    "SELECT * FROM account_record UNION ALL SELECT m.* FROM account_mention m "
    "WHERE NOT EXISTS (SELECT 1 FROM account_record r WHERE r.account_id = m.account_id)"
)
#: Columns that say which record an account is.
_OWN: Final = ("source", "source_id", "run_id", "modified_at")


def copy_decisions(store: Store, rows: Sequence[dict[str, Any]]) -> frozenset[str]:
    """Let ``link_decision`` hold ``rows``; the kinds of which any changed."""
    names = [column.name for column in link_decision.columns]
    known = {tuple(row) for row in store.run(f"SELECT {', '.join(names)} FROM link_decision")}
    wanted = {tuple(row[name] for name in names) for row in rows}
    if wanted == known:
        return frozenset()
    store.run("DELETE FROM link_decision")
    if rows:
        store.add("link_decision", pa.Table.from_pylist(list(rows), schema=_DECISIONS))
    return frozenset(str(row[names.index("kind")]) for row in wanted ^ known)


_DECISIONS: Final = pa.schema(
    [
        ("decision_id", pa.int64()),
        *((name, pa.string()) for name in ("kind", "decision", "source", "source_id", "target")),
        ("decided_at", pa.timestamp("us")),
        *((name, pa.string()) for name in ("decided_by", "reason")),
    ]
)


def refresh_accounts(store: Store, ranking: Sequence[str]) -> bool:
    """Compute ``account_link``, ``link_candidate`` and ``account`` anew; whether any link changed.

    ``ranking``: systems, the one whose word counts first.
    """
    store.run(f"CREATE TEMP TABLE record AS {_RECORDS}")
    found = store.run(
        "SELECT r.account_id, r.source, r.source_id, r.name, coalesce(r.domain, s.domain), s.other_id, s.email, s.merged_into, "
        "s.merged_ids "
        "FROM record r LEFT JOIN source_account s ON s.source = r.source AND s.source_id = r.source_id ORDER BY r.account_id"
    )
    decided = store.run("SELECT decision, source, source_id, target FROM link_decision WHERE kind = 'account' ORDER BY decision_id")
    result = link_accounts(*_known(store, found), ranking, [Decision(*row) for row in decided])
    moved = _write_links(store, list(result.links.values()))
    _write_candidates(store, result.candidates)
    _write_accounts(store, ranking)
    store.run("DROP TABLE record")
    return moved


def _known(store: Store, found: Sequence[tuple[Any, ...]]) -> tuple[list[tuple[str, Customer]], list[Customer]]:
    """Accounts and customers; none where there is no CRM, since there is nobody to be."""
    if not found:
        return [], []
    into = {(row[1], gone.strip()): row[2] for row in found for gone in (row[8] or "").split(";") if gone.strip()}
    accounts = [(row[0], Customer(*(*row[1:7], row[7] or into.get((row[1], row[2]))))) for row in found]
    rows = store.run(
        "SELECT source, source_id, name, coalesce(domain, split_part(email, '@', 2)), other_id, lower(email), merged_into "
        "FROM source_account ORDER BY source, source_id"
    )
    customers = [Customer(*(*row[:6], row[6] or into.get((row[0], row[1])))) for row in rows]
    told = {customer.key for customer in customers}
    customers += [
        Customer(source, gone, None, None, merged_into=winner) for (source, gone), winner in into.items() if (source, gone) not in told
    ]
    told |= {customer.key for customer in customers}
    customers += [_by_its_id(source, id_) for source, id_ in _named(store) if (source, id_) not in told]
    return accounts, customers


def _named(store: Store) -> list[tuple[str, str]]:
    """Customers that rows name."""
    union = " UNION ".join(
        f"SELECT source, source_account_id FROM {name} WHERE source_account_id IS NOT NULL AND source IS NOT NULL"
        for name in linked_tables()
    )
    return [(str(source), str(id_)) for source, id_ in sorted(store.run(union))]


def _by_its_id(source: str, id_: str) -> Customer:
    """A customer of whom a system says nothing but an id, an address, a domain or a name."""
    if "@" in id_:
        return Customer(source, id_, None, id_.rsplit("@", 1)[1], email=id_.lower())
    if " " not in id_ and "." in id_.strip("."):
        return Customer(source, id_, id_, id_.lower())
    is_name = any(letter.isalpha() for letter in id_) and (" " in id_ or not any(letter.isdigit() for letter in id_))
    return Customer(source, id_, id_ if is_name else None, None, other_id=id_)


def _write_links(store: Store, links: list[Link]) -> bool:
    rows = {(link.source, link.source_id, link.account_id, link.method) for link in links}
    if rows == set(store.run("SELECT source, source_id, account_id, method FROM account_link")):
        return False
    store.run("DELETE FROM account_link")
    _add(store, account_link.name, sorted(links, key=lambda link: (link.source, link.source_id)))
    return True


def _write_candidates(store: Store, candidates: list[Candidate]) -> None:
    store.run("DELETE FROM link_candidate")
    once = {(one.source, one.source_id, one.account_id): one for one in candidates}
    _add(store, link_candidate.name, [once[key] for key in sorted(once)])


def _add(store: Store, table: str, rows: Sequence[Link] | Sequence[Candidate]) -> None:
    if rows:
        names = type(rows[0]).__slots__
        store.add(table, pa.table({name: [getattr(row, name) for row in rows] for name in names}))


def _write_accounts(store: Store, ranking: Sequence[str]) -> None:
    """One row an account: what the system that ranks first and knows it says of each attribute."""
    place = " ".join(f"WHEN r.source = ? THEN {at}" for at in range(len(ranking)))
    ranked = f"CASE {place} ELSE {len(ranking)} END" if place else "0"
    store.run(
        f"CREATE TEMP TABLE member AS SELECT r.*, l.account_id AS belongs, {ranked} AS place "
        "FROM record r JOIN account_link l ON l.source = r.source AND l.source_id = r.source_id",
        list(ranking),
    )
    names = [column.name for column in account.columns]
    listed = ", ".join(names)
    alone = "SELECT belongs FROM member GROUP BY belongs HAVING count(*) = 1"
    store.run("DELETE FROM account")
    store.run(f"INSERT INTO account ({listed}) SELECT {listed} FROM member WHERE belongs IN ({alone})")
    order = "place, source, account_id <> belongs, account_id"
    first = ", ".join(
        f"(array_agg({name} ORDER BY {order}) FILTER (WHERE {name} IS NOT NULL))[1]" for name in names[1:] if name not in _OWN
    )
    own = ", ".join(f"(array_agg({name}) FILTER (WHERE account_id = belongs))[1]" for name in _OWN)
    chosen = ", ".join([names[0], *(name for name in names[1:] if name not in _OWN), *_OWN])
    store.run(f"INSERT INTO account ({chosen}) SELECT belongs, {first}, {own} FROM member WHERE belongs NOT IN ({alone}) GROUP BY belongs")
    store.run("DROP TABLE member")


def linked_tables() -> list[str]:
    """Tables whose rows point at an account over the source's own id."""
    return [table.name for table in facts() if "source_account_id" in table.columns]


def apply_account_links(store: Store, tables: Iterable[str]) -> None:
    """Let the rows of ``tables`` point where the links say; rows that do already are not written."""
    for name in tables:
        store.run(
            f"CREATE TEMP TABLE moved AS SELECT t.{store.row} AS r, l.account_id FROM {name} t "
            "LEFT JOIN account_link l ON l.source = t.source AND l.source_id = t.source_account_id "
            "WHERE t.account_id IS DISTINCT FROM l.account_id"
        )
        if store.count("SELECT count(*) FROM moved"):
            store.run(f"UPDATE {name} SET account_id = moved.account_id FROM moved WHERE {name}.{store.row} = moved.r")
        store.run("DROP TABLE moved")
