"""What a file says of tables that this program did not make, by its shape alone: for where no warehouse can be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from kpi import yamlfile
from kpi.errors import did_you_mean
from kpi.language.problems import Problems
from kpi.metrics.catalog import Catalog

#: ``column -> table.column``.
JOIN: Final = re.compile(r"(?P<own>\S.*?)\s*->\s*(?P<table>[a-z][a-z0-9_]*)\.(?P<column>\S.*)\Z")


def shapes(tables: Mapping[str, yamlfile.Mapping], problems: Problems) -> None:
    """Add what is wrong with tables whichever columns they have; with a warehouse more is known, and this is not asked."""
    known = (*tables, *(table.name for table in Catalog().facts()))
    for keys in tables.values():
        for name in ("key", "money"):
            if (value := keys.get(name)) is not None:
                problems.texts(value, "a column")
        if (value := keys.get("columns")) is not None:
            columns = problems.mapping(value, "names with columns, such as {seats: 'Seat Count'}")
            for entry in () if columns is None else columns.entries:
                if problems.name(entry.key, entry.value.path, (), "the name of a column"):
                    problems.text(entry.value, "a column")
        if (value := keys.get("valid")) is not None and not (isinstance(value, yamlfile.Sequence) and len(value.items) == 2):
            problems.at(value, "valid takes two columns, [from, to]")
        if (value := keys.get("currency")) is not None:
            problems.text(value, "a currency or a column")
        elif keys.get("money") is not None:
            path = f"{keys.path}.currency"
            problems.add(keys.line, path, "amounts of money need their currency: three capital letters, or a column")
        if (value := keys.get("joins")) is not None:
            joins = problems.mapping(value, "tables with column -> table.column")
            for entry in () if joins is None else joins.entries:
                _join(entry, known, problems)


def _join(entry: yamlfile.Entry, known: tuple[str, ...], problems: Problems) -> None:
    text, table = problems.text(entry.value, "column -> table.column"), entry.key.text
    if text is None:
        return
    found = JOIN.match(text)
    if found is None or found["table"] != table:
        problems.at(entry.value, f'"{text}" is no join; write {table}: column -> {table}.column')
    elif table not in known:
        problems.at(entry.value, f'no table is called "{table}"{did_you_mean(table, known)}')
