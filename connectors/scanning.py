"""The bytes of a text file: how they are encoded, and whether anything in them asks for a careful reading."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

#: A block and what is found in it fit into a processor's own memory.
_CHUNK: Final = 1 << 18
_HEAD: Final = 1 << 20

#: What spreadsheets and exports put around a cell; where it stands in one that is read as it is, the file asks for care.
MARKS: Final = "\"'=\t"
#: Bytes that text has no use for; tabs and line ends are not among them.
_CONTROLS: Final = bytes(at for at in (*range(32), 127) if at not in (9, 10, 13))
#: What can't be seen in a cell, blanks that are no blanks, and digits of double width.
_ODD: Final = re.compile("[\u00a0\u00ad\u1680\u2000-\u200f\u202a-\u202f\u205f\u2060\u2066-\u2069\u3000\ufeff\uff01-\uff5e\x85\u2028\u2029]")
#: Share of control characters in a file's beginning from which it is a program, a picture or the like.
_BINARY: Final = 0.1
_ASCII: Final = bytes(range(128))
_FEED: Final = 10
_BLANK: Final = 32
#: Name of the error handler that reads a byte which is not UTF-8 as Windows-1252.
BY_BYTE: Final = "kpi-windows-1252"


@dataclass(frozen=True)
class Scan:
    """What the bytes show.

    Attributes:
        encoding: for :func:`open`.
        errors: how bytes are decoded that are not of that encoding.
        is_odd: it must be read with care: characters nobody sees, line ends of several kinds, two encodings, no last line end.
        marks: those of ``MARKS`` that it holds anywhere.
        lines: how many line ends it has; -1 where they were not counted.
        note: what was assumed of the encoding; empty where nothing was.
    """

    encoding: str
    errors: str = "replace"
    is_odd: bool = False
    marks: str = MARKS
    lines: int = -1
    note: str = ""

    @property
    def has_quotes(self) -> bool:
        """It holds quotation marks, so that cells may hold line breaks."""
        return '"' in self.marks


def scan(path: Path) -> Scan:
    """Look at every byte of a file."""
    codecs.register_error(BY_BYTE, _as_windows)
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Scan("utf-16", is_odd=True)
    for name, zeros in (("utf-16-le", head[1:200:2]), ("utf-16-be", head[0:200:2])):
        if zeros.count(0) > len(zeros) // 2:
            return Scan(name, is_odd=True, note="read as UTF-16")
    return _scan_bytes(path, "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8")


def is_binary(head: bytes) -> bool:
    """Whether a file's beginning is no text; for encodings of one byte."""
    start = head[:4096]
    return len(start) - len(start.translate(None, _CONTROLS)) > _BINARY * len(start)


def _scan_bytes(path: Path, encoding: str) -> Scan:
    """Letters beyond ASCII as UTF-8 against bytes that are none, and the rest by the way."""
    broken = pairs = returns = feeds = 0
    odd = letters = False
    marks = ""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    last = b""
    with path.open("rb") as file:
        file.seek(len(codecs.BOM_UTF8) if encoding == "utf-8-sig" else 0)
        while chunk := file.read(_CHUNK):
            block = np.frombuffer(chunk, np.uint8)
            ends = int(np.count_nonzero(block == _FEED))
            low = int(np.count_nonzero(block < _BLANK))
            feeds += ends
            # to look whether there is one costs a tenth of counting them
            if b"\r" in chunk:
                count = chunk.count(b"\r")
                returns += count
                low -= count
                pairs += chunk.count(b"\r\n")
            pairs += last == b"\r" and chunk[:1] == b"\n"
            low -= chunk.count(b"\t") if b"\t" in chunk else 0
            odd = odd or low != ends or b"\x7f" in chunk
            marks += "".join(mark for mark in MARKS if mark not in marks and mark.encode() in chunk)
            last = chunk[-1:]
            cut = decoder.getstate()[0]
            if chunk.isascii() and not cut:
                continue
            text = decoder.decode(chunk)
            lost = text.count("\ufffd")
            broken += lost
            # few letters are not ASCII: those are looked at, and not the text around them
            rare = text if lost else (cut + chunk).translate(None, _ASCII).decode("utf-8", "ignore")
            letters = letters or len(rare) > len(rare.encode("ascii", "ignore")) + lost
            odd = odd or _ODD.search(rare) is not None
    broken += decoder.decode(b"", final=True).count("\ufffd")
    alike = returns == 0 or returns == feeds == pairs
    odd = odd or not alike or last not in (b"\n", b"\r")
    if not broken:
        return Scan(encoding, "replace", odd, marks, feeds)
    if letters:
        several = "1 byte in it is" if broken == 1 else f"{broken} bytes in it are"
        return Scan(encoding, BY_BYTE, True, marks, feeds, f"{several} not UTF-8 and read as Windows-1252")
    return Scan("cp1252", "replace", odd, marks, feeds, "read as Windows-1252, since it is not UTF-8")


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end
