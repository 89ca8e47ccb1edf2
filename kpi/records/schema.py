"""The tables of the records. Nothing here is ever changed or deleted: a later line takes back an earlier one."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

#: Constraints have names by rule, so that a migration can speak of them.
metadata: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

link_decision: Final = sa.Table(
    "link_decision",
    metadata,
    sa.Column("decision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(), nullable=False, comment="account or product"),
    sa.Column("decision", sa.String(), nullable=False, comment="confirmed, rejected, or withdrawn: nothing was decided after all"),
    sa.Column("source", sa.String(), nullable=False, comment="the system"),
    sa.Column("source_id", sa.String(), nullable=False, comment="the customer or product there"),
    sa.Column("target", sa.String(), comment="the account or product; empty for none of them"),
    sa.Column("decided_at", sa.DateTime(), nullable=False, comment="UTC"),
    sa.Column("decided_by", sa.String(), nullable=False, comment="who"),
    sa.Column("reason", sa.String(), nullable=False, comment="why, in their words; may be empty"),
    sa.CheckConstraint("kind IN ('account', 'product')", name="kind"),
    sa.CheckConstraint("decision IN ('confirmed', 'rejected', 'withdrawn')", name="decision"),
    comment="what people decided on links, one line a decision",
    sqlite_autoincrement=True,
)

records_change: Final = sa.Table(
    "records_change",
    metadata,
    sa.Column("number", sa.BigInteger(), nullable=False, comment="of the last transaction that wrote, from 0"),
    comment="grows with everything that is written down: who keeps a copy sees that it is old",
)

note_line: Final = sa.Table(
    "note_line",
    metadata,
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
    sa.CheckConstraint("kind IN ('comment', 'event', 'verdict')", name="kind"),
    sa.CheckConstraint("action IN ('written', 'edited', 'withdrawn')", name="action"),
    comment="comments on metrics and weeks, events, and verdicts of owners on signal or noise, one line a change",
    sqlite_autoincrement=True,
)

definition_version: Final = sa.Table(
    "definition_version",
    metadata,
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
    sa.CheckConstraint("origin IN ('page', 'command', 'file', 'restored')", name="origin"),
    comment="versions of metrics.yaml, one line each",
    sqlite_autoincrement=True,
)

closed_figure: Final = sa.Table(
    "closed_figure",
    metadata,
    sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("week", sa.Date(), nullable=False, comment="its first day"),
    sa.Column("week_end", sa.Date(), nullable=False, comment="the day after its last"),
    sa.Column("metric", sa.String(), nullable=False, comment="its name in metrics.yaml"),
    sa.Column("is_whole", sa.Boolean(), nullable=False, comment="whether the value was whole and sure"),
    sa.Column("state", sa.String(), nullable=False, comment="known, partial, unknown, …"),
    sa.Column("value", sa.String(), comment="a decimal, every digit of it; empty where there was none"),
    sa.Column("unit", sa.String(), nullable=False, comment="money, percent, …"),
    sa.Column("currency", sa.String(), nullable=False, comment="of money"),
    sa.Column("generation", sa.BigInteger(), nullable=False, comment="of the warehouse"),
    sa.Column("definitions", sa.String(), nullable=False, comment="the hash of the definitions"),
    sa.Column("closed_at", sa.DateTime(), nullable=False, comment="UTC"),
    sa.Column("closed_by", sa.String(), nullable=False, comment="who ran the command, or dashboard"),
    sa.UniqueConstraint("week", "metric", "is_whole"),
    comment="figures of closed weeks as they were first shown: one line, and one more where the first wasn't whole",
    sqlite_autoincrement=True,
)

view_line: Final = sa.Table(
    "view_line",
    metadata,
    sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("view", sa.String(), nullable=False, comment="which view; its last line counts"),
    sa.Column("action", sa.String(), nullable=False, comment="saved, changed, renamed or withdrawn; pinned or unpinned"),
    sa.Column("name", sa.String(), nullable=False, comment="what people call it"),
    sa.Column("team", sa.String(), nullable=False, comment="whose view it is, may be empty; of pinned and unpinned, whose start page"),
    sa.Column("path", sa.String(), nullable=False, comment="the page"),
    sa.Column("parameters", sa.String(), nullable=False, comment="what its link says after the question mark"),
    sa.Column("author", sa.String(), nullable=False, comment="who, in their words"),
    sa.Column("written_at", sa.DateTime(), nullable=False, comment="UTC"),
    sa.CheckConstraint("action IN ('saved', 'changed', 'renamed', 'withdrawn', 'pinned', 'unpinned')", name="action"),
    comment="saved views and the start pages of teams, one line a change",
    sqlite_autoincrement=True,
)
