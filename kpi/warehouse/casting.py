"""Values and conditions of :mod:`kpi.warehouse.cells` -> SQLAlchemy expressions over columns of text, for DuckDB.

Each value compiles to an expression of the schema's type and, beside it, to the ways in which a cell can fail to be
one: a :class:`Fault` with the condition and the reason. Nothing is raised for bad data.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from kpi.units import MINOR_PLACES
from kpi.warehouse import cells, computing
from kpi.warehouse.once import Once
from kpi.warehouse.schema import MONEY, QUANTITY, RATE
from kpi.warehouse.shapes import CODES, NUMBERS, PER_SECOND, SERIAL, SERIALS, ZONES, AmountShape, DateShape
from kpi.warehouse.zones import to_local

Column = sa.ColumnElement[Any]

_TYPES: Final[dict[str, Any]] = {"money": MONEY, "number": QUANTITY, "rate": RATE, "integer": sa.BigInteger()}
#: Zones of :class:`cells.Day` in which a number counts from 1970.
EPOCHS: Final = ("epoch", "epoch_ms")
#: Currencies whose smallest unit is a thousandth.
_THOUSANDTHS: Final = tuple(sorted(code for code, places in MINOR_PLACES.items() if places == 3))
_TRUE: Final = ("1", "true", "yes", "y", "t", "x", "wahr", "ja")
_FALSE: Final = ("0", "false", "no", "n", "f", "falsch", "nein")

#: What stands for a currency beside an amount: a sign, a code, or how its country writes it. Nothing else may stand there,
#: since 10 % is not 10, nor is 10 k or 10 Mio.
_MONEY: Final = r"(?i:\p{Sc}|(?:US|A|AU|C|CA|NZ|HK|S|SG|R|MX)\$|kr\.?|s?fr\.?|z[lł]|kč|ft|rs\.?|lei|лв\.?|" + "|".join(sorted(CODES)) + ")"
#: A sign or an opening parenthesis, a currency, digits with marks, and the same behind.
_AMOUNT: Final = rf"[-+(−]{{0,2}}\s*(?:{_MONEY})?\s*[-−(]?\s*[0-9.,][0-9.,'’\s\x{{a0}}\x{{2009}}\x{{202f}}]*(?:{_MONEY})?\s*[-−)]?"
_NOT_PARTED: Final = r"[0-9][\s'’\x{a0}\x{2009}\x{202f}]+([0-9]{1,2}|[0-9]{4,})([^0-9]|$)"
_SPREADSHEET_ID: Final = r"[0-9](?:[.,][0-9]+)?[Ee]\+[0-9]+"
#: Of 1.234 in a column of cents.
EITHER: Final = "it can be a thousand or three decimals, while the column writes no others"
#: Days outside of which a date is a mistyped one: 0202, 20226. Systems write 9999 for never.
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2199
_NEVER: Final = 9999
#: What to do about an id such as 1.21E+15.
SHORTENED: Final = (
    "a spreadsheet has shortened this id, which can't be undone; export the file again and import it "
    "without opening and saving it in between"
)
#: As in connectors.tidying, which lies above; joiners mean nothing in a name either.
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True)
class Fault:
    """A way in which a record fails.

    Attributes:
        column: the header of the cell; empty where a whole value is missing.
        raw: the cell's text.
        bad: true where it fails.
        reason: why it can't be used.
    """

    column: str
    raw: Column
    bad: Column
    reason: str


@dataclass(frozen=True)
class Cast:
    """A compiled value and its faults."""

    value: Column
    faults: tuple[Fault, ...] = ()


@dataclass
class Scope:
    """The file that values are compiled for.

    Attributes:
        header: normalised header name -> (position, name as written); the first of repeated ones.
        dates, amounts: position -> how that column writes them; missing ones are ISO and plain.
        currency: for files without one.
        timezone: the calendar's zone.
        each: position of the column at hand and the pattern's group ``name``, in a mapping with ``each``.
        assumed: set to True when ``currency`` was needed.
        minor: False where amounts that could be in minor units are in whole ones.
        exported_on: the day of the export, where the file's name states one.
        delimiter: between the file's cells.
        since_1904: plain numbers that are days count from 1904, as in some workbooks.
        is_odd: the file holds control characters or the like, so that ids are looked at for them.
        currencies: positions of the columns that name the currency of a record.
    """

    header: dict[str, tuple[int, str]]
    currency: str
    timezone: str
    dates: dict[int, DateShape] = field(default_factory=dict)
    amounts: dict[int, AmountShape] = field(default_factory=dict)
    each: tuple[int, str] | None = None
    assumed: bool = False
    minor: bool = True
    exported_on: dt.date | None = None
    delimiter: str = ","
    since_1904: bool = False
    is_odd: bool = False
    currencies: tuple[int, ...] = ()

    def find(self, value: cells.Value) -> tuple[int, str] | None:
        """Position and header of the cell that ``value`` reads, or None where the file hasn't got it."""
        if isinstance(value, cells.EachCell):
            if self.each is None:
                return None
            position = self.each[0]
            return position, next(name for at, name in self.header.values() if at == position)
        if isinstance(value, cells.Cell):
            return next((self.header[folded(name)] for name in value.names if folded(name) in self.header), None)
        return None

    def text(self, position: int) -> Column:
        """The trimmed text of a column; empty is null. The relation has it so: see ``text_view`` of ``mapped``."""
        return sa.column(f"c{position}", sa.String)


_PLAIN_NAME: Final = str.maketrans("“”", '""', "↑↓")


def folded(name: str) -> str:
    """A header name as names are compared: lower case, single blanks, straight quotes, without the arrows of a sorted column and
    what can't be seen."""
    if not name.isascii():
        name = _INVISIBLE.sub("", name)
    return " ".join(name.translate(_PLAIN_NAME).casefold().split())


def typed_cells(value: Any, kind: str = "") -> Iterator[tuple[str, cells.Value]]:
    """Every cell in ``value`` that is read as a date or an amount: (``date``, ``amount`` or ``number``, the cell)."""
    if isinstance(value, cells.Day | cells.Instant):
        kind = "" if value.form or value.zone in EPOCHS else "date"
    elif isinstance(value, cells.Amount):
        kind = "amount" if value.kind == "money" else "number"
    if isinstance(value, cells.Cell | cells.EachCell):
        if kind:
            yield kind, value
    elif isinstance(value, tuple):
        for item in value:
            yield from typed_cells(item, kind)
    elif dataclasses.is_dataclass(value):
        for part in dataclasses.fields(value):
            yield from typed_cells(getattr(value, part.name), kind)


def minor_amounts(value: Any) -> Iterator[cells.Minor]:
    """Every amount in ``value`` that may be in minor units."""
    if isinstance(value, cells.Minor):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from minor_amounts(item)
    elif dataclasses.is_dataclass(value):
        for part in dataclasses.fields(value):
            yield from minor_amounts(getattr(value, part.name))


def is_told(value: Any, scope: Scope) -> bool:
    """Whether a file says something of ``value``, if only that it is empty: it has a cell of it, or the value needs none."""
    if isinstance(value, cells.Required | cells.EachName) or (isinstance(value, cells.Constant) and value.value is not None):
        return True
    if isinstance(value, cells.Currency) and value.assume:
        return True
    if isinstance(value, cells.Cell | cells.EachCell):
        return scope.find(value) is not None
    if isinstance(value, cells.When) and (holds := _without(value.condition, scope)) is not None:
        return is_told(value.then if holds else value.otherwise, scope)
    if isinstance(value, tuple):
        return any(is_told(item, scope) for item in value)
    return dataclasses.is_dataclass(value) and any(is_told(getattr(value, part.name), scope) for part in dataclasses.fields(value))


def _without(condition: Any, scope: Scope) -> bool | None:
    """Whether a condition holds in every row, since the file has none of its cells; None where it has some."""
    match condition:
        case cells.Not(inner):
            holds = _without(inner, scope)
            return None if holds is None else not holds
        case cells.AllOf(conditions) | cells.AnyOf(conditions):
            is_all = isinstance(condition, cells.AllOf)
            each = [_without(inner, scope) for inner in conditions]
            if (not is_all) in each:
                return not is_all
            return None if None in each else is_all
        case cells.Same(left, right):
            return None if is_told(left, scope) and is_told(right, scope) else False
    return None if is_told(condition, scope) else False


def cell_names(value: Any) -> Iterator[str]:
    """The names of all cells in ``value``."""
    for cell in cells_of(value):
        if isinstance(cell, cells.Cell):
            yield from cell.names


def compile_value(value: cells.Value, scope: Scope) -> Cast:
    """``value`` as an expression over the columns of ``scope``, with its faults."""
    match value:
        case cells.Cell() | cells.EachCell():
            found = scope.find(value)
            return Cast(scope.text(found[0]) if found else sa.null())
        case cells.EachName():
            return Cast(sa.literal(scope.each[1] if scope.each else ""))
        case cells.Constant(constant):
            return Cast(sa.null() if constant is None else sa.literal(constant))
        case cells.FirstOf(values):
            return _all([compile_value(item, scope) for item in values], sa.func.coalesce)
        case cells.Joined(values, between):
            return _all([compile_value(item, scope) for item in values], lambda *parts: _joined(parts, between))
        case cells.Required(of):
            return _required(of, scope)
        case cells.When(condition, then, otherwise):
            holds = compile_condition(condition, scope)
            yes, not_so = compile_value(then, scope), compile_value(otherwise, scope)
            return Cast(
                sa.case((holds.value, yes.value), else_=not_so.value),
                holds.faults
                + tuple(dataclasses.replace(fault, bad=sa.and_(holds.value, fault.bad)) for fault in yes.faults)
                + tuple(dataclasses.replace(fault, bad=sa.and_(sa.not_(holds.value), fault.bad)) for fault in not_so.faults),
            )
        case cells.Sum(plus, minus):
            return _all(
                [compile_value(plus, scope), compile_value(minus, scope)],
                # once: a sum of sums would hold its parts four times
                lambda a, b: Once(
                    sa.case((sa.or_(a.is_not(None), b.is_not(None)), sa.cast(sa.func.coalesce(a, 0) - sa.func.coalesce(b, 0), MONEY)))
                ),
            )
        case cells.Share():
            return _share(value, scope)
        case cells.Minor(of) if isinstance(of, cells.FirstOf):
            return compile_value(cells.FirstOf(tuple(dataclasses.replace(value, of=item) for item in of.values)), scope)
        case cells.Minor():
            return _minor(value, scope)
        case cells.Computed(function, arguments):
            given = [compile_value(item, scope) for item in arguments]
            return Cast(*_computed(function, given))
        case cells.FileNumber():
            return Cast(sa.column("file", sa.BigInteger))
        case cells.ExportDay():
            return Cast(sa.cast(sa.literal(scope.exported_on), sa.Date()))
        case cells.Amount(of, kind) if isinstance(of, cells.FirstOf):
            return compile_value(cells.FirstOf(tuple(cells.Amount(item, kind) for item in of.values)), scope)
        case cells.Day(of, zone, form) if isinstance(of, cells.FirstOf):
            return compile_value(cells.FirstOf(tuple(cells.Day(item, zone, form) for item in of.values)), scope)
        case cells.Instant(of, zone, form) if isinstance(of, cells.FirstOf):
            return compile_value(cells.FirstOf(tuple(cells.Instant(item, zone, form) for item in of.values)), scope)
        case cells.Currency(of) if any(cells_of(of)) and not finds_any(of, scope):
            scope.assumed = scope.assumed or value.assume
            return Cast(sa.literal(scope.currency) if value.assume else sa.null())
    return _read(value, scope)


def _read(value: Any, scope: Scope) -> Cast:
    """A value made of one other value."""
    inner = compile_value(value.of, scope)
    found = scope.find(value.of)
    name = found[1] if found else ""
    raw = inner.value
    if isinstance(raw, sa.sql.elements.Null):
        return Cast(_typed_null(value), inner.faults)

    def fault(bad: Column, reason: str) -> tuple[Fault, ...]:
        return (*inner.faults, Fault(name, raw, bad, reason))

    match value:
        case cells.Id(_, empty, like):
            kept = sa.case((raw.in_(empty), sa.null()), else_=raw) if empty else raw
            # a case, since both sides of an "and" are worked out for every row
            shortened = Once(sa.case((sa.func.contains(raw, "+"), sa.func.regexp_full_match(raw, _SPREADSHEET_ID)), else_=sa.false()))
            faults = fault(shortened, SHORTENED)
            if like:
                strange = sa.and_(sa.not_(sa.func.regexp_full_match(raw, like)), sa.not_(shortened))
                faults = (*faults, Fault(name, raw, strange, "not written as the ids of this system are"))
            if scope.is_odd:
                spoilt = sa.func.regexp_matches(raw, r"[\x00-\x1f\x7f\x{fffd}]")
                faults = (*faults, Fault(name, raw, spoilt, "it holds a character that no id has"))
            return Cast(kept, faults)
        case cells.Amount(_, kind):
            shape = scope.amounts.get(found[0], AmountShape()) if found else AmountShape()
            digits = raw if shape.plain else _plain(raw, shape.decimal)
            amount = Once(sa.try_cast(digits, _TYPES[kind]))
            faults = fault(sa.and_(raw.is_not(None), amount.is_(None)), "not an amount" if kind == "money" else "not a number")
            if kind == "integer":  # a cast rounds 1.234, which may be a thousand, without a word
                broken = sa.and_(amount.is_not(None), sa.try_cast(digits, sa.Numeric(30, 6)) != amount)
                faults = (*faults, Fault(name, raw, broken, "not a whole number"))
            if shape.is_doubtful:
                faults = (*faults, Fault(name, raw, _either(raw, shape, scope), EITHER))
            return Cast(amount, faults)
        case cells.Day() | cells.Instant():
            return _date(value, raw, fault, scope, scope.dates.get(found[0], DateShape()) if found else DateShape())
        case cells.Flag():
            said = Once(sa.func.lower(raw))
            is_true, is_false = said.in_(_TRUE), said.in_(_FALSE)
            return Cast(
                sa.case((is_true, sa.true()), (is_false, sa.false())), fault(sa.not_(sa.or_(is_true, is_false)), "neither yes nor no")
            )
        case cells.Choice(_, cases, otherwise):
            said = Once(sa.func.lower(raw))
            rest = raw if otherwise == "keep" else sa.null()
            chosen = Once(
                sa.case(*((said == text, sa.literal(result) if result is not None else sa.null()) for text, result in cases), else_=rest)
            )
            if otherwise != "reject":
                return Cast(chosen, inner.faults)
            more = f" and {len(cases) - 8} more" if len(cases) > 8 else ""
            accepted = ", ".join(text for text, _ in cases[:8]) + more
            if all(result is not None for _, result in cases):
                return Cast(chosen, fault(sa.and_(raw.is_not(None), chosen.is_(None)), f"not one of {accepted}"))
            return Cast(chosen, fault(said.not_in([text for text, _ in cases]), f"not one of {accepted}"))
        case cells.Currency():
            code = sa.func.upper(raw)
            usual = [scope.currency, "USD", "EUR", "GBP"]
            known = sa.case((code.in_(usual), sa.true()), else_=sa.func.regexp_full_match(code, "[A-Z]{3}"))
            return Cast(code, fault(sa.not_(known), "not a currency of three letters"))
        case cells.Prefixed(prefix, _):
            return Cast(sa.literal(prefix + ":") + sa.cast(raw, sa.String), inner.faults)
        case cells.FirstPart(_, mark):
            return Cast(sa.func.nullif(sa.func.trim(sa.func.split_part(raw, mark, 1)), ""), inner.faults)
        case cells.Lower():
            return Cast(Once(sa.func.lower(raw)), inner.faults)
        case cells.Domain():
            return Cast(domain_of(raw), inner.faults)
        case cells.CaseSafe():
            return Cast(_case_safe(raw), inner.faults)
        case cells.Negative(_, always):
            return Cast(-sa.func.abs(raw) if always else -raw, inner.faults)
        case cells.MonthOf(_, following):
            first = sa.cast(sa.func.date_trunc("month", raw), sa.Date)
            return Cast(sa.cast(first + sa.func.to_months(1), sa.Date) if following else first, inner.faults)
        case cells.DayAfter():
            return Cast(raw + 1, inner.faults)
    raise TypeError(f"no compiler for {value!r}")


def _typed_null(value: Any) -> Column:
    if isinstance(value, cells.Amount):
        return sa.cast(sa.null(), _TYPES[value.kind])
    kinds: dict[Any, Any] = {
        cells.Day: sa.Date(),
        cells.Instant: sa.DateTime(),
        cells.Flag: sa.Boolean(),
        cells.MonthOf: sa.Date(),
        cells.DayAfter: sa.Date(),
    }
    kind = kinds.get(type(value))
    return sa.null() if kind is None else sa.cast(sa.null(), kind)


def _computed(function: str, given: list[Cast]) -> tuple[Column, tuple[Fault, ...]]:
    """A function's value, and what can't be worked out of values that are there."""
    made = Once(computing.value(function, [part.value for part in given]))
    faults = tuple(fault for part in given for fault in part.faults)
    if function in computing.MAY_FAIL:
        there: list[Column] = [part.value.is_not(None) for part in given]
        # the last is what is divided by: by 0 there is no value, which is no mistake
        there += [given[-1].value != 0] if function == "/" else []
        faults += (Fault("", sa.literal(""), sa.and_(*there, made.is_(None)), computing.MAY_FAIL[function]),)
    return made, faults


def _all(parts: list[Cast], combine: Callable[..., Column]) -> Cast:
    return Cast(combine(*(part.value for part in parts)), tuple(fault for part in parts for fault in part.faults))


def _joined(parts: tuple[Column, ...], between: str) -> Column:
    given = [part for part in parts if not isinstance(part, sa.sql.elements.Null)]
    if not given:
        return sa.null()
    return sa.func.nullif(sa.func.concat_ws(between, *given), "")


def _required(of: cells.Value, scope: Scope) -> Cast:
    inner = compile_value(of, scope)
    names = [found[1] for found in (scope.find(cell) for cell in cells_of(of)) if found]
    bare = of
    while isinstance(bare, cells.Prefixed):  # what it stands before is there or not, and needs no text to be made
        bare = bare.of
    absent = compile_value(bare, scope).value.is_(None)
    missing = Fault(names[0] if names else "", sa.literal(""), absent, "empty, and no row can do without it")
    shown = sa.and_(missing.bad, *(sa.not_(sa.func.coalesce(fault.bad, sa.false())) for fault in inner.faults))
    return Cast(inner.value, (*inner.faults, dataclasses.replace(missing, bad=shown)))


def holds(value: Any, kind: type) -> bool:
    """Whether a value of ``kind`` stands anywhere in ``value``."""
    if isinstance(value, kind):
        return True
    if isinstance(value, tuple | list):
        return any(holds(item, kind) for item in value)
    if isinstance(value, dict):
        return any(holds(item, kind) for item in value.values())
    return dataclasses.is_dataclass(value) and any(holds(getattr(value, part.name), kind) for part in dataclasses.fields(value))


def cells_of(value: Any) -> Iterator[cells.Value]:
    """Every cell in ``value``."""
    if isinstance(value, cells.Cell | cells.EachCell):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from cells_of(item)
    elif dataclasses.is_dataclass(value):
        for part in dataclasses.fields(value):
            yield from cells_of(getattr(value, part.name))


def finds_any(value: Any, scope: Scope) -> bool:
    """Whether the file has a cell that ``value`` reads."""
    return any(scope.find(cell) for cell in cells_of(value))


def speaks_of(value: Any, scope: Scope) -> bool:
    """Whether the file says anything of ``value``: it has a cell of it, or none is needed, or its absence is a fault or assumed."""
    if holds(value, cells.Required):
        return True
    if isinstance(value, cells.When):
        # a condition alone says something only where it decides between constants
        if any(cells_of(value.condition)) and not finds_any(value.condition, scope):
            return False
        return any(speaks_of(part, scope) for part in (value.then, value.otherwise) if part != cells.Constant(None))
    if isinstance(value, cells.FirstOf):
        return any(speaks_of(part, scope) for part in value.values)
    return finds_any(value, scope) or not any(cells_of(value)) or (isinstance(value, cells.Currency) and value.assume)


def _share(value: cells.Share, scope: Scope) -> Cast:
    price = compile_value(value.of, scope)
    times = compile_value(value.times, scope) if value.times else Cast(sa.literal(1))
    unit = compile_value(value.unit, scope)
    over, under = (sa.cast(sa.func.split_part(unit.value, "/", at), sa.Integer) for at in (1, 2))
    # one division, last: cents lost in a twelfth before it is multiplied would be lost for every seat
    whole = sa.cast(price.value, sa.Numeric(38, 4)) * sa.func.coalesce(sa.cast(times.value, sa.Numeric(18, 6)), 1) * over
    cents = sa.func.round(sa.cast(whole, sa.Numeric(38, 10)) * 10000, 0)
    ten_thousandths = sa.func.round(sa.cast(cents, sa.Numeric(38, 0)) / under, 0)
    result = sa.cast(sa.cast(ten_thousandths, sa.Numeric(38, 0)) * sa.literal_column("0.0001"), MONEY)
    return Cast(result, (*price.faults, *times.faults, *unit.faults))


def _minor(value: cells.Minor, scope: Scope) -> Cast:
    inner = compile_value(value.of, scope)
    raw = inner.value
    if isinstance(raw, sa.sql.elements.Null):
        return Cast(sa.cast(sa.null(), MONEY), inner.faults)
    found = scope.find(value.of)
    name = found[1] if found else ""
    shape = scope.amounts.get(found[0], AmountShape()) if found else AmountShape()
    digits = raw if shape.plain else _plain(raw, shape.decimal)
    either = (Fault(name, raw, _either(raw, shape, scope), EITHER),) if shape.is_doubtful else ()
    if not scope.minor and not value.sure:
        amount = Once(sa.try_cast(digits, MONEY))
        return Cast(amount, (*inner.faults, Fault(name, raw, sa.and_(raw.is_not(None), amount.is_(None)), "not an amount"), *either))
    number = Once(sa.try_cast(digits, sa.Numeric(18, 4) if not value.fraction else sa.Numeric(26, 12)))
    faults = (*inner.faults, Fault(name, raw, sa.and_(raw.is_not(None), number.is_(None)), "not an amount"), *either)
    currency = compile_value(value.currency, scope)
    if not value.fraction:
        broken = sa.and_(number.is_not(None), number != sa.func.trunc(number))
        faults += (Fault(name, raw, broken, "not a whole number of the currency's smallest unit"),)
    if not isinstance(currency.value, sa.sql.elements.Null):
        unknown = sa.and_(number.is_not(None), currency.value.is_(None))
        faults += (Fault(name, raw, unknown, "in the smallest unit of a currency that isn't named"),)
    units = {decimals: [code for code, places in value.units if places == decimals] for decimals in (0, 3)}
    cases: list[tuple[Column, Column]] = [(currency.value.in_(units[0]), sa.literal_column("1.000"))] if units[0] else []
    cases += [(currency.value.in_(units[3]), sa.literal_column("0.001"))] if units[3] else []
    hundredth: Column = sa.literal_column("0.010")
    factor = sa.cast(sa.case(*cases, else_=hundredth) if cases else hundredth, sa.Numeric(4, 3))
    # at most a unit each, so that nothing that was read as a number becomes too long; of 18 digits the product would be
    exact = sa.cast(number, sa.Numeric(26, 12 if value.fraction else 4))
    return Cast(Once(sa.cast(exact * factor, MONEY)), (*faults, *currency.faults))


def _either(raw: Column, shape: AmountShape, scope: Scope) -> Column:
    """Whether a cell of a column with cents writes 1.234, which may be a thousand."""
    either: Column = sa.func.regexp_full_match(raw, rf"[^0-9.,]*[1-9][0-9]{{0,2}}\{shape.decimal}[0-9]{{3}}[^0-9.,]*")
    for position in scope.currencies:  # dinars have a thousand fils
        either = sa.and_(either, sa.func.coalesce(sa.func.upper(scope.text(position)), "").not_in(_THOUSANDTHS))
    return either


def _plain(raw: Column, decimal: str) -> Column:
    """An amount as people write it -> digits and a point, or null."""
    thousands = "," if decimal == "." else "."
    mark = "\\" + decimal
    bare = sa.func.regexp_replace(raw, "[^0-9.,]", "", "g")
    group = "\\" + thousands
    grouped = sa.func.regexp_full_match(
        bare, rf"[0-9]{{1,3}}({group}[0-9]{{2,3}})*{group}[0-9]{{3}}({mark}[0-9]*)?|[0-9]+({mark}[0-9]*)?|{mark}[0-9]+"
    )
    digits = sa.func.replace(sa.func.replace(bare, thousands, ""), decimal, ".")
    negative = sa.func.regexp_matches(raw, r"[-−(]")
    # blanks and apostrophes part thousands, and nothing else: 12 50 is two numbers
    parted = sa.not_(sa.func.regexp_matches(raw, _NOT_PARTED))
    return sa.case(
        (
            sa.and_(sa.func.regexp_full_match(raw, _AMOUNT), parted, grouped),
            sa.case((negative, sa.literal("-")), else_=sa.literal("")) + digits,
        )
    )


def _date(
    value: cells.Day | cells.Instant, raw: Column, fault: Callable[[Column, str], tuple[Fault, ...]], scope: Scope, shape: DateShape
) -> Cast:
    if value.zone in EPOCHS:
        return _since_1970(value, raw, fault, scope)
    readings: list[Column] = []
    if value.form:
        readings.append(_to_utc(computing.moment(value.form, raw), "utc" if value.form.startswith("epoch") else value.zone, scope))
    elif shape.number:
        exact = _numbered_moment(raw, shape.number)
        is_epoch = shape.number in PER_SECOND and isinstance(value, cells.Day) and value.zone == "written"
        readings.append(
            to_local(exact, scope.timezone) if is_epoch else exact if shape.number in PER_SECOND else _to_utc(exact, value.zone, scope)
        )
    if shape.iso and not value.form:
        stated = raw
        for name in shape.named:
            stated = sa.func.regexp_replace(stated, f" ?{name}$", ZONES[name])
        written: Column = sa.try_cast(stated, sa.DateTime)
        if shape.zoned and not (isinstance(value, cells.Day) and value.zone == "written"):
            # an offset in the cell beats what the column is said to be in
            has_offset = sa.func.regexp_matches(sa.func.substr(stated, 11), r"(Z|UTC|GMT|[+-]\d{2}:?\d{2})$")
            exact = sa.func.timezone("UTC", sa.try_cast(stated, sa.DateTime(timezone=True)))
            readings.append(sa.case((has_offset, exact), else_=_to_utc(written, value.zone, scope)))
        else:
            # a cast ignores an offset without a word, so one that no other row has must not pass
            if not shape.zoned:
                written = sa.case(
                    (sa.func.length(stated) <= 19, written),
                    (sa.not_(sa.func.regexp_matches(stated, r"[0-9]\s*([A-Za-z]|[+-][0-9]{2}:?[0-9]{2}$)")), written),
                )
            readings.append(_to_utc(written, value.zone, scope))
    if shape.formats and not value.form:
        parsed = sa.func.try_strptime(raw, sa.func.list_value(*shape.formats))
        readings.append(_to_utc(parsed, value.zone, scope))
    if shape.serial:
        readings.append(_to_utc(_from_serial(raw), value.zone, scope))
    moment = Once(readings[0] if len(readings) == 1 else sa.func.coalesce(*readings))
    bad = sa.and_(raw.is_not(None), moment.is_(None))
    far = sa.or_(moment < _day_of(_FIRST_YEAR), sa.and_(moment >= _day_of(_LAST_YEAR + 1), sa.extract("year", moment) != _NEVER))
    strange = Fault(fault(bad, "")[-1].column, raw, far, f"its year is not one of {_FIRST_YEAR} to {_LAST_YEAR}")
    if isinstance(value, cells.Instant):
        return Cast(moment, (*fault(bad, "not a date and time"), strange))
    at_all = value.zone == "written" and not value.form.startswith("epoch")
    local = moment if at_all else to_local(moment, scope.timezone)
    return Cast(Once(sa.cast(local, sa.Date)), (*fault(bad, "not a date"), strange))


def _day_of(year: int) -> Column:
    return sa.literal_column(f"TIMESTAMP '{year}-01-01'")


def _numbered_moment(raw: Column, kind: str) -> Column:
    """An instant from a number, to the microsecond; null where the cell is none of that kind."""
    if kind in SERIALS:
        start: Column = sa.literal_column("TIMESTAMP '1904-01-01'" if kind == SERIALS[1] else "TIMESTAMP '1899-12-30'")
        # to the millisecond: a day's binary fraction is no more exact
        past: Column = sa.func.round(sa.cast(sa.try_cast(raw, sa.Numeric(14, 9)), sa.Numeric(38, 9)) * 86_400_000, 0)
        moment = start + sa.func.to_milliseconds(sa.try_cast(past, sa.BigInteger))
    else:
        per_second = PER_SECOND[kind]
        past = sa.cast(sa.try_cast(raw, sa.Numeric(18, 6 if per_second == 1 else 0)), sa.Numeric(38, 6)) * (1_000_000 // per_second)
        moment = sa.func.make_timestamp(sa.try_cast(past, sa.BigInteger))
    return sa.case((sa.func.regexp_full_match(raw, NUMBERS[kind]), moment))


def _since_1970(value: cells.Day | cells.Instant, raw: Column, fault: Callable[[Column, str], tuple[Fault, ...]], scope: Scope) -> Cast:
    """Seconds or milliseconds since 1970; one is never taken for the other, since no export is of January 1970 or of the year 2200."""
    unit, least, most, micros = ("milliseconds", 10**11, 7 * 10**12, 1000) if value.zone == "epoch_ms" else ("seconds", 1, 7 * 10**9, 10**6)
    number = Once(sa.try_cast(raw, sa.Numeric(24, 6)))
    counted = sa.func.make_timestamp(sa.try_cast(number * micros, sa.BigInteger))
    has_offset = sa.func.regexp_full_match(raw, r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*(Z|UTC|GMT|[+-]\d{2}:?\d{2})")
    written = sa.func.timezone("UTC", sa.try_cast(raw, sa.DateTime(timezone=True)))
    moment = Once(sa.case((number.between(least, most), counted), (has_offset, written), else_=sa.cast(sa.null(), sa.DateTime)))
    bad = fault(sa.and_(raw.is_not(None), moment.is_(None)), f"neither {unit} since 1970 nor a date and time with an offset")
    if isinstance(value, cells.Instant):
        return Cast(moment, bad)
    return Cast(Once(sa.cast(to_local(moment, scope.timezone), sa.Date)), bad)


def _from_serial(raw: Column) -> Column:
    """A workbook's day number as a moment, to the second: its day 60 is 29 February 1900, which never was."""
    days = sa.try_cast(sa.func.replace(raw, ",", "."), sa.Numeric(30, 9))
    seconds = sa.cast(sa.func.round(days * 86400, 0), sa.BigInteger())
    moment = sa.func.make_timestamp((seconds - sa.literal(2_209_161_600)) * 1_000_000)
    return sa.case((sa.func.regexp_full_match(raw, SERIAL), moment))


def _to_utc(moment: Column, zone: str, scope: Scope) -> Column:
    if zone != "local" or scope.timezone == "UTC":
        return moment
    return sa.func.timezone("UTC", sa.func.timezone(scope.timezone, moment))


def domain_of(raw: Column) -> Column:
    """The host in an address of the web or of e-mail, without www."""
    host = sa.func.regexp_extract(sa.func.lower(raw), r"^(?:[a-z]+://)?(?:[^@/\s]*@)?(?:www\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)", 1)
    return sa.func.nullif(host, "")


def _case_safe(raw: Column) -> Column:
    """15 characters that differ by case + 3 that tell which of each five are upper case (Salesforce's own rule)."""
    ending: Column = sa.literal("")
    for block in range(3):
        bits: Column = sa.literal(1)
        for place in range(5):
            upper = sa.func.substr(raw, block * 5 + place + 1, 1).between("A", "Z")
            bits = bits + sa.case((upper, sa.literal(1 << place)), else_=sa.literal(0))
        ending = ending + sa.func.substr(_LETTERS, bits, 1)
    return sa.case((sa.func.regexp_full_match(raw, "[a-zA-Z0-9]{15}"), raw + ending), else_=raw)


def compile_condition(condition: cells.Condition, scope: Scope) -> Cast:
    """``condition`` as a flag that is never null, with the faults of what it reads."""
    match condition:
        case cells.AllOf(conditions):
            return _all([compile_condition(item, scope) for item in conditions], lambda *each: sa.and_(sa.true(), *each))
        case cells.AnyOf(conditions):
            return _all([compile_condition(item, scope) for item in conditions], lambda *each: sa.or_(sa.false(), *each))
        case cells.Not(inner):
            cast = compile_condition(inner, scope)
            return Cast(sa.not_(cast.value), cast.faults)
        case cells.Compared(operator, left, right):
            pair = [compile_value(left, scope), compile_value(right, scope)]
            return _all(pair, lambda a, b: sa.func.coalesce(computing.compared(operator, a, b), sa.false()))
        case cells.Same(left, right):
            pair = [compile_value(left, scope), compile_value(right, scope)]
            return _all(pair, lambda a, b: sa.func.coalesce(sa.func.lower(a) == sa.func.lower(b), sa.false()))
    of: Any = condition
    cast = compile_value(of.of, scope)
    if isinstance(cast.value, sa.sql.elements.Null):
        return Cast(sa.false(), cast.faults)
    holds: Column
    match condition:
        case cells.Filled():
            return Cast(cast.value.is_not(None), cast.faults)
        case cells.Equals(_, texts):
            holds = sa.func.lower(cast.value).in_([text.casefold() for text in texts])
        case cells.Matches(_, pattern):
            holds = sa.func.regexp_matches(cast.value, pattern)
        case cells.Is():
            holds = cast.value
        case cells.Above():
            holds = cast.value > 0
        case _:
            raise TypeError(f"no compiler for {condition!r}")
    return Cast(sa.func.coalesce(holds, sa.false()), cast.faults)
