"""Comments, events, and verdicts of owners."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_notes"
down_revision = "0002_changes"


def upgrade() -> None:
    """One table for the three, since each is metrics, days, a text and who wrote it."""
    op.create_table(
        "note_line",
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("note", sa.String(), nullable=False, comment="which note; its last line counts"),
        sa.Column("kind", sa.String(), nullable=False, comment="comment, event or verdict"),
        sa.Column("action", sa.String(), nullable=False, comment="written, edited or withdrawn"),
        sa.Column("metrics", sa.String(), nullable=False, comment="names with blanks between them; empty for all"),
        sa.Column("starts", sa.Date(), nullable=False, comment="a day of the week, or an event's first day"),
        sa.Column("ends", sa.Date(), comment="an event's last day, where it has several"),
        sa.Column("said", sa.String(), nullable=False, comment="signal or noise, of a verdict; else empty"),
        sa.Column("text", sa.String(), nullable=False, comment="the comment, the event's name, or the reason"),
        sa.Column("author", sa.String(), nullable=False, comment="who, in their words"),
        sa.Column("written_at", sa.DateTime(), nullable=False, comment="UTC"),
        sa.CheckConstraint("kind IN ('comment', 'event', 'verdict')", name="ck_note_line_kind"),
        sa.CheckConstraint("action IN ('written', 'edited', 'withdrawn')", name="ck_note_line_action"),
        comment="comments on metrics and weeks, events, and verdicts of owners on signal or noise, one line a change",
        sqlite_autoincrement=True,
    )
