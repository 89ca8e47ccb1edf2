"""What is seen, to take away: CSV, and a workbook with numbers as numbers and a second sheet that says what they are.

Texts that a spreadsheet would run as formulas are made harmless, and nothing in a workbook is written as a formula or a link.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import xlsxwriter

from kpi.dashboard.exploring.seen import Seen
from kpi.metrics.groups import called
from kpi.metrics.model import Definitions
from kpi.metrics.result import Cell, Value
from kpi.periods import Period, span_label
from kpi.printing import harmless

#: Significant digits that a spreadsheet's number holds for certain.
_EXACT: Final = 15


def columns(seen: Seen, definitions: Definitions) -> list[str]:
    """Headings: first and last day, the groups, then of each metric its value, its state, and what it is compared with."""
    head = ["from", "to", *(definitions.dimensions[name].label for name in seen.look.by)]
    for name in seen.lines:
        head += [name, f"{name} is"]
        head += [f"{name}, {seen.against}"] if seen.against else []
    return [harmless(text) for text in head]


def rows(seen: Seen) -> Iterator[list[Any]]:
    """A row a period and group, oldest first; values exact, None where there is none."""
    groups = dict.fromkeys(line.group for lines in seen.lines.values() for line in lines)
    found = {name: {line.group: line for line in lines} for name, lines in seen.lines.items()}
    for place, period in enumerate(seen.periods):
        for group in groups:
            row: list[Any] = [period.start, period.end - dt.timedelta(days=1), *(harmless(called(value)) for value in group)]
            for lines in found.values():
                line = lines.get(group)
                cell = line.now[place] if line else None
                row += [_value(cell), cell.state if cell else "unknown"]
                row += [_value(line.before[place] if line else None)] if seen.against else []
            yield row


def as_csv(seen: Seen, definitions: Definitions) -> bytes:
    """Values exact and without separators, in UTF-8 with the mark by which spreadsheets know it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns(seen, definitions))
    for row in rows(seen):
        writer.writerow([_plain(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def as_workbook(seen: Seen, definitions: Definitions) -> bytes:
    """Two sheets: the figures, and what they are."""
    made = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(made, options)
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("Figures")
    sheet.freeze_panes(1, 0)
    for column, text in enumerate(columns(seen, definitions)):
        sheet.write_string(0, column, text, bold)
    for at, row in enumerate(rows(seen), start=1):
        for column, value in enumerate(row):
            if isinstance(value, dt.date):
                sheet.write_datetime(at, column, dt.datetime.combine(value, dt.time()), day)
            elif isinstance(value, Decimal | int | float) and _holds(value):
                sheet.write_number(at, column, float(value))
            elif value is not None:
                sheet.write_string(at, column, _plain(value))
    sheet.autofit()
    about = book.add_worksheet("About")
    for at, (name, text) in enumerate(about_it(seen, definitions)):
        about.write_string(at, 0, name, bold)
        about.write_string(at, 1, harmless(text))
    about.autofit()
    book.close()
    return made.getvalue()


def about_it(seen: Seen, definitions: Definitions) -> Iterator[tuple[str, str]]:
    """What the figures are, a line each."""
    for name in seen.lines:
        metric = definitions.metrics[name]
        unit = {"money": seen.currency, "percent": "a fraction: 0.5 is 50 %"}.get(metric.unit, metric.unit)
        yield name, f"{metric.label}; unit: {unit}; {metric.means}".rstrip("; ")
    yield "period", f"{span_label(Period(seen.periods[0].start, seen.periods[-1].end))}, by {seen.look.grain}"
    yield "filters", "; ".join(seen.look.where()) or "none"
    if seen.against:
        yield "compared with", seen.against
    yield "definitions", f"{definitions.file}, {definitions.hash[:12]}"
    yield "data", f"generation {seen.generation} of the warehouse"
    for text in seen.notes:
        yield "note", text


def _holds(value: Decimal | float) -> bool:
    """Whether a spreadsheet's number is the value to the last digit."""
    return isinstance(value, float) or len(Decimal(value).normalize().as_tuple().digits) <= _EXACT


def _value(cell: Cell | None) -> Value:
    return None if cell is None else cell.value


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return format(value, "f") if isinstance(value, Decimal) else str(value)
