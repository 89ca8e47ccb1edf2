"""What the rules of metrics.yaml leave open: ledger accounts without a category, rows without a product or a customer.

Amounts are in the rows' own currencies, tax left out; a subscription's is its charge a month.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import sqlalchemy as sa

from kpi.warehouse.reader import Reader
from kpi.warehouse.schema import cost_line, metadata

#: Tables whose rows are looked at, with the column of their amount; issues have none.
_AMOUNTS: Final = {
    "deal": "amount",
    "deal_line": "amount",
    "subscription_term": "monthly_amount",
    "invoice_line": "amount",
    "payment": "amount",
    "cost_line": "amount",
    "issue": None,
}


def accounts_without_category(reader: Reader) -> list[dict[str, Any]]:
    """Ledger accounts that ``costs:`` doesn't name: ``source, ledger_account, currency, rows, amount, first_on, last_on``."""
    t = cost_line.c
    keys = (t.source, t.ledger_account, t.currency)
    counts = (sa.func.count().label("rows"), sa.func.sum(t.amount).label("amount"))
    days = (sa.func.min(t.booked_on).label("first_on"), sa.func.max(t.booked_on).label("last_on"))
    statement = sa.select(*keys, *counts, *days).where(t.category.is_(None)).group_by(*keys)
    return _largest(reader.run(statement).to_pylist())


def without_product(reader: Reader) -> list[dict[str, Any]]:
    """Rows that no rule of ``products:`` names: ``table, source, source_product_id, currency, rows, amount``.

    Of costs those that have a category: the rest of a ledger is no cost.
    """
    return list(_missing(reader, "product_id", "source_product_id"))


def without_account(reader: Reader) -> list[dict[str, Any]]:
    """Rows whose customer is not matched, or not stated: ``table, source, currency, rows, amount``; costs and issues need none."""
    return list(_missing(reader, "account_id", None))


def _missing(reader: Reader, column: str, by: str | None) -> Iterator[dict[str, Any]]:
    for name, amount in _AMOUNTS.items():
        table = metadata.tables[name]
        if column not in table.columns or (by is None and name in ("cost_line", "issue")):
            continue
        keys = [table.c.source, *([table.c[by]] if by else []), *([table.c.currency] if amount else [])]
        made = [sa.func.count().label("rows"), *([sa.func.sum(table.c[amount]).label("amount")] if amount else [])]
        statement = sa.select(*keys, *made).where(table.c[column].is_(None)).group_by(*keys)
        if name == "cost_line":
            statement = statement.where(table.c.category.is_not(None))
        if name == "invoice_line":
            statement = statement.where(table.c.kind != "tax")
        for row in _largest(reader.run(statement).to_pylist()):
            named = {"table": name, **{key.name: row[key.name] for key in keys}}
            yield {**named, "currency": row.get("currency"), "rows": row["rows"], "amount": row.get("amount")}


def _largest(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The largest amounts first, whatever their sign; the rest of the order is fixed."""
    return sorted(rows, key=lambda row: (-abs(row.get("amount") or 0), -row["rows"], str(row)))
