"""How often the records were written to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_changes"
down_revision = "0001_links"


def upgrade() -> None:
    """One table with one row."""
    made = op.create_table(
        "records_change",
        sa.Column("number", sa.BigInteger(), nullable=False, comment="of the last transaction that wrote, from 0"),
        comment="grows with everything that is written down: who keeps a copy sees that it is old",
    )
    op.bulk_insert(made, [{"number": 0}])
