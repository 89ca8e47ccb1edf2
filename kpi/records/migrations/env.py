"""What Alembic runs: the steps, in the transaction of the connection that :mod:`kpi.records.migrating` hands it."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
