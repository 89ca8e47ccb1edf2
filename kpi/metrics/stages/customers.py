"""Whose a row is, where customers are followed through time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kpi.metrics.operations import Element
from kpi.metrics.rows import Rows


def customer(rows: Rows, table: str) -> Element:
    """The account of a row, as text; one that could not be matched is an account of its own, and a row without any is its own."""
    return customer_of(rows.table, rows.catalog.tables[table])


def customer_of(rows: Any, table: sa.Table | None = None) -> Element:
    """The same of rows that have the columns of ``table``, or are a table."""
    keys = (rows if table is None else table).primary_key
    known: list[Any] = [rows.c.account_id]
    if "source_account_id" in rows.c:
        known.append(sa.literal("?") + rows.c.source + sa.literal(":") + rows.c.source_account_id)
    known += [sa.literal("#") + sa.cast(rows.c[key.name], sa.String()) for key in keys]
    return sa.func.coalesce(*known)
