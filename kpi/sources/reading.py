"""One file of the folder ``sources``: its text -> the Connector that it describes, or all its problems with their lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, cast

from connectors.base import Connector, Holds, Layout, Mapping, Skip, Span
from kpi import yamlfile
from kpi.errors import BadExpression, Problem, did_you_mean, known_are
from kpi.language import commas
from kpi.language.problems import Key, Problems
from kpi.settings import DateOrder
from kpi.sources.columns import Columns
from kpi.sources.expressions import EXPORTED_ON, Reader
from kpi.sources.flattening import Numbering
from kpi.sources.rows import Rows
from kpi.sources.saying import facts_of, statements
from kpi.sources.tables import TARGETS
from kpi.sources.values import ROW_KEY, ZONES
from kpi.warehouse.casting import cell_names
from kpi.warehouse.cells import Constant, Zone

FILE: Final = (
    Key("source", "a short name, such as ravenstack", "the system: what ids begin with, and what sources: of metrics.yaml calls it", True),
    Key("label", "text", "the system as people write it"),
    Key("agree", "facts with what they are in words", "what several exports state, and may contradict each other on"),
    Key("exports", "names with exports", "each kind of file that the system writes", True),
)
EXPORT: Final = (
    Key("how", "text", "how somebody gets this file"),
    Key("columns", "headers, or names with headers", "a file is this export when its header has all of them", True),
    Key("may_have", "headers, or names with headers", "columns that some files lack"),
    Key("lacks", "a header or a list", "columns that make it another file"),
    Key("title", "text", "what a cell above the header begins with"),
    Key("totals", "a text or a list, with * for any text", "the first cell of rows that are totals or footers"),
    Key("dates", "dmy or mdy", "how 12/06/2024 is read where a whole column can't decide"),
    Key("times_in", "utc, local or written", "what times without an offset are in; default: local, the calendar's zone"),
    Key("dated_by", "name", "the file's name holds the day of the export, as in sales-2026-03-01.csv"),
    Key("leave_out", "a list of where and words", "records that are left out on purpose, and counted"),
    Key("covers", "first and last", "from which day to which the export reaches, where its rows don't show it"),
    Key("rows", "tables with columns", "what each record becomes", True),
    Key("says", "facts of agree with of and is", "what a record states, to be compared with what other exports state"),
    Key("holds", "a list of that and words", "what must be so in every record; where it isn't, that is told and the record counts"),
)
HOLDS: Final = (
    Key("that", "an expression", "what must be so", True),
    Key("words", "text", "the same in words, as in: ARR is twelve times MRR", True),
)
LEFT_OUT: Final = (
    Key("where", "an expression", "which records", True),
    Key("words", "text", "what they are, as in: 12 drafts left out", True),
    Key("retires", "true", "rows that earlier exports brought under the same id go"),
)
COVERS: Final = (
    Key("first", f"a day, or an expression over the file's columns and {EXPORTED_ON}", "the first day that is covered"),
    Key("last", "the same", "the last day that is covered"),
)
#: Names that are ids of other things in the same column, and what no source may be called.
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,30}\Z")
#: More patterns of totals, or stars in one, than any export needs; they are tried on every record.
_MOST_STARS: Final = 2
_MOST_PATTERNS: Final = 20
MOST_EXPORTS: Final = 50


@dataclass(frozen=True)
class Source:
    """A file of the folder that has no problems.

    Attributes:
        file: its name.
        content: its bytes, which the archive keeps.
        connector: what it describes.
    """

    file: str
    content: bytes
    connector: Connector


def read(content: bytes, file: str, taken: Collection[str] = ()) -> tuple[Source | None, list[Problem]]:
    """Read a mapping's text.

    Args:
        content: the file's bytes.
        file: what problems call it.
        taken: names of systems that are described elsewhere.
    """
    tree, found = yamlfile.parse(content, file)
    if not isinstance(tree, yamlfile.Mapping):
        if not found:
            found = [Problem(file, 1, "", "the file holds no keys; it needs source and exports, see docs/connectors.md")]
        return None, found
    tree, cut = commas.rejoined(tree, file)
    assert isinstance(tree, yamlfile.Mapping)  # noqa: S101 - it stays what it was
    problems = Problems(file, [*found, *cut])
    connector = _connector(tree, problems, taken)
    if problems.found or connector is None:
        return None, sorted(problems.found)
    return Source(file, content, connector), []


def _connector(tree: yamlfile.Mapping, problems: Problems, taken: Collection[str]) -> Connector | None:
    problems.keys(tree, FILE, "a mapping")
    named = tree.get("source")
    name = problems.text(named, "a short name") or ""
    if named is not None and name and not _NAME.match(name):
        problems.at(named, f'"{name}" can\'t be a source; use small letters, digits, _ and -, and begin with a letter')
    elif named is not None and name in taken:
        problems.at(named, f'"{name}" is a system that is known already; choose another name, since ids begin with it')
    label = problems.text(tree.get("label")) or name
    exports = tree.get("exports")
    given = None if exports is None else problems.mapping(exports, "names with exports")
    layouts = []
    agree = tree.get("agree")
    facts = facts_of(agree, problems)
    for entry in given.entries[:MOST_EXPORTS] if given else ():
        layout = _Export(problems, name, entry.key.text, facts).layout(entry.value)
        layouts += [layout] if layout is not None else []
    if given is not None and (not given.entries or len(given.entries) > MOST_EXPORTS):
        problems.at(given, f"needs from one to {MOST_EXPORTS} exports")
    said = [mapping.columns["fact"] for layout in layouts for mapping in layout.mappings if mapping.table == "sayer"]
    for fact in facts if not problems.found else ():
        if agree is not None and said.count(Constant(fact)) < 2:
            problems.at(
                agree, f"{fact} is said by {said.count(Constant(fact))} of the exports; what is compared needs two or more, under says:"
            )
    return Connector(name, label, tuple(layouts))


class _Export:
    """One kind of file."""

    def __init__(self, problems: Problems, source: str, name: str, facts: dict[str, str]) -> None:
        self.facts = facts
        self.problems = problems
        self.source = source
        self.name = name
        self.columns = Columns()
        self.zone: Zone = "local"

    def layout(self, value: yamlfile.Value) -> Layout | None:
        problems = self.problems
        export = problems.mapping(value, "the keys of an export")
        if export is None:
            return None
        problems.keys(export, EXPORT, "an export")
        self._columns(export.get("columns"))
        needs = tuple(cell.names for cell in self.columns.cells)
        self._columns(export.get("may_have"))
        self.zone = cast("Zone", problems.choice(export.get("times_in"), ZONES, "what times are in") or "local")
        lacks = export.get("lacks")
        lacked = tuple(item.text for item in problems.texts(lacks, "a header")) if lacks is not None else ()
        order = cast("DateOrder | None", problems.choice(export.get("dates"), ("dmy", "mdy"), "an order of days and months"))
        dated = problems.choice(export.get("dated_by"), ("name",), "what holds the day of the export") is not None
        totals = self._totals(export.get("totals"))
        skips = tuple(self._left_out(export.get("leave_out")))
        span = self._covers(export.get("covers"))
        mappings = self._mappings(export.get("rows"), span)
        stated = statements(export.get("says"), problems, self.columns, self.reader(), self.facts, self.name, mappings)
        mappings = (*mappings, *stated)
        keyed = any(ROW_KEY in cell_names(tuple(mapping.columns.values())) for mapping in mappings)
        if keyed and any(mapping.each for mapping in mappings):
            problems.at(value, "each can't stand beside made_of: row in one export; describe two exports")
        return Layout(
            name=self.name,
            needs=needs,
            mappings=mappings,
            skips=skips,
            lacks=lacked,
            title=problems.text(export.get("title")) or "",
            totals=totals,
            reshape=Numbering(self.columns.known(), totals) if keyed else None,
            export=problems.text(export.get("how")) or f"see {problems.file}",
            dates=order,
            dated_name=dated,
            holds=tuple(self._holds(export.get("holds"))),
        )

    def _columns(self, value: yamlfile.Value | None) -> None:
        if value is None:
            return
        named: Iterator[tuple[str, yamlfile.Value]]
        if isinstance(value, yamlfile.Mapping):
            named = iter(value)
        else:
            items = value.items if isinstance(value, yamlfile.Sequence) else (value,)
            named = (("", item) for item in items)
        for name, item in named:
            headers = tuple(found.text.strip() for found in self.problems.texts(item, "a header of the file"))
            if not headers:
                continue
            if name and not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
                self.problems.at(item, f'"{name}" can\'t be what a column is called; use small letters, digits and _')
            if wrong := self.columns.add(headers, name):
                self.problems.at(item, wrong)

    def reader(self) -> Reader:
        """What reads this export's expressions."""
        return Reader(self.columns.by_name, self.columns.callable(), self.zone)

    def _totals(self, value: yamlfile.Value | None) -> str:
        if value is None:
            return ""
        texts = self.problems.texts(value, "how a total row begins, with * for any text")
        for item in texts:
            if item.text.count("*") > _MOST_STARS or not item.text.replace("*", "").strip():
                self.problems.at(item, f'"{item.text}": write a text with at most {_MOST_STARS} *, such as Total*')
        if len(texts) > _MOST_PATTERNS:
            self.problems.at(value, f"at most {_MOST_PATTERNS} patterns")
        patterns = [".*".join(re.escape(part) for part in item.text.strip().split("*")) for item in texts[:_MOST_PATTERNS]]
        return f"(?i)^(?:{'|'.join(patterns)})$"

    def _left_out(self, value: yamlfile.Value | None) -> Iterator[Skip]:
        if value is None:
            return
        if not isinstance(value, yamlfile.Sequence):
            self.problems.at(value, "leave_out needs a list, each with where and words")
            return
        for item in value.items:
            mapping = self.problems.mapping(item, "where and words")
            if mapping is None:
                continue
            self.problems.keys(mapping, LEFT_OUT, "what is left out")
            where, words = mapping.get("where"), self.problems.text(mapping.get("words"), "what they are") or ""
            retires = mapping.get("retires")
            gone = retires is not None and self.problems.choice(retires, ("true", "false"), "true or false") == "true"
            text = self.problems.text(where, "an expression")
            if text is None or where is None:
                continue
            try:
                yield Skip(self.reader().condition(text), words, gone)
            except BadExpression as error:
                self.problems.at(where, str(error))

    def _holds(self, value: yamlfile.Value | None) -> Iterator[Holds]:
        if value is None:
            return
        if not isinstance(value, yamlfile.Sequence):
            self.problems.at(value, "holds needs a list, each with that and words")
            return
        for item in value.items:
            mapping = self.problems.mapping(item, "that and words")
            if mapping is None:
                continue
            self.problems.keys(mapping, HOLDS, "what must be so")
            that, words = mapping.get("that"), self.problems.text(mapping.get("words"), "what must be so, in words") or ""
            text = self.problems.text(that, "an expression")
            if text is None or that is None:
                continue
            try:
                yield Holds(self.reader().condition(text), words)
            except BadExpression as error:
                self.problems.at(that, str(error))

    def _covers(self, value: yamlfile.Value | None) -> Span | None:
        if value is None:
            return None
        mapping = self.problems.mapping(value, "first and last")
        if mapping is None or not self.problems.keys(mapping, COVERS, "covers"):
            return None
        ends = {}
        for name in ("first", "last"):
            given = mapping.get(name)
            text = self.problems.text(given, "a day")
            if text is None or given is None:
                continue
            try:
                is_day = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None
                ends[name] = (self.reader().value(f"'{text}'" if is_day else text, "day"),)
            except BadExpression as error:
                self.problems.at(given, str(error))
        return Span(ends.get("first", ()), ends.get("last", ()))

    def _mappings(self, value: yamlfile.Value | None, span: Span | None) -> tuple[Mapping, ...]:
        tables = None if value is None else self.problems.mapping(value, "tables with columns")
        found: list[Mapping] = []
        for at, entry in enumerate(tables.entries if tables else ()):
            name = entry.key.text
            if name not in TARGETS:
                near = did_you_mean(name, TARGETS) or known_are(name, TARGETS)
                self.problems.add(entry.key.line, entry.value.path, f'no mapping can fill a table "{name}"{near}')
                continue
            several = entry.value.items if isinstance(entry.value, yamlfile.Sequence) else (entry.value,)
            for item in several:
                rows = Rows(self.problems, self.columns, TARGETS[name], self.source, self.zone, span)
                found += rows.mappings(item, main=at == 0, several=len(several) > 1)
        if tables is not None and not tables.entries:
            self.problems.at(tables, "needs at least one table")
        return tuple(found)
