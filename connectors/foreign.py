"""Files that are no tables, told by how they begin, each with what to do about it."""

from __future__ import annotations

from typing import Final

#: First bytes -> what such a file is and how to get a table of it. HTML and XML are told by their first words below.
_BEGINNINGS: Final = (
    (b"\xd0\xcf\x11\xe0", "it is an old or an encrypted Excel workbook; save it as .csv or as an .xlsx without a password"),
    (b"%PDF", "it is a PDF, whatever its name says; export the report as CSV"),
    (b"{\\rtf", "it is a text with formats (RTF); export it as CSV"),
    (b"\x89PNG", "it is a picture; export the table as CSV"),
    (b"\xff\xd8\xff", "it is a picture; export the table as CSV"),
    (b"GIF8", "it is a picture; export the table as CSV"),
    (b"Rar!", "it is a RAR archive; unpack it and import the folder"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive; unpack it and import the folder"),
    (b"BZh", "it is packed with bzip2; unpack it and import what is in it"),
    (b"\xfd7zXZ", "it is packed with xz; unpack it and import what is in it"),
    (b"\x28\xb5\x2f\xfd", "it is packed with zstd; unpack it and import what is in it"),
    (b"PAR1", "it is a Parquet file; export it as CSV"),
    (b"SQLite format 3", "it is a database; export its tables as CSV"),
    (b"\xff\xfe\x00\x00", "it is UTF-32; save it as UTF-8"),
    (b"\x00\x00\xfe\xff", "it is UTF-32; save it as UTF-8"),
)
_HTML: Final = "it is a web page, whatever its name says; open it in a spreadsheet and save it as .xlsx, or export it as CSV"
_SPREADSHEET_2003: Final = "it is an XML Spreadsheet of Excel 2003; open it in a spreadsheet and save it as .xlsx, or export it as CSV"
_XML: Final = "it is XML; export it as CSV"


def refusal(head: bytes) -> str:
    """Why a file that begins like this is no table, and what to do; empty where it may be one."""
    for beginning, sentence in _BEGINNINGS:
        if head.startswith(beginning):
            return sentence
    start = head[:2048].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<table", b"<meta", b"<style")):
        return _HTML
    if start.startswith((b"<?xml", b"<workbook")):
        if b"excel.sheet" in start or b"office:spreadsheet" in start:
            return _SPREADSHEET_2003
        return _HTML if b"<html" in start else _XML
    return ""
