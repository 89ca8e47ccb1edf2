"""Which connector's layout a file has: by its header, wherever in the first rows that stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors import CONNECTORS
from connectors.base import Connector, Layout, Record
from connectors.reading import DELIMITERS, HEADER_WITHIN, Text, head_records
from kpi.errors import UnknownLayout, UnknownName
from kpi.warehouse.casting import folded


@dataclass(frozen=True)
class Recognised:
    """A file's layout and where its header stands.

    Attributes:
        connector, layout: what it is.
        delimiter: between cells.
        header: the header's record.
        below: physical line on which the first record below the header begins; 0 where there is none.
        before: the records above the header.
    """

    connector: Connector
    layout: Layout
    delimiter: str
    header: Record
    below: int
    before: tuple[Record, ...]


def recognise(text: Text, name: str, chosen: str | None = None) -> Recognised:
    """Find the layout of ``text``.

    Args:
        text: the file.
        name: its name, for the message.
        chosen: the connector named by ``--as``, or None to try them all.

    Raises:
        UnknownName: no connector is called ``chosen``.
        UnknownLayout: no layout fits; with the nearest.
    """
    connectors = [connector for connector in CONNECTORS if chosen in (None, connector.name)]
    if not connectors:
        raise UnknownName("connector", chosen or "", [connector.name for connector in CONNECTORS])
    heads = {delimiter: head_records(text, delimiter) for delimiter in DELIMITERS}
    for delimiter, records in heads.items():
        for at, record in enumerate(records[:HEADER_WITHIN]):
            names = {folded(cell) for cell in record.cells}
            for connector in connectors:
                for layout in connector.layouts:
                    if fits(layout, names, records[:at]):
                        below = records[at + 1].line if at + 1 < len(records) else 0
                        return Recognised(connector, layout, delimiter, record, below, tuple(records[:at]))
    raise _unknown(heads, name, connectors)


def fits(layout: Layout, names: set[str], before: Sequence[Record]) -> bool:
    """Whether a header of these (folded) names, under these records, is the layout's."""
    if any(folded(name) in names for name in layout.lacks):
        return False
    if layout.title and not any(folded(cell).startswith(folded(layout.title)) for record in before for cell in record.cells):
        return False
    return not missing(layout, names)


def missing(layout: Layout, names: set[str]) -> list[str]:
    """The columns a layout needs and the header lacks."""
    return [group[0] for group in layout.needs if not any(folded(name) in names for name in group)]


def _unknown(heads: dict[str, list[Record]], name: str, connectors: Sequence[Connector]) -> UnknownLayout:
    """The widest of the first rows is taken for the header."""
    rows = [record for records in heads.values() for record in records[:HEADER_WITHIN]]
    header = max(rows, key=lambda record: (sum(1 for cell in record.cells if cell.strip()), -record.line), default=Record(1, ()))
    names = {folded(cell) for cell in header.cells if cell.strip()}
    best = 0.0
    nearest, lacks = "", list[str]()
    for connector in connectors:
        for layout in connector.layouts:
            absent = missing(layout, names)
            share = 1 - len(absent) / len(layout.needs)
            if absent and share > best and share >= 0.4:
                best, nearest, lacks = share, f"{connector.name} {layout.name}", absent
    return UnknownLayout(name, [cell.strip() for cell in header.cells], nearest, lacks)
