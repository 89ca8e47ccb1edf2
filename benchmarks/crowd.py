# ruff: noqa: SIM905 - lists of quoted words would take pages
"""Companies as three systems know them, with the mess of real lists, and the truth kept apart.

What goes wrong is taken from what people who clean such lists report: legal forms left out or changed, words shortened, letters
missing or swapped, a person's name in place of the company's, no website or a page on a host, free mail, a bookkeeper's address,
the parent's domain for its subsidiaries, another country's ending, an old name after a rebrand, two companies of one name,
a record that is there twice, customers that no CRM knows, and now and then a wrong id.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from kpi.warehouse.identity import Customer

_PARTS = (
    "al an ar bel ber bra bri cal cor dal del dor el en fen fil gal gor hal hel in jor kal kel lan lor mar mel mon nal nor ol or pal per "
    "quin "
    "ral ren ros sal sel sol tal tor ul ven vil wes zan zel zor"
).split()
_COMMON = (
    "summit pioneer phoenix global united premier apex horizon atlas crystal delta eagle falcon golden green harbor liberty metro northern "
    "oak pacific quantum river silver sterling titan vertex west bright clear first prime smart star stone sun true urban vista blue red"
).split()
_TRADES = (
    "Consulting Logistics Technologies Solutions Services Systems Media Engineering Manufacturing Partners Group Holdings Industries "
    "Laboratories Software Design Construction Insurance International Foods Energy Pharmaceuticals Communications Marketing Electronics"
).split()
_SHORT = {
    "Technologies": "Tech",
    "Solutions": "Sol.",
    "Services": "Svcs",
    "International": "Intl",
    "Manufacturing": "Mfg",
    "Laboratories": "Labs",
    "Engineering": "Eng.",
    "Group": "Grp",
    "Holdings": "Hldgs",
    "Industries": "Ind.",
    "Systems": "Sys",
    "Pharmaceuticals": "Pharma",
}
_FORMS = {
    "de": ["GmbH", "AG", "GmbH & Co. KG"],
    "uk": ["Ltd", "Limited", "PLC"],
    "us": ["Inc.", "LLC", "Corp."],
    "fr": ["SAS", "SARL"],
    "nl": ["B.V."],
}
_PLACES = {"de": "Germany", "uk": "UK", "us": "USA", "fr": "France", "nl": "Netherlands"}
_ENDINGS = {"de": "de", "uk": "co.uk", "us": "com", "fr": "fr", "nl": "nl"}
_FREE = ("gmail.com", "outlook.com", "gmx.de", "yahoo.co.uk", "web.de", "orange.fr", "icloud.com")
_FIRST = "Anna Ben Carla David Emma Felix Grace Hugo Ines Jan Kim Lea Mia Noah Olga Paul Rosa Sam Tara Uwe".split()
_LAST = "Smith Jones Miller Weber Martin Dubois Jansen Novak Rossi Silva Kowalski Berg Lind Costa Meyer Brown".split()


@dataclass
class Company:
    """One company as it is."""

    number: int
    name: str
    form: str
    country: str
    domain: str
    old_name: str = ""
    old_domain: str = ""


@dataclass
class Crowd:
    """What the systems know, and who is who.

    Attributes:
        accounts: id and record of the CRMs. customers: those of billing.
        truth: (source, id) -> number of the company.
    """

    accounts: list[tuple[str, Customer]] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    truth: dict[tuple[str, str], int] = field(default_factory=dict)


def make_crowd(companies: int, seed: int = 7) -> Crowd:
    """The same crowd for the same numbers: some 90 % of the companies in Salesforce, half in HubSpot, 80 % in billing."""
    return _Making(random.Random(seed)).crowd(companies)


class _Making:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.made = Crowd()
        self.domains: set[str] = set()
        self.names: set[str] = set()
        self.firms = [f"{self._word().lower()}-accounting.example" for _ in range(30)]

    def _is(self, share: float) -> bool:
        return self.chance.random() < share

    def _word(self) -> str:
        return "".join(self.chance.choices(_PARTS, k=self.chance.choice((2, 2, 3)))).title()

    # -- what is so ----------------------------------------------------------------------------------------------

    def crowd(self, count: int) -> Crowd:
        companies: list[Company] = []
        while len(companies) < count:
            companies += self._family(len(companies)) if self._is(0.03) else [self._company(len(companies))]
        for company in companies[: count // 50]:  # two companies of one name
            company.name = self.chance.choice(companies).name
        for company in companies:
            if self._is(0.03):  # it has a new name, and mostly a new domain with it
                company.old_name, company.name = company.name, f"{self._word()} {self.chance.choice(_TRADES)}"
                if self._is(0.7):
                    company.old_domain, company.domain = company.domain, self._domain(company.name, company.country)
        for company in companies:
            self._systems(company)
        self.chance.shuffle(self.made.accounts)
        self.chance.shuffle(self.made.customers)
        return self.made

    def _company(self, number: int) -> Company:
        name = self._name()
        while name in self.names:
            name = self._name()
        self.names.add(name)
        country = self.chance.choice(list(_FORMS))
        return Company(number, name, self.chance.choice(_FORMS[country]), country, self._domain(name, country))

    def _name(self) -> str:
        head = self.chance.choice(_COMMON).title() if self._is(0.35) else self._word()
        middle = f" {self.chance.choice(_COMMON).title()}" if self._is(0.3) else ""
        return f"{head}{middle} {self.chance.choice(_TRADES)}" if self._is(0.8) else f"{head}{middle}"

    def _domain(self, name: str, country: str) -> str:
        """A domain has one owner."""
        domain = self._free_domain(name, country)
        while domain in self.domains:
            domain = f"{self.chance.choice(('the', 'my', 'go', 'get', 'we'))}{self.chance.randrange(99) or ''}{domain}"
        self.domains.add(domain)
        return domain

    def _free_domain(self, name: str, country: str) -> str:
        words = name.lower().split()
        label = self.chance.choice(("".join(words), "-".join(words), words[0], words[0] + self.chance.choice(("group", "hq", "online"))))
        return f"{label}.{_ENDINGS[country] if self._is(0.6) else self.chance.choice(('com', 'io', 'net', 'eu'))}"

    def _family(self, number: int) -> list[Company]:
        """Companies of a group: some share the parent's domain, some have their country's ending."""
        brand, trade = self._word(), self.chance.choice(_TRADES)
        while any(domain.startswith(f"{brand.lower()}.") for domain in self.domains) or brand in self.names:
            brand = self._word()
        self.names.add(brand)
        countries = self.chance.sample(list(_FORMS), self.chance.choice((2, 3, 4)))
        shared = f"{brand.lower()}.com"
        self.domains |= {shared, *(f"{brand.lower()}.{ending}" for ending in _ENDINGS.values())}
        return [
            Company(
                number + at,
                f"{brand} {trade} {_PLACES[country]}" if self._is(0.5) else f"{brand} {_PLACES[country]}",
                self.chance.choice(_FORMS[country]),
                country,
                shared if self._is(0.7) else f"{brand.lower()}.{_ENDINGS[country]}",
            )
            for at, country in enumerate(countries)
        ]

    # -- what the systems know -----------------------------------------------------------------------------------

    def _systems(self, company: Company) -> None:
        in_crm = self._is(0.9)
        ids: list[str] = []
        for _ in range(2 if in_crm and self._is(0.015) else int(in_crm)):
            ids.append(f"001{len(self.made.truth):012d}")
            self._record("salesforce", ids[-1], company, self._crm_name(company), self._website(company))
        if self._is(0.5):
            name = company.old_name if company.old_name and self._is(0.4) else self._crm_name(company)
            other = ids[0] if ids and self._is(0.2) else None
            self._record("hubspot", f"{9_000_000 + len(self.made.truth)}", company, name, self._website(company), other)
        for _ in range(self.chance.choices((0, 1, 2), (20, 72, 8))[0]):
            self._customer(company, ids)

    def _record(self, source: str, id_: str, company: Company, name: str, domain: str | None, other: str | None = None) -> None:
        self.made.accounts.append((f"{source}:{id_}", Customer(source, id_, name, domain, other)))
        self.made.truth[(source, id_)] = company.number

    def _customer(self, company: Company, ids: list[str]) -> None:
        id_ = f"cus_{len(self.made.truth):08d}"
        stored = None
        if ids and self._is(0.15):
            stored = self.chance.choice(self.made.accounts)[1].source_id if self._is(0.004) else ids[0]
        domain = self._mail(company)
        roles = ("ap", "billing", "finance", "office", id_)
        email = f"{id_ if domain in _FREE else self.chance.choice(roles)}@{domain}" if domain else None
        self.made.customers.append(Customer("stripe", id_, self._billing_name(company), domain, stored, email))
        self.made.truth[("stripe", id_)] = company.number

    def _website(self, company: Company) -> str | None:
        if self._is(0.12):
            return None
        if self._is(0.02):
            return "facebook.com"
        domain = company.old_domain if company.old_domain and self._is(0.3) else company.domain
        return f"{self.chance.choice(('shop', 'www', 'en'))}.{domain}" if self._is(0.05) else domain

    def _mail(self, company: Company) -> str | None:
        kind = self.chance.choices(("own", "free", "none", "firm", "other ending", "another"), (73, 13, 5, 3, 4, 2))[0]
        if kind == "own":
            return company.old_domain if company.old_domain and self._is(0.3) else company.domain
        if kind == "free":
            return self.chance.choice(_FREE)
        if kind == "firm":
            return self.chance.choice(self.firms)
        if kind == "none":
            return None
        if kind == "other ending":
            ours = f"{company.domain.split('.')[0]}.{self.chance.choice(('com', 'eu', 'org', 'biz'))}"
            return company.domain if ours in self.domains else ours
        other = f"{self._word()}{self._word()}.com".lower()
        return company.domain if other in self.domains else other

    def _crm_name(self, company: Company) -> str:
        name = self._misspelt(company.name) if self._is(0.015) else company.name
        name = f"{name} {company.form}" if self._is(0.5) else name
        return f"{name} ({self.chance.choice(('old', 'Customer', 'EU', 'prospect'))})" if self._is(0.02) else name

    def _billing_name(self, company: Company) -> str | None:
        kind = self.chance.random()
        if kind < 0.05:
            return f"{self.chance.choice(_FIRST)} {self.chance.choice(_LAST)}"
        if kind < 0.08:
            return None
        name = company.old_name if company.old_name and self._is(0.3) else company.name
        if self._is(0.10):
            name = " ".join(_SHORT.get(word, word) for word in name.split())
        elif self._is(0.05):
            name = self._misspelt(name)
        elif self._is(0.04) and " " in name:
            name = name.rsplit(" ", 1)[0]  # the trade left out
        elif self._is(0.03):
            name = name.replace(" ", "", 1)
        if self._is(0.6):
            form = company.form if self._is(0.9) else self.chance.choice(_FORMS[company.country])
            name = f"{name}{self.chance.choice((' ', ', '))}{form}"
        if self._is(0.03):
            name = f"{name} - {self.chance.choice(('Accounts Payable', 'IT', 'Buchhaltung'))}"
        return name.upper() if self._is(0.1) else name

    def _misspelt(self, name: str) -> str:
        at = self.chance.randrange(1, len(name) - 1)
        return {
            0: name[:at] + name[at + 1 :],
            1: name[:at] + name[at + 1] + name[at] + name[at + 2 :],
            2: name[:at] + name[at] + name[at:],
            3: name[:at] + self.chance.choice("aeinrst") + name[at + 1 :],
        }[self.chance.randrange(4)]
