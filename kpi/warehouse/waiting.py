"""Customers who are no account yet, or whose link is in doubt, with the money that hangs on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from kpi.warehouse.reader import Reader
from kpi.warehouse.schema import (
    account,
    account_link,
    account_record,
    facts,
    link_candidate,
    metadata,
    product,
    product_link,
    source_account,
)

#: Amounts that tell what a customer is worth, the ones that say most first: column, which rows, and the words for it.
_MONEY: Final = (
    ("invoice_line", "amount", sa.func.coalesce(metadata.tables["invoice_line"].c.kind, "") != "tax", "invoiced"),
    ("payment", "amount", metadata.tables["payment"].c.status == "paid", "paid"),
    ("subscription_term", "monthly_amount", metadata.tables["subscription_term"].c.ended_on.is_(None), "a month"),
    ("deal", "amount", sa.true(), "in deals"),
    ("cost_line", "amount", sa.true(), "of costs"),
)


@dataclass(frozen=True)
class Stake:
    """What rows of a table that name the customer come to, in one currency; ``amount`` None where they hold no money."""

    table: str
    currency: str | None
    amount: Decimal | None
    rows: int

    @property
    def words(self) -> str:
        """``1,200.00 EUR invoiced``, or ``3 rows of issue``."""
        if self.amount is None:
            return f"{self.rows:,} row{'' if self.rows == 1 else 's'} of {self.table}"
        return f"{self.amount:,.2f} {self.currency or '(no currency)'} {next(words for name, _, _, words in _MONEY if name == self.table)}"


@dataclass(frozen=True)
class Proposal:
    """An account that the customer may be; ``score`` 0 to 1."""

    account_id: str
    name: str | None
    score: Decimal
    why: str


@dataclass(frozen=True)
class Waiting:
    """A customer of a source; ``account_id`` is what it is linked to where the link is in doubt."""

    source: str
    source_id: str
    name: str | None
    address: str | None
    account_id: str | None
    stakes: tuple[Stake, ...] = ()
    proposals: tuple[Proposal, ...] = field(default=())

    @property
    def weight(self) -> tuple[int, Decimal, int]:
        """Orders the list: money first, the largest sum first; currencies are not converted for it."""
        amounts = [abs(stake.amount) for stake in self.stakes if stake.amount is not None]
        return (1 if amounts else 0, max(amounts, default=Decimal(0)), sum(stake.rows for stake in self.stakes))


def waiting(reader: Reader) -> list[Waiting]:
    """Everyone who waits, those with the most money first."""
    proposals: dict[tuple[str, str], list[Proposal]] = defaultdict(list)
    proposed = sa.select(link_candidate, account.c.name).select_from(
        link_candidate.outerjoin(account, account.c.account_id == link_candidate.c.account_id)
    )
    for row in reader.run(proposed.order_by(link_candidate.c.score.desc(), link_candidate.c.account_id)).to_pylist():
        proposals[(row["source"], row["source_id"])].append(Proposal(row["account_id"], row["name"], row["score"], row["why"]))
    stakes = _stakes(reader)
    named = {(row["source"], row["source_id"]): (row["name"], row["email"] or row["domain"]) for row in _names(reader)}
    linked = {(row["source"], row["source_id"]): row["account_id"] for row in _run(reader, sa.select(account_link))} if proposals else {}
    found = [
        Waiting(*key, *named.get(key, (None, None)), linked.get(key), tuple(stakes.get(key, ())), tuple(proposals.get(key, ())))
        for key in sorted({*proposals, *stakes})
    ]
    return sorted(found, key=lambda one: one.weight, reverse=True)


def _names(reader: Reader) -> list[dict[str, Any]]:
    columns = ("source", "source_id", "name", "email", "domain")
    return _run(reader, sa.select(*(source_account.c[name] for name in columns)))


def _stakes(reader: Reader) -> dict[tuple[str, str], list[Stake]]:
    """Of customers without an account, and of those with candidates."""
    found: dict[tuple[str, str], list[Stake]] = defaultdict(list)
    money = {name: (column, where) for name, column, where, _ in _MONEY}
    tables = [name for name, _, _, _ in _MONEY]
    tables += [table.name for table in facts() if "source_account_id" in table.columns and table.name not in money]
    candidate = sa.select(link_candidate.c.source, link_candidate.c.source_id).distinct().subquery("candidate")
    for name in tables:
        table = metadata.tables[name]
        column, where = money.get(name, (None, sa.true()))
        source: Any = table.outerjoin(
            candidate, sa.and_(candidate.c.source == table.c.source, candidate.c.source_id == table.c.source_account_id)
        )
        keys = [table.c.source, table.c.source_account_id, *([table.c.currency] if column else [])]
        asked = (
            sa.select(*keys, sa.func.count().label("n"), *([sa.func.sum(table.c[column]).label("amount")] if column else []))
            .select_from(source)
            .where(table.c.source_account_id.is_not(None), sa.or_(table.c.account_id.is_(None), candidate.c.source.is_not(None)))
            .where(where)
            .group_by(*keys)
            .order_by(*keys)
        )
        for row in _run(reader, asked):
            stake = Stake(name, row.get("currency"), row.get("amount"), int(row["n"]))
            found[(row["source"], row["source_account_id"])].append(stake)
    return found


def _run(reader: Reader, statement: Any) -> list[dict[str, Any]]:
    return reader.run(statement).to_pylist()  # type: ignore[no-any-return]


def customers(reader: Reader) -> set[tuple[str, str]]:
    """Everyone whom a decision can be about: source and the id there."""
    known = {(row["source"], row["source_id"]) for row in _names(reader)}
    known |= {(row["source"], row["source_id"]) for row in _run(reader, sa.select(account_record.c.source, account_record.c.source_id))}
    for table in facts():
        if "source_account_id" in table.columns:
            known |= _pairs(reader, table.c.source, table.c.source_account_id)
    return known


def products(reader: Reader) -> set[tuple[str, str]]:
    """Every product that a source names: source and the id there."""
    found: set[tuple[str, str]] = set()
    for table in facts():
        if "source_product_id" in table.columns:
            found |= _pairs(reader, table.c.source, table.c.source_product_id)
    return found


def _pairs(reader: Reader, source: Any, id_: Any) -> set[tuple[str, str]]:
    rows = _run(reader, sa.select(source.label("s"), id_.label("i")).where(id_.is_not(None)).distinct())
    return {(row["s"], row["i"]) for row in rows}


def targets(reader: Reader, kind: str) -> list[str]:
    """Ids of what a customer, or a product, can be."""
    if kind == "product":
        return [row["product_id"] for row in _run(reader, sa.select(product.c.product_id))]
    ids: Iterable[str] = (row["account_id"] for row in _run(reader, sa.select(account.c.account_id)))
    return sorted({*ids, *(row["account_id"] for row in _run(reader, sa.select(account_record.c.account_id)))})


def linked_to(reader: Reader, kind: str, source: str, source_id: str) -> str | None:
    """What a customer or product is now."""
    table, column = (product_link, product_link.c.product_id) if kind == "product" else (account_link, account_link.c.account_id)
    rows = _run(reader, sa.select(column.label("target")).where(table.c.source == source, table.c.source_id == source_id))
    return rows[0]["target"] if rows else None
