"""A recognised text -> views of the schema's tables: shapes decided, records checked, coverage taken."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from connectors.base import Layout, Mapping, Report
from connectors.documents import Document, is_json, is_scalar
from connectors.packing import NotATable
from connectors.reading import Text, lines_of
from connectors.tidying import INVISIBLE
from kpi.errors import HeldBack
from kpi.importing.bulk import Bulk, open_bulk, open_parts, open_rows, take_sample
from kpi.importing.deciding import SAMPLE, decide
from kpi.importing.recognising import Recognised, recognise_one, recognise_tree
from kpi.importing.rows import Rows
from kpi.importing.setaside import SetAside
from kpi.importing.sheets import open_sheet
from kpi.importing.staged import Context, Replaces, Staged, StagedTable
from kpi.importing.trees import open_tree
from kpi.importing.units import Amounts, Marks, assume_units, decide_units
from kpi.warehouse import mapped
from kpi.warehouse.casting import (
    Fault,
    Scope,
    cell_names,
    cells_of,
    finds_any,
    folded,
    holds,
    is_told,
    minor_amounts,
    speaks_of,
    typed_cells,
)
from kpi.warehouse.cells import AnyOf, Cell, Currency, ExportDay, Value
from kpi.warehouse.once import Once
from kpi.warehouse.shapes import Undecided


@dataclass
class Counts:
    """Records of a file by what became of them."""

    read: int = 0
    loaded: int = 0
    rejected: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)


def stage_texts(connection: duckdb.DuckDBPyConnection, texts: Sequence[Text], name: str, context: Context, folder: Path) -> Staged:
    """Recognise the one text that is an export and stage it; see :func:`kpi.importing.staging.stage`."""
    connection.execute("SET TimeZone = 'UTC'")
    text = texts[0]
    if is_scalar(text):
        raise NotATable("it holds a single value of JSON, and no records")
    document = Document(text) if is_json(text) else None
    if document is None:
        found = recognise_one(texts, name, context.connector, context.sources)
    else:
        found = recognise_tree(document, name, context.connector, context.sources)
    staging = Staging(connection, found, name, context, folder)
    if document is not None:
        staging.read_tree(document)
    elif found.layout.reshape is None:
        staging.read_plain()
    else:
        staging.read_parts()
    return staging.finish()


@dataclass(frozen=True)
class Asked:
    """A part's check: the query, the words of its skips and of what must hold, and whether line breaks in cells are looked at."""

    check: mapped.Check
    skips: tuple[str, ...]
    broken: tuple[str, ...]
    breaks: bool | None


class Staging:
    """The steps of one file, in order: read, decide shapes, check, make views."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        found: Recognised,
        name: str,
        context: Context,
        folder: Path,
        aside: SetAside | None = None,
        prefix: str = "staged_",
    ) -> None:
        self.connection = connection
        self.found = found
        self.layout: Layout = found.layout
        self.name = name
        self.context = context
        self.folder = folder
        self.text = found.text
        self.prefix = f"{prefix}{secrets.token_hex(4)}"
        self.bulks: dict[str, Bulk] = {}
        self.texts: dict[str, str] = {}
        self.closely: dict[str, bool] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.scopes: dict[str, Scope] = {}
        self.report: Report | None = None
        self.notes: list[str] = [*([found.text.note] if found.text.note else []), *found.notes]
        self.counts = Counts()
        self.clean: dict[str, bool] = {}
        self.aside = aside or SetAside(connection, f"{self.prefix}_problems")
        self.spans: dict[str, tuple[date, date]] = {}
        self.hints: dict[str, str] = {}
        self.doubtful = False

    def read_plain(self) -> None:
        """A plain table: DuckDB reads a large and tidy one where it lies; others are read with care."""
        self.tell_of_repeated()
        relation = f"{self.prefix}_raw"
        if self.context.numbered:
            bulk = None
        elif self.text.is_sheet:
            bulk = open_sheet(self.connection, relation, self.text, self.found)
        else:
            bulk = open_bulk(self.connection, relation, self.text, self.found, self.folder)
        self.bulks[""] = bulk or self._with_care()

    def tell_of_repeated(self) -> None:
        """Of columns that share a name the first is read."""
        names = [folded(cell) for cell in self.found.header.cells]
        read = {folded(name) for name in _columns(self.layout, "")}
        twice = sorted(name for name in read if names.count(name) > 1)
        self.notes += [f'several columns are called "{name}": the first is read' for name in twice]

    def _with_care(self) -> Bulk:
        """The same table read line by line."""
        header = tuple(self.found.header.cells)
        read = self.read_positions()
        bulk = open_rows(self.connection, f"{self.prefix}_rows", Rows(self.text, self.found, read), header, read, self.folder)
        self.notes += bulk.notes
        return bulk

    def _take_care(self, part: str) -> None:
        """Read a table with care that DuckDB has read."""
        self.bulks[part] = self._with_care()
        self.scopes[part] = self.scope(self.bulks[part])
        self._look(part, closely=True)

    def read_positions(self) -> frozenset[int]:
        """Positions of the columns that the layout reads, and of those in which totals are told by their first words."""
        names = [folded(cell) for cell in self.found.header.cells]
        wanted = {folded(name) for name in _columns(self.layout, "")}
        found = {names.index(name) for name in wanted if name in names} | set(range(min(4, len(names))))
        for mapping in self.layout.mappings:
            if mapping.each is not None:
                pattern = re.compile(mapping.each, re.IGNORECASE)
                cells = self.found.header.cells
                found |= {at for at, cell in enumerate(cells) if pattern.fullmatch(" ".join(INVISIBLE.sub("", cell).split()))}
        return frozenset(found)

    def read_parts(self) -> None:
        """A report: Python makes flat records of it first."""
        rows = Rows(self.text, self.found, ()) if self.layout.written is None else None
        spelling = {folded(name): name for group in (*self.layout.needs, _every_column(self.layout)) for name in group}
        # arrows show by what a report is grouped
        cells = [INVISIBLE.sub("", cell) for cell in self.found.header.cells]
        header = [cell if {"↑", "↓"} & set(cell) else spelling.get(folded(cell), cell) for cell in cells]
        below = lines_of(self.text) if rows is None else iter(rows)
        self.report = Report(header, self.found.before, below, self.name)
        renewed = [mapping.renews.part for mapping in self.layout.mappings if mapping.renews]
        parts = {part: _columns(self.layout, part) for part in [*(mapping.part for mapping in self.layout.mappings), *renewed]}
        if self.layout.reshape is not None:
            flat = self.layout.reshape(self.report)
            try:
                self.bulks = open_parts(self.connection, f"{self.prefix}_raw", flat, parts, self.folder, self.aside)
            except Undecided as undecided:
                raise HeldBack(f"{self.name} is held back: {undecided.question}") from undecided
        if rows is not None:
            self.aside.add(rows.problems, main=True)
            self.notes += rows.notes
        self.notes += self.report.notes

    def read_tree(self, document: Document) -> None:
        """JSON: Python makes flat records of it first, one part for each list that a mapping reads."""
        renewed = [mapping.renews.part for mapping in self.layout.mappings if mapping.renews]
        wanted = dict.fromkeys(["", *(mapping.part for mapping in self.layout.mappings), *renewed])
        parts = {part: _columns(self.layout, part) for part in wanted}
        parts[""] = tuple(dict.fromkeys([*parts[""], *(self.layout.tree.minor if self.layout.tree else ())]))
        self.bulks = open_tree(
            self.connection, f"{self.prefix}_raw", document, self.layout, self.found.path, parts, self.folder, self.aside
        )
        self.notes += [f'its list "{name}" is not read: import one kind of record a file' for name in self.found.beside]

    def finish(self) -> Staged:
        """Decide, check and make the views."""
        if self._as_of() is None and holds(self.layout.mappings, ExportDay):
            raise HeldBack(
                f"{self.name} is held back: what it says holds for the day on which it was exported, and nothing says which that was. "
                "Put that day into the file's name, as in customers-2026-03-31.csv, and import it again"
            )
        for part, bulk in list(self.bulks.items()):
            self.scopes[part] = self.scope(bulk)
            try:
                self._look(part, closely=not bulk.is_large)
            except HeldBack:
                if not bulk.rejects_table:
                    raise
                self._take_care(part)
        if self.layout.tree is not None:
            self.notes += decide_units(self.connection, self.amounts(), self._marks(), self.found.connector.label, self.name, self.context)
        else:
            self.notes += assume_units(self.connection, self.amounts(), self.name, self.context)
        for at, (part, bulk) in enumerate(list(self.bulks.items())):
            main, spans = at == 0, dict(self.spans)
            differs = self._check(part, main)
            if self.doubtful or (bulk.rejects_table and bulk.rejects(self.layout.totals).records):
                # a careful reading can tell what is broken, and read most of it
                self._take_care(part)
                self.spans = spans
                self._check(part, main)
            elif differs and not self.closely[part]:
                # what a quick look showed does not hold for all of it
                self._look(part, closely=True)
                self.spans = spans
                self._check(part, main)
            self._set_aside(part, main)
        self._hold_back()
        self._doubt_period()
        return self.result(self.views())

    def result(self, tables: tuple[StagedTable, ...]) -> Staged:
        """What it became, all being known."""
        self._tell()
        connector = self.found.connector
        return Staged(
            connector.name,
            self.layout.name,
            connector.name,
            tables,
            self.aside.relation,
            self.counts.read,
            self.counts.loaded,
            self.counts.rejected,
            self._covers(),
            self._as_of(),
            tuple(self.notes),
        )

    # -- the columns ---------------------------------------------------------------------------------------------

    def scope(self, bulk: Bulk) -> Scope:
        """The columns of a part, nothing decided yet."""
        header: dict[str, tuple[int, str]] = {}
        for at, cell in enumerate(bulk.header):
            header.setdefault(folded(cell), (at, cell.strip()))
        as_of = self._as_of()
        scope = Scope(
            header,
            self.context.currency,
            self.context.timezone,
            exported_on=as_of.date() if as_of else None,
            delimiter=self.found.delimiter,
            since_1904=self.text.since_1904,
            # a sheet's cell may hold a line break or a tab as any other letter
            is_odd=self.text.is_odd or (self.text.is_sheet and (self.text.may_break or "\t" in self.text.marks)),
        )
        named = [value for mapping in self.layout.mappings for value in mapping.columns.values() if isinstance(value, Currency)]
        found = [scope.find(cell) for value in named for cell in cells_of(value)]
        scope.currencies = tuple(sorted({at[0] for at in found if at}))
        return scope

    def _look(self, part: str, closely: bool) -> None:
        """Take the columns of text and decide how they are written.

        A big file is first looked at as if no cell had blanks around it, no record were blank and the first records
        were like the rest; the check shows whether it is so.
        """
        bulk = self.bulks[part]
        self.closely[part] = closely
        self.faults.pop(part, None)
        self.texts[part] = f"{bulk.relation}_text"
        self.connection.execute(
            mapped.text_view(self.texts[part], bulk.relation, bulk.positions, bulk.has_line, closely and not bulk.is_tidy)
        )
        self._decide(part, None if closely else partial(take_sample, bulk, SAMPLE))

    def _decide(self, part: str, sample: Callable[[Iterable[int]], str] | None) -> None:
        values = self.values(part)
        point = "." if self.layout.tree is not None else None  # JSON has numbers of its own, and none with a comma
        try:
            decide(self.connection, self.texts[part], self.scopes[part], values, self.layout.dates or self.context.dates, sample, point)
        except Undecided as undecided:
            raise HeldBack(f"{self.name} is held back: {undecided.question}") from undecided

    def values(self, part: str) -> list[tuple[Scope, tuple[Any, ...]]]:
        """What the mappings of a part read."""
        made = [(mapping, rows) for mapping in self._mappings(part) for rows in self._rows(mapping, self.texts[part])]
        return [(rows.scope, (*rows.columns.values(), rows.where, *_dates_of(mapping))) for mapping, rows in made]

    def amounts(self) -> list[Amounts]:
        """The amounts of each part that may be in minor units."""
        made = []
        for part, scope in self.scopes.items():
            values = [amount for mapping in self._mappings(part) for amount in minor_amounts(tuple(mapping.columns.values()))]
            found = [(at[0], amount) for amount in values if not amount.sure for cell in cells_of(amount.of) if (at := scope.find(cell))]
            read = tuple(dict.fromkeys(at for at, _ in found))
            whole = tuple(dict.fromkeys(at for at, amount in found if not amount.fraction))
            made.append(Amounts(scope, self.texts[part], read, whole))
        return made

    def _marks(self) -> Marks:
        """The names by which a file shows that its amounts are in minor units."""
        names = self.layout.tree.minor if self.layout.tree else ()
        found = [self.scopes[""].find(Cell((name,))) for name in names]
        return Marks(names, self.texts[""], tuple(at[0] for at in found if at))

    # -- the records ---------------------------------------------------------------------------------------------

    def _mappings(self, part: str) -> list[Mapping]:
        return [mapping for mapping in self.layout.mappings if mapping.part == part]

    def _said(self, mapping: Mapping) -> dict[str, Value]:
        """The columns that the file says something of: of a row that is known already the others keep their value."""
        always = {*mapped.key_columns(mapping.table), *mapping.one_each, *mapping.interval, "entered_at", "source", "source_id", "run_id"}
        scope = self.scopes[mapping.part]
        speaks = speaks_of if self.layout.tree is None else is_told
        return {name: value for name, value in mapping.columns.items() if name in always or speaks(value, scope)}

    def _rows(self, mapping: Mapping, relation: str) -> list[mapped.Rows]:
        """One for the mapping, or one for each column that ``each`` matches."""
        scope = self.scopes[mapping.part]
        if mapping.each is None:
            return [mapped.Rows(scope, relation, self._said(mapping), mapping.where)]
        made = []
        pattern = re.compile(mapping.each, re.IGNORECASE)
        for step, cell in enumerate(self.bulks[mapping.part].header):
            if match := pattern.fullmatch(" ".join(INVISIBLE.sub("", cell).split())):
                # under a name of its own, since two headers may be alike
                known = {**scope.header, f"each {step}": (step, cell.strip())}
                stage = next(group for group in match.groups() if group).strip()
                about = replace(scope, each=(step, stage), header=known)
                made.append(mapped.Rows(about, relation, mapping.columns, mapping.where, step))
        return made

    def _faults(self, part: str) -> list[Fault]:
        if part not in self.faults:
            told = [mapping for mapping in self._mappings(part) if not mapping.hint]
            self.faults[part] = mapped.faults_of([rows for mapping in told for rows in self._rows(mapping, self.texts[part])])
        return self.faults[part]

    def _left_out(self, part: str) -> tuple[Any, Any, dict[str, Any]]:
        """Footers and totals; all that is left out; and each skip by its words."""
        bulk, scope = self.bulks[part], self.scopes[part]
        plain = self.layout.totals and self.layout.reshape is None
        blank = mapped.is_blank(bulk.positions) if self.closely[part] and not bulk.is_tidy else mapped.never_null([])
        totals = blank | mapped.first_cell_matches(bulk.positions, self.layout.totals) if plain else blank
        marks = mapped.compile_marks([skip.condition for skip in self.layout.skips], scope)
        skips = {skip.words: mark for skip, mark in zip(self.layout.skips, marks, strict=True)}
        return totals, mapped.never_null([totals, *skips.values()]), skips

    def asked(self, part: str, main: bool) -> Asked:
        """What is asked of every record of a part."""
        scope = self.scopes[part]
        totals, left_out, skips = self._left_out(part)
        # worked out once for each record: every mark below asks it again
        bad = Once(mapped.never_null(fault.bad for fault in self._faults(part)) & ~left_out)
        marks = {"totals": totals, "left_out": left_out, "bad": bad}
        bulk = self.bulks[part]
        if bulk.rejects_table or not self.closely[part]:
            marks["doubtful"] = mapped.may_be_dressed(self._as_text(part), bulk.text.marks if bulk.rejects_table else "")
        if bulk.rejects_table:
            # of two exports in one file the second may have its columns in another order
            marks["headed"] = mapped.is_one_of(bulk.positions[0], bulk.header)
        breaks = bulk.text.breaks_soon if bulk.rejects_table else None
        if breaks:
            marks |= self.breaks(part)
        tells = mapped.compile_marks([tell.condition for tell in self.layout.tells], scope) if main else []
        marks |= {f"tell{at}": mark & ~left_out & ~bad for at, mark in enumerate(tells)}
        marks |= {f"skip{at}": mark & ~totals for at, mark in enumerate(skips.values())}
        broken = self._broken(part) if main else []
        marks |= {f"broken{at}": fault.bad & ~left_out & ~bad for at, fault in enumerate(broken)}
        spans = {}
        for at, mapping in enumerate(self._mappings(part)):
            if mapping.span is not None:
                where = mapped.compile_marks([mapping.where] if mapping.where and not mapping.each else [], scope)
                made = self._rows(mapping, self.texts[part])
                first = [date_ for rows in made for date_ in mapped.compile_dates(mapping.span.first, rows.scope)]
                last = [date_ for rows in made for date_ in mapped.compile_dates(mapping.span.last or mapping.span.first, rows.scope)]
                about = where[0] if where else mapped.ALWAYS
                if first:
                    spans[f"span{at}"] = (about, first, last)
                for name, values in (("entered", mapping.span.entered), ("stamps", mapping.span.stamps)):
                    if dates := [date_ for rows in made for date_ in mapped.compile_dates(values, rows.scope)]:
                        spans[f"{name}{at}"] = (about, dates, dates)
        return Asked(mapped.Check(marks, spans), tuple(skips), tuple(fault.reason for fault in broken), breaks)

    def take_spans(self, part: str, row: dict[str, Any]) -> None:
        """Take from the answers of a part's records what its tables cover."""
        for at, mapping in enumerate(self._mappings(part)):
            if row.get(f"span{at}_from") is not None:
                self._widen(mapping.table, row[f"span{at}_from"], row[f"span{at}_to"])
                if (entered := row.get(f"entered{at}_to")) is not None:
                    self._widen(mapping.table, row[f"span{at}_from"], self._happened(entered, row.get(f"stamps{at}_to")))

    def take_counts(self, asked: Asked, row: dict[str, Any]) -> None:
        """Take from the answers of the main part's records what becomes of them."""
        count = row["records"] - row["totals"]
        skipped = {words: row[f"skip{at}"] for at, words in enumerate(asked.skips) if row[f"skip{at}"]}
        tells_of = [(tell, row[f"tell{at}"]) for at, tell in enumerate(self.layout.tells)]
        told = {tell.one if rows == 1 else tell.words: rows for tell, rows in tells_of if rows}
        wrong = {reason: row[f"broken{at}"] for at, reason in enumerate(asked.broken) if row[f"broken{at}"]}
        self.counts = Counts(count, count - row["bad"] - sum(skipped.values()), row["bad"], skipped, told, wrong)

    def _check(self, part: str, main: bool) -> bool:
        """Count the records by what becomes of them; True when some are bad, or not as a quick look takes them to be."""
        asked = self.asked(part, main)
        bulk = self.bulks[part]
        result = self.count(part, asked.check)
        names = [column[0] for column in result.description]
        # all of it is fetched, since DuckDB writes down what it rejected when the result ends
        row = dict(zip(names, result.fetchall()[0], strict=True))
        self.take_spans(part, row)
        if main:
            self.take_counts(asked, row)
        self.clean[part] = not row["bad"] and not row["left_out"]
        self.doubtful = any(row.get(name) for name in ("headed", "broken", "swallowed"))
        if "doubtful" not in row or self.doubtful:
            return bool(row["bad"])
        more = {}
        if row["doubtful"] or row["bad"]:
            more = {"padded": mapped.is_padded(self._positions(part))}
            more |= {"dressed": mapped.is_dressed(self._positions(part), bulk.text.marks)} if bulk.rejects_table else {}
        if asked.breaks is False and bulk.has_breaks(row["records"], self.layout.totals):
            more |= self.breaks(part)
        said = self._ask(part, more) if more else {}
        self.doubtful = any(said.get(name) for name in ("dressed", "broken", "swallowed"))
        return bool(row["bad"] or said.get("padded"))

    def _ask(self, part: str, marks: dict[str, Any]) -> dict[str, int]:
        """How many records each mark holds for."""
        result = self.connection.execute(mapped.check_query(self.texts[part], mapped.Check(marks, {})))
        return dict(zip([column[0] for column in result.description], result.fetchall()[0], strict=True))

    def breaks(self, part: str) -> dict[str, Any]:
        """Marks of records with line breaks where a careful reading is asked for; few files have any."""
        bulk = self.bulks[part]
        return {"broken": mapped.is_broken(self._positions(part)), "swallowed": mapped.is_swallowed(bulk.positions, bulk.delimiter)}

    def count(self, part: str, check: mapped.Check, by_file: bool = False) -> duckdb.DuckDBPyConnection:
        """One row, or one for each of several files; the rows that say who is who come of the same reading of the file."""
        hint = self._only_hint(part)
        if hint is None:
            return self.connection.execute(mapped.check_query(self.texts[part], check, mapped.FILE if by_file else None))
        rows = mapped.Rows(self.scopes[part], self.texts[part], self._said(hint), hint.where)
        self.hints[hint.table] = f"{self.prefix}_{hint.table}_hints"
        self.connection.execute(mapped.grouped_check(self.hints[hint.table], check, hint.table, rows, hint.one_each))
        return self.connection.execute(mapped.grouped_totals(self.hints[hint.table], check, "run_id" if by_file else ""))

    def _only_hint(self, part: str) -> Mapping | None:
        """The mapping with few columns and few rows, which alone fills its table."""
        tables = [mapping.table for mapping in self.layout.mappings]
        found = [mapping for mapping in self._mappings(part) if mapping.hint and mapping.one_each and tables.count(mapping.table) == 1]
        return found[0] if found else None

    def _positions(self, part: str) -> list[int]:
        """The columns that the mappings of a part read."""
        found = set()
        for mapping in self._mappings(part):
            for rows in self._rows(mapping, self.texts[part]):
                for value in (*rows.columns.values(), rows.where):
                    found |= {at[0] for cell in cells_of(value) if (at := rows.scope.find(cell))}
        return sorted(found)

    def _as_text(self, part: str) -> list[int]:
        """Of those the columns of which more is read than dates and amounts: a date or an amount that is dressed can't be read."""
        every, typed = Counter[int](), Counter[int]()
        for mapping in self._mappings(part):
            for rows in self._rows(mapping, self.texts[part]):
                for value in (*rows.columns.values(), rows.where):
                    every.update(at[0] for cell in cells_of(value) if (at := rows.scope.find(cell)))
                    typed.update(at[0] for _, cell in typed_cells(value) if (at := rows.scope.find(cell)))
        return sorted(at for at, count in every.items() if count > typed[at])

    def _widen(self, table: str, first: datetime, last: datetime | None) -> None:
        """Take these days of the calendar into what the table covers."""
        since, until = first.date(), (last or first).date() + timedelta(days=1)
        known = self.spans.get(table)
        self.spans[table] = (min(since, known[0]), max(until, known[1])) if known else (since, until)

    def _happened(self, entered: datetime, stamp: datetime | None) -> datetime:
        """The last day that people entered, but none that lay ahead when the file was made; see :class:`Span`."""
        as_of = self._as_of()
        if as_of is not None:
            made = as_of.date()
        elif stamp is not None:
            made = stamp.date()
        else:
            made = self.context.today or entered.date()
        if entered.date() <= made:
            return entered
        said = f"things are said to have closed up to {entered.date()}, which lies ahead: what it covers ends on {made}"
        self.notes += [said] if said not in self.notes else []
        return datetime(made.year, made.month, made.day)  # noqa: DTZ001 - a day

    def _set_aside(self, part: str, main: bool) -> None:
        """List what can't be used, with the physical line of each."""
        bulk = self.bulks[part]
        _, left_out, _ = self._left_out(part)
        faults = self._faults(part)
        rejects = bulk.rejects(self.layout.totals)
        if main:
            self.counts.read += rejects.records
            self.counts.rejected += rejects.records + self.aside.main_records
            self.counts.read += self.aside.main_records
        if main and self.counts.rejected > self.context.bad_share * max(self.counts.read, 1):
            self._too_many(self._worst(part) if faults else None, rejects)
        self.aside.add(rejects.problems)
        listed = faults if not self.clean[part] else []
        if main and self.counts.broken:
            bad = mapped.never_null(fault.bad for fault in faults)
            listed = [*listed, *(replace(fault, bad=fault.bad & ~bad) for fault in self._broken(part))]
        if listed:
            if bulk.lines is not None:
                self.aside.add_numbered(mapped.faults_query(self.texts[part], left_out, listed, mapped.LINE), bulk.lines)
            elif bulk.has_line:
                self.aside.add_found(mapped.faults_query(self.texts[part], left_out, listed, mapped.LINE))
            elif self.counts.rejected > rejects.records or self.counts.broken:
                digests = f"{bulk.relation}_digests"
                self.connection.execute(mapped.digest_view(digests, bulk.relation, bulk.positions))
                self.aside.add_digests(mapped.faults_query(digests, left_out, listed, None), bulk)

    def _broken(self, part: str) -> list[Fault]:
        """What must be so in every record and isn't in some; the column tells several of one record apart."""
        conditions = mapped.compile_marks([holds.condition for holds in self.layout.holds], self.scopes[part])
        pairs = zip(self.layout.holds, conditions, strict=True)
        return [
            Fault(f"holds: {one.words}", mapped.NOTHING, ~mark, f"not so: {one.words}; the record counts as it stands")
            for one, mark in pairs
        ]

    def _worst(self, part: str) -> tuple[str, str, str] | None:
        """The column and reason that most records fail by, and a value."""
        _, left_out, _ = self._left_out(part)
        query = mapped.faults_query(self.texts[part], left_out, self._faults(part), mapped.NOTHING)
        return self.connection.execute(
            f"SELECT column_name, min(value), reason FROM ({query}) GROUP BY column_name, reason ORDER BY count(*) DESC, 1, 3 LIMIT 1"  # noqa: S608
        ).fetchone()

    def _too_many(self, worst: tuple[Any, ...] | None, rejects: Any) -> None:
        share = f"{self.context.bad_share:.0%}".replace("%", " %")
        if worst is not None:
            column, value, reason = worst
            why = f'most often "{column}": {reason}' + (f" (such as {value[:60]})" if value else "")
        elif rejects.problems.first is not None:
            line, _, _, reason = rejects.problems.first
            why = f"first on line {line}: {reason}"
        else:
            why = self.aside.first_reason()
        raise HeldBack(
            f"{self.name} is held back: {self.counts.rejected} of {self.counts.read} rows can't be used (more than {share}), {why}. "
            f"Nothing of it was published. Look at those rows, or export the file again as {self.found.connector.label} writes it"
        )

    def _hold_back(self) -> None:
        if self.counts.read == 0:
            self.notes.append("it holds no rows")

    # -- the result ----------------------------------------------------------------------------------------------

    def views(self) -> tuple[StagedTable, ...]:
        """The rows of every table, made of the records that can be used."""
        kept: dict[str, str] = {}
        for part in self.bulks:
            kept[part] = f"{self.prefix}_kept{len(kept)}"
            numbered = any(mapping.interval for mapping in self._mappings(part))
            unusable = None
            if not self.clean[part]:
                unusable = mapped.never_null([self._left_out(part)[1], *(fault.bad for fault in self._faults(part))])
            self.connection.execute(mapped.kept_view(kept[part], self.texts[part], unusable, numbered))
        told = self._told(kept)
        tables: dict[str, list[Mapping]] = {}
        for mapping in self.layout.mappings:
            tables.setdefault(mapping.table, []).append(mapping)
        made = []
        for table, mappings in tables.items():
            rows = [rows for mapping in mappings for rows in self._rows(mapping, (told if mapping.hint else kept)[mapping.part])]
            if not rows:
                continue
            view = f"{self.prefix}_{table}"
            bulks = [self.bulks[mapping.part] for mapping in mappings]
            numbered = self.context.numbered and table not in self.hints and all(bulk.has_line for bulk in bulks)
            lines = bulks[0].lines
            if table in self.hints:
                self.connection.execute(mapped.grouped_view(view, self.hints[table], table, rows[0]))
            else:
                self.connection.execute(mapped.rows_view(view, table, rows, mappings[0].one_each, mappings[0].interval, numbered))
            hint, history = all(mapping.hint for mapping in mappings), mappings[0].history
            made.append(StagedTable(table, view, self._replaces(mappings[0]), hint, history, self._assumed(mappings), numbered, lines))
            if (gone := self._retired(mappings[0])) is not None:
                made.append(gone)
        return tuple(made)

    def _told(self, kept: dict[str, str]) -> dict[str, str]:
        """For each part the records that say who is who: those that are left out with ``told`` as well."""
        if not any(skip.told for skip in self.layout.skips):
            return kept
        made = {}
        for part in self.bulks:
            totals, _, skips = self._left_out(part)
            out = [skips[skip.words] for skip in self.layout.skips if not skip.told]
            made[part] = f"{kept[part]}_told"
            unusable = mapped.never_null([totals, *out, *(fault.bad for fault in self._faults(part))])
            self.connection.execute(mapped.kept_view(made[part], self.texts[part], unusable, numbered=False))
        return made

    def _assumed(self, mappings: list[Mapping]) -> tuple[str, ...]:
        """The columns of currencies that the file doesn't name, and those that the mappings keep."""
        kept = [name for mapping in mappings for name in mapping.keeps]
        for mapping in mappings:
            scope = self.scopes[mapping.part]
            currencies = [(name, value) for name, value in mapping.columns.items() if isinstance(value, Currency) and any(cells_of(value))]
            kept += [name for name, value in currencies if not finds_any(value, scope)]
        return tuple(kept)

    def _replaces(self, mapping: Mapping) -> Replaces | None:
        renews = mapping.renews
        if renews is None:
            return None
        scope = f"{self.prefix}_{mapping.table}_scope"
        rows = mapped.Rows(self.scopes[renews.part], self.texts[renews.part], renews.scope, None)
        stamp = self._stamp(mapping) if renews.part == mapping.part and renews.day is None else None
        self.connection.execute(mapped.keys_view(scope, mapping.table, rows, stamp))
        if renews.day is None:
            return Replaces(scope, tuple(renews.scope), whole=renews.part == mapping.part)
        # of a report that states no period the bookings' own days are all that is known; without bookings there are none
        period = (self.report.period if self.report else None) or self.spans.get(mapping.table, (date.max, date.max))
        return Replaces(scope, tuple(renews.scope), renews.day, *period, renews.alike, renews.partial)

    def _stamp(self, mapping: Mapping) -> Value | None:
        """When the source last changed a record, where the file says it."""
        return self._said(mapping).get("modified_at")

    def _retired(self, mapping: Mapping) -> StagedTable | None:
        """What the file says is deleted: no rows in the place of those that earlier exports brought."""
        skips = [skip for skip in self.layout.skips if skip.retires and self.counts.skipped.get(skip.words)]
        keys = {key: mapping.columns[key] for key in mapped.key_columns(mapping.table) if key in mapping.columns}
        if not skips or mapping.hint or len(keys) != 1:
            return None
        view, scope = f"{self.prefix}_{mapping.table}_none", f"{self.prefix}_{mapping.table}_gone"
        source, about = self.texts[mapping.part], self.scopes[mapping.part]
        where = AnyOf(tuple(skip.condition for skip in skips))
        self.connection.execute(mapped.keys_view(scope, mapping.table, mapped.Rows(about, source, keys, where), self._stamp(mapping)))
        nothing = mapped.Rows(about, source, self._said(mapping), AnyOf(()))
        self.connection.execute(mapped.rows_view(view, mapping.table, [nothing], (), ()))
        return StagedTable(mapping.table, view, Replaces(scope, tuple(keys), whole=True))

    def _covers(self) -> dict[str, tuple[date, date, str]]:
        for mapping in self.layout.mappings:
            for table in mapping.span.tables if mapping.span else ():
                if table in self.spans and mapping.table in self.spans:
                    self.spans[table] = self.spans[mapping.table]
        covers = {table: (*span, "dates of its rows") for table, span in self.spans.items()}
        as_of = self._as_of()
        if self.report is not None and self.report.period is not None:
            first, until = self.report.period
            if as_of is not None:  # a period that goes on after the export was made is covered up to then
                until = min(until, as_of.date() + timedelta(days=1))
            return {
                mapping.table: (first, until, "stated by the file") for mapping in self.layout.mappings if mapping.span and first < until
            }
        return covers

    def _doubt_period(self) -> None:
        """A title that leaves out days on which the file has rows was misread or is wrong: then the rows' dates count."""
        if self.report is None or self.report.period is None:
            return
        since, until = self.report.period
        outside = [(first, end) for first, end in self.spans.values() if first < since or end > until]
        if outside:
            first, end = min(first for first, _ in outside), max(end for _, end in outside)
            self.notes.append(
                f"its title speaks of {since} to {until - timedelta(days=1)}, but it has rows from {first} to {end - timedelta(days=1)}: "
                "what it covers is taken from its rows' dates"
            )
            self.report.period = None

    def _as_of(self) -> datetime | None:
        if self.report is not None and self.report.as_of is not None:
            return self.report.as_of
        if (self.found.connector.dated_name or self.layout.dated_name) and (
            match := re.search(r"(?<!\d)(20\d\d)-(\d\d)-(\d\d)(?!\d)", self.name)
        ):
            try:
                return datetime(int(match[1]), int(match[2]), int(match[3]))  # noqa: DTZ001 - UTC without a zone, as everywhere
            except ValueError:
                return None
        return None

    def _tell(self) -> None:
        """Sentences about what was decided and assumed."""
        for words, count in self.counts.skipped.items():
            self.notes.append(f"{count} {words} left out")
        self.notes += [f"{count} {words}" for words, count in self.counts.told.items()]
        for reason, count in self.counts.broken.items():
            self.notes.append(f"{count:,} of {self.counts.read:,} records contradict themselves: {reason}")
        shapes: list[Any] = [shape for scope in self.scopes.values() for shape in (*scope.dates.values(), *scope.amounts.values())]
        self.notes += dict.fromkeys(shape.words for shape in shapes if shape.words)
        deals = [mapping for mapping in self.layout.mappings if mapping.table == "deal" and "amount" in mapping.columns]
        if any(not speaks_of(mapping.columns["amount"], self.scopes[mapping.part]) for mapping in deals):
            self.notes.append("it has no column of amounts, so its deals bring none")
        if any(scope.assumed for scope in self.scopes.values()):
            self.notes.append(f"it names no currency, so amounts are taken as {self.context.currency}")


def _dates_of(mapping: Mapping) -> tuple[Value, ...]:
    """The values that say how far a mapping's rows reach."""
    span = mapping.span
    return (*span.first, *span.last, *span.entered, *span.stamps) if span else ()


def _every_column(layout: Layout) -> tuple[str, ...]:
    """The columns of text that a layout's mappings read, of all parts."""
    return tuple(name for part in dict.fromkeys(mapping.part for mapping in layout.mappings) for name in _columns(layout, part))


def _columns(layout: Layout, part: str) -> tuple[str, ...]:
    """The columns of text that a part's mappings read, in a fixed order."""
    names: dict[str, None] = {}
    for mapping in layout.mappings:
        if mapping.renews is not None and mapping.renews.part == part:
            names |= dict.fromkeys(name for value in mapping.renews.scope.values() for name in cell_names(value))
        if mapping.part == part:
            values: list[Value | Any] = [*mapping.columns.values(), mapping.where]
            values += _dates_of(mapping)
            names |= dict.fromkeys(name for value in values for name in cell_names(value))
    told = (*(skip.condition for skip in layout.skips), *(tell.condition for tell in layout.tells))
    for condition in (*told, *(one.condition for one in layout.holds)):
        names |= dict.fromkeys(cell_names(condition))
    return tuple(names)
