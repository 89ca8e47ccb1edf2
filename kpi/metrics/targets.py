"""Targets: ``{2026: 62%, 2026-Q4: 65%}`` -> the days they hold for and their exact value."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from kpi import yamlfile
from kpi.language.problems import Problems
from kpi.metrics import clashes
from kpi.metrics.model import Target
from kpi.periods import Calendar, parse_period

_VALUE: Final = re.compile(r"(-?[0-9]{1,15}(?:\.[0-9]{1,8})?)(?: ?(%|k|M|bn))?\Z")
_FACTOR: Final = {"%": Decimal("0.01"), "k": Decimal(1000), "M": Decimal(1_000_000), "bn": Decimal(1_000_000_000)}


def read(value: yamlfile.Value | None, unit: str, calendar: Calendar, problems: Problems) -> tuple[Target, ...]:
    """The targets of a metric, in the order of the file."""
    if value is None:
        return ()
    if isinstance(value, yamlfile.Scalar):
        # A target that never ends would go on judging years for which nobody set it.
        problems.at(value, f"a target says for when it is set; write {{2026: {value.text}}} or {{2026-Q4: {value.text}}}")
        return ()
    mapping = problems.mapping(value, "periods with values, such as {2026: 62%, 2026-Q4: 65%}")
    if mapping is None:
        return ()
    targets = []
    for entry in mapping.entries:
        amount = _amount(entry.value, unit, problems)
        try:
            period = parse_period(entry.key.text, calendar)
        except ValueError as error:
            problems.add(entry.key.line, entry.value.path, str(error))
            continue
        if amount is not None:
            targets.append(Target(period.start, period.end, amount, entry.key.text))
    return tuple(targets)


def _amount(value: yamlfile.Value, unit: str, problems: Problems) -> Decimal | None:
    text = problems.text(value, "a value, such as 62%, 1250 or 2.85 M")
    if text is None:
        return None
    match = _VALUE.match(text)
    if match is None:
        problems.at(value, f'"{text}" is not a value; write 62%, 1250.50, 850 k, 2.85 M or 1.2 bn, without separators between thousands')
        return None
    mark = match.group(2)
    if unit == "percent" and mark != "%":
        problems.at(value, f"the unit is percent; write {text.split()[0]}% with the sign, so that 62 and 0.62 can't be mistaken")
        return None
    if unit not in ("percent", clashes.UNKNOWN) and mark == "%":
        problems.at(value, f"the unit is {unit}, not percent; write the value without %")
        return None
    return Decimal(match.group(1)) * _FACTOR.get(mark, Decimal(1))
