"""The pollutions: a name, what is done to a clean export, and how what comes of it must be read.

``right``: every row, amount and date as in the clean file. ``rows refused``: rows that nobody could read are among the
problems, the rest is right. ``file refused``: with a sentence that says what to do.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from tests.connectors.pollution.books import Book, Cell, Sheet, encrypted, gzip_bomb, overlapping_zip, zipped
from tests.connectors.pollution.clean import CLEAN, Clean, Row
from tests.connectors.pollution.scoring import Score

Made = bytes | tuple[bytes, str]
ALL: Final = tuple(CLEAN)
#: Those whose rows stand under one header; a ledger's stand in sections.
FLAT: Final = ("stripe", "salesforce")


@dataclass(frozen=True)
class Pollution:
    """What is done to an export; ``made`` gives the file's bytes, and its name where that matters."""

    name: str
    made: Callable[[Clean], Made]
    expected: Score
    among: tuple[str, ...] = ALL

    def cases(self, number: int) -> tuple[str, ...]:
        """One of its connectors, another one from pollution to pollution."""
        return (self.among[number % len(self.among)],)


def _p(name: str, expected: Score, made: Callable[[Clean], Made], among: tuple[str, ...] = ALL) -> Pollution:
    return Pollution(name, made, expected, among)


# -- what the functions below share --------------------------------------------------------------------------------


def _lines(clean: Clean) -> list[str]:
    return clean.text().split("\n")


def _line_at(clean: Clean, number: int, change: Callable[[str], str]) -> bytes:
    """With ``change`` made to the physical line of a record; no cell of a clean file has a line break."""
    lines = _lines(clean)
    at = len(clean.before) + 1 + clean.records[number]
    lines[at] = change(lines[at])
    return "\n".join(lines).encode()


def _swap_comma(text: str) -> str:
    """1,234.56 -> 1.234,56"""
    return text.translate(str.maketrans(",.", ".,"))


def _grouped(text: str) -> str:
    """1234.56 -> 1,234.56"""
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}{point}{rest}" if whole.isdigit() else text


def _dmy(text: str) -> str:
    """2026-03-25 10:00:00 and 03/25/2026 -> 25/03/2026, with the time where there is one."""
    if match := re.match(r"(\d{4})-(\d\d)-(\d\d)", text):
        return f"{match[3]}/{match[2]}/{match[1]}{text[10:]}"
    return f"{text[3:5]}/{text[:2]}/{text[6:]}"


def _mdy(text: str) -> str:
    return f"{text[5:7]}/{text[8:10]}/{text[:4]}{text[10:]}" if text[4:5] == "-" else text


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text) if text[4] == "-" else dt.datetime.strptime(text, "%m/%d/%Y")


def _serial(text: str, since: dt.datetime = dt.datetime(1899, 12, 30)) -> str:
    past = _moment(text) - since
    return f"{past.days + past.seconds / 86400:.10g}" if past.seconds else str(past.days)


def _epoch(text: str, thousands: int) -> str:
    return str(int(_moment(text).replace(tzinfo=dt.UTC).timestamp()) * thousands)


def _timed(clean: Clean) -> tuple[int, ...]:
    return (*clean.dates, *clean.stamps)


def _columns(clean: Clean, change: Callable[[Row], Row]) -> Clean:
    """With ``change`` made to the header and every row."""
    return replace(
        clean,
        header=change(clean.header),
        rows=[change(row) for row in clean.rows],
        before=[change(row) for row in clean.before],
        after=[change(row) for row in clean.after],
    )


def _sheet_rows(clean: Clean, dates: bool = True, numbers: bool = True) -> list[list[Cell]]:
    """As a spreadsheet holds it: amounts as numbers, days as days."""
    made: list[list[Cell]] = [list(row) for row in [*clean.before, clean.header]]
    for row in clean.rows:
        cells: list[Cell] = [cell or None for cell in row]
        if clean.key_of(row) in clean.truth:
            for at in clean.amounts if numbers else ():
                if row[at]:
                    cells[at] = float(row[at].replace(",", "").replace("(", "-").replace(")", ""))
            for at in _timed(clean) if dates else ():
                if row[at]:
                    moment = _moment(row[at])
                    cells[at] = moment if moment.hour else moment.date()
        made.append(cells)
    return [*made, *([*row] for row in clean.after)]


def _book(clean: Clean, **how: bool | str) -> Book:
    return Book([Sheet("Export", _sheet_rows(clean))], **how)  # type: ignore[arg-type]


def _utf16(clean: Clean) -> bytes:
    return clean.bytes("utf-16-le")


def _other(clean: Clean) -> bytes:
    """Half of the rows, and below them a second export with the other half, its columns in another order."""
    half = len(clean.rows) // 2
    turned = [clean.header[at] for at in range(len(clean.header) - 1, -1, -1)]
    second = replace(clean, header=turned, rows=[row[::-1] for row in clean.rows[half:]])
    return replace(clean, rows=clean.rows[:half]).bytes() + second.bytes()


def _two_headers(clean: Clean) -> bytes:
    """Two whole files, one behind the other."""
    half = len(clean.rows) // 2
    return replace(clean, rows=clean.rows[:half]).bytes("utf-8-sig") + replace(clean, rows=clean.rows[half:]).bytes("utf-8-sig")


def _wrapped(clean: Clean) -> bytes:
    """Every line one cell, as a spreadsheet saves a file that it opened with the wrong delimiter."""
    made = io.StringIO(newline="")
    csv.writer(made, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows([line] for line in _lines(clean)[:-1])
    return made.getvalue().encode()


def _shift(row: Row) -> Row:
    """The second cell is missing and an empty one stands at the end."""
    return [row[0], *row[2:], ""]


def _cut(clean: Clean, characters: int) -> bytes:
    """Cut off in the last record."""
    whole = replace(clean, after=[]).text()
    return whole[:-characters].encode()


def _twice(clean: Clean, column: int, change: Callable[[str], str]) -> bytes:
    """One of its columns again at the end, with other cells."""
    return _columns(clean, lambda row: [*row, row[column] if row == clean.header else change(row[column])]).bytes()


def _spreadsheet_2003(clean: Clean) -> bytes:
    cells = "".join(f"<Row>{''.join(f'<Cell><Data>{cell}</Data></Cell>' for cell in row)}</Row>" for row in [clean.header, *clean.rows])
    start = (
        '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
    )
    return f"{start}<Worksheet><Table>{cells}</Table></Worksheet></Workbook>".encode()


def _html(clean: Clean) -> bytes:
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in [clean.header, *clean.rows])
    return f"<html><head><meta charset=utf-8></head><body><table>\n{rows}</table></body></html>".encode()


def _mixed_letters(clean: Clean) -> bytes:
    """Every second line in Windows-1252, the others in UTF-8."""
    lines = clean.text().split("\n")
    return b"\n".join(line.encode("cp1252" if at % 2 else "utf-8") for at, line in enumerate(lines))


def _bare_formulas(clean: Clean) -> bytes:
    places = (*clean.amounts, *clean.ids)
    rows = [",".join(f'="{x}"' if at in places and x else f'"{x}"' for at, x in enumerate(row)) for row in clean.rows]
    return "\n".join([",".join(clean.header), *rows]).encode()


def _first(value: str) -> Callable[[str], str]:
    return lambda _: value


POLLUTIONS: Final[tuple[Pollution, ...]] = (
    # -- nothing, and what every reader must take
    _p("clean", "right", lambda c: c.bytes()),
    _p("byte order mark", "right", lambda c: c.bytes("utf-8-sig")),
    _p("UTF-16 with a mark", "right", lambda c: c.bytes("utf-16")),
    _p("UTF-16 little-endian without a mark", "right", _utf16),
    _p("UTF-16 big-endian without a mark", "right", lambda c: c.bytes("utf-16-be")),
    _p("UTF-16 without a mark, one byte short", "rows refused", lambda c: replace(c, after=[]).bytes("utf-16-le")[:-3], FLAT),
    _p("Windows-1252", "right", lambda c: c.bytes("cp1252")),
    _p("Windows-1252 and UTF-8 line by line", "right", _mixed_letters),
    _p("a byte of no encoding in a text", "right", lambda c: c.bytes().replace(b"Web", b"W\x81b").replace(b"2000 AP", b"2000\x81AP")),
    _p("semicolons", "right", lambda c: c.bytes(delimiter=";")),
    _p("tabs", "right", lambda c: c.bytes(delimiter="\t")),
    _p("pipes", "right", lambda c: c.bytes(delimiter="|")),
    _p("all cells quoted", "right", lambda c: c.bytes(quoting=csv.QUOTE_ALL)),
    _p("CRLF", "right", lambda c: c.bytes(newline="\r\n")),
    _p("CR alone", "right", lambda c: c.bytes(newline="\r")),
    _p("line ends mixed", "right", lambda c: c.text().replace("\n", "\r\n", 9).encode()),
    _p("line ends of three kinds", "right", lambda c: c.text().replace("\n", "\r\n", 9).replace("\n", "\r", 4).encode()),
    _p("no last line end", "right", lambda c: c.bytes()[:-1]),
    _p("blank lines between rows", "right", lambda c: c.text().replace("\n", "\n\n").encode()),
    _p("header on row 30", "right", lambda c: replace(c, before=[*([f"note {n}"] for n in range(29 - len(c.before))), *c.before]).bytes()),
    _p("header below 28 blank lines", "right", lambda c: b"\n" * 28 + c.bytes()),
    _p("quoted line breaks", "right", lambda c: c.cells(lambda t: t + "\n", c.ids[1:] or c.names).bytes(quoting=csv.QUOTE_ALL)),
    # -- delimiters and quotes
    _p("sep=; as the first line", "right", lambda c: b"sep=;\r\n" + c.bytes(delimiter=";")),
    _p("sep=^ as the first line", "right", lambda c: b"sep=^\r\n" + c.bytes(delimiter="^")),
    _p("every line one quoted cell", "right", _wrapped),
    _p("a delimiter nobody uses", "file refused", lambda c: c.bytes(delimiter="~")),
    _p("some rows with another delimiter", "right", lambda c: _line_at(c, 3, lambda t: ";".join(next(csv.reader([t])))), ("stripe",)),
    _p("delimiters at the end of every row", "right", lambda c: _columns(c, lambda r: r if r == c.header else [*r, "", ""]).bytes()),
    _p("delimiters at the end of every line", "right", lambda c: _columns(c, lambda r: [*r, "", ""]).bytes()),
    _p("every row one empty cell short", "right", lambda c: _columns(c, lambda r: r if r == c.header else r[:-1]).bytes(), ("stripe",)),
    _p("a comma in a cell without quotes", "rows refused", lambda c: _line_at(c, 4, lambda t: t.replace(" ", ",", 1)), FLAT),
    _p(
        "a quotation mark that is never closed",
        "rows refused",
        lambda c: _line_at(c, 5, lambda t: t.replace('"', "", 1) if '"' in t else t.replace("Pl", '"Pl', 1)),
        FLAT,
    ),
    _p(
        "quotation marks that swallow rows",
        "rows refused",
        lambda c: "\n".join(
            line.replace("Paid", '"Paid', 1) if at == 6 else line.replace("Paid", 'Paid"', 1) if at == 9 else line
            for at, line in enumerate(_lines(c))
        ).encode(),
        ("stripe",),
    ),
    _p(
        "inches in a cell without quotes",
        "right",
        lambda c: c.cells(lambda t: t, ()).text().replace("eur,true", 'eur,4" x').encode(),
        ("stripe",),
    ),
    _p(
        "inner quotes not doubled",
        "right",
        lambda c: c.text(quoting=csv.QUOTE_ALL).replace("Vendor", 'Ven"d"or').replace("true", 't"r"u').encode(),
        ("stripe",),
    ),
    _p(
        "quotes escaped by a backslash",
        "right",
        lambda c: c.text(quoting=csv.QUOTE_ALL).replace('"Web"', r'"\"Web\" x"').replace('"true"', r'"\"tr\""').encode(),
        FLAT,
    ),
    _p(
        "single quotes around every cell",
        "file refused",
        lambda c: "\n".join(",".join(f"'{cell}'" for cell in row) for row in [*c.before, c.header, *c.rows]).encode(),
    ),
    # -- marks that cannot be seen
    _p("a byte order mark in the middle", "right", lambda c: _line_at(c, 6, lambda t: "\ufeff" + t)),
    _p("two byte order marks", "right", lambda c: b"\xef\xbb\xbf" + c.bytes("utf-8-sig")),
    _p(
        "zero-width blanks in headers",
        "right",
        lambda c: replace(c, header=[f"{name[:2]}\u200b{name[2:]}" if name else "" for name in c.header]).bytes(),
    ),
    _p(
        "non-breaking blanks in headers",
        "right",
        lambda c: replace(c, header=[f"\u00a0{name}".replace(" ", "\u00a0") for name in c.header]).bytes(),
    ),
    _p("zero-width blanks in ids", "right", lambda c: c.cells(lambda t: f"\u200b{t[:3]}\u2060{t[3:]}\ufeff", c.ids).bytes()),
    _p(
        "non-breaking blanks around cells",
        "right",
        lambda c: c.cells(lambda t: f"\u00a0{t}\u00a0", (*c.ids, *c.amounts, *_timed(c))).bytes(),
    ),
    _p("tabs and blanks around cells", "right", lambda c: c.cells(lambda t: f"\t {t} \t", (*c.ids, *c.amounts, *_timed(c))).bytes()),
    _p("blanks and tabs before quotes", "rows refused", lambda c: _line_at(c, 7, lambda t: t.replace(",", ', "x" ', 1)), ("stripe",)),
    _p(
        "full-width digits",
        "right",
        lambda c: c.cells(lambda t: "".join(chr(ord(x) + 0xFEE0) if x.isdigit() else x for x in t), (*c.amounts, *c.dates)).bytes(),
    ),
    _p("direction marks around amounts", "right", lambda c: c.cells(lambda t: f"\u200e{t}\u202c", c.amounts).bytes()),
    _p("a NUL byte in a row", "rows refused", lambda c: _line_at(c, 8, lambda t: t.replace("0", "\x00", 1))),
    _p("NUL bytes behind the last row", "right", lambda c: c.bytes() + bytes(512)),
    _p("a control character in an id", "rows refused", lambda c: c.cells(lambda t: f"{t[:3]}\x07{t[3:]}", c.ids[:1], [8]).bytes(), FLAT),
    _p(
        "control characters in a text",
        "right",
        lambda c: c.cells(lambda t: t + "\x0b\x01", (c.header.index("Transfer"),)).bytes(),
        ("stripe",),
    ),
    _p(
        "Arabic digits", "file refused", lambda c: c.cells(lambda t: t.translate({48 + n: 0x660 + n for n in range(10)}), c.amounts).bytes()
    ),
    # -- headers and rows
    _p("headers in capitals", "right", lambda c: replace(c, header=[name.upper() for name in c.header]).bytes()),
    _p("headers with blanks around them", "right", lambda c: replace(c, header=[f"  {name} " for name in c.header]).bytes()),
    _p("headers over two lines", "right", lambda c: replace(c, header=[name.replace(" ", "\n") for name in c.header]).bytes()),
    _p("columns in another order", "right", lambda c: _columns(c, lambda r: r[::-1]).bytes(), FLAT),
    _p("blank columns between", "right", lambda c: _columns(c, lambda r: [r[0], "", *r[1:3], "", "", *r[3:]]).bytes(), FLAT),
    _p("a column twice", "right", lambda c: _twice(c, c.amounts[0], lambda t: t)),
    _p("a column of amounts twice, with other amounts", "right", lambda c: _twice(c, c.amounts[0], lambda t: f"9{t}" if t else t)),
    _p("a column that is not there", "file refused", lambda c: _columns(c, lambda r: [*r[: c.amounts[0]], *r[c.amounts[0] + 1 :]]).bytes()),
    _p("the header repeated in the middle", "right", lambda c: c.add(9, c.header).add(19, c.header).bytes()),
    _p("the header repeated in capitals", "right", lambda c: c.add(9, [name.upper() for name in c.header]).bytes()),
    _p("two exports in one file", "right", _two_headers, FLAT),
    _p("two ledgers in one file", "file refused", _two_headers, ("quickbooks",)),
    _p("two exports with other columns", "right", _other, FLAT),
    _p("a row shifted to the left", "rows refused", lambda c: c.row(4, _shift).bytes()),
    _p("a row shifted to the right", "rows refused", lambda c: c.row(4, lambda r: [r[0], "", *r[1:]]).bytes()),
    _p("a row shifted to the right, its end cut off", "rows refused", lambda c: c.row(4, lambda r: [r[0], "", *r[1:-1]]).bytes()),
    _p(
        "amount and date swapped in a row",
        "rows refused",
        lambda c: c.row(4, lambda r: [*r[:1], r[7], *r[2:7], r[1], *r[8:]]).bytes(),
        ("quickbooks",),
    ),
    _p("a row of nothing but delimiters", "right", lambda c: c.add(5, [""] * len(c.header)).bytes()),
    _p("a total in the middle", "rows refused", lambda c: c.add(5, ["Total", *[""] * (len(c.header) - 1)]).bytes(), ("quickbooks",)),
    _p(
        "totals and footers",
        "right",
        lambda c: replace(c, after=[*c.after, ["Grand Totals (30 records)"], ["Copyright (c) 2000-2026 salesforce.com, inc."]]).bytes(),
        ("salesforce",),
    ),
    _p(
        "a total below the rows",
        "right",
        lambda c: replace(c, after=[["Total", "", "1234.50", *[""] * (len(c.header) - 3)]]).bytes(),
        ("stripe",),
    ),
    _p("the last row cut off", "rows refused", lambda c: _cut(c, 30), FLAT),
    _p("the last cell cut off", "rows refused", lambda c: _cut(_columns(c, lambda r: [*r[1:], r[0]]), 3), ("stripe",)),
    _p(
        "the last amount cut off",
        "rows refused",
        lambda c: _cut(_columns(replace(c, quoting=csv.QUOTE_MINIMAL), lambda r: [*r[:5], *r[6:], r[5]]), 2),
        ("salesforce",),
    ),
    # -- amounts
    _p("decimal commas", "right", lambda c: c.cells(_swap_comma, c.amounts).bytes(delimiter=";")),
    _p("decimal commas among commas", "right", lambda c: c.cells(_swap_comma, c.amounts).bytes()),
    _p("thousand marks", "right", lambda c: c.cells(_grouped, c.amounts).bytes()),
    _p("thousand marks in some rows", "right", lambda c: c.cells(_grouped, c.amounts, range(0, 30, 2)).bytes()),
    _p("points for thousands and decimal commas", "right", lambda c: c.cells(lambda t: _swap_comma(_grouped(t)), c.amounts).bytes()),
    _p(
        "thousands parted by blanks",
        "right",
        lambda c: c.cells(lambda t: _swap_comma(_grouped(t)).replace(".", "\u202f"), c.amounts).bytes(),
        FLAT,
    ),
    _p("thousands parted by apostrophes", "right", lambda c: c.cells(lambda t: _grouped(t).replace(",", "’"), c.amounts).bytes(), FLAT),
    _p("Indian groups of digits", "right", lambda c: c.cells(lambda t: re.sub(r"^(\d{2})(\d{3}\.)", r"\1,\2", t), c.amounts).bytes(), FLAT),
    _p("a decimal comma in one row", "rows refused", lambda c: c.cells(_swap_comma, c.amounts[:1], [7]).bytes()),
    _p("decimal commas in half of the rows", "file refused", lambda c: c.cells(_swap_comma, c.amounts, range(0, 30, 2)).bytes()),
    _p("a thousand with a point in one row", "rows refused", lambda c: c.cells(_first("1.234"), c.amounts[:1], [7]).bytes()),
    _p(
        "thousands with points in every row",
        "file refused",
        lambda c: c.cells(lambda t: f"{int(re.sub('[^0-9]', '', t)) % 900 + 1}.234", c.amounts).bytes(),
    ),
    _p(
        "thousands with commas among semicolons",
        "file refused",
        lambda c: c.cells(lambda t: f"{int(re.sub('[^0-9]', '', t)) % 900 + 1},234", c.amounts).bytes(delimiter=";"),
    ),
    _p("one sign of a currency", "right", lambda c: c.cells(lambda t: f"€{t}", c.amounts).bytes()),
    _p("the currency's name behind amounts", "right", lambda c: c.cells(lambda t: f"{t} EUR", c.amounts).bytes()),
    _p(
        "two currencies in a column",
        "file refused",
        lambda c: c.cells(lambda t: f"${t}", c.amounts, range(0, 30, 2)).cells(lambda t: f"€{t}", c.amounts, range(1, 30, 2)).bytes(),
        ("quickbooks",),
    ),
    _p("percent", "file refused", lambda c: c.cells(lambda t: f"{t}%", c.amounts).bytes()),
    _p("one percent", "rows refused", lambda c: c.cells(lambda t: f"{t} %", c.amounts[:1], [6]).bytes()),
    _p("thousands as k", "rows refused", lambda c: c.cells(lambda t: f"{t}k", c.amounts[:1], [6]).bytes()),
    _p("millions as Mio", "rows refused", lambda c: c.cells(lambda t: f"{t} Mio", c.amounts[:1], [6]).bytes()),
    _p("about so much", "rows refused", lambda c: c.cells(lambda t: f"~{t}", c.amounts[:1], [6]).bytes()),
    _p("leading plus", "right", lambda c: c.cells(lambda t: f"+{t}" if t[0].isdigit() else t, c.amounts).bytes()),
    _p("apostrophes before numbers", "right", lambda c: c.cells(lambda t: f"'{t}", c.amounts).bytes()),
    _p("numbers as formulas of text", "right", lambda c: c.cells(lambda t: f'="{t}"', (*c.amounts, *c.ids)).bytes()),
    _p(
        "numbers as bare formulas of text",
        "right",
        lambda c: _bare_formulas(c),
        FLAT,
    ),
    _p("a formula", "rows refused", lambda c: c.cells(_first("=SUM(C2:C3)"), c.amounts[:1], [3]).bytes()),
    _p("an error of a spreadsheet", "rows refused", lambda c: c.cells(_first("#VALUE!"), c.amounts[:1], [3]).bytes()),
    _p("negatives in parentheses", "right", lambda c: _negative(c, lambda t: f"({t})")),
    _p("negatives with a trailing minus", "right", lambda c: _negative(c, lambda t: f"{t}-")),
    _p("negatives with a long minus", "right", lambda c: _negative(c, lambda t: f"\u2212{t}")),
    _p("negative zero", "right", lambda c: c.cells(lambda t: "-0.00" if t == "0.00" else t, c.amounts).bytes(), ("stripe",)),
    _p("many decimals of a float", "right", lambda c: c.cells(lambda t: f"{t}00000000" if t[-1].isdigit() else t, c.amounts).bytes(), FLAT),
    _p("an amount in scientific notation", "rows refused", lambda c: c.cells(_first("1.23E+05"), c.amounts[:1], [3]).bytes()),
    # -- dates
    _p("day first", "right", lambda c: c.cells(_dmy, _timed(c)).bytes()),
    _p("month first", "right", lambda c: c.cells(_mdy, _timed(c)).bytes()),
    _p("day first with dots", "right", lambda c: c.cells(lambda t: _dmy(t).replace("/", "."), _timed(c)).bytes()),
    _p("two-digit years", "right", lambda c: c.cells(lambda t: re.sub("/20(2[0-9])", r"/\1", _dmy(t)), _timed(c)).bytes()),
    _p(
        "day and month in half of the rows each",
        "file refused",
        lambda c: c.cells(_dmy, _timed(c), range(0, 30, 2)).cells(_mdy, _timed(c), range(1, 30, 2)).bytes(),
    ),
    _p(
        "day or month, nobody knows",
        "file refused",
        lambda c: c.cells(lambda t: "03/07/2026" if _moment(t).month % 2 else "05/06/2026", _timed(c)).bytes(),
    ),
    _p("month names", "right", lambda c: c.cells(lambda t: f"{_moment(t):%d-%b-%Y}", _timed(c)).bytes()),
    _p("compact dates", "right", lambda c: c.cells(lambda t: f"{_moment(t):%Y%m%d}", c.dates).bytes(), ("salesforce", "quickbooks")),
    _p("days as Excel's numbers", "right", lambda c: c.cells(_serial, _timed(c)).bytes()),
    _p("epoch seconds", "right", lambda c: c.cells(lambda t: _epoch(t, 1), c.stamps).bytes(), FLAT),
    _p("epoch milliseconds", "right", lambda c: c.cells(lambda t: _epoch(t, 1000), c.stamps).bytes(), FLAT),
    _p(
        "epoch seconds and milliseconds",
        "file refused",
        lambda c: (
            c.cells(lambda t: _epoch(t, 1000), c.stamps, range(0, 30, 2)).cells(lambda t: _epoch(t, 1) if "-" in t else t, c.stamps).bytes()
        ),
        FLAT,
    ),
    _p(
        "times with a zone",
        "right",
        lambda c: c.cells(lambda t: f"{_moment(t) + dt.timedelta(hours=2):%Y-%m-%dT%H:%M:%S}+02:00", c.stamps).bytes(),
        FLAT,
    ),
    _p("a zone by its letters in one row", "right", lambda c: c.cells(lambda t: f"{t} PST", c.stamps[:1], [4]).bytes(), FLAT),
    _p("29 February of a common year", "rows refused", lambda c: c.cells(_first("2026-02-29"), _timed(c)[:1], [4]).bytes(), FLAT),
    _p("31 February", "rows refused", lambda c: c.cells(_dmy, _timed(c)).cells(_first("31/02/2026"), _timed(c)[:1], [4]).bytes()),
    _p("the year 0202", "rows refused", lambda c: c.cells(lambda t: t.replace("2026", "0202", 1), _timed(c)[:1], [4]).bytes()),
    _p("the year 20226", "rows refused", lambda c: c.cells(lambda t: t.replace("2026", "20226", 1), _timed(c)[:1], [4]).bytes()),
    _p(
        "24 o'clock", "right", lambda c: c.cells(lambda t: f"{_moment(t) - dt.timedelta(days=1):%Y-%m-%d} 24:00:00", c.stamps).bytes(), FLAT
    ),
    _p("25 o'clock", "rows refused", lambda c: c.cells(lambda t: f"{t[:10]} 25:00:00", c.stamps[:1], [4]).bytes(), FLAT),
    _p("a date of no year", "rows refused", lambda c: c.cells(_first("12 March"), _timed(c)[:1], [4]).bytes()),
    # -- ids
    _p("ids that a spreadsheet shortened", "file refused", lambda c: c.cells(_first("1.21E+15"), c.ids[:1]).bytes(), FLAT),
    _p("an id that a spreadsheet shortened", "rows refused", lambda c: c.cells(_first("1,21143e+15"), c.ids[:1], [4]).bytes(), FLAT),
    _p("an empty id", "rows refused", lambda c: c.cells(_first(""), c.ids[:1], [4]).bytes(), FLAT),
    # -- cells of peculiar sizes
    _p(
        "a cell of a megabyte",
        "right",
        lambda c: c.cells(lambda t: t, ()).row(3, lambda r: [*r[:-1], "x" * (1 << 20)]).bytes(),
        ("stripe",),
    ),
    _p("a cell of nine megabytes", "rows refused", lambda c: c.row(3, lambda r: [*r[:9], "x" * (9 << 20), *r[10:]]).bytes(), ("stripe",)),
    _p("16,000 columns", "right", lambda c: _columns(c, lambda r: [*r, *["x"] * 16_000]).bytes(), ("stripe",)),
    # -- workbooks
    _p("a workbook", "right", lambda c: (_book(c).bytes(), "a.xlsx")),
    _p("a workbook with texts in place", "right", lambda c: (_book(c, shared=False).bytes(), "a.xlsx")),
    _p("a workbook with named elements", "right", lambda c: (_book(c, prefix="x:").bytes(), "a.xlsx")),
    _p("a workbook since 1904", "right", lambda c: (_book(c, since_1904=True).bytes(), "a.xlsx")),
    _p("a workbook of texts", "right", lambda c: (Book([Sheet("A", _sheet_rows(c, False, False))]).bytes(), "a.xlsx")),
    _p("days without a format, since 1904", "right", lambda c: (_serials(c, True), "a.xlsx")),
    _p("days without a format", "right", lambda c: (_serials(c, False), "a.xlsx")),
    _p(
        "a sheet of notes first",
        "right",
        lambda c: (Book([Sheet("Notes", [["Read me"], ["a", "b"]]), Sheet("Data", _sheet_rows(c))]).bytes(), "a.xlsx"),
    ),
    _p(
        "a hidden sheet with an older export first",
        "right",
        lambda c: (
            Book([Sheet("Old", _sheet_rows(c.cells(_first("1.00"), c.amounts)), "hidden"), Sheet("Data", _sheet_rows(c))]).bytes(),
            "a.xlsx",
        ),
    ),
    _p(
        "two sheets with an export each",
        "file refused",
        lambda c: (Book([Sheet("May", _sheet_rows(c)), Sheet("June", _sheet_rows(c))]).bytes(), "a.xlsx"),
    ),
    _p(
        "merged titles above the header",
        "right",
        lambda c: (Book([Sheet("A", [["Export"], [None], *_sheet_rows(c)], merged=("A1:F1",))]).bytes(), "a.xlsx"),
        FLAT,
    ),
    _p(
        "a workbook that says it is wider",
        "right",
        lambda c: (Book([Sheet("A", _sheet_rows(c), dimension="A1:XFD1048576")]).bytes(), "a.xlsx"),
    ),
    _p("a workbook called .csv", "right", lambda c: (_book(c).bytes(), "a.csv")),
    _p(
        "long ids as numbers",
        "rows refused",
        lambda c: (
            Book([Sheet("A", [[1211430000000010.0 if x == "ch_0004" else x for x in r] for r in _sheet_rows(c)])]).bytes(),
            "a.xlsx",
        ),
        ("stripe",),
    ),
    # -- archives and other files
    _p("gzip", "right", lambda c: (gzip.compress(c.bytes()), "a.csv.gz")),
    _p("gzip of gzip", "file refused", lambda c: (gzip.compress(gzip.compress(c.bytes())), "a.csv.gz.gz")),
    _p("gzip cut off", "file refused", lambda c: (gzip.compress(c.bytes())[:-20], "a.csv.gz")),
    _p("gzip in two parts", "right", lambda c: (gzip.compress(c.bytes()[:900]) + gzip.compress(c.bytes()[900:]), "a.csv.gz")),
    _p("zip", "right", lambda c: (zipped([("a.csv", c.bytes())]), "a.zip")),
    _p("zip with a path upwards", "right", lambda c: (zipped([("../../a.csv", c.bytes())]), "a.zip")),
    _p("zip with an absolute path", "right", lambda c: (zipped([("/etc/a.csv", c.bytes())]), "a.zip")),
    _p("zip with a password", "file refused", lambda c: (encrypted("a.csv", c.bytes()), "a.zip")),
    _p("zip cut off", "file refused", lambda c: (zipped([("a.csv", c.bytes())])[:-40], "a.zip")),
    _p("zip of zip", "file refused", lambda c: (zipped([("a.zip", zipped([("a.csv", c.bytes())]))]), "a.zip")),
    _p("zip that grows", "file refused", lambda c: (zipped([("a.csv", c.bytes() + bytes(50 << 20))]), "a.zip"), ("stripe",)),
    _p("zip whose members overlap", "file refused", lambda c: (overlapping_zip(500, 1 << 20), "a.zip"), ("stripe",)),
    _p("gzip that grows", "file refused", lambda c: (gzip_bomb(50 << 20), "a.csv.gz"), ("stripe",)),
    _p("an empty file", "file refused", lambda c: b"", ("stripe",)),
    _p("blank lines and nothing else", "file refused", lambda c: b"\n" * 5000, ("stripe",)),
    _p("HTML called .xls", "file refused", lambda c: (_html(c), "a.xls")),
    _p("XML of Excel 2003", "file refused", lambda c: (_spreadsheet_2003(c), "a.xls"), ("stripe",)),
    _p("PDF called .csv", "file refused", lambda c: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + c.bytes(), ("stripe",)),
    _p("one column", "file refused", lambda c: "\n".join(row[0] for row in [c.header, *c.rows]).encode(), FLAT),
)


def _negative(clean: Clean, mark: Callable[[str], str]) -> bytes:
    """Three amounts negative, in the file and in the truth."""
    at = clean.columns.index("amount")
    truth = dict(clean.truth)
    for number in (3, 8, 13):
        key = clean.key_of(clean.rows[clean.records[number]])
        truth[key] = (*truth[key][:at], -abs(truth[key][at]), *truth[key][at + 1 :])
    clean.truth.update(truth)
    return clean.cells(lambda t: mark(t.strip("()")), clean.amounts[:1], (3, 8, 13)).bytes()


def _serials(clean: Clean, since_1904: bool) -> bytes:
    """A workbook in which days are plain numbers, because somebody removed the cells' format."""
    since = dt.datetime(1904, 1, 1) if since_1904 else dt.datetime(1899, 12, 30)
    plain = _sheet_rows(clean)
    for row in plain:
        row[:] = [float(_serial(f"{cell}", since)) if isinstance(cell, dt.date) else cell for cell in row]
    return Book([Sheet("A", plain)], since_1904=since_1904).bytes()


def summary(scores: dict[tuple[str, str], Score]) -> str:
    """How many of each score, and a line for each pollution and connector that isn't right."""
    counts = {
        one: sum(1 for score in scores.values() if score == one) for one in ("right", "rows refused", "file refused", "SILENTLY WRONG")
    }
    names = dict.fromkeys(name for name, _ in scores)
    lines = [f"{'':48}" + "".join(f"{connector:16}" for connector in ALL)]
    lines += [f"{name:48}" + "".join(f"{scores.get((name, connector), '-'):16}" for connector in ALL) for name in names]
    return "\n".join([*lines, "", *(f"{count:4} {one}" for one, count in counts.items())])
