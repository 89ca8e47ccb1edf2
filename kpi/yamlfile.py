"""The only reader of YAML: values with their line and dotted path, and every problem at once.

Less than YAML on purpose. Anchors and aliases (a 300-byte file can expand to millions of values), tags, merge
keys, tabs, second documents and repeated keys are refused: ``yaml.safe_load`` takes the last of two equal keys
without a word. Nothing is turned into a Python number or date here: ``65.10`` stays the text that somebody
wrote, so no decimal passes through a float, and each section asks for the type it wants.

What YAML 1.1 would read as something else than it looks like (``no`` as false, ``1:30`` as 90, ``010`` as 8) is
a problem too: editors and other programs read it that way.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from kpi.errors import Problem
from kpi.yamlrepair import Repair, lines_with_tabs
from kpi.yamlsyntax import INDENTATION, NO_COLON, line_of, sentence_of

#: A catalogue of a hundred metrics is some 50 kB; the limit only stops a file that is not one.
MAX_BYTES: Final = 1_000_000
#: The language needs six levels.
MAX_DEPTH: Final = 20
#: Mistakes in the YAML itself that are read on behind; who has more has another file in hand.
MAX_REPAIRS: Final = 200
#: Characters read a second time behind mistakes, about a second: enough for any where each is read from its own entry on.
MAX_READ: Final = 400_000
#: More problems than anybody reads at once.
MAX_PROBLEMS: Final = 1000

_SWITCH: Final = re.compile(r"(?:yes|no|on|off)\Z", re.IGNORECASE)
_SEXAGESIMAL: Final = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")
_OTHER_BASE: Final = re.compile(r"[-+]?(?:0[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+)\Z")
_NULL: Final = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True)
class Scalar:
    """A single value as written. ``quoted`` tells ``'2026'`` from ``2026``."""

    line: int
    path: str
    text: str
    quoted: bool = False

    @property
    def is_null(self) -> bool:
        """Nothing written, ``~`` or ``null``."""
        return not self.quoted and self.text in _NULL


@dataclass(frozen=True)
class Broken(Scalar):
    """Stands for a value that can't be read, which is a problem already: nothing more is said of it."""


@dataclass(frozen=True)
class Sequence:
    """A list; the path of its items counts from one, ``drivers[1]``."""

    line: int
    path: str
    items: tuple[Value, ...]


@dataclass(frozen=True)
class Entry:
    """One key of a mapping with its value; the key's line is where a wrong key is reported."""

    key: Scalar
    value: Value


@dataclass(frozen=True)
class Mapping:
    """Keys in the order of the file; a repeated key is left out, and is a problem."""

    line: int
    path: str
    entries: tuple[Entry, ...]

    def __iter__(self) -> Iterator[tuple[str, Value]]:
        return ((entry.key.text, entry.value) for entry in self.entries)

    def get(self, name: str) -> Value | None:
        """The value of a key, or None."""
        return next((entry.value for entry in self.entries if entry.key.text == name), None)


Value = Scalar | Sequence | Mapping


@dataclass
class _Open:
    """A list or mapping that the events have begun and not ended."""

    line: int
    path: str
    is_mapping: bool
    items: list[Value]
    entries: list[Entry]
    seen: dict[str, int]
    key: Scalar | None = None
    key_seen: bool = False
    #: Written in lines, without braces.
    is_block: bool = False

    def child_path(self) -> str:
        if not self.is_mapping:
            return f"{self.path}[{len(self.items) + 1}]"
        name = self.key.text if self.key is not None else "?"
        return f"{self.path}.{name}" if self.path else name


@dataclass(frozen=True)
class _Mark:
    """The beginning of a section or of an entry of one, from which the lines behind it can be read anew.

    Attributes:
        line: its number, from 1.
        before: the line that leads the parser there: nothing, or the section's key.
        open, kept: the mappings that are open there, the outer one first, with how many entries each has.
        section: the key of the outer one that the inner one is the value of.
        problems: how many there were.
    """

    line: int
    before: str
    open: tuple[_Open, ...]
    kept: tuple[int, ...]
    section: Scalar | None
    problems: int


def read(path: Path, name: str | None = None) -> tuple[Value | None, list[Problem]]:
    """Read a file; ``name`` is what problems call it (default: the path as given).

    Returns the tree (None where there is none to speak of) and the problems. Never raises for what a file holds.
    """
    shown = str(path) if name is None else name
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None, [Problem(shown, 1, "", "there is no such file; KPI_METRICS says where it is")]
    except IsADirectoryError:
        return None, [Problem(shown, 1, "", "this is a folder, not a YAML file")]
    except OSError as error:
        return None, [Problem(shown, 1, "", f"the file can't be opened: {error.strerror or error}")]
    return parse(content, shown)


def parse(content: bytes, name: str) -> tuple[Value | None, list[Problem]]:
    """Read the bytes of a file called ``name``; see :func:`read`."""
    if len(content) > MAX_BYTES:
        return None, [Problem(name, 1, "", f"the file is larger than {MAX_BYTES // 1_000_000} MB; definitions are far smaller")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [Problem(name, line, "", "the file is not UTF-8; save it as UTF-8")]
    return _Reader(name).tree(text)


class _Reader:
    """Builds the tree from the parser's events; no recursion, so that depth is a number and not a crash."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.open: list[_Open] = []
        self.root: Value | None = None
        self.broken: set[int] = set()
        self.marks: list[_Mark] = []

    def problem(self, line: int, key: str, message: str) -> None:
        self.problems.append(Problem(self.name, line, key, message))

    def tree(self, text: str) -> tuple[Value | None, list[Problem]]:
        repair = Repair(text)
        sentence = "there is a tab in this line; indent and separate with spaces"
        told = [Problem(self.name, number, "", sentence) for number in lines_with_tabs(text)]
        tabs = len(told)
        repair.untab()
        self.broken = repair.broken
        read, from_line = 0, 1
        for _ in range(1 + MAX_REPAIRS):
            mark = self._back_to(from_line)
            lines = repair.lines if mark is None else [mark.before, *repair.lines[mark.line - 1 :]]
            above = 0 if mark is None else mark.line - 2  # lines of the file above the first of these
            try:
                self._events(lines, above, mark)
                break
            except yaml.MarkedYAMLError as error:
                self.root = None
                if tabs:  # the parser's own sentence about what was made of them says less
                    return None, told[:MAX_PROBLEMS]
                line, message = above + line_of(error, lines), sentence_of(error)
                problem = Problem(self.name, line, "", message)
                told += [problem] if problem not in told else []
                read += error.problem_mark.index if error.problem_mark else len(text)
                from_line = repair.behind(line, message in INDENTATION, message == NO_COLON)
                if not from_line or read > len(text) + MAX_READ:
                    break
            except yaml.reader.ReaderError as error:
                before = text[: error.position] if isinstance(error.position, int) else ""
                self.problem(before.count("\n") + 1, "", "there is a control character in this line; remove it")
                self.root = None
                break
            except _TooDeep as error:
                self.problem(error.line, "", f"nested more than {MAX_DEPTH} levels deep; the language needs six")
                self.root = None
                break
        return self.root, (told + (self.problems if self.root is not None or len(told) == tabs else []))[:MAX_PROBLEMS]

    def _back_to(self, line: int) -> _Mark | None:
        """Forget all since the last mark before a line, so that what follows the mark can be read; None: all of it."""
        while self.marks and self.marks[-1].line >= line:
            self.marks.pop()
        mark = self.marks[-1] if self.marks else None
        del self.problems[0 if mark is None else mark.problems :]
        self.open = [] if mark is None else list(mark.open)
        for top, count in zip(self.open, () if mark is None else mark.kept, strict=True):
            del top.entries[count:]
            top.seen = {entry.key.text: entry.key.line for entry in top.entries}
            top.key, top.key_seen = (mark.section, True) if mark and top is not self.open[-1] else (None, False)
        self.root = None
        return mark

    def _mark(self, event: yaml.ScalarEvent, lines: list[str], above: int) -> None:
        """Set one at a key that begins a line, of the file or of a section."""
        if len(self.open) not in (1, 2) or not all(top.is_mapping and top.is_block for top in self.open) or self.open[-1].key_seen:
            return
        at = event.start_mark
        if at is None:
            return
        place, column = at.line, at.column
        if lines[place][:column].strip() or above + place + 1 <= (self.marks[-1].line if self.marks else 0):
            return
        kept = tuple(len(top.entries) for top in self.open)
        before = "" if len(kept) == 1 else "section:"
        self.marks.append(_Mark(above + place + 1, before, tuple(self.open), kept, self.open[0].key, len(self.problems)))

    def _events(self, lines: list[str], above: int, mark: _Mark | None) -> None:
        """Take in what lines say; ``above``: how many of the file stand above them. What leads to a mark is known."""
        documents = 0
        text = "\n".join(lines)
        # All characters are looked at on the first reading, and later only those that are read.
        known = 0 if mark is None else 2 * len(mark.kept) - 1
        for event in yaml.parse(text if mark is None else io.StringIO(text), Loader=yaml.SafeLoader):
            if known and isinstance(event, yaml.NodeEvent):
                known -= 1
                continue
            line = above + event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.problem(line, "", "a second document begins here (---); one file holds one")
                    return
            elif isinstance(event, yaml.AliasEvent):
                if not self._is_refused():  # nor is a merge key, which is told already
                    words = "aliases are not allowed; write the value out, and text with * in quotes"
                    self.problem(line, self._path(), f"*{event.anchor}: {words}")
                self._value(Scalar(line, self._path(), "", True))
            elif isinstance(event, yaml.ScalarEvent):
                self._mark(event, lines, above)
                self._refuse_marks(event, line)
                quoted = event.style in ("'", '"', "|", ">")
                scalar = Scalar(line, self._path(), self._whole(event.value, line), quoted)
                if scalar.is_null and line in self.broken:
                    scalar = Broken(line, scalar.path, "")
                self._trap(scalar, self._path_of_key(scalar.text))
                self._value(scalar)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self._refuse_marks(event, line)
                if len(self.open) >= MAX_DEPTH:
                    raise _TooDeep(line)
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                self.open.append(_Open(line, self._path(), is_mapping, [], [], {}, is_block=not event.flow_style))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                done = self.open.pop()
                self._value(
                    Mapping(done.line, done.path, tuple(done.entries))
                    if done.is_mapping
                    else Sequence(done.line, done.path, tuple(done.items))
                )

    def _is_refused(self) -> bool:
        """Whether a value is due whose key is a problem already."""
        return bool(self.open) and self.open[-1].is_mapping and self.open[-1].key_seen and self.open[-1].key is None

    def _path(self) -> str:
        if not self.open:
            return ""
        top = self.open[-1]
        return top.child_path() if top.key_seen or not top.is_mapping else top.path

    def _refuse_marks(self, event: yaml.NodeEvent, line: int) -> None:
        if event.anchor is not None:
            self.problem(line, self._path(), f"&{event.anchor}: anchors are not allowed; write the value out where it is needed")
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.problem(line, self._path(), f"{tag.replace('tag:yaml.org,2002:', '!!')}: tags are not allowed")

    def _whole(self, text: str, line: int) -> str:
        """A text that can be written: "\\ud800" in quotes is half a character, and no encoding has it."""
        plain = text.encode("utf-8", "replace").decode("utf-8")
        if plain != text:
            self.problem(line, self._path(), "half a character is escaped here (\\ud800 to \\udfff); write the character itself")
        return plain

    def _path_of_key(self, text: str) -> str:
        """The path of a scalar, which may be a key and is then part of it."""
        top = self.open[-1] if self.open else None
        if top is None or not top.is_mapping or top.key_seen:
            return self._path()
        return f"{top.path}.{text}" if top.path else text

    def _trap(self, scalar: Scalar, path: str) -> None:
        if scalar.quoted:
            return
        if _SWITCH.match(scalar.text):
            meaning = "true" if scalar.text.lower() in ("yes", "on") else "false"
            self.problem(scalar.line, path, f"YAML reads {scalar.text} as {meaning}; write '{scalar.text}' in quotes for the word")
        elif _SEXAGESIMAL.match(scalar.text):
            self.problem(scalar.line, path, f"YAML reads {scalar.text} as a number to base 60; write '{scalar.text}' in quotes")
        elif _OTHER_BASE.match(scalar.text):
            self.problem(scalar.line, path, f"YAML reads {scalar.text} as a number to base 8, 16 or 2; write '{scalar.text}' in quotes")

    def _value(self, value: Value) -> None:
        if not self.open:
            self.root = value
            return
        top = self.open[-1]
        if not top.is_mapping:
            top.items.append(value)
        elif not top.key_seen:
            top.key_seen = True
            if isinstance(value, Scalar) and value.text == "<<" and not value.quoted:
                self.problem(value.line, top.path, "<<: merge keys are not allowed; write the values out")
            elif isinstance(value, Scalar) and value.text != "":
                top.key = value
            else:
                self.problem(value.line, top.path, "a key must be a single word or text")
        else:
            if top.key is not None:
                self._entry(top, Entry(top.key, value))
            top.key, top.key_seen = None, False

    def _entry(self, top: _Open, entry: Entry) -> None:
        first = top.seen.get(entry.key.text)
        if first is not None:
            self.problem(entry.key.line, entry.value.path, f"this key is there already, in line {first}; keep one of them")
        else:
            top.seen[entry.key.text] = entry.key.line
            top.entries.append(entry)


class _TooDeep(Exception):
    def __init__(self, line: int) -> None:
        self.line = line
