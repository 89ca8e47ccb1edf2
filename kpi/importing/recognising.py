"""Which connector's layout a file has: by its header, wherever in the first rows that stands."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from connectors import CONNECTORS
from connectors.base import Connector, Layout, Record, Tree
from connectors.documents import Document, Sample
from connectors.reading import HEADER_WITHIN, MOST_COLUMNS, Text, head_records, is_wrapped, unwrap
from kpi.errors import HeldBack, UnknownLayout, UnknownName, Unreadable
from kpi.warehouse.casting import cell_names, folded

#: Of the names that layouts speak of, which are a few thousand and asked for with each file.
_folded = functools.cache(folded)


@dataclass(frozen=True)
class Recognised:
    """A file's layout and where its header stands.

    Attributes:
        connector, layout: what it is.
        delimiter: between cells.
        header: the header's record.
        below: physical line on which the first record below the header begins; 0 where there is none.
        before: the records above the header.
        text: the text that was recognised.
        notes: what of the file is not read, a sentence each.
        path: in JSON the names of the objects that hold the records.
        beside: in JSON other lists of objects that the pages hold, which are not read.
    """

    connector: Connector
    layout: Layout
    delimiter: str
    header: Record
    below: int
    before: tuple[Record, ...]
    text: Text
    notes: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def recognise_one(texts: Sequence[Text], name: str, chosen: str | None = None, sources: Sequence[Connector] = ()) -> Recognised:
    """Of the sheets of a workbook the one that holds an export; of any other file its only text.

    Raises:
        UnknownLayout: none does.
        Unreadable: several do, or none that can be seen.
    """
    if len(texts) == 1 and not texts[0].is_hidden:
        return recognise(texts[0], name, chosen, sources)
    found: list[Recognised] = []
    first: UnknownLayout | None = None
    for text in texts:
        try:
            found.append(recognise(text, name, chosen, sources))
        except UnknownLayout as error:
            first = first or error
    seen = [one for one in found if not one.text.is_hidden]
    if not found and first is not None:
        raise first
    if len(seen) != 1:
        sheets = " and ".join(f'"{one.text.sheet}"' for one in seen or found)
        why = (
            "each hold an export; save each as a file of its own"
            if seen
            else "holds an export, but is hidden; show it, or save it as a file"
        )
        raise Unreadable(f"{name} can't be read: its sheets {sheets} {why}" if seen else f"{name} can't be read: its sheet {sheets} {why}")
    others = [f'"{text.sheet}"' for text in texts if text is not seen[0].text]
    said = f'the sheet "{seen[0].text.sheet}" is read, and not {", ".join(others)}'
    return replace(seen[0], notes=(said,))


def recognise(text: Text, name: str, chosen: str | None = None, sources: Sequence[Connector] = ()) -> Recognised:
    """Find the layout of ``text``.

    Args:
        text: the file.
        name: its name, for the message.
        chosen: the connector named by ``--as``, or None to try them all.
        sources: systems that mappings describe, beside those that connectors know.

    Raises:
        UnknownName: no connector is called ``chosen``.
        UnknownLayout: no layout fits; with the nearest.
        HeldBack: a mapping fits, and another mapping or a connector fits as well.
    """
    connectors = _among(chosen, sources)
    for connector in connectors:
        for layout in connector.layouts:
            if layout.written is not None and layout.written(text.head):
                return Recognised(connector, layout, "", Record(0, ()), 1, (), text)
    heads: dict[str, list[Record]] = {}
    for delimiter in text.delimiters:
        records = heads[delimiter] = head_records(text, delimiter)
        for at, record in enumerate(records[:HEADER_WITHIN]):
            names = {folded(cell) for cell in record.cells[:MOST_COLUMNS]}
            fitting = [found for connector in connectors if (found := _first_layout(connector, names, records[:at])) is not None]
            if any(connector in sources for connector, _ in fitting):
                fitting = [found for found in fitting if not found[0].general]
            if any(connector in sources for connector, _ in fitting) and len(fitting) > 1:
                raise _doubtful(name, fitting)
            if fitting:
                below = records[at + 1].line if at + 1 < len(records) else 0
                return _agreed(Recognised(*fitting[0], delimiter, record, below, tuple(records[:at]), text), name)
    if not text.is_wrapped and is_wrapped(text):
        return recognise(unwrap(text), name, chosen, sources)
    raise _unknown(heads, name, connectors)


def _first_layout(connector: Connector, names: set[str], before: Sequence[Record]) -> tuple[Connector, Layout] | None:
    return next(((connector, layout) for layout in connector.layouts if layout.tree is None and fits(layout, names, before)), None)


def _doubtful(name: str, fitting: Sequence[tuple[Connector, Layout]]) -> HeldBack:
    """A mapping that takes what another system's file is would misread it without a word."""
    said = " and as ".join(f"{connector.name} {layout.name}" for connector, layout in fitting)
    ways = " or ".join(f"--as {connector.name}" for connector, _ in fitting)
    return HeldBack(
        f"{name} is held back: it can be read as {said}. Import it again with {ways}, "
        "or let columns: or lacks: of the mapping tell them apart"
    )


def recognise_tree(document: Document, name: str, chosen: str | None = None, sources: Sequence[Connector] = ()) -> Recognised:
    """Find the layout of a file of JSON, by the keys of its first records, wherever in a page these stand.

    What a mapping says of a table's columns holds for the keys of objects as well.

    Raises:
        UnknownName: no connector is called ``chosen``.
        UnknownLayout: no layout fits; with the nearest.
        HeldBack: a mapping fits, and another mapping or a connector fits as well.
        NotATable: the JSON is damaged.
    """
    connectors = _among(chosen, sources)
    samples = document.samples()
    for sample in samples:
        fitting = [found for connector in connectors if (found := _first_tree(connector, sample, connector in sources)) is not None]
        if any(connector in sources for connector, _ in fitting) and len(fitting) > 1:
            raise _doubtful(name, fitting)
        if fitting:
            beside = tuple(".".join(other.path) for other in samples if not _is_along(other.path, sample.path))
            return Recognised(*fitting[0], "", Record(1, tuple(sample.names)), 0, (), document.text, (), sample.path, beside)
    raise _unknown_tree(samples, name, connectors)


def _first_tree(connector: Connector, sample: Sample, described: bool) -> tuple[Connector, Layout] | None:
    trees = (as_tree(layout, sample) if described else layout for layout in connector.layouts)
    return next(((connector, layout) for layout in trees if layout is not None and fits_tree(layout, sample)), None)


def as_tree(layout: Layout, sample: Sample) -> Layout | None:
    """A mapping's layout of a table for objects that hold the same under the same keys; None where they don't.

    A key that is written otherwise (``Net`` for ``net``), or under which an object stands, would be read as empty.
    """
    if layout.reshape is not None or layout.title or any(mapping.each for mapping in layout.mappings):
        return None
    written = {folded(name) for name in sample.names}
    holding = {name.rpartition(".")[0] for name in sample.names}
    read = {name for mapping in layout.mappings for name in cell_names((*mapping.columns.values(), mapping.where))}
    read |= {name for group in layout.needs for name in group}
    if any(name in holding or (name not in sample.names and _folded(name) in written) for name in read):
        return None
    return replace(layout, tree=Tree())


def _is_along(path: tuple[str, ...], chosen: tuple[str, ...]) -> bool:
    """Whether a path leads to the records, or into them."""
    return path[: len(chosen)] == chosen or chosen[: len(path)] == path


def fits_tree(layout: Layout, sample: Sample) -> bool:
    """Whether records like these are the layout's."""
    tree = layout.tree
    if tree is None or not fits(layout, {folded(name) for name in sample.names}, ()):
        return False
    said = sample.says.get(tree.kind[0], set()) if tree.kind else set()
    return tree.kind is None or not said or bool(said & set(tree.kind[1]))


def _unknown_tree(samples: Sequence[Sample], name: str, connectors: Sequence[Connector]) -> UnknownLayout:
    """Of the lists of objects the one that comes nearest to a layout is taken for the records, else the longest."""
    best, found = (0.0, 0.0), max(samples, key=lambda sample: sample.count, default=Sample(()))
    nearest, lacks = "", list[str]()
    for sample in samples:
        names = {folded(each) for each in sample.names}
        for connector in connectors:
            for layout in (layout for layout in connector.layouts if layout.tree is not None):
                absent = missing(layout, names)
                share = 1 - len(absent) / len(layout.needs)
                score = (len(names & _read_by(layout)) / len(names), share)
                if absent and share > 0.4 and score > best and _is_told_by(layout, names):
                    best, nearest, lacks, found = score, f"{connector.name} {layout.name}", absent, sample
    return UnknownLayout(name, [each for each in found.names if "." not in each], nearest, lacks, is_json=True)


def _among(chosen: str | None, sources: Sequence[Connector] = ()) -> list[Connector]:
    every = (*CONNECTORS, *sources)
    connectors = [connector for connector in every if chosen in (None, connector.name)]
    if not connectors:
        raise UnknownName("connector", chosen or "", [connector.name for connector in every])
    return connectors


def _agreed(found: Recognised, name: str) -> Recognised:
    if len(found.header.cells) > MOST_COLUMNS:
        raise Unreadable(f"{name} can't be read: its header has {len(found.header.cells):,} cells, more than any spreadsheet holds")
    return found


def fits(layout: Layout, names: set[str], before: Sequence[Record]) -> bool:
    """Whether a header of these (folded) names, under these records, is the layout's."""
    if layout.written is not None:
        return False
    if any(_folded(name) in names for name in layout.lacks):
        return False
    if layout.title and not any(folded(cell).startswith(folded(layout.title)) for record in before for cell in record.cells):
        return False
    return not missing(layout, names)


def missing(layout: Layout, names: set[str]) -> list[str]:
    """The columns a layout needs and the header lacks."""
    return [group[0] for group in layout.needs if not any(_folded(name) in names for name in group)]


def _unknown(heads: dict[str, list[Record]], name: str, connectors: Sequence[Connector]) -> UnknownLayout:
    """The widest of the first rows is taken for the header."""
    rows = [record for records in heads.values() for record in records[:HEADER_WITHIN]]
    header = max(rows, key=lambda record: (sum(1 for cell in record.cells if cell.strip()), -record.line), default=Record(1, ()))
    header = Record(header.line, header.cells[:MOST_COLUMNS])
    names = {folded(cell) for cell in header.cells if cell.strip()}
    best = (0.0, 0.0)
    nearest, lacks = "", list[str]()
    for connector in connectors:
        for layout in (layout for layout in connector.layouts if layout.tree is None and layout.written is None):
            absent = missing(layout, names)
            share = 1 - len(absent) / len(layout.needs)
            titled = any(folded(cell).startswith(folded(layout.title)) for row in rows for cell in row.cells)
            if not absent or share < 0.4 or not titled or not _is_told_by(layout, names):
                continue
            # how much of the file it would read says more than how much it lacks: a layout that needs little lacks little of any file
            score = (len(names & _read_by(layout)) / len(names), share)
            if score > best:
                best, nearest, lacks = score, f"{connector.name} {layout.name}", absent
    return UnknownLayout(name, [cell.strip() for cell in header.cells], nearest, lacks)


def _is_told_by(layout: Layout, names: set[str]) -> bool:
    """Whether a name among these says more than that there are things: id, name, status and created_at are in exports of every system."""
    return any(name in names for group in layout.needs for name in map(_folded, group) if name not in _everyday())


@functools.cache
def _everyday() -> frozenset[str]:
    """The names that layouts of three systems or more need."""
    needed = ({_folded(name) for layout in one.layouts for group in layout.needs for name in group} for one in CONNECTORS)
    return frozenset(name for name, systems in Counter(itertools.chain(*needed)).items() if systems > 2)


def _read_by(layout: Layout) -> set[str]:
    """The (folded) names of the columns that a layout needs or reads."""
    read = {name for group in layout.needs for name in group}
    for mapping in layout.mappings:
        for value in mapping.columns.values():
            read |= set(cell_names(value))
    return {folded(name) for name in read}
