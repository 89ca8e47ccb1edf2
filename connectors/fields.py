"""Friendly constructors for the values of a mapping.

Every constructor takes column names as written in the header (several are alternatives) or another value::

    money("Amount")                      instant("Created (UTC)", "Created date (UTC)")
    id_of("stripe", "Customer ID")       first_of(text("Customer ID"), lower(text("Customer Email")))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from kpi.units import MINOR_PLACES
from kpi.warehouse.cells import (
    Above,
    AllOf,
    Amount,
    AnyOf,
    CaseSafe,
    Cell,
    Choice,
    Constant,
    Currency,
    Day,
    DayAfter,
    Domain,
    EachCell,
    EachName,
    Equals,
    Filled,
    FirstOf,
    FirstPart,
    Flag,
    Id,
    Instant,
    Is,
    Joined,
    Lower,
    Matches,
    Minor,
    MonthOf,
    Negative,
    Not,
    Prefixed,
    Required,
    Same,
    Share,
    Sum,
    When,
    Zone,
)
from kpi.warehouse.cells import Condition as Condition
from kpi.warehouse.cells import Value as Value
from kpi.warehouse.names import FREE_MAIL

Source = str | Value


def _value(sources: tuple[Source, ...]) -> Value:
    """Names are one cell under alternative headers; values are tried in order."""
    if all(isinstance(source, str) for source in sources):
        return Cell(tuple(str(source) for source in sources))
    values = tuple(Cell((source,)) if isinstance(source, str) else source for source in sources)
    return values[0] if len(values) == 1 else FirstOf(values)


def text(*sources: Source) -> Value:
    """The cell's text."""
    return _value(sources)


def identifier(*sources: Source, empty: tuple[str, ...] = (), like: str = "") -> Value:
    """An id of the source as written there; ``empty`` are spellings of no id, ``like`` how all of them are written."""
    return Id(_value(sources), empty, like)


def id_of(source: str, *sources: Source, empty: tuple[str, ...] = (), like: str = "") -> Value:
    """An id as this program writes it: ``<source>:<id>``."""
    return Prefixed(source, Id(_value(sources), empty, like))


def money(*sources: Source) -> Value:
    """An amount, DECIMAL(18,4)."""
    return Amount(_value(sources), "money")


#: Decimals of a currency's smallest unit where they aren't two; nobody is paid in the units of account that have four.
ISO_UNITS: Final = {code: places for code, places in MINOR_PLACES.items() if places in (0, 3)}


def minor(*sources: Source, currency: Value, units: Mapping[str, int] = ISO_UNITS, fraction: bool = False, sure: bool = False) -> Value:
    """An amount in the smallest unit of its currency, as APIs write it: 4500 for 45.00 USD; DECIMAL(18,4).

    Args:
        currency: of which.
        units: currencies whose smallest unit isn't a hundredth -> its decimals, 0 or 3.
        fraction: parts of the smallest unit are allowed.
        sure: True where the format leaves no doubt. Else the whole file shows or is asked which units it is in: see ``Tree.minor``.
    """
    return Minor(_value(sources), currency, tuple(sorted(units.items())), fraction, sure)


def number(*sources: Source) -> Value:
    """A quantity, DECIMAL(18,6)."""
    return Amount(_value(sources), "number")


def rate(*sources: Source) -> Value:
    """An exchange rate, DECIMAL(24,12)."""
    return Amount(_value(sources), "rate")


def whole(*sources: Source) -> Value:
    """A whole number."""
    return Amount(_value(sources), "integer")


def day(*sources: Source, zone: Zone = "written") -> Value:
    """A business date; ``zone="utc"`` for an instant in UTC, whose day is that of the calendar's zone, ``"local"`` where
    only some files write an offset, ``"epoch"`` and ``"epoch_ms"`` for (milli)seconds since 1970."""
    return Day(_value(sources), zone)


def instant(*sources: Source, zone: Zone = "utc") -> Value:
    """A UTC instant; ``zone="local"`` where the file writes the times of the calendar's zone, ``"epoch"`` and ``"epoch_ms"`` for
    (milli)seconds since 1970."""
    return Instant(_value(sources), zone)


def flag(*sources: Source) -> Value:
    """True or false."""
    return Flag(_value(sources))


def choice(*sources: Source, cases: dict[str, str | None], otherwise: Literal["reject", "keep", "none"] = "reject") -> Value:
    """One of a closed list, compared without case: what stands there -> what it becomes."""
    return Choice(_value(sources), tuple((key.casefold(), value) for key, value in cases.items()), otherwise)


def currency(*sources: Source, assume: bool = True) -> Value:
    """Three upper-case letters; with ``assume`` the setting where the file has no such column."""
    return Currency(_value(sources), assume)


def constant(value: str | int | bool | None) -> Value:
    """The same in every row."""
    return Constant(value)


def first_of(*sources: Source) -> Value:
    """The first that isn't empty."""
    return FirstOf(tuple(Cell((source,)) if isinstance(source, str) else source for source in sources))


def joined(*sources: Source, between: str = " ") -> Value:
    """The filled ones with ``between`` between them."""
    return Joined(tuple(Cell((source,)) if isinstance(source, str) else source for source in sources), between)


def first_part(*sources: Source, mark: str = ";") -> Value:
    """The first of several that stand in one cell."""
    return FirstPart(_value(sources), mark)


def times(amount: Value, count: Value) -> Value:
    """``amount`` × ``count``, an empty count being 1."""
    return Share(amount, count, Constant("1/1"))


def lower(*sources: Source) -> Value:
    """In lower case."""
    return Lower(_value(sources))


def domain(*sources: Source) -> Value:
    """The domain of an e-mail or web address."""
    return Domain(_value(sources))


def own_domain(*sources: Source) -> Value:
    """As :func:`domain`; nothing for a provider's that many people's addresses share, such as gmail.com."""
    found = domain(*sources)
    return When(Not(Equals(found, tuple(sorted(FREE_MAIL)))), found)


def case_safe(*sources: Source) -> Value:
    """A Salesforce id in its long form."""
    return CaseSafe(_value(sources))


def prefixed(prefix: str, *sources: Source) -> Value:
    """``<prefix>:<value>``."""
    return Prefixed(prefix, _value(sources))


def difference(plus: Value, minus: Value) -> Value:
    """``plus`` less ``minus``."""
    return Sum(plus, minus)


def monthly(price: Value, times: Value | None, interval: Value) -> Value:
    """A price per interval as a price a month; ``interval`` becomes ``"1/12"`` for a year."""
    return Share(price, times, interval)


#: What one interval is of a month, as numerator/denominator: a year has 12 months, 52 weeks or 365 days.
_INTERVALS: Final = {
    **dict.fromkeys(("month", "months", "monthly"), "1/1"),
    **dict.fromkeys(("quarter", "quarters", "quarterly"), "1/3"),
    **dict.fromkeys(("half-year", "half year", "half-yearly", "semi-annual", "semiannual"), "1/6"),
    **dict.fromkeys(("year", "years", "yearly", "annual", "annually"), "1/12"),
    **dict.fromkeys(("week", "weeks", "weekly"), "52/12"),
    **dict.fromkeys(("day", "days", "daily"), "365/12"),
    **{f"{n} month{s}": f"1/{n}" for n in range(1, 37) for s in ("", "s")},
    **{f"{n} year{s}": f"1/{n * 12}" for n in range(1, 6) for s in ("", "s")},
    **{f"{n} week{s}": f"52/{n * 12}" for n in (1, 2, 3, 4, 6, 8, 12, 13, 26, 52) for s in ("", "s")},
    **{f"{n} day{s}": f"365/{n * 12}" for n in (1, 7, 14, 28, 30, 31, 60, 90, 91, 180, 182, 183, 360, 364, 365, 366) for s in ("", "s")},
}


def every(units: tuple[str, ...], counts: tuple[str, ...] = ()) -> Value:
    """For :func:`monthly`: an interval such as month, yearly or ``3 months``; or its unit, and how many of it make one."""
    said = joined(text(*counts), text(*units)) if counts else text(*units)
    return Required(choice(said, cases=dict(_INTERVALS)))


def negative(value: Value) -> Value:
    """With its sign turned."""
    return Negative(value)


def below_zero(value: Value) -> Value:
    """As what takes away, whichever sign it is written with."""
    return Negative(value, always=True)


def month_of(value: Value) -> Value:
    """The first day of its month."""
    return MonthOf(value)


def next_month(value: Value) -> Value:
    """The first day of the month after."""
    return MonthOf(value, next=True)


def day_after(value: Value) -> Value:
    """The day after."""
    return DayAfter(value)


def when(condition: Condition, then: Value, otherwise: Value | None = None) -> Value:
    """``then`` where the condition holds."""
    return When(condition, then, otherwise or Constant(None))


def required(value: Value) -> Value:
    """Without it the record can't be used."""
    return Required(value)


def this_column() -> Value:
    """In a mapping with ``each``: the cell of the column at hand."""
    return EachCell()


def this_name() -> Value:
    """In a mapping with ``each``: the part of the header that the pattern's group ``name`` matched."""
    return EachName()


def filled(*sources: Source) -> Condition:
    """It isn't empty."""
    return Filled(_value(sources))


def equals(source: Source, *texts: str) -> Condition:
    """It is one of the texts, without regard to case."""
    return Equals(_value((source,)), texts)


def matches(source: Source, pattern: str) -> Condition:
    """It holds a match of the regular expression."""
    return Matches(_value((source,)), pattern)


def same(left: Source, right: Source) -> Condition:
    """Both are there and the same, without regard to case."""
    return Same(_value((left,)), _value((right,)))


def true(value: Value) -> Condition:
    """The flag is true."""
    return Is(value)


def above_zero(value: Value) -> Condition:
    """The amount is above 0."""
    return Above(value)


def no(condition: Condition) -> Condition:
    """The condition doesn't hold."""
    return Not(condition)


def all_of(*conditions: Condition) -> Condition:
    """Every one holds."""
    return AllOf(conditions)


def any_of(*conditions: Condition) -> Condition:
    """At least one holds."""
    return AnyOf(conditions)


def other_side(source: str, columns: dict[str, Value], account: str, amount: str) -> dict[str, Value]:
    """The columns of a booking's other side, where a record states both: its account and its amount are other cells."""
    key = required(prefixed(source, joined(text("Key"), constant("other side"))))
    return {**columns, "cost_id": key, "ledger_account": required(text(account)), "amount": required(money(amount))}


def cost_columns(source: str, ledger_account: Value, amount: Value, extra: dict[str, Value]) -> dict[str, Value]:
    """The columns of a cost line that every ledger fills alike; without a service period it is for the month it is booked in."""
    booked = day("Date")
    return {
        "cost_id": required(prefixed(source, text("Key"))),
        "source": constant(source),
        "ledger_account": required(ledger_account),
        "amount": required(amount),
        "booked_on": required(booked),
        "service_from": month_of(booked),
        "service_to": next_month(booked),
        **extra,
    }
