"""Deals of the CRM: those behind the purchases, those that were lost, those still open, and renewals."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from kpi.demo import story
from kpi.demo.company import Account, Deal, Purchase, Stage, Subscription, cents, identifier
from kpi.demo.story import Product, Segment

STAGES: Final = ("Prospecting", "Qualification", "Proposal/Price Quote", "Negotiation/Review")
WON: Final = "Closed Won"
LOST: Final = "Closed Lost"
_LEAD_SOURCES: Final = ("Web", "Partner Referral", "Phone Inquiry", "Trade Show", "Customer Event", "Other")
#: Days from creation to the decision.
_CYCLE: Final = {"SMB": (3, 35), "Mid-market": (20, 95), "Enterprise": (45, 190)}
#: Attempts that failed at a prospect, at a customer before it bought, and for each expansion, in percent.
_LOST_AT_PROSPECT: Final = 330
_LOST_BEFORE_WON: Final = 85
_LOST_EXPANSION: Final = 55
#: Customers and prospects with a deal open on the last day, in percent.
_OPEN_AT_CUSTOMER: Final = 11
_OPEN_AT_PROSPECT: Final = 44

Kind = Literal["new", "expansion", "renewal"]


@dataclass(frozen=True)
class _Draft:
    """A deal before it has its id and stages; ``decided`` lies after the end where it is still open."""

    account: Account
    product: Product
    kind: Kind
    amount: Decimal
    listed: Decimal
    decided: dt.date
    won: bool = False
    reason: str = ""
    #: From creation to decision; None for what is usual in the segment.
    days: int | None = None


def deals(
    rng: random.Random, accounts: list[Account], purchases: list[Purchase], subscriptions: list[Subscription], start: dt.date, end: dt.date
) -> list[Deal]:
    """All deals, in the order of their creation; one is created and one decided on the last day."""
    drafts = [*_of_purchases(rng, purchases, start, end), *_without(rng, accounts, purchases, start, end), *_renewals(subscriptions, start)]
    dated = []
    for draft in drafts:
        days = rng.randint(*_CYCLE[draft.account.segment.name]) if draft.days is None else draft.days
        created = max(start, draft.decided - dt.timedelta(days=days))
        if created <= end:
            dated.append((created, draft))
    dated.sort(key=lambda deal: (deal[0], deal[1].account.id, deal[1].product.name, deal[1].kind, deal[1].decided))
    return [_deal(rng, number, end, created, draft) for number, (created, draft) in enumerate(dated)]


def _of_purchases(rng: random.Random, purchases: list[Purchase], start: dt.date, end: dt.date) -> list[_Draft]:
    """The deal behind each purchase, and the attempts that failed before."""
    made: list[_Draft] = []
    for purchase in purchases:
        account, product = purchase.customer.account, purchase.product
        if account is None or purchase.kind == "opening":
            continue
        kind: Kind = "new" if purchase.kind == "new" else "expansion"
        amount, listed = purchase.unit * purchase.seats * 12, purchase.list_unit * purchase.seats * 12
        made.append(_Draft(account, product, kind, amount, listed, purchase.day, won=True, days=112 if purchase.big else None))
        tries = _LOST_BEFORE_WON if kind == "new" else _LOST_EXPANSION
        while rng.randrange(100) < tries:
            tries -= 40
            before = purchase.day - dt.timedelta(days=rng.randint(20, 240))
            if before > start and not purchase.big:
                offer = _offer(rng, account.segment, product, before, end)
                made.append(_Draft(account, product, kind, *offer, before, reason=_reason(rng)))
    return made


def _without(rng: random.Random, accounts: list[Account], purchases: list[Purchase], start: dt.date, end: dt.date) -> list[_Draft]:
    """Deals that came to nothing at prospects, and those still open."""
    customers = {purchase.customer.account.id for purchase in purchases if purchase.customer.account}
    made: list[_Draft] = []
    for account in accounts:
        product = rng.choices(story.PRODUCTS, [p.weights[story.SEGMENTS.index(account.segment)] for p in story.PRODUCTS])[0]
        kind: Kind = "expansion" if account.id in customers else "new"
        tries = _LOST_AT_PROSPECT if kind == "new" else 0
        while rng.randrange(100) < tries:
            tries -= 100
            lost = start + dt.timedelta(days=rng.randint(10, (end - start).days))
            made.append(_Draft(account, product, kind, *_offer(rng, account.segment, product, lost, end), lost, reason=_reason(rng)))
        if rng.randrange(100) < (_OPEN_AT_CUSTOMER if kind == "expansion" else _OPEN_AT_PROSPECT) or account is accounts[-1]:
            hoped = end + dt.timedelta(days=rng.randint(3, 90))
            # The last account's deal is created on the last day.
            passed = 0 if account is accounts[-1] else rng.randint(0, 150)
            offer = _offer(rng, account.segment, product, end, end)
            made.append(_Draft(account, product, kind, *offer, hoped, days=(hoped - end).days + passed))
    return made


def _renewals(subscriptions: list[Subscription], start: dt.date) -> list[_Draft]:
    """A deal for each renewal of a yearly contract of a larger customer; lost where the customer leaves."""
    made: list[_Draft] = []
    for subscription in subscriptions:
        account, product = subscription.customer.account, subscription.product
        if account is None or not subscription.yearly or account.segment is story.SMB:
            continue
        amount = subscription.monthly * 12
        for since, _ in subscription.periods[0 if subscription.continues else 1 :]:
            if since > start:
                made.append(_Draft(account, product, "renewal", amount, amount, since, won=True, days=60))
        if subscription.ended_on and subscription.cancel_reason:
            reason = _LEFT_FOR[subscription.cancel_reason]
            made.append(_Draft(account, product, "renewal", amount, amount, subscription.ended_on, reason=reason, days=60))
    return made


_LEFT_FOR: Final = {
    "too_expensive": "Price",
    "missing_features": "Missing feature",
    "switched_service": "Chose a competitor",
    "unused": "No budget",
    "customer_service": "Chose a competitor",
    "low_quality": "Missing feature",
}


def _reason(rng: random.Random) -> str:
    return rng.choices(story.LOST_REASONS, (30, 22, 18, 12, 12, 6))[0]


def _offer(rng: random.Random, segment: Segment, product: Product, day: dt.date, end: dt.date) -> tuple[Decimal, Decimal]:
    """What was offered for a year, and the same at list price."""
    listed = story.list_price(product, min(day, end), end) * rng.randint(*segment.seats) * 12
    return cents(listed * (100 - rng.randint(0, segment.discount)) / 100), listed


def _deal(rng: random.Random, number: int, end: dt.date, created: dt.date, draft: _Draft) -> Deal:
    closed = draft.decided if draft.decided <= end else None
    won = draft.won and closed is not None
    reached = len(STAGES) if won else rng.randint(1, len(STAGES))
    between = sorted(rng.randint(0, ((closed or end) - created).days) for _ in range(reached - 1))
    stages = [Stage(STAGES[i], created + dt.timedelta(days=day)) for i, day in enumerate([0, *between])]
    if closed:
        stages.append(Stage(WON if won else LOST, closed))
    bare = draft.account.name.rsplit(" ", 1)[0]
    what = {"new": "", "expansion": " more seats", "renewal": f" renewal {draft.decided:%Y}"}[draft.kind]
    return Deal(
        id=identifier("0065g00000", number * 6007 + 200_003, 15) + "AAQ",
        account=draft.account,
        product=draft.product,
        name=f"{bare} – {draft.product.name}{what}",
        owner=draft.account.owner,
        kind=draft.kind,
        lead_source=rng.choice(_LEAD_SOURCES) if draft.kind == "new" else "",
        amount=draft.amount,
        list_amount=draft.listed,
        created_on=created,
        expected_on=draft.decided,
        closed_on=closed,
        is_won=won,
        lost_reason=draft.reason if closed and not won else "",
        stages=tuple(stages),
    )
