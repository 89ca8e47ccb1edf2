"""Tables that people open in a spreadsheet, edit and give back: CSV whose cells no spreadsheet runs."""

from __future__ import annotations

import csv
import datetime as dt
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from kpi.errors import UsageError
from kpi.printing import is_formula


def harmless(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would run it; :func:`as_written` takes it off again."""
    return f"'{text}" if text.startswith("'") or is_formula(text) else text


def as_written(cell: str) -> str:
    """What :func:`harmless` was given."""
    return cell[1:] if cell.startswith("'") else cell


def to_csv(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table, every cell harmless."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([[harmless(cell) for cell in row] for row in rows])
    return text.getvalue()


def put(file: str, text: str) -> bool:
    """Write a table where it is wanted; whether that is a file, and not stdout (``-``).

    Raises:
        UsageError: it can't be written.
    """
    if file == "-":
        sys.stdout.write(text)
        return False
    try:
        Path(file).write_text(text, encoding="utf-8-sig")  # with the mark by which Excel knows UTF-8
    except OSError as error:
        raise UsageError(f"{file} can't be written: {error.strerror}") from error
    return True


def from_csv(path: Path, needs: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells of each row, as written before they were made harmless; commas, semicolons or tabs between them.

    Raises:
        UsageError: the file can't be read, or lacks a column of ``needs``.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="cp1252")  # what Excel saves as CSV in the west
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    lacks = [name for name in needs if name not in (reader.fieldnames or ())]
    if lacks:
        raise UsageError(f"{path} has no column {', '.join(lacks)}; the command's export writes a file with all of them")
    try:
        for row in reader:
            yield reader.line_num, {name: as_written((cell or "").strip()) for name, cell in row.items() if name}
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num} can't be read as CSV: {error}") from error


def time(text: str) -> dt.datetime:
    """A cell's time, in UTC.

    Raises:
        UsageError: it is none.
    """
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f'"{text}" is not a time such as 2026-11-12T09:30:00Z') from error
    return found.astimezone(dt.UTC).replace(tzinfo=None) if found.tzinfo else found
