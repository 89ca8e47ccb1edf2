"""Which account a customer of another system is.

A pure function of what the systems know of their customers and of what people decided. Records of a CRM are accounts. One that
another CRM, named further down in the ranking, holds as well is the same account. A customer is the account that a person says;
else by an id that one system stores of another, by its e-mail, its web domain, its name. What two accounts share decides
nothing by itself: with a shared domain the name decides, and where nothing does, a person is asked. So is one whose name is only
like an account's, and nothing is ever linked by likeness alone.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from kpi.warehouse import likeness
from kpi.warehouse.known import Book, Customer
from kpi.warehouse.names import are_foreign, are_siblings, compact, company_domain, loose_words, normal_name

__all__ = ["Candidate", "Customer", "Decision", "Link", "Linked", "company_domain", "link_accounts", "normal_name"]

#: How sure a link by each method is; 1 is certain.
CONFIDENCE: Final = {
    "own record": Decimal(1),
    "person": Decimal(1),
    "merged": Decimal(1),
    "stored id": Decimal(1),
    "domain and name": Decimal("0.98"),
    "e-mail": Decimal("0.97"),
    "domain": Decimal("0.95"),
    "name": Decimal("0.9"),
    "name, shortened": Decimal("0.85"),
}
_NOBODY: Final[frozenset[str]] = frozenset()
#: Accounts listed for one customer; whoever reads more reads none.
_MOST: Final = 5
#: Accounts that share a domain or a name beyond which it says nothing: an address made up where one was asked for, or Private Person.
#: Comparing each of thousands of customers with each of thousands of accounts would take hours.
_CROWD: Final = 100


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided of a customer; ``target`` None with ``rejected`` says that it is none of the accounts."""

    decision: str
    source: str
    source_id: str
    target: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A row of ``account_link``."""

    source: str
    source_id: str
    account_id: str
    method: str
    confidence: Decimal


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row of ``link_candidate``: an account that a customer may be, which a person must say."""

    source: str
    source_id: str
    account_id: str
    score: Decimal
    why: str


@dataclass
class Linked:
    """All links by customer, and what waits for a person."""

    links: dict[tuple[str, str], Link] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)


def link_accounts(
    accounts: Iterable[tuple[str, Customer]],
    customers: Iterable[Customer],
    ranking: Sequence[str] = (),
    decisions: Iterable[Decision] = (),
) -> Linked:
    """The links of all customers that can be matched, and candidates for those that can't.

    Args:
        accounts: account id and the CRM's record.
        customers: what other systems, or the CRMs' own other exports, know.
        ranking: systems; of records that are one customer, the one of the system named first is the account. Those that
            it doesn't name come after, by name.
        decisions: what people decided, the later ones last.
    """
    return _Linking(dict(accounts), ranking, decisions).run(customers)


class _Linking:
    """One run: who belongs to whom, as it becomes known."""

    def __init__(self, records: dict[str, Customer], ranking: Sequence[str], decisions: Iterable[Decision]) -> None:
        self.records = records
        self.ids = {record.key: id_ for id_, record in records.items()}
        self.places = {source: place for place, source in enumerate(ranking)}
        self.parent: dict[str, str] = {}
        self.method: dict[str, str] = {}
        self.confirmed: dict[tuple[str, str], str] = {}
        self.rejected: dict[tuple[str, str], set[str | None]] = defaultdict(set)
        for one in decisions:
            if one.decision == "confirmed" and one.target:
                self.confirmed[(one.source, one.source_id)] = one.target
            elif one.decision == "rejected":
                self.rejected[(one.source, one.source_id)].add(one.target)
        self.result = Linked()
        self.twice: set[str] = set()

    def run(self, customers: Iterable[Customer]) -> Linked:
        rest = [customer for customer in customers if customer.key not in self.ids]
        every = Counter(id_ for _, id_ in {*self.ids, *(customer.key for customer in rest)})
        self.twice = {id_ for id_, times in every.items() if times > 1}
        self._follow_merges(rest)
        ordered = sorted(self.records.items(), key=lambda item: (self._place(item[1].source), item[1].source, item[0]))
        above: list[tuple[str, Customer]] = []
        for _, group in itertools.groupby(ordered, key=lambda item: item[1].source):
            members = list(group)
            book = Book(above) if above else None
            for id_, record in members:
                if book is not None and id_ not in self.parent and (found := self._find(book, record)):
                    self._join(id_, *found)
            above += [(self._root(id_), record) for id_, record in members]
        for id_, record in self.records.items():
            self._link(record, self._root(id_), self.method.get(id_, "own record"))
        self._customers([(self._root(id_), record) for id_, record in self.records.items()], rest)
        return self.result

    def _place(self, source: str) -> int:
        return self.places.get(source, len(self.places))

    # -- the records ---------------------------------------------------------------------------------------------

    def _follow_merges(self, customers: Sequence[Customer]) -> None:
        """What people confirmed of records, then what the CRM itself merged."""
        for key, target in self.confirmed.items():
            if key in self.ids:
                self._join(self.ids[key], self._account(target) or "", "person")
        for record in [*self.records.values(), *customers]:
            if record.merged_into and record.key in self.ids:
                self._join(self.ids[record.key], self.ids.get((record.source, record.merged_into), ""), "merged")

    def _join(self, id_: str, target: str, method: str) -> None:
        """Let a record belong to another, unless they are one already or the other isn't there."""
        if target in self.records and id_ not in self.parent and self._root(target) != id_:
            self.parent[id_] = target
            self.method[id_] = method

    def _root(self, id_: str) -> str:
        while id_ in self.parent:
            id_ = self.parent[id_]
        return id_

    def _account(self, target: str) -> str | None:
        return self._root(target) if target in self.records else None

    def _link(self, customer: Customer, account: str, method: str) -> None:
        self.result.links[customer.key] = Link(*customer.key, account, method, CONFIDENCE[method])

    # -- the customers -------------------------------------------------------------------------------------------

    def _customers(self, members: list[tuple[str, Customer]], customers: Sequence[Customer]) -> None:
        book = Book(members)
        merged = {(one.source, one.source_id): one.merged_into for one in customers if one.merged_into}
        waiting = []
        for customer in customers:
            if (target := self.confirmed.get(customer.key)) and (account := self._account(target)):
                self._link(customer, account, "person")
            elif account := self._merged(customer, merged):
                self._link(customer, account, "merged")
            elif account := self._by_id(book, customer):
                self._link(customer, account, "stored id")
            else:
                waiting.append(customer)
                continue
            book.learn(account, customer, certain=False)
        unknown = []
        for customer in waiting:
            if found := self._find(book, customer):
                self._link(customer, *found)
                book.hear_from(found[0], customer)
            else:
                unknown.append(customer)
        asked = {(one.source, one.source_id) for one in self.result.candidates}
        nameless = [one for one in unknown if one.key not in asked and None not in self.rejected.get(one.key, ()) and one.name]
        for at, id_, score, why in likeness.candidates([one.name or "" for one in nameless], book.called()):
            customer = nameless[at]
            if id_ not in self._not(customer):
                self.result.candidates.append(Candidate(*customer.key, id_, score, why))

    def _merged(self, customer: Customer, merged: Mapping[tuple[str, str], str]) -> str | None:
        """The account of the record that the CRM merged this one into, over any number of merges."""
        seen = set()
        key = customer.key
        while key in merged and key not in seen:
            seen.add(key)
            key = (key[0], merged[key])
            if key in self.ids:
                return self._root(self.ids[key])
        return None

    # -- the rules -----------------------------------------------------------------------------------------------

    def _not(self, customer: Customer) -> set[str]:
        """Accounts that a person said this isn't."""
        return {self._root(target) for target in self.rejected.get(customer.key, ()) if target}

    def _allowed(self, customer: Customer, found: Set[str]) -> Set[str]:
        if customer.key not in self.rejected:
            return found  # and no copy, which for thousands of accounts and as many customers would take minutes
        return _NOBODY if None in self.rejected[customer.key] else found - self._not(customer)

    def _by_id(self, book: Book, customer: Customer) -> str | None:
        """The account whose id the customer's system stores (a Salesforce id of 18 letters answers to its first 15 as well), else
        the one that stores the customer's, unless two systems have customers of that id."""
        other = customer.other_id or ""
        found: Set[str] = book.ids.get(other) or book.ids.get(other[:15]) or _NOBODY
        if not found and customer.source_id not in self.twice:
            found = book.stored.get(customer.source_id, _NOBODY)
        return _only(self._allowed(customer, found))

    def _find(self, book: Book, customer: Customer) -> tuple[str, str] | None:
        """The account and the method, by the first rule that decides; what stays open becomes candidates."""
        if account := self._by_id(book, customer):
            return account, "stored id"
        writer = _only(self._allowed(customer, book.emails.get(customer.email, _NOBODY))) if customer.email else None
        if writer and book.fits(writer, customer):
            return writer, "e-mail"
        found = self._by_domain_or_name(book, customer)
        if writer and not found:
            self._ask(book, customer, {writer}, "it has the same e-mail, but another name: one mailbox may pay for several")
        return found

    def _by_domain_or_name(self, book: Book, customer: Customer) -> tuple[str, str] | None:
        domain = company_domain(customer.domain)
        owners = self._allowed(customer, book.domains.get(domain, _NOBODY)) if domain else _NOBODY
        named = self._allowed(customer, book.names.get(normal_name(customer.name), _NOBODY)) if customer.name else _NOBODY
        shortened = self._allowed(customer, book.loose.get(compact(loose_words(customer.name)), _NOBODY)) if customer.name else _NOBODY
        if len(owners) == 1:
            return self._by_domain(book, customer, next(iter(owners)), named)
        if owners:
            account = _only(owners & named) or _only(owners & shortened)
            if account:
                return account, "domain and name"
            self._ask(book, customer, owners, f"its domain {domain} is that of {len(owners)} accounts")
            return None
        for method, found in (("name", named), ("name, shortened", shortened)):
            if len(found) > 1:
                self._ask(book, customer, found, f"{len(found)} accounts have this name")
                return None
            if account := _only(found):
                if are_foreign(customer.name, book.name(account)):
                    self._ask(book, customer, found, "the name is the same, but the legal forms are of two countries")
                    return None
                if book.is_common(customer.name or "") and not book.confirms(account, domain, customer.name or ""):
                    self._ask(book, customer, found, "the name is a common one, and no domain says that they are the same")
                    return None
                return account, method
        return None

    def _by_domain(self, book: Book, customer: Customer, account: str, named: Set[str]) -> tuple[str, str] | None:
        """The domain is one account's; the name may still speak for another company of the same group."""
        other = _only(named - {account}) if account not in named else None
        if other and not book.has_domain(other):
            if book.share_words(account, other):
                return other, "domain and name"
            self._ask(book, customer, {account, other}, "its domain says one account and its name another")
            return None
        if other:
            self._ask(book, customer, {other}, "its domain says the account it is linked to, its name another")
        elif account not in named and are_siblings(customer.name, book.name(account)):
            self._ask(book, customer, {account}, "the domain is the same, but the names speak of two companies of a group")
            return None
        return account, "domain"

    def _ask(self, book: Book, customer: Customer, accounts: Set[str], why: str) -> None:
        """Let a person say; of a crowd nobody can, and those whose names are alike are found later."""
        if len(accounts) > _CROWD:
            return
        scored = sorted(((likeness.alike(customer.name, book.name(id_)), id_) for id_ in accounts), key=lambda one: (-one[0], one[1]))
        for score, id_ in scored[:_MOST]:
            self.result.candidates.append(Candidate(*customer.key, id_, score, why))


def _only(found: Iterable[str]) -> str | None:
    one = list(itertools.islice(found, 2))
    return one[0] if len(one) == 1 else None
