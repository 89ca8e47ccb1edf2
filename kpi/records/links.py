"""What people decided on links: who, when, what and why, and what of it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from kpi.records.opening import records
from kpi.records.schema import link_decision
from kpi.settings import Settings

Kind = Literal["account", "product"]
Verdict = Literal["confirmed", "rejected", "withdrawn"]


@dataclass(frozen=True)
class Decision:
    """One line.

    Attributes:
        target: the account or product; None where it is none of them, or with ``withdrawn`` for all that was decided.
        decision_id, decided_at (UTC): given when it is written down.
    """

    kind: Kind
    decision: Verdict
    source: str
    source_id: str
    target: str | None
    decided_by: str
    reason: str = ""
    decision_id: int = 0
    decided_at: dt.datetime | None = None


def write_down(settings: Settings, decisions: Sequence[Decision]) -> None:
    """Append the decisions, all or none."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    rows = [{**vars(one), "decided_at": now} for one in decisions]
    for row in rows:
        del row["decision_id"]
    with records(settings, write=True) as connection:
        assert connection is not None  # noqa: S101 - asked for writing
        connection.execute(sa.insert(link_decision), rows)


def history(settings: Settings) -> list[Decision]:
    """Every decision ever taken, the first one first."""
    with records(settings) as connection:
        if connection is None:
            return []
        return [Decision(**row) for row in connection.execute(sa.select(link_decision).order_by(link_decision.c.decision_id)).mappings()]


def standing(decisions: Iterable[Decision]) -> list[Decision]:
    """Those that a later one didn't take back, in their order.

    One customer is one account: a confirmation takes the place of the one before, and of a rejection of the same account.
    """
    found: dict[tuple[str, str, str], dict[str | None, Decision]] = {}
    for one in decisions:
        about = found.setdefault((one.kind, one.source, one.source_id), {})
        if one.decision == "withdrawn":
            if one.target is None:
                about.clear()
            about.pop(one.target, None)
            continue
        replaced = {target for target, known in about.items() if known.decision == "confirmed"}
        if one.decision == "rejected" and one.target is not None:
            replaced &= {one.target}
        for target in replaced | ({None} if one.decision == "confirmed" else set()):
            about.pop(target, None)
        about[one.target] = one
    return sorted((one for about in found.values() for one in about.values()), key=lambda one: one.decision_id)


def standing_rows(settings: Settings) -> list[dict[str, Any]]:
    """What stands, as rows of the warehouse's ``link_decision``."""
    return [vars(one) for one in standing(history(settings))]
