"""What one record of an export becomes: the rows of one table, and who their customers are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from connectors.base import BOOKING, Mapping, Renews, Span
from kpi import yamlfile
from kpi.errors import BadExpression
from kpi.language.problems import Key, Problems
from kpi.sources.columns import Columns
from kpi.sources.tables import CALLED, Target
from kpi.sources.values import ROW_KEY, Values
from kpi.warehouse import cells
from kpi.warehouse.casting import cell_names
from kpi.warehouse.cells import Condition, Constant, Value, Zone
from kpi.warehouse.schema import metadata

#: Keys of a table beside its columns.
SETTINGS: Final = (
    Key("where", "an expression", "records that have such a row; default: all"),
    Key("each", "a header with one *", "applied once for each column whose header is so"),
    Key("replaces", "of and during", "rows without an id: the file's take the place of all of the same"),
    Key("history", "true", "each row says from when to when it held, so that a subscription has several"),
)
REPLACES: Final = (
    Key("of", "a column of the table, or a list", "what the file speaks of, such as ledger_account; default: the whole source"),
    Key("during", "a column of the table", "the day by which the file's period counts; without it all time"),
)
#: What tells who a customer is.
_WHO: Final = ("name", "email", "domain", "other_id")
_TEXTS: Final = ("id", "text")


@dataclass
class Rows:
    """Reads one table of an export."""

    problems: Problems
    columns: Columns
    target: Target
    source: str
    zone: Zone
    covers: Span | None

    def mappings(self, value: yamlfile.Value, main: bool, several: bool) -> list[Mapping]:
        """The mapping of a table, and the one of its customers where the table is about customers.

        Args:
            main: it is the first table, which a record is mainly.
            several: the record has several rows in the table.
        """
        given = self.problems.mapping(value, "columns of the table with where they come from")
        if given is None:
            return []
        each = self._each(given.get("each"))
        accepted = self.target.columns()
        settings = {key.name for key in SETTINGS}
        known = [*SETTINGS, *(Key(name, "a value", "") for name in accepted)]
        self.problems.keys(given, known, self.target.name, elsewhere=self._elsewhere())
        reader = Values(self.problems, self.columns, self.target, self.source, self.zone, bool(each))
        made: dict[str, Value] = {}
        ordered = sorted(given.entries, key=lambda entry: not entry.key.text.endswith("currency"))
        for entry in ordered:
            name = entry.key.text
            if name in accepted and name not in settings:
                currency = made.get("home_currency" if name.startswith("home_") else "currency")
                found = reader.read(entry.value, accepted[name], currency)
                if found is not None:
                    made[accepted[name]] = found
        self._complete(given, made)
        mapping = Mapping(
            self.target.name,
            self._with_source(made),
            where=self._where(given.get("where"), reader),
            each=each,
            one_each=() if main or self.target.name not in ("account", "source_account") else self._key(),
            interval=(self.target.state,) if self.target.state and "left_at" not in made else (),
            span=self._span(made),
            renews=self._renews(given, made, reader),
            hint=self.target.name == "source_account" or (self.target.name == "account" and not main),
            history=self._history(given.get("history")),
        )
        if mapping.hint:
            self._only_texts(given, made)
        return [mapping, *self._who(mapping, made)]

    def _key(self) -> tuple[str, ...]:
        return ("source", "source_id") if self.target.name == "source_account" else (self.target.key,)

    def _elsewhere(self) -> dict[str, str]:
        table = metadata.tables[self.target.name].columns
        said = {
            "account_id": "is decided when data are published; write customer: with the customer's id, e-mail or name in this file",
            "product_id": "is decided by products: of metrics.yaml; write product: with what this file calls the product",
            "category": "is decided by costs: of metrics.yaml, from ledger_account",
            "source_account_id": "is written customer",
            "source_product_id": "is written product",
            "source": "is the file's own source",
            "source_id": "is taken from the row's id",
        }
        return {name: words for name, words in said.items() if name in table and name not in self.target.columns()}

    def _complete(self, given: yamlfile.Mapping, made: dict[str, Value]) -> None:
        """Name the columns that a row can't do without, and make them so."""
        called = {column: word for word, column in CALLED.items()}
        for column in self.target.needs:
            name = called.get(column, column)
            if given.get(name) is None:
                path = f"{given.path}.{name}"
                meaning = metadata.tables[self.target.name].columns[column].comment
                self.problems.add(given.line, path, f"{self.target.name} needs this column: {meaning}")
            elif column in made:
                made[column] = cells.Required(made[column])
        amounts = [entry.key.text for entry in given.entries if self.target.unit(entry.key.text) == "money"]
        money = [name for name in amounts if not name.startswith("home_")]
        twins = [name for name in amounts if name.startswith("home_")]
        for names, currency in ((money, "currency"), (twins, "home_currency")):
            if names and given.get(currency) is None:
                what = "a column of the file, or {value: EUR} where all of it is in one currency"
                self.problems.add(given.line, f"{given.path}.{currency}", f"{names[0]} needs the currency it is in: {what}")
        if self.target.name == "subscription_term" and "term_id" in made:
            made.setdefault("subscription_id", made["term_id"])

    def _with_source(self, made: dict[str, Value]) -> dict[str, Value]:
        """With the source, and the row's id as the file writes it."""
        columns = {name: value for name, value in made.items() if name in metadata.tables[self.target.name].columns}
        if self.target.name == "source_account":
            return {"source": Constant(self.source), **columns}
        key = columns.get(self.target.key)
        bare = key.of if isinstance(key, cells.Required) else key
        inner = bare.of if isinstance(bare, cells.Prefixed) else None
        return {"source": Constant(self.source), **({"source_id": inner} if inner is not None else {}), **columns}

    def _where(self, value: yamlfile.Value | None, reader: Values) -> Condition | None:
        text = self.problems.text(value, "an expression")
        if text is None or value is None:
            return None
        try:
            return reader.expressions().condition(text)
        except BadExpression as error:
            self.problems.at(value, str(error))
            return None

    def _each(self, value: yamlfile.Value | None) -> str | None:
        text = self.problems.text(value, "a header with one *")
        if text is None or value is None:
            return None
        before, star, after = text.partition("*")
        if not star or "*" in after:
            self.problems.at(value, f'"{text}" needs one *, for the part of the header that differs, as in Date entered "*"')
            return None
        return f"{re.escape(before)}(?P<name>.+){re.escape(after)}"

    def _history(self, value: yamlfile.Value | None) -> bool:
        if value is None:
            return False
        if self.target.name != "subscription_term":
            self.problems.at(value, "history belongs to subscription_term")
        return self.problems.choice(value, ("true", "false"), "true or false") == "true"

    def _span(self, made: dict[str, Value]) -> Span | None:
        def values(names: tuple[str, ...]) -> tuple[Value, ...]:
            found = (made.get(name) for name in names)
            return tuple(value.of if isinstance(value, cells.Required) else value for value in found if value is not None)

        first, last = values(self.target.first), values(self.target.last or self.target.first)
        if self.covers is not None:
            first, last = self.covers.first or first, self.covers.last or last
            return Span(first, last) if first and last else None
        stamps = tuple(value for value in values(("modified_at",)))
        return Span(first, last, entered=values(self.target.entered), stamps=stamps) if first and last else None

    def _renews(self, given: yamlfile.Mapping, made: dict[str, Value], reader: Values) -> Renews | None:
        value = given.get("replaces")
        is_made = ROW_KEY in cell_names(made.get(self.target.key))
        if value is None:
            if is_made:
                words = "a row without an id needs this key: of what, and during which days, the file's rows take the place of older ones"
                self.problems.add(given.line, f"{given.path}.replaces", words)
            return None
        mapping = self.problems.mapping(value, "of and during")
        if mapping is None or not self.problems.keys(mapping, REPLACES, "replaces"):
            return None
        accepted = self.target.columns()
        scope: dict[str, Value] = {}
        for item in self.problems.names(found, "a column of the table") if (found := mapping.get("of")) is not None else ():
            column = accepted.get(item.text.strip(), "")
            if column not in made:
                self.problems.at(item, f'"{item.text}" is no column that {self.target.name} gets here; it gets {", ".join(made)}')
            else:
                bare = made[column]
                scope[column] = bare.of if isinstance(bare, cells.Required) else bare
        day = self.problems.text(mapping.get("during"), "a column of the table")
        if day is not None and (day not in made or self.target.unit(day) != "day"):
            days = [name for name in made if self.target.unit(name) == "day"]
            self.problems.at(
                mapping.get("during") or mapping, f'"{day}" is no day that {self.target.name} gets here; it gets {", ".join(days)}'
            )
            return None
        if day is not None and len(scope) > 1:
            self.problems.at(value, "with during, of names one column")
        alike = tuple(name for name in BOOKING if name in made) if "ledger_account" in scope else ()
        return Renews(scope or {"source": Constant(self.source)}, day=day, alike=alike)

    def _only_texts(self, given: yamlfile.Mapping, made: dict[str, Value]) -> None:
        """A cell that only hints at a customer sets no record aside, so it must be one that can't fail."""
        for name in made:
            if self.target.unit(name) not in _TEXTS:
                words = f"stands here beside another table, where {self.target.name} takes texts only; describe a file of customers for it"
                self.problems.add(given.line, f"{given.path}.{name}", f"{name} {words}")

    def _who(self, mapping: Mapping, made: dict[str, Value]) -> list[Mapping]:
        """What identity is decided from, where the table is the customers' own."""
        if self.target.name != "account" or "source_id" not in mapping.columns:
            return []
        who = {name: value for name, value in made.items() if name in _WHO}
        columns = {"source": Constant(self.source), "source_id": mapping.columns["source_id"], **who}
        return [Mapping("source_account", columns, where=mapping.where, one_each=("source", "source_id"), hint=True)]
