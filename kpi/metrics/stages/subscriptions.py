"""The rows of a stock, where a customer that moved to a free plan still counts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kpi.metrics.rows import Rows
from kpi.metrics.stages.customers import customer_of
from kpi.metrics.stages.scan import Scan
from kpi.warehouse.schema import subscription_term

#: Statuses of subscriptions that are paid for.
_PAYING = ("active", "past_due")


def rows_of_stock(scan: Scan) -> Rows:
    """The rows of a scan's table, under the switch ``free_plan: stays`` with free terms as those of who pays."""
    source = _with_free_plans() if scan.leaves[0].free_stays else None
    return Rows(scan.table, scan.calendar, source=source, catalog=scan.catalog, shared=scan.bounds)


def _with_free_plans() -> Any:
    """Subscription terms; a free one of a customer that ever paid begins no earlier than that, and has the most that it paid."""
    term = subscription_term.c
    pays = sa.and_(term.monthly_amount > 0, term.status.in_([sa.literal(status) for status in _PAYING]))
    own: dict[str, Any] = {"partition_by": customer_of(subscription_term)}
    first = sa.func.min(sa.case((pays, term.started_on))).over(**own)
    most = sa.func.max(sa.case((pays, term.monthly_amount))).over(**own)
    paid = sa.select(*term, first.label("first_paid"), most.label("most_paid")).subquery("paid_before")
    row = paid.c
    free = sa.and_(sa.func.coalesce(row.monthly_amount, 0) <= 0, row.first_paid.is_not(None))
    changed = {
        "monthly_amount": sa.case((free, row.most_paid), else_=row.monthly_amount),
        # greatest() passes over what is missing, and a term that nobody knows the beginning of would begin.
        "started_on": sa.case((sa.and_(free, row.started_on < row.first_paid), row.first_paid), else_=row.started_on),
    }
    return sa.select(*(changed[name].label(name) if name in changed else row[name] for name in term.keys())).subquery("term_of_payer")  # noqa: SIM118 - columns of a table
