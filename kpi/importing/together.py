"""Small files of one layout, read together: a month a file or a day a file costs little more than one file of all of them.

Only files in which nothing asks for care are read so. Each is decided, counted and told of by itself, exactly as if it had come
alone; what they share is the statements. A file in which anything is odd, bad or broken is left to be read alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import duckdb

from connectors.base import Layout
from connectors.documents import is_json, is_scalar
from connectors.packing import GZIP, NotATable
from connectors.reading import Text, open_texts
from kpi.errors import KpiError
from kpi.importing.bulk import LARGE, WIDEST, Bulk, is_regular, read_together
from kpi.importing.deciding import columns_of, decide_by
from kpi.importing.mapping import Asked, Staging
from kpi.importing.recognising import Recognised, recognise_one
from kpi.importing.setaside import SetAside
from kpi.importing.staged import Context, Staged
from kpi.warehouse import mapped
from kpi.warehouse.casting import Scope, holds
from kpi.warehouse.cells import ExportDay, FileNumber
from kpi.warehouse.shapes import Undecided
from kpi.warehouse.store import SHARED

#: Bytes and files that are read together at most.
MOST_BYTES: Final = 48 << 20
MOST_FILES: Final = 100
#: What in a file's answers shows that it must be read alone.
_ODD: Final = ("bad", "doubtful", "headed", "broken", "swallowed")


@dataclass(frozen=True)
class Member:
    """A small file that may be read with others, recognised."""

    path: Path
    name: str
    size: int
    context: Context
    found: Recognised
    has_returns: bool

    def is_like(self, other: Member) -> bool:
        """Whether both can be read by the same statements."""
        mine, theirs = self.found, other.found
        return (
            mine.layout is theirs.layout
            and mine.connector is theirs.connector
            and mine.delimiter == theirs.delimiter
            and list(mine.header.cells) == list(theirs.header.cells)
            and mine.text.encoding == theirs.text.encoding
            and self.has_returns == other.has_returns
            and self.context == other.context
        )


@dataclass(frozen=True)
class Part:
    """Consecutive files that were read: their numbers, and what each became.

    ``kind``: files of the same kind have the same decisions, and their rows stand in the same relations.
    """

    kind: int
    numbers: tuple[int, ...]
    staged: tuple[Staged, ...]


def open_member(path: Path, name: str, context: Context, folder: Path) -> Member | None:
    """The file, if it may be read with others; None for one that is to be read alone, which then says what is wrong with it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(2)
    if not 0 < size <= LARGE or start == GZIP or start.startswith(b"PK"):
        return None
    try:
        (text,) = open_texts(path, folder)
        if text.is_odd or not text.encoding.startswith("utf-8") or is_json(text) or is_scalar(text):
            return None
        found = recognise_one([text], name, context.connector, context.sources)
    except (NotATable, KpiError):
        return None
    header = found.header
    if found.text.is_odd or header.line != 1 or found.below != 2 or found.delimiter in header.cells or len(header.cells) > WIDEST:
        return None
    if not _may_share(found.layout) or not is_regular(text, found.delimiter.encode(), len(header.cells)):
        return None
    return Member(path, name, size, context, found, "\r" in text.head[:100_000])


def _may_share(layout: Layout) -> bool:
    """Whether a layout's files can be told apart in the same statements."""
    if layout.tree or layout.reshape or layout.written or layout.title or holds(layout.mappings, ExportDay):
        return False
    return not any(mapping.part or mapping.each or mapping.interval or mapping.renews for mapping in layout.mappings)


def stage_together(connection: duckdb.DuckDBPyConnection, members: Sequence[Member], folder: Path) -> list[Part]:
    """Read files that are alike into temporary relations, whose names begin with :data:`kpi.warehouse.store.SHARED`.

    The relations of a :class:`Staged` are those of all files of its part's kind; ``run_id`` in them is the file's number, from 0.

    Returns:
        parts in the order of the files; a file that is in none must be read alone.
    """
    connection.execute("SET TimeZone = 'UTC'")
    return _Together(connection, members, folder).parts()


class _Together:
    def __init__(self, connection: duckdb.DuckDBPyConnection, members: Sequence[Member], folder: Path) -> None:
        self.connection = connection
        self.members = members
        self.folder = folder
        first = self._staging(0, None)
        self.aside = first.aside
        self.stagings = [first, *(self._staging(at, self.aside) for at in range(1, len(members)))]
        self.raw = self._read(first)
        #: numbers of the files that are read together, so far
        self.alike = set(range(len(members))) - self.rejected

    def _staging(self, at: int, aside: SetAside | None) -> Staging:
        member = self.members[at]
        return Staging(self.connection, member.found, member.name, member.context, self.folder, aside, SHARED)

    def _read(self, first: Staging) -> Bulk:
        texts = [member.found.text for member in self.members]
        marks = "".join(dict.fromkeys(mark for text in texts for mark in text.marks))
        found = first.found
        text = Text(texts[0].path, texts[0].encoding, "", marks=marks)
        header = tuple(found.header.cells)
        bulk = Bulk(self.connection, f"{first.prefix}_raw", header, False, False, text, found.delimiter, 0, True)
        bulk.rejects_table = f"{first.prefix}_rejects"
        self.rejected = read_together(bulk, [member.path.absolute() for member in self.members], sorted(first.read_positions()))
        return bulk

    def parts(self) -> list[Part]:
        """Decide, count, and find the runs of files that are alike."""
        for staging in self.stagings:
            staging.bulks[""], staging.texts[""], staging.closely[""] = self.raw, self.raw.relation, False
            staging.scopes[""] = staging.scope(self.raw)
            staging.tell_of_repeated()
        if any(part.columns for part in self.stagings[0].amounts()):
            return []  # amounts that may be in minor units
        self._decide()
        staged: dict[int, tuple[int, Staged]] = {}
        for kind, numbers in enumerate(self._kinds()):
            staged |= {at: (kind, one) for at, one in self._stage(numbers).items()}
        return _in_order(staged)

    def _decide(self) -> None:
        """How each file writes its dates and amounts, by its own columns."""
        dates, amounts = columns_of(self.stagings[0].values(""))
        held: dict[int, dict[int, Any]] = {}
        query = mapped.shapes_query(self.raw.relation, dates, amounts, mapped.FILE)
        for at, *texts in self.connection.execute(query).fetchall():
            held[at] = dict(zip([*dates, *amounts], texts, strict=True))
        self.alike &= held.keys()  # the others have no rows
        self.filled: dict[int, frozenset[int]] = {}
        for at in sorted(self.alike):
            staging, texts_of = self.stagings[at], held[at]
            self.filled[at] = frozenset(column for column, texts in texts_of.items() if _has_any(texts))
            context = staging.context
            try:
                decide_by(texts_of, staging.scopes[""], staging.values(""), staging.layout.dates or context.dates, self._quote_of(at))
            except Undecided:
                self.alike.discard(at)

    def _quote_of(self, number: int) -> Any:
        def quote(at: int, pattern: str) -> str:
            view = f"{self.raw.relation}_one"
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT * FROM {self.raw.relation} WHERE file = {number}")  # noqa: S608
            return str(self.connection.execute(mapped.cell_query(view, at, pattern)).fetchall()[0][0])

        return quote

    def _kinds(self) -> list[list[int]]:
        """The files whose decisions agree, wherever both have cells to decide on."""
        kinds: list[tuple[dict[int, Any], list[int]]] = []
        for at in sorted(self.alike):
            mine = _decisions(self.stagings[at].scopes[""], self.filled[at])
            for known, numbers in kinds:
                if all(known[column] == shape for column, shape in mine.items() if column in known):
                    known |= mine
                    numbers.append(at)
                    break
            else:
                kinds.append((mine, [at]))
        return [numbers for _, numbers in kinds]

    def _stage(self, numbers: list[int]) -> dict[int, Staged]:
        """The files of one kind that are clean."""
        leader = self._leader(numbers)
        asked = leader.asked("", main=True)
        if leader.text.breaks_soon:
            asked.check.marks.update(leader.breaks(""))
        result = leader.count("", asked.check, by_file=True)
        names = [column[0] for column in result.description]
        rows = {row[0]: dict(zip(names, row, strict=True)) for row in result.fetchall()}
        clean = [at for at in numbers if at in rows and self._take(at, asked, rows[at])]
        if not clean:
            return {}
        leader.clean[""] = not any(rows[at]["left_out"] for at in clean)
        tables = leader.views()
        for at in clean:
            self.stagings[at].scopes[""].assumed = leader.scopes[""].assumed
        return {at: self.stagings[at].result(tables) for at in clean}

    def _leader(self, numbers: list[int]) -> Staging:
        """What reads all files of a kind: with the decisions of each column that one of them has cells in."""
        first = self.stagings[numbers[0]]
        found = first.found
        mappings = tuple(
            replace(
                mapping,
                columns={**mapping.columns, "run_id": FileNumber()},
                one_each=(*mapping.one_each, "run_id") if mapping.one_each else (),
            )
            for mapping in found.layout.mappings
        )
        layout = replace(found.layout, mappings=mappings)
        texts = [self.members[at].found.text for at in numbers]
        text = next((text for text in texts if text.breaks_soon), texts[0])
        leader = Staging(
            self.connection, replace(found, layout=layout, text=text), first.name, first.context, self.folder, self.aside, SHARED
        )
        relation = f"{leader.prefix}_kind"
        listed = ", ".join(map(str, numbers))
        self.connection.execute(f"CREATE TEMP VIEW {relation} AS SELECT * FROM {self.raw.relation} WHERE file IN ({listed})")  # noqa: S608
        leader.bulks[""], leader.texts[""], leader.closely[""] = self.raw, relation, False
        scope = leader.scopes[""] = leader.scope(self.raw)
        for at in reversed(numbers):
            mine = self.stagings[at].scopes[""]
            for column in mine.dates:
                if column in self.filled[at] or column not in scope.dates:
                    scope.dates[column] = mine.dates[column]
            for column in mine.amounts:
                if column in self.filled[at] or column not in scope.amounts:
                    scope.amounts[column] = mine.amounts[column]
        return leader

    def _take(self, at: int, asked: Asked, row: dict[str, Any]) -> bool:
        """Whether the file needs no careful reading; if so its counts and days are taken."""
        staging = self.stagings[at]
        text = staging.found.text
        if any(row.get(name) for name in _ODD) or any(row[name] for name in row if name.startswith("broken")):
            return False
        if row["records"] + 1 != text.lines:  # line breaks in cells, or blank lines
            return False
        staging.take_spans("", row)
        staging.take_counts(asked, row)
        return not any(skip.retires and staging.counts.skipped.get(skip.words) for skip in staging.layout.skips)


def _has_any(texts: Any) -> bool:
    """Whether a column has cells with something in them: a list of dates, or patterns with their counts."""
    return bool(texts) and any(text for text in texts)


def _decisions(scope: Scope, filled: frozenset[int]) -> dict[int, Any]:
    """How the columns with cells are written, without the words that quote a cell of them."""
    shapes = {at: replace(shape, words="") for at, shape in scope.dates.items() if at in filled}
    return shapes | {at: replace(shape, words="") for at, shape in scope.amounts.items() if at in filled}


def _in_order(staged: dict[int, tuple[int, Staged]]) -> list[Part]:
    """Runs of consecutive files of one kind."""
    runs: list[list[int]] = []
    for at in sorted(staged):
        if runs and runs[-1][-1] == at - 1 and staged[at][0] == staged[at - 1][0]:
            runs[-1].append(at)
        else:
            runs.append([at])
    return [Part(staged[run[0]][0], tuple(run), tuple(staged[at][1] for at in run)) for run in runs]


def in_turn(count: int, parts: Sequence[Part]) -> Iterator[int | Part]:
    """Parts and the numbers of the files that are in none, in the order of the files."""
    begins = {part.numbers[0]: part for part in parts}
    inside = {at for part in parts for at in part.numbers}
    for at in range(count):
        if at in begins:
            yield begins[at]
        elif at not in inside:
            yield at
