"""What stands in a record of JSON, taken for what it should be, and for nothing where it isn't."""

from __future__ import annotations

from typing import Any


def inside(value: Any, *names: str) -> Any:
    """The member that a path of names leads to; None where it leads nowhere."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def an_object(value: Any) -> dict[str, Any]:
    """The object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none of anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def words(value: Any) -> str:
    """The text; an empty one for anything else."""
    return value if isinstance(value, str) else ""
