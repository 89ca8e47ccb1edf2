"""Saved views of a page, and start pages of teams."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_views"
down_revision = "0005_closings"


def upgrade() -> None:
    """One table: a start page is a view that a team pinned."""
    op.create_table(
        "view_line",
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("view", sa.String(), nullable=False, comment="which view; its last line counts"),
        sa.Column("action", sa.String(), nullable=False, comment="saved, changed, renamed or withdrawn; pinned or unpinned"),
        sa.Column("name", sa.String(), nullable=False, comment="what people call it"),
        sa.Column("team", sa.String(), nullable=False, comment="whose view it is, may be empty; of pinned and unpinned, whose start page"),
        sa.Column("path", sa.String(), nullable=False, comment="the page"),
        sa.Column("parameters", sa.String(), nullable=False, comment="what its link says after the question mark"),
        sa.Column("author", sa.String(), nullable=False, comment="who, in their words"),
        sa.Column("written_at", sa.DateTime(), nullable=False, comment="UTC"),
        sa.CheckConstraint(
            "action IN ('saved', 'changed', 'renamed', 'withdrawn', 'pinned', 'unpinned')",
            name="ck_view_line_action",
        ),
        comment="saved views and the start pages of teams, one line a change",
        sqlite_autoincrement=True,
    )
