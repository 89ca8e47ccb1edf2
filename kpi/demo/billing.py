"""Subscriptions, their invoices and payments, from what the customers buy.

On the first day billing moves to Stripe: every customer of then gets its subscriptions there, invoiced up to the
next renewal. Prices never change within a subscription: at the first renewal after new list prices the old one
ends and another begins, and more seats are one more subscription. So an export of today tells the whole past.
"""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Final, Literal

from kpi.demo import story
from kpi.demo.company import Customer, InvoiceLine, Payment, Purchase, Subscription, add_months, cents, identifier

#: German VAT.
_VAT: Final = Decimal("0.19")
#: Subscriptions whose last payment is overdue on the day of the export; they still count as recurring revenue.
_PAST_DUE: Final = 5
#: Stripe's fee on European business cards: 1.9 % and 25 cents.
_FEE: Final = (Decimal("0.019"), Decimal("0.25"))
#: What an onboarding package costs, by segment; small customers help themselves.
_ONBOARDING: Final = {"SMB": Decimal(0), "Mid-market": Decimal("1200.00"), "Enterprise": Decimal("4800.00")}


def subscriptions(rng: random.Random, purchases: list[Purchase], start: dt.date, end: dt.date) -> list[Subscription]:
    """The subscriptions of every purchase, in the order of the purchases."""
    made: list[Subscription] = []
    for purchase in purchases:
        made.extend(_chain(rng, purchase, start, end, len(made)))
    running = [s for s in made if s.status == "active" and s.paid_from and not s.yearly and s.canceled_on is None]
    for subscription in rng.sample(running, min(_PAST_DUE, len(running))):
        subscription.status = "past_due"
    return made


def _chain(rng: random.Random, purchase: Purchase, start: dt.date, end: dt.date, number: int) -> list[Subscription]:
    """One purchase over the years: a subscription, and a second one from the first renewal at new prices."""
    step = 12 if purchase.yearly else 1
    paid_from = purchase.day + dt.timedelta(days=purchase.trial_days)
    if purchase.trial_days and (paid_from > end or rng.random() < 0.25):
        return [_trial(purchase, paid_from, end, number)]
    if purchase.kind == "opening":
        # The running year or month goes on: its next renewal falls on the day of the old contract.
        anchor = add_months(start, -step) + dt.timedelta(days=rng.randint(1, 360 if purchase.yearly else 27))
    else:
        anchor = paid_from
    rise = story.price_rise_on(end)
    current = _begin(purchase, purchase.unit, purchase.day, paid_from, number)
    made = [current]
    count = 0
    while True:
        since = max(add_months(anchor, count * step), paid_from)
        until = add_months(anchor, (count + 1) * step)
        count += 1
        if until <= since:
            continue
        leaves = purchase.leaves_on
        if since > end:
            return made
        if leaves is not None and since >= leaves:
            current.canceled_on, current.ended_on = leaves, since
            current.status, current.cancel_reason = "canceled", purchase.leave_reason
            return made
        if since >= rise and purchase.day < rise and len(made) == 1 and current.periods and purchase.big is None:
            current.status, current.ended_on, current.canceled_on = "canceled", since, since
            # The customer keeps its discount on the new list price.
            price = story.list_price(purchase.product, since, end)
            unit = cents(price * purchase.unit / purchase.list_unit)
            current = _begin(purchase, unit, since, since, number + 1, price_year=rise.year)
            made.append(current)
        current.periods.append((since, until))
        if leaves is not None and leaves < until and leaves <= end:
            current.canceled_on, current.cancel_reason = leaves, purchase.leave_reason


def _begin(purchase: Purchase, unit: Decimal, day: dt.date, paid_from: dt.date, number: int, price_year: int | None = None) -> Subscription:
    length = "yearly" if purchase.yearly else "monthly"
    kind = purchase.customer.segment.name.lower().replace("-", "")
    version = f"_{price_year}" if price_year else ""
    return Subscription(
        id=identifier("sub_1", (number + 613) * 104_729**3, 28),
        customer=purchase.customer,
        product=purchase.product,
        price_id=f"price_{purchase.product.name.lower()}_{kind}_{length}{version}",
        seats=purchase.seats,
        unit=unit,
        yearly=purchase.yearly,
        started_on=day,
        trial_ends_on=paid_from if purchase.trial_days and price_year is None else None,
        paid_from=paid_from,
        ended_on=None,
        canceled_on=None,
        cancel_reason="",
        status="active",
        continues=price_year is not None,
    )


def _trial(purchase: Purchase, trial_end: dt.date, end: dt.date, number: int) -> Subscription:
    """A trial that still runs, or that ended without a purchase."""
    made = _begin(purchase, purchase.unit, purchase.day, trial_end, number)
    made.paid_from, made.trial_ends_on = None, trial_end
    if trial_end > end:
        made.status = "trialing"
    else:
        made.status, made.ended_on, made.canceled_on, made.cancel_reason = "canceled", trial_end, trial_end, "unused"
    return made


def invoice_lines(rng: random.Random, subscriptions: list[Subscription], start: dt.date, end: dt.date) -> list[InvoiceLine]:
    """A line for each paid period, with the packages, discounts and credits that come with it."""
    made: list[InvoiceLine] = []

    def add(
        subscription: Subscription,
        invoice: int,
        description: str,
        amount: Decimal,
        day: dt.date,
        service: tuple[dt.date, dt.date] | None,
        *,
        price_id: str | None = None,
        has_product: bool = True,
        quantity: int = 1,
        discount: Decimal = Decimal(0),
        status: Literal["paid", "open", "draft", "void"] = "paid",
    ) -> None:
        customer = subscription.customer
        made.append(
            InvoiceLine(
                id=identifier("il_1", (len(made) + 811) * 15_485_863**2, 28),
                invoice_id=identifier("in_1", (invoice + 401) * 32_452_843**2, 28),
                customer=customer,
                product=subscription.product if has_product else None,
                price_id=subscription.price_id if price_id is None else price_id,
                description=description,
                quantity=quantity,
                amount=amount,
                discount=discount,
                tax=cents((amount - discount) * _VAT) if customer.taxed else Decimal("0.00"),
                invoiced_on=day,
                service_from=service[0] if service else None,
                service_to=service[1] if service else None,
                status=status,
            )
        )

    invoice = 0
    for subscription in subscriptions:
        name = subscription.product.name
        full = subscription.monthly * (12 if subscription.yearly else 1)
        for position, (since, until) in enumerate(subscription.periods):
            invoice += 1
            whole = add_months(until, -12 if subscription.yearly else -1)
            amount = full if since <= whole else cents(full * (until - since).days / (until - whole).days)
            first = position == 0 and since > start and not subscription.continues
            coupon = first and subscription.customer.segment is story.SMB and not subscription.yearly and rng.random() < 0.4
            late = subscription.yearly and since > end - dt.timedelta(days=30)
            add(
                subscription,
                invoice,
                f"{subscription.seats} × {name} ({'yearly' if subscription.yearly else 'monthly'})",
                amount,
                since,
                (since, until),
                quantity=subscription.seats,
                discount=cents(amount / 2) if coupon else Decimal("0.00"),
                status="open" if late else "paid",
            )
            if first:
                fee = _ONBOARDING[subscription.customer.segment.name]
                if fee:
                    # Delivered at once: from and to are the same day, and the whole amount counts on it.
                    add(
                        subscription,
                        invoice,
                        f"{name} onboarding package",
                        fee,
                        since,
                        (since, since),
                        price_id=f"price_{name.lower()}_onboarding",
                    )
            chance = rng.randrange(1000)
            if chance < 6 and until - dt.timedelta(days=3) <= end:
                # Something went wrong: a tenth of the period back, as a credit note three days before its end.
                invoice += 1
                add(subscription, invoice, f"Credit: {name} outage", -cents(amount / 10), until - dt.timedelta(days=3), (since, until))
            elif chance < 10:
                # A workshop that is no product's, and that says no period.
                invoice += 1
                add(
                    subscription, invoice, "Workshop day", Decimal("1450.00"), since, None, price_id="price_services_day", has_product=False
                )
            elif chance < 14:
                invoice += 1
                add(
                    subscription,
                    invoice,
                    f"{name} (wrong address)",
                    amount,
                    since,
                    (since, until),
                    status="void" if chance < 12 else "draft",
                )
    return made


def payments(rng: random.Random, lines: list[InvoiceLine], end: dt.date) -> list[Payment]:
    """A charge for each paid invoice; some cards fail first, some money goes back."""
    invoices: dict[str, list[InvoiceLine]] = {}
    for line in lines:
        if line.status == "paid":
            invoices.setdefault(line.invoice_id, []).append(line)
    made: list[Payment] = []
    for invoice_id, parts in invoices.items():
        customer, day = parts[0].customer, parts[0].invoiced_on
        total = sum((part.amount - part.discount + part.tax for part in parts), Decimal(0))
        if total <= 0:
            continue
        if customer.segment is not story.SMB:
            day += dt.timedelta(days=rng.randint(0, 25))
        if rng.randrange(1000) < 32:
            made.append(_payment(len(made), customer, invoice_id, total, min(day, end), "Failed", rng.choice(_DECLINES)))
            day += dt.timedelta(days=rng.randint(2, 6))
        if day > end:
            continue
        luck = rng.randrange(2000)
        back_on = day + dt.timedelta(days=rng.randint(1, 20))
        if luck < 8 and back_on <= end and customer.segment is story.SMB:
            made.append(_payment(len(made), customer, invoice_id, total, day, "Refunded", _DONE, total, back_on))
        elif luck < 18 and back_on <= end:
            made.append(_payment(len(made), customer, invoice_id, total, day, "Partially refunded", _DONE, cents(total / 4), back_on))
        else:
            made.append(_payment(len(made), customer, invoice_id, total, day, "Paid", _DONE))
    return made


_DONE: Final = "Payment complete."
_DECLINES: Final = (
    "The bank returned the decline code `insufficient_funds`.",
    "The card has expired.",
    "The bank declined the payment, no reason given.",
)


def _payment(
    number: int,
    customer: Customer,
    invoice_id: str,
    total: Decimal,
    day: dt.date,
    status: Literal["Paid", "Failed", "Refunded", "Partially refunded"],
    message: str,
    refunded: Decimal = Decimal("0.00"),
    refunded_on: dt.date | None = None,
) -> Payment:
    fee = Decimal("0.00") if status == "Failed" else cents(total * _FEE[0] + _FEE[1])
    return Payment(
        identifier("ch_3", (number + 307) * 86_028_121**2, 27),
        customer,
        invoice_id,
        total,
        refunded,
        fee,
        day,
        refunded_on,
        status,
        message,
    )
