"""The records' tables, brought to what this program knows."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from kpi.errors import NewerRecords
from kpi.records.migrations import HEAD, REVISIONS

#: Alembic's table of one row: the last step that was run.
VERSION_TABLE: Final = "alembic_version"
#: What records were before they had steps: this table alone, equal to what the first step makes.
_FIRST: Final = "link_decision"


def version_of(connection: sa.Connection, schema: str | None) -> str | None:
    """The last step that was run; empty where there are tables without steps, None where there is nothing.

    Raises:
        NewerRecords: this program doesn't know that step.
    """
    known = sa.inspect(connection)
    if known.has_table(VERSION_TABLE, schema=schema):
        found = connection.scalar(sa.select(sa.column("version_num", sa.String())).select_from(sa.table(VERSION_TABLE, schema=schema)))
        if found is not None and found not in REVISIONS:
            raise NewerRecords(connection.engine.url.render_as_string(hide_password=True), found, HEAD)
        if found is not None:
            return found
    return "" if known.has_table(_FIRST, schema=schema) else None


def bring_up(connection: sa.Connection, schema: str | None) -> None:
    """Run the steps that are missing, all or none: in the transaction that the connection is in, which nobody else writes beside."""
    found = version_of(connection, schema)
    if found == HEAD:
        return
    # imported here: most openings have nothing to do, and it takes as long as all of SQLAlchemy
    from alembic import command
    from alembic.config import Config

    if schema is not None:
        if not sa.inspect(connection).has_schema(schema):  # asked first: an existing one needs no right to make any
            connection.execute(sa.schema.CreateSchema(schema))
        connection.execute(sa.select(sa.func.set_config("search_path", schema, True)))  # for this transaction
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    if found == "":
        command.stamp(config, REVISIONS[0])
    command.upgrade(config, HEAD)
