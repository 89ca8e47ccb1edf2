"""The columns of an export, by their headers and by the names that expressions call them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from kpi.language import lexing
from kpi.warehouse.casting import folded
from kpi.warehouse.cells import Cell

#: Words that an expression takes for something else.
_WORDS: Final = (*lexing.KEYWORDS, "select")


def called(header: str) -> str:
    """What an expression calls a column: small letters and digits, everything else an underscore; a word of the language has one behind.

    >>> called('Amount (USD)'), called('End')
    ('amount_usd', 'end_')
    """
    name = re.sub(r"[^a-z0-9]+", "_", header.casefold()).strip("_")
    if name in _WORDS:
        return f"{name}_"
    return f"_{name}" if name[:1].isdigit() else name


@dataclass
class Columns:
    """What an export's mapping may speak of.

    Attributes:
        cells: in the order of the file, each with its alternative headers.
        unread: names of cells that nothing has read yet.
    """

    cells: list[Cell] = field(default_factory=list)
    names: dict[str, Cell | None] = field(default_factory=dict)
    headers: dict[str, Cell] = field(default_factory=dict)
    read: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, headers: tuple[str, ...], name: str = "") -> str:
        """Add a column under its headers; what is wrong with it, or nothing."""
        for header in headers:
            if folded(header) in self.headers:
                return f'the column "{header}" stands here twice'
        cell = Cell(headers)
        self.cells.append(cell)
        for header in headers:
            self.headers[folded(header)] = cell
        for word in [name] if name else dict.fromkeys(called(header) for header in headers):
            # two headers that differ in their signs alone: a name that means either means none
            self.names[word] = cell if self.names.get(word, cell) == cell else None
        return ""

    def by_header(self, text: str) -> Cell | None:
        """The column of a header, as written in the file, or of the name that the mapping gave it."""
        return self._noted(self.headers.get(folded(text)) or self.names.get(text))

    def by_name(self, name: str) -> Cell | None:
        """The column that an expression calls ``name``."""
        return self._noted(self.names.get(name.lower()))

    def known(self) -> tuple[str, ...]:
        """Every header."""
        return tuple(header for cell in self.cells for header in cell.names)

    def callable(self) -> tuple[str, ...]:
        """Every name that an expression may use."""
        return tuple(name for name, cell in self.names.items() if cell is not None)

    def unread(self) -> Iterable[Cell]:
        """Columns that no value and no condition speaks of."""
        return (cell for cell in self.cells if cell.names not in self.read)

    def _noted(self, cell: Cell | None) -> Cell | None:
        if cell is not None:
            self.read.add(cell.names)
        return cell
