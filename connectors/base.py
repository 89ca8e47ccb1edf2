"""The contract of a connector: what a system's exports look like and what their columns become.

A connector is data, not code: a :class:`Connector` has :class:`Layout`\\ s, a layout is recognised by its header and
has :class:`Mapping`\\ s, and a mapping says how one record becomes a row of one table. Only a layout that is no plain
table (a ledger report with sections) brings a function, ``reshape``, that turns the file's records into flat ones.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

from kpi.warehouse.cells import Condition, Value


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
    """

    first: tuple[Value, ...]
    last: tuple[Value, ...] = ()
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Renews:
    """For rows without an id: the file's rows take the place of all of this source that it speaks of.

    Attributes:
        scope: columns of the table -> values, such as ``issue_id`` or ``ledger_account``; what a record speaks of.
        part: the part whose records are asked, so that an issue without worklogs is spoken of as well.
        day: column that the period stated by the file bounds, or None for all time.
    """

    scope: dict[str, Value]
    part: str = ""
    day: str | None = None


@dataclass(frozen=True)
class Mapping:
    """How a record becomes a row of ``table``.

    Attributes:
        table: the table of the schema.
        columns: column of the table -> value.
        where: records that have such a row; None for all.
        part: which part of a reshaped file it reads.
        each: regular expression; the mapping is applied once for each column whose header matches it in full.
        one_each: columns; of several records that agree on them the latest makes the row (``modified_at``, else the later in the file).
        interval: columns that name the thing whose rows are intervals; ``left_at`` becomes the next ``entered_at``,
            and rows that repeat the state before are dropped.
        span: what its coverage is known from; None when the table's coverage isn't known from this file.
        renews: for rows without an id.
        hint: True when it tells of customers or other sides only, so that a record counts as loaded without it.
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


@dataclass(frozen=True)
class Skip:
    """Records that are left out on purpose, with the words for it: ``12 deleted records left out``.

    With ``retires`` a row that an earlier export brought under the same key goes.
    """

    condition: Condition
    words: str
    retires: bool = False


@dataclass(frozen=True)
class Layout:
    """One kind of export.

    Attributes:
        name: such as ``opportunity``.
        needs: the header must have one name of each group.
        mappings: what its records become.
        skips: records left out on purpose.
        lacks: names that the header must not have, where another layout is the better one.
        title: a cell that must stand above the header, such as ``General Ledger``; empty for none.
        totals: regular expression for the first cell of total rows and footers, which are not records.
        reshape: turns the file's records into flat ones; None for a plain table.
        export: how a user gets this file.
    """

    name: str
    needs: tuple[tuple[str, ...], ...]
    mappings: tuple[Mapping, ...]
    skips: tuple[Skip, ...] = ()
    lacks: tuple[str, ...] = ()
    title: str = ""
    totals: str = ""
    reshape: Reshape | None = None
    export: str = ""


@dataclass(frozen=True)
class Connector:
    """A system whose exports can be imported.

    Attributes:
        name: as in the ``source`` column, in ids and in ``--as``.
        label: as people write it.
        layouts: in the order in which they are tried.
        dated_name: True when the export's date stands in the file's name.
    """

    name: str
    label: str
    layouts: tuple[Layout, ...]
    dated_name: bool = False


#: Columns that change when other lines do.
_RUNNING: Final = ("Balance", "Running Balance", "")


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


_MONTHS: Final = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_NAMED: Final = re.compile(
    r"(?P<day2>\d{1,2})(?:st|nd|rd|th)?\s+(?P<month2>[a-z]{3,9})\.?,?(?:\s+(?P<year2>\d{4}))?"
    r"|(?P<month>[a-z]{3,9})\.?\s+(?P<day>\d{1,2})(?!\d)(?:st|nd|rd|th)?,?(?:\s+(?P<year>\d{4}))?"
    r"|(?P<year3>\d{4})-(?P<month3>\d{2})-(?P<day3>\d{2})"
    r"|(?P<month4>[a-z]{3,9})\.?,?\s+(?P<year4>\d{4})"
    r"|(?P<month5>[a-z]{3,9})(?=\s*[-–])"
)
_PRINTED: Final = re.compile(
    r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4}),? (\d{1,2}):(\d{2})(?::\d{2})? ?([AaPp][Mm])?"
    r"(?: ?(?:GMT|UTC)?([+-]\d{1,2}):?(\d{2})?)?"
)


def period(lines: Iterable[str]) -> tuple[date, date] | None:
    """The first day of the period that a report's title states, and the first day after it; None where none does.

    ``January 1 - December 31, 2025``, ``January - March, 2025``, ``March 2025``,
    ``For the period 1 January 2024 to 31 December 2024``, ``From 2024-01-01 to 2024-03-31``.
    """
    for line in lines:
        bounds = [bound for match in _NAMED.finditer(line.casefold()) if (bound := _bound(match)) is not None]
        if not bounds or len(bounds) > 2 or bounds[-1][0] is None:
            continue
        first, last = bounds[0], bounds[-1]
        year = first[0] or last[0]
        try:
            since = date(int(year or 0), first[1], first[2] or 1)
            until = _after(int(last[0] or 0), last[1], last[2])
        except ValueError:
            continue
        if since < until:
            return since, until
    return None


def _bound(match: re.Match[str]) -> tuple[int | None, int, int | None] | None:
    """Year, month, day; a month's name that is none is no bound."""
    found = match.groupdict()
    name = next((found[key] for key in ("month", "month2", "month4", "month5") if found[key]), None)
    if found["month3"]:
        month = int(found["month3"])
    else:
        month = next((at for at, full in enumerate(_MONTHS, start=1) if name and len(name) >= 3 and full.startswith(name)), 0)
    year = found["year"] or found["year2"] or found["year3"] or found["year4"]
    day = found["day"] or found["day2"] or found["day3"]
    return (int(year) if year else None, month, int(day) if day else None) if month else None


def _after(year: int, month: int, day: int | None) -> date:
    if day is not None:
        return date(year, month, day) + timedelta(days=1)
    return date(year + month // 12, month % 12 + 1, 1)


def printed_at(line: str) -> datetime | None:
    """The UTC instant in a footer; None where there is none.

    ``Accrual Basis Friday, June 6, 2025 10:15 AM GMT+02:00``.
    """
    found = _PRINTED.search(line)
    if not found:
        return None
    month = next((at for at, full in enumerate(_MONTHS, start=1) if full.startswith(found[1].casefold())), 0)
    hour = int(found[4]) % 12 + (12 if found[6].lower() == "pm" else 0) if found[6] else int(found[4])
    try:
        moment = datetime(int(found[3]), month, int(found[2]), hour, int(found[5]))  # noqa: DTZ001 - made UTC below
    except ValueError:
        return None
    sign = -1 if (found[7] or "+").startswith("-") else 1
    return moment - sign * timedelta(hours=abs(int(found[7] or 0)), minutes=int(found[8] or 0))
