"""Paddle Billing: transactions, their line items and adjustments, as its reports write them, and subscriptions.

Reports are CSVs whose date filter uses the date of the last update. What columns they have is documented, and that these mirror the
fields of Paddle's API (developer.paddle.com: Transaction reports, Transaction line item reports, Adjustment line item reports); no
native file confirms how they are spelled. So ``id`` is that of what a row is: a transaction, an item of one that ``transaction_id``
names, an adjustment. The API's amounts are in minor units (cents); where a file's amounts have decimals they are taken as they stand,
decided for the whole file and said. Instants are UTC. What was invoiced is of the day it was billed, what was paid of the day the
payment was captured, else completed.

Reports of adjustment line items are refused: the adjustments say the same, and both would count twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from connectors.base import Connector, Layout, Mapping, NotATable, Part, Renews, Report, Skip, Span, Trouble
from connectors.fields import (
    Condition,
    Value,
    above_zero,
    any_of,
    below_zero,
    choice,
    constant,
    currency,
    day,
    domain,
    equals,
    every,
    filled,
    first_of,
    id_of,
    identifier,
    instant,
    joined,
    lower,
    minor,
    monthly,
    negative,
    number,
    prefixed,
    required,
    text,
    when,
)

SOURCE: Final = "paddle"
_CURRENCY: Final = ("currency_code", "transaction_currency_code", "currency", "unit_price_currency_code")
_CUSTOMER: Final = ("customer_id", "transaction_customer_id")
_EMAIL: Final = lower("customer_email", "email")


def _money(*columns: str) -> Value:
    return minor(*columns, currency=currency(*_CURRENCY))


def _who(modified: Value) -> Mapping:
    return Mapping(
        "source_account",
        {
            "source": constant(SOURCE),
            "source_id": identifier(*_CUSTOMER),
            "name": text("business_name", "customer_business_name", "customer_name"),
            "email": _EMAIL,
            "domain": domain(_EMAIL),
            "modified_at": modified,
        },
        where=filled(*_CUSTOMER),
        one_each=("source", "source_id"),
        hint=True,
    )


_TRANSACTION: Final = ("transaction_id", "id")
_STATUS: Final = ("transaction_status", "status")
_ORIGINAL: Final = text(*_STATUS)
_BILLED: Final = ("transaction_billed_at", "billed_at", "transaction_created_at", "created_at")
#: Only what is billed or completed has a day of billing; what is paid and not yet completed has none.
_BILLED_ON: Final = first_of(*(day(name, zone="utc") for name in _BILLED))
_BILLED_AT: Final = first_of(*(instant(name) for name in _BILLED))
_CAPTURED: Final = ("payment_captured_at", "captured_at", "last_payment_captured_at", "paid_at", "transaction_completed_at", "completed_at")
_CHANGED: Final = instant("transaction_updated_at", "updated_at")
_FROM: Final = ("billing_period_starts_at", "transaction_billing_period_starts_at", "billing_period_start", "billing_period.starts_at")
_TO: Final = ("billing_period_ends_at", "transaction_billing_period_ends_at", "billing_period_end", "billing_period.ends_at")
_NOT_BILLED: Final = (
    Skip(equals(_ORIGINAL, "draft", "ready"), "drafts"),
    Skip(equals(_ORIGINAL, "canceled", "cancelled"), "canceled transactions", retires=True),
)
_LINE_ID: Final = ("transaction_line_item_id", "line_item_id", "transaction_item_id", "id")
_LINE_NET: Final = _money("line_item_subtotal", "item_subtotal", "subtotal")
_LINE_DISCOUNT: Final = _money("line_item_discount", "item_discount", "discount")
_LINE_TAX: Final = _money("line_item_tax", "item_tax", "tax")


def _not_zero(amount: Value) -> Condition:
    return any_of(above_zero(amount), above_zero(negative(amount)))


def _line(kind: Value, suffix: str, amount: Value) -> dict[str, Value]:
    line = identifier(*_LINE_ID)
    return {
        "line_id": required(prefixed(SOURCE, joined(line, constant(suffix), between=":") if suffix else line)),
        "invoice_id": required(id_of(SOURCE, "transaction_id")),
        "source": constant(SOURCE),
        "source_id": line,
        "source_account_id": identifier(*_CUSTOMER),
        "source_product_id": text("price_id", "product_id", "product_name"),
        "kind": kind,
        "description": text("product_name", "price_name", "price_description", "description"),
        "quantity": number("quantity", "line_item_quantity"),
        "amount": amount,
        "currency": currency(*_CURRENCY),
        "invoiced_on": required(_BILLED_ON),
        "modified_at": _CHANGED,
        "service_from": day(*_FROM, zone="utc"),
        "service_to": day(*_TO, zone="utc"),
    }


LINES: Final = Layout(
    name="transaction line items",
    needs=(
        _LINE_ID,
        ("transaction_id",),
        _STATUS,
        _BILLED,
        ("line_item_subtotal", "item_subtotal", "subtotal"),
        ("product_id", "price_id", "product_name", "quantity", "line_item_quantity"),
    ),
    lacks=("adjustment_id", "account_code", "action", "adjustment_action"),
    mappings=(
        Mapping(
            "invoice_line",
            _line(when(above_zero(negative(_LINE_NET)), constant("credit"), constant("charge")), "", required(_LINE_NET)),
            span=Span((_BILLED_AT,)),
            renews=Renews({"invoice_id": id_of(SOURCE, "transaction_id")}),
        ),
        Mapping("invoice_line", _line(constant("discount"), "discount", negative(_LINE_DISCOUNT)), where=_not_zero(_LINE_DISCOUNT)),
        Mapping("invoice_line", _line(constant("tax"), "tax", _LINE_TAX), where=_not_zero(_LINE_TAX)),
        _who(_BILLED_AT),
    ),
    skips=_NOT_BILLED,
    export="Reports > Transaction line items > all statuses",
)

_PAID: Final = equals(_ORIGINAL, "completed", "paid")
_TOTAL: Final = ("total", "grand_total", "transaction_total", "transaction_grand_total")

TRANSACTIONS: Final = Layout(
    name="transactions",
    needs=(
        _TRANSACTION,
        _STATUS,
        _CUSTOMER,
        _TOTAL,
        _BILLED,
        ("subtotal", "transaction_subtotal"),
        ("currency_code", "transaction_currency_code", "currency"),
    ),
    lacks=(*_LINE_ID[:-1], "adjustment_id", "action", "line_item_subtotal", "item_subtotal", "account_code", "amount_due"),
    mappings=(
        Mapping(
            "payment",
            {
                "payment_id": required(id_of(SOURCE, *_TRANSACTION)),
                "source": constant(SOURCE),
                "source_id": identifier(*_TRANSACTION),
                "source_account_id": identifier(*_CUSTOMER),
                "invoice_id": id_of(SOURCE, *_TRANSACTION),
                "status": required(
                    choice(
                        *_STATUS,
                        cases={
                            **dict.fromkeys(("completed", "paid"), "paid"),
                            **dict.fromkeys(("past_due", "past due"), "failed"),
                            "billed": "pending",
                        },
                    )
                ),
                "amount": required(_money(*_TOTAL)),
                "fee": when(_PAID, _money("fee", "transaction_fee", "details_totals_fee")),
                "currency": currency(*_CURRENCY),
                "paid_on": required(first_of(when(_PAID, first_of(*(day(name, zone="utc") for name in _CAPTURED))), _BILLED_ON)),
                "modified_at": _CHANGED,
            },
            span=Span((_BILLED_AT,), (_BILLED_AT, when(_PAID, first_of(*(instant(name) for name in _CAPTURED))))),
        ),
        _who(_BILLED_AT),
    ),
    skips=_NOT_BILLED,
    export="Reports > Transactions > all statuses; the line items as well, which are what was invoiced",
)

_ADJUSTED: Final = ("adjustment_created_at", "created_at")
_ACTION: Final = choice(
    *("adjustment_action", "action", "adjustment_type"),
    cases={
        **dict.fromkeys(("refund", "chargeback"), "refund"),
        "credit": "credit",
        **{
            name: "other"
            for said in ("chargeback_warning", "chargeback_warning_reverse", "chargeback_reverse", "credit_reverse")
            for name in (said, said.replace("_", " "))
        },
    },
)
_GIVEN_BACK: Final = equals(_ACTION, "refund")
_ADJUSTMENT: Final = ("adjustment_id", "id")
_ADJUSTMENT_CHANGED: Final = instant("adjustment_updated_at", "updated_at")
_ADJUSTED_NET: Final = _money("subtotal", "adjustment_subtotal")
_ADJUSTED_TOTAL: Final = _money("total", "adjustment_total")


def _refuse(report: Report) -> Iterator[Part | Trouble]:
    raise NotATable(
        "it is a report of adjustment line items, and what it says is in the report of adjustments, so both would count twice. "
        "Export Reports > Adjustments instead"
    )
    yield  # pragma: no cover - makes it a generator, as every reshape is


#: Keeps the items of adjustments from being taken for adjustments.
ITEMS: Final = Layout(
    name="adjustment line items",
    needs=(("adjustment_item_id", "adjustment_line_item_id", "id"), ("adjustment_id",), ("transaction_id",)),
    reshape=_refuse,
    mappings=(Mapping("payment", {"payment_id": text("adjustment_id")}),),
    export="not read: Reports > Adjustment line items; import the adjustments instead",
)

ADJUSTMENTS: Final = Layout(
    name="adjustments",
    needs=(
        _ADJUSTMENT,
        ("adjustment_action", "action", "adjustment_type"),
        ("adjustment_status", "status"),
        ("subtotal", "adjustment_subtotal"),
        ("total", "adjustment_total"),
        _ADJUSTED,
    ),
    lacks=("adjustment_item_id", "adjustment_line_item_id", "line_item_id"),
    mappings=(
        Mapping(
            "invoice_line",
            {
                "line_id": required(id_of(SOURCE, *_ADJUSTMENT)),
                "invoice_id": id_of(SOURCE, *_ADJUSTMENT),
                "source": constant(SOURCE),
                "source_id": identifier(*_ADJUSTMENT),
                "source_account_id": identifier(*_CUSTOMER),
                "kind": when(_GIVEN_BACK, constant("refund"), constant("credit")),
                "description": text("reason", "adjustment_reason"),
                "amount": required(below_zero(_ADJUSTED_NET)),
                "currency": currency(*_CURRENCY),
                "invoiced_on": required(day(*_ADJUSTED, zone="utc")),
                "modified_at": _ADJUSTMENT_CHANGED,
            },
            span=Span((instant(*_ADJUSTED),)),
        ),
        # money that goes back is a payment of its own, so that it counts on its day
        Mapping(
            "payment",
            {
                "payment_id": required(id_of(SOURCE, *_ADJUSTMENT)),
                "source": constant(SOURCE),
                "source_id": identifier(*_ADJUSTMENT),
                "source_account_id": identifier(*_CUSTOMER),
                "invoice_id": id_of(SOURCE, "transaction_id", "adjustment_transaction_id"),
                "status": constant("paid"),
                "refunded": negative(below_zero(_ADJUSTED_TOTAL)),
                "currency": currency(*_CURRENCY),
                "refunded_on": required(day(*_ADJUSTED, zone="utc")),
                "modified_at": _ADJUSTMENT_CHANGED,
            },
            where=_GIVEN_BACK,
            span=Span((instant(*_ADJUSTED),)),
        ),
    ),
    skips=(
        Skip(
            equals(text("adjustment_status", "status"), "pending_approval", "pending approval", "rejected"),
            "adjustments that are not approved",
        ),
        Skip(equals(text("adjustment_status", "status"), "reversed"), "reversed adjustments", retires=True),
        Skip(equals(_ACTION, "other"), "warnings and reversals of chargebacks"),
    ),
    export="Reports > Adjustments > all types",
)

_SUB_ID: Final = ("subscription_id", "id")
_SUB_PRICE: Final = first_of(
    _money("recurring_total", "recurring_subtotal"),
    monthly(_money("unit_price_amount", "unit_price", "price_amount"), number("quantity", "item_quantity"), constant("1/1")),
)
_MONTHLY: Final = monthly(
    _SUB_PRICE, None, every(("billing_cycle_interval", "billing_interval"), ("billing_cycle_frequency", "billing_frequency"))
)
_CHANGE_AT: Final = when(
    equals(text("scheduled_change_action", "scheduled_change.action"), "cancel"),
    day("scheduled_change_effective_at", "scheduled_change.effective_at", zone="utc"),
)

SUBSCRIPTIONS: Final = Layout(
    name="subscriptions",
    needs=(
        _SUB_ID,
        _CUSTOMER,
        ("subscription_status", "status"),
        ("billing_cycle_interval", "billing_interval"),
        ("recurring_total", "recurring_subtotal", "unit_price_amount", "unit_price", "price_amount"),
        ("started_at", "first_billed_at", "created_at"),
    ),
    lacks=("transaction_id", "account_code", "plan_code"),
    mappings=(
        Mapping(
            "subscription_term",
            {
                "term_id": required(id_of(SOURCE, *_SUB_ID)),
                "subscription_id": id_of(SOURCE, *_SUB_ID),
                "source": constant(SOURCE),
                "source_id": identifier(*_SUB_ID),
                "source_account_id": identifier(*_CUSTOMER),
                "source_product_id": text("price_id", "product_id", "product_name"),
                "plan": text("product_name", "price_name", "price_id"),
                "status": required(
                    choice(
                        "subscription_status",
                        "status",
                        cases={
                            "active": "active",
                            "trialing": "trial",
                            **dict.fromkeys(("past_due", "past due"), "past_due"),
                            "paused": "paused",
                            **dict.fromkeys(("canceled", "cancelled"), "canceled"),
                        },
                    )
                ),
                "monthly_amount": required(_MONTHLY),
                "list_monthly_amount": _MONTHLY,
                "currency": currency(*_CURRENCY),
                "quantity": number("quantity", "item_quantity"),
                "started_on": required(
                    first_of(day("started_at", zone="utc"), day("first_billed_at", zone="utc"), day("created_at", zone="utc"))
                ),
                "ended_on": first_of(
                    when(equals(text("subscription_status", "status"), "canceled", "cancelled"), day("canceled_at", zone="utc")), _CHANGE_AT
                ),
                "canceled_on": day("canceled_at", zone="utc"),
                "trial_ends_on": day("trial_ends_at", "trial_dates_ends_at", "trial_dates.ends_at", zone="utc"),
                "cancel_reason": text("cancellation_reason", "cancel_reason"),
                "cancel_comment": text("cancellation_comment", "cancel_comment"),
            },
            span=Span(
                (instant("created_at"), instant("started_at")),
                (
                    instant("created_at"),
                    instant("updated_at"),
                    instant("canceled_at"),
                    instant("current_billing_period_starts_at", "current_billing_period.starts_at"),
                ),
            ),
        ),
        _who(instant("created_at", "started_at")),
    ),
    export="the table of subscriptions, with the names of Paddle's API",
)

PADDLE: Final = Connector(SOURCE, "Paddle", (ITEMS, ADJUSTMENTS, LINES, SUBSCRIPTIONS, TRANSACTIONS))
