"""The sections of metrics.yaml that are no metrics: calendar, currency, sources, products, costs."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Collection, Iterable, Iterator
from types import MappingProxyType
from typing import Final

from kpi import currencies, yamlfile
from kpi.errors import UnknownName, did_you_mean
from kpi.language.problems import Key, Problems
from kpi.metrics.model import CountedSpan, ProductRule
from kpi.periods import Calendar
from kpi.warehouse import schema

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
#: What a cost can be; the names metrics filter by.
CATEGORIES: Final = schema.WORDS["cost_line.category"]
#: What of a source's row a rule of products: may look at.
FIELDS: Final = ("class", "account", "memo", "project", "component", "label", "plan", "product", "price")
#: Weeks in the months of a quarter.
PATTERNS: Final = ("4-4-5", "4-5-4", "5-4-4")

CALENDAR: Final = (
    Key("week_starts", "monday to sunday", "first day of the week; default monday, weeks by ISO"),
    Key("year_starts", "january to december", "first month of the fiscal year; default january"),
    Key("timezone", "a name such as Europe/Berlin", "whose days count; default UTC"),
    Key("pattern", "4-4-5, 4-5-4 or 5-4-4", "weeks in the months of a quarter, where a company has such months"),
)
SPAN: Final = (
    Key("from", "a day", "first day on which the system counts"),
    Key("until", "a day", "last day on which the system counts, itself included"),
)
_SYSTEM: Final = re.compile(r"[a-z][a-z0-9_-]*\Z")
_DAY: Final = dt.timedelta(days=1)


def calendar(value: yamlfile.Value | None, problems: Problems) -> Calendar:
    """``calendar:``; what is left out or wrong has its default."""
    mapping = None if value is None else problems.mapping(value, "{week_starts: monday, year_starts: january, timezone: UTC}")
    if mapping is None:
        return Calendar()
    problems.keys(mapping, CALENDAR, "calendar")
    default = Calendar()
    week = problems.choice(mapping.get("week_starts"), WEEKDAYS, "a weekday")
    month = problems.choice(mapping.get("year_starts"), MONTHS, "a month")
    pattern = problems.choice(mapping.get("pattern"), PATTERNS, "a pattern of weeks")
    weeks = None if pattern is None else tuple(int(part) for part in pattern.split("-"))
    return Calendar(
        week_starts=WEEKDAYS.index(week) if week else default.week_starts,
        year_starts=MONTHS.index(month) + 1 if month else default.year_starts,
        timezone=_timezone(mapping.get("timezone"), problems) or default.timezone,
        pattern=None if weeks is None else (weeks[0], weeks[1], weeks[2]),
    )


def _timezone(value: yamlfile.Value | None, problems: Problems) -> str | None:
    name = problems.text(value, "a time zone")
    if name is None or value is None:
        return None
    known = zoneinfo.available_timezones()
    if name in known:
        return name
    hint = did_you_mean(name, known) or "; write one such as Europe/Berlin"
    problems.at(value, f'no time zone is called "{name}"{hint}')
    return None


def currency(value: yamlfile.Value | None, problems: Problems) -> str:
    """``currency:``, three capital letters; every money figure is in it."""
    if value is None:
        problems.add(1, "currency", "metrics.yaml needs this key: the currency of every figure, such as EUR")
        return ""
    text = problems.text(value, "a currency such as EUR")
    if text is not None:
        wrong = currencies.wrong(text)
        if wrong:
            problems.at(value, wrong)
    return text or ""


def sources(
    value: yamlfile.Value | None, problems: Problems, systems: Collection[str] = ()
) -> MappingProxyType[str, tuple[CountedSpan, ...]]:
    """``sources:``: which systems count for a table, in any of its three shapes.

    ``systems``: all there are; without them any name is taken.
    """
    found: dict[str, tuple[CountedSpan, ...]] = {}
    mapping = None if value is None else problems.mapping(value, "tables with the systems that count, such as {deal: salesforce}")
    tables = [table.name for table in schema.facts() if "source" in table.columns]
    for entry in () if mapping is None else mapping.entries:
        table = entry.key.text
        if table not in tables:
            hint = did_you_mean(table, tables) or f"; known are {', '.join(tables)}"
            problems.add(entry.key.line, entry.value.path, f'no table is called "{table}"{hint}')
            continue
        spans = tuple(_spans(entry.value, problems, systems))
        if spans:
            found[table] = spans
    return MappingProxyType(found)


def _spans(value: yamlfile.Value, problems: Problems, systems: Collection[str]) -> Iterator[CountedSpan]:
    if not isinstance(value, yamlfile.Mapping):
        seen: set[str] = set()
        for item in problems.names(value, "a system, such as salesforce"):
            system = _system(item.text, item.line, item.path, problems, systems)
            if system in seen:
                problems.at(item, f"{system} is there twice")
            elif system:
                seen.add(system)
                yield CountedSpan(system, None, None)
        return
    if not value.entries:
        problems.at(value, "there is no system; it needs one, such as salesforce")
    before: list[CountedSpan] = []
    for entry in value.entries:
        system = _system(entry.key.text, entry.key.line, entry.value.path, problems, systems)
        dates = problems.mapping(entry.value, "{from: 2026-04-01} or {until: 2026-03-31}")
        if dates is None:
            continue
        problems.keys(dates, SPAN, "a counted system")
        start, last = (_date(dates.get(name), problems) for name in ("from", "until"))
        if start is not None and last is not None and last < start:
            problems.at(dates, f"until ({last}) lies before from ({start})")
        # Inclusive as people write it: one system until 31 March, the next from 1 April, and no day between them.
        if system:
            span = CountedSpan(system, start, None if last is None else last + _DAY)
            _alone(span, before, entry, problems)
            before.append(span)
            yield span


def _alone(span: CountedSpan, before: Iterable[CountedSpan], entry: yamlfile.Entry, problems: Problems) -> None:
    """Of systems with days one counts on each day: what two of them hold would be there twice. Days of none are a choice."""
    for other in before:
        first = max(span.start or dt.date.min, other.start or dt.date.min)
        after = min(span.end or dt.date.max, other.end or dt.date.max)
        if first < after:
            problems.add(
                entry.key.line,
                entry.value.path,
                f"{other.source} counts too {_days(first, after)}, and would count the same a second time; let one end (until:) on the "
                f"day before the other begins (from:), or write [{other.source}, {span.source}] where both shall always count",
            )


def _days(first: dt.date, after: dt.date) -> str:
    """From one day to the day before another, in words; the ends of time are none."""
    begins, ends = first > dt.date.min, after < dt.date.max
    last = after - _DAY if ends else after
    if begins and ends:
        return f"on {first}" if first == last else f"from {first} to {last}"
    return f"from {first} on" if begins else f"until {last}" if ends else "on all days"


def _system(text: str, line: int, path: str, problems: Problems, systems: Collection[str]) -> str:
    if not _SYSTEM.match(text):
        problems.add(line, path, f'"{text}" is not the name of a system; write it in small letters, such as salesforce')
        return ""
    if systems and text not in systems:
        problems.add(line, path, str(UnknownName("system", text, systems)))
        return ""
    return text


def _date(value: yamlfile.Value | None, problems: Problems) -> dt.date | None:
    text = problems.text(value, "a day")
    if text is None or value is None:
        return None
    try:
        if len(text) == 10:
            day = dt.date.fromisoformat(text)
            if day < dt.date.max:
                return day
    except ValueError:
        pass
    problems.at(value, f'"{text}" is not a day; write it as 2026-03-31')
    return None


def products(
    value: yamlfile.Value | None, problems: Problems, systems: Collection[str] = ()
) -> MappingProxyType[str, MappingProxyType[str, tuple[ProductRule, ...]]]:
    """``products:``: how rows of other systems find their product; ``systems`` as of :func:`sources`."""
    found: dict[str, MappingProxyType[str, tuple[ProductRule, ...]]] = {}
    taken: dict[tuple[str, str, str], str] = {}
    mapping = None if value is None else problems.mapping(value, "products with rules, such as {Atlas: {stripe: [price_atlas_*]}}")
    for entry in () if mapping is None else mapping.entries:
        product = entry.key.text.strip()
        rules: dict[str, tuple[ProductRule, ...]] = {}
        empty = isinstance(entry.value, yamlfile.Scalar) and entry.value.is_null
        named = None if empty else problems.mapping(entry.value, "systems with rules, such as {stripe: [price_atlas_*]}")
        for source in () if named is None else named.entries:
            system = _system(source.key.text, source.key.line, source.value.path, problems, systems)
            rules[system] = tuple(_rules(product, system, source.value, taken, problems))
        found[product] = MappingProxyType(rules)
    return MappingProxyType(found)


def _rules(
    product: str, system: str, value: yamlfile.Value, taken: dict[tuple[str, str, str], str], problems: Problems
) -> Iterator[ProductRule]:
    named: list[tuple[str, yamlfile.Scalar]] = []
    if isinstance(value, yamlfile.Mapping):
        for entry in value.entries:
            field = entry.key.text
            if field not in FIELDS:
                hint = did_you_mean(field, FIELDS) or f"; known are {', '.join(FIELDS)}"
                problems.add(entry.key.line, entry.value.path, f'a rule has no field "{field}"{hint}')
            else:
                named += [(field, item) for item in problems.texts(entry.value, "a pattern")]
    else:
        named = [("", item) for item in problems.texts(value, "a pattern such as price_atlas_*")]
    for field, item in named:
        pattern = item.text.strip()
        other = taken.setdefault((system, field, pattern.casefold()), product)
        if other != product:
            problems.at(item, f'"{pattern}" is a rule of {other} already; one row can\'t be two products')
        else:
            yield ProductRule(field, pattern)


def costs(value: yamlfile.Value | None, problems: Problems) -> MappingProxyType[str, tuple[str, ...]]:
    """``costs:``: which ledger accounts are which category."""
    found: dict[str, tuple[str, ...]] = {}
    taken: dict[str, str] = {}
    mapping = None if value is None else problems.mapping(value, "categories with ledger accounts, such as {hosting: ['5100*']}")
    for entry in () if mapping is None else mapping.entries:
        category = entry.key.text
        if category not in CATEGORIES:
            hint = did_you_mean(category, CATEGORIES) or f"; known are {', '.join(CATEGORIES)}"
            problems.add(entry.key.line, entry.value.path, f'no cost category is called "{category}"{hint}')
            continue
        patterns = []
        for item in problems.texts(entry.value, "a ledger account, such as '5100*'"):
            pattern = item.text.strip()
            other = taken.setdefault(pattern.casefold(), category)
            if other != category:
                problems.at(item, f'"{pattern}" is {other} already; one account can\'t be two categories')
            else:
                patterns.append(pattern)
        found[category] = tuple(patterns)
    return MappingProxyType(found)
