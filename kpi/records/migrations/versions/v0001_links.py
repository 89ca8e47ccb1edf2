"""What people decided on links."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001_links"
down_revision = None


def upgrade() -> None:
    """One table."""
    op.create_table(
        "link_decision",
        sa.Column("decision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(), nullable=False, comment="account or product"),
        sa.Column("decision", sa.String(), nullable=False, comment="confirmed, rejected, or withdrawn: nothing was decided after all"),
        sa.Column("source", sa.String(), nullable=False, comment="the system"),
        sa.Column("source_id", sa.String(), nullable=False, comment="the customer or product there"),
        sa.Column("target", sa.String(), comment="the account or product; empty for none of them"),
        sa.Column("decided_at", sa.DateTime(), nullable=False, comment="UTC"),
        sa.Column("decided_by", sa.String(), nullable=False, comment="who"),
        sa.Column("reason", sa.String(), nullable=False, comment="why, in their words; may be empty"),
        sa.CheckConstraint("kind IN ('account', 'product')", name="ck_link_decision_kind"),
        sa.CheckConstraint("decision IN ('confirmed', 'rejected', 'withdrawn')", name="ck_link_decision_decision"),
        comment="what people decided on links, one line a decision",
        sqlite_autoincrement=True,
    )
