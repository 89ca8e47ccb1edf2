"""A draft of the definitions looked at while it is typed: the problems that ``python -m kpi check`` would print."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from kpi.errors import Problem, WarehouseError
from kpi.keeping import Keeper
from kpi.metrics import functions, jsonschema
from kpi.metrics.definitions import checked
from kpi.metrics.model import Definitions
from kpi.records.versions import hash_of
from kpi.settings import Settings
from kpi.warehouse import schema
from kpi.warehouse.given import look, token

#: Drafts whose check is kept: those of some editors in the last minutes.
_KEPT: Final = 64


@dataclass(frozen=True)
class Checked:
    """A draft.

    Attributes:
        definitions: None while anything is wrong.
        note: what could not be looked at, in a sentence, or empty.
    """

    definitions: Definitions | None
    problems: tuple[Problem, ...]
    note: str = ""


class Checking:
    """``systems``: the names of all that can be imported from; told by ``app.py``, since no page may import the connectors."""

    def __init__(self) -> None:
        self.systems: Callable[[Settings], Collection[str]] = lambda _: ()
        self._kept: Keeper[Checked] = Keeper(_KEPT)

    def check(self, content: bytes, settings: Settings) -> Checked:
        """What is wrong with a text; kept, since each redrawing of the page asks."""
        name = settings.metrics.name
        changes = token(settings) if b"tables:" in content else ""
        key = (hash_of(content), name, str(settings.sources), changes)
        return self._kept.get(key, lambda: self._check(content, name, settings))

    def _check(self, content: bytes, name: str, settings: Settings) -> Checked:
        systems = self.systems(settings)
        try:
            return _made(*checked(content, name, partial(look, settings), systems))
        except WarehouseError as error:
            found = _made(*checked(content, name, None, systems))
            return Checked(found.definitions, found.problems, f"tables: and what stands on them was not checked, because {error}")


def _made(definitions: Definitions | None, problems: tuple[Problem, ...]) -> Checked:
    """A dimension that nothing reaches is a problem of a text that could be served; it is to be mended all the same."""
    return Checked(None if problems else definitions, problems)


@cache
def checking() -> Checking:
    """The one of this process."""
    return Checking()


@cache
def shapes() -> dict[str, Any]:
    """The JSON Schema without what an editor needs for no completion."""
    made: dict[str, Any] = _slim(jsonschema.made())
    return made


def words(definitions: Definitions | None) -> dict[str, Any]:
    """The names that a draft may use: those of the last sound definitions."""
    facts = {table.name: [column.name for column in table.columns] for table in schema.facts()}
    given = {} if definitions is None else {table.name: [column.name for column in table.columns] for table in definitions.catalog.facts()}
    named = [(found.place, found.written.split("(")[0]) for found in functions.FUNCTIONS if "(" in found.written]
    return {
        "metrics": [] if definitions is None else list(definitions.metrics),
        "dimensions": [] if definitions is None else list(definitions.dimensions),
        "tables": facts | given,
        "rows": sorted({name for place, name in named if place in ("row", "both")}),
        "formulas": sorted({name for place, name in named if place != "row"}),
    }


_KEPT_KEYS: Final = frozenset(
    {"properties", "additionalProperties", "items", "anyOf", "oneOf", "$ref", "enum", "description", "definitions"}
)


def _slim(value: Any, names: bool = False) -> Any:
    """``names``: the keys are those of the file, and all kept."""
    if isinstance(value, list):
        return [_slim(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _slim(item, key in ("properties", "definitions") and not names)
        for key, item in value.items()
        if names or key in _KEPT_KEYS or (key == "type" and item == "boolean")
    }
