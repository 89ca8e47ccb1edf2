"""Amounts that a report's own code has to reckon with: how a column writes them, and each as a decimal.

What is only passed on is read a whole column at a time by :mod:`kpi.warehouse.casting`; this reads the same way, for a tax that must
be taken out of an amount, or lines that are compared with their total.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from kpi.warehouse.shapes import CODES, amount_shape
from kpi.warehouse.shapes import AmountShape as AmountShape

_CURRENCY: Final = rf"(?:[€$£¥₹₺₩₪₫₽₴]|{'|'.join(sorted(CODES))})?"
_AMOUNT: Final = re.compile(
    rf"[-+(−]{{0,2}}\s*{_CURRENCY}\s*[-−]?\s*(?P<digits>\d+(?:[ '’\u00a0\u2009\u202f]\d{{3}})*(?:[.,]\d*)*|[.,]\d+)\s*{_CURRENCY}\s*[-−)]?"
)
_NEGATIVE: Final = re.compile("[-−(]")


def amounts_as(columns: Mapping[str, Iterable[str]], usual: str | None = None, delimiter: str = ",") -> AmountShape:
    """How columns that are written alike write their amounts.

    Args:
        columns: name -> its cells.
        usual: the decimal mark where no cell tells.
        delimiter: between the file's cells; a semicolon leaves commas free for decimals.

    Raises:
        Undecided: cells of both marks, or 1.234 and nothing that tells a thousand from three decimals.
    """
    patterns: dict[str, int] = {}
    first: dict[str, str] = {}
    for cells in columns.values():
        for cell in cells:
            pattern = re.sub(r"(?<!\d)0(?=[.,])", "Z", cell)
            pattern = re.sub(r"\d", "9", pattern)
            if cell and _AMOUNT.fullmatch(cell):
                patterns[pattern] = patterns.get(pattern, 0) + 1
                first.setdefault(pattern, cell)
    return amount_shape(next(iter(columns), ""), patterns, usual, first.__getitem__, delimiter=delimiter)


def amount(text: str, shape: AmountShape) -> Decimal | None:
    """A cell's amount; None for what is none, is written otherwise than the column, or can be a thousand or three decimals."""
    mark = shape.decimal
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        return None
    bare = re.sub(r"[^\d.,]", "", match["digits"])
    other = "." if mark == "," else ","
    if not re.fullmatch(rf"\d{{1,3}}(?:\{other}\d{{2,3}})*\{other}\d{{3}}(?:\{mark}\d*)?|\d+(?:\{mark}\d*)?|\{mark}\d+", bare):
        return None
    if shape.is_doubtful and re.fullmatch(rf"[1-9]\d{{0,2}}\{mark}\d{{3}}", bare):
        return None
    found = Decimal(bare.replace(other, "").replace(mark, "."))
    return -found if _NEGATIVE.search(text) else found


def added(total: Decimal | None, cell: str) -> Decimal | None:
    """A sum to hold against a stated one, cell by cell; None once a cell isn't written plainly: then nothing is compared."""
    if total is None or not cell:
        return total
    match = re.fullmatch(r"([-(]?)\W?(\d[\d,]*(?:\.\d+)?)\)?", cell)
    return None if match is None else total + Decimal(match[2].replace(",", "")) * (-1 if match[1] else 1)
