"""Whose a row is, where customers are followed through time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kpi.metrics.operations import Element
from kpi.metrics.rows import Rows
from kpi.warehouse.schema import metadata


def customer(rows: Rows, table: str) -> Element:
    """The account of a row, as text; one that could not be matched is an account of its own, and a row without any is its own."""
    columns = metadata.tables[table]
    known: list[Any] = [rows.table.c.account_id]
    if "source_account_id" in columns.columns:
        known.append(sa.literal("?") + rows.table.c.source + sa.literal(":") + rows.table.c.source_account_id)
    known += [sa.literal("#") + sa.cast(rows.table.c[key.name], sa.String()) for key in columns.primary_key]
    return sa.func.coalesce(*known)
