"""The closed set of operations whose SQL differs by engine, each compiled for DuckDB and for PostgreSQL.

Everything else that a metric needs is written alike on both. A new engine is one more ``@compiles`` a class, and is
held to DuckDB's answers by ``tests/metrics/test_operations.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import InternalTraversal

Element = sa.ColumnElement[Any]

#: Day 0 of day numbers.
EPOCH_ORDINAL: Final = 719163  # date(1970, 1, 1).toordinal()


class Whole(sa.types.UserDefinedType[int]):
    """A whole number of at least 38 digits: sums of units, and their products with day numbers."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Its name on DuckDB; PostgreSQL's is compiled below."""
        return "HUGEINT"


@compiles(Whole, "postgresql")
def _whole_postgresql(_type: Whole, _compiler: Any, **_: Any) -> str:
    return "NUMERIC"


# Types are shared: each new one is adapted to the engine's dialect, and a statement of twenty metrics has hundreds.
WHOLE: Final = Whole()
BIG: Final = sa.BigInteger()
DOUBLE: Final[sa.Double[Any]] = sa.Double()
TEXT: Final = sa.String()
DAY: Final = sa.Date()
_BIGS: Final = sa.ARRAY(BIG)


@cache
def constant(number: int) -> Element:
    """A whole number of this program's own, written as it stands: values of users are bound, which takes longer to compile."""
    return sa.literal_column(str(number), BIG)


@cache
def numeric(scale: int) -> sa.Numeric[Any]:
    """The decimal with so many places."""
    return sa.Numeric(38, scale)


class _Operation(FunctionElement[Any]):
    """Arguments are rendered in order; subclasses say how."""

    inherit_cache = True


class Repeated(sa.ColumnElement[Any]):
    """An expression on which several scans of a statement look: compiled once, its text repeated, for compiling is what a new plan costs.

    It must hold columns, constants and calls alone: its text doesn't hang on where it stands.
    """

    __visit_name__ = "repeated"
    inherit_cache = False
    _traverse_internals = [("inner", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 - as SQLAlchemy has it

    def __init__(self, inner: Element) -> None:
        self.inner = inner
        self.type = inner.type

    def self_group(self, against: Any = None) -> Element:
        """In the parentheses that its expression needs."""
        return self if self.inner.self_group(against) is self.inner else sa.sql.elements.Grouping(self)

    @property
    def _from_objects(self) -> Any:
        return self.inner._from_objects


@compiles(Repeated)
def _repeated(element: Repeated, compiler: SQLCompiler, **kw: Any) -> str:
    texts: dict[Repeated, str] = compiler.__dict__.setdefault("kpi_repeated", {})
    if element not in texts:
        texts[element] = compiler.process(element.inner, **kw)
    return texts[element]


class local_day(_Operation):
    """The calendar day of an instant (UTC, without a zone) in a time zone."""

    type = DAY
    inherit_cache = True


@compiles(local_day)
def _local_day(element: local_day, compiler: SQLCompiler, **kw: Any) -> str:
    instant, zone = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST(({instant} AT TIME ZONE 'UTC') AT TIME ZONE {zone} AS DATE)"


class day_number(_Operation):
    """Days since 1970-01-01, a whole number."""

    type = sa.Integer()
    inherit_cache = True


@compiles(day_number)
def _day_number(element: day_number, compiler: SQLCompiler, **kw: Any) -> str:
    (day,) = element.clauses
    return f"({compiler.process(day, **kw)} - DATE '1970-01-01')"


def day_of(number: Element) -> Element:
    """The day so many days after 1970-01-01."""
    return sa.literal_column("DATE '1970-01-01'", DAY) + sa.cast(number, sa.Integer())


class elapsed_hours(_Operation):
    """Hours from one instant to another as a double, to be cast to a decimal."""

    type = DOUBLE
    inherit_cache = True


@compiles(elapsed_hours)
def _elapsed_hours_duckdb(element: elapsed_hours, compiler: SQLCompiler, **kw: Any) -> str:
    start, end = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(CAST(epoch_us({end}) - epoch_us({start}) AS DOUBLE) / 3600000000)"


@compiles(elapsed_hours, "postgresql")
def _elapsed_hours_postgresql(element: elapsed_hours, compiler: SQLCompiler, **kw: Any) -> str:
    start, end = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(CAST(EXTRACT(EPOCH FROM {end} - {start}) * 1000000 AS DOUBLE PRECISION) / 3600000000)"


class rounded_double(_Operation):
    """A double as a decimal with so many places, halves away from zero: exactly what the double is, times 10^places."""

    inherit_cache = True

    def __init__(self, value: Element, places: int) -> None:
        self.type = numeric(places)
        super().__init__(value, sa.literal_column(str(int(places))))


@compiles(rounded_double)
def _rounded_double_duckdb(element: rounded_double, compiler: SQLCompiler, **kw: Any) -> str:
    value, places = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST({value} AS DECIMAL(38, {places}))"


@compiles(rounded_double, "postgresql")
def _rounded_double_postgresql(element: rounded_double, compiler: SQLCompiler, **kw: Any) -> str:
    # Its own cast keeps 15 digits. In two parts, each a whole number of fewer digits, nothing is lost up to 1e29 units.
    # OFFSET 0 keeps the planner from writing the value out wherever it is named.
    value, places = (compiler.process(clause, **kw) for clause in element.clauses)
    units = f"SELECT CAST({value} AS DOUBLE PRECISION) * 1e{places} AS u OFFSET 0"
    whole = f"SELECT trunc(u) + CASE WHEN abs(u - trunc(u)) >= 0.5 THEN sign(u) ELSE 0 END AS w FROM ({units}) AS units OFFSET 0"
    high = f"SELECT w, trunc(w / {_HALF_WAY}) AS h FROM ({whole}) AS whole OFFSET 0"
    exact = f"(CAST(h AS NUMERIC) * {_HALF_WAY} + CAST(w - h * {_HALF_WAY} AS NUMERIC)) * CAST(1e-{places} AS NUMERIC)"
    return f"(SELECT CAST({exact} AS NUMERIC(38, {places})) FROM ({high}) AS high)"


#: A power of two, so that dividing a double by it is exact; and of 15 digits.
_HALF_WAY: Final = 2**48


class whole_quotient(_Operation):
    """Quotient of two whole numbers, both ≥ 0, without its remainder."""

    type = WHOLE
    inherit_cache = True


@compiles(whole_quotient)
def _whole_quotient_duckdb(element: whole_quotient, compiler: SQLCompiler, **kw: Any) -> str:
    left, right = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({left} // {right})"


@compiles(whole_quotient, "postgresql")
def _whole_quotient_postgresql(element: whole_quotient, compiler: SQLCompiler, **kw: Any) -> str:
    left, right = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"div(CAST({left} AS NUMERIC), CAST({right} AS NUMERIC))"


class remainder(_Operation):
    """Remainder of two whole numbers, both ≥ 0."""

    type = WHOLE
    inherit_cache = True


@compiles(remainder)
def _remainder(element: remainder, compiler: SQLCompiler, **kw: Any) -> str:
    left, right = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"mod({left}, {right})"


class first_of(_Operation):
    """First day of the calendar's week (on Monday), month, quarter or year that holds a day."""

    type = DAY
    inherit_cache = True

    def __init__(self, grain: str, day: Element) -> None:
        self.grain = grain
        super().__init__(sa.literal_column(f"'{grain}'"), day)


@compiles(first_of)
def _first_of(element: first_of, compiler: SQLCompiler, **kw: Any) -> str:
    grain, day = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST(date_trunc({grain}, CAST({day} AS TIMESTAMP)) AS DATE)"


class add_months(_Operation):
    """A first of a month, a constant number of months later."""

    type = DAY
    inherit_cache = True

    def __init__(self, day: Element, months: int) -> None:
        super().__init__(day, sa.literal_column(str(int(months))))


@compiles(add_months)
def _add_months(element: add_months, compiler: SQLCompiler, **kw: Any) -> str:
    day, months = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST({day} + {months} * INTERVAL '1 month' AS DATE)"


class byte_order(_Operation):
    """A text, to be sorted by its bytes whatever the database's language."""

    type = TEXT
    inherit_cache = True


@compiles(byte_order)
def _byte_order_duckdb(element: byte_order, compiler: SQLCompiler, **kw: Any) -> str:
    (text,) = element.clauses
    return compiler.process(text, **kw)


@compiles(byte_order, "postgresql")
def _byte_order_postgresql(element: byte_order, compiler: SQLCompiler, **kw: Any) -> str:
    (text,) = element.clauses
    return f'({compiler.process(text, **kw)} COLLATE "C")'


class _LetterCase(_Operation):
    """A text in one letter case, letter by letter, those of every language alike: ß becomes ẞ and İ becomes i."""

    type = TEXT
    inherit_cache = True
    function: str


class lower_case(_LetterCase):
    """A text in lower case."""

    inherit_cache = True
    function = "lower"


class upper_case(_LetterCase):
    """A text in upper case."""

    inherit_cache = True
    function = "upper"


@compiles(lower_case)
@compiles(upper_case)
def _letter_case_duckdb(element: _LetterCase, compiler: SQLCompiler, **kw: Any) -> str:
    (text,) = element.clauses
    return f"{element.function}({compiler.process(text, **kw)})"


# PostgreSQL's own letters hang on the database's language, which may know none but English ones, so Unicode's are asked
# for. They turn some letters into several (ß into SS, İ into i and a dot) and look at a letter's neighbours (ς ends a
# word): such letters are taken out first. What comes of it must not lend its order to a comparison.


@compiles(lower_case, "postgresql")
def _lower_case_postgresql(element: lower_case, compiler: SQLCompiler, **kw: Any) -> str:
    (text,) = element.clauses
    return f"""(lower(translate({compiler.process(text, **kw)}, 'İΣ', 'iσ') COLLATE "und-x-icu") COLLATE "C")"""


@compiles(upper_case, "postgresql")
def _upper_case_postgresql(element: upper_case, compiler: SQLCompiler, **kw: Any) -> str:
    (text,) = element.clauses
    letters, capitals = _several_capitals()
    # They stand aside as characters that mean nothing by agreement and no export holds.
    marks = "".join(chr(_ASIDE + place) for place in range(len(letters)))
    aside = f"translate({compiler.process(text, **kw)}, '{letters}', '{marks}')"
    return f"""(translate(upper({aside} COLLATE "und-x-icu"), '{marks}', '{capitals}') COLLATE "C")"""


#: The last of Unicode's planes for private use.
_ASIDE: Final = 0x10F000
#: All letters whose capitals are several lie below; those above are worth no time.
_LAST_OF_SEVERAL: Final = 0xFB17


@cache
def _several_capitals() -> tuple[str, str]:
    """Letters whose capital form is several letters, and the one capital that each has, or is itself where there is none."""
    letters = [chr(code) for code in range(_LAST_OF_SEVERAL + 1) if len(chr(code).upper()) > 1]
    capitals = ["ẞ" if letter == "ß" else letter.title() if len(letter.title()) == 1 else letter for letter in letters]
    return "".join(letters), "".join(capitals)


class trim_spaces(_Operation):
    """A text without spaces at both ends, of every width and also those that break no line; tabs and line breaks stay."""

    type = TEXT
    inherit_cache = True


@compiles(trim_spaces)
def _trim_duckdb(element: trim_spaces, compiler: SQLCompiler, **kw: Any) -> str:
    (text,) = element.clauses
    return f"trim({compiler.process(text, **kw)})"


@compiles(trim_spaces, "postgresql")
def _trim_postgresql(element: trim_spaces, compiler: SQLCompiler, **kw: Any) -> str:
    (text,) = element.clauses
    return f"btrim({compiler.process(text, **kw)}, '{_SPACES}')"


#: Unicode's class Zs, which DuckDB trims by itself.
_SPACES: Final = " \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"


class one_of(_Operation):
    """Whether a text is among those of an array; not known of a missing text."""

    type = sa.Boolean()
    inherit_cache = True


@compiles(one_of)
def _one_of_duckdb(element: one_of, compiler: SQLCompiler, **kw: Any) -> str:
    text, array = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"list_contains({array}, {text})"


@compiles(one_of, "postgresql")
def _one_of_postgresql(element: one_of, compiler: SQLCompiler, **kw: Any) -> str:
    text, array = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({text} = ANY ({array}))"


class like_plain(_Operation):
    """``LIKE`` in which only % and _ are special; PostgreSQL would take a backslash for an escape."""

    type = sa.Boolean()
    inherit_cache = True


@compiles(like_plain)
def _like_duckdb(element: like_plain, compiler: SQLCompiler, **kw: Any) -> str:
    """DuckDB tries every place for each % of a pattern that has _ as well: a long text with three takes minutes, and can't be
    interrupted. Its regular expressions (RE2) take time in proportion to the text."""
    text, pattern = element.clauses
    said = pattern.value if isinstance(pattern, sa.BindParameter) else None
    if not isinstance(said, str) or "_" not in said or said.count("%") < 2:
        return f"({compiler.process(text, **kw)} LIKE {compiler.process(pattern, **kw)})"
    wild = {"%": ".*", "_": "."}
    regular = sa.literal("(?s)" + "".join(wild.get(letter) or re.escape(letter) for letter in said), sa.String())
    return f"regexp_full_match({compiler.process(text, **kw)}, {compiler.process(regular, **kw)})"


@compiles(like_plain, "postgresql")
def _like_postgresql(element: like_plain, compiler: SQLCompiler, **kw: Any) -> str:
    text, pattern = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({text} LIKE {pattern} ESCAPE '')"


class _Unnest(FunctionElement[Any]):
    """A bound array as rows; several of one length in one select list go side by side on both engines."""

    name = "unnest"
    type = BIG
    inherit_cache = True


@compiles(_Unnest)
def _unnest(element: _Unnest, compiler: SQLCompiler, **kw: Any) -> str:
    (array,) = element.clauses
    return f"unnest({compiler.process(array, **kw)})"


class numbers(_Operation):
    """Each whole number from one to another, both included: a row for each in a select list, none where the first is larger."""

    type = BIG
    inherit_cache = True


@compiles(numbers)
def _numbers_duckdb(element: numbers, compiler: SQLCompiler, **kw: Any) -> str:
    first, last = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"unnest(generate_series({first}, {last}))"


@compiles(numbers, "postgresql")
def _numbers_postgresql(element: numbers, compiler: SQLCompiler, **kw: Any) -> str:
    first, last = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"generate_series({first}, {last})"


def rows_of(name: str, /, **columns: Sequence[int]) -> sa.CTE:
    """Whole numbers that Python worked out, as a table of one row an index."""
    picked = [
        _Unnest(sa.cast(sa.bindparam(None, list(values), type_=_BIGS, unique=True), _BIGS)).label(label)
        for label, values in columns.items()
    ]
    return sa.select(*picked).cte(name)


class _StackedByName(sa.TextualSelect):
    """Rows of several tables, each with some of the columns: see :func:`stacked`."""

    inherit_cache = False

    def __init__(self, tables: Sequence[sa.FromClause], columns: Mapping[str, sa.types.TypeEngine[Any]]) -> None:
        super().__init__(sa.text(""), [sa.column(name, kind) for name, kind in columns.items()])
        self.tables = tables


@compiles(_StackedByName)
def _stacked_duckdb(element: _StackedByName, compiler: SQLCompiler, **kw: Any) -> str:
    return " UNION ALL BY NAME ".join(f"SELECT * FROM {compiler.process(table, **kw | {'asfrom': True})}" for table in element.tables)


@compiles(_StackedByName, "postgresql")
def _stacked_postgresql(element: _StackedByName, compiler: SQLCompiler, **kw: Any) -> str:
    quote, types = compiler.preparer.quote, compiler.dialect.type_compiler_instance
    selects = []
    for place, table in enumerate(element.tables):
        # The first decides what types all have.
        cells = (
            quote(column.name)
            if column.name in table.c
            else "NULL"
            if place
            else f"CAST(NULL AS {types.process(column.type)}) AS {quote(column.name)}"
            for column in element.column_args
        )
        selects.append(f"SELECT {', '.join(cells)} FROM {compiler.process(table, **kw | {'asfrom': True})}")
    return " UNION ALL ".join(selects)


def stacked(tables: Sequence[sa.FromClause], columns: Mapping[str, sa.types.TypeEngine[Any]]) -> sa.TextualSelect:
    """Rows of several tables, one below the other; where one lacks a column, its rows have nothing there.

    Twenty metrics of ten tables would be two hundred empty columns to make and to write; DuckDB needs none of them.

    Args:
        tables: of columns that are all among ``columns``; the same column has the same type in each.
        columns: names and types of what comes of it.
    """
    return _StackedByName(tables, columns)


def safe_quotient(above: Element, below: Element) -> Element:
    """``above / below`` as a double; no value where ``below`` is 0 or missing."""
    return sa.cast(above, DOUBLE) / sa.cast(sa.func.nullif(below, 0), DOUBLE)


def decimal(value: Element, scale: int) -> Element:
    """``value`` with so many decimal places, halves away from zero."""
    return sa.cast(value, numeric(scale))
