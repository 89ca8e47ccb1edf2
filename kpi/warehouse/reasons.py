"""Why deals were lost and subscriptions cancelled, as remarks, so that they are read beside what is said elsewhere.

They are made of ``deal`` and ``subscription_term`` as those stand, so that a deal that is won after all, or a cancellation
that is taken back, leaves no reason behind, whatever the order of the exports. Figures count the deals and terms
themselves (``lost_reasons``, ``churn_reasons`` of metrics.yaml); nothing here adds to what ``remark`` covers.
"""

from __future__ import annotations

from typing import Final

from kpi.warehouse.literals import literal
from kpi.warehouse.store import Store

#: How the ids of remarks end that are made here.
_LOST: Final = ":lost_reason"
_LEFT: Final = ":churn_reason"

#: SQL of whether a remark is none of those that are made here.
NOT_DERIVED: Final = f"remark_id NOT LIKE '%{_LOST}' AND remark_id NOT LIKE '%{_LEFT}'"

_COLUMNS: Final = (
    "remark_id, kind, account_id, source_account_id, deal_id, product_id, source_product_id, said_at, speaker, subject, text, "
    "source, source_id, run_id, modified_at"
)


def refresh_reasons(store: Store, timezone: str) -> None:
    """Make the remarks of kind lost_reason and churn_reason anew.

    ``timezone``: the calendar's, in which the day of a close or a cancellation begins.
    """
    store.run(f"DELETE FROM remark WHERE NOT ({NOT_DERIVED})")
    store.run(
        f"INSERT INTO remark ({_COLUMNS}) SELECT d.deal_id || '{_LOST}', 'lost_reason', d.account_id, d.source_account_id, d.deal_id, "
        f"d.product_id, d.source_product_id, {_instant('d.closed_on', timezone)}, d.owner, d.lost_reason, "
        "coalesce(d.lost_comment, d.lost_reason), d.source, d.source_id, d.run_id, d.modified_at FROM deal d "
        "WHERE d.is_lost AND coalesce(d.lost_reason, d.lost_comment) IS NOT NULL"
    )
    # The newest term of a subscription speaks for it; one of several products is about none of them alone.
    of_it = "OVER (PARTITION BY t.source, t.subscription_id)"
    one = "CASE WHEN min(t.{0}) {1} = max(t.{0}) {1} THEN t.{0} END"
    store.run(
        f"INSERT INTO remark ({_COLUMNS}) SELECT n.subscription_id || '{_LEFT}', 'churn_reason', n.account_id, n.source_account_id, NULL, "
        f"n.product_id, n.source_product_id, {_instant('n.canceled_on', timezone)}, NULL, n.cancel_reason, "
        "coalesce(n.cancel_comment, n.cancel_reason), n.source, n.source_id, n.run_id, n.modified_at FROM (SELECT t.subscription_id, "
        "t.account_id, t.source_account_id, t.canceled_on, t.cancel_reason, t.cancel_comment, t.source, t.source_id, t.run_id, "
        f"t.modified_at, {one.format('product_id', of_it)} AS product_id, {one.format('source_product_id', of_it)} AS source_product_id, "
        "row_number() OVER (PARTITION BY t.source, t.subscription_id ORDER BY t.started_on DESC, t.term_id DESC) AS place "
        "FROM subscription_term t WHERE t.subscription_id IS NOT NULL AND t.canceled_on IS NOT NULL "
        "AND coalesce(t.cancel_reason, t.cancel_comment) IS NOT NULL "
        # a trial that ended unpaid was no customer's leave-taking
        "AND (t.ended_on IS NULL OR t.trial_ends_on IS NULL OR t.ended_on > t.trial_ends_on)) n WHERE n.place = 1"
    )


def _instant(day: str, timezone: str) -> str:
    """SQL of the UTC instant at which a day begins."""
    return f"timezone('UTC', timezone({literal(timezone)}, CAST({day} AS TIMESTAMP)))"
