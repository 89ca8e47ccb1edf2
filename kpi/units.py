"""Values as people read them: money, percent, days. Rounded once, here, half up, from the exact value.

The figure and its sign are typographic: a true minus, and a narrow space that never breaks between number and unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

Number = Decimal | int | float

MINUS: Final = "−"
#: Between a number and its unit: a line never breaks there.
SPACE: Final = "\u00a0"
#: What stands where no value is known.
NOTHING: Final = "—"

#: Currencies whose sign everybody reads; others keep their three letters.
SIGNS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}

#: Places after the point of amounts, where they aren't two (ISO 4217).
MINOR_PLACES: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}

_SCALES: Final = ((Decimal(10) ** 9, "bn"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))

#: Below this a count is written in full: people compare 12,480 tickets, not 12.5 k.
_COUNT_IN_FULL: Final = Decimal(100_000)


@dataclass(frozen=True)
class Shown:
    """A value cut into what stands before it, its digits, and what follows: the page sets them in different sizes."""

    before: str
    digits: str
    after: str

    def __str__(self) -> str:
        return SPACE.join(part for part in (self.before, self.digits, self.after) if part)


@dataclass(frozen=True)
class Change:
    """A difference between two values of one metric.

    Attributes:
        direction: 1 up, -1 down, 0 no change that the shown digits tell.
        text: with its sign, such as ``+1.1 %`` or ``−1.9 points``.
    """

    direction: Literal[-1, 0, 1]
    text: str

    def verdict(self, better: Literal["up", "down"] | None) -> Literal["better", "worse", "neutral"]:
        """Whether that direction is good, as the metric's ``better:`` says."""
        if better is None or self.direction == 0:
            return "neutral"
        return "better" if (self.direction == 1) == (better == "up") else "worse"


def exact(value: Number) -> Decimal:
    """The value as a decimal; a float is taken at its shortest spelling, so that 0.1 stays 0.1."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def rounded(value: Number, places: int) -> Decimal:
    """Half up to ``places`` after the point, as people round; never a negative zero."""
    result = exact(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return result if result else abs(result)


def minor_places(currency: str) -> int:
    """Places after the point of an amount in a currency: 2 of EUR, 0 of JPY, 3 of BHD."""
    return MINOR_PLACES.get(currency, 2)


def show(value: Number | None, unit: str, currency: str = "") -> Shown:
    """A value of a metric as a card shows it: three significant digits of money, one decimal of a percentage.

    Args:
        value: a percentage is a fraction (0.618); money is in ``currency``; None is not known.
        unit: ``money``, ``percent``, ``number``, ``days``, ``hours`` or ``ratio``.
    """
    if value is None:
        return Shown("", NOTHING, "")
    number = exact(value)
    if unit == "money":
        digits, scale = _significant(number, minor_places(currency))
        return Shown(SIGNS.get(currency, currency), digits, scale)
    if unit == "percent":
        return Shown("", _grouped(rounded(number * 100, 1)), "%")
    if unit == "days":
        digits = _duration(number)
        return Shown("", digits, "day" if digits in ("1", f"{MINUS}1") else "days")
    if unit == "hours":
        return Shown("", _duration(number), "h")
    if unit == "ratio":
        return Shown("", _grouped(rounded(number, 2)), "×")
    if abs(number) >= _COUNT_IN_FULL:
        digits, scale = _significant(number)
        return Shown("", digits, scale)
    return Shown("", _grouped(rounded(number, 0 if number == number.to_integral_value() else 1)), "")


def show_in_full(value: Number | None, unit: str, currency: str = "") -> str:
    """A value in a table for people: rounded as :func:`show` rounds, but never shortened to thousands or millions.

    Money has the places of its currency.
    """
    if value is not None and unit == "money":
        return _money(rounded(value, minor_places(currency)), currency)
    if value is not None and unit == "number":
        number = exact(value)
        return _grouped(rounded(number, 0 if number == number.to_integral_value() else 1))
    return str(show(value, unit, currency))


def show_exactly(value: Number | None, unit: str, currency: str = "") -> str:
    """The whole value, as CSV and JSON have it, for the place where somebody checks it."""
    if value is None:
        return NOTHING
    number = exact(value)
    if unit == "money":
        places = minor_places(currency)
        return _money(number if _places(number) > places else rounded(number, places), currency)
    if unit == "percent":
        return f"{_grouped((number * 100).normalize() if number else number)}{SPACE}%"
    after = {"days": "days", "hours": "h", "ratio": "×"}.get(unit, "")
    return SPACE.join(part for part in (_grouped(number), after) if part)


def change(now: Number | None, before: Number | None, unit: str) -> Change | None:
    """From ``before`` to ``now``: points for a percentage, else percent of ``before``. None where there is none.

    A percentage is never compared in percent of a percent. There is no change in percent on zero.
    """
    if now is None or before is None:
        return None
    difference = exact(now) - exact(before)
    if unit == "percent":
        return _signed(rounded(difference * 100, 1), "points")
    if not exact(before):
        return None
    return _signed(rounded(difference * 100 / abs(exact(before)), 1), "%")


def gap(value: Number | None, target: Number | None, unit: str, better: Literal["up", "down"] | None) -> Change | None:
    """How far ``value`` is from ``target`` as :func:`change` says it; None where either is missing or neither way is good."""
    return None if better is None else change(value, target, unit)


def _signed(amount: Decimal, unit: str) -> Change:
    direction: Literal[-1, 0, 1] = 0 if not amount else 1 if amount > 0 else -1
    sign = {1: "+", 0: "±", -1: MINUS}[direction]
    return Change(direction, f"{sign}{_grouped(abs(amount))}{SPACE}{unit}")


def _money(amount: Decimal, currency: str) -> str:
    return SPACE.join(part for part in (SIGNS.get(currency, currency), _grouped(amount)) if part)


def _significant(number: Decimal, places_below: int = 2) -> tuple[str, str]:
    """Three significant digits and the scale's letter: 641 k, 64.1 k, 2.81 M."""
    size = abs(number)
    for scale, letter in _SCALES:
        # what rounds up to a full thousand belongs to the next scale: 999,950 is 1.00 M, never 1,000 k
        if size >= scale * Decimal("0.9995") and size >= 1000 * Decimal("0.9995"):
            part = number / scale
            places = 2 if abs(part) < Decimal("9.995") else 1 if abs(part) < Decimal("99.95") else 0
            return _grouped(rounded(part, places)), letter
    return _grouped(rounded(number, 0 if size >= 100 or number == number.to_integral_value() else places_below)), ""


def _duration(number: Decimal) -> str:
    whole = abs(number) >= Decimal("9.95") or number == number.to_integral_value()
    return _grouped(rounded(number, 0 if whole else 1))


def _places(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _grouped(number: Decimal) -> str:
    return f"{number:,f}".replace("-", MINUS)
