"""Rows of many widths -> rows of one, so that a reader of whole columns can take them."""

from __future__ import annotations

from typing import Any, Final

#: Rows among which the widest says how many cells each row is given; a header stands among them.
FIRST_ROWS: Final = 40
#: Letters of them that wait for the widest.
_MOST_WAITING: Final = 1 << 20
#: Cells of a grid for each that has something in it, beyond which a sheet is sparse; and how many a small one may have.
_SPARSE: Final = 16
_ROOM: Final = 100_000


def is_sparse(grid: int, filled: int) -> bool:
    """Whether a grid of so many cells is far more than its ``filled`` ones."""
    return grid > _SPARSE * filled + _ROOM


class Even:
    """Writes rows, each with at least as many cells as the widest of the first ones has.

    Attributes:
        width: how many that are; 0 where they would be far more than have something in them, and rows are as they come.
    """

    def __init__(self, writer: Any) -> None:
        self.width = 0
        self._writer = writer
        self._waiting: list[tuple[int, list[str]]] | None = []
        self._letters = 0
        self._filled = 0
        self._given = 0

    def write(self, number: int, cells: list[str]) -> None:
        """One row and its number; some of the first ones are written later."""
        self._filled += len(cells) - cells.count("")
        if self._waiting is None:
            self._write(number, cells)
            return
        self._waiting.append((number, cells))
        self._letters += sum(map(len, cells))
        if len(self._waiting) == FIRST_ROWS or self._letters > _MOST_WAITING:
            self.finish()

    def finish(self) -> None:
        """Write what waits."""
        if self._waiting is not None:
            first, self._waiting = self._waiting, None
            self.width = max((len(cells) for _, cells in first), default=0)
            for number, cells in first:
                self._write(number, cells)

    def _write(self, number: int, cells: list[str]) -> None:
        if self.width:
            self._given += max(self.width, len(cells))
            if is_sparse(self._given, self._filled):
                self.width = 0
        self._writer.writerow([number, *cells, *[""] * (self.width - len(cells))])
