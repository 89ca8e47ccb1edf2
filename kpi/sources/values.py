"""A value of a mapping, as YAML has it -> a value over the cells of a record, of the type that its column has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, cast, get_args

from kpi import yamlfile
from kpi.errors import BadExpression, did_you_mean, known_are
from kpi.language.problems import Key, Problems
from kpi.sources.columns import Columns
from kpi.sources.expressions import Kind, Reader
from kpi.sources.tables import Target
from kpi.warehouse import cells
from kpi.warehouse.cells import Form, Value, Zone

KEYS: Final = (
    Key("column", "a header, or a list of alternative ones", "the column it is read from"),
    Key("value", "a text, a number, a day, true or false", "the same in every row"),
    Key("is", "an expression over the file's columns", "worked out"),
    Key("first", "a list of values", "the first of them that isn't empty"),
    Key("join", "a list of values", "their texts, joined; empty ones are left out"),
    Key("made_of", "row", "an id for rows without one: what the row says, and how many before it said the same"),
    Key("from", "cell or header", "with each: the cell of the column at hand, or what * stands for in its header"),
    Key("with", "a text", "what stands between joined texts; default: a space"),
    Key("choices", "what stands there: what it becomes", "one of a closed list; case is ignored"),
    Key("otherwise", "reject, keep or none", "what a text that choices don't name becomes; default: reject"),
    Key("empty", "a text or a list", "what the file writes for nothing, such as N/A"),
    Key("unit", "minor or cents", "an amount in the smallest unit of its currency, or in hundredths whatever its currency"),
    Key("per", "month, quarter, half_year, year, week, day, or column with choices", "the time an amount is for; it becomes one a month"),
    Key("times", "a value", "a price is for each of so many, such as seats"),
    Key("written", "yyyymmdd, yyyy-mm, mm/yyyy, mmm yyyy, epoch, epoch_ms or excel", "how a day is written that doesn't look like one"),
    Key("times_in", "utc, local or written", "what times without an offset are in; default: what the export says"),
    Key("inclusive", "true", "the day is the last one; the table has the first day after"),
)
#: Exactly one of these says where a value comes from.
_ORIGINS: Final = ("column", "value", "is", "first", "join", "made_of", "from")
#: A length of time -> its share of a month, as a numerator and denominator.
PERIODS: Final[Mapping[str, str]] = {
    "month": "1/1",
    "quarter": "1/3",
    "half_year": "1/6",
    "year": "1/12",
    "week": "52/12",
    "day": "365/12",
}
ZONES: Final[tuple[Zone, ...]] = ("utc", "local", "written")
FORMS: Final = tuple(form for form in get_args(Form) if form)
#: The cell in which a row's own key stands where the mapping makes one; no export has a header with such a character.
ROW_KEY: Final = "\x1frow"
_KINDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("id", "text", "currency"), "text"),
    **dict.fromkeys(("money", "number", "hours", "integer", "rate"), "number"),
    "day": "day",
    "instant": "instant",
    "flag": "flag",
}
_AMOUNTS: Final[Mapping[str, Literal["money", "number", "integer"]]] = {
    "money": "money",
    "number": "number",
    "hours": "number",
    "integer": "integer",
}
_FITTED: Final = {"money": "money", "number": "quantity", "hours": "quantity", "integer": "whole"}
_ADDRESSES: Final = ("email",)
#: Columns of text that hold ids, which a spreadsheet may have shortened.
_IDS: Final = ("source_id", "source_account_id", "other_id")


@dataclass(frozen=True)
class Values:
    """Reads the values of one table of an export.

    Attributes:
        source: the system, which ids begin with.
        zone: what times without an offset are in.
        each: the mapping is applied to each of several columns.
    """

    problems: Problems
    columns: Columns
    target: Target
    source: str
    zone: Zone = "local"
    each: bool = False

    def read(self, value: yamlfile.Value, column: str, currency: Value | None = None) -> Value | None:
        """The value of one of the table's columns; None where a problem was added.

        Args:
            currency: of the amounts, for those in the smallest unit of it.
        """
        unit = self.target.unit(column)
        return self._of_unit(value, unit, column, currency)

    def expressions(self, zone: Zone | None = None) -> Reader:
        """What reads the expressions of this export."""
        return Reader(self.columns.by_name, self.columns.callable(), zone or self.zone)

    def _of_unit(self, value: yamlfile.Value, unit: str, column: str, currency: Value | None) -> Value | None:
        if isinstance(value, yamlfile.Scalar | yamlfile.Sequence):
            cell = self.cell(value)
            return None if cell is None else self._typed(cell, unit, column, self.zone, "")
        origins = [key for key in _ORIGINS if value.get(key) is not None]
        if not self.problems.keys(value, KEYS, "a value") or len(origins) != 1:
            if len(origins) != 1:
                self.problems.at(value, f"a value has exactly one of {', '.join(_ORIGINS)}")
            return None
        return self._made(value, origins[0], unit, column, currency)

    def cell(self, value: yamlfile.Value) -> Value | None:
        """The cell of a column by its header; several are alternatives."""
        texts = self.problems.texts(value, "a header of the file")
        found = [self.columns.by_header(item.text) for item in texts]
        for item, cell in zip(texts, found, strict=True):
            if cell is None:
                known = self.columns.known()
                constant = f"{known_are(item.text, known)}; the same value in every row is written {{value: {item.text[:40]}}}"
                self.problems.at(item, f'columns: lists no "{item.text}"{did_you_mean(item.text, known) or constant}')
        cells_ = [cell for cell in found if cell is not None]
        if len(cells_) < len(texts) or not cells_:
            return None
        return cells_[0] if len(cells_) == 1 else cells.Cell(tuple(name for cell in cells_ for name in cell.names))

    def _made(self, value: yamlfile.Mapping, origin: str, unit: str, column: str, currency: Value | None) -> Value | None:
        given = value.get(origin)
        assert given is not None  # noqa: S101 - it is one of the keys that are there
        zone = cast("Zone | None", self.problems.choice(value.get("times_in"), ZONES, "what times are in")) or self.zone
        form = cast("Form | None", self.problems.choice(value.get("written"), FORMS, "a way to write a day")) or ""
        if not self._sensible(value, origin, unit):
            return None
        made: Value | None
        if origin == "value":
            return self._constant(given, unit, column)
        if origin == "is":
            made = self._expression(given, unit, column, zone)
        elif origin == "made_of":
            if self.problems.choice(given, ("row",), "what an id is made of") is None:
                return None
            made = cells.Prefixed(self.source, cells.Cell((ROW_KEY,)))
        elif origin == "first":
            made = self._first(given, unit, column, currency)
        else:
            made = self._text(value, origin, given)
            if made is not None and (choices := value.get("choices")) is not None:
                made = self._choices(made, choices, value.get("otherwise"), self.target.words(column), unit)
                column = ""  # its words are checked already
            if made is not None:
                made = self._typed(made, unit, column, zone, form)
        if made is None:
            return None
        return self._shaped(value, made, unit, currency)

    def _sensible(self, value: yamlfile.Mapping, origin: str, unit: str) -> bool:
        """Whether the other keys have a meaning here."""
        wrong = [
            (key, words)
            for key, fits, words in (
                ("choices", origin in ("column", "join", "from") and unit in ("text", "flag", "currency", "id"), "columns of text"),
                ("otherwise", value.get("choices") is not None, "choices"),
                ("with", origin == "join", "join"),
                ("empty", origin in ("column", "from"), "column"),
                ("unit", unit == "money", "amounts of money"),
                ("per", unit == "money", "amounts of money"),
                ("times", unit == "money", "amounts of money"),
                ("written", unit in ("day", "instant") and origin in ("column", "from", "join"), "columns of days"),
                ("times_in", unit in ("day", "instant"), "days and times"),
                ("inclusive", unit == "day", "days"),
            )
            if value.get(key) is not None and not fits
        ]
        for key, words in wrong:
            found = value.get(key)
            self.problems.at(value if found is None else found, f"{key} belongs to {words}")
        return not wrong

    def _constant(self, given: yamlfile.Value, unit: str, column: str) -> Value | None:
        text = self.problems.text(given, "a text, a number, a day, true or false")
        if text is None:
            return None
        made: Value | None = None
        words = self.target.words(column)
        if unit == "flag":
            accepted = self.problems.choice(given, ("true", "false"), "true or false")
            return None if accepted is None else cells.Constant(accepted == "true")
        if _KINDS[unit] == "number":
            number = self.problems.number(given, "a number")
            return None if number is None else cells.Constant(number)
        if unit in ("day", "instant"):
            try:
                return cells.Constant(dt.date.fromisoformat(text))
            except ValueError:
                self.problems.at(given, f'"{text}" is no day; write it as 2026-01-31')
                return None
        if unit == "currency":
            if len(text) != 3 or not text.isascii() or not text.isalpha() or not text.isupper():
                self.problems.at(given, f'"{text}" is no currency; write three capital letters, such as EUR')
                return None
        elif words and text not in words:
            self.problems.at(given, f'"{text}" is none of {", ".join(words)}{did_you_mean(text, words)}')
            return None
        made = cells.Constant(text)
        return cells.Prefixed(self.source, made) if unit == "id" else made

    def _expression(self, given: yamlfile.Value, unit: str, column: str, zone: Zone) -> Value | None:
        text = self.problems.text(given, "an expression")
        if text is None:
            return None
        try:
            made = self.expressions(zone).value(text, _KINDS[unit])
        except BadExpression as error:
            self.problems.at(given, str(error))
            return None
        if unit in _FITTED:
            return cells.Computed(_FITTED[unit], (made,))
        return self._typed(made, unit, column, zone, "") if _KINDS[unit] == "text" else made

    def _first(self, given: yamlfile.Value, unit: str, column: str, currency: Value | None) -> Value | None:
        if not isinstance(given, yamlfile.Sequence) or not given.items:
            self.problems.at(given, "first needs a list of values")
            return None
        made = [self._of_unit(item, unit, column, currency) for item in given.items]
        found = tuple(item for item in made if item is not None)
        return cells.FirstOf(found) if len(found) == len(made) else None

    def _text(self, value: yamlfile.Mapping, origin: str, given: yamlfile.Value) -> Value | None:
        if origin == "column":
            return self.cell(given)
        if origin == "from":
            word = self.problems.choice(given, ("cell", "header"), "what is taken of the column at hand")
            if word is not None and not self.each:
                self.problems.at(given, "from belongs to a table with each")
                return None
            return None if word is None else cells.EachCell() if word == "cell" else cells.EachName()
        if not isinstance(given, yamlfile.Sequence) or not given.items:
            self.problems.at(given, "join needs a list of values")
            return None
        parts = [self._of_unit(item, "text", "", None) for item in given.items]
        found = tuple(part for part in parts if part is not None)
        between = value.get("with")
        mark = " " if between is None else between.text if isinstance(between, yamlfile.Scalar) else self.problems.text(between)
        return cells.Joined(found, mark) if len(found) == len(parts) and mark is not None else None

    def _choices(
        self, of: Value, choices: yamlfile.Value, otherwise: yamlfile.Value | None, words: tuple[str, ...], unit: str
    ) -> Value | None:
        """A closed list, each text once."""
        mapping = self.problems.mapping(choices, "what stands there with what it becomes")
        rest = "reject" if otherwise is None else self.problems.choice(otherwise, ("reject", "keep", "none"), "what other texts become")
        if mapping is None or rest is None:
            return None
        accepted = ("true", "false") if unit == "flag" else words
        if accepted and rest == "keep":
            self.problems.at(otherwise or choices, f"keep would let in what is none of {', '.join(accepted)}")
            return None
        cases: dict[str, str | None] = {}
        for entry in mapping.entries:
            item = entry.value
            folded = " ".join(entry.key.text.split()).casefold()
            if folded in cases:
                self.problems.add(entry.key.line, item.path, f'"{entry.key.text}" stands here twice; case is ignored')
            if isinstance(item, yamlfile.Scalar) and item.is_null:
                cases[folded] = None
            elif (text := self.problems.text(item, "what it becomes")) is not None:
                if accepted and text not in accepted:
                    self.problems.at(item, f'"{text}" is none of {", ".join(accepted)}{did_you_mean(text, accepted)}')
                cases[folded] = text
        if not cases:
            self.problems.at(choices, "needs what stands there with what it becomes")
            return None
        return cells.Choice(of, tuple(cases.items()), cast("Literal['reject', 'keep', 'none']", rest))

    def _typed(self, value: Value, unit: str, column: str, zone: Zone, form: Form) -> Value:
        """A value of text as what the column's unit is."""
        if unit == "id":
            return cells.Prefixed(self.source, cells.Id(value))
        if unit in _AMOUNTS:
            return cells.Amount(value, _AMOUNTS[unit])
        if unit == "day":
            return cells.Day(value, zone, form)
        if unit == "instant":
            return cells.Instant(value, zone, form)
        if unit == "flag":
            return cells.Flag(value)
        if unit == "currency":
            return cells.Currency(value, assume=False)
        if column == "domain":
            return cells.Domain(value)
        if column in _IDS:
            return cells.Id(value)
        if column in _ADDRESSES:
            return cells.Lower(value)
        words = self.target.words(column)
        return cells.Choice(value, tuple((word, word) for word in words)) if words else value

    def _shaped(self, value: yamlfile.Mapping, made: Value, unit: str, currency: Value | None) -> Value | None:
        """What is said of a value beside where it comes from."""
        if (empty := value.get("empty")) is not None:
            texts = tuple(item.text.strip() for item in self.problems.texts(empty, "what the file writes for nothing"))
            cell = self._text(value, *next((key, found) for key in ("column", "from") if (found := value.get(key)) is not None))
            made = made if cell is None else cells.When(cells.Not(cells.Equals(cell, texts)), made)
        if (scale := value.get("unit")) is not None:
            scaled = self._scaled(made, scale, currency)
            if scaled is None:
                return None
            made = scaled
        if value.get("per") is not None or value.get("times") is not None:
            share = self._share(value.get("per"))
            count = value.get("times")
            number = None if count is None else self._of_unit(count, "number", "", None)
            if share is None or (count is not None and number is None):
                return None
            made = cells.Share(made, number, share)
        if (inclusive := value.get("inclusive")) is not None:
            if (word := self.problems.choice(inclusive, ("true", "false"), "true or false")) is None:
                return None
            made = cells.DayAfter(made) if word == "true" else made
        return made

    def _scaled(self, made: Value, scale: yamlfile.Value, currency: Value | None) -> Value | None:
        word = self.problems.choice(scale, ("minor", "cents"), "a unit")
        if word is None:
            return None
        amount = cells.Amount(made.of, "number") if isinstance(made, cells.Amount) else made
        if word == "cents":
            return cells.Computed("money", (cells.Computed("/", (amount, cells.Constant(Decimal(100)))),))
        if currency is None:
            self.problems.at(scale, "minor needs the currency of the amount, which says how many there are; write currency first")
            return None
        return cells.Computed("money", (cells.Computed("minor", (amount, currency)),))

    def _share(self, per: yamlfile.Value | None) -> Value | None:
        if per is None:
            return cells.Constant(PERIODS["month"])
        if isinstance(per, yamlfile.Scalar):
            word = self.problems.choice(per, tuple(PERIODS), "a length of time")
            return None if word is None else cells.Constant(PERIODS[word])
        mapping = self.problems.mapping(per, "a length of time, or column and choices")
        if mapping is None or not self.problems.keys(mapping, (Key("column", "a header", "", True), Key("choices", "", "", True)), "per"):
            return None
        column, choices = mapping.get("column"), mapping.get("choices")
        cell = None if column is None else self.cell(column)
        made = None if cell is None or choices is None else self._choices(cell, choices, None, tuple(PERIODS), "text")
        if not isinstance(made, cells.Choice):
            return None
        cases = tuple((text, None if word is None else PERIODS[word]) for text, word in made.cases if word is None or word in PERIODS)
        return cells.Required(cells.Choice(made.of, cases))
