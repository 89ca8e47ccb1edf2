"""Versions of metrics.yaml."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_versions"
down_revision = "0003_notes"


def upgrade() -> None:
    """One table; each line has the whole text, so that none hangs on another."""
    op.create_table(
        "definition_version",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("written_at", sa.DateTime(), nullable=False, comment="UTC; of a file that was changed elsewhere, when that was seen"),
        sa.Column("origin", sa.String(), nullable=False, comment="page or command: saved there; file: changed elsewhere; restored"),
        sa.Column("author", sa.String(), nullable=False, comment="who, in their words; empty where the file was changed elsewhere"),
        sa.Column("reason", sa.String(), nullable=False, comment="why, in their words"),
        sa.Column("restores", sa.BigInteger(), comment="the version that it has the text of"),
        sa.Column("content_hash", sa.String(), nullable=False, comment="SHA-256 of the file"),
        sa.Column("definitions", sa.String(), nullable=False, comment="the hash that figures carry"),
        sa.Column("touched", sa.String(), nullable=False, comment="metric:how for each that it touched, with blanks between them"),
        sa.Column("text", sa.Text(), nullable=False, comment="metrics.yaml as it was, to the last byte"),
        sa.CheckConstraint("origin IN ('page', 'command', 'file', 'restored')", name="ck_definition_version_origin"),
        comment="versions of metrics.yaml, one line each",
        sqlite_autoincrement=True,
    )
