"""What accounts are known by: the ids, addresses, domains and names of everyone who is one, and which accounts each leads to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from kpi.warehouse import likeness
from kpi.warehouse.names import are_akin, are_of, are_siblings, compact, company_domain, loose_words, normal_name

#: A word that so many names have tells no company from another.
_COMMON: Final = 3
#: From here on two names may be one, if an address says so.
_ALIKE: Final = Decimal("0.75")
#: Names of those who write from one address that another is compared with; a bookkeeper's has hundreds.
_HEARD: Final = 5


@dataclass(frozen=True, slots=True)
class Customer:
    """A row of ``source_account``, or of ``account_record``, as far as identity needs it.

    Attributes:
        other_id: an id of another system that this one stores.
        email: the whole address.
        merged_into: the id, in the same system, of the record that this one was merged into.
    """

    source: str
    source_id: str
    name: str | None
    domain: str | None
    other_id: str | None = None
    email: str | None = None
    merged_into: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.source, self.source_id


class Book:
    """What accounts are known by, and which accounts each of it leads to."""

    def __init__(self, members: Iterable[tuple[str, Customer]]) -> None:
        self.ids: dict[str, set[str]] = defaultdict(set)
        self.stored: dict[str, set[str]] = defaultdict(set)
        self.emails: dict[str, set[str]] = defaultdict(set)
        self.domains: dict[str, set[str]] = defaultdict(set)
        self.names: dict[str, set[str]] = defaultdict(set)
        self.loose: dict[str, set[str]] = defaultdict(set)
        self._called: dict[str, list[str]] = defaultdict(list)
        self._of: dict[str, set[str]] = defaultdict(set)
        self._words: Counter[str] = Counter()
        self._writers: dict[str, list[str]] = defaultdict(list)
        for account, member in members:
            self.ids[member.source_id].add(account)
            self.ids[f"{member.source}:{member.source_id}"].add(account)
            if member.other_id:
                self.stored[member.other_id].add(account)
            if member.name and member.name not in self._called[account]:
                self._called[account].append(member.name)
                words = loose_words(member.name)
                self.names[normal_name(member.name)].add(account)
                self.loose[compact(words)].add(account)
                self._words.update(set(words))
            self.learn(account, member)

    def learn(self, account: str, customer: Customer, certain: bool = True) -> None:
        """Its addresses are the account's as well; with ``certain`` False a domain only where it looks like the account's, since
        a bookkeeper's pays for many."""
        self.hear_from(account, customer)
        domain = company_domain(customer.domain)
        if domain and (certain or any(are_of(domain, name) for name in self._called[account]) or self.knows_akin(account, domain)):
            self.domains[domain].add(account)
            self._of[account].add(domain)

    def name(self, account: str) -> str | None:
        """What the system that ranks first calls it."""
        called = self._called.get(account)
        return called[0] if called else None

    def called(self) -> list[tuple[str, str]]:
        """Every name with its account."""
        return [(name, account) for account, names in self._called.items() for name in names]

    def fits(self, account: str, customer: Customer) -> bool:
        """Whether the name speaks for it as well: there is none, or it shares a rare word with the account's or with that of another
        who writes from this address, or is like it."""
        called = [*self._called.get(account, ()), *self._writers.get(customer.email or "", ())[:_HEARD]]
        if not customer.name or not called:
            return True
        name = customer.name
        words = {word for word in loose_words(name) if self._words[word] < _COMMON}
        akin = any(words & set(loose_words(one)) or likeness.alike(name, one) >= _ALIKE for one in called)
        return akin and not any(are_siblings(name, one) for one in called)

    def has_domain(self, account: str) -> bool:
        """Whether any system knows a domain of its own."""
        return bool(self._of.get(account))

    def hear_from(self, account: str, customer: Customer) -> None:
        """Whoever writes from the same address is the account as well, if the name fits."""
        if customer.email:
            self.emails[customer.email].add(account)
            if customer.name:
                self._writers[customer.email].append(customer.name)

    def knows_akin(self, account: str, domain: str) -> bool:
        """Whether one of the account's domains looks like this one."""
        return any(are_akin(domain, one) for one in self._of.get(account, ()))

    def confirms(self, account: str, domain: str | None, name: str) -> bool:
        """Whether the domains don't speak against it; where one is missing, two words are proof enough, and one is not."""
        if domain and account in self._of:
            return self.knows_akin(account, domain)
        return len(loose_words(name)) > 1

    def is_common(self, name: str) -> bool:
        """Whether every word of the name is in several others."""
        return all(self._words[word] >= _COMMON for word in loose_words(name))

    def share_words(self, one: str, other: str) -> bool:
        """Whether the names of two accounts have a word in common that tells companies apart."""
        shared = set(loose_words(self.name(one) or "")) & set(loose_words(self.name(other) or ""))
        return bool(shared)
