"""The tables that definitions may name: those of the warehouse's own schema, and those that ``tables:`` describes.

All are described alike, as SQLAlchemy tables whose columns carry ``info["unit"]`` and whose foreign keys are the joins.
What is read may be another thing: of a table that this program did not make, its columns under the names and types that
definitions use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from kpi.warehouse import schema

#: Columns that say when a row of a history was true, under these names whatever their own are.
VALID: Final = ("valid_from", "valid_to")


@dataclass(frozen=True)
class Given:
    """A table that this program did not make.

    Attributes:
        table: its description under its name in ``tables:``.
        source: what is read instead of the table, with the same columns.
        written: where it stands in the database, as ``from:`` says.
        history: rows are true from valid_from to before valid_to, so that several have one key.
        keys: columns by which rows of other tables find the one row of this; of a history together with the day.
    """

    table: sa.Table
    source: Any
    written: str
    history: bool
    keys: tuple[str, ...]


class Catalog:
    """The tables by their names; made once for a set of definitions and never changed."""

    def __init__(self, given: Mapping[str, Given] | None = None) -> None:
        self.given: Mapping[str, Given] = MappingProxyType(dict(given or {}))
        own = {name: table for name, table in schema.metadata.tables.items() if name not in self.given}
        self.tables: Mapping[str, sa.Table] = MappingProxyType(own | {name: one.table for name, one in self.given.items()})
        self._joined: dict[tuple[str, int], Any] = {}

    def facts(self) -> list[sa.Table]:
        """The tables that metrics count and dimensions are of, the schema's own first."""
        return [table for table in schema.facts() if table.name not in self.given] + [one.table for one in self.given.values()]

    def names(self) -> list[str]:
        """Names of :meth:`facts`."""
        return [table.name for table in self.facts()]

    def source(self, name: str) -> Any:
        """What is read of a table."""
        one = self.given.get(name)
        return self.tables[name] if one is None else one.source

    def joined(self, name: str, nth: int) -> Any:
        """:meth:`source` under the name that the ``nth`` table joined to a row has; its columns are made only once."""
        if (name, nth) not in self._joined:
            self._joined[name, nth] = self.source(name).alias(f"{name}_{nth}")
        return self._joined[name, nth]

    def is_history(self, name: str) -> bool:
        """Whether rows of a given table hold for a time, and are joined by the day as well."""
        return name in self.given and self.given[name].history


#: The schema's own tables, which are all there are where ``tables:`` says nothing.
STANDARD: Final = Catalog()
