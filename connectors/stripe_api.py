"""Stripe, as its API answers in JSON: charges, and customers.

Amounts of the API are integers in the smallest unit of their currency and instants seconds since 1970 (Stripe's docs:
Supported currencies; Dates and times). A record of the API carries ``object`` and ``livemode``; of files without them it
can't be known whether 4500 is 45.00 or 4500.00, so they are held back until ``--amounts`` says it. Sources, ids and statuses
are those of the Dashboard's exports, so that both update the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping as Members
from typing import Any, Final

from connectors.base import Layout, Mapping, Span, Tell, Tree
from connectors.fields import (
    Value,
    all_of,
    any_of,
    choice,
    constant,
    currency,
    day,
    domain,
    equals,
    filled,
    first_of,
    flag,
    id_of,
    identifier,
    instant,
    lower,
    minor,
    no,
    required,
    same,
    text,
    true,
    when,
)

SOURCE: Final = "stripe"
MARKS: Final = ("object", "livemode")
#: Decimals of the smallest unit where they aren't two. ISK and UGX have no decimals in life and two in the API.
_UNITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3),
}
CREATED: Final = instant("created", zone="epoch")
#: What a payment knows of its payer gives way to what the customer's own record says, whenever that is imported.
_HEARSAY: Final = instant(constant("1970-01-01 00:00:00"))
_OTHER_IDS: Final = ("salesforce_account_id", "account_id", "crm_id", "hubspot_company_id", "hubspot_id")


def money_of(name: str) -> Value:
    """The currency that stands there."""
    return currency(name)


def amount(name: str, of: str = "currency", fraction: bool = False) -> Value:
    """An amount in the smallest unit of the currency that ``of`` names; with ``fraction`` parts of it may stand there."""
    return minor(name, currency=currency(of), units=_UNITS, fraction=fraction)


def expandable(name: str) -> Value:
    """An id where Stripe writes either that or, when asked to expand it, the whole object."""
    return first_of(identifier(f"{name}.id"), identifier(name))


_MAIL: Final = lower(first_of(text("customer.email"), text("customer_email"), text("billing_details.email"), text("receipt_email")))
_NAME: Final = first_of(text("customer.name"), text("customer_name"), text("billing_details.name"))
PAYER: Final = first_of(expandable("customer"), _MAIL)


def payer() -> Mapping:
    """What identity is decided from, where it isn't known from the customer's own record."""
    return Mapping(
        "source_account",
        {
            "source": constant(SOURCE),
            "source_id": PAYER,
            "name": _NAME,
            "email": _MAIL,
            "domain": domain(_MAIL),
            "other_id": first_of(*(text(f"customer.metadata.{name}") for name in _OTHER_IDS)),
            "modified_at": _HEARSAY,
        },
        # of a customer's payments some say who it is
        where=all_of(filled(PAYER), any_of(filled(_MAIL), filled(_NAME))),
        one_each=("source", "source_id"),
        hint=True,
    )


def refunds(record: dict[str, Any], page: Members[str, Any]) -> None:
    """Add what is known of a charge's refunds.

    ``refund.last``: the seconds of the last one that wasn't turned down; ``refund.days``: ``several`` or nothing; ``changed``: when the
    charge was last refunded, else created.
    """
    made = record.get("refunds")
    listed = made.get("data") if isinstance(made, dict) else made
    times = sorted(
        int(refund["created"])
        for refund in listed or ()
        if isinstance(refund, dict) and refund.get("status") not in ("failed", "canceled") and str(refund.get("created")).isdigit()
    )
    created = str(record.get("created"))
    if created.isdigit() and (times or not record.get("amount_refunded") or str(record.get("amount_refunded")) == "0"):
        # refunds without their days can't tell which of two answers is the newer
        record["changed"] = str(max([int(created), *times]))
    if times:
        record["refund"] = {"last": str(times[-1]), "days": "several" if times[-1] - times[0] >= 24 * 60 * 60 else ""}


_CAPTURED: Final = no(equals("captured", "false"))
_REFUNDED: Final = first_of(
    when(filled("amount_refunded"), amount("amount_refunded")), when(true(flag("refunded")), amount("amount"), constant(None))
)
_HAS_REFUND: Final = all_of(
    _CAPTURED, any_of(true(flag("refunded")), all_of(filled("amount_refunded"), no(equals("amount_refunded", "0"))))
)
_UNDATED: Final = all_of(_HAS_REFUND, no(filled("refund.last")))
_DISPUTE: Final = text("dispute.status")
#: Stripe takes the amount back when a dispute begins, and keeps it when the dispute is lost; an inquiry takes nothing yet.
_DISPUTED: Final = all_of(
    true(flag("disputed")), no(equals(_DISPUTE, "won", "warning_needs_response", "warning_under_review", "warning_closed", "prevented"))
)
_SAME_CURRENCY: Final = same("currency", "balance_transaction.currency")
_PAID: Final = equals("status", "succeeded", "paid")

CHARGES: Final = Layout(
    name="api charges",
    needs=(("id",), ("amount",), ("currency",), ("created",), ("status",), ("paid",), ("refunded",)),
    tree=Tree(kind=("object", ("charge",)), derive=refunds, minor=MARKS),
    mappings=(
        Mapping(
            "payment",
            {
                "payment_id": required(id_of(SOURCE, "id")),
                "source": constant(SOURCE),
                "source_id": identifier("id"),
                "source_account_id": PAYER,
                "invoice_id": id_of(SOURCE, expandable("invoice")),
                "status": required(
                    when(
                        all_of(_PAID, no(_CAPTURED)),
                        # authorised only; what was let go again was never paid
                        when(true(flag("refunded")), constant("failed"), constant("pending")),
                        when(
                            all_of(_PAID, _DISPUTED),
                            constant("disputed"),
                            choice("status", cases={"succeeded": "paid", "paid": "paid", "pending": "pending", "failed": "failed"}),
                        ),
                    )
                ),
                "description": text("description"),
                "failure_reason": when(equals("status", "failed"), first_of(text("failure_message"), text("outcome.seller_message"))),
                "amount": required(amount("amount")),
                "refunded": when(_CAPTURED, _REFUNDED),
                # Stripe takes its fee in the currency it pays out
                "fee": when(_SAME_CURRENCY, amount("balance_transaction.fee", "balance_transaction.currency")),
                "home_fee": amount("balance_transaction.fee", "balance_transaction.currency"),
                "currency": currency("currency"),
                "home_amount": amount("balance_transaction.amount", "balance_transaction.currency"),
                "home_currency": when(filled("balance_transaction.currency"), currency("balance_transaction.currency", assume=False)),
                "paid_on": required(day("created", zone="epoch")),
                "refunded_on": when(_HAS_REFUND, first_of(day("refund.last", zone="epoch"), day("created", zone="epoch"))),
                "modified_at": instant("changed", zone="epoch"),
            },
            span=Span((CREATED,), (CREATED, instant("refund.last", zone="epoch"))),
        ),
        payer(),
    ),
    tells=(
        Tell(
            _UNDATED,
            "refunds without a date count on the day of their payment: ask the API to expand data.refunds",
            "refund without a date counts on the day of its payment: ask the API to expand data.refunds",
        ),
        Tell(
            equals("refund.days", "several"),
            "payments were refunded on several days: what was refunded counts on the last",
            "payment was refunded on several days: what was refunded counts on the last",
        ),
        Tell(
            all_of(_PAID, true(flag("disputed")), no(filled(_DISPUTE))),
            "payments are disputed and the file doesn't say how that ended: they count as disputed. Ask the API to expand data.dispute",
            "payment is disputed and the file doesn't say how that ended: it counts as disputed. Ask the API to expand data.dispute",
        ),
    ),
    export="GET /v1/charges?limit=100&expand[]=data.refunds&expand[]=data.balance_transaction, every page, as JSON",
)

CUSTOMERS: Final = Layout(
    name="api customers",
    needs=(("id",), ("email",), ("name",), ("created",), ("delinquent", "invoice_prefix", "default_source", "livemode")),
    lacks=("amount", "status", "lines", "items"),
    tree=Tree(kind=("object", ("customer",))),
    mappings=(
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": required(identifier("id")),
                "name": first_of(text("name"), text("metadata.company"), text("description")),
                "email": lower("email"),
                "domain": domain(lower("email")),
                "other_id": first_of(*(text(f"metadata.{name}") for name in _OTHER_IDS)),
                "modified_at": CREATED,
            },
        ),
    ),
    export="GET /v1/customers?limit=100, every page, as JSON",
)

API: Final = (CHARGES, CUSTOMERS)
