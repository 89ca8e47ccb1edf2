"""DATEV's Buchungsstapel (EXTF or DTVF) as costs.

Line 1 holds what the file is about: format, creation, fiscal year, the length of account numbers, the period, the currency. Line 2
has the columns' names. A record books ``Umsatz`` on ``Konto`` (S debit, H credit) and the other way round on ``Gegenkonto``; both
sides are staged. ``Belegdatum`` is day and month; the year is the one of the fiscal year, or of the period where it is stated. A
``Generalumkehr`` turns the sign. Numbers longer than the ledger's accounts are customers (first digit 1 to 6) and suppliers (7 to
9); they are named on the booking, but are no accounts of the ledger.

With a tax key (``BU-Schlüssel``) the amount holds the tax, and the account gets it without: keys and rates are DATEV's. Accounts that
compute tax by themselves (Automatikkonten) do so without a key; of them those for goods and revenue at the two usual rates are known
where line 1 states the chart, SKR 03 or 04. A key that isn't known makes its record unusable, since what the cost was can't be said.

A stack is known by its consultant, client, fiscal year, period and name: exported again it takes its own place, and a booking that
another stack holds as well, word for word, counts once. Layout after DATEV's description; not confirmed by a real file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from connectors.base import (
    AmountShape,
    Connector,
    Layout,
    Mapping,
    Part,
    Record,
    Renews,
    Report,
    Span,
    Trouble,
    amount,
    amounts_as,
    numbered,
    spelled,
)
from connectors.fields import cost_columns, currency, day, filled, money, other_side, text

SOURCE: Final = "datev"
_NAMES: Final = {
    "umsatz (ohne soll/haben-kz)": "Umsatz",
    "umsatz (ohne soll-/haben-kennzeichen)": "Umsatz",
    "umsatz (ohne soll/haben-kennzeichen)": "Umsatz",
    "umsatz": "Umsatz",
    "soll/haben-kennzeichen": "S/H",
    "soll-/haben-kennzeichen": "S/H",
    "wkz umsatz": "WKZ Umsatz",
    "basis-umsatz": "Basis-Umsatz",
    "basisumsatz": "Basis-Umsatz",
    "wkz basis-umsatz": "WKZ Basis-Umsatz",
    "konto": "Konto",
    "gegenkonto (ohne bu-schlüssel)": "Gegenkonto",
    "gegenkonto": "Gegenkonto",
    "bu-schlüssel": "BU",
    "belegdatum": "Belegdatum",
    "belegfeld 1": "Belegfeld 1",
    "buchungstext": "Buchungstext",
    "kost1 - kostenstelle": "KOST1",
    "kost1": "KOST1",
    "kost2 - kostenstelle": "KOST2",
    "kost2": "KOST2",
    "generalumkehr": "GU",
    "generalumkehr (gu)": "GU",
    "leistungsdatum": "Leistungsdatum",
}
#: Tax keys -> rate of the tax in the amount; None for none: exempt, reverse charge (§ 13b), within the EU, or the automatism of the
#: account switched off. 2 and 3 are output tax, 8 and 9 input tax. A 2 before a key is a Generalumkehr in older files.
_USUAL, _REDUCED = "usual", "reduced"
_KEYS: Final[dict[str, str | None]] = {
    **dict.fromkeys(("3", "9"), _USUAL),
    **dict.fromkeys(("2", "8"), _REDUCED),
    **dict.fromkeys(("", "1", "10", "11", "12", "13", "18", "19", "40", "91", "92", "94", "95"), None),
}
#: Half a year of 2020 had lower rates (Zweites Corona-Steuerhilfegesetz).
_LOWER: Final = (date(2020, 7, 1), date(2021, 1, 1))
#: Accounts that compute tax by themselves, by chart: first number -> which rate.
_AUTOMATIC: Final = {
    "03": {"3300": _REDUCED, "3400": _USUAL, "8300": _REDUCED, "8400": _USUAL},
    "04": {"5300": _REDUCED, "5400": _USUAL, "4300": _REDUCED, "4400": _USUAL},
}


@dataclass(frozen=True)
class Head:
    """What line 1 says.

    Attributes:
        year: the fiscal year's first day.
        since, until: the period's first day and the first day after it; None where not stated.
        length: of the ledger's account numbers.
        currency: of amounts that name none.
        chart: 03 or 04, or empty.
        name: what tells this stack from others.
    """

    year: date
    since: date | None
    until: date | None
    length: int
    currency: str
    chart: str
    name: str


def head_of(cells: Sequence[str]) -> tuple[Head | None, datetime | None]:
    """Line 1, and when the file was made; None where it states no fiscal year."""
    field = [cell.strip().strip('"') for cell in [*cells, *[""] * (30 - len(cells))]]
    year, since, last = (_day(field[at]) for at in (12, 14, 15))
    made = None
    if re.fullmatch(r"20\d{12}\d*", field[5]):
        made = datetime.strptime(field[5][:14], "%Y%m%d%H%M%S")  # noqa: DTZ007 - local to its maker, who states no zone
    if year is None:
        return None, made
    length = int(field[13]) if field[13].isdigit() else 4
    until = last + timedelta(days=1) if last else None
    chart = field[26].zfill(2) if field[26] else ""
    name = "/".join(field[at] for at in (10, 11, 12, 14, 15, 16))
    return Head(year, since, until, length, field[21] or "", chart, name), made


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day
    except ValueError:
        return None


def _booked(written: str, head: Head) -> date | None:
    """Day and month (``0103``, or ``103`` where a spreadsheet took the zero) in the year that the head says."""
    if not re.fullmatch(r"\d{3,4}", written):
        return None
    day_, month = int(written[:-2]), int(written[-2:])
    for year in (head.year.year, head.year.year + 1):
        try:
            found = date(year, month, day_)
        except ValueError:
            continue
        if head.since and head.until and head.since <= found < head.until:
            return found
        if not (head.since and head.until) and head.year <= found < date(head.year.year + 1, head.year.month, head.year.day):
            return found
    try:
        found = date(head.year.year, month, day_)
        return found if found >= head.year else date(head.year.year + 1, month, day_)
    except ValueError:
        return None


def stacked(report: Report) -> Iterator[Part | Trouble]:
    """The bookings of a stack, each with both of its sides."""
    first = next((record for record in report.before if record.cells and record.cells[0].strip(' "\ufeff') in ("EXTF", "DTVF")), None)
    head, report.as_of = head_of(first.cells) if first else (None, None)
    names = spelled([_NAMES.get(name.casefold(), name) for name in spelled(report.header)])
    if head is None:
        report.notes.append("its first line states no fiscal year, so its days have no year")
    elif head.since and head.until:
        report.period = (head.since, head.until)
    untold = within = 0
    rows = []
    for record in report.records:
        cells = [cell.strip() for cell in record.cells]
        if any(cells):
            values = dict(zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=False))
            rows.append((record, values, any(cells[len(names) :])))
    # DATEV writes commas, a spreadsheet that has saved the file may have made points of them
    shape = amounts_as({name: [values.get(name, "") for _, values, _ in rows] for name in ("Umsatz", "Basis-Umsatz")}, delimiter=";")
    for record, values, is_wide in rows:
        made = _booking(record, values, head, is_wide, shape)
        if isinstance(made, Part):
            report.counted += 1
            within += made.cells["Taxed"] != ""
            untold += not values.get("BU") and made.cells["Taxed"] == ""
        yield made
    if within:
        report.notes.append(f"{_bookings(within)} tax in the amount, by key or account: what it was for is booked without it")
    if untold:
        report.notes.append(
            f"{_bookings(untold, 'counts', 'count')} as written, without a tax key: where an account computes tax by itself, it is in it"
        )


def _bookings(count: int, one: str = "has", more: str = "have") -> str:
    return f"1 booking {one}" if count == 1 else f"{count:,} bookings {more}"


def _booking(record: Record, values: dict[str, str], head: Head | None, is_wide: bool, shape: AmountShape) -> Part | Trouble:
    line = ";".join(record.cells)
    if is_wide:
        return Trouble(record.line, "", line, "it has more cells than the header")
    if head is None:
        return Trouble(record.line, "Belegdatum", values.get("Belegdatum", ""), "the file's first line states no fiscal year")
    booked = _booked(values.get("Belegdatum", ""), head)
    if booked is None:
        return Trouble(record.line, "Belegdatum", values.get("Belegdatum", ""), "not a day and month such as 3101")
    side = values.get("S/H", "").upper()
    if side not in ("S", "H"):
        return Trouble(record.line, "Soll/Haben-Kennzeichen", side, "neither S nor H")
    turnover = amount(values.get("Umsatz", ""), shape)
    if turnover is None:
        return Trouble(record.line, "Umsatz", values.get("Umsatz", ""), "not an amount")
    key = values.get("BU", "").lstrip("0")
    is_reversed = values.get("GU", "").strip("0") != ""
    if len(key) == 2 and key[0] == "2":
        key, is_reversed = key[1].lstrip("0"), True
    if key not in _KEYS:
        return Trouble(record.line, "BU-Schlüssel", values["BU"], "a tax key that isn't known, so the amount without tax isn't either")
    konto, other = _number(values.get("Konto", "")), _number(values.get("Gegenkonto", ""))
    debit = turnover if (side == "S") != is_reversed else -turnover
    share = _KEYS[key] if key else _automatic(konto, other, head)
    net = (debit / (1 + _rate(share, booked))).quantize(Decimal("0.01"), ROUND_HALF_UP) if share else debit
    # the tax is on the side that is no money, customer or supplier: the one whose number the key or the account belongs to
    taxed = _taxed(konto, other, head) if share else ""
    people = [number for number in (konto, other) if _is_person(number, head)]
    said = {
        "Date": booked.isoformat(),
        "Account": "" if _is_person(konto, head) else konto,
        "Amount": str(net if taxed == "Konto" else debit),
        "Other account": "" if _is_person(other, head) else other,
        "Other amount": str(-(net if taxed == "Gegenkonto" else debit)),
        "Vendor": next((number for number in people if number[0] in "789"), ""),
        "Customer": next((number for number in people if number[0] in "123456"), ""),
        "Stack": head.name,
        "Currency": values.get("WKZ Umsatz", "") or head.currency,
        "Taxed": taxed,
        **{name: values.get(name, "") for name in ("Belegfeld 1", "Buchungstext", "KOST1", "KOST2", "BU")},
    }
    home, home_currency = values.get("Basis-Umsatz", ""), values.get("WKZ Basis-Umsatz", "")
    if home and home_currency and home_currency != said["Currency"] and not share:
        if (in_home := amount(home, shape)) is None:
            return Trouble(record.line, "Basis-Umsatz", home, "not an amount")
        turned = in_home * (1 if debit >= 0 else -1)
        said |= {"Home": str(turned), "Other home": str(-turned), "Home currency": home_currency}
    return Part(record.line, "", said)


def _number(account: str) -> str:
    return account if account.strip("0") else ""


def _is_person(number: str, head: Head) -> bool:
    return len(number) > head.length


def _automatic(konto: str, other: str, head: Head) -> str | None:
    """Which rate an account computes by itself, of the accounts that are known to."""
    known = _AUTOMATIC.get(head.chart, {})
    for number in (konto, other):
        if number and not _is_person(number, head) and (share := known.get(number[:3] + "0")) is not None:
            return share
    return None


def _taxed(konto: str, other: str, head: Head) -> str:
    """Which side the tax is taken out of: never a person's; of two accounts of the ledger that of costs or revenue."""
    if _is_person(konto, head):
        return "Gegenkonto"
    if _is_person(other, head):
        return "Konto"
    return "Konto" if _is_money(other) or not _is_money(konto) else "Gegenkonto"


def _is_money(number: str) -> bool:
    """Whether an account is of class 0 to 1, which in both charts holds what a company has and owes."""
    return number[:1] in ("0", "1")


def _rate(share: str, booked: date) -> Decimal:
    lower = _LOWER[0] <= booked < _LOWER[1]
    return Decimal({_USUAL: "0.16" if lower else "0.19", _REDUCED: "0.05" if lower else "0.07"}[share])


def bookings(report: Report) -> Iterator[Part | Trouble]:
    """The bookings of a stack, with keys."""
    return numbered(stacked(report))


_COLUMNS: Final = cost_columns(
    SOURCE,
    text("Account"),
    money("Amount"),
    {
        "source_id": text("Stack"),
        "source_product_id": text("KOST1", "KOST2"),
        "class_name": text("KOST1", "KOST2"),
        "source_account_id": text("Customer"),
        "vendor": text("Vendor"),
        "memo": text("Buchungstext"),
        "document": text("Belegfeld 1"),
        "currency": currency("Currency"),
        "home_amount": money("Home"),
        "home_currency": currency("Home currency", assume=False),
    },
)

STACK: Final = Layout(
    name="buchungsstapel",
    needs=(
        tuple(name for name, known in _NAMES.items() if known == "Umsatz"),
        tuple(name for name, known in _NAMES.items() if known == "S/H"),
        ("Konto",),
        ("Gegenkonto (ohne BU-Schlüssel)", "Gegenkonto"),
        ("Belegdatum",),
    ),
    reshape=bookings,
    mappings=(
        Mapping(
            "cost_line",
            _COLUMNS,
            where=filled("Account"),
            span=Span((day("Date"),)),
            renews=Renews({"source_id": text("Stack")}),
        ),
        Mapping(
            "cost_line",
            other_side(SOURCE, _COLUMNS, "Other account", "Other amount") | {"home_amount": money("Other home")},
            where=filled("Other account"),
        ),
    ),
    export="Kanzlei-Rechnungswesen > Bestand > Exportieren > ASCII-Daten/DATEV-Format > Buchungsstapel",
)

DATEV: Final = Connector(SOURCE, "DATEV", (STACK,))
