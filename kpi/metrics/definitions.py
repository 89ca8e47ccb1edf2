"""metrics.yaml -> :class:`~kpi.metrics.model.Definitions`, or every problem at once with file, line and key.

Metrics and dimensions are read when first needed, so that their order in the file is free; one that needs itself
is a problem, and one that is wrong is reported once, where it is wrong, and not by everything that uses it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from kpi import yamlfile
from kpi.errors import BadExpression, DefinitionsError, KpiError, Problem, UnknownName, did_you_mean, nearest
from kpi.language import commas, lexing
from kpi.language.problems import Cascade, Key, Problems
from kpi.metrics import expressions, given, graph, sections
from kpi.metrics.catalog import Catalog
from kpi.metrics.given import Look
from kpi.metrics.kinds import COMMON, KINDS
from kpi.metrics.kinds.base import About, Context, Kind, expression
from kpi.metrics.model import Definitions, Dimension, Formula, Leaf, Metric, Node, Section, Where
from kpi.periods import Calendar

SECTIONS: Final = (
    Key("north_star", "a metric", "the one metric that stands above all others", required=True),
    Key("drivers", "a list of metrics", "the cards below it, in their order; without it what the North Star is made of, then the others"),
    Key("review", "sections with metrics", "the weekly review, in its order; without it the North Star and the drivers"),
    Key("calendar", "week_starts, year_starts, timezone, pattern", "how the company counts its time"),
    Key("currency", "three letters, such as EUR", "the currency of every figure"),
    Key("tables", "names with tables or views of the warehouse", "tables that this program did not make"),
    Key("sources", "tables with systems", "which system counts where two hold the same thing"),
    Key("products", "products with rules", "how rows of other systems find their product, applied when data are published"),
    Key("costs", "categories with ledger accounts", "which ledger accounts are which category, applied when data are published"),
    Key("dimensions", "names with definitions", "what figures are split and filtered by"),
    Key("metrics", "names with definitions", "every figure", required=True),
)
DIMENSION: Final = (
    Key("label", "text", "the name that people read"),
    Key("of", "a table", "the table whose columns it is made of", required=True),
    Key("is", "an expression", "its value", required=True),
    Key("as_of", "now", "what is true now; without it what was true on the row's day"),
)
#: Words that name no metric and no dimension: those of expressions, and columns that every answer has.
RESERVED: Final = (*lexing.KEYWORDS, "period", "partial")
#: Hashed with the file: a change of the language's meaning makes cached figures void.
_LANGUAGE: Final = "1"


def load(path: Path, look: Look | None = None) -> Definitions:
    """Read and check a file.

    Args:
        look: asks the warehouse what it says of the tables of ``tables:``; without it what stands on them is left out.

    Raises:
        DefinitionsError: all its problems, in the order of their lines.
        WarehouseError: ``tables:`` names some, and the warehouse can't be looked at.
    """
    definitions, problems = _read(path, look)
    if problems or definitions is None:
        raise DefinitionsError(problems)
    return definitions


def check(path: Path, look: Look | None = None, systems: Collection[str] = ()) -> list[Problem]:
    """Every problem of a file, and what is there without use, in the order of the lines; empty when it is sound.

    ``systems``: the names of all that can be imported from; without them any name of a system is taken, as :func:`load` does,
    since a page goes on when a source is no longer configured.
    """
    definitions, problems = _read(path, look, systems)
    return sorted(problems + ([] if definitions is None else _unused(definitions)))


def checked(
    content: bytes, name: str, look: Look | None = None, systems: Collection[str] = ()
) -> tuple[Definitions | None, tuple[Problem, ...]]:
    """The definitions of a text that is no file yet, and all that :func:`check` would say of it; none while anything is wrong.

    Args:
        name: what the problems call the file.

    Raises:
        WarehouseError: as :func:`load`.
    """
    definitions, problems = _made(*yamlfile.parse(content, name), name, look, systems)
    return definitions, tuple(sorted(problems + ([] if definitions is None else _unused(definitions))))


def _read(path: Path, look: Look | None, systems: Collection[str] = ()) -> tuple[Definitions | None, list[Problem]]:
    return _made(*yamlfile.read(path), str(path), look, systems)


def _made(
    tree: yamlfile.Value | None, found: list[Problem], name: str, look: Look | None, systems: Collection[str]
) -> tuple[Definitions | None, list[Problem]]:
    if not isinstance(tree, yamlfile.Mapping):
        if not found:
            what = "is empty" if tree is None or (isinstance(tree, yamlfile.Scalar) and tree.is_null) else "holds no keys"
            found = [Problem(name, 1, "", f"the file {what}; it needs north_star, currency and metrics")]
        return None, found
    tree, cut = commas.rejoined(tree, name)
    assert isinstance(tree, yamlfile.Mapping)  # noqa: S101 - it stays what it was
    problems = Problems(name, [*found, *cut])
    definitions = _File(tree, problems, systems).definitions(look)
    return (None if problems.found else definitions), problems.found


class _File:
    """One file in the reading."""

    def __init__(self, tree: yamlfile.Mapping, problems: Problems, systems: Collection[str]) -> None:
        self.tree = tree
        self.systems = systems
        self.problems = problems
        #: Names that are wrong themselves; who speaks of them stays silent.
        self.refused: set[str] = set()
        self.dimension_entries = self._entries("dimensions", "a dimension")
        self.metric_entries = self._entries("metrics", "a metric")
        self.dimensions: dict[str, Dimension | None] = {}
        self.metrics: dict[str, Metric | None] = {}
        self.reading: list[str] = []
        self.context = Context(
            problems, Calendar(), tuple(self.dimension_entries), self.dimension, (*self.metric_entries, *self.refused), self.metric
        )

    def definitions(self, look: Look | None) -> Definitions:
        tree, problems = self.tree, self.problems
        problems.keys(tree, SECTIONS, "metrics.yaml", later=("switches",))
        calendar = sections.calendar(tree.get("calendar"), problems)
        currency = sections.currency(tree.get("currency"), problems)
        counted = sections.sources(tree.get("sources"), problems, self.systems)
        products = sections.products(tree.get("products"), problems, self.systems)
        costs = sections.costs(tree.get("costs"), problems)
        tables = given.read(tree.get("tables"), problems, calendar.timezone, look)
        self.context = replace(self.context, calendar=calendar, catalog=Catalog(tables.given), unseen=tables.unseen)
        for name in self.dimension_entries:
            self._quietly(self.dimension, name)
        for name in self.metric_entries:
            self._quietly(self.metric, name)
        north_star = self._metric_name(tree.get("north_star")) or ""
        drivers = self._drivers(north_star)
        review = self._review() or (Section("", tuple(name for name in (north_star, *drivers) if name)),)
        return Definitions(
            file=problems.file,
            hash=_digest([_LANGUAGE, _plain(tree), *([tables.digest] if tables.digest else [])]),
            mappings_hash=_digest(
                [
                    *(_LANGUAGE, *(_plain(tree.get(name)) for name in ("products", "costs")), currency, calendar.timezone),
                    [span.source for span in counted.get("account", ())],
                ]
            ),
            north_star=north_star,
            drivers=drivers,
            review=review,
            calendar=calendar,
            currency=currency,
            sources=counted,
            dimensions=MappingProxyType(dict(self._in_order(self.dimensions, self.dimension_entries))),
            metrics=MappingProxyType(dict(self._in_order(self.metrics, self.metric_entries))),
            products=products,
            costs=costs,
            catalog=self.context.catalog,
            unseen=tables.unseen,
        )

    @staticmethod
    def _in_order(found: dict[str, Any], entries: dict[str, Any]) -> list[tuple[str, Any]]:
        return [(name, found[name]) for name in entries if found.get(name) is not None]

    def _quietly(self, read: Any, name: str) -> None:
        try:
            read(name)
        except Cascade:
            pass
        except KpiError as error:  # a cycle that begins here
            entry = (self.dimension_entries if read == self.dimension else self.metric_entries)[name]
            self.problems.add(entry.key.line, entry.value.path, str(error))

    def _entries(self, section: str, what: str) -> dict[str, yamlfile.Entry]:
        value = self.tree.get(section) or self._misspelt(section)
        mapping = None if value is None else self.problems.mapping(value, f"names with {what} each")
        found: dict[str, yamlfile.Entry] = {}
        for entry in () if mapping is None else mapping.entries:
            path = f"{section}.{entry.key.text}"
            if not self.problems.name(entry.key, path, RESERVED, f"the name of {what}"):
                self.refused.add(entry.key.text)
                continue
            if section == "metrics" and entry.key.text in self.dimension_entries:
                other = self.dimension_entries[entry.key.text].key.line
                self.problems.add(entry.key.line, path, f"a dimension in line {other} has this name; one name has one meaning")
                self.refused.add(entry.key.text)
                continue
            found[entry.key.text] = entry
        return found

    def _misspelt(self, section: str) -> yamlfile.Value | None:
        """The section under a name like its own, which is a problem by itself: what it holds is known all the same."""
        known = [key.name for key in SECTIONS]
        absent = [name for name in known if self.tree.get(name) is None]
        return next((value for name, value in self.tree if name not in known and nearest(name, absent) == section), None)

    def dimension(self, name: str) -> Dimension | None:
        """A dimension by name, read first where need be; Cascade where it is wrong."""
        if name not in self.dimension_entries:
            return None
        if name not in self.dimensions:
            self._begin(name)
            try:
                self.dimensions[name] = self._dimension(name)
            finally:
                self.reading.pop()
        found = self.dimensions[name]
        if found is None:
            raise Cascade
        return found

    def metric(self, name: str) -> Metric:
        """A metric by name, read first where need be; Cascade where it is wrong."""
        if name in self.refused:
            raise Cascade
        if name not in self.metric_entries:
            raise UnknownName("metric", name, self.metric_entries)
        if name not in self.metrics:
            self._begin(name)
            try:
                self.metrics[name] = self._metric(name)
            finally:
                self.reading.pop()
        found = self.metrics[name]
        if found is None:
            raise Cascade
        return found

    def _begin(self, name: str) -> None:
        if name in self.reading:
            circle = [*self.reading[self.reading.index(name) :], name]
            raise BadExpression(f"{' needs '.join(circle)}: a definition can't need itself")
        if len(self.reading) > 40:  # far below Python's own limit
            raise BadExpression("more than 40 definitions need one another in a row; shorten the chain")
        self.reading.append(name)

    def _dimension(self, name: str) -> Dimension | None:
        entry, problems = self.dimension_entries[name], self.problems
        mapping = problems.mapping(entry.value, "{label: …, of: a table, is: an expression}")
        if mapping is None:
            return None
        problems.keys(mapping, DIMENSION, "a dimension")
        label = problems.text(mapping.get("label"), "a label") if mapping.get("label") else None
        as_of = problems.choice(mapping.get("as_of"), ("now", "then"), "a time") if mapping.get("as_of") else None
        table, of = problems.text(mapping.get("of"), "a table"), mapping.get("of")
        known = self.context.catalog.names()
        if table is None or of is None or table in self.context.unseen:
            return None
        if table not in known:
            problems.at(of, f'no table is called "{table}"{did_you_mean(table, known) or "; known are " + ", ".join(known)}')
            return None
        scope = expressions.Scope(table, tuple(self.dimension_entries), self.dimension, name, defining=name, catalog=self.context.catalog)
        value = mapping.get("is")
        node = None if value is None else expression(value, problems, lambda text: _split(text, scope))
        if node is None:
            return None
        if as_of == "now":
            node = expressions.mapped(node, lambda column: replace(column, now=True))
        where = Where(problems.file, entry.key.line)
        return Dimension(name, label or name.replace("_", " ").capitalize(), table, node, where, "now" if as_of == "now" else "then")

    def _metric(self, name: str) -> Metric | None:
        entry = self.metric_entries[name]
        mapping = self.problems.mapping(entry.value, "keys such as label, sum, of, at, or formula")
        if mapping is None:
            return None
        about = About(name, mapping, entry.key.line)
        kind = self._kind(about)
        if kind is None:
            return None
        known = {key.name for key in (*COMMON, *kind.keys)}
        others = {key.name: other for other in reversed(KINDS) if other is not kind for key in other.keys if key.name not in known}
        found = next(mark for mark in kind.marks if mapping.get(mark) is not None)
        elsewhere = {name: f"goes with {', '.join(_marks(other))}, and this metric has {found}" for name, other in others.items()}
        if found == "formula":
            elsewhere["where"] += "; a formula takes only(metric, condition)"
        self.problems.keys(mapping, (*COMMON, *kind.keys), "a metric", elsewhere=elsewhere)
        # One with a wrong label or filter is kept, so that the formulas over it are checked as well.
        return kind.read(about, self.context)

    def _kind(self, about: About) -> Kind | None:
        """The kind that a definition's keys tell."""
        kinds = [kind for kind in KINDS if any(about.mapping.get(mark) is not None for mark in kind.marks)]
        marks = [mark for kind in KINDS for mark in kind.marks]
        if len(kinds) == 1:
            return kinds[0]
        path = about.mapping.path
        if kinds:
            self.problems.keys(about.mapping, self._every_key(), "a metric")
            found = [mark for mark in marks if about.mapping.get(mark) is not None]
            self.problems.add(about.line, path, f"a metric is one thing, and this one has {' and '.join(found)}; keep one of them")
        else:
            count = len(self.problems.found)
            self.problems.keys(about.mapping, self._every_key(), "a metric")
            if len(self.problems.found) == count:
                self.problems.add(about.line, path, f"nothing says what to compute; write one of {', '.join(marks)}")
        return None

    @staticmethod
    def _every_key() -> tuple[Key, ...]:
        """The keys of all kinds, none required: where no kind is known yet, only spelling is checked."""
        return (*COMMON, *(key._replace(required=False) for kind in KINDS for key in kind.keys))

    def _metric_name(self, value: yamlfile.Value | None) -> str | None:
        name = self.problems.text(value, "a metric")
        if name is None or value is None:
            return None
        if name in self.refused or not self.metric_entries:
            return None
        if name not in self.metric_entries:
            self.problems.at(value, str(UnknownName("metric", name, self.metric_entries)))
            return None
        return name

    def _drivers(self, north_star: str) -> tuple[str, ...]:
        value = self.tree.get("drivers")
        if value is None:
            star = self.metrics.get(north_star)
            first = expressions.metrics_of(star.formula) if isinstance(star, Formula) else ()
            return tuple(dict.fromkeys(name for name in (*first, *self.metric_entries) if name != north_star))
        names: list[str] = []
        for item in self.problems.names(value, "a metric"):
            name = self._metric_name(item)
            if name in names:
                self.problems.at(item, f"{name} is there twice")
            elif name is not None and name == north_star:
                self.problems.at(item, f"{name} is the North Star, and has its own place above the drivers; leave it out here")
            elif name is not None:
                names.append(name)
        return tuple(names)

    def _review(self) -> tuple[Section, ...]:
        """``review:``: sections with their metrics, or a list without sections."""
        value = self.tree.get("review")
        if value is None:
            return ()
        if isinstance(value, yamlfile.Mapping):
            entries = [(entry.key.text.strip(), entry.value) for entry in value.entries]
        else:
            entries = [("", value)]
        seen: set[str] = set()
        found = []
        for title, items in entries:
            names = []
            for item in self.problems.names(items, "a metric"):
                name = self._metric_name(item)
                if name in seen:
                    self.problems.at(item, f"{name} is there twice; the review shows each metric once")
                elif name is not None:
                    seen.add(name)
                    names.append(name)
            found.append(Section(title, tuple(names)))
        return tuple(section for section in found if section.metrics)


def _marks(kind: Kind) -> Sequence[str]:
    """The keys that tell a kind, few enough to read."""
    return kind.marks if len(kind.marks) < 3 else (*kind.marks[:2], "another aggregate")


def _split(text: str, scope: expressions.Scope) -> Node:
    node = expressions.row(text, scope)
    if not expressions.columns_of(node):
        raise BadExpression(f"a dimension needs a column of {scope.table}")
    kind = getattr(node, "type", "null")
    if kind not in ("text", "flag", "number", "day"):
        raise BadExpression(f"a dimension is text, a number, a day, or true or false; this is {kind}")
    return node


def _unused(definitions: Definitions) -> list[Problem]:
    """Dimensions that no metric reaches: nothing can be split by them."""
    tables = {
        table
        for metric in definitions.metrics.values()
        if isinstance(metric, Leaf)
        for table in graph.reachable(metric.table, definitions.catalog)
    }
    return [
        Problem(
            dimension.where.file,
            dimension.where.line,
            f"dimensions.{dimension.name}",
            f"no metric reaches table {dimension.table}, so nothing can be split by it; remove it, or add a metric that does",
        )
        for dimension in definitions.dimensions.values()
        if dimension.table not in tables
    ]


def _plain(value: yamlfile.Value | None) -> Any:
    """The content without lines and comments; the order of keys stays, it is the order of display."""
    if value is None or isinstance(value, yamlfile.Scalar):
        return None if value is None or value.is_null else value.text.strip()  # blanks within may be those of a text
    if isinstance(value, yamlfile.Sequence):
        return [_plain(item) for item in value.items]
    return [[name, _plain(item)] for name, item in value]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:16]
