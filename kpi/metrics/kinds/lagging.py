"""``lag``: a cost of a formula that is taken so much earlier than what it is set against.

Sales and marketing of a month win the customers of a later one, and vendors disagree on how much later (SEMANTICS,
"Finance's switches"). Over a year it hardly matters, and a year's cost is expected to be the ledger's.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from kpi import yamlfile
from kpi.errors import did_you_mean
from kpi.language.problems import Key
from kpi.metrics import expressions
from kpi.metrics.kinds.base import Context
from kpi.metrics.model import Around, Call, Lag, MetricRef, Node

LAG: Final = (
    Key("of", "a metric of the formula", "what is taken earlier", required=True),
    Key("months", "a number of months, or none", "how much earlier, of days, weeks, months and quarters; default 1 month"),
    Key("years", "a number of months, or none", "how much earlier, of years and of all time; default none"),
)
_MONTHS: Final = 1
_OF_YEARS: Final = 0
_MOST: Final = 24
_EXAMPLE: Final = "{of: cost_to_win, months: 1 month, years: none}"


def read(value: yamlfile.Value, node: Node, context: Context) -> Node | None:
    """The formula with its cost taken earlier, or None with the problem added."""
    problems = context.problems
    mapping = problems.mapping(value, _EXAMPLE)
    if mapping is None or not problems.keys(mapping, LAG, "lag"):
        return None
    of = mapping.get("of")
    name = problems.text(of, "a metric")
    known = expressions.metrics_of(node)
    months, years = (_months(mapping.get(key), context, default) for key, default in (("months", _MONTHS), ("years", _OF_YEARS)))
    if name is None or of is None or months is None or years is None:
        return None
    if name not in known:
        problems.at(of, f'the formula has no metric "{name}"; it has {", ".join(known)}{did_you_mean(name, known)}')
        return None
    return _lagged(node, name, months, years)


def said(node: Node) -> list[str]:
    """What a formula takes earlier, in sentences."""
    if isinstance(node, Lag) and isinstance(node.inner, MetricRef):
        return [f"{node.inner.name} is that {earlier(node)}"]
    if isinstance(node, Around):
        return said(node.inner)
    if isinstance(node, Call):
        return list(dict.fromkeys(sentence for argument in node.arguments for sentence in said(argument)))
    return []


def earlier(lag: Lag) -> str:
    """How much earlier, in words."""
    of_years = f"; for years and all time {_words(lag.of_years)}" if lag.months != lag.of_years else ""
    return f"{_words(lag.months)}{of_years}"


def _words(months: int) -> str:
    return "of the same days" if months == 0 else f"{months} month{'' if months == 1 else 's'} earlier"


def _lagged(node: Node, name: str, months: int, years: int) -> Node:
    if isinstance(node, MetricRef):
        return Lag(node, months, years) if node.name == name else node
    if isinstance(node, Around):
        return replace(node, inner=_lagged(node.inner, name, months, years))
    if isinstance(node, Call):
        return replace(node, arguments=tuple(_lagged(argument, name, months, years) for argument in node.arguments))
    return node


def _months(value: yamlfile.Value | None, context: Context, default: int) -> int | None:
    if value is None:
        return default
    text = context.problems.text(value, "a number of months")
    if text is None:
        return None
    if text == "none":
        return 0
    found = re.fullmatch(r"([0-9]{1,2}) months?", text)
    if found is None or int(found.group(1)) > _MOST:
        context.problems.at(value, f'"{text}" is no number of months up to {_MOST}; write it as 1 month, or none')
        return None
    return int(found.group(1))
