"""The bytes of a text file: how they are encoded, and whether anything in them asks for a careful reading."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CHUNK: Final = 1 << 20

#: Bytes that text has no use for; tabs and line ends are not among them.
_CONTROLS: Final = bytes(at for at in (*range(32), 127) if at not in (9, 10, 13))
#: What can't be seen in a cell, blanks that are no blanks, and digits of double width.
_ODD: Final = re.compile("[\u00a0\u00ad\u200b-\u200f\u202a-\u202f\u2060\u2066-\u2069\u3000\ufeff\uff01-\uff5e\x85\u2028\u2029]")
#: Share of control characters in a file's beginning from which it is a program, a picture or the like.
_BINARY: Final = 0.1
#: Name of the error handler that reads a byte which is not UTF-8 as Windows-1252.
BY_BYTE: Final = "kpi-windows-1252"


@dataclass(frozen=True)
class Scan:
    """What the bytes show.

    Attributes:
        encoding: for :func:`open`.
        errors: how bytes are decoded that are not of that encoding.
        is_odd: it must be read with care: characters nobody sees, line ends of several kinds, two encodings, no last line end.
        has_quotes: it holds quotation marks, so that cells may hold line breaks.
        note: what was assumed of the encoding; empty where nothing was.
    """

    encoding: str
    errors: str = "replace"
    is_odd: bool = False
    has_quotes: bool = True
    note: str = ""


def scan(path: Path) -> Scan:
    """Look at every byte of a file."""
    codecs.register_error(BY_BYTE, _as_windows)
    with path.open("rb") as file:
        head = file.read(_CHUNK)
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
    letters = broken = pairs = returns = feeds = 0
    odd = quotes = False
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    last = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            odd = odd or len(chunk.translate(None, _CONTROLS)) != len(chunk)
            quotes = quotes or b'"' in chunk
            pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
            returns += chunk.count(b"\r")
            feeds += chunk.count(b"\n")
            last = chunk[-1:]
            if chunk.isascii() and not decoder.getstate()[0]:
                continue
            text = decoder.decode(chunk)
            lost = text.count("\ufffd")
            broken += lost
            letters += len(text) - len(text.encode("ascii", "ignore")) - lost
            odd = odd or _ODD.search(text) is not None
    broken += decoder.decode(b"", final=True).count("\ufffd")
    alike = returns == 0 or returns == feeds == pairs
    odd = odd or not alike or last not in (b"\n", b"\r")
    if not broken:
        return Scan(encoding, is_odd=odd, has_quotes=quotes)
    if letters:
        count = "1 byte in it is" if broken == 1 else f"{broken} bytes in it are"
        return Scan(encoding, BY_BYTE, True, quotes, f"{count} not UTF-8 and read as Windows-1252")
    return Scan("cp1252", is_odd=odd, has_quotes=quotes, note="read as Windows-1252, since it is not UTF-8")


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end
