"""Exchange rates: the European Central Bank's euro reference rates, and a plain table of a company's own.

The Bank's history has a row a day and a column a currency, units of it for one euro, ``N/A`` where there was none; its daily
file is the same with one row (both confirmed by real files). A plain table has a row for each day and pair; the names of its
columns are those in common use, since no system's export is meant.
"""

from __future__ import annotations

from typing import Final

from connectors.base import Connector, Layout, Mapping
from connectors.fields import all_of, constant, currency, day, filled, matches, rate, required, this_column, this_name

ECB: Final = Connector(
    "ecb",
    "European Central Bank",
    (
        Layout(
            name="reference rates",
            needs=(("Date",), ("USD",), ("JPY",), ("GBP",)),
            lacks=("Rate", "Amount"),
            mappings=(
                Mapping(
                    "fx_quote",
                    {
                        "source": constant("ecb"),
                        "currency": constant("EUR"),
                        "into": this_name(),
                        "day": required(day("Date")),
                        "rate": rate(this_column()),
                    },
                    where=all_of(filled("Date"), matches(this_column(), r"[0-9]")),
                    each="(?P<name>[A-Z]{3})",
                ),
            ),
            export="ecb.europa.eu > Statistics > Euro foreign exchange reference rates > Time series, CSV (eurofxref-hist.zip)",
        ),
    ),
)

_FROM: Final = ("From", "From currency", "Currency", "Base", "Base currency", "Source currency", "Currency code")
_INTO: Final = ("To", "To currency", "Into", "Target", "Target currency", "Quote", "Quote currency")
_RATE: Final = ("Rate", "Exchange rate", "FX rate", "Conversion rate")
_DAY: Final = ("Date", "Day", "Rate date", "Effective date", "Valid from", "Start date")

RATES: Final = Connector(
    "rates",
    "Exchange rates of your own",
    (
        Layout(
            name="rate table",
            needs=(_DAY, _FROM, _INTO, _RATE),
            lacks=("Amount", "Debit", "Subject"),
            mappings=(
                Mapping(
                    "fx_quote",
                    {
                        "source": constant("rates"),
                        "currency": required(currency(*_FROM, assume=False)),
                        "into": required(currency(*_INTO, assume=False)),
                        "day": required(day(*_DAY)),
                        "rate": required(rate(*_RATE)),
                    },
                ),
            ),
            export="a table with the columns Date, From, To, Rate: what one unit of From was worth in To on that day",
        ),
    ),
)
