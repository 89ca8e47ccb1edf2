"""What one set of definitions says otherwise than another: which figures may move, and through what.

A metric is touched when what it comes down to is not the same: its columns, conditions and days after all names are resolved, the
metrics that it is made of, and what of calendar, currency, sources: and tables: it stands on. A label or a comment touches nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from typing import Any, Final, Literal

import sqlalchemy as sa

from kpi.metrics.dependants import stands_on
from kpi.metrics.model import Definitions, Formula, Leaf, Metric, MetricRef, Moved, Only, Per, Retained

How = Literal["added", "removed", "changed", "through"]

#: Keys of a metric that say how it is called and judged, and change no figure.
WORDS: Final = ("label", "means", "owner", "better")
_LEFT_OUT: Final[Mapping[type, frozenset[str]]] = {
    Metric: frozenset({"name", "label", "means", "owner", "better", "targets", "where", "text"}),
    Moved: frozenset({"stock"}),  # the leaf itself is the stock
    Retained: frozenset({"stock"}),
    Only: frozenset({"condition"}),  # resolved beside it
}


@dataclass(frozen=True)
class Touched:
    """A metric whose figures may move.

    Attributes:
        how: ``changed``: its own definition; ``through``: something that it stands on.
        because: what it is, in words, such as ``formula`` or ``revenue``.
    """

    name: str
    label: str
    how: How
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    """Something that reads otherwise; a side is empty where nothing was written.

    Attributes:
        about: a metric, a dimension or a section of the file; key: of it, or empty.
    """

    about: str
    key: str
    before: str
    after: str


@dataclass(frozen=True)
class Retargeted:
    """A target that was set, changed or taken away (None); percentages are fractions."""

    metric: str
    unit: str
    period: str
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True)
class Changes:
    """All that differs.

    Attributes:
        touched: in the order of the file, those taken away last.
        dimensions: whose groups may move: name, and how.
        words: labels, meanings, owners; sections: what stands where on the pages, and how the company counts.
        applied: products:, costs: and what else is applied when data are published, so that the figures of today don't show it yet.
        publishes: whether any of that differs.
    """

    touched: tuple[Touched, ...]
    dimensions: tuple[tuple[str, How], ...]
    words: tuple[Said, ...]
    sections: tuple[Said, ...]
    targets: tuple[Retargeted, ...]
    applied: tuple[Said, ...]
    publishes: bool

    @property
    def nothing(self) -> bool:
        """Whether the two say the same; comments and layout may differ."""
        return not (self.touched or self.dimensions or self.words or self.sections or self.targets or self.applied or self.publishes)


def changes(before: Definitions, after: Definitions) -> Changes:
    """From one set of definitions to another."""
    dimensions = tuple(_dimensions(before, after))
    return Changes(
        touched=tuple(_touched(before, after, dimensions)),
        dimensions=dimensions,
        words=tuple(_words(before, after)),
        sections=tuple(_sections(before, after)),
        targets=tuple(_targets(before, after)),
        applied=tuple(_applied(before, after)),
        publishes=before.mappings_hash != after.mappings_hash,
    )


def fingerprints(definitions: Definitions) -> dict[str, str]:
    """Metric -> a digest of all that its figures hang on."""
    reading = _Reading(definitions)
    return {name: reading.of(name) for name in definitions.metrics}


def _touched(before: Definitions, after: Definitions, dimensions: tuple[tuple[str, How], ...]) -> Iterator[Touched]:
    old, new = fingerprints(before), fingerprints(after)
    own = {name: _own(before.metrics[name], after.metrics[name]) for name in after.metrics if name in before.metrics}
    said = tuple(one.about if not one.key else f"{one.about}: of {one.key}" for one in _counting(before, after))
    for name, metric in after.metrics.items():
        if name not in old:
            yield Touched(name, metric.label, "added")
        elif old[name] != new[name] and own[name]:
            yield Touched(name, metric.label, "changed", own[name])
        elif old[name] != new[name]:
            parts = stands_on(name, after.metrics)
            through = tuple(part for part in parts if part not in old or own.get(part))
            named = tuple(one for one, _ in dimensions if one in " ".join(metric.text.values()).replace(",", " ").split())
            yield Touched(name, metric.label, "through", through or said or named or tuple(one for one, _ in dimensions))
    for name, metric in before.metrics.items():
        if name not in after.metrics:
            yield Touched(name, metric.label, "removed")


def _own(before: Metric, after: Metric) -> tuple[str, ...]:
    """The keys of a metric that are written otherwise and may move its figures."""
    keys = dict.fromkeys((*before.text, *after.text))
    return tuple(key for key in keys if key not in (*WORDS, "target") and before.text.get(key) != after.text.get(key))


def _dimensions(before: Definitions, after: Definitions) -> Iterator[tuple[str, How]]:
    for name, one in after.dimensions.items():
        other = before.dimensions.get(name)
        if other is None:
            yield name, "added"
        elif (one.table, one.expression, one.as_of) != (other.table, other.expression, other.as_of):
            yield name, "changed"
    yield from ((name, "removed") for name in before.dimensions if name not in after.dimensions)


def _words(before: Definitions, after: Definitions) -> Iterator[Said]:
    for name, metric in after.metrics.items():
        old = before.metrics.get(name)
        for key in WORDS if old is not None else ():
            was, now = old.text.get(key, "") if old else "", metric.text.get(key, "")
            if was != now:
                yield Said(name, key, was, now)
    for name, one in after.dimensions.items():
        other = before.dimensions.get(name)
        if other is not None and other.label != one.label:
            yield Said(name, "label", other.label, one.label)


def _sections(before: Definitions, after: Definitions) -> Iterator[Said]:
    pairs = (
        ("north_star", before.north_star, after.north_star),
        ("drivers", ", ".join(before.drivers), ", ".join(after.drivers)),
        ("review", _review(before), _review(after)),
    )
    yield from (Said(about, "", was, now) for about, was, now in pairs if was != now)
    yield from _counting(before, after)


def _counting(before: Definitions, after: Definitions) -> Iterator[Said]:
    """How the company counts: what moves figures of many metrics at once."""
    for field in fields(before.calendar):
        was, now = (str(getattr(one.calendar, field.name)) for one in (before, after))
        if was != now:
            yield Said("calendar", field.name, was, now)
    if before.currency != after.currency:
        yield Said("currency", "", before.currency, after.currency)
    for table in dict.fromkeys((*before.sources, *after.sources)):
        was, now = (_counted(one, table) for one in (before, after))
        if was != now:
            yield Said("sources", table, was, now)
    for table in dict.fromkeys((*before.catalog.given, *after.catalog.given)):
        was, now = (one.catalog.given[table].written if table in one.catalog.given else "" for one in (before, after))
        if was != now or (was and now and _given(before, table) != _given(after, table)):
            yield Said("tables", table, was, now)


def _review(definitions: Definitions) -> str:
    return "; ".join(f"{section.title}: {', '.join(section.metrics)}".removeprefix(": ") for section in definitions.review)


def _counted(definitions: Definitions, table: str) -> str:
    spans = definitions.sources.get(table, ())
    return ", ".join(
        f"{span.source}{f' from {span.start}' if span.start else ''}{f' until {span.end}' if span.end else ''}" for span in spans
    )


def _targets(before: Definitions, after: Definitions) -> Iterator[Retargeted]:
    for name in dict.fromkeys((*after.metrics, *before.metrics)):
        old, new = before.metrics.get(name), after.metrics.get(name)
        was = {target.period: target.value for target in (old.targets if old else ())}
        now = {target.period: target.value for target in (new.targets if new else ())}
        unit = (new or before.metrics[name]).unit
        for period in dict.fromkeys((*was, *now)):
            if was.get(period) != now.get(period):
                yield Retargeted(name, unit, period, was.get(period), now.get(period))


def _applied(before: Definitions, after: Definitions) -> Iterator[Said]:
    old, new = ({pattern: category for category, patterns in one.costs.items() for pattern in patterns} for one in (before, after))
    for pattern in dict.fromkeys((*new, *old)):
        if old.get(pattern) != new.get(pattern):
            yield Said("costs", pattern, old.get(pattern, ""), new.get(pattern, ""))
    for product in dict.fromkeys((*after.products, *before.products)):
        was, now = before.products.get(product, {}), after.products.get(product, {})
        for source in dict.fromkeys((*now, *was)):
            words = [", ".join(f"{rule.field}: {rule.pattern}".removeprefix(": ") for rule in one.get(source, ())) for one in (was, now)]
            if words[0] != words[1]:
                yield Said("products", f"{product}, {source}", *words)
        if not was and not now and (product in before.products) != (product in after.products):
            yield Said("products", product, "there" if product in before.products else "", "there" if product in after.products else "")


def _given(definitions: Definitions, table: str) -> str:
    """A table of others as it is read; its own object where no text of it can be made, which is like no other."""
    one = definitions.catalog.given[table]
    try:
        source = str(sa.select(one.source))
    except Exception:  # an element that only an engine can write
        source = str(id(one))
    joins = sorted(f"{column.name} -> {key.target_fullname}" for column in one.table.columns for key in column.foreign_keys)
    return repr((one.written, one.history, one.keys, source, joins))


class _Reading:
    """Digests of one set of definitions, each made once."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.known: dict[str, str] = {}

    def of(self, name: str) -> str:
        if name not in self.known:
            calendar = self.definitions.calendar
            content = repr((calendar, self._plain(self.definitions.metrics[name])))
            self.known[name] = hashlib.sha256(content.encode()).hexdigest()[:16]
        return self.known[name]

    def _plain(self, value: Any) -> Any:
        """A value of the model as tuples, without names and words, metrics by what they come down to."""
        if isinstance(value, MetricRef):
            return ("metric", self.of(value.name) if value.name else "")
        if isinstance(value, Per):
            return ("per", self._plain(value.key), value.by, self.of(value.metric))
        if isinstance(value, tuple | list):
            return tuple(self._plain(item) for item in value)
        if not is_dataclass(value) or isinstance(value, type):
            return value
        kind = Metric if isinstance(value, Metric) else type(value)
        left_out = _LEFT_OUT.get(kind, frozenset())
        found = [
            (field.name, self._plain(getattr(value, field.name))) for field in fields(value) if field.compare and field.name not in left_out
        ]
        if isinstance(value, Leaf):
            found.append(("reads", tuple(self._table(table) for table in value.tables)))
            if value.money is not None:
                found.append(("in", self.definitions.currency))
        if isinstance(value, Formula):
            found = [(name, one) for name, one in found if name != "made_of"]
        return (type(value).__name__, *found)

    def _table(self, name: str) -> Any:
        given = _given(self.definitions, name) if name in self.definitions.catalog.given else ""
        return (name, _counted(self.definitions, name), given)
