"""What is looked at, and how: the whole state of the page, read from a link and written back to it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from kpi.dashboard.filters import MOST_SENTENCES, Filters, Value, echo, perhaps, read
from kpi.dashboard.frame import Frame
from kpi.metrics.groups import called, condition, meant
from kpi.metrics.model import Definitions
from kpi.periods import Grain

Form = Literal["line", "bars", "stacked", "table", "pivot", "leaderboard"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)
GRAINS: Final[tuple[Grain, ...]] = ("day", "week", "month", "quarter", "year")
#: How many periods may be looked back on; the first is what a link without any means.
LASTS: Final[Mapping[str, tuple[int, ...]]] = {
    "day": (28, 7, 91),
    "week": (13, 6, 26, 52, 104),
    "month": (12, 6, 24, 36),
    "quarter": (8, 4, 12),
    "year": (5, 2, 3),
}
#: More would be no chart that anybody reads; the command line has no such bound.
MOST_METRICS: Final = 6
MOST_DIMENSIONS: Final = 2
MOST_GROUPS: Final = 50
GROUPS: Final = 8
#: Periods that a chart takes.
MOST_PERIODS: Final = 1500

#: The page's own parameters; a dimension of one of these names is written with "in." before it.
NAMES: Final = ("metric", "by", "grain", "last", "from", "to", "vs", "as", "top", "each", "range", "figure", "at", "of", "show", "week")

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
_COLUMN: Final = re.compile(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*")
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class Range:
    """Values of a column from ``low`` to ``high``, both inclusive; None: no bound. Numbers and days as they are written."""

    column: str
    low: str | None
    high: str | None
    is_day: bool

    def where(self) -> str:
        """As a condition."""
        quote = "'" if self.is_day else ""
        bounds = [(">=", self.low), ("<=", self.high)]
        return " and ".join(f"{self.column} {sign} {quote}{bound}{quote}" for sign, bound in bounds if bound is not None)

    @property
    def written(self) -> str:
        """As a link has it."""
        return f"{self.column}:{self.low or ''}..{self.high or ''}"


@dataclass(frozen=True)
class Versus:
    """What is compared with; ``dimension`` and ``value`` of another segment."""

    kind: Literal["previous", "year", "target", "segment"]
    dimension: str = ""
    value: Value = None

    @property
    def written(self) -> str:
        """As a link has it."""
        return f"{self.dimension}:{called(self.value)}" if self.kind == "segment" else self.kind


@dataclass(frozen=True)
class Point:
    """One figure that is looked at closer; ``period`` is its first day, None: that of the whole time."""

    metric: str
    period: dt.date | None
    groups: tuple[Value, ...]
    rows: bool = False


@dataclass(frozen=True)
class Look:
    """What the page shows.

    Attributes:
        chosen: filters, as dimension and values; ``week``: the last week looked at, None: the last whole one.
        last: so many periods up to that week's; None: ``since`` to ``until`` (inclusive), or all there is.
        top: so many groups are shown, the rest as one.
        each: a small chart for each group.
    """

    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    chosen: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    ranges: tuple[Range, ...] = ()
    week: dt.date | None = None
    grain: Grain = "week"
    last: int | None = 13
    since: dt.date | None = None
    until: dt.date | None = None
    versus: Versus | None = None
    form: Form = "line"
    top: int = GROUPS
    each: bool = False
    point: Point | None = None

    def where(self) -> tuple[str, ...]:
        """Its filters as conditions."""
        return (*(condition(name, values) for name, values in self.chosen if values), *(one.where() for one in self.ranges))

    def values(self, dimension: str) -> tuple[Value, ...]:
        """Those that a dimension is filtered by."""
        return dict(self.chosen).get(dimension, ())

    def choose(self, dimension: str, values: Sequence[Value]) -> Look:
        """The same with other values of one dimension."""
        rest = tuple((name, kept) for name, kept in self.chosen if name != dimension)
        return replace(self, chosen=(*rest, (dimension, tuple(values))) if values else rest, point=None)

    def parameters(self, north_star: str) -> dict[str, list[str]]:
        """The URL's query parameters that :func:`of_link` turns back into this; what is usual is left out."""
        made: dict[str, list[str]] = {}
        if self.metrics != (north_star,):
            made["metric"] = list(self.metrics)
        made["by"] = list(self.by)
        for name, values in self.chosen:
            made[parameter(name)] = [called(value) for value in values]
        made["range"] = [one.written for one in self.ranges]
        made["week"] = [] if self.week is None else [self.week.isoformat()]
        made["grain"] = [] if self.grain == "week" else [self.grain]
        if self.last is None:
            made["from"] = [] if self.since is None else [self.since.isoformat()]
            made["to"] = [] if self.until is None else [self.until.isoformat()]
            made["last"] = [] if self.since or self.until else ["all"]
        elif self.last != LASTS[self.grain][0]:
            made["last"] = [str(self.last)]
        made["vs"] = [] if self.versus is None else [self.versus.written]
        made["as"] = [] if self.form == "line" else [self.form]
        made["top"] = [] if self.top == GROUPS else [str(self.top)]
        made["each"] = ["1"] if self.each else []
        if self.point is not None:
            made["figure"] = [self.point.metric]
            made["at"] = [] if self.point.period is None else [self.point.period.isoformat()]
            made["of"] = [called(value) for value in self.point.groups]
            made["show"] = ["rows"] if self.point.rows else []
        return {name: values for name, values in made.items() if values}


def parameter(dimension: str) -> str:
    """A dimension's name in a link."""
    return f"in.{dimension}" if dimension in NAMES or dimension.startswith("in.") else dimension


def of_link(
    parameters: Mapping[str, Sequence[str]], definitions: Definitions, frame: Frame, options: Callable[[str], Sequence[Value]]
) -> tuple[Look, tuple[str, ...]]:
    """The look of a link, and a sentence for each thing in it that is left out.

    Args:
        options: the values that a dimension has; asked of those that the link names.
    """
    reading = _Reading(parameters, definitions, frame, options)
    look = reading.look()
    said = reading.ignored
    if len(said) > MOST_SENTENCES:
        said[MOST_SENTENCES - 1 :] = [f"{len(said) - MOST_SENTENCES + 1} more parts of this link were left out."]
    return look, tuple(said)


class _Reading:
    def __init__(
        self,
        parameters: Mapping[str, Sequence[str]],
        definitions: Definitions,
        frame: Frame,
        options: Callable[[str], Sequence[Value]],
    ) -> None:
        self.given, self.definitions, self.frame, self.options = parameters, definitions, frame, options
        self.ignored: list[str] = []

    def look(self) -> Look:
        metrics = self._names("metric", self.definitions.metrics, MOST_METRICS, "metrics") or (self.definitions.north_star,)
        by = self._names("by", self.definitions.dimensions, MOST_DIMENSIONS, "dimensions")
        filters = self._filters()
        grain: Grain = self._one("grain", (*GRAINS, "all"), "week")  # type: ignore[assignment]
        last, since, until = self._time(grain)
        form: Form = self._one("as", FORMS, "line")  # type: ignore[assignment]
        look = Look(
            metrics,
            by,
            tuple(filters.chosen.items()),
            self._ranges(),
            filters.week,
            grain,
            last,
            since,
            until,
            self._versus(),
            form,
            self._number("top", 1, MOST_GROUPS, GROUPS),
            self._one("each", ("1", "0"), "0") == "1",
        )
        self._foreign()
        return replace(look, point=self._point(look))

    def _refuse(self, words: str) -> None:
        self.ignored.append(f"{words}; that part of the link was left out.")

    def _names(self, name: str, known: Mapping[str, object], most: int, what: str) -> tuple[str, ...]:
        texts = tuple(dict.fromkeys(self.given.get(name, ())))
        for text in texts:
            if text not in known:
                self._refuse(f"No {what[:-1]} is called {echo(text)}{perhaps(text, known)}")
        found = tuple(text for text in texts if text in known)
        if len(found) > most:
            self._refuse(f"This link names {len(found)} {what}, and the page shows {most}")
        return found[:most]

    def _one(self, name: str, known: Sequence[str], usual: str) -> str:
        texts = self.given.get(name, ())
        if not texts:
            return usual
        if len(texts) == 1 and texts[0] in known:
            return texts[0]
        self._refuse(f'The link\'s "{name}" is {echo(texts[0])}, and may be {", ".join(known)}')
        return usual

    def _number(self, name: str, least: int, most: int, usual: int) -> int:
        texts = self.given.get(name, ())
        if not texts:
            return usual
        if len(texts) == 1 and texts[0].isascii() and texts[0].isdigit() and len(texts[0]) < 6 and least <= int(texts[0]) <= most:
            return int(texts[0])
        self._refuse(f'The link\'s "{name}" is {echo(texts[0])}, and may be a number from {least} to {most}')
        return usual

    def _day(self, name: str) -> dt.date | None:
        texts = self.given.get(name, ())
        try:
            found = dt.date.fromisoformat(texts[0]) if len(texts) == 1 else None
        except ValueError:
            found = None
        if found is not None and not 1900 <= found.year <= 2199:
            found = None
        if texts and found is None:
            self._refuse(f'The link\'s "{name}" is {echo(texts[0])}, and may be a day such as 2026-11-09')
        return found

    def _time(self, grain: Grain) -> tuple[int | None, dt.date | None, dt.date | None]:
        since, until = self._day("from"), self._day("to")
        if since and until and since > until:
            self._refuse(f"No day is from {since} to {until}")
            since = until = None
        if since or until:
            return None, since, until
        if list(self.given.get("last", ())) == ["all"]:
            return None, None, None
        return self._number("last", 1, MOST_PERIODS, LASTS.get(grain, (13,))[0]), None, None

    def _filters(self) -> Filters:
        """Those that every page has, and any other dimension that the link names."""
        names = {parameter(name): name for name in self.definitions.dimensions}
        wanted = {name: tuple(self.options(name)) for written, name in names.items() if written in self.given}
        texts = {name: self.given[written] for written, name in names.items() if written in self.given}
        week = {"week": self.given["week"]} if "week" in self.given else {}
        filters, said = read({**texts, **week}, self.frame.weeks, wanted)
        self.ignored += said
        return filters

    def _ranges(self) -> tuple[Range, ...]:
        found = []
        for text in dict.fromkeys(self.given.get("range", ())):
            column, _, bounds = text.partition(":")
            low, dots, high = bounds.partition("..")
            unit = ranged(self.definitions).get(column) if _COLUMN.fullmatch(column) else None
            good = unit is not None and dots and (low or high) and all(_is(bound, unit) for bound in (low, high) if bound)
            if good:
                found.append(Range(column, low or None, high or None, unit == "day"))
            else:
                self._refuse(f"{echo(text)} is no range of a column, such as account.employees:100..500")
        return tuple(found[:MOST_METRICS])

    def _versus(self) -> Versus | None:
        texts = self.given.get("vs", ())
        if not texts:
            return None
        text = texts[0]
        if len(texts) == 1 and text in ("previous", "year", "target"):
            return Versus(text)  # type: ignore[arg-type]
        dimension, colon, value = text.partition(":")
        if len(texts) == 1 and colon and dimension in self.definitions.dimensions and meant(value) in self.options(dimension):
            return Versus("segment", dimension, meant(value))
        self._refuse(f'The link\'s "vs" is {echo(text)}, and may be previous, year, target or another segment, such as segment:SMB')
        return None

    def _point(self, look: Look) -> Point | None:
        texts = self.given.get("figure", ())
        if not texts:
            return None
        groups = tuple(meant(text) for text in self.given.get("of", ()))
        day = self._day("at")
        if len(texts) == 1 and texts[0] in look.metrics and len(groups) in (0, len(look.by)):
            return Point(texts[0], day, groups, list(self.given.get("show", ())) == ["rows"])
        self._refuse(f"The link's figure {echo(texts[0])} is none of those that it shows")
        return None

    def _foreign(self) -> None:
        """A name like none of ours is somebody else's, such as utm_source of a newsletter, and no loss."""
        known = (*NAMES, *map(parameter, self.definitions.dimensions))
        for name in self.given:
            if name not in known and not name.startswith("utm_") and perhaps(name, known):
                self.ignored.append(f"This page has no parameter {echo(name)}{perhaps(name, known)}; it was left out.")


def ranged(definitions: Definitions) -> dict[str, str]:
    """Columns that can be filtered by a range, with their unit: numbers, money, hours and days of the tables that metrics count."""
    units = ("number", "integer", "money", "hours", "day")
    return {
        f"{table.name}.{column.name}": "day" if column.info["unit"] == "day" else "number"
        for table in definitions.catalog.facts()
        for column in table.columns
        if column.info["unit"] in units and not column.name.startswith("home_") and column.name != "run_id"
    }


def _is(bound: str, unit: str) -> bool:
    if unit == "number":
        return _NUMBER.fullmatch(bound) is not None
    try:
        return dt.date.fromisoformat(bound).isoformat() == bound
    except ValueError:
        return False
