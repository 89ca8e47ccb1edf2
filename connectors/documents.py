"""A file of JSON -> its records, each with the physical line on which it begins.

Recognised are an array of objects, objects one after another (NDJSON or pretty-printed), and pages: objects that hold
the array under a name (``{"results": […], "paging": …}``), one or several of them, one after another or in an array. The
file is never held whole: arrays are walked element by element. Numbers stay the text that stands in the file, so that no
decimal passes through a float and no id beyond 2^53 is rounded.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from connectors.base import Trouble
from connectors.packing import NotATable
from connectors.reading import MOST_COLUMNS, Text

Path = tuple[str, ...]
Object = dict[str, Any]

#: Characters of one record: the widest seen, an issue with all its history, has less than two million.
MOST_RECORD: Final = 32 << 20
#: Memory that one record may take as Python's objects. A file below 10 MB is read in less than 300 MB, of which the program is half.
_MOST_MEMORY: Final = 96 << 20
#: Text below which no record takes so much.
_SMALL: Final = 1 << 19
_TOO_FULL: Final = "holds more objects and values than any export's record has"
#: What is looked at to find out what a file holds: so many records, within so many characters.
SAMPLE: Final = 200
SAMPLE_CHARACTERS: Final = 4 << 20
#: How deep in objects a page may hold its records: ``data.repository.issues.nodes`` is four.
DEEPEST_PAGE: Final = 4
#: An exponent beyond this is no amount; written out it would only fill memory.
_WIDEST: Final = 60
_TOO_DEEP: Final = "what begins on line {} has lists in lists deeper than any export"
_CHUNK: Final = 1 << 20
#: May stand behind the object of a line.
_BEHIND: Final = ", \t"
#: Blanks, a byte-order mark of files put together, and the separator of JSON text sequences (RFC 7464).
_BLANKS: Final = re.compile("[ \t\r\n\ufeff\x1e]*")
_OPENS: Final = re.compile(r'[\ufeff\s\x1e]*(\{\s*["}]|\[\s*[\[{\]"]|[\[{]\s*$)')
_SCALAR: Final = re.compile(r'[\ufeff\s]*(true|false|null|-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|"[^"\n]*")\s*')


@dataclass(frozen=True)
class Found:
    """A record of a file.

    Attributes:
        line: physical line on which it begins, 1-based.
        value: the object.
    """

    line: int
    value: Object


@dataclass
class Sample:
    """What the first records under one path of a page look like.

    Attributes:
        path: names of the objects that hold them; empty for the file's own.
        names: dotted names of everything in them.
        says: dotted name -> the first texts that stand there.
        count: how many were looked at.
    """

    path: Path
    names: dict[str, None] = field(default_factory=dict)
    says: dict[str, set[str]] = field(default_factory=dict)
    count: int = 0

    def add(self, value: Any, name: str = "") -> None:
        """Take in an object, with everything in it.

        Raises:
            NotATable: it has more keys than any record.
        """
        if isinstance(value, dict):
            for key, inner in value.items():
                dotted = f"{name}.{key}" if name else key
                self.names[dotted] = None
                if len(self.names) > MOST_COLUMNS:
                    raise NotATable(f"its records have more than {MOST_COLUMNS:,} keys, more than any spreadsheet has columns")
                self.add(inner, dotted)
        elif isinstance(value, list):
            for inner in value[:SAMPLE]:
                self.add(inner, name)
        elif value is not None and len(said := self.says.setdefault(name, set())) < 8:
            said.add(text_of(value)[:100])


def is_json(text: Text) -> bool:
    """Whether the file is to be read as JSON: it begins as an object or an array does."""
    return _OPENS.match(text.head[:_CHUNK]) is not None and not text.is_sheet


def is_scalar(text: Text) -> bool:
    """Whether the whole file is one number, text or word of JSON."""
    return len(text.head) < 1000 and _SCALAR.fullmatch(text.head) is not None


def text_of(value: Any) -> str:
    """A value as a cell: nothing for null and for objects, the elements of a list joined by ', '."""
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(filter(None, (text_of(item) for item in value)))
    return ""


def _number(written: str) -> str:
    """A number as it stands in the file, an exponent written out."""
    if "e" not in written and "E" not in written:
        return written
    try:
        number = Decimal(written)
    except InvalidOperation:
        return written
    return format(number, "f") if abs(number.adjusted()) <= _WIDEST and len(written) <= _WIDEST else written


class _Twice(dict[str, Any]):
    """An object in which a key stands twice with different values."""

    name = ""


class _Decoder:
    """Python's decoder, which keeps the text of numbers and tells of keys that stand twice.

    Attributes:
        is_twice: an object with such a key was decoded since this was last set to False.
    """

    def __init__(self) -> None:
        self.is_twice = False
        self.raw_decode = json.JSONDecoder(
            object_pairs_hook=self._object, parse_float=_number, parse_int=str, parse_constant=str, strict=False
        ).raw_decode

    def _object(self, pairs: list[tuple[str, Any]]) -> Object:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        seen: Object = {}
        for key, value in pairs:
            if key in seen and seen[key] != value:
                self.is_twice = True
                twice = _Twice(made)
                twice.name = key
                return twice
            seen[key] = value
        return made

    def check(self, value: Any) -> str:
        """The dotted name of a key that stands in ``value`` twice, with different values; empty for none."""
        if not self.is_twice:
            return ""
        self.is_twice = False
        return _key_twice(value)


def _takes_much(text: str) -> bool:
    """Whether what is written here may take more memory than a record should.

    CPython 3.11 takes 184 bytes for an object of one key, some 60 for a short text in a list, and twice that again in an object.
    """
    if len(text) < _SMALL:
        return False
    return 200 * text.count("{") + 60 * text.count(",") + 120 * text.count('":') > _MOST_MEMORY


def _key_twice(value: Any) -> str:
    if isinstance(value, _Twice):
        return value.name
    if isinstance(value, dict):
        inside: Iterable[tuple[str, Any]] = value.items()
    elif isinstance(value, list):
        inside = (("", item) for item in value)
    else:
        return ""
    for key, inner in inside:
        if isinstance(inner, dict | list) and (name := _key_twice(inner)):
            return f"{key}.{name}" if key else name
    return ""


class _Enough(Exception):
    """The sample is full."""


class _Window:
    """A moving piece of the file, and where in it we are."""

    def __init__(self, text: Text) -> None:
        self.file = text.path.open(encoding=text.encoding, errors=text.errors, newline=None)
        self.buffer = ""
        self.at = 0
        self.is_last = False
        self.decoder = _Decoder()
        self.consumed = 0
        self._line = 1
        self._counted = 0
        self._before = 0  # characters of the line at hand that were dropped

    @property
    def line(self) -> int:
        """Physical line of the place at hand."""
        self._line += self.buffer.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def more(self) -> None:
        """Drop what is behind us and read on; the longer what is kept, the more, so that long values are not read over and over."""
        _ = self.line
        end = self.buffer.rfind("\n", 0, self.at)
        self._before = self.at - end - 1 if end >= 0 else self._before + self.at
        rest = self.buffer[self.at :]
        self.consumed += self.at
        self.at = self._counted = 0
        chunk = self.file.read(max(_CHUNK, len(rest)))
        self.is_last = not chunk
        self.buffer = rest + chunk

    def peek(self) -> str:
        """The next character that is not blank; empty at the end of the file."""
        while True:
            match = _BLANKS.match(self.buffer, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.buffer) or self.is_last:
                return self.buffer[self.at : self.at + 1]
            self.more()

    def decode(self) -> Any:
        """The value here, whole."""
        while True:
            try:
                value, end = self.decoder.raw_decode(self.buffer, self.at)
            except json.JSONDecodeError as error:
                # a text that goes on, or a word cut in two, may be whole further on
                end = len(self.buffer.rstrip()) if self.is_last else len(self.buffer) - 16
                open_ended = error.msg.startswith("Unterminated") or error.pos >= end
                if not self.is_last and open_ended and len(self.buffer) - self.at < MOST_RECORD:
                    is_long = len(self.buffer) - self.at > _SMALL
                    self.more()
                    if is_long and _takes_much(self.buffer):
                        raise NotATable(f"the record that begins on line {self.line} {_TOO_FULL}") from None
                    continue
                self.refuse(error, open_ended)
            except RecursionError:
                raise NotATable(_TOO_DEEP.format(self.line)) from None
            if end == len(self.buffer) and not self.is_last and not isinstance(value, dict | list):
                self.more()  # a number may go on
                continue
            self.at = end
            return value

    def refuse(self, error: json.JSONDecodeError, open_ended: bool) -> NoReturn:
        """Say where the JSON breaks off or breaks down."""
        begins = self.line
        if open_ended and not self.is_last:
            raise NotATable(f"the record that begins on line {begins} is longer than {MOST_RECORD >> 20} million characters")
        if open_ended:
            raise NotATable(f"its JSON is cut off: what begins on line {begins} never ends. Export it again")
        self.at = error.pos
        self.broken(error.msg[0].lower() + error.msg[1:])

    def broken(self, what: str) -> NoReturn:
        """Refuse the file: after this nothing in it can be told from anything else."""
        if self.peek() == "":
            raise NotATable("its JSON is cut off: it ends in the middle. Export it again")
        end = self.buffer.rfind("\n", 0, self.at)
        column = self.at - end if end >= 0 else self._before + self.at + 1
        raise NotATable(f"its JSON is damaged on line {self.line}, character {column}: {what}")

    def items(self) -> Iterator[None]:
        """Stand on each element of the array here in turn; whoever asks must read it before the next."""
        self.at += 1
        if self.peek() == "]":
            self.at += 1
            return
        while True:
            yield
            mark = self.peek()
            if mark not in (",", "]"):
                self.broken("a comma or the end of a list is missing")
            self.at += 1
            if mark == "]":
                return
            self.peek()

    def members(self) -> Iterator[str]:
        """Stand on the value of each key of the object here in turn; whoever asks must read it before the next."""
        self.at += 1
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            if self.peek() != '"':
                self.broken("a key in quotes is missing")
            key = str(self.decode())
            if self.peek() != ":":
                self.broken("a colon is missing")
            self.at += 1
            self.peek()
            yield key
            mark = self.peek()
            if mark not in (",", "}"):
                self.broken("a comma or the end of an object is missing")
            self.at += 1
            if mark == "}":
                return

    def skip(self) -> None:
        """Pass over the value here; an array is not held."""
        if self.peek() == "[":
            for _ in self.items():
                self.decode()
        else:
            self.decode()

    def glance(self, keep: Callable[[Any], None]) -> None:
        """Hand over the value here, of which long arrays are cut; an object is handed over before it is filled.

        Raises:
            _Enough: the sample's characters are read; what was handed over holds what was found so far.
        """
        start = self.peek()
        if self.consumed + self.at > SAMPLE_CHARACTERS:
            raise _Enough
        if start == "[":
            made: list[Any] = []
            keep(made)
            for _ in self.items():
                if len(made) < SAMPLE:
                    self._glance_item(made)
                else:
                    if self.consumed + self.at > SAMPLE_CHARACTERS:
                        raise _Enough
                    self.decode()
        elif start == "{":
            shown: Object = {}
            keep(shown)
            for key in self.members():
                self.glance(lambda value, key=key: shown.__setitem__(key, value))  # type: ignore[misc]
        else:
            keep(self.decode())

    def _glance_item(self, made: list[Any]) -> None:
        """An element that lies whole in what is read is decoded at once, which is many times faster."""
        try:
            value, end = self.decoder.raw_decode(self.buffer, self.at)
        except (json.JSONDecodeError, RecursionError):
            self.glance(made.append)
            return
        if end == len(self.buffer):
            self.glance(made.append)
            return
        made.append(value)
        self.at = end


class Document:
    """A file of JSON.

    Attributes:
        text: the file.
        by_line: each line is a value of its own (NDJSON), so that a damaged one harms no other.
    """

    def __init__(self, text: Text) -> None:
        self.text = text
        self.by_line = _is_by_line(text.head)
        self._decoder = _Decoder()

    def samples(self) -> list[Sample]:
        """What the first records look like, under each path that may hold them; the shallowest first.

        Raises:
            NotATable: damaged from the start.
        """
        found: dict[Path, Sample] = {}
        try:
            for value in self._first():
                _gather(value, (), found)
        except RecursionError:
            raise NotATable(_TOO_DEEP.format(1)) from None
        return sorted(found.values(), key=lambda sample: len(sample.path))

    def _first(self) -> list[Any]:
        """The first values of the file, of which long arrays are cut."""
        if self.by_line:
            return list(itertools.islice((value for _, value in self._lines() if not isinstance(value, Trouble)), SAMPLE))
        values: list[Any] = []
        window = _Window(self.text)
        with window.file:
            try:
                while window.peek() and len(values) < SAMPLE:
                    window.glance(values.append)
            except _Enough:
                pass
            except RecursionError:
                raise NotATable(_TOO_DEEP.format(window.line)) from None
        return values

    def records(self, path: Path) -> Iterator[Found | Trouble]:
        """The objects under ``path`` of every page, and what stands in their place and is none.

        Raises:
            NotATable: damaged or cut off, so that nothing that follows can be told apart.
        """
        if self.by_line:
            for line, value in self._lines():
                if isinstance(value, Trouble):
                    yield value
                else:
                    yield from _records_in(self._decoder, line, value, path, within=False)
            return
        window = _Window(self.text)
        with window.file:
            try:
                while window.peek():
                    yield from _walk(window, path, within=False)
            except RecursionError:
                raise NotATable(_TOO_DEEP.format(window.line)) from None

    def page(self, path: Path, names: tuple[str, ...]) -> Object:
        """Members that the pages have beside their records, by name; of several pages all together.

        The walk passes over the records, since a page may write its members behind them.
        """
        found: Object = {}
        if not path or not names:
            return found
        if self.by_line:
            for _, value in self._lines():
                for name in names:
                    _take(found, name, value.get(name) if isinstance(value, dict) else None)
            return found
        window = _Window(self.text)
        with window.file:
            while window.peek():
                _members_beside(window, names, found)
        return found

    def _lines(self) -> Iterator[tuple[int, Any]]:
        """The value of each line, or a trouble where it is damaged."""
        with self.text.path.open(encoding=self.text.encoding, errors=self.text.errors, newline=None) as file:
            number = 0
            while line := file.readline(MOST_RECORD):
                number += 1
                if len(line) == MOST_RECORD:
                    raise NotATable(f"line {number} is longer than {MOST_RECORD >> 20} million characters")
                said = line.strip(" \t\r\n\ufeff\x1e")
                if not said:
                    continue
                if _takes_much(said):
                    yield number, Trouble(number, "", said[:200], f"it {_TOO_FULL}")
                    continue
                try:
                    value, end = self._decoder.raw_decode(said)
                    if said[end:].strip(_BEHIND):
                        raise json.JSONDecodeError("more stands behind the object", said, end)
                except json.JSONDecodeError as error:
                    reason = f"its JSON is damaged at character {error.pos + 1}: {error.msg[0].lower()}{error.msg[1:]}"
                    yield number, Trouble(number, "", said[:200], reason)
                except RecursionError:
                    yield number, Trouble(number, "", said[:200], "it has lists in lists deeper than any export")
                else:
                    yield number, value


def _is_by_line(head: str) -> bool:
    """The first two lines look like objects, and most lines are one each: one that is damaged is told by its neighbours."""
    lines = [line.strip(" \t\r\ufeff\x1e") for line in head.split("\n", 100)[:100]]
    lines = [line for line in lines if line][:20]
    if len(lines) < 2 or not (lines[0].startswith("{") and lines[1].startswith("{")):
        return False
    return 2 * sum(1 for line in lines if _is_object(line)) >= len(lines)


def _is_object(line: str) -> bool:
    try:
        value, end = _Decoder().raw_decode(line)
    except (json.JSONDecodeError, RecursionError):
        return False
    return isinstance(value, dict) and not line[end:].strip(_BEHIND)


def _gather(value: Any, path: Path, found: dict[Path, Sample]) -> None:
    """Take objects into the sample of their path, and look for lists of objects in them."""
    if isinstance(value, list):
        for item in value:
            _gather(item, path, found)
    elif isinstance(value, dict):
        sample = found.setdefault(path, Sample(path))
        if sample.count < SAMPLE:
            sample.count += 1
            sample.add(value)
            _gather_lists(value, path, found)


def _gather_lists(value: Object, path: Path, found: dict[Path, Sample]) -> None:
    if len(path) >= DEEPEST_PAGE:
        return
    for key, inner in value.items():
        if isinstance(inner, list) and any(isinstance(item, dict) for item in inner):
            _gather(inner, (*path, key), found)
        elif isinstance(inner, dict):
            _gather_lists(inner, (*path, key), found)


def _walk(window: _Window, path: Path, within: bool) -> Iterator[Found | Trouble]:
    """The records in the value at hand."""
    mark = window.peek()
    if mark == "[":
        for _ in window.items():
            yield from _walk(window, path, within)
    elif mark == "{" and path:
        line, has_list = window.line, False
        for key in window.members():
            if key == path[0]:
                has_list = True
                yield from _walk(window, path[1:], within=True)
            else:
                window.skip()
        if not has_list:
            yield _no_page(line, path)
    elif not mark:
        window.broken("")
    else:
        line = window.line
        yield from _record(window.decoder, line, window.decode(), within or bool(path))


def _records_in(decoder: _Decoder, line: int, value: Any, path: Path, within: bool) -> Iterator[Found | Trouble]:
    """As :func:`_walk`, in a value that is decoded already."""
    if isinstance(value, list):
        for item in value:
            yield from _records_in(decoder, line, item, path, within)
    elif isinstance(value, dict) and path:
        if path[0] in value:
            yield from _records_in(decoder, line, value[path[0]], path[1:], within=True)
        else:
            yield _no_page(line, path)
    else:
        yield from _record(decoder, line, value, within or bool(path))


def _record(decoder: _Decoder, line: int, value: Any, within: bool) -> Iterator[Found | Trouble]:
    if value is None and within:
        return  # a page without records
    if not isinstance(value, dict):
        yield Trouble(line, "", text_of(value)[:200], "it is no object")
    elif name := decoder.check(value):
        yield Trouble(line, name, "", f'the key "{name}" stands in it twice, with different values')
    else:
        yield Found(line, value)


def _no_page(line: int, path: Path) -> Trouble:
    return Trouble(line, ".".join(path), "", f'it has no "{path[0]}", in which the other pages hold their records')


def _members_beside(window: _Window, names: tuple[str, ...], found: Object) -> None:
    mark = window.peek()
    if mark == "[":
        for _ in window.items():
            _members_beside(window, names, found)
    elif mark == "{":
        for key in window.members():
            if key in names:
                _take(found, key, window.decode())
            else:
                window.skip()
    else:
        window.decode()


def _take(found: Object, name: str, value: Any) -> None:
    if isinstance(value, dict) and isinstance(found.get(name), dict):
        found[name] |= value
    elif value is not None:
        found[name] = value
