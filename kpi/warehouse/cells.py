"""What becomes of a cell: values and conditions as plain data, compiled to SQL by :mod:`kpi.warehouse.casting`.

A value is made of the cells of one record. Nothing here reads a file or knows a system, so that a mapping can be
written in Python by a connector as well as read from YAML.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Zone = Literal["utc", "local", "written", "epoch", "epoch_ms"]
#: Ways to write a day or an instant that a column alone doesn't show: a number is no date until somebody says so.
Form = Literal["", "yyyymmdd", "yyyy-mm", "mm/yyyy", "mmm yyyy", "epoch", "epoch_ms", "excel"]


class Value:
    """A value made of the cells of a record."""


class Condition:
    """Something that is so or not so of a record."""


@dataclass(frozen=True)
class Cell(Value):
    """The text of the first of ``names`` that the header has, without blanks around it; empty is null.

    Header names are compared without regard to case and to blanks.
    """

    names: tuple[str, ...]


@dataclass(frozen=True)
class EachCell(Value):
    """In a mapping with ``each``: the cell of the column at hand."""


@dataclass(frozen=True)
class EachName(Value):
    """In a mapping with ``each``: what the pattern's group ``name`` matched in the header of the column at hand."""


@dataclass(frozen=True)
class Id(Value):
    """An id as text. ``empty`` are spellings of no id; one shortened by a spreadsheet (1.21E+15) is a problem, and so is one that
    isn't written as ``like`` (a regular expression) says, which stands where the cells of a record have moved."""

    of: Value
    empty: tuple[str, ...] = ()
    like: str = ""


@dataclass(frozen=True)
class Amount(Value):
    """A decimal number: ``kind`` money (4 places), number (6 places), rate (12 places) or integer.

    Thousand marks and the decimal mark are decided for the whole column; ``(1.00)`` is negative; currency signs are
    dropped.
    """

    of: Value
    kind: Literal["money", "number", "rate", "integer"] = "money"


@dataclass(frozen=True)
class Minor(Value):
    """An amount of money that a source writes in the smallest unit of its currency: 4500 for 45.00 USD.

    Attributes:
        of: the cell.
        currency: of which currency.
        units: currencies with another smallest unit than a hundredth: three letters -> decimals, 0 or 3.
        fraction: parts of the smallest unit are allowed, as in prices of a thousand calls.
        sure: the source writes minor units always; else a file that doesn't show it is asked about.
    """

    of: Value
    currency: Value
    units: tuple[tuple[str, int], ...] = ()
    fraction: bool = False
    sure: bool = False


@dataclass(frozen=True)
class Day(Value):
    """A business date. ``zone``: ``written`` takes the date as written, ``utc`` an instant's day in the calendar's zone,
    ``local`` the date as written unless an offset stands behind it, which makes it an instant; ``epoch`` and ``epoch_ms``
    seconds and milliseconds since 1970, UTC, or a date and time with an offset."""

    of: Value
    zone: Zone = "written"
    form: Form = ""


@dataclass(frozen=True)
class Instant(Value):
    """A UTC instant. ``zone``: what a time without an offset is in, ``utc`` or ``local`` (the calendar's zone); ``epoch`` and
    ``epoch_ms`` as in :class:`Day`."""

    of: Value
    zone: Zone = "utc"
    form: Form = ""


@dataclass(frozen=True)
class Flag(Value):
    """True for 1, true, yes, y, t, x; false for 0, false, no, n, f; anything else is a problem."""

    of: Value


@dataclass(frozen=True)
class Choice(Value):
    """One of a closed list, compared without case.

    ``otherwise`` is ``reject`` (a problem), ``keep`` (the text as it stands) or ``none``.
    """

    of: Value
    cases: tuple[tuple[str, str | None], ...]
    otherwise: Literal["reject", "keep", "none"] = "reject"


@dataclass(frozen=True)
class Currency(Value):
    """Three upper-case letters; with ``assume`` the setting's currency where the file has no such column."""

    of: Value
    assume: bool = True


@dataclass(frozen=True)
class Domain(Value):
    """The domain of an e-mail address or web address, lower case, without www."""

    of: Value


@dataclass(frozen=True)
class CaseSafe(Value):
    """A Salesforce id of 15 characters, which differ by case, as the 18 that the data export writes."""

    of: Value


@dataclass(frozen=True)
class Constant(Value):
    """The same value in every record."""

    value: str | int | bool | Decimal | dt.date | None


@dataclass(frozen=True)
class FirstOf(Value):
    """The first of the values that isn't empty."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Joined(Value):
    """The values with ``between`` between them; empty ones left out, empty when all are."""

    values: tuple[Value, ...]
    between: str


@dataclass(frozen=True)
class Prefixed(Value):
    """``<prefix>:<value>``, empty when the value is; how ids of several systems are kept apart."""

    prefix: str
    of: Value


@dataclass(frozen=True)
class FirstPart(Value):
    """The text before ``mark``, such as the first of several ids in one cell."""

    of: Value
    mark: str


@dataclass(frozen=True)
class Lower(Value):
    """In lower case."""

    of: Value


@dataclass(frozen=True)
class Sum(Value):
    """``plus`` less ``minus``, an empty one counting 0; empty when both are."""

    plus: Value
    minus: Value


@dataclass(frozen=True)
class Share(Value):
    """``of`` × ``times`` × numerator / denominator in decimals, for prices of a year, quarter or week a month.

    ``unit`` is a :class:`Choice` whose results are ``"numerator/denominator"``; ``times`` empty counts 1.
    """

    of: Value
    times: Value | None
    unit: Value


@dataclass(frozen=True)
class Negative(Value):
    """The amount with its sign turned; with ``always`` below zero, whichever sign it is written with."""

    of: Value
    always: bool = False


@dataclass(frozen=True)
class MonthOf(Value):
    """The first day of the day's month, or with ``next`` of the month after."""

    of: Value
    next: bool = False


@dataclass(frozen=True)
class DayAfter(Value):
    """The day after, for ends that a source writes inclusively."""

    of: Value


@dataclass(frozen=True)
class ExportDay(Value):
    """The day of the export, which its name states; a file whose name doesn't can't be read by a mapping that asks."""


@dataclass(frozen=True)
class FileNumber(Value):
    """Where several files are read together: which of them the record stands in, from 0."""


@dataclass(frozen=True)
class Computed(Value):
    """A function of the closed set of :mod:`kpi.warehouse.computing`, of values of the type that it takes."""

    function: str
    arguments: tuple[Value, ...]


@dataclass(frozen=True)
class When(Value):
    """``then`` where the condition holds, else ``otherwise``."""

    condition: Condition
    then: Value
    otherwise: Value = Constant(None)


@dataclass(frozen=True)
class Required(Value):
    """A value without which the record can't be used."""

    of: Value


@dataclass(frozen=True)
class Filled(Condition):
    """The value isn't empty."""

    of: Value


@dataclass(frozen=True)
class Equals(Condition):
    """The value's text is one of ``texts``, compared without case."""

    of: Value
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Matches(Condition):
    """The value's text holds a match of the regular expression (RE2)."""

    of: Value
    pattern: str


@dataclass(frozen=True)
class Same(Condition):
    """Both texts are there and the same, compared without case."""

    left: Value
    right: Value


@dataclass(frozen=True)
class Is(Condition):
    """The flag is true."""

    of: Value


@dataclass(frozen=True)
class Above(Condition):
    """The amount is above 0."""

    of: Value


@dataclass(frozen=True)
class Compared(Condition):
    """``left`` is = <> < <= > or >= ``right``, both of one type; not so where one of them is empty."""

    operator: str
    left: Value
    right: Value


@dataclass(frozen=True)
class Not(Condition):
    """The condition doesn't hold; so also where the value is empty."""

    condition: Condition


@dataclass(frozen=True)
class AllOf(Condition):
    """Every one holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf(Condition):
    """At least one holds."""

    conditions: tuple[Condition, ...]
