"""Month names of other languages -> English abbreviations, which are what whole columns are read by.

Trackers on Java write months in the language of whoever exported: ``12/Mär/26``, ``12/févr./26``, ``12/mrt/26``. The names are
those of Java's locales, old and new, short and long; accents may be lost. No name means two months in any two of these
languages. Names that stand in no list stay as they are, so that they are held back and never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ENGLISH: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: January to December of each language; several spellings of a month are parted by a bar.
_LANGUAGES: Final = {
    "English": "jan feb mar apr may jun jul aug sep|sept oct nov dec",
    "German": "jan|jän|januar|jänner feb|februar mär|mrz|märz apr|april mai jun|juni jul|juli aug|august "
    "sep|sept|september okt|oktober nov|november dez|dezember",
    "French": "janv|janvier févr|fév|février mars avr|avril mai juin juil|juillet août sept|septembre oct|octobre nov|novembre "
    "déc|décembre",
    "Spanish": "ene|enero feb|febrero mar|marzo abr|abril may|mayo jun|junio jul|julio ago|agosto sep|sept|septiembre|setiembre "
    "oct|octubre nov|noviembre dic|diciembre",
    "Italian": "gen|gennaio feb|febbraio mar|marzo apr|aprile mag|maggio giu|giugno lug|luglio ago|agosto set|settembre ott|ottobre "
    "nov|novembre dic|dicembre",
    "Dutch": "jan|januari feb|februari mrt|maart apr|april mei jun|juni jul|juli aug|augustus sep|sept|september okt|oktober nov|november "
    "dec|december",
    "Portuguese": "jan|janeiro fev|fevereiro mar|março abr|abril mai|maio jun|junho jul|julho ago|agosto set|setembro out|outubro "
    "nov|novembro dez|dezembro",
}
#: Full English names are read as they stand.
_KEPT: Final = frozenset(
    ("january", "february", "march", "april", "june", "july", "august", "september", "october", "november", "december")
)
_NAMED: Final = re.compile(r"(?P<day>\s*\d{1,2}[ /-])(?P<name>[^\W\d_]{3,12})\.?(?=[ /-]\d{2})")


def _plain(name: str) -> str:
    """Lower case without accents."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(letter))


def _names() -> dict[str, str]:
    return {
        _plain(name): english
        for months in _LANGUAGES.values()
        for english, names in zip(_ENGLISH, months.split(), strict=True)
        for name in names.split("|")
    }


_MONTHS: Final = _names()


def in_english(date: str) -> str:
    """A date such as ``12/Mär/26 4:31 PM`` with its month in English; any other text as it is."""
    match = _NAMED.match(date)
    if match is None or (name := _plain(match["name"])) in _KEPT or name not in _MONTHS:
        return date
    return f"{match['day']}{_MONTHS[name]}{date[match.end() :]}"
