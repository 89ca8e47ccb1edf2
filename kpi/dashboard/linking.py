"""What a person decides on customers who are not matched: offered, read back, and handed to what writes it down and publishes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

from kpi.errors import KpiError
from kpi.records.links import Decision
from kpi.settings import Settings
from kpi.warehouse.waiting import Waiting

NOT_HERE: Final = "This server only shows figures; python -m kpi link confirms who a customer is."

#: Writes decisions down and publishes them: how many were new.
Decider = Callable[[Settings, Sequence[Decision]], int]

LATER: Final = "decide later"
NOBODY: Final = "none of our accounts"


class Linking:
    """One a process; what decides is handed in by the server."""

    def __init__(self) -> None:
        self.decider: Decider | None = None

    def decide(self, settings: Settings, decisions: Sequence[Decision]) -> str:
        """Decide; a sentence of what came of it."""
        if self.decider is None:
            return NOT_HERE
        try:
            new = self.decider(settings, decisions)
        except KpiError as error:
            return f"Nothing was decided: {error}"
        return f"{new} decision{'' if new == 1 else 's'} written down and published; python -m kpi link history lists them."


@cache
def linking() -> Linking:
    """The one of this process."""
    return Linking()


def named(one: Waiting) -> str:
    """The customer as its system knows it: ``Acme Inc. · stripe:cus_1``."""
    return " · ".join(part for part in (one.name or one.address, f"{one.source}:{one.source_id}") if part)


def at_stake(one: Waiting) -> str:
    """The money that hangs on it, of the table that says most."""
    money = [stake for stake in one.stakes if stake.amount is not None]
    first = money[0].table if money else ""
    return "; ".join(stake.words for stake in (money or one.stakes) if not money or stake.table == first) or "no rows yet"


def choices(one: Waiting) -> list[str]:
    """What may be decided on it, the likeliest account first; :func:`decided` reads it back."""
    offered = [f"is {each.name or each.account_id} · {each.account_id} ({each.score:.2f}: {each.why})" for each in one.proposals]
    return [LATER, *offered, NOBODY]


def decided(waiting: Sequence[Waiting], chosen: Mapping[int, str], by: str, reason: str) -> list[Decision]:
    """The decisions of a form: place in ``waiting`` -> the choice made there."""
    found = []
    for place, choice in chosen.items():
        one = waiting[place]
        offered = choices(one)
        if choice not in offered or choice == LATER:
            continue
        nobody = choice == NOBODY
        target = None if nobody else one.proposals[offered.index(choice) - 1].account_id
        found.append(Decision("account", "rejected" if nobody else "confirmed", one.source, one.source_id, target, by, reason))
    return found
