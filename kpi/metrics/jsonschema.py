"""A JSON Schema of metrics.yaml for editors, made from the same keys that read the file.

An editor knows by it which keys there are and what they mean, and marks misspelt ones while somebody types. It says
what the shape of the file can say; names, units, joins and expressions are ``check``'s alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kpi.language import lexing
from kpi.language.problems import Key
from kpi.metrics import clashes, definitions, given, sections
from kpi.metrics.kinds import COMMON, KINDS
from kpi.metrics.kinds.allocation import ALLOCATE
from kpi.metrics.kinds.base import NEEDS, Kind
from kpi.metrics.kinds.conversion import CONVERSION_KEYS
from kpi.metrics.kinds.lagging import LAG
from kpi.metrics.kinds.leaf import AGGREGATES
from kpi.metrics.kinds.movement import PARTS
from kpi.metrics.kinds.switches import SWITCHES
from kpi.metrics.kinds.time_to import BOUNDS, SHOWN, SHOWN_BY, TIME_TO_KEYS
from kpi.metrics.kinds.times import SNAPSHOT, TAKEN, TIMES
from kpi.warehouse import schema

Schema = dict[str, Any]

#: The draft that editors' YAML servers know in full.
DRAFT: Final = "http://json-schema.org/draft-07/schema#"
#: Values are taken as written, so an editor's number or true is text as good as any; blank text is a mistake.
_TEXT: Final[Schema] = {"type": ["string", "number", "boolean"], "pattern": "\\S"}
_NUMBER: Final[Schema] = {"type": ["number", "string"], "pattern": "^\\s*-?[0-9]{1,18}(\\.[0-9]{1,12})?\\s*$"}
_DAY: Final[Schema] = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_NAME: Final[Schema] = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"}
_SYSTEM: Final[Schema] = {"type": "string", "pattern": "^[a-z][a-z0-9_-]*$"}
_DAYS: Final[Schema] = {"type": "string", "pattern": "^[0-9]{1,4} days?$"}
_EXPRESSION: Final[Schema] = {**_TEXT, "maxLength": lexing.MAX_CHARACTERS}
_MONTHS: Final[Schema] = {"type": "string", "pattern": "^([0-9]{1,2} months?|none)$"}
_TWO_DAYS: Final[Schema] = {"type": "array", "items": _EXPRESSION, "minItems": 2, "maxItems": 2}
_TARGET: Final[Schema] = {
    "type": "object",
    "propertyNames": {"pattern": "^[0-9]{4}(-([Qq][1-4]|[Ww][0-9]{1,2}|[0-9]{2}(-[0-9]{2})?))?$"},
    "additionalProperties": {"type": ["number", "string"], "pattern": "^\\s*-?[0-9]{1,15}(\\.[0-9]{1,8})?( ?(%|k|M|bn))?\\s*$"},
}
#: Of these keys a definition of a kind has exactly one; of the marks of other kinds at least one.
_EXACTLY_ONE: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {"leaf": (AGGREGATES, TIMES)}


def made(kinds: Iterable[Kind] = KINDS) -> Schema:
    """The schema, with a branch for each kind of metric."""
    kinds = tuple(kinds)
    names = {"allOf": [_NAME, {"not": {"enum": list(definitions.RESERVED)}}]}
    shapes: dict[str, Schema] = {
        "north_star": _NAME,
        "drivers": _one_or_more(_NAME, unique=True),
        "review": {
            "anyOf": [_one_or_more(_NAME, unique=True), {"type": "object", "additionalProperties": _one_or_more(_NAME, unique=True)}]
        },
        "calendar": _object(sections.CALENDAR, _CALENDAR),
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "tables": {"type": "object", "propertyNames": _NAME, "additionalProperties": _object(given.TABLE, _TABLE)},
        "sources": _sources(),
        "products": _products(),
        "costs": _closed({name: _one_or_more(_TEXT) for name in sections.CATEGORIES}),
        "dimensions": {"type": "object", "propertyNames": names, "additionalProperties": {"$ref": "#/definitions/dimension"}},
        "metrics": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": names,
            "additionalProperties": {"oneOf": [{"$ref": f"#/definitions/{kind.name}"} for kind in kinds]},
        },
    }
    whole = _object(definitions.SECTIONS, shapes)
    # Left to the section's own reader, and needed all the same.
    whole["required"] = [*whole["required"], "currency"]
    return {
        "$schema": DRAFT,
        "title": "metrics.yaml",
        "description": "Every figure that a company shares, and what it means.",
        **whole,
        "definitions": {
            "dimension": _object(definitions.DIMENSION, _dimension()),
            **{kind.name: _kind(kind) for kind in kinds},
        },
    }


def _kind(kind: Kind) -> Schema:
    """The branch of one kind: its keys and those of every metric, and no others."""
    groups = _EXACTLY_ONE.get(kind.name)
    told = [{"oneOf": _any_of(group)} for group in groups] if groups else [{"anyOf": _any_of(kind.marks)}]
    if kind.name == "leaf":  # count: deal names its table itself
        told.append({"anyOf": [{"required": ["of"]}, {"required": ["count"], "properties": {"count": _table()}}]})
    return {
        "title": kind.name,
        "description": kind.meaning,
        **_object((*COMMON, *kind.keys), _COMMON | _own().get(kind.name, {})),
        "allOf": told,
    }


def _own() -> dict[str, dict[str, Schema]]:
    """What the keys of each kind accept; a kind that isn't here is checked for its keys only."""
    movement = {"movement": {"enum": list(PARTS)}, "of": _TEXT, "reactivated_within": _DAYS}
    followed = {"from": _TEXT, "to": _TEXT, "each": _TEXT, "within": _DAYS}
    length = "^[0-9]{1,4} (day|week|month|quarter|year)s?$"
    retention = {"retention": _TEXT, "after": {"type": "string", "pattern": length}, "capped": {"type": "boolean"}}
    split = _object(ALLOCATE, {"to": _one_or_more(_TEXT, unique=True), "by": _NAME, "each": {"enum": ["month"]}})
    balance = _object(SNAPSHOT, {"at": _EXPRESSION, "take": {"enum": list(TAKEN)}, "each": _one_or_more(_TEXT, unique=True)})
    lag = _object(LAG, {"of": _NAME, "months": _MONTHS, "years": _MONTHS})
    return {
        "leaf": _LEAF | {"of": _table(), "allocate": split, "snapshot": balance},
        "formula": {"formula": _EXPRESSION, "lag": lag},
        "movement": movement,
        "retention": retention,
        "conversion": {"conversion": _object(CONVERSION_KEYS, followed)},
        "time_to": {
            "time_to": _object(TIME_TO_KEYS, {"each": _TEXT, "from": _TEXT, "until": _EXPRESSION, "lost": _TEXT}),
            "show": {"anyOf": [{"enum": list(SHOWN)}, *(_closed({name: _DAYS}) | {"required": [name]} for name in SHOWN_BY)]},
            "bound": {"enum": list(BOUNDS)},
        },
    }


def _object(keys: Iterable[Key], shapes: Mapping[str, Schema]) -> Schema:
    """An object with these keys; one whose shape isn't told here takes any value."""
    keys = tuple(keys)
    described = {key.name: {**shapes.get(key.name, {}), "description": f"{key.meaning} ({key.accepts})"} for key in keys}
    return {**_closed(described), "required": [key.name for key in keys if key.required]}


def _closed(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _any_of(names: Iterable[str]) -> list[Schema]:
    return [{"required": [name]} for name in names]


def _one_or_more(item: Schema, unique: bool = False) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1, "uniqueItems": unique}]}


def _table() -> Schema:
    """A table of the program's own, or one that ``tables:`` names."""
    return {"anyOf": [{"enum": [table.name for table in schema.facts()]}, _NAME]}


def _dimension() -> dict[str, Schema]:
    return {"label": _TEXT, "of": _table(), "is": _EXPRESSION, "as_of": {"enum": ["now", "then"]}}


def _sources() -> Schema:
    span = _object(sections.SPAN, {key.name: _DAY for key in sections.SPAN})
    dated = {"type": "object", "minProperties": 1, "propertyNames": _SYSTEM, "additionalProperties": span}
    systems = {"anyOf": [*_one_or_more(_SYSTEM, unique=True)["anyOf"], dated]}
    return _closed({table.name: systems for table in schema.facts() if "source" in table.columns})


def _products() -> Schema:
    patterns = _one_or_more(_TEXT)
    rules = {"anyOf": [*patterns["anyOf"], _closed(dict.fromkeys(sections.FIELDS, patterns))]}
    systems = {"type": ["object", "null"], "propertyNames": _SYSTEM, "additionalProperties": rules}
    return {"type": "object", "additionalProperties": systems}


_CALENDAR: Final[Mapping[str, Schema]] = {
    "week_starts": {"enum": list(sections.WEEKDAYS)},
    "year_starts": {"enum": list(sections.MONTHS)},
    "timezone": _TEXT,
    "pattern": {"enum": list(sections.PATTERNS)},
}
_TABLE: Final[dict[str, Schema]] = {
    "from": _TEXT,
    "key": _one_or_more(_TEXT, unique=True),
    "joins": {"type": "object", "propertyNames": _NAME, "additionalProperties": {"type": "string", "pattern": "->"}},
    "valid": {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2},
    "columns": {"type": "object", "propertyNames": _NAME, "additionalProperties": _TEXT},
    "money": _one_or_more(_TEXT, unique=True),
    "currency": _TEXT,
}
_COMMON: Final[dict[str, Schema]] = {
    **dict.fromkeys(("label", "means", "owner"), _TEXT),
    "unit": {"enum": list(clashes.UNITS)},
    "better": {"enum": ["up", "down"]},
    "target": _TARGET,
    "needs": _object(NEEDS, {"at_least": _NUMBER, "of": _EXPRESSION}),
}
_LEAF: Final[dict[str, Schema]] = {
    **dict.fromkeys((*AGGREGATES, "where", "at"), _EXPRESSION),
    "at_percent": {**_NUMBER, "minimum": 0, "maximum": 100},
    **dict.fromkeys(("over", "during"), _TWO_DAYS),
    **{switch.name: {"enum": [word for word, _ in switch.accepted]} for switch in SWITCHES},
}
