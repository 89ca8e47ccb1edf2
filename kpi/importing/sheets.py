"""A workbook's sheet as a relation of text columns, read by DuckDB where the reader of workbooks has written it.

Days, numbers and flags stand there as a person sees them in the sheet, each row with its number. What asks for a careful
reading is told as it is of any large file: by what the cells begin and end with, and by cells that stand beside the table.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import duckdb

from connectors.reading import Text
from kpi.importing.bulk import LARGE, WIDEST, Bulk, read_view
from kpi.importing.recognising import Recognised

#: Bytes of a sheet's text below which its rows are read with care at once: a sheet that must be read twice costs both.
SMALL: Final = 1 << 16


def open_sheet(connection: duckdb.DuckDBPyConnection, relation: str, text: Text, found: Recognised) -> Bulk | None:
    """A tidy sheet, for DuckDB to read; None for one that must be read with care."""
    header = tuple(found.header.cells)
    size = text.path.stat().st_size
    if text.is_odd or size < SMALL or not len(header) <= text.width <= WIDEST or not header[0].strip():
        return None
    # the rows above the table are read as well, and left out by their numbers
    rest = replace(text, lines=text.lines - len(found.before) - 1)
    bulk = Bulk(connection, relation, header, True, size > LARGE, rest, rows_below=found.header.line)
    bulk.rejects_table = f"{relation}_rejects"
    read_view(bulk)
    return bulk
