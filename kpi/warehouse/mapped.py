"""The SQL of a mapped file: views that turn columns of text into rows of the schema's tables, and what checks them.

Statements are built here and written out with their values in them, since a view can't hold parameters. Names of
columns of the file never enter them: the columns of text are c0, c1 and so on.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Members
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from duckdb_sqlalchemy import Dialect

from kpi.warehouse import schema
from kpi.warehouse.casting import Cast, Column, Fault, Scope, compile_condition, compile_value, domain_of
from kpi.warehouse.cells import Condition, Constant, Domain, Instant, Value
from kpi.warehouse.literals import literal_dialect
from kpi.warehouse.once import Once, filtered, layered
from kpi.warehouse.zones import to_local

#: Joins the cells of a record into one text that names it; no export holds this control character.
SEPARATOR: Final = "\x1f"
#: The physical line, in relations that carry it.
LINE: Final[Column] = sa.column("line", sa.BigInteger)
#: Which of several files a record stands in, in relations of several.
FILE: Final[Column] = sa.column("file", sa.BigInteger)
#: The line on which a row of a table stood, where that is asked for.
STOOD: Final = "line it stood on"
#: Where no record needs to be told from another, and where none is left out.
NOTHING: Final[Column] = sa.literal("")
ALWAYS: Final[Column] = sa.true()
#: Marks that say as much behind a cell as before it.
_BEHIND: Final = '"\t'
_CLOCK: Final = "[0-9]{1,2}:[0-9]{2}"


@dataclass(frozen=True)
class Rows:
    """The rows that one mapping makes of a relation, or of one of its columns.

    Attributes:
        scope: the relation's columns.
        relation: its name.
        columns: column of the table -> value.
        where: which records have such a row, or None.
        step: order among mappings of the same instant.
    """

    scope: Scope
    relation: str
    columns: dict[str, Value]
    where: Condition | None
    step: int = 0


def sql(statement: sa.sql.ClauseElement) -> str:
    """A statement for DuckDB with its values written out."""
    return str(statement.compile(dialect=literal_dialect(Dialect()), compile_kwargs={"literal_binds": True}))


def _text(at: int) -> Column:
    """The column of text at a position. It names no relation, so that it can be read from any that has it."""
    return sa.column(f"c{at}", sa.String)


def create_view(name: str, select: sa.sql.ClauseElement) -> str:
    """``CREATE TEMP VIEW`` of a select."""
    return f"CREATE OR REPLACE TEMP VIEW {name} AS {sql(select)}"


def never_null(conditions: Iterable[Column]) -> Column:
    """Whether any of the conditions holds, with null for no."""
    given = list(conditions)
    return sa.func.coalesce(sa.or_(*given), sa.false()) if given else sa.false()


def text_view(name: str, source: str, positions: Sequence[int], has_line: bool, trimmed: bool) -> str:
    """The columns of text: with ``trimmed`` without blanks around them and empty ones null, else as they stand."""
    made: list[Any] = [_trimmed(at).label(f"c{at}") if trimmed else _text(at) for at in positions]
    return create_view(name, sa.select(*made, *([LINE] if has_line else [])).select_from(sa.table(source)))


def is_padded(positions: Iterable[int]) -> Column:
    """Whether a cell of a record has blanks around it."""
    return never_null(blank for at in positions for blank in (_begins(_text(at), " "), sa.func.ends_with(_text(at), " ")))


def _begins(text: Column, mark: str) -> Column:
    """As ``starts_with`` of one letter of ASCII, at half the cost: the beginnings of texts are compared without reading the rest."""
    return sa.and_(text >= mark, text < chr(ord(mark) + 1))


def _trimmed(at: int) -> Column:
    """Trimming costs ten times as much as looking whether there is something to trim."""
    text = _text(at)
    blank = sa.or_(sa.func.starts_with(text, " "), sa.func.ends_with(text, " "))
    return sa.case((blank, sa.func.nullif(sa.func.trim(text), "")), else_=text)


def kept_view(name: str, source: str, unusable: Column | None, numbered: bool) -> str:
    """The records of ``source`` that can be used; with ``numbered`` also their order ``n`` in the file."""
    everything: Any = sa.literal_column("*")
    numbers = [sa.func.row_number().over().label("n")] if numbered else []
    select = sa.select(everything, *numbers).select_from(sa.table(source))
    if unusable is not None:
        # worked out in layers: of a file with many columns the whole condition takes DuckDB minutes to look at
        select = filtered(select.subquery(), sa.not_(unusable))
    return create_view(name, select)


def rows_view(
    name: str, table: str, rows: Sequence[Rows], one_each: tuple[str, ...], interval: tuple[str, ...], numbered: bool = False
) -> str:
    """The rows of one table, made by all mappings of a file that fill it; ``numbered``: with the line of each in :data:`STOOD`."""
    target = schema.metadata.tables[table]
    columns = [column for column in target.columns if any(column.name in each.columns for each in rows)]
    if numbered:
        columns.append(sa.Column(STOOD, sa.BigInteger))
    selects = [_select(each, columns, bool(interval)) for each in rows]
    stacked: Any = selects[0] if len(selects) == 1 else sa.union_all(*selects)
    names = [column.name for column in columns]
    if interval:
        state = next(column.name for column in target.primary_key if column.name not in (*interval, "entered_at"))
        stacked = _intervals(stacked.subquery(), names, interval, state)
        names = [*names, "left_at"]
    if one_each:
        stacked = _latest(stacked.subquery(), names, one_each)
    return create_view(name, stacked)


def key_columns(table: str) -> list[str]:
    """Names of a table's key."""
    return [column.name for column in schema.metadata.tables[table].primary_key]


def keys_view(name: str, table: str, rows: Rows, stamp: Value | None = None) -> str:
    """The distinct values of some columns of ``table``, empty ones left out; with ``stamp`` the latest ``modified_at`` of each."""
    target = schema.metadata.tables[table]
    made = [sa.cast(compile_value(value, rows.scope).value, target.columns[key].type).label(key) for key, value in rows.columns.items()]
    changed = [] if stamp is None else [sa.func.max(compile_value(stamp, rows.scope).value).label("modified_at")]
    select = sa.select(*made, *changed).select_from(sa.table(rows.relation))
    select = select.group_by(*made) if changed else select.distinct()
    if rows.where is not None:
        select = select.where(compile_condition(rows.where, rows.scope).value)
    return create_view(name, select.where(*(column.is_not(None) for column in made)))


def _select(rows: Rows, columns: Sequence[sa.Column[Any]], ordered: bool) -> sa.Select[Any]:
    made = []
    for column in columns:
        value = compile_value(rows.columns[column.name], rows.scope).value if column.name in rows.columns else sa.null()
        value = LINE if column.name == STOOD else value
        made.append(sa.cast(value, column.type).label(column.name))
    if ordered:
        made += [sa.column("n").label("n"), sa.literal(rows.step).label("step")]
    return layered(sa.table(rows.relation), made, None if rows.where is None else compile_condition(rows.where, rows.scope).value)


def _intervals(rows: sa.Subquery, names: Sequence[str], by: Sequence[str], state: str) -> sa.Select[Any]:
    """Rows that repeat the state before go; each of the rest lasts until the next."""
    columns = rows.c
    window: dict[str, Any] = {
        "partition_by": [columns[name] for name in by],
        "order_by": [columns["entered_at"], columns["n"], columns["step"]],
    }
    before = sa.func.lag(columns[state]).over(**window).label("before")
    marked = sa.select(*(columns[name] for name in names), columns["n"], columns["step"], before).subquery()
    changes = sa.select(marked).where(marked.c[state].is_distinct_from(marked.c["before"])).subquery()
    window = {
        "partition_by": [changes.c[name] for name in by],
        "order_by": [changes.c["entered_at"], changes.c["n"], changes.c["step"]],
    }
    left = sa.func.lead(changes.c["entered_at"]).over(**window).label("left_at")
    return sa.select(*(changes.c[name] for name in names), left)


def _latest(rows: sa.Subquery, names: Sequence[str], by: Sequence[str]) -> sa.Select[Any]:
    """Of the rows that agree on ``by`` the latest; among equals the greatest, so that it is always the same one."""
    rest = [name for name in names if name not in by]
    winner = _winner([rows.c[name] for name in rest], rest)
    grouped = sa.select(*(rows.c[name] for name in by), winner).group_by(*(rows.c[name] for name in by)).subquery()
    picked = {name: sa.func.struct_extract(grouped.c["winner"], at) for at, name in enumerate(rest, start=2)}
    return sa.select(*((picked[name] if name in picked else grouped.c[name]).label(name) for name in names))


def _winner(columns: Sequence[Column], names: Sequence[str]) -> sa.Label[Any]:
    """The latest of a group's rows, from its second field on; among equals the greatest."""
    dated: Column = sa.literal(0)
    if "modified_at" in names:
        dated = sa.func.coalesce(columns[names.index("modified_at")], sa.literal_column("TIMESTAMP '0001-01-01'"))
    return sa.func.max(sa.func.row(dated, *columns)).label("winner")


def faults_of(rows: Sequence[Rows]) -> list[Fault]:
    """Every way in which the records of these mappings can fail, each once."""
    faults: dict[tuple[str, str, str], Fault] = {}
    for each in rows:
        where = compile_condition(each.where, each.scope) if each.where else Cast(sa.true())
        found = [*where.faults]
        for value in each.columns.values():
            for fault in compile_value(value, each.scope).faults:
                bad = sa.and_(where.value, fault.bad) if each.where else fault.bad
                found.append(Fault(fault.column, fault.raw, bad, fault.reason))
        for fault in found:
            faults.setdefault((fault.column, fault.reason, sql(fault.bad)), fault)
    return list(faults.values())


@dataclass(frozen=True)
class Check:
    """What is asked of every record.

    Attributes:
        marks: flags to count the records by; ``left_out`` and ``bad`` are among them.
        spans: which records count, and the dates of which the earliest and those of which the latest is asked for.
    """

    marks: dict[str, Column]
    spans: dict[str, tuple[Column, list[Column], list[Column]]]

    def columns(self) -> list[Any]:
        """What is worked out for each record."""
        made: list[Any] = [mark.label(name) for name, mark in self.marks.items()]
        for name, (where, first, last) in self.spans.items():
            made.append(where.label(f"{name}_where"))
            for label, values, within in ((f"{name}_from", first, sa.func.least), (f"{name}_to", last, sa.func.greatest)):
                made.append((within(*values) if len(values) > 1 else values[0]).label(label))
        return made

    def counts(self) -> list[Any]:
        """One row of a group of records: how many there are, how many each mark holds for, and the ends of each span."""
        made: list[Any] = [sa.func.count().label("records")]
        made += [sa.func.count().filter(sa.column(name)).label(name) for name in self.marks]
        for name in self.spans:
            among = sa.and_(sa.column(f"{name}_where"), _USABLE)
            for label, pick in ((f"{name}_from", sa.func.min), (f"{name}_to", sa.func.max)):
                made.append(sa.cast(pick(sa.column(label)).filter(among), sa.DateTime).label(label))
        return made

    def totals(self) -> list[Any]:
        """The counts of all groups together."""
        made: list[Any] = [sa.func.coalesce(sa.func.sum(sa.column(name)), 0).label(name) for name in ("records", *self.marks)]
        for name in self.spans:
            made += [sa.func.min(sa.column(f"{name}_from")).label(f"{name}_from"), sa.func.max(sa.column(f"{name}_to")).label(f"{name}_to")]
        return made


_USABLE: Final = sa.and_(sa.not_(sa.column("left_out")), sa.not_(sa.column("bad")))


def check_query(source: str, check: Check, by: Column | None = None) -> str:
    """One row: the counts of all records; with ``by`` one for each of its values, which comes first."""
    if by is None:
        return sql(sa.select(*check.counts()).select_from(layered(sa.table(source), check.columns()).subquery()))
    records = layered(sa.table(source), [by.label("by"), *check.columns()]).subquery()
    return sql(sa.select(sa.column("by"), *check.counts()).select_from(records).group_by(sa.column("by")))


def grouped_check(name: str, check: Check, table: str, rows: Rows, one_each: tuple[str, ...]) -> str:
    """``CREATE TEMP TABLE`` of the counts, a group for each row of ``table``, and of what those rows are made of.

    One reading of the file then does for both. :func:`grouped_totals` and :func:`grouped_view` take them apart again.
    """
    where = ALWAYS if rows.where is None else compile_condition(rows.where, rows.scope).value
    values: list[Any] = []
    named = _grouped_names(table, rows)
    for column in named:
        value = compile_value(rows.columns[column], rows.scope).value
        values.append(sa.cast(value, schema.metadata.tables[table].columns[column].type).label(f"row_{column}"))
    records = layered(sa.table(rows.relation), [*check.columns(), *values, where.label("row_where")]).subquery()
    is_row = sa.and_(sa.column("row_where"), _USABLE).label("is_row")
    keys: list[Any] = [sa.column(f"row_{key}") for key in one_each if key in named]
    rest = [column for column in named if column not in one_each]
    grouped = (
        sa.select(*keys, is_row, _winner([sa.column(f"row_{column}") for column in rest], rest), *check.counts())
        .select_from(records)
        .group_by(*keys, is_row)
        .subquery()
    )
    picked = [sa.func.struct_extract(grouped.c["winner"], at).label(f"row_{column}") for at, column in enumerate(rest, start=2)]
    kept = [grouped.c[column.name] for column in (*keys, is_row, *check.counts())]
    return f"CREATE OR REPLACE TEMP TABLE {name} AS {sql(sa.select(*kept, *picked))}"


def grouped_totals(name: str, check: Check, by: str = "") -> str:
    """One row, as :func:`check_query` gives it; with ``by``, a column of the grouped rows, one for each of its values."""
    if not by:
        return sql(sa.select(*check.totals()).select_from(sa.table(name)))
    column: Column = sa.column(f"row_{by}")
    return sql(sa.select(column.label("by"), *check.totals()).select_from(sa.table(name)).group_by(column))


def grouped_view(name: str, grouped: str, table: str, rows: Rows) -> str:
    """The rows of ``table``, as :func:`rows_view` makes them with ``one_each``."""
    made = []
    for column in schema.metadata.tables[table].columns:
        if isinstance(constant := rows.columns.get(column.name), Constant):
            made.append(sa.cast(compile_value(constant, rows.scope).value, column.type).label(column.name))
        elif column.name in _grouped_names(table, rows):
            made.append(sa.column(f"row_{column.name}", column.type).label(column.name))
        elif column.name in rows.columns:
            made.append(domain_of(sa.column(f"row_{_ADDRESS}", sa.String)).label(column.name))
    return create_view(name, sa.select(*made).select_from(sa.table(grouped)).where(sa.column("is_row")))


#: Where a domain is that of the row's own address, one is cut out for each row instead of each record.
_ADDRESS: Final = "email"


def _grouped_names(table: str, rows: Rows) -> list[str]:
    """The table's columns that are taken from the records; the rest follow from them."""
    named = [column.name for column in schema.metadata.tables[table].columns if column.name in rows.columns]
    named = [name for name in named if not isinstance(rows.columns[name], Constant)]
    return [name for name in named if _ADDRESS not in rows.columns or rows.columns[name] != Domain(rows.columns[_ADDRESS])]


def faults_query(source: str, left_out: Column, faults: Sequence[Fault], named: Column | None) -> str:
    """``record, column_name, value, reason`` of every fault; ``record`` is ``named``, else the source's own column."""
    record = sa.column("record") if named is None else named
    parts = [
        sa.select(
            record.label("record"),
            sa.literal(fault.column).label("column_name"),
            sa.func.substr(sa.func.coalesce(fault.raw, ""), 1, 200).label("value"),
            sa.literal(fault.reason).label("reason"),
        )
        .select_from(sa.table(source))
        .where(sa.not_(left_out), sa.func.coalesce(fault.bad, sa.false()))
        for fault in faults
    ]
    if named is NOTHING:
        return sql(sa.union_all(*parts))
    return sql(sa.union(*parts) if len(parts) > 1 else parts[0].distinct())


def digest_view(name: str, source: str, positions: Sequence[int]) -> str:
    """As :func:`text_view`, with the digest of the cells as they stand in ``record``."""
    made: list[Any] = [_trimmed(at).label(f"c{at}") for at in positions]
    return create_view(name, sa.select(*made, _digest(positions).label("record")).select_from(sa.table(source)))


def _digest(positions: Sequence[int]) -> Column:
    """The name of a record: a digest of its cells as text."""
    return sa.func.md5(sa.func.concat_ws(SEPARATOR, *(sa.func.coalesce(_text(at), "") for at in positions)))


def shapes_query(source: str, dates: Sequence[int], amounts: Sequence[int], by: Column | None = None) -> str:
    """One row: for each date column the list of its distinct texts with clock times folded, for each amount column
    the pattern of its texts -> how many; with ``by`` a row for each of its values, which comes first."""
    made: list[Any] = [sa.func.list(sa.distinct(_folded_date(_text(at)))).label(f"d{at}") for at in dates]
    made += [sa.func.histogram(_pattern(_text(at))).label(f"a{at}") for at in amounts]
    if by is not None:
        return sql(sa.select(by, *made).select_from(sa.table(source)).group_by(by))
    return sql(sa.select(*made).select_from(sa.table(source)))


def _folded_date(text: Column) -> Column:
    """A date with its clock time folded; numbers of instants are as many as the instants, and one of each length tells as much."""
    # a regular expression costs fifty times what it costs to look for a mark
    numbered = sa.case(
        (sa.func.regexp_full_match(text, r"[0-9]{9,16}(\.[0-9]+)?"), sa.func.regexp_replace(text, "[0-9]", "1", "g")),
        else_=sa.func.regexp_replace(text, r"^([0-9]{5})\.[0-9]+$", r"\1.5"),
    )
    seconds = sa.func.regexp_replace(text, _CLOCK + r":[0-9]{2}([.,][0-9]+)?", "11:00:00", "g")
    return sa.case(
        (sa.func.contains(text, ":"), sa.func.regexp_replace(seconds, _CLOCK, "11:00", "g")),
        (sa.or_(sa.func.contains(text, "-"), sa.func.contains(text, "/")), text),
        else_=numbered,
    )


def _pattern(text: Column) -> Column:
    """Every digit a 9, and a leading zero before a mark a Z."""
    may_lead = sa.or_(sa.func.contains(text, "0."), sa.func.contains(text, "0,"))
    zero = sa.case((may_lead, sa.func.regexp_replace(text, r"^([^0-9.,]*)0([.,])", r"\1Z\2")), else_=text)
    # to look whether it is written as most are costs a fifth of replacing letters
    plain = sa.func.regexp_full_match(text, r"[1-9][0-9]{0,8}\.[0-9]{2}")
    nines = sa.func.right("999999999.99", sa.func.length(text))
    return sa.case((text == "0.00", "Z.99"), (plain, nines), else_=sa.func.nullif(sa.func.translate(zero, "012345678", "999999999"), ""))


def units_query(source: str, amounts: Sequence[int], whole: Sequence[int], marks: Sequence[int]) -> str:
    """One row: one of the amounts other than 0, one of the ``whole`` ones with decimals (null for none), how many records lack a mark."""
    texts: list[Column] = [sa.case((sa.func.regexp_matches(_text(at), "[1-9]"), _text(at))) for at in amounts]
    broken: list[Column] = [sa.case((sa.func.regexp_matches(_text(at), "[.,]"), _text(at))) for at in whole]
    lacking = never_null(_text(at).is_(None) for at in marks)
    made = [_first(texts).label("shown"), _first(broken).label("broken"), sa.func.count().filter(lacking).label("lacking")]
    return sql(sa.select(*made).select_from(sa.table(source)))


def decimals_query(source: str, amounts: Sequence[int], marks: Members[int, str]) -> str:
    """One row: one of the amounts other than 0, one with decimals, how many there are of those in ``marks`` (position -> the mark
    that begins decimals), how many have decimals, and how many of them a bare 0."""
    texts: list[Column] = [sa.case((sa.func.regexp_matches(_text(at), "[1-9]"), _text(at))) for at in amounts]
    written = {at: sa.func.regexp_matches(_text(at), rf"\{mark}[0-9]") for at, mark in marks.items()}
    bare = {at: sa.func.regexp_matches(_text(at), rf"\{mark}0([^0-9.,]|$)") for at, mark in marks.items()}
    counted = [sa.func.count().filter(sa.func.regexp_matches(_text(at), "[1-9]")) for at in marks]
    broken: list[Column] = [sa.case((written[at], _text(at))) for at in marks]
    made: list[Column] = [_first(texts).label("shown"), _first(broken).label("broken"), _added(counted).label("every")]
    made += [_added([sa.func.count().filter(each) for each in kind.values()]) for kind in (written, bare)]
    return sql(sa.select(*made).select_from(sa.table(source)))


def _added(counts: Sequence[Column]) -> Column:
    return functools.reduce(operator.add, counts, sa.literal(0))


def _first(texts: Sequence[Column]) -> Column:
    """The first text of the first of these columns that has one."""
    found = [sa.func.any_value(text) for text in texts]
    return sa.func.coalesce(*found) if len(found) > 1 else found[0] if found else sa.null()


def cell_query(source: str, at: int, pattern: str) -> str:
    """The first cell of an amount's column that has a pattern."""
    text = _text(at)
    return sql(sa.select(text).select_from(sa.table(source)).where(_pattern(text) == pattern).limit(1))


def compile_marks(conditions: Sequence[Condition], scope: Scope) -> list[Column]:
    """Conditions as flags that are never null."""
    return [compile_condition(condition, scope).value for condition in conditions]


def compile_dates(values: Sequence[Value], scope: Scope) -> list[Column]:
    """Values as days of the calendar, at midnight."""
    made: list[Column] = []
    for value in values:
        moment: Column = compile_value(value, scope).value
        if isinstance(value, Instant) and scope.timezone != "UTC":
            at = moment if isinstance(moment.type, sa.DateTime) else sa.cast(moment, sa.DateTime)
            # the zone's tree of offsets is worked out once, with that of a row's own day
            moment = Once(sa.cast(to_local(at, scope.timezone), sa.Date))
        made.append(sa.cast(moment, sa.DateTime))
    return made


def may_be_dressed(positions: Iterable[int], marks: str) -> Column:
    """Whether :func:`is_padded` or :func:`is_dressed` may hold: as quick as can be, and true of a few records more."""
    made: list[Column] = []
    for at in positions:
        # a tab, a blank and a quotation mark are the first letters of ASCII
        made += [_text(at) < "#", *(_begins(_text(at), mark) for mark in marks if mark >= "#")]
        made += [sa.func.ends_with(_text(at), mark) for mark in (" ", *(mark for mark in marks if mark in _BEHIND))]
    return never_null(made)


def is_dressed(positions: Iterable[int], marks: str) -> Column:
    """Whether a cell has a mark at its ends that asks for a careful reading: '00123, ="00123", a stray quotation mark.

    ``marks``: those that the file holds anywhere; line breaks are asked for by :func:`is_broken`.
    """
    made: list[Column] = []
    for at in positions:
        made += [_begins(_text(at), mark) for mark in marks]
        made += [sa.func.ends_with(_text(at), mark) for mark in marks if mark in _BEHIND]
    return never_null(made)


def is_one_of(position: int, names: Iterable[str]) -> Column:
    """Whether a cell is one of the header's names: a header in the middle of a file."""
    return never_null([_text(position).in_([name for name in names if any(letter.isalpha() for letter in name)])])


def is_broken(positions: Iterable[int]) -> Column:
    """Whether a cell begins or ends with a line break."""
    marks: list[Column] = []
    for at in positions:
        marks += [
            _begins(_text(at), "\n"),
            _begins(_text(at), "\r"),
            sa.func.ends_with(_text(at), "\n"),
            sa.func.ends_with(_text(at), "\r"),
        ]
    return never_null(marks)


def is_swallowed(positions: Sequence[int], delimiter: str) -> Column:
    """Whether a cell holds a line break and as many delimiters as a whole record, so that it may be several records."""
    return never_null(
        sa.case(
            (
                sa.func.contains(_text(at), "\n"),
                sa.func.length(_text(at)) - sa.func.length(sa.func.replace(_text(at), delimiter, "")) >= len(positions) - 1,
            ),
            else_=sa.false(),
        )
        for at in positions
    )


def is_blank(positions: Sequence[int]) -> Column:
    """Whether a record holds nothing at all, as spreadsheets leave them below a table."""
    cells = [_text(at) for at in positions]
    return (sa.func.coalesce(*cells) if len(cells) > 1 else cells[0]).is_(None)


def first_cell_matches(positions: Sequence[int], pattern: str) -> Column:
    """Whether the first filled cell of a record matches ``pattern``."""
    cells = [_text(at) for at in positions if at < 4]
    first = sa.func.coalesce(*cells) if len(cells) > 1 else cells[0]
    return sa.func.coalesce(sa.func.regexp_matches(first, pattern), sa.false())
