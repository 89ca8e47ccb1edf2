"""The accounts of the CRM, the customers of billing, and what they buy and when they leave."""

from __future__ import annotations

import datetime as dt
import random
import re
from decimal import Decimal
from typing import Final

from kpi.demo import story
from kpi.demo.company import Account, Customer, Purchase, cents, identifier
from kpi.demo.story import Product, Segment

# fmt: off
_STEMS: Final = (
    "Alder", "Amsel", "Arden", "Birk", "Brandt", "Brask", "Calder", "Carrow", "Dahl", "Dorn", "Eider", "Elster", "Falk", "Fenn",
    "Garrick", "Glenn", "Hagen", "Harrow", "Holm", "Ibsen", "Jansen", "Kestrel", "Kiefer", "Larch", "Lindqvist", "Lund", "Maren",
    "Merrow", "Morgen", "Nyman", "Oder", "Oster", "Pell", "Quist", "Rask", "Rowan", "Saaler", "Stark", "Sund", "Tarn", "Thorn", "Ulmer",
    "Varga", "Vestre", "Wagner", "Wren", "Ystad", "Zeller",
)
# fmt: on
#: Second word of a name -> industry.
_TRADES: Final = {
    "Freight": "Logistics",
    "Maritime": "Logistics",
    "Foods": "Consumer goods",
    "Brauerei": "Consumer goods",
    "Optics": "Manufacturing",
    "Werke": "Manufacturing",
    "Robotics": "Manufacturing",
    "Energy": "Energy",
    "Solar": "Energy",
    "Health": "Health care",
    "Dental": "Health care",
    "Capital": "Financial services",
    "Insurance": "Financial services",
    "Media": "Media",
    "Studios": "Media",
    "Retail": "Retail",
}
_SELLERS: Final = {
    "DACH": ("Jana Köhler", "Tobias Reiter", "Miriam Vogt"),
    "Nordics": ("Astrid Nilsen", "Eero Salonen"),
    "UK & Ireland": ("Callum Byrne", "Priya Shah"),
    "North America": ("Dana Whitfield", "Marcus Lee", "Elena Ruiz"),
}
_STRAYS: Final = (
    "Paul Ahrens",
    "Studio Kleinholz",
    "M. Okafor Consulting",
    "Lena Brück",
    "Hofladen Sonnleiten",
    "J. Petrov",
    "Atelier Vesper",
    "Niko Tamm",
    "Café Rotfuchs",
)
#: Days from the CRM record to the first purchase.
_CYCLE: Final = {"SMB": (4, 60), "Mid-market": (30, 120), "Enterprise": (60, 200)}
#: Customers who leave within their first months would be noise in every cohort.
_SHORTEST_STAY_DAYS: Final = 75


def accounts(rng: random.Random, start: dt.date, end: dt.date) -> list[Account]:
    """The CRM's accounts: customers of the first day, customers won since, then prospects, segment by segment."""
    names = [(stem, trade) for stem in _STEMS for trade in _TRADES]
    rng.shuffle(names)
    made: list[Account] = []
    for segment in story.SEGMENTS:
        for position in range(segment.opening + segment.won + segment.prospects):
            old = position < segment.opening
            stem, trade = names.pop()
            region, _, countries = rng.choices(story.REGIONS, [share for _, share, _ in story.REGIONS])[0]
            country, forms = rng.choice(countries)
            low, high = segment.employees
            employees = rng.randint(low, high if segment is not story.ENTERPRISE or rng.random() < 0.3 else 4000)
            if old:
                created = start - dt.timedelta(days=rng.randint(30, 1500))
            else:
                # Evenly over the years, so that growth is steady; half a year before the end the last are in the CRM.
                turn = (position - segment.opening) % segment.won
                span = (end - start).days
                created = start + dt.timedelta(days=span * turn // segment.won - 60 + rng.randint(0, span // segment.won))
            made.append(
                Account(
                    id=identifier("0015g00000", len(made) * 7919 + 100_003, 15) + "AAA",
                    name=f"{stem} {trade} {rng.choice(forms)}",
                    domain=f"{stem}-{trade}.example".lower(),
                    industry=_TRADES[trade],
                    region=region,
                    country=country,
                    employees=employees,
                    owner=rng.choice(_SELLERS[region]),
                    created_on=created,
                    segment=segment,
                )
            )
    return _with_gaps(rng, _with_big_deal(made, start))


def customers(rng: random.Random, accounts: list[Account], end: dt.date) -> list[tuple[Customer, bool]]:
    """Those that buy, each with whether it is a customer since the first day; strays come last."""
    made: list[tuple[Customer, bool]] = []
    for segment in story.SEGMENTS:
        own = [account for account in accounts if account.segment is segment][: segment.opening + segment.won]
        for i, account in enumerate(own):
            made.append((_customer(rng, account, len(made)), i < segment.opening))
    for name in _STRAYS[: story.STRAY_CUSTOMERS]:
        mail = re.sub(r"[^a-z]+", ".", name.lower()).strip(".") + "@gmail.com"
        taxed = rng.random() < 0.7
        made.append(
            (Customer(identifier("cus_", (len(made) + 977) * 1_000_003**2, 18), None, name, mail, False, name, taxed, story.SMB), False)
        )
    return made


def purchases(rng: random.Random, customers: list[tuple[Customer, bool]], start: dt.date, end: dt.date) -> list[Purchase]:
    """What everyone buys, in the order of the customers and then of the days."""
    made: list[Purchase] = []
    latest = max((c.account.created_on for c, opening in customers if c.account and not opening and c.segment is story.SMB), default=start)
    for customer, opening in customers:
        if customer.account and customer.account.name == story.BIG_DEAL.account:
            made.append(_big(customer, end))
            continue
        if opening:
            first = start
        elif customer.account is None:
            first = start + dt.timedelta(days=rng.randint(0, (end - start).days - 60))
        elif customer.segment is story.SMB and customer.account.created_on == latest:
            # Someone signs up on the last day, so that what billing exports reaches to the end of the last week.
            first = end
        else:
            first = max(start, customer.account.created_on + dt.timedelta(days=rng.randint(*_CYCLE[customer.segment.name])))
            if first > end:
                continue  # still a prospect
        made.extend(_life(rng, customer, opening, first, end))
    return made


def _with_big_deal(accounts: list[Account], start: dt.date) -> list[Account]:
    """The big deal's account stands for one that was won in Enterprise."""
    place = next(i for i, account in enumerate(accounts) if account.segment is story.ENTERPRISE) + story.ENTERPRISE.opening
    old = accounts[place]
    accounts[place] = Account(
        old.id,
        story.BIG_DEAL.account,
        story.BIG_DEAL.domain,
        "Logistics",
        "DACH",
        "Germany",
        6200,
        _SELLERS["DACH"][0],
        start,
        story.ENTERPRISE,
    )
    return accounts


def _with_gaps(rng: random.Random, accounts: list[Account]) -> list[Account]:
    """Some accounts without a number of employees, small ones, as nobody looked them up."""
    small = [i for i, account in enumerate(accounts) if account.segment is story.SMB][: story.SMB.opening + story.SMB.won]
    for i in rng.sample(small, story.WITHOUT_EMPLOYEES):
        old = accounts[i]
        accounts[i] = Account(
            old.id, old.name, old.domain, old.industry, old.region, old.country, None, old.owner, old.created_on, old.segment
        )
    return accounts


def _customer(rng: random.Random, account: Account, number: int) -> Customer:
    """How billing knows an account: mostly by its stored id, else by e-mail domain, else by name alone."""
    known = rng.choices(("id", "domain", "name"), (84, 11, 5))[0]
    bare = account.name.rsplit(" ", 1)[0]
    mail = f"invoices@{account.domain}" if known != "name" else bare.split()[0].lower() + ".office@gmail.com"
    ledger = rng.choices((account.name, bare, account.name.upper()), (88, 9, 3))[0]
    return Customer(
        id=identifier("cus_", (number + 977) * 1_000_003**2, 18),
        account=account,
        name=account.name if known != "domain" else bare,
        email=mail,
        stored_id=known == "id",
        ledger_name=ledger,
        taxed=account.country == "Germany",
        segment=account.segment,
    )


def _life(rng: random.Random, customer: Customer, opening: bool, first: dt.date, end: dt.date) -> list[Purchase]:
    """A customer's purchases from its first day until it leaves or the end comes."""
    segment = customer.segment
    leaves = _leaving(rng, segment, first, end)
    reason = rng.choice(story.CANCEL_REASONS)
    many = rng.choices((1, 2, 3, 4), segment.products)[0]
    chosen = _choose(rng, segment, many)
    yearly = rng.randrange(100) < segment.yearly
    discount = rng.randint(segment.discount // 3, segment.discount) if segment.discount else 0
    trial = 14 if segment is story.SMB and not opening and first < end and rng.random() < 0.35 else 0

    def buy(product: Product, kind: str, day: dt.date, seats: int, trial_days: int = 0) -> Purchase:
        price = story.list_price(product, day, end)
        unit = cents(price * (100 - discount) / 100)
        return Purchase(customer, product, kind, day, seats, unit, price, yearly, trial_days, leaves, reason)  # type: ignore[arg-type]

    bought = [
        buy(product, "opening" if opening else "new", first, rng.randint(*segment.seats), trial if i == 0 else 0)
        for i, product in enumerate(chosen)
    ]
    day = first
    while True:
        # A year's rate of growth as a gap: from half to one and a half of the average.
        average = 3650 // segment.grows
        day += dt.timedelta(days=rng.randint(average // 2, average * 3 // 2))
        if day > (leaves or end) - dt.timedelta(days=30) or day > end:
            return bought
        if rng.random() < 0.3 and len(chosen) < len(story.PRODUCTS):
            product = rng.choice([p for p in story.PRODUCTS if p not in chosen])
            chosen.append(product)
            bought.append(buy(product, "expansion", day, rng.randint(*segment.seats)))
        else:
            base = rng.choice(bought)
            bought.append(buy(base.product, "expansion", day, max(3, base.seats * rng.randint(10, 26) // 100)))


def _leaving(rng: random.Random, segment: Segment, first: dt.date, end: dt.date) -> dt.date | None:
    """The day a customer says that it leaves, month by month with the segment's share, or None."""
    day = first + dt.timedelta(days=_SHORTEST_STAY_DAYS)
    while day <= end:
        if rng.randrange(1200) < segment.leaves:
            return day + dt.timedelta(days=rng.randrange(28)) if day + dt.timedelta(days=28) <= end else day
        day += dt.timedelta(days=30)
    return None


def _choose(rng: random.Random, segment: Segment, many: int) -> list[Product]:
    position = story.SEGMENTS.index(segment)
    left = list(story.PRODUCTS)
    chosen = []
    for _ in range(many):
        product = rng.choices(left, [p.weights[position] for p in left])[0]
        left.remove(product)
        chosen.append(product)
    return chosen


def _big(customer: Customer, end: dt.date) -> Purchase:
    deal = story.BIG_DEAL
    product = story.BY_NAME[deal.product]
    day = end - dt.timedelta(weeks=deal.weeks_before_end, days=3)
    price = story.list_price(product, day, end)
    unit = cents(price * (100 - deal.discount) / Decimal(100))
    return Purchase(customer, product, "new", day, deal.seats, unit, price, True, 0, None, "", deal)
