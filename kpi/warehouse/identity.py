"""Which account a customer of another system is.

A pure function of ``account`` and ``source_account``: the CRM's own records are themselves; then an id that one
system stores of another; then the e-mail or web domain, free-mail domains left out; then the normalised name. A
domain or name that two accounts share decides nothing. What is unmatched keeps an empty account and stays visible.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import pyarrow as pa

from kpi.warehouse.schema import account_link, facts
from kpi.warehouse.store import Store

#: Anyone can have an address there, so the domain says nothing of the company.
FREE_MAIL: Final = frozenset(
    """
    gmail.com googlemail.com yahoo.com yahoo.de yahoo.co.uk yahoo.fr ymail.com outlook.com outlook.de hotmail.com hotmail.co.uk
    hotmail.de hotmail.fr live.com msn.com icloud.com me.com mac.com aol.com aim.com proton.me protonmail.com pm.me gmx.de gmx.net
    gmx.com gmx.at gmx.ch web.de t-online.de freenet.de mail.com mail.ru yandex.ru yandex.com zoho.com fastmail.com hey.com qq.com
    163.com 126.com naver.com orange.fr wanadoo.fr free.fr laposte.net libero.it
    """.split()  # noqa: SIM905 - a list of quoted names would take a page
)

#: Legal forms at the end of a company's name, after punctuation is gone.
_FORMS: Final = re.compile(
    r"(?: (?:inc|incorporated|corp|corporation|and co|and company|co|company|llc|llp|lp|ltd|limited|plc|gmbh|mbh|ag|kg|ohg|ug|se|"
    r"sa|sas|sarl|srl|spa|bv|nv|ab|as|oy|aps|pty|kk|kft|sro))+$"
)


@dataclass(frozen=True)
class Customer:
    """A row of ``source_account``, or of ``account``, as far as identity needs it."""

    source: str
    source_id: str
    name: str | None
    domain: str | None
    other_id: str | None = None


@dataclass(frozen=True)
class Link:
    """A row of ``account_link``."""

    source: str
    source_id: str
    account_id: str
    method: str
    confidence: Decimal


def normal_name(name: str) -> str:
    """A company's name without case, accents, punctuation and legal form; a first word always stays."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).replace("&", " and ")
    plain = re.sub(r"(?<=\b\w)\.(?=\w\b)", "", plain)  # s.a. -> sa
    words = " ".join(re.sub(r"[^\w]+", " ", plain).split())
    return _FORMS.sub("", words)


def company_domain(domain: str | None) -> str | None:
    """A domain that names one company: lower case, without www; None for free mail."""
    if not domain:
        return None
    bare = domain.strip().lower().removeprefix("www.")
    return bare if "." in bare and bare not in FREE_MAIL else None


def link_accounts(accounts: Iterable[tuple[str, Customer]], customers: Iterable[Customer]) -> dict[tuple[str, str], Link]:
    """The links of all customers that can be matched.

    Args:
        accounts: account id and the CRM record it is.
        customers: what other systems, or the CRM's own other exports, know.
    """
    own, others = list(accounts), list(customers)
    links = {(c.source, c.source_id): Link(c.source, c.source_id, id_, "own record", Decimal(1)) for id_, c in own}
    by_id = _unique((c.source_id, id_) for id_, c in own) | {id_: id_ for id_, _ in own}
    by_id |= _merged(others, {c.source for _, c in own}, by_id)
    by_domain = _unique((company_domain(c.domain), id_) for id_, c in own)
    by_name = _unique((normal_name(c.name) if c.name else None, id_) for id_, c in own)
    ways: tuple[tuple[str, Decimal, Callable[[Customer], str | None]], ...] = (
        ("stored id", Decimal(1), lambda c: by_id.get(c.other_id or "") or by_id.get((c.other_id or "")[:15])),
        ("domain", Decimal("0.95"), lambda c: by_domain.get(company_domain(c.domain) or "")),
        ("name", Decimal("0.9"), lambda c: by_name.get(normal_name(c.name)) if c.name else None),
    )
    for customer in others:
        key = (customer.source, customer.source_id)
        for method, confidence, find in () if key in links else ways:
            found = find(customer)
            if found:
                links[key] = Link(*key, found, method, confidence)
                break
    return links


def _merged(customers: Iterable[Customer], systems: set[str], by_id: dict[str, str]) -> dict[str, str]:
    """Ids of records that their own CRM merged into others -> the account that is left, over any number of steps."""
    into = {c.source_id: c.other_id for c in customers if c.source in systems and c.other_id and c.source_id not in by_id}
    found: dict[str, str] = {}
    for gone in into:
        seen, now = {gone}, into[gone]
        while now in into and now not in seen:
            seen.add(now)
            now = into[now]
        if account := by_id.get(now or ""):
            found |= {gone: account, gone[:15]: account} if len(gone) == 18 else {gone: account}
    return found


def _unique(pairs: Iterable[tuple[str | None, str]]) -> dict[str, str]:
    """Key -> account, without the keys that several accounts share; an 18-character id answers to its first 15 as well."""
    found: dict[str, str | None] = {}
    for key, id_ in pairs:
        if key:
            found[key] = id_ if found.get(key, id_) == id_ else None
    return {key: id_ for key, id_ in found.items() if id_ is not None}


def refresh_account_links(store: Store) -> bool:
    """Compute ``account_link`` anew; whether anything changed."""
    accounts = [(row[0], Customer(*row[1:])) for row in store.run("SELECT account_id, source, source_id, name, domain FROM account")]
    if accounts:
        customers = [
            Customer(*row)
            for row in store.run(
                "SELECT source, source_id, name, coalesce(domain, split_part(email, '@', 2)), other_id FROM source_account"
            )
        ]
    else:
        customers = []  # nobody to be
    links = sorted(link_accounts(accounts, customers).values(), key=lambda link: (link.source, link.source_id))
    rows = {(link.source, link.source_id, link.account_id, link.method) for link in links}
    if rows == set(store.run("SELECT source, source_id, account_id, method FROM account_link")):
        return False
    store.run("DELETE FROM account_link")
    if links:
        store.add(account_link.name, pa.Table.from_pylist([vars(link) for link in links]))
    return True


def linked_tables() -> list[str]:
    """Tables whose rows point at an account over the source's own id."""
    return [table.name for table in facts() if "source_account_id" in table.columns]


def apply_account_links(store: Store, tables: Iterable[str]) -> None:
    """Let the rows of ``tables`` point where the links say; rows that do already are not written."""
    for name in tables:
        store.run(
            f"CREATE TEMP TABLE moved AS SELECT t.{store.row} AS r, l.account_id FROM {name} t "
            "LEFT JOIN account_link l ON l.source = t.source AND l.source_id = t.source_account_id "
            "WHERE t.account_id IS DISTINCT FROM l.account_id"
        )
        if store.count("SELECT count(*) FROM moved"):
            store.run(f"UPDATE {name} SET account_id = moved.account_id FROM moved WHERE {name}.{store.row} = moved.r")
        store.run("DROP TABLE moved")


def refresh_account_versions(store: Store) -> None:
    """One version an account, which reaches back to the beginning and is open."""
    store.run("DELETE FROM account_version")
    store.run(
        "INSERT INTO account_version (account_id, valid_from, valid_to, industry, region, country, employees, owner) "
        "SELECT account_id, DATE '0001-01-01', NULL, industry, region, country, employees, owner FROM account"
    )
