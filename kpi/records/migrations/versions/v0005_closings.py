"""Weeks as they were first shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_closings"
down_revision = "0004_versions"


def upgrade() -> None:
    """One table."""
    op.create_table(
        "closed_figure",
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
        sa.UniqueConstraint("week", "metric", "is_whole", name="uq_closed_figure_week"),
        comment="figures of closed weeks as they were first shown: one line, and one more where the first wasn't whole",
        sqlite_autoincrement=True,
    )
