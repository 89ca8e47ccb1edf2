"""How a whole column writes its dates and amounts, decided from all of its values and never row by row.

Dates come as distinct texts (clock times folded together), amounts as patterns in which every digit is a 9 and a
leading zero before a mark is a Z, so that a column of millions is decided from a few hundred texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from kpi.settings import DateOrder

#: Evidence against an order that is outnumbered by more than this is a mistyped cell, which is rejected; closer than
#: that, the column mixes two ways of writing and only a person can say which is which.
OUTNUMBERED = 20

_TIME = r"(?:[ T,]+(?P<clock>\d{1,2}:\d{2})(?P<seconds>:\d{2}(?:[.,]\d+)?)?(?P<noon> ?[AaPp]\.?[Mm]\.?)?)?"
#: Zones that are written by name, with what they are of UTC. Names that mean several (IST, AST) are not among them.
ZONES: Final = {
    "EST": "-05:00",
    "EDT": "-04:00",
    "CST": "-06:00",
    "CDT": "-05:00",
    "MST": "-07:00",
    "MDT": "-06:00",
    "PST": "-08:00",
    "PDT": "-07:00",
    "AKST": "-09:00",
    "AKDT": "-08:00",
    "HST": "-10:00",
    "WET": "+00:00",
    "WEST": "+01:00",
    "BST": "+01:00",
    "CET": "+01:00",
    "CEST": "+02:00",
    "EET": "+02:00",
    "EEST": "+03:00",
    "JST": "+09:00",
    "AEST": "+10:00",
    "AEDT": "+11:00",
    "NZST": "+12:00",
    "NZDT": "+13:00",
}
_ZONE = rf"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d{{2}}:?\d{{2}}|{'|'.join(ZONES)}))?"
_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}" + _TIME + _ZONE)
#: Days since 30 December 1899, as a workbook's cell without a date format holds them: from 1954 to 2119.
SERIAL = r"[2-7]\d{4}(?:[.,]\d+)?"
_SERIAL = re.compile(SERIAL)
_YEAR_FIRST = re.compile(r"\d{4}(?P<mark>[/.])\d{1,2}(?P=mark)\d{1,2}" + _TIME)
_NUMERIC = re.compile(r"(?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})" + _TIME)
_DAY_NAME = re.compile(r"\d{1,2}(?P<mark>[ /-])(?P<month>[A-Za-z]{3,9})\.?(?P<mark2>[ /-]|, ?)(?P<year>\d{4}|\d{2})" + _TIME)
_NAME_DAY = re.compile(r"(?P<month>[A-Za-z]{3,9})\.?(?P<mark>[ /-])\d{1,2}(?P<mark2>,? |[/-])(?P<year>\d{4}|\d{2})" + _TIME)

#: Days as numbers: kind -> how they are written. They can't be taken for one another, but a column must write one kind.
SERIALS: Final = ("days since 1900", "days since 1904")
PER_SECOND: Final = {"seconds since 1970": 1, "milliseconds since 1970": 1_000, "microseconds since 1970": 1_000_000}
COMPACT: Final = "%Y%m%d"
NUMBERS: Final = {
    # 1954 to 2119 as Excel counts
    SERIALS[0]: r"[2-7][0-9]{4}(?:\.[0-9]+)?",
    SERIALS[1]: r"[2-7][0-9]{4}(?:\.[0-9]+)?",
    "seconds since 1970": r"[0-9]{9,10}(?:\.[0-9]{1,6})?",
    "milliseconds since 1970": r"[0-9]{12,13}",
    "microseconds since 1970": r"[0-9]{15,16}",
    COMPACT: r"(?:19|20|21)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])",
}

#: Codes of currencies in use (ISO 4217), as they stand beside amounts.
CODES: Final = frozenset(
    re.findall(
        "[A-Z]{3}",
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP "
        "CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF "
        "IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK "
        "MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR "
        "SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES "
        "VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL ",
    )
)
#: Signs that more than one currency has, and those that mean one.
_SIGNS: Final = {"€": "EUR", "US$": "USD", "₹": "INR", "₺": "TRY", "₩": "KRW", "₪": "ILS", "₫": "VND", "₽": "RUB", "₴": "UAH", "R$": "BRL"}
_SEVERAL: Final = {
    "$": ["USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN", "TWD", "ARS", "CLP", "COP", "JMD", "TTD", "XCD"],
    "£": ["GBP", "EGP", "FKP", "GIP", "SHP", "LBP", "SYP"],
    "¥": ["JPY", "CNY"],
}


@dataclass(frozen=True)
class DateShape:
    """How a column writes dates.

    Attributes:
        iso: some are 2026-03-01, with or without a time.
        zoned: some carry an offset, such as Z or +0200.
        named: names of zones that some carry, such as PST; keys of ``ZONES``.
        formats: of the others, for strptime.
        serial: some are a workbook's day numbers, such as 46082.5.
        number: how days are numbered, a key of ``NUMBERS``; empty where they aren't.
        words: for messages, such as ``day/month/year``; empty where nothing was decided.
    """

    iso: bool = True
    zoned: bool = False
    formats: tuple[str, ...] = ()
    serial: bool = False
    words: str = ""
    number: str = ""
    named: tuple[str, ...] = ()


@dataclass(frozen=True)
class AmountShape:
    """How a column writes amounts: ``plain`` is what a cast reads; else the decimal mark is known.

    ``is_doubtful``: some cells of a column with cents write 1.234, which may be a thousand; those can't be used.
    ``whole``: none has decimals.
    """

    plain: bool = True
    decimal: str = "."
    words: str = ""
    whole: bool = field(default=False, compare=False)
    is_doubtful: bool = False


class Undecided(Exception):
    """The column can't decide; ``question`` is a whole sentence without the file's name."""

    def __init__(self, question: str) -> None:
        self.question = question
        super().__init__(question)


def date_shape(column: str, texts: Iterable[str], setting: DateOrder | None, since_1904: bool = False) -> DateShape:
    """Decide how ``column`` writes its dates from its distinct ``texts``.

    Raises:
        Undecided: 12/06/2024 and the like in every row and no setting, both orders in one column, or numbers of two kinds.
    """
    texts = list(texts)
    number, words = _numbering(column, texts, since_1904)
    if number == COMPACT:
        return DateShape(True, False, (COMPACT,), words=words)
    if number:
        return DateShape(any(_ISO.fullmatch(text) for text in texts), False, (), words=words, number=number)
    iso = zoned = serial = False
    formats: dict[str, None] = {}
    numeric: list[re.Match[str]] = []
    named: set[str] = set()
    for text in texts:
        if match := _ISO.fullmatch(text):
            iso, zoned = True, zoned or match["zone"] is not None
            named |= {match["zone"]} & ZONES.keys()
        elif not since_1904 and _SERIAL.fullmatch(text):
            serial = True
        elif match := _YEAR_FIRST.fullmatch(text):
            formats[f"%Y{match['mark']}%m{match['mark']}%d{_clock(match)}"] = None
        elif match := _NUMERIC.fullmatch(text):
            numeric.append(match)
        elif match := _DAY_NAME.fullmatch(text):
            formats[f"%d{match['mark']}{_month(match)}{match['mark2']}{_year(match)}{_clock(match)}"] = None
        elif match := _NAME_DAY.fullmatch(text):
            formats[f"{_month(match)}{match['mark']}%d{match['mark2']}{_year(match)}{_clock(match)}"] = None
    words = ""
    if numeric:
        order, words = _order(column, numeric, setting)
        for match in numeric:
            first, second = ("%d", "%m") if order == "dmy" else ("%m", "%d")
            formats[f"{first}{match['mark']}{second}{match['mark']}{_year(match)}{_clock(match)}"] = None
    # two-digit years first: %Y would read 24 as the year 24, while %y refuses 2024
    if serial and not words:
        words = f'"{column}" holds a workbook\'s day numbers, which are read as dates'
    return DateShape(
        iso or not (formats or serial),
        zoned,
        tuple(sorted(formats, key=lambda shape: "%Y" in shape)),
        serial,
        words,
        "",
        tuple(sorted(named)),
    )


def _numbering(column: str, texts: list[str], since_1904: bool) -> tuple[str, str]:
    """The kind of numbers that most of a column's days are, and the words to tell it by; empty where they are none."""
    kinds: dict[str, list[str]] = {}
    for text in texts:
        for kind, pattern in NUMBERS.items():
            if kind != SERIALS[not since_1904] and re.fullmatch(pattern, text):
                kinds.setdefault(kind, []).append(text)
                break
    counted = sum(map(len, kinds.values()))
    if 2 * counted <= len(texts):
        return "", ""
    if len(kinds) > 1:
        raise Undecided(
            f'the column "{column}" writes its days as {" and as ".join(_spoken(kind) for kind in kinds)}: which rows are right can\'t be '
            "known. Export it again with one date format"
        )
    kind = next(iter(kinds))
    if kind in SERIALS:
        since = ", counted from 1904" if kind == SERIALS[1] else ""
        return kind, f'"{column}" holds a workbook\'s day numbers, which are read as dates{since}'
    return kind, f'"{column}" is read as {_spoken(kind)}'


def _spoken(kind: str) -> str:
    return "year, month and day without marks" if kind == COMPACT else f"{kind}, as spreadsheets count" if kind in SERIALS else kind


def _order(column: str, numeric: list[re.Match[str]], setting: DateOrder | None) -> tuple[DateOrder, str]:
    """Day or month first, and the words to tell it by (empty where both readings are the same or the mark says)."""
    days = [match for match in numeric if int(match["first"]) > 12 and int(match["second"]) <= 12]
    months = [match for match in numeric if int(match["second"]) > 12 and int(match["first"]) <= 12]
    if days and months and max(len(days), len(months)) <= OUTNUMBERED * min(len(days), len(months)):
        raise Undecided(
            f'the column "{column}" writes both {_day_of(days[0])} and {_day_of(months[0])}, day first and month first: '
            "which rows are which can't be known. Export it again with one date format"
        )
    if len(days) != len(months):
        proof = _day_of(days[0] if len(days) > len(months) else months[0])
        order: DateOrder = "dmy" if len(days) > len(months) else "mdy"
        return order, f'"{column}" is read as {_said(order)}, since {proof} stands in it'
    if all(match["first"].zfill(2) == match["second"].zfill(2) for match in numeric):
        return "dmy", ""
    if all(match["mark"] == "." for match in numeric):
        return "dmy", f'"{column}" is read as day.month.year, as dates with dots are'
    if setting is not None:
        return setting, f'"{column}" is read as {_said(setting)}, as the setting says; its own dates could be read both ways'
    example = next(_day_of(match) for match in numeric if match["first"].zfill(2) != match["second"].zfill(2))
    raise Undecided(
        f'the dates of the column "{column}", such as {example}, can be read day first or month first, and no row tells '
        "which. Import it again with --dates dmy or --dates mdy"
    )


def _day_of(match: re.Match[str]) -> str:
    """The date as it stands in the cell, without the clock time, which was folded and may stand in no cell."""
    return match[0][: match.end("year")]


def _said(order: DateOrder) -> str:
    return "day/month/year" if order == "dmy" else "month/day/year"


def _year(match: re.Match[str]) -> str:
    return "%Y" if len(match["year"]) == 4 else "%y"


def _month(match: re.Match[str]) -> str:
    return "%b" if len(match["month"]) == 3 else "%B"


def _clock(match: re.Match[str]) -> str:
    if not match["clock"]:
        return ""
    between = match.string[: match.start("clock")]
    gap = between[len(between.rstrip(" T,")) :]
    seconds = match["seconds"] or ""
    fraction = seconds[3:4] + "%g" if len(seconds) > 3 else ""
    noon = match["noon"] or ""
    hour = "%I" if noon else "%H"
    return f"{gap}{hour}:%M{':%S' if seconds else ''}{fraction}{' %p' if noon.startswith(' ') else '%p' if noon else ''}"


def amount_shape(
    column: str,
    patterns: Mapping[str, int],
    usual: str | None,
    cell: Callable[[str], str],
    fraction: bool = False,
    delimiter: str = ",",
    currency: str | None = None,
) -> AmountShape:
    """Decide how ``column`` writes its amounts.

    Args:
        column: its header.
        patterns: pattern -> how many cells have it.
        usual: the decimal mark that other columns of the file have proved, or None.
        cell: pattern -> a cell of the column that has it, for sentences to quote.
        fraction: True for quantities, where 1.250 is a number with three decimals.
        delimiter: between the file's cells; where it is a semicolon, commas are free for decimals.
        currency: what amounts are taken as, in a file that names no currency; None where it names one.

    Raises:
        Undecided: 1.234 in every row, decimal points and decimal commas in one column, or signs of several currencies.
    """
    shape = _amount_shape(column, patterns, usual, cell, fraction, delimiter, currency)
    return replace(shape, whole=not any(mark in pattern for pattern in patterns for mark in ".,"))


def _amount_shape(
    column: str,
    patterns: Mapping[str, int],
    usual: str | None,
    cell: Callable[[str], str],
    fraction: bool,
    delimiter: str = ",",
    currency: str | None = None,
) -> AmountShape:
    if currency is not None and not fraction and (said := _doubt_signs(column, patterns, cell, currency)):
        shape = _amount_shape(column, patterns, usual, cell, fraction, delimiter)
        return replace(shape, words="; ".join(filter(None, (said, shape.words))))
    proof = {".": 0, ",": 0}
    example = {".": "", ",": ""}
    unclear: dict[str, str] = {}
    plain = True
    for pattern, count in patterns.items():
        core = re.sub(r"[^9Z.,]", "", pattern)
        plain = plain and re.fullmatch(r"[-+]?[9Z]*\.?[9Z]*", pattern) is not None
        mark = _mark(core)
        if mark in proof:
            proof[mark] += count
            example[mark] = example[mark] or pattern
        elif mark is not None:
            unclear.setdefault(mark[0], pattern)
    low, high = sorted(proof.values())
    if low and high <= OUTNUMBERED * low:
        raise Undecided(
            f'the column "{column}" writes both {cell(example["."])} and {cell(example[","])}: '
            "which mark begins the decimals can't be known. Export it again with one number format"
        )
    if high:
        decimal = "." if proof["."] > proof[","] else ","
        words = f'"{column}" is read with a decimal comma, since {cell(example[decimal])} stands in it' if decimal == "," else ""
        doubtful = not fraction and decimal in unclear and not any(_has_more_decimals(pattern, decimal) for pattern in patterns)
        return AmountShape(plain and decimal == ".", decimal, words, is_doubtful=doubtful)
    if usual is not None:
        words = f'"{column}" is read with a decimal comma, as other columns of the file are' if usual == "," else ""
        return AmountShape(plain and usual == ".", usual, words)
    if "." in unclear and not fraction:
        raise Undecided(
            f'the amounts of the column "{column}", such as {cell(unclear["."])}, can be thousands or three decimals, and no '
            "row tells which. Export it again with two decimals"
        )
    words = ""
    if "," in unclear and not fraction:
        example_of = cell(unclear[","])
        if delimiter == ";":
            raise Undecided(
                f'the amounts of the column "{column}", such as {example_of}, can be thousands or three decimals, and no row tells '
                "which: semicolons between cells leave the comma for either. Export it again with two decimals"
            )
        words = f'"{column}" is read with commas between thousands, since {example_of} stands in it'
    return AmountShape((plain and not unclear) or (fraction and "," not in unclear), ".", words)


def _has_more_decimals(pattern: str, decimal: str) -> bool:
    """Whether a pattern shows three decimals that can be no thousands, or more."""
    core = re.sub(r"[^9Z.,]", "", pattern)
    whole, mark, decimals = core.rpartition(decimal)
    return bool(mark) and (len(decimals) > 3 or (len(decimals) == 3 and (whole in ("", "Z") or len(re.sub("[.,]", "", whole)) > 3)))


def _doubt_signs(column: str, patterns: Mapping[str, int], cell: Callable[[str], str], currency: str) -> str:
    """Refuse amounts that carry the signs of several currencies; of another one than ``currency`` a sentence says so."""
    found: dict[str, str] = {}
    for pattern in patterns:
        sign = re.sub(r"[-+()−9Z.,'’\s]", "", pattern).upper()
        if sign in CODES or sign in _SIGNS or sign in _SEVERAL:
            found.setdefault(_SIGNS.get(sign, sign), pattern)
    if len(found) > 1:
        shown = " and ".join(cell(pattern) for pattern in list(found.values())[:2])
        raise Undecided(
            f'the column "{column}" writes {shown}, amounts of several currencies, and no column names them. Export it again with the '
            "currency in a column of its own"
        )
    for sign, pattern in found.items():
        if currency != sign and currency not in _SEVERAL.get(sign, ()):
            return f'"{column}" writes {cell(pattern)}, yet the file names no currency and amounts are taken as {currency}'
    return ""


def _mark(core: str) -> str | None:
    """The decimal mark which a pattern of digits and marks proves, ``.?`` or ``,?`` for one that could be both, else None."""
    points, commas = core.count("."), core.count(",")
    if points and commas:
        last = "." if core.rfind(".") > core.rfind(",") else ","
        return last if core.count(last) == 1 else None
    mark = "." if points else ","
    if not points and not commas:
        return None
    if core.count(mark) > 1:
        return "," if mark == "." else "."
    whole, decimals = core.split(mark)
    if len(decimals) != 3 or whole in ("", "Z") or len(whole) > 3:
        return mark
    return mark + "?"
