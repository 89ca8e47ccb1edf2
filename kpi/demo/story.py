"""What the sample company is like and what goes wrong in it: the constants, each with its reason.

Growth looks healthy: revenue and recurring revenue rise by about a sixth a year. Yet the product margin falls under
its target of 65 %, because hosting and support of one product in one segment (Atlas, Enterprise) grow faster than
what those customers pay. New list prices two quarters ago hide part of it. And one large deal promised work that
now takes a good part of one team's hours.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

#: Firm, as the ledger prints it on top of every report.
COMPANY: Final = "Sixfold Software GmbH"
CURRENCY: Final = "EUR"
#: The zone whose days count; Jira writes local times, Salesforce and Stripe write UTC.
TIMEZONE: Final = "Europe/Berlin"
#: Whole months before the month of the end: three years, and a year before each of the last two to compare with.
MONTHS: Final = 36


@dataclass(frozen=True)
class Product:
    """What is sold.

    Attributes:
        name: also its class in the ledger and Product__c in the CRM.
        project: key of its Jira project.
        price: list price of a seat and month, in euros.
        hosting, support: cost a month as a share of the list price of the seats in use.
        weights: how often SMB, Mid-market and Enterprise choose it.
    """

    name: str
    project: str
    price: Decimal
    hosting: Decimal
    support: Decimal
    weights: tuple[int, int, int]


#: Atlas leads in Enterprise, so that what happens there moves the whole; Ember and Fjord are young and small.
PRODUCTS: Final = (
    Product("Atlas", "ATL", Decimal("49.00"), Decimal("0.182"), Decimal("0.103"), (20, 30, 95)),
    Product("Beacon", "BEA", Decimal("35.00"), Decimal("0.157"), Decimal("0.118"), (28, 24, 18)),
    Product("Cirrus", "CIR", Decimal("28.00"), Decimal("0.191"), Decimal("0.096"), (22, 18, 12)),
    Product("Delta", "DEL", Decimal("59.00"), Decimal("0.163"), Decimal("0.101"), (8, 14, 20)),
    Product("Ember", "EMB", Decimal("18.00"), Decimal("0.140"), Decimal("0.134"), (14, 8, 4)),
    Product("Fjord", "FJO", Decimal("24.00"), Decimal("0.152"), Decimal("0.112"), (8, 6, 2)),
)
BY_NAME: Final = {product.name: product for product in PRODUCTS}


@dataclass(frozen=True)
class Segment:
    """How customers of one size behave.

    Attributes:
        employees: lowest and highest number; 100 and 1000 are the bounds between segments.
        opening, won, prospects: customers on the first day, customers won since, accounts that never bought.
        seats: lowest and highest of a first purchase.
        products: how likely one, two, three or four products are at the start.
        discount: highest discount on list prices, in percent.
        yearly: share in percent that pays a year in advance; the rest pays by the month.
        leaves: share in percent that leaves in a year.
        grows: purchases of more seats or another product in ten years.
        support: support cost against the product's share, in percent.
    """

    name: str
    employees: tuple[int, int]
    opening: int
    won: int
    prospects: int
    seats: tuple[int, int]
    products: tuple[int, int, int, int]
    discount: int
    yearly: int
    leaves: int
    grows: int
    support: int


SEGMENTS: Final = (
    Segment("SMB", (6, 99), 118, 76, 28, (6, 42), (72, 22, 6, 0), 0, 28, 12, 3, 125),
    Segment("Mid-market", (100, 999), 64, 34, 20, (42, 196), (35, 40, 20, 5), 12, 62, 7, 6, 105),
    Segment("Enterprise", (1000, 18000), 34, 14, 12, (135, 600), (10, 34, 38, 18), 24, 94, 3, 8, 92),
)
SMB, MID_MARKET, ENTERPRISE = SEGMENTS

#: Region, its share in percent, and its countries with the legal forms and top-level endings used there.
REGIONS: Final = (
    ("DACH", 38, (("Germany", ("GmbH", "AG")), ("Austria", ("GmbH",)), ("Switzerland", ("AG",)))),
    ("Nordics", 20, (("Sweden", ("AB",)), ("Norway", ("AS",)), ("Finland", ("Oy",)))),
    ("UK & Ireland", 22, (("United Kingdom", ("Ltd", "plc")), ("Ireland", ("Ltd",)))),
    ("North America", 20, (("United States", ("Inc.", "LLC")), ("Canada", ("Inc.",)))),
)

#: The product and the segment whose costs run away.
RUNAWAY_PRODUCT: Final = "Atlas"
RUNAWAY_SEGMENT: Final = "Enterprise"
#: Growth of those costs by month, oldest first, in per mille, ending with the month of the end: slow at first, so
#: that a year-on-year look still seems fine, then fast, so that the last weeks are signal and not noise.
RUNAWAY_GROWTH: Final = (20, 20, 25, 30, 35, 40, 50, 60, 65, 70, 75, 75, 80, 85, 85, 90)

#: New list prices, in percent over the old; cost follows seats, so this flatters the margin for a while.
PRICE_RISE: Final = 6
#: First day of the quarter two quarters before the end's.
QUARTERS_SINCE_PRICE_RISE: Final = 2


@dataclass(frozen=True)
class BigDeal:
    """The deal that bent the roadmap.

    Attributes:
        weeks_before_end: when it was won; long enough ago for its work to show in a quarter's hours.
        discount: in percent off the list price; sold cheap as well.
        share: percent of the product team's hours that its promises take since.
    """

    account: str
    domain: str
    product: str
    seats: int
    discount: int
    weeks_before_end: int
    label: str
    epic: str
    share: int


BIG_DEAL: Final = BigDeal(
    account="Nordwind Logistik AG",
    domain="nordwind-logistik.example",
    product="Delta",
    seats=1050,
    discount=38,
    weeks_before_end=27,
    label="deal-nordwind",
    epic="Private tenant for Nordwind Logistik",
    share=55,
)

#: Customers in billing that nobody entered in the CRM (card payments with private mail): they stay "(none)".
STRAY_CUSTOMERS: Final = 7
#: Accounts whose number of employees nobody filled in, so that their segment is "(none)".
WITHOUT_EMPLOYEES: Final = 4

LOST_REASONS: Final = ("Price", "Missing feature", "Chose a competitor", "No budget", "No decision", "Timing")
CANCEL_REASONS: Final = ("too_expensive", "missing_features", "switched_service", "unused", "customer_service", "low_quality")


def start_of(end: dt.date) -> dt.date:
    """The first day of the sample: the first of the month, MONTHS before the month of ``end``."""
    months = end.year * 12 + end.month - 1 - MONTHS
    return dt.date(months // 12, months % 12 + 1, 1)


def price_rise_on(end: dt.date) -> dt.date:
    """The day from which new list prices hold."""
    quarters = end.year * 4 + (end.month - 1) // 3 - QUARTERS_SINCE_PRICE_RISE
    return dt.date(quarters // 4, quarters % 4 * 3 + 1, 1)


def list_price(product: Product, day: dt.date, end: dt.date) -> Decimal:
    """List price of a seat and month on ``day``, in whole cents."""
    if day < price_rise_on(end):
        return product.price
    return (product.price * (100 + PRICE_RISE) / 100).quantize(Decimal("0.01"))


def runaway_factor(month: dt.date, end: dt.date) -> Decimal:
    """How many times the usual cost the runaway product causes in the runaway segment in ``month``."""
    passed = len(RUNAWAY_GROWTH) - (end.year * 12 + end.month - month.year * 12 - month.month)
    factor = Decimal(1)
    for growth in RUNAWAY_GROWTH[: max(0, passed)]:
        factor = factor * (1000 + growth) / 1000
    return factor
