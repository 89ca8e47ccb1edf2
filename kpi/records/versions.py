"""Every version of metrics.yaml: its text to the last byte, who wrote it, when and why. None is ever changed or taken away."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import sqlalchemy as sa

from kpi.errors import UnknownVersion
from kpi.records.opening import records
from kpi.records.schema import definition_version
from kpi.settings import Settings

#: A transaction of the records, for layers that don't speak SQL.
Connection = sa.Connection
Origin = Literal["page", "command", "file", "restored"]


@dataclass(frozen=True)
class Version:
    """One version, without its text.

    Attributes:
        origin: ``file``: changed elsewhere, in Git or an editor; nobody knows by whom.
        restores: the version whose text it has.
        content_hash: of the file's bytes. definitions: the hash that results carry.
        touched: metric -> ``added``, ``removed``, ``changed`` or ``through``.
        number, written_at (UTC): given when it is written down.
    """

    origin: Origin
    author: str
    reason: str
    content_hash: str
    definitions: str
    touched: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    restores: int | None = None
    number: int = 0
    written_at: dt.datetime | None = None


def hash_of(content: bytes) -> str:
    """What :attr:`Version.content_hash` is."""
    return hashlib.sha256(content).hexdigest()


def history(settings: Settings) -> list[Version]:
    """All versions, the newest first.

    Raises:
        RecordsError: the records can't be read.
    """
    with records(settings) as connection:
        if connection is None:
            return []
        columns = [column for column in definition_version.columns if column.name != "text"]
        rows = connection.execute(sa.select(*columns).order_by(definition_version.c.number.desc())).mappings()
        return [_version(row) for row in rows]


def text_of(settings: Settings, number: int) -> bytes:
    """The file as it was.

    Raises:
        UnknownVersion: there is none of that number; RecordsError: the records can't be read.
    """
    with records(settings) as connection:
        found = None
        if connection is not None:
            found = connection.scalar(sa.select(definition_version.c.text).where(definition_version.c.number == number))
        if found is None:
            count = 0 if connection is None else connection.scalar(sa.select(sa.func.max(definition_version.c.number))) or 0
            raise UnknownVersion(number, count)
        return str(found).encode()


def text_by_hash(settings: Settings, content_hash: str) -> bytes | None:
    """The text of the newest version that has it."""
    return _newest_text(settings, definition_version.c.content_hash == content_hash)


def text_by_definitions(settings: Settings, definitions: str) -> bytes | None:
    """The text of a version by the hash that results carry; None where that version was never kept."""
    return _newest_text(settings, definition_version.c.definitions == definitions)


def _newest_text(settings: Settings, which: sa.ColumnElement[bool]) -> bytes | None:
    with records(settings) as connection:
        if connection is None:
            return None
        texts = sa.select(definition_version.c.text).where(which).order_by(definition_version.c.number.desc())
        found = connection.scalar(texts.limit(1))
        return None if found is None else str(found).encode()


def newest(connection: Connection) -> tuple[Version, bytes] | None:
    """The last one with its text, in somebody's transaction."""
    row = connection.execute(sa.select(definition_version).order_by(definition_version.c.number.desc()).limit(1)).mappings().first()
    return None if row is None else (_version(row), str(row["text"]).encode())


def keep(connection: Connection, version: Version, content: bytes) -> Version:
    """Append it in a transaction that writes; with its number and time."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    row = {
        "written_at": now,
        "origin": version.origin,
        "author": version.author,
        "reason": version.reason,
        "restores": version.restores,
        "content_hash": version.content_hash,
        "definitions": version.definitions,
        "touched": " ".join(f"{name}:{how}" for name, how in version.touched.items()),
        "text": content.decode(),
    }
    (number,) = connection.execute(sa.insert(definition_version).returning(definition_version.c.number), row).one()
    return _version({**row, "number": number})


def _version(row: Any) -> Version:
    names = ("origin", "author", "reason", "content_hash", "definitions", "restores", "number", "written_at")
    touched = dict(pair.split(":", 1) for pair in row["touched"].split())
    return Version(**{name: row[name] for name in names}, touched=MappingProxyType(touched))
