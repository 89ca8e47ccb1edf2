"""Reading the values of a YAML tree with the type a section wants; what doesn't fit becomes a problem."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from kpi import yamlfile
from kpi.errors import KpiError, Problem, did_you_mean

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_PLAIN: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,12})?\Z")


class Key(NamedTuple):
    """A key of a section: what it means and what it accepts, for messages and for ``docs/metrics.md``."""

    name: str
    accepts: str
    meaning: str
    required: bool = False


class Cascade(KpiError):
    """Something that is a problem of its own already; who needs it stays silent."""

    def __init__(self) -> None:
        super().__init__("defined wrongly elsewhere")


@dataclass
class Problems:
    """All problems of one file, collected; readers return None where they have added one."""

    file: str
    found: list[Problem] = field(default_factory=list)
    #: Places where the YAML itself is wrong: nothing more is said about them.
    _silent: frozenset[tuple[int, str]] = frozenset()
    #: Keys that a misspelt one stands for: that they are missing is no second mistake.
    _meant: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._silent = frozenset((problem.line, problem.key) for problem in self.found)

    def add(self, line: int, path: str, message: str) -> None:
        """Add one."""
        if (line, path) not in self._silent and path not in self._meant:
            self.found.append(Problem(self.file, line, path, message))

    def at(self, value: yamlfile.Value, message: str) -> None:
        """Add one at a value, unless the value itself can't be read."""
        if isinstance(value, yamlfile.Broken):
            return
        self.add(value.line, value.path, message)

    def mapping(self, value: yamlfile.Value, what: str) -> yamlfile.Mapping | None:
        """The value as keys with values; ``what`` says what is accepted."""
        if isinstance(value, yamlfile.Mapping):
            return value
        self.at(value, f"needs {what}, not {_kind(value)}")
        return None

    def keys(
        self,
        mapping: yamlfile.Mapping,
        keys: Iterable[Key],
        whole: str,
        later: Iterable[str] = (),
        elsewhere: Mapping[str, str] = MappingProxyType({}),
    ) -> bool:
        """Check the keys; unknown ones get the nearest spelling. True when none is missing.

        ``whole`` is what the keys are of, in words. Keys in ``later`` are told from unknown ones, and so are those of
        ``elsewhere``, whose words say where they belong.
        """
        known = {key.name: key for key in keys}
        later = tuple(later)
        for entry in mapping.entries:
            name = entry.key.text
            if name in later:
                self.add(entry.key.line, entry.value.path, f"not supported yet: {name} belongs to a later version")
            elif name not in known:
                absent = [key for key in known if mapping.get(key) is None]
                if name in elsewhere and not any(did_you_mean(name, [key.name]) for key in keys if key.required and key.name in absent):
                    self.add(entry.key.line, entry.value.path, f"{name} {elsewhere[name]}")
                    continue
                near = did_you_mean(name, absent) or did_you_mean(name, known)
                if near:  # "off:" for "of:" is a slip of the pen before it is a trap of YAML
                    self._untrapped(entry.key.line, entry.value.path)
                self._meant |= {_join(mapping.path, key) for key in absent if f'"{key}"' in near}
                self.add(entry.key.line, entry.value.path, f'{whole} has no key "{name}"{near or "; known are " + ", ".join(known)}')
        missing = [key.name for key in known.values() if key.required and mapping.get(key.name) is None]
        for name in missing:
            self.add(mapping.line, _join(mapping.path, name), f"{whole} needs this key: {known[name].accepts}")
        return not missing

    def _untrapped(self, line: int, path: str) -> None:
        """Forget what the YAML's reader said of a key."""
        if (line, path) in self._silent:
            self.found = [problem for problem in self.found if (problem.line, problem.key) != (line, path)]
            self._silent -= {(line, path)}

    def text(self, value: yamlfile.Value | None, what: str = "text") -> str | None:
        """The value as text, as written; None for a missing one."""
        if value is None:
            return None
        if not isinstance(value, yamlfile.Scalar):
            self.at(value, f"needs {what}, not {_kind(value)}")
        elif value.is_null or not value.text.strip():
            self.at(value, f"has no value; it needs {what}")
        else:
            return value.text.strip()
        return None

    def texts(self, value: yamlfile.Value, what: str) -> list[yamlfile.Scalar]:
        """One text or a list of them."""
        items: Sequence[yamlfile.Value] = value.items if isinstance(value, yamlfile.Sequence) else (value,)
        if not items:
            self.at(value, f"the list is empty; it needs {what}")
        return [item for item in items if self.text(item, what) is not None and isinstance(item, yamlfile.Scalar)]

    def names(self, value: yamlfile.Value, what: str) -> list[yamlfile.Scalar]:
        """One name or a list of them; names hold no commas."""
        found = self.texts(value, what)
        for item in found:
            if "," in item.text:
                self.at(item, f'"{item.text}" is one text; write a list: [{item.text}]')
        return [item for item in found if "," not in item.text]

    def choice(self, value: yamlfile.Value | None, accepted: Sequence[str], what: str) -> str | None:
        """One of a few words."""
        text = self.text(value, what)
        if text is None or value is None:
            return None
        if text in accepted:
            return text
        self.at(value, f'"{text}" is not {what}; accepted are {", ".join(accepted)}{did_you_mean(text, accepted)}')
        return None

    def number(self, value: yamlfile.Value | None, what: str) -> Decimal | None:
        """A plain decimal, taken from its text, so that no digit is lost."""
        text = self.text(value, what)
        if text is None or value is None:
            return None
        if _PLAIN.match(text):
            return Decimal(text)
        self.at(value, f'"{text}" is not {what}; write digits, with a point before decimals, like 1250.50')
        return None

    def name(self, key: yamlfile.Scalar, path: str, reserved: Iterable[str], what: str) -> bool:
        """Check the name of a metric or dimension."""
        if not NAME.match(key.text):
            self.add(key.line, path, f'"{key.text}" can\'t be {what}; use small letters, digits and _, and begin with a letter')
            return False
        if key.text in tuple(reserved):
            self.add(key.line, path, f'"{key.text}" can\'t be {what}; the word has a meaning of its own')
            return False
        return True


def written(value: yamlfile.Value) -> str:
    """A value as one line of text, for ``explain``."""
    if isinstance(value, yamlfile.Scalar):
        return " ".join(value.text.split())
    if isinstance(value, yamlfile.Sequence):
        return "[" + ", ".join(written(item) for item in value.items) + "]"
    return "{" + ", ".join(f"{name}: {written(item)}" for name, item in value) + "}"


def _kind(value: yamlfile.Value) -> str:
    if isinstance(value, yamlfile.Mapping):
        return "keys with values"
    if isinstance(value, yamlfile.Sequence):
        return "a list"
    return "nothing" if value.is_null else f'"{value.text[:40]}"'


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
