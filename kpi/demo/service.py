"""Support cases of the CRM: more seats make more cases, and the runaway product makes more than its share."""

from __future__ import annotations

import datetime as dt
import random
from typing import Final

from kpi.demo import story
from kpi.demo.company import Account, Case, Subscription, identifier, months_between
from kpi.demo.story import Product

#: Subject and words; the last three are about load and come with the runaway.
_CASES: Final = (
    ("Can't sign in after password reset", "The link in the mail says it has expired, although it came a minute ago."),
    ("How do we export all records?", "We need everything as CSV for our auditors by Friday."),
    ("Invoice shows the old address", 'Please send it again to "Accounts payable", new address below.\nThank you!'),
    ("Add a user with read-only rights", "Our works council asks for a role that sees nothing personal."),
    ("Report totals differ from the list", "The list has 1,204 rows, the report says 1,198."),
    ("Webhook is called twice", "Since Monday each event arrives twice, a second apart."),
    ("Dashboard times out in the morning", "Between 8 and 9 nothing loads. We have about 600 people on it then."),
    ("Sync is hours behind", "The queue says 41,000 waiting. It was minutes last year."),
    ("Search slow since the last release", "A search takes 20 seconds and more, for all of our sites."),
)
_CALM: Final = 6
#: Seats for which one case a month is usual.
_SEATS_PER_CASE: Final = 480


def cases(rng: random.Random, subscriptions: list[Subscription], start: dt.date, end: dt.date) -> list[Case]:
    """All cases in the order of their creation; the last one comes on the last day."""
    opened: list[tuple[dt.date, Account, Product, bool]] = []
    for month in months_between(start, end):
        runaway = story.runaway_factor(month, end)
        for subscription in subscriptions:
            account = subscription.customer.account
            if account is None or subscription.paid_from is None or subscription.paid_from > month:
                continue
            if subscription.ended_on and subscription.ended_on <= month:
                continue
            loaded = (subscription.product.name, account.segment.name) == (story.RUNAWAY_PRODUCT, story.RUNAWAY_SEGMENT)
            expected = subscription.seats * 1000 // _SEATS_PER_CASE + 60
            if loaded:
                expected = int(expected * runaway)
            while rng.randrange(1000) < expected:
                expected -= 1000
                day = month + dt.timedelta(days=rng.randrange(28))
                if start <= day <= end:
                    opened.append((day, account, subscription.product, loaded and runaway > 1))
    newest = max(opened, key=lambda case: (case[0], case[1].id, case[2].name))
    opened.append((end, *newest[1:]))
    opened.sort(key=lambda case: (case[0], case[1].id, case[2].name))
    return [_case(rng, number, end, *case) for number, case in enumerate(opened)]


def _case(rng: random.Random, number: int, end: dt.date, day: dt.date, account: Account, product: Product, loaded: bool) -> Case:
    subject, text = rng.choice(_CASES[_CALM:] if loaded and rng.random() < 0.7 else _CASES[:_CALM])
    closed = day + dt.timedelta(days=rng.choices((0, 1, 2, 4, 9, 20), (30, 25, 18, 14, 9, 4))[0])
    return Case(
        id=identifier("5005g00000", number * 5003 + 300_007, 15) + "AAO",
        number=f"{number + 10_000:08}",
        account=account,
        product=product,
        subject=subject,
        description=text,
        priority=rng.choices(("Low", "Medium", "High"), (25, 55, 20))[0],
        created_on=day,
        closed_on=closed if closed <= end else None,
    )
