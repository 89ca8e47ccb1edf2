"""The contract of a connector: what a system's exports look like and what their columns become.

A connector is data, not code: a :class:`Connector` has :class:`Layout`\\ s, a layout is recognised by its header and
has :class:`Mapping`\\ s, and a mapping says how one record becomes a row of one table. Only a layout that is no plain
table (a ledger report with sections) brings a function, ``reshape``, that turns the file's records into flat ones.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Members
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from connectors.amounts import AmountShape as AmountShape
from connectors.amounts import added as added
from connectors.amounts import amount as amount
from connectors.amounts import amounts_as as amounts_as
from connectors.headers import spelled as spelled
from connectors.members import an_object as an_object
from connectors.members import inside as inside
from connectors.members import objects as objects
from connectors.members import words as words
from connectors.months import in_english as in_english
from connectors.spoken import plain as plain
from connectors.stated import period as period
from connectors.stated import printed_at as printed_at
from connectors.states import CATEGORIES as CATEGORIES
from connectors.states import DROPPED as DROPPED
from kpi.settings import DateOrder
from kpi.warehouse.cells import Condition, Value


class NotATable(Exception):
    """The file can't be read as a table; the sentence doesn't name the file."""


@dataclass(frozen=True)
class Record:
    """A record of a file.

    Attributes:
        line: physical line on which it begins, 1-based.
        cells: its cells as read.
    """

    line: int
    cells: Sequence[str]


@dataclass(frozen=True)
class Part:
    """A flat record that ``reshape`` makes.

    Attributes:
        line: physical line of the record it was made from.
        part: which of the layout's parts it belongs to; the first is what rows are counted by.
        cells: column -> text, by the names that the part's mappings use.
    """

    line: int
    part: str
    cells: dict[str, str]


@dataclass(frozen=True)
class Trouble:
    """A record that ``reshape`` can't use; with ``whole`` False only a cell of it, while the record itself counts."""

    line: int
    column: str
    value: str
    reason: str
    whole: bool = True


@dataclass
class Report:
    """What ``reshape`` reads: the whole file, and what it learns from it about the file as a whole.

    Attributes:
        header: the header's cells.
        before: the records above the header.
        records: those below it, footers included.
        name: the file's name.
        period: set by reshape where the file states it: first day and the first day no longer covered.
        as_of: set by reshape where the file says when it was made; in the zone it states, or the calendar's without one.
        notes: sentences for the user.
        counted: number of records that are rows (not headings, totals, footers); set by reshape.
    """

    header: Sequence[str]
    before: Sequence[Record]
    records: Iterable[Record]
    name: str
    period: tuple[date, date] | None = None
    as_of: datetime | None = None
    notes: list[str] = field(default_factory=list)
    counted: int = 0


Reshape = Callable[[Report], Iterator[Part | Trouble]]


@dataclass(frozen=True)
class Span:
    """From when to when the rows of a mapping reach, as their dates say.

    Attributes:
        first: values whose earliest is the first day covered.
        last: values whose latest is the last day covered; ``first`` where empty. Only dates of things that have
            happened: never an end of service or an expected close, which lie ahead.
        tables: other tables of the file that reach as far where they have rows, such as the worklogs of issues.
        entered: days of events that people type in, such as the close of a closed deal, which may lie ahead. They count
            up to the export's own date, else the newest of ``stamps``, else the day of the import.
        stamps: instants that the system itself wrote when a record changed.
    """

    first: tuple[Value, ...]
    last: tuple[Value, ...] = ()
    tables: tuple[str, ...] = ()
    entered: tuple[Value, ...] = ()
    stamps: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Renews:
    """For rows without an id: the file's rows take the place of all of this source that it speaks of.

    Attributes:
        scope: columns of the table -> values, such as ``issue_id`` or ``ledger_account``; what a record speaks of.
        part: the part whose records are asked, so that an issue without worklogs is spoken of as well.
        day: column that the period of the file bounds, or None for all time.
        alike: columns by which a row is known again that has moved to another scope.
        partial: it lists bookings without being a full account of any ledger account: its rows count only on days that no other
            report of the source covers, and take the place of older lists' rows of the same scope and its days. Needs ``day``.
    """

    scope: dict[str, Value]
    part: str = ""
    day: str | None = None
    alike: tuple[str, ...] = ()
    partial: bool = False


@dataclass(frozen=True)
class Mapping:
    """How a record becomes a row of ``table``.

    Attributes:
        table: the table of the schema.
        columns: column of the table -> value.
        where: records that have such a row; None for all.
        part: which part of a reshaped file it reads; in JSON the path of a list, see :class:`Tree`.
        each: regular expression; the mapping is applied once for each column whose header matches it in full.
        one_each: columns; of several records that agree on them the latest makes the row (``modified_at``, else the later in the file).
        interval: columns that name the thing whose rows are intervals; ``left_at`` becomes the next ``entered_at``,
            and rows that repeat the state before are dropped.
        span: what its coverage is known from; None when the table's coverage isn't known from this file.
        renews: for rows without an id.
        hint: True when it tells of customers or other sides only, so that a record counts as loaded without it.
        history: of subscription terms: each row says from when to when it held, so that nothing of the past is assumed.
        keeps: columns that the file knows less well than other exports: on a row that is known already their value stands.
    """

    table: str
    columns: dict[str, Value]
    where: Condition | None = None
    part: str = ""
    each: str | None = None
    one_each: tuple[str, ...] = ()
    interval: tuple[str, ...] = ()
    span: Span | None = None
    renews: Renews | None = None
    hint: bool = False
    history: bool = False
    keeps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skip:
    """Records that are left out on purpose, with the words for it: ``12 deleted records left out``.

    With ``retires`` a row that an earlier export brought under the same key goes. With ``told`` the record still says who is
    who: the mappings with ``hint`` read it.
    """

    condition: Condition
    words: str
    retires: bool = False
    told: bool = False


@dataclass(frozen=True)
class Tell:
    """Rows in which something is assumed, and the words for it after their number: ``3 refunds without a date …``; ``one``: after 1."""

    condition: Condition
    words: str
    one: str


#: Adds to a record of JSON what no path leads to: (the record, the page's members that ``Tree.page`` names).
Derive = Callable[[dict[str, Any], Members[str, Any]], None]


@dataclass(frozen=True)
class Tree:
    """What makes a layout one of JSON.

    Its columns are dotted names, ``fields.status.name``, and a mapping's ``part`` is the path of a list in the record,
    ``lines.data``: the mapping is applied to each element, whose columns are ``lines.data.amount`` and so on, while those
    of the record around it keep their names. Read from outside, the elements of a list are joined by ', '.

    Attributes:
        kind: a name, and the words of which it must say one where it is there: ``("object", ("charge",))``.
        page: members of the page, beside the list of records, that ``derive`` asks for.
        derive: adds keys to a record, to be read by their dotted names like the rest.
        minor: names that mark a file whose amounts are in minor units (see :func:`connectors.fields.minor`).
    """

    kind: tuple[str, tuple[str, ...]] | None = None
    page: tuple[str, ...] = ()
    derive: Derive | None = None
    minor: tuple[str, ...] = ()


@dataclass(frozen=True)
class Holds:
    """What must be so in every record, and the words for it; a record in which it isn't still counts, and is listed."""

    condition: Condition
    words: str


@dataclass(frozen=True)
class Layout:
    """One kind of export.

    Attributes:
        name: such as ``opportunity``.
        needs: the header must have one name of each group; in JSON the first records together must.
        mappings: what its records become.
        skips: records left out on purpose.
        tells: what is assumed in some rows.
        lacks: names that the header must not have, where another layout is the better one.
        title: a cell that must stand above the header, such as ``General Ledger``; empty for none.
        totals: regular expression for the first cell of total rows and footers, which are not records.
        reshape: turns the file's records into flat ones; None for a plain table.
        tree: for JSON, and for nothing else; None for tables.
        written: for text that is no table: whether the file begins as this layout's do; ``reshape`` then gets a record a line.
        export: how a user gets this file.
        dates: how 12/06/2024 is read where a column can't decide; None asks.
        dated_name: True when the export's date stands in the file's name.
        holds: what must be so in every record.
    """

    name: str
    needs: tuple[tuple[str, ...], ...]
    mappings: tuple[Mapping, ...]
    skips: tuple[Skip, ...] = ()
    tells: tuple[Tell, ...] = ()
    lacks: tuple[str, ...] = ()
    title: str = ""
    totals: str = ""
    reshape: Reshape | None = None
    tree: Tree | None = None
    written: Callable[[str], bool] | None = None
    export: str = field(default="", compare=False)
    dates: DateOrder | None = None
    dated_name: bool = False
    holds: tuple[Holds, ...] = ()


@dataclass(frozen=True)
class Connector:
    """A system whose exports can be imported.

    Attributes:
        name: as in the ``source`` column, in ids and in ``--as``.
        label: as people write it.
        layouts: in the order in which they are tried.
        dated_name: True when the export's date stands in the file's name.
        general: True when its layouts are no particular system's, so that a mapping which fits as well is meant.
    """

    name: str
    label: str
    layouts: tuple[Layout, ...]
    dated_name: bool = False
    general: bool = False

    def also(self, layouts: tuple[Layout, ...]) -> Connector:
        """The same system with more kinds of exports, such as the answers of its API, which have a file of their own."""
        return replace(self, layouts=(*self.layouts, *layouts))


#: Columns that change when other lines do, or with the export that a line is in.
_RUNNING: Final = ("Balance", "Running Balance", "Stack", "")


#: What a booking says besides its account: by this it is known again where it was moved to another one.
BOOKING: Final = ("booked_on", "document", "vendor", "memo", "amount", "currency")


#: On which basis a ledger's report may be, and the note that says it.
BASES: Final = ("accrual", "cash")
ON_BASIS: Final = "its figures are on the {} basis"


#: How the id of a deal begins, after its system's name, that a report without ids knows by its name.
BY_NAME: Final = "name-"


#: How reports write that there is no amount.
NOTHING: Final = ("-", "–", "—", "−")


def numbered(parts: Iterator[Part | Trouble]) -> Iterator[Part | Trouble]:
    """The bookings with a ``Key`` each: a digest of what they say, counted where several say the same.

    A ledger gives its lines no id; this one is the same in every export that holds the line.
    """
    seen: Counter[str] = Counter()
    for made in parts:
        if isinstance(made, Part) and made.part == "":
            said = "\x1f".join(f"{name}={cell.strip()}" for name, cell in sorted(made.cells.items()) if name not in _RUNNING)
            digest = hashlib.sha256(said.encode()).hexdigest()[:24]
            seen[digest] += 1
            made = replace(made, cells={**made.cells, "Key": f"{digest}-{seen[digest]}"})
        yield made
