"""How many of the links that are made are right, and how many of those that should be are made."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.crowd import Crowd, make_crowd
from benchmarks.timing import Line
from kpi.warehouse.identity import Linked, link_accounts

#: Not one of those with which the rules were looked at while they were written.
SEED = 2026
#: The CRM that counts first.
RANKING = ("salesforce", "hubspot")


@dataclass
class Score:
    """What became of everyone whose company a CRM knows under another record.

    Attributes:
        should: how many there are. right, wrong: of the links that were made without a person. offered: of those without a link, how
            many have the right account among their candidates.
        wrongly: method -> wrong links.
    """

    should: int = 0
    right: int = 0
    wrong: int = 0
    offered: int = 0
    wrongly: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        """Of the links, those that are right."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Of those who should be linked, those who are, and to the right account."""
        return self.right / max(1, self.should)


def score(crowd: Crowd, linked: Linked) -> Score:
    """Set links against the truth; of a company that a CRM has twice either record is right."""
    found = Score()
    records = dict(crowd.accounts)
    # companies of the first CRM, and of the next those that the first lacks
    homes: dict[int, set[str]] = {}
    for source in RANKING:
        fresh: dict[int, set[str]] = {}
        for id_, record in crowd.accounts:
            if record.source == source and crowd.truth[record.key] not in homes:
                fresh.setdefault(crowd.truth[record.key], set()).add(id_)
        homes |= fresh
    candidates: dict[tuple[str, str], set[int]] = {}
    for one in linked.candidates:
        candidates.setdefault((one.source, one.source_id), set()).add(crowd.truth[records[one.account_id].key])
    for customer in [*(record for _, record in crowd.accounts), *crowd.customers]:
        company = crowd.truth[customer.key]
        link = linked.links.get(customer.key)
        is_home = f"{customer.source}:{customer.source_id}" in homes.get(company, set())
        found.should += company in homes and not is_home
        if link is None or link.method == "own record":
            found.offered += company in homes and not is_home and company in candidates.get(customer.key, set())
        elif crowd.truth[records[link.account_id].key] == company:
            found.right += not is_home
        else:
            found.wrong += 1
            found.wrongly[link.method] += 1
    return found


def measure(scale: float = 1.0) -> list[Line]:
    """Of 5,000 companies what is wrong and what is missing, in percent; and the seconds that ten times as many take."""
    crowd = make_crowd(int(5_000 * scale), SEED)
    found = score(crowd, link_accounts(crowd.accounts, crowd.customers, RANKING))
    large = make_crowd(int(50_000 * scale), SEED)
    began = time.perf_counter()
    link_accounts(large.accounts, large.customers, RANKING)
    took = time.perf_counter() - began
    rest = max(1, found.should - found.right)
    wrong, missing = 100 * (1 - found.precision), 100 * (1 - found.recall)
    by = ", ".join(f"{count} by {method}" for method, count in found.wrongly.most_common())
    return [
        Line("links made that are wrong", wrong, limit=0.5, note=f"{found.wrong} of {found.right + found.wrong:,}: {by}", unit="%"),
        Line("links missing", missing, limit=10, note=f"{rest:,} of {found.should:,}, the right one offered to {found.offered}", unit="%"),
        Line(f"{len(large.accounts):,} records, {len(large.customers):,} customers", took, limit=60),
    ]
