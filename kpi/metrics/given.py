"""``tables:``: tables that this program did not make, from what metrics.yaml and their database say of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import quoted_name

from kpi import currencies, yamlfile
from kpi.errors import did_you_mean
from kpi.language.problems import NAME, Key, Problems
from kpi.metrics import operations
from kpi.metrics.catalog import VALID, Catalog, Given
from kpi.metrics.operations import Element
from kpi.metrics.stated import JOIN, shapes
from kpi.warehouse.given import ATTACHED, Found, FoundColumn, Holdings, digest, parts

TABLE: Final = (
    Key("from", "schema.table, a table or view of the warehouse", "where it stands", required=True),
    Key("key", "a column or a list of them", "what tells its rows apart; without it the primary key of the database"),
    Key(
        "joins",
        "tables with column -> table.column",
        "which row of another table a row belongs to, besides the foreign keys of the database",
    ),
    Key("valid", "[from, to], two columns", "a history: its rows were true from ≤ day < to, and joins find the one of the day"),
    Key("columns", "names with columns", "names for columns that can't be written in an expression, such as seats: 'Seat Count'"),
    Key("money", "a column or a list of them", "which columns are amounts of money"),
    Key("currency", "three capital letters, or a column", "the currency of the amounts"),
)
#: What says what a database holds of the places asked for; None where no warehouse is looked at.
Look = Callable[[Iterable[tuple[str | None, str]]], Holdings]

_CODE: Final = re.compile(r"[A-Z]{3}\Z")
_WHOLE: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "INT")
_WIDE: Final = ("UBIGINT", "HUGEINT", "UHUGEINT")
_FLOATS: Final = ("FLOAT", "DOUBLE", "DOUBLE PRECISION", "REAL")
_TEXTS: Final = ("VARCHAR", "TEXT", "CHAR", "UUID", "ENUM", "BPCHAR", "CITEXT", "NAME")
_INSTANTS: Final = ("TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
_ZONED: Final = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")
#: Places of numbers whose type states none, and of floating ones.
_PLACES: Final = 12


@dataclass(frozen=True)
class Tables:
    """What ``tables:`` came to.

    Attributes:
        unseen: tables that no warehouse was asked for, so that nothing is known of their columns.
        digest: of what the database says, so that definitions over other columns are others.
    """

    given: Mapping[str, Given] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    digest: str = ""


def read(value: yamlfile.Value | None, problems: Problems, timezone: str, look: Look | None) -> Tables:
    """``tables:``; every key is checked even when another is wrong.

    Raises:
        WarehouseError: the warehouse can't be looked at.
    """
    mapping = None if value is None else problems.mapping(value, "names with {from: schema.table, key: …} each")
    entries: dict[str, tuple[yamlfile.Mapping, tuple[str | None, str] | None]] = {}
    for entry in () if mapping is None else mapping.entries:
        name = entry.key.text
        if not problems.name(entry.key, entry.value.path, (), "the name of a table"):
            continue
        if name in Catalog().tables:
            problems.add(entry.key.line, entry.value.path, f"this program has a table {name} of its own; give this one another name")
            continue
        keys = problems.mapping(entry.value, "{from: schema.table, key: …}")
        if keys is None:
            continue
        problems.keys(keys, TABLE, "a table")
        entries[name] = (keys, _place(keys.get("from"), problems))
    if look is None:
        shapes({name: keys for name, (keys, _) in entries.items()}, problems)
    if not entries or look is None:
        return Tables(unseen=tuple(entries))
    holdings = look([place for _, place in entries.values() if place is not None])
    made = {name: one for name, (keys, place) in entries.items() if (one := _made(name, keys, place, holdings, timezone, problems))}
    places = {one.found.place: name for name, one in made.items()}
    for one in made.values():
        one.join(made, places, problems)
    wrong = tuple(name for name in entries if name not in made)
    return Tables({name: one.given() for name, one in made.items()}, wrong, digest(holdings))


def _place(value: yamlfile.Value | None, problems: Problems) -> tuple[str | None, str] | None:
    text = problems.text(value, "schema.table")
    if text is None or value is None:
        return None
    place = parts(text)
    if place is None:
        problems.at(value, f'"{text}" is no table; write schema.table, each in double quotes where it holds a point or a quotation mark')
    return place


class _Made:
    """A table in the making."""

    def __init__(self, name: str, keys: yamlfile.Mapping, found: Found, holdings: Holdings) -> None:
        self.name, self.keys, self.found, self.engine = name, keys, found, holdings.engine
        #: The database's name of a column by the one that definitions use.
        self.called: dict[str, str] = {}
        self.elements: dict[str, Element] = {}
        self.columns: dict[str, tuple[str, Any]] = {}
        self.left_out: dict[str, str] = {}
        self.key: tuple[str, ...] = ()
        self.history = False
        self.table = sa.Table(name, sa.MetaData())
        schema, plain = found.place
        place: Any = schema
        if self.engine == "duckdb":  # the file is attached beside this program's own tables
            place = quoted_name(f'{ATTACHED}."{schema.replace(chr(34), chr(34) * 2)}"', quote=False)
        raw: list[Any] = [sa.column(quoted_name(column.name, quote=True)) for column in found.columns]
        self.raw = sa.table(quoted_name(plain, quote=True), *raw, schema=place)

    def column(self, value: yamlfile.Value | None, problems: Problems) -> str | None:
        """The column named at a value, by either of its names; None with a problem added."""
        text = problems.text(value, "a column")
        if text is None or value is None:
            return None
        if text in self.columns:
            return text
        by_place = {called: name for name, called in self.called.items()}
        if text in by_place and by_place[text] in self.columns:
            return by_place[text]
        if text in self.left_out:
            problems.at(value, f"{self.name}.{text} is of type {self.left_out[text]}, which definitions can't use")
        else:
            near = did_you_mean(text, self.columns) or f"; it has {', '.join(self.columns)}"
            problems.at(value, f'{self.name} has no column "{text}"{near}')
        return None

    def join(self, made: Mapping[str, _Made], places: Mapping[tuple[str, str], str], problems: Problems) -> None:
        """Its joins: those of the file, and the foreign keys of the database that lead to tables of the file."""
        standard = Catalog().tables
        stated: set[str] = set()
        value = self.keys.get("joins")
        mapping = None if value is None else problems.mapping(value, "tables with column -> table.column")
        for entry in () if mapping is None else mapping.entries:
            text = problems.text(entry.value, "column -> table.column")
            if text is None:
                continue
            found = JOIN.match(text)
            if found is None or found["table"] != entry.key.text:
                problems.at(entry.value, f'"{text}" is no join; write {entry.key.text}: column -> {entry.key.text}.column')
                continue
            known = (*made, *(table.name for table in Catalog().facts()))
            if found["table"] not in known:
                problems.at(entry.value, f'no table is called "{found["table"]}"{did_you_mean(found["table"], known)}')
                continue
            own = self.column(_at(entry.value, found["own"]), problems)
            target = made.get(found["table"])
            if target is not None:
                other = target.column(_at(entry.value, found["column"]), problems)
            else:
                other = found["column"] if found["column"] in standard[found["table"]].columns else None
                if other is None:
                    near = did_you_mean(found["column"], standard[found["table"]].columns.keys())
                    problems.at(entry.value, f'{found["table"]} has no column "{found["column"]}"{near}')
            if own is None or other is None:
                continue
            column = (target.table if target is not None else standard[found["table"]]).columns[other]
            if target is None and [key.name for key in standard[found["table"]].primary_key] != [other]:
                problems.at(entry.value, f"{found['table']}.{other} is not the key of {found['table']}, so a row could meet several")
                continue
            kinds = (_sort(self.table.columns[own]), _sort(column))
            if kinds[0] != kinds[1]:
                problems.at(
                    entry.value,
                    f"{self.name}.{own} is {kinds[0]} and {found['table']}.{other} is {kinds[1]}; a join compares values of one type",
                )
                continue
            stated.add(found["table"])
            self._refer(own, column)
        for columns, place, others in self.found.refers:
            name = places.get(place)
            if name is None or name in stated or len(columns) != 1 or name == self.name:
                continue
            mine = {called: own for own, called in self.called.items()}.get(columns[0])
            theirs = {called: own for own, called in made[name].called.items()}.get(others[0])
            if mine in self.columns and theirs in made[name].columns:
                self._refer(mine, made[name].table.columns[theirs])

    def _refer(self, own: str, other: sa.Column[Any]) -> None:
        self.table.append_constraint(sa.ForeignKeyConstraint([self.table.columns[own]], [other]))

    def given(self) -> Given:
        """What came of it."""
        selected = sa.select(*(element.label(name) for name, element in self.elements.items())).select_from(self.raw)
        return Given(self.table, selected.subquery(self.name), ".".join(self.found.place), self.history, self.key)


def _at(value: yamlfile.Value, text: str) -> yamlfile.Scalar:
    """A part of a value's text, where the value stands."""
    return yamlfile.Scalar(value.line, value.path, text.strip())


def _made(
    name: str,
    keys: yamlfile.Mapping,
    place: tuple[str | None, str] | None,
    holdings: Holdings,
    timezone: str,
    problems: Problems,
) -> _Made | None:
    if place is None:
        return None
    sought = (place[0] or holdings.home(), place[1])
    found = holdings.tables.get(sought) or next(
        (one for there, one in holdings.tables.items() if tuple(map(str.lower, there)) == tuple(map(str.lower, sought))), None
    )
    value = keys.get("from")
    assert value is not None  # noqa: S101 - the place was read from it
    if found is None:
        written = ".".join(sought)
        near = did_you_mean(written, holdings.others) or (
            f"; it has {', '.join(holdings.others[:10])}" if holdings.others else "; it holds none"
        )
        problems.at(value, f'the warehouse has no table "{written}"{near}')
        return None
    made = _Made(name, keys, found, holdings)
    _name_columns(made, problems)
    _type_columns(made, timezone, problems)
    _history(made, timezone, problems)
    named = keys.get("key")
    stated = [] if named is None else [column for item in problems.texts(named, "a column") if (column := made.column(item, problems))]
    by_place = {called: own for own, called in made.called.items()}
    made.key = tuple(stated) or tuple(by_place[column] for column in found.key if by_place.get(column) in made.columns)
    for column, (unit, kind) in made.columns.items():
        own = made.called.get(column, column)
        key = column in made.key
        made.table.append_column(sa.Column(column, kind, primary_key=key, autoincrement=False, comment=own, info={"unit": unit}))
    made.table.info.update({"kind": "fact", "day": None})
    made.table.comment = f"{made.name}, from {'.'.join(found.place)}"
    return made


def _name_columns(made: _Made, problems: Problems) -> None:
    there = {column.name for column in made.found.columns}
    value = made.keys.get("columns")
    mapping = None if value is None else problems.mapping(value, "names with columns, such as {seats: 'Seat Count'}")
    for entry in () if mapping is None else mapping.entries:
        text = problems.text(entry.value, "a column")
        if text is None or not problems.name(entry.key, entry.value.path, (), "the name of a column"):
            continue
        if text not in there:
            problems.at(entry.value, f'{".".join(made.found.place)} has no column "{text}"{did_you_mean(text, there)}')
        else:
            made.called[entry.key.text] = text
    renamed = set(made.called.values())
    lowered = [column.name.lower() for column in made.found.columns]
    for column in made.found.columns:
        plain = column.name.lower()
        # Capitals are no part of a name in an expression; two columns that differ in nothing else need names under columns:.
        if column.name not in renamed and NAME.match(plain) and lowered.count(plain) == 1 and plain not in made.called:
            made.called[plain] = column.name


def _type_columns(made: _Made, timezone: str, problems: Problems) -> None:
    kinds = {column.name: column for column in made.found.columns}
    for name, called in made.called.items():
        typed = _typed(kinds[called], made.raw.c[called], timezone)
        if typed is None:
            made.left_out[name] = kinds[called].type
        else:
            unit, kind, made.elements[name] = typed
            made.columns[name] = (unit, kind)
    value, currency = made.keys.get("money"), made.keys.get("currency")
    amounts = [] if value is None else [column for item in problems.texts(value, "a column") if (column := made.column(item, problems))]
    for amount in amounts:
        unit, kind = made.columns[amount]
        if unit != "number":
            problems.add(value.line if value else 1, f"{made.keys.path}.money", f"{made.name}.{amount} is {unit}, and money is a number")
        else:
            made.columns[amount] = ("money", kind)
    if not amounts:
        return
    text = problems.text(currency, "a currency or a column")
    if text is None or currency is None:
        made.columns.update({amount: ("number", made.columns[amount][1]) for amount in amounts})  # what stands on them is checked so
        problems.add(
            made.keys.line, f"{made.keys.path}.currency", "amounts of money need their currency: three capital letters, or a column"
        )
        return
    columns = {name.casefold() for name in (*made.columns, *made.called.values(), *made.left_out)}
    if text in currencies.CODES or (_CODE.match(text) and text.casefold() not in columns):
        if wrong := currencies.wrong(text):
            problems.at(currency, wrong)
        made.elements["currency"] = sa.literal(text, sa.String())
        made.columns["currency"] = ("currency", sa.String())
        return
    column = made.column(currency, problems)
    if column is not None:
        made.elements["currency"] = made.elements[column]
        made.columns["currency"] = ("currency", sa.String())


def _history(made: _Made, timezone: str, problems: Problems) -> None:
    value = made.keys.get("valid")
    if value is None:
        return
    if not isinstance(value, yamlfile.Sequence) or len(value.items) != 2:
        problems.at(value, "valid takes two columns, [from, to]")
        return
    found = [made.column(item, problems) for item in value.items]
    if None in found:
        return
    first, after = (str(name) for name in found)
    for name, bound in zip((first, after), VALID, strict=True):
        unit = made.columns[name][0]
        if unit not in ("day", "instant"):
            problems.at(value, f"{made.name}.{name} is {unit}; valid takes two columns with days")
            return
        element = made.elements[name]
        day: Element = operations.local_day(element, sa.literal(timezone)) if unit == "instant" else element
        # Of a row that was true before anybody wrote down since when.
        made.elements[bound] = sa.func.coalesce(day, sa.literal_column("DATE '0001-01-01'", sa.Date())) if bound == VALID[0] else day
        made.columns[bound] = ("day", sa.Date())
    made.history = True


def _typed(column: FoundColumn, raw: Any, timezone: str) -> tuple[str, Any, Element] | None:
    """Unit, type and the column as definitions use it, or None for types they can't."""
    base = column.type.split("(")[0].strip()
    if base in _WHOLE:
        return "integer", sa.BigInteger(), sa.cast(raw, sa.BigInteger())
    if base in _WIDE:
        return "number", sa.Numeric(38, 0), sa.cast(raw, sa.Numeric(38, 0))
    if base in ("DECIMAL", "NUMERIC"):
        scale = column.scale if column.scale is not None and "(" in column.type else _PLACES
        kind = sa.Numeric(38, min(max(scale, 0), 30))
        return "number", kind, sa.cast(raw, kind)
    if base in _FLOATS:
        finite: Any = sa.cast(raw, sa.Double())
        return "number", sa.Numeric(38, _PLACES), sa.case((finite - finite == 0, operations.rounded_double(finite, _PLACES)))
    if base in _TEXTS:
        return "text", sa.String(), sa.cast(raw, sa.String())
    if base in ("BOOLEAN", "BOOL"):
        return "flag", sa.Boolean(), raw
    if base == "DATE":
        return "day", sa.Date(), sa.case((sa.func.isfinite(raw), sa.type_coerce(raw, sa.Date())))
    if column.type in _ZONED:
        known = sa.case((sa.func.isfinite(raw), raw))
        return "instant", sa.DateTime(), sa.type_coerce(known.op("AT TIME ZONE")(sa.literal_column("'UTC'")), sa.DateTime())
    if base in _INSTANTS or column.type in _INSTANTS:
        clock: Any = sa.cast(raw, sa.DateTime())
        local = sa.case((sa.func.isfinite(clock), clock)).op("AT TIME ZONE")(sa.literal(timezone, sa.String()))
        return "instant", sa.DateTime(), sa.type_coerce(local.op("AT TIME ZONE")(sa.literal_column("'UTC'")), sa.DateTime())
    return None


def _sort(column: sa.Column[Any]) -> str:
    unit = str(column.info["unit"])
    return {"id": "text", "currency": "text", "integer": "a number", "number": "a number", "money": "a number"}.get(unit, unit)
