"""Stripe's billing, as its API answers in JSON: invoices with their lines, subscriptions with their items, and fees.

Both shapes of the API are read, that of before 2025-03-31 (``price``, ``tax_amounts``, ``invoice.subscription``) and that
since (``pricing``, ``taxes``, periods on the items). What an invoice's lines don't add up to is a line of its own, so that an invoice
of which the answer holds only the first ten lines counts whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Members
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from connectors.base import Layout, Mapping, Renews, Skip, Span, Tell, Tree
from connectors.fields import (
    Value,
    above_zero,
    all_of,
    choice,
    constant,
    day,
    equals,
    filled,
    first_of,
    flag,
    id_of,
    identifier,
    instant,
    joined,
    monthly,
    negative,
    no,
    number,
    prefixed,
    required,
    text,
    true,
    when,
)
from connectors.stripe_api import CREATED, MARKS, PAYER, SOURCE, amount, expandable, money_of, payer

Object = dict[str, Any]


def _decimal(value: Any) -> Decimal:
    """An amount as the file writes it; nothing counts 0."""
    try:
        return Decimal(value) if isinstance(value, str) else Decimal(0)
    except InvalidOperation:
        return Decimal(0)


def _objects(value: Any) -> Iterator[Object]:
    """The objects of a list, or of a page that holds one."""
    listed = value.get("data") if isinstance(value, dict) else value
    return (each for each in listed or () if isinstance(each, dict)) if isinstance(listed, list) else iter(())


def _sum(parts: Iterable[Object], name: str = "amount") -> Decimal:
    return sum((_decimal(part.get(name)) for part in parts), Decimal(0))


def _text(number: Decimal) -> str:
    return format(number, "f") if number else "0"


def _is_inclusive(tax: Object) -> bool:
    return tax.get("inclusive") is True or tax.get("tax_behavior") == "inclusive"


def lines(record: Object, page: Members[str, Any]) -> None:
    """Add to each line ``net``, ``off``, ``tax`` and ``credit``, and to the invoice ``rest``: what its lines don't add up to."""
    total = Decimal(0)
    for line in _objects(record.get("lines")):
        taxes = [*_objects(line.get("tax_amounts")), *_objects(line.get("taxes"))]
        credits = [each for each in _objects(line.get("pretax_credit_amounts")) if each.get("type") == "credit_balance_transaction"]
        gross, off, credit = _decimal(line.get("amount")), _sum(_objects(line.get("discount_amounts"))), _sum(credits)
        included = _sum(tax for tax in taxes if _is_inclusive(tax))
        if isinstance(line.get("amount"), str):
            line["net"] = line["amount"] if not included else _text(gross - included)
        line["off"], line["tax"], line["credit"] = _text(off), _text(_sum(taxes)), _text(credit)
        total += gross - included - off - credit
    expected = _excluding_tax(record)
    rest = expected - total if expected is not None else Decimal(0)
    listed = record.get("lines")
    is_cut = isinstance(listed, dict) and listed.get("has_more") is True
    record["rest"] = {"amount": _text(rest), "cut": "yes" if is_cut else "", "unexplained": "yes" if rest and not is_cut else ""}


def _excluding_tax(record: Object) -> Decimal | None:
    """What an invoice comes to without tax; None where it doesn't say."""
    if isinstance(record.get("total_excluding_tax"), str):
        return _decimal(record["total_excluding_tax"])
    if not isinstance(record.get("total"), str):
        return None
    taxes = [*_objects(record.get("total_tax_amounts")), *_objects(record.get("total_taxes"))]
    return _decimal(record["total"]) - (_sum(taxes) if taxes else _decimal(record.get("tax")))


_INVOICE: Final = required(id_of(SOURCE, "id"))
_INVOICED: Final = required(day("created", zone="epoch"))
_DRAFTS: Final = (Skip(equals("status", "draft"), "drafts"), Skip(equals("status", "void", "deleted"), "voided rows"))


def _of_invoice(kind: Value, of: Value) -> dict[str, Value]:
    return {
        "invoice_id": _INVOICE,
        "source": constant(SOURCE),
        "source_account_id": PAYER,
        "kind": kind,
        "amount": of,
        "currency": money_of("currency"),
        "invoiced_on": _INVOICED,
    }


def _line(kind: Value, suffix: str, of: Value) -> dict[str, Value]:
    """The columns of one line's charge, discount, credit or tax; ids as in the Dashboard's export of line items."""
    line = identifier("lines.data.id")
    return {
        "line_id": required(prefixed(SOURCE, joined(line, constant(suffix), between=":") if suffix else line)),
        **_of_invoice(kind, of),
        "source_id": line,
        "source_product_id": first_of(
            text("lines.data.price.id"),
            text("lines.data.pricing.price_details.price"),
            text("lines.data.plan.id"),
            text("lines.data.price.product"),
            text("lines.data.pricing.price_details.product"),
        ),
        "description": text("lines.data.description"),
        "quantity": number("lines.data.quantity"),
        "service_from": day("lines.data.period.start", zone="epoch"),
        "service_to": day("lines.data.period.end", zone="epoch"),
    }


def _also(kind: str, name: str, sign: int) -> Mapping:
    """A line's discount, credit or tax, where it has one."""
    of = amount(f"lines.data.{name}")
    is_there = all_of(filled(f"lines.data.{name}"), no(equals(f"lines.data.{name}", "0")))
    return Mapping("invoice_line", _line(constant(kind), kind, negative(of) if sign < 0 else of), where=is_there, part="lines.data")


_NET: Final = amount("lines.data.net")
_REST: Final = amount("rest.amount")
_HAS_REST: Final = all_of(filled("rest.amount"), no(equals("rest.amount", "0")))

INVOICES: Final = Layout(
    name="api invoices",
    needs=(("id",), ("customer",), ("currency",), ("created",), ("status",), ("total", "amount_due"), ("lines.data.amount",)),
    tree=Tree(kind=("object", ("invoice",)), derive=lines, minor=MARKS),
    mappings=(
        Mapping(
            "invoice_line",
            _line(when(above_zero(negative(_NET)), constant("credit"), constant("charge")), "", required(_NET)),
            part="lines.data",
            span=Span((CREATED,)),
            renews=Renews({"invoice_id": _INVOICE}),
        ),
        _also("discount", "off", -1),
        _also("credit", "credit", -1),
        _also("tax", "tax", 1),
        Mapping(
            "invoice_line",
            {
                "line_id": required(prefixed(SOURCE, joined(identifier("id"), constant("rest"), between=":"))),
                **_of_invoice(when(above_zero(negative(_REST)), constant("credit"), constant("charge")), _REST),
                "source_id": identifier("id"),
                "description": constant("what the lines in the file don't add up to"),
                "service_from": day("period_start", zone="epoch"),
                "service_to": day("period_end", zone="epoch"),
            },
            where=_HAS_REST,
            span=Span((CREATED,)),
        ),
        payer(),
    ),
    skips=_DRAFTS,
    tells=(
        Tell(
            equals("rest.cut", "yes"),
            "invoices have more lines than the file holds: what these come to is one line each, without a product. Ask for /lines of them",
            "invoice has more lines than the file holds: what these come to is one line, without a product. Ask for its /lines",
        ),
        Tell(
            equals("rest.unexplained", "yes"),
            "invoices come to another total than their lines, without tax: the difference is a line of its own",
            "invoice comes to another total than its lines, without tax: the difference is a line of its own",
        ),
    ),
    export="GET /v1/invoices?limit=100, every page, as JSON",
)

BARE_INVOICES: Final = Layout(
    name="api invoices without lines",
    needs=(("id",), ("customer",), ("currency",), ("created",), ("status",), ("amount_due",), ("amount_paid",)),
    lacks=("lines.data.amount", "paid_out"),
    tree=Tree(kind=("object", ("invoice",)), minor=MARKS),
    mappings=(
        Mapping(
            "invoice_line",
            {
                "line_id": _INVOICE,
                **_of_invoice(
                    constant("charge"),
                    required(first_of(amount("total_excluding_tax"), amount("total"), amount("amount_due"))),
                ),
                "source_id": identifier("id"),
                "description": first_of(text("description"), text("number")),
                "service_from": day("period_start", zone="epoch"),
                "service_to": day("period_end", zone="epoch"),
            },
            span=Span((CREATED,)),
            renews=Renews({"invoice_id": _INVOICE}),
        ),
        payer(),
    ),
    skips=_DRAFTS,
    tells=(
        Tell(
            no(filled("total_excluding_tax")),
            "invoices don't say what they come to without tax: it is taken for none",
            "invoice doesn't say what it comes to without tax: it is taken for none",
        ),
    ),
    export="GET /v1/invoices?limit=100, from which somebody has taken the lines: one charge an invoice",
)

# -- subscriptions

#: Interval -> how often it goes into how many months; a year has 52 weeks or 365 days.
_A_MONTH: Final = {"day": (365, 12), "week": (52, 12), "month": (1, 1), "year": (1, 12)}


def items(record: Object, page: Members[str, Any]) -> None:
    """Add to each item ``gross`` and ``net``, its price per interval before and after discounts, and what it is of."""
    listed = list(_objects(record.get("items")))
    licensed = []
    for item in listed:
        price = item.get("price") if isinstance(item.get("price"), dict) else item.get("plan")
        price = price if isinstance(price, dict) else {}
        recurring = price.get("recurring")
        recurring = (
            recurring if isinstance(recurring, dict) else {"interval": price.get("interval"), "interval_count": price.get("interval_count")}
        )
        item["of"] = {
            "price": price.get("id"),
            "name": price.get("nickname") or _name(price.get("product")),
            "currency": price.get("currency"),
            "a_month": _share(recurring.get("interval"), str(recurring.get("interval_count") or "1")),
            "metered": "yes" if "metered" in (recurring.get("usage_type"), price.get("usage_type")) else "",
        }
        unit = price.get("unit_amount_decimal") or price.get("unit_amount") or price.get("amount")
        if item["of"]["metered"]:
            continue
        quantity = item.get("quantity")
        gross = _tiers(price, _decimal(quantity or "1")) if unit is None else _decimal(unit) * _decimal(quantity or "1")
        if gross is not None:
            item["gross"] = item["net"] = _text(gross)
            licensed.append((item, gross))
    _discount(record, licensed)
    record["metered"] = "yes" if any(item["of"]["metered"] for item in listed) else ""


def _share(interval: Any, count: str) -> str | None:
    """What part of a price counts a month, such as 1/12 of a year's; None for intervals that nobody knows."""
    times, months = _A_MONTH.get(str(interval), (0, 0))
    return f"{times}/{months * int(count)}" if times and count.isdigit() and int(count) else None


def _name(product: Any) -> Any:
    return product.get("name") if isinstance(product, dict) else product


def _tiers(price: Object, quantity: Decimal) -> Decimal | None:
    """What a price of tiers comes to (Stripe's docs: Tiered pricing); None where the answer doesn't hold them."""
    tiers = list(_objects(price.get("tiers")))
    if not tiers:
        return None
    total, before = Decimal(0), Decimal(0)
    for tier in tiers:
        last = tier.get("up_to") is None
        until = quantity if last else min(quantity, _decimal(tier["up_to"]))
        unit = _decimal(tier.get("unit_amount_decimal") or tier.get("unit_amount"))
        if price.get("tiers_mode") == "volume":
            if last or quantity <= _decimal(tier["up_to"]):
                return unit * quantity + _decimal(tier.get("flat_amount"))
        elif until > before or (quantity == 0 and before == 0):
            total += unit * (until - before) + _decimal(tier.get("flat_amount"))
        if until >= quantity:
            break
        before = until
    return total


def _discount(record: Object, licensed: list[tuple[Object, Decimal]]) -> None:
    """Take the coupons that last from the items: percentages from each, amounts in proportion, the last bearing the rest."""
    coupons = []
    for discount in [record.get("discount"), *(_listed(record.get("discounts")))]:
        coupon = discount.get("coupon") or (discount.get("source") or {}).get("coupon") if isinstance(discount, dict) else None
        if isinstance(coupon, dict) and coupon.get("duration") != "once" and coupon not in coupons:
            coupons.append(coupon)
        elif isinstance(discount, str) or isinstance(coupon, str):
            record["unknown_discount"] = "yes"
    for coupon in coupons:
        off = _decimal(coupon.get("percent_off"))
        for item, _ in licensed:
            item["net"] = _text(_decimal(item["net"]) * (100 - off) / 100)
        left = min(_decimal(coupon.get("amount_off")), sum((_decimal(item["net"]) for item, _ in licensed), Decimal(0)))
        whole = sum((_decimal(item["net"]) for item, _ in licensed), Decimal(0))
        for at, (item, _) in enumerate(licensed):
            if not left or not whole:
                break
            net = _decimal(item["net"])
            share = left if at == len(licensed) - 1 else (left * net / whole).quantize(Decimal(1))
            item["net"] = _text(net - share)
            left, whole = left - share, whole - net


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _monthly(name: str) -> Value:
    return monthly(amount(f"items.data.{name}", "items.data.of.currency", fraction=True), None, required(text("items.data.of.a_month")))


_LICENSED: Final = no(equals("items.data.of.metered", "yes"))
_CANCELED: Final = day("canceled_at", zone="epoch")

SUBSCRIPTIONS: Final = Layout(
    name="api subscriptions",
    needs=(("id",), ("customer",), ("status",), ("created", "start_date"), ("items.data.id",), ("items.data.price", "items.data.plan")),
    tree=Tree(kind=("object", ("subscription",)), derive=items, minor=MARKS),
    mappings=(
        Mapping(
            "subscription_term",
            {
                "term_id": required(id_of(SOURCE, "id")),
                "subscription_id": id_of(SOURCE, "id"),
                "source": constant(SOURCE),
                "source_id": identifier("id"),
                "source_account_id": PAYER,
                "source_product_id": text("items.data.of.price"),
                "plan": first_of(text("items.data.of.name"), text("items.data.of.price")),
                "status": required(
                    when(
                        all_of(filled("pause_collection.behavior"), equals("status", "active", "past_due", "trialing")),
                        constant("paused"),
                        choice(
                            "status",
                            cases={
                                "trialing": "trial",
                                **{word: word for word in ("active", "past_due", "unpaid", "paused", "canceled")},
                            },
                        ),
                    )
                ),
                "monthly_amount": required(_monthly("net")),
                "list_monthly_amount": _monthly("gross"),
                "currency": money_of("items.data.of.currency"),
                "quantity": number("items.data.quantity"),
                "started_on": required(first_of(day("start_date", zone="epoch"), day("created", zone="epoch"))),
                "ended_on": first_of(
                    day("ended_at", zone="epoch"),
                    when(equals("status", "canceled"), _CANCELED),
                    day("cancel_at", zone="epoch"),
                    when(
                        true(flag("cancel_at_period_end")),
                        first_of(day("current_period_end", zone="epoch"), day("items.data.current_period_end", zone="epoch")),
                    ),
                ),
                "canceled_on": _CANCELED,
                "trial_ends_on": day("trial_end", zone="epoch"),
                "cancel_reason": first_of(
                    text("cancellation_details.feedback"), text("cancellation_details.comment"), text("cancellation_details.reason")
                ),
            },
            where=_LICENSED,
            part="items.data",
            span=Span(
                (first_of(instant("start_date", zone="epoch"), CREATED),),
                (CREATED, instant("canceled_at", zone="epoch"), instant("ended_at", zone="epoch")),
            ),
        ),
        payer(),
    ),
    skips=(Skip(equals("status", "incomplete", "incomplete_expired"), "subscriptions that were never paid for"),),
    tells=(
        Tell(
            equals("metered", "yes"),
            "subscriptions have metered items, which are no recurring revenue and left out",
            "subscription has metered items, which are no recurring revenue and left out",
        ),
        Tell(
            equals("unknown_discount", "yes"),
            "subscriptions have discounts of which the file says nothing but an id: they count at list prices. Ask the API to expand "
            "data.discounts",
            "subscription has a discount of which the file says nothing but an id: it counts at list prices. Ask the API to expand "
            "data.discounts",
        ),
    ),
    export="GET /v1/subscriptions?status=all&limit=100&expand[]=data.discounts, every page, as JSON",
)

# -- fees

_FEE: Final = amount("fee")
_OF_PAYMENT: Final = equals("type", "charge", "payment")

FEES: Final = Layout(
    name="api balance transactions",
    needs=(("id",), ("amount",), ("currency",), ("fee",), ("net",), ("source",), ("type",)),
    tree=Tree(kind=("object", ("balance_transaction",)), minor=MARKS[:1]),
    mappings=(
        Mapping(
            "payment",
            {
                "payment_id": required(id_of(SOURCE, expandable("source"))),
                "source": constant(SOURCE),
                "source_id": expandable("source"),
                "fee": when(no(filled("exchange_rate")), _FEE),
                "home_fee": _FEE,
                "home_amount": amount("amount"),
                "home_currency": money_of("currency"),
            },
            where=_OF_PAYMENT,
        ),
    ),
    skips=(Skip(no(_OF_PAYMENT), "balance transactions that are of no payment"),),
    export="GET /v1/balance_transactions?limit=100, every page, as JSON; for the fees of payments that are imported already",
)

API: Final = (INVOICES, SUBSCRIPTIONS, FEES, BARE_INVOICES)
