"""A JSON Schema of mappings for editors, made from the same keys that read the files.

An editor knows by it which keys, tables and columns there are and what they mean. Headers and expressions are ``check``'s alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kpi.language import lexing
from kpi.language.problems import Key
from kpi.sources import reading, rows, saying, values
from kpi.sources.tables import TARGETS, Target
from kpi.warehouse.schema import metadata

Schema = dict[str, Any]

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_TEXT: Final[Schema] = {"type": ["string", "number", "boolean"], "pattern": "\\S"}
_TEXTS: Final[Schema] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_EXPRESSION: Final[Schema] = {**_TEXT, "maxLength": lexing.MAX_CHARACTERS}
_TRUE: Final[Schema] = {"enum": [True, False, "true", "false"]}
_VALUE: Final[Schema] = {"$ref": "#/definitions/value"}


def made() -> Schema:
    """The schema of a file of the folder ``sources``."""
    headers = {"anyOf": [_TEXT, {"type": "array", "items": _TEXTS, "minItems": 1}, {"type": "object", "additionalProperties": _TEXTS}]}
    left_out = {"where": _EXPRESSION, "words": _TEXT, "retires": _TRUE}
    tables = {
        name: {"anyOf": [_table(target), {"type": "array", "items": _table(target), "minItems": 1}]} for name, target in TARGETS.items()
    }
    export = {
        "columns": headers,
        "may_have": headers,
        "lacks": _TEXTS,
        "totals": _TEXTS,
        "dates": {"enum": ["dmy", "mdy"]},
        "times_in": {"enum": list(values.ZONES)},
        "dated_by": {"enum": ["name"]},
        "leave_out": {"type": "array", "items": _object(reading.LEFT_OUT, left_out)},
        "covers": _object(reading.COVERS, dict.fromkeys(("first", "last"), _EXPRESSION)),
        "says": {"type": "object", "additionalProperties": _object(saying.SAYS, _says())},
        "holds": {"type": "array", "items": _object(reading.HOLDS, {"that": _EXPRESSION, "words": _TEXT})},
        "rows": {"type": "object", "minProperties": 1, "properties": tables, "additionalProperties": False},
    }
    whole = {
        "source": {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,30}$"},
        "label": _TEXT,
        "agree": {"type": "object", "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,62}$"}, "additionalProperties": _TEXT},
        "exports": {"type": "object", "minProperties": 1, "additionalProperties": _object(reading.EXPORT, export)},
    }
    return {
        "$schema": DRAFT,
        "title": "sources/*.yaml",
        "description": "The files of a system that no connector knows, and what their records become.",
        **_object(reading.FILE, whole),
        "definitions": {"value": {"anyOf": [*_TEXTS["anyOf"], _object(values.KEYS, _value())]}},
    }


def _says() -> dict[str, Schema]:
    return {"of": _TEXT, "is": _EXPRESSION, "take": {"enum": ["any", "every"]}, "silent": {"enum": [False, "false"]}}


def _value() -> dict[str, Schema]:
    choices: Schema = {"type": "object", "minProperties": 1, "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}
    period = {"type": "object", "properties": {"column": _TEXTS, "choices": choices}, "required": ["column", "choices"]}
    several: Schema = {"type": "array", "items": _VALUE, "minItems": 1}
    return {
        "column": _TEXTS,
        "value": _TEXT,
        "is": _EXPRESSION,
        "first": several,
        "join": several,
        "made_of": {"enum": ["row"]},
        "from": {"enum": ["cell", "header"]},
        "with": {"type": ["string", "number"]},
        "choices": choices,
        "otherwise": {"enum": ["reject", "keep", "none"]},
        "empty": _TEXTS,
        "unit": {"enum": ["minor", "cents"]},
        "per": {"anyOf": [{"enum": list(values.PERIODS)}, period]},
        "times": _VALUE,
        "written": {"enum": list(values.FORMS)},
        "times_in": {"enum": list(values.ZONES)},
        "inclusive": _TRUE,
    }


def _table(target: Target) -> Schema:
    shapes: dict[str, Schema] = {
        "where": _EXPRESSION,
        "each": {"type": "string", "pattern": "^[^*]*\\*[^*]*$"},
        "history": _TRUE,
        "replaces": _object(rows.REPLACES, {"of": _TEXTS, "during": _TEXT}),
    }
    table = metadata.tables[target.name].columns
    columns = target.columns()
    described = [
        Key(name, "a value", str(table[column].comment) if column in table else "who the customer is") for name, column in columns.items()
    ]
    needs = [name for name, column in columns.items() if column in target.needs]
    return {**_object((*rows.SETTINGS, *described), shapes | {name: _VALUE for name in columns if name not in shapes}), "required": needs}


def _object(keys: Iterable[Key], shapes: Mapping[str, Schema]) -> Schema:
    """An object with these keys; one whose shape isn't told here takes any value."""
    keys = tuple(keys)
    described = {key.name: {**shapes.get(key.name, {}), "description": f"{key.meaning} ({key.accepts})"} for key in keys}
    required = [key.name for key in keys if key.required]
    return {"type": "object", "properties": described, "additionalProperties": False, **({"required": required} if required else {})}
