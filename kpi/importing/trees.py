"""JSON records -> flat parts that DuckDB reads: each part a relation of text columns, as of any other file.

A part is the records themselves (``""``) or a list in them, by its path. Columns are dotted names; see
:class:`connectors.base.Tree`.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import duckdb

from connectors.base import Layout, Tree, Trouble
from connectors.documents import Document, Found, Object, text_of
from connectors.parsing import LONGEST
from connectors.reading import Text
from kpi.importing.bulk import LARGE, Bulk, read_view
from kpi.importing.setaside import SetAside

#: A text of so many characters may be longer than what DuckDB reads as one record.
_LONG: Final = LONGEST // 8
#: Why a record is no row: it would be longer than what DuckDB reads.
_TOO_LONG: Final = "its texts are longer than 8 MB"

Nodes = list[Any]
Getter = Callable[[Nodes], str | None]


def open_tree(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    document: Document,
    layout: Layout,
    path: tuple[str, ...],
    parts: dict[str, tuple[str, ...]],
    folder: Path,
    aside: SetAside,
) -> dict[str, Bulk]:
    """The records under ``path`` as flat parts; what is no record of the layout goes ``aside``.

    Args:
        parts: part -> dotted names that its mappings read; the first is the records themselves.

    Raises:
        NotATable: the JSON is damaged or cut off.
    """
    writers = [_Writer(part, names, folder / f"part{at}.csv") for at, (part, names) in enumerate(parts.items())]
    flat = _Flattening(document, layout, path, writers)
    lines = array("q")
    try:
        for number, found in enumerate(document.records(path), start=1):
            made = found if isinstance(found, Trouble) else flat(found)
            if isinstance(made, Trouble):
                named = f" (record {number:,})" if lines and lines[-1] == made.line else ""
                aside.add([(made.line, made.column, made.value[:200], made.reason + named)])
                aside.main_records += 1
            else:
                for writer, rows in zip(writers, made, strict=True):
                    writer.write(rows, number)
            lines.append(found.line)
    finally:
        for writer in writers:
            writer.file.close()
    bulks: dict[str, Bulk] = {}
    for at, writer in enumerate(writers):
        is_large = at == 0 and writer.path.stat().st_size > LARGE
        # the last column is never empty, so that no record is taken for a blank line
        bulk = Bulk(connection, f"{relation}{at}", (*writer.header(), ""), True, is_large, Text(writer.path, "utf-8", ""))
        bulk.lines = lines
        read_view(bulk)
        bulks[writer.part] = bulk
    return bulks


class _Flattening:
    """A record's rows of every part, or why it has none."""

    def __init__(self, document: Document, layout: Layout, path: tuple[str, ...], writers: list[_Writer]) -> None:
        tree = layout.tree or Tree()
        self.writers = writers
        self.derive = tree.derive
        self.page = document.page(path, tree.page)
        self.name, self.words = tree.kind or ("", ())
        self.kind = _getter(self.name.split("."), 0)

    def __call__(self, found: Found) -> list[list[list[str]]] | Trouble:
        said = self.kind([found.value]) if self.name else None
        if said and said not in self.words:
            reason = f"the record is called {said}, where the others are called {' or '.join(self.words)}"
            return Trouble(found.line, self.name, said, reason)
        try:
            if self.derive is not None:
                self.derive(found.value, self.page)
            made = [list(writer.rows(found.value)) for writer in self.writers]
        except RecursionError:
            return Trouble(found.line, "", "", "it has lists in lists deeper than any export")
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return Trouble(found.line, "", "", "it has other things in the places of its lists and objects than such a record has")
        if any(_is_long(row) for rows in made for row in rows):
            return Trouble(found.line, "", "", _TOO_LONG)
        return made


class _Writer:
    """One part: the rows of each record, written to a file.

    Attributes:
        part: path of the list; empty for the records themselves.
        names: the columns.
        seen: positions of those that some record has, if only as null.
        has_rows: some record has rows of this part.
    """

    def __init__(self, part: str, names: tuple[str, ...], path: Path) -> None:
        self.part = part
        self.names = names
        self.path = path
        self.seen: set[int] = set()
        self.has_rows = False
        self.steps = part.split(".") if part else []
        self.getters = [_getter(name.split("."), _common(name.split("."), self.steps)) for name in names]
        self.file = path.open("w", encoding="utf-8", errors="replace", newline="")
        self.writer = csv.writer(self.file, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def header(self) -> tuple[str, ...]:
        """A column that no record has is not in the file, and must not count as an empty one; without rows nothing is known of it."""
        return tuple(name if at in self.seen or not self.has_rows else "" for at, name in enumerate(self.names))

    def rows(self, record: Object) -> Iterator[list[str]]:
        """The record's rows of this part."""
        for nodes in _reach([record], self.steps):
            cells = [get(nodes) for get in self.getters]
            if len(self.seen) < len(cells):
                self.seen.update(at for at, cell in enumerate(cells) if cell is not None)
            yield [cell.replace("\x00", "") if cell else "" for cell in cells]

    def write(self, rows: list[list[str]], number: int) -> None:
        """Write the rows of the record of that number."""
        self.has_rows = self.has_rows or bool(rows)
        for row in rows:
            self.writer.writerow([*row, "1", str(number)])


def _is_long(row: list[str]) -> bool:
    return sum(map(len, row)) > _LONG and sum(len(cell.encode("utf-8", "replace")) + cell.count('"') + 3 for cell in row) > LONGEST - 64


def _common(name: list[str], steps: list[str]) -> int:
    """How many steps a column's name has in common with its part's path."""
    count = 0
    while count < min(len(name), len(steps)) and name[count] == steps[count]:
        count += 1
    return count


def _reach(nodes: Nodes, steps: list[str]) -> Iterator[Nodes]:
    """What stands at each step of the path, once for each element that it leads to."""
    if not steps:
        yield nodes
        return
    above = nodes[-1]
    if not isinstance(above, dict) or (inner := above.get(steps[0])) is None:
        return
    for item in _items(inner):
        yield from _reach([*nodes, item], steps[1:])


def _items(value: Any) -> Iterator[Any]:
    """The elements of a list, of lists in it as well; anything else is one by itself."""
    if isinstance(value, list):
        for item in value:
            yield from _items(item)
    elif value is not None:
        yield value


def _getter(name: list[str], known: int) -> Getter:
    """Reads a column: the text at the rest of its name, from the node that its first ``known`` steps lead to."""
    rest = name[known:]
    if not rest:
        return lambda nodes: text_of(nodes[known])
    if len(rest) == 1:
        last = rest[0]

        def direct(nodes: Nodes) -> str | None:
            node = nodes[known]
            if type(node) is not dict:
                return _at(node, rest)
            found = node.get(last, _at)
            return None if found is _at else found if type(found) is str else text_of(found)

        return direct
    return lambda nodes: _at(nodes[known], rest)


def _at(node: Any, steps: list[str]) -> str | None:
    """The text at ``steps`` from ``node``; None where there is no such key."""
    for at, step in enumerate(steps):
        if isinstance(node, dict):
            if step in node:
                node = node[step]
                continue
            # a key may itself hold dots
            for more in range(at + 2, len(steps) + 1):
                if (joined := ".".join(steps[at:more])) in node:
                    return _at(node[joined], steps[more:])
            return None
        if isinstance(node, list):
            if step.isdigit():
                if int(step) >= len(node):
                    return None
                node = node[int(step)]
                continue
            found = [text for item in node if (text := _at(item, steps[at:])) is not None]
            return ", ".join(filter(None, found)) if found else None
        return None
    return text_of(node)
