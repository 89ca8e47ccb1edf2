"""Recurly: subscriptions, invoice line items, invoices, transactions and accounts, as its exports write them.

Exports have snake_case columns (account_code, plan_code, state); which, depends on the version chosen, and no native file
confirms them all: the names are those of Recurly's export pages and of its API. Amounts are decimals, instants UTC.
A subscription that is canceled is in service until it expires; one that has expired is over.
"""

from __future__ import annotations

from typing import Final

from connectors.base import Connector, Layout, Mapping, Renews, Skip, Span
from connectors.fields import (
    Value,
    above_zero,
    all_of,
    any_of,
    choice,
    constant,
    currency,
    day,
    difference,
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
    money,
    monthly,
    negative,
    no,
    number,
    prefixed,
    required,
    text,
    times,
    when,
)

SOURCE: Final = "recurly"
_ACCOUNT: Final = ("account_code", "account_id")
_CURRENCY: Final = ("currency", "invoice_currency", "subscription_currency", "transaction_currency")
_EMAIL: Final = lower("account_email", "email", "customer_email")
_COMPANY: Final = ("account_company", "account_company_name", "company", "company_name", "account_name")
_OTHER_ID: Final = ("salesforce_account_id", "account_salesforce_id", "crm_id", "account_custom_field_salesforce_id")


def _who(modified: Value) -> Mapping:
    return Mapping(
        "source_account",
        {
            "source": constant(SOURCE),
            "source_id": identifier(*_ACCOUNT),
            "name": text(*_COMPANY),
            "email": _EMAIL,
            "domain": domain(_EMAIL),
            "modified_at": modified,
        },
        where=filled(*_ACCOUNT),
        one_each=("source", "source_id"),
        hint=True,
    )


_SUB_ID: Final = ("subscription_id", "subscription_uuid", "uuid", "id")
_STATE: Final = ("state", "status", "subscription_state", "subscription_status")
_ADD_ONS: Final = ("add_ons_total", "addons_total", "total_addon_amount", "add_on_amount")
_UNIT: Final = ("unit_amount", "plan_unit_amount", "subscription_unit_amount", "unit_price")
_INTERVAL: Final = ("plan_interval_unit", "interval_unit", "plan_interval", "interval", "billing_period")
_LENGTH: Final = ("plan_interval_length", "interval_length", "plan_interval_count")
_SUBTOTAL: Final = ("subtotal", "subscription_subtotal", "recurring_subtotal")
#: Before discounts and taxes: quantity times unit amount, and the add-ons.
_AT_LIST: Final = first_of(
    money(*_SUBTOTAL),
    difference(times(money(*_UNIT), number("quantity", "subscription_quantity")), negative(money(*_ADD_ONS))),
)
_PRICE: Final = monthly(_AT_LIST, None, every(_INTERVAL, _LENGTH))
_BEGUN: Final = ("activated_at", "subscription_activated_at", "started_at", "starts_at", "created_at")
_CANCELED_AT: Final = ("canceled_at", "cancelled_at", "subscription_canceled_at")
_EXPIRES: Final = ("expires_at", "expired_at", "subscription_expires_at")
_TERM_ENDS: Final = ("current_term_ends_at", "current_period_ends_at", "current_period_end", "current_period_end_date")
_STATUS: Final = text(*_STATE)
_IN_TRIAL: Final = equals(_STATUS, "in_trial", "trial", "in trial")
_CHANGED: Final = instant("modified_at", "updated_at")

SUBSCRIPTIONS: Final = Layout(
    name="subscriptions",
    needs=(_SUB_ID, _ACCOUNT, ("plan_code", "plan_id"), _STATE, (*_UNIT, *_SUBTOTAL), _INTERVAL, _BEGUN),
    lacks=("invoice_number", "line_item_id", "customer_id"),
    mappings=(
        Mapping(
            "subscription_term",
            {
                "term_id": required(id_of(SOURCE, *_SUB_ID)),
                "subscription_id": id_of(SOURCE, *_SUB_ID),
                "source": constant(SOURCE),
                "source_id": identifier(*_SUB_ID),
                "source_account_id": identifier(*_ACCOUNT),
                "source_product_id": text("plan_code", "plan_id"),
                "plan": text("plan_name", "plan_code", "plan_id"),
                "status": required(
                    choice(
                        *_STATE,
                        cases={
                            **dict.fromkeys(("active", "future", "live", "open", "non-renewing", "non_renewing"), "active"),
                            # it won't renew, and is in service until it expires
                            **dict.fromkeys(("canceled", "cancelled"), "active"),
                            **dict.fromkeys(("in_trial", "in trial", "trial"), "trial"),
                            **dict.fromkeys(("past_due", "past due"), "past_due"),
                            "paused": "paused",
                            **dict.fromkeys(("expired", "failed"), "canceled"),
                        },
                    )
                ),
                "monthly_amount": required(_PRICE),
                "list_monthly_amount": _PRICE,
                "currency": currency(*_CURRENCY),
                "quantity": number("quantity", "subscription_quantity"),
                "started_on": required(day(*_BEGUN, zone="utc")),
                "ended_on": first_of(
                    day(*_EXPIRES, zone="utc"),
                    when(equals(_STATUS, "canceled", "cancelled"), day(*_TERM_ENDS, zone="utc")),
                    when(equals(_STATUS, "expired", "failed"), day(*_CANCELED_AT, zone="utc")),
                ),
                "canceled_on": day(*_CANCELED_AT, zone="utc"),
                "trial_ends_on": day("trial_ends_at", "trial_end_at", "trial_end", zone="utc"),
                "cancel_reason": text("cancel_reason", "cancellation_reason", "expiration_reason"),
                "cancel_comment": text("cancellation_comment", "cancel_comment", "cancellation_note"),
            },
            span=Span(
                (instant(*_BEGUN),),
                (
                    when(no(equals(_STATUS, "future")), instant(*_BEGUN)),
                    instant("created_at"),
                    _CHANGED,
                    instant(*_CANCELED_AT),
                    instant("current_period_started_at", "current_period_start_at", "current_period_start"),
                ),
            ),
        ),
        _who(instant("created_at", *_BEGUN)),
    ),
    export="Exports > Subscriptions, all columns",
)

_LINE_ID: Final = ("line_item_id", "line_item_uuid", "adjustment_id", "adjustment_uuid", "line_item_number")
_INVOICE: Final = ("invoice_number", "invoice_id")
_LINE_AMOUNT: Final = ("line_item_subtotal", "line_item_amount", "adjustment_subtotal", "adjustment_amount", "subtotal", "amount")
_LINE_TAX: Final = money("line_item_tax", "line_item_tax_amount", "adjustment_tax", "tax_amount", "tax")
_LINE_DISCOUNT: Final = money("line_item_discount", "line_item_discount_amount", "adjustment_discount", "discount_amount", "discount")
_LINE_DATE: Final = ("invoice_date", "invoice_created_at", "invoice_billed_date", "billed_date", "line_item_created_at", "created_at")
_INVOICE_STATE: Final = text("invoice_state", "invoice_status", "state", "status")
_IS_CREDIT: Final = any_of(
    equals(text("line_item_type", "adjustment_type", "type", "invoice_type"), "credit"),
    above_zero(negative(money(*_LINE_AMOUNT))),
)
#: A credit is written negative by some versions and positive by others; it is one either way.
_CREDITED: Final = when(above_zero(money(*_LINE_AMOUNT)), negative(money(*_LINE_AMOUNT)), money(*_LINE_AMOUNT))
_REFUNDED: Final = equals(text("line_item_origin", "adjustment_origin", "origin"), "refund", "external_refund", "write_off")
_LEFT_OUT: Final = (
    Skip(equals(_INVOICE_STATE, "voided", "void"), "voided rows"),
    Skip(equals(text("line_item_state", "adjustment_state"), "pending"), "lines that are not invoiced yet"),
)


def _line(kind: Value, suffix: str, amount: Value) -> dict[str, Value]:
    line = identifier(*_LINE_ID)
    return {
        "line_id": required(prefixed(SOURCE, joined(line, constant(suffix), between=":") if suffix else line)),
        "invoice_id": required(id_of(SOURCE, *_INVOICE)),
        "source": constant(SOURCE),
        "source_id": line,
        "source_account_id": identifier(*_ACCOUNT),
        "source_product_id": text("plan_code", "line_item_plan_code", "product_code", "line_item_product_code", "item_code", "add_on_code"),
        "kind": kind,
        "description": text("line_item_description", "adjustment_description", "description"),
        "quantity": number("line_item_quantity", "adjustment_quantity", "quantity"),
        "amount": amount,
        "currency": currency("line_item_currency", *_CURRENCY),
        "invoiced_on": required(day(*_LINE_DATE, zone="utc")),
        "service_from": day("line_item_start_date", "adjustment_start_date", "start_date", zone="utc"),
        "service_to": day("line_item_end_date", "adjustment_end_date", "end_date", zone="utc"),
    }


LINES: Final = Layout(
    name="invoice line items",
    needs=(_LINE_ID, _INVOICE, _ACCOUNT, _LINE_AMOUNT, _LINE_DATE),
    mappings=(
        Mapping(
            "invoice_line",
            _line(
                when(_IS_CREDIT, when(_REFUNDED, constant("refund"), constant("credit")), constant("charge")),
                "",
                required(when(_IS_CREDIT, _CREDITED, money(*_LINE_AMOUNT))),
            ),
            span=Span((instant(*_LINE_DATE),)),
            renews=Renews({"invoice_id": id_of(SOURCE, *_INVOICE)}),
        ),
        Mapping(
            "invoice_line",
            _line(constant("discount"), "discount", negative(_LINE_DISCOUNT)),
            where=any_of(above_zero(_LINE_DISCOUNT), above_zero(negative(_LINE_DISCOUNT))),
        ),
        Mapping(
            "invoice_line",
            _line(constant("tax"), "tax", _LINE_TAX),
            where=any_of(above_zero(_LINE_TAX), above_zero(negative(_LINE_TAX))),
        ),
        _who(instant(*_LINE_DATE)),
    ),
    skips=_LEFT_OUT,
    export="Exports > Invoice line items, all columns",
)

_TOTAL: Final = ("total", "invoice_total")
_NET: Final = difference(money(*_TOTAL), money("tax", "invoice_tax", "tax_amount"))
_IS_NOTE: Final = any_of(equals(text("type", "invoice_type"), "credit"), above_zero(negative(_NET)))

INVOICES: Final = Layout(
    name="invoices",
    needs=(
        _INVOICE,
        _ACCOUNT,
        _TOTAL,
        ("subtotal", "invoice_subtotal", "balance", "invoice_balance"),
        ("created_at", "invoice_date", "invoice_created_at"),
    ),
    lacks=(*_LINE_ID, "customer_id"),
    mappings=(
        Mapping(
            "invoice_line",
            {
                "line_id": required(id_of(SOURCE, *_INVOICE)),
                "invoice_id": id_of(SOURCE, *_INVOICE),
                "source": constant(SOURCE),
                "source_id": identifier(*_INVOICE),
                "source_account_id": identifier(*_ACCOUNT),
                "kind": when(_IS_NOTE, constant("credit"), constant("charge")),
                "amount": required(when(all_of(_IS_NOTE, above_zero(_NET)), negative(_NET), _NET)),
                "currency": currency(*_CURRENCY),
                "invoiced_on": required(day("invoice_date", "invoice_created_at", "created_at", zone="utc")),
            },
            span=Span((instant("invoice_date", "invoice_created_at", "created_at"),)),
            renews=Renews({"invoice_id": id_of(SOURCE, *_INVOICE)}),
        ),
        _who(instant("invoice_date", "invoice_created_at", "created_at")),
    ),
    skips=(_LEFT_OUT[0],),
    export="Exports > Invoices: summary; one charge an invoice, so export the line items where products matter",
)

_PAID_ID: Final = ("transaction_id", "transaction_uuid", "uuid", "id")
_PAID_AT: Final = ("collected_at", "transaction_date", "transaction_created_at", "date", "created_at")
_PAID_TYPE: Final = text("transaction_type", "type", "action")
_PAID_STATE: Final = ("transaction_status", "status", "state", "transaction_state")
_PAID_AMOUNT: Final = ("amount", "transaction_amount")
_GIVEN_BACK: Final = equals(_PAID_TYPE, "refund")
_TAKEN: Final = equals(_PAID_TYPE, "purchase", "capture", "payment")

TRANSACTIONS: Final = Layout(
    name="transactions",
    needs=(
        _PAID_ID,
        _ACCOUNT,
        ("transaction_type", "type", "action"),
        _PAID_STATE,
        _PAID_AMOUNT,
        _PAID_AT,
        ("gateway", "gateway_code", "payment_gateway", "payment_gateway_name", "payment_method", "payment_method_object", "gateway_type"),
    ),
    lacks=(*_LINE_ID, "customer_id"),
    mappings=(
        Mapping(
            "payment",
            {
                "payment_id": required(id_of(SOURCE, *_PAID_ID)),
                "source": constant(SOURCE),
                "source_id": identifier(*_PAID_ID),
                "source_account_id": identifier(*_ACCOUNT),
                "invoice_id": id_of(SOURCE, *_INVOICE),
                "status": required(
                    choice(
                        *_PAID_STATE,
                        cases={
                            **dict.fromkeys(("success", "successful", "succeeded", "approved", "paid"), "paid"),
                            **dict.fromkeys(("declined", "failed", "error"), "failed"),
                            **dict.fromkeys(("pending", "processing", "scheduled"), "pending"),
                            **dict.fromkeys(("chargeback", "disputed"), "disputed"),
                        },
                    )
                ),
                "failure_reason": text("status_message", "customer_message", "gateway_message", "decline_reason", "failure_type"),
                # what is given back is a transaction of its own
                "amount": when(_TAKEN, required(money(*_PAID_AMOUNT))),
                "refunded": when(
                    _GIVEN_BACK,
                    required(when(above_zero(money(*_PAID_AMOUNT)), money(*_PAID_AMOUNT), negative(money(*_PAID_AMOUNT)))),
                ),
                "currency": currency(*_CURRENCY),
                "paid_on": when(_TAKEN, required(day(*_PAID_AT, zone="utc"))),
                "refunded_on": when(_GIVEN_BACK, required(day(*_PAID_AT, zone="utc"))),
            },
            span=Span((instant(*_PAID_AT),)),
        ),
        _who(instant(*_PAID_AT)),
    ),
    skips=(
        Skip(equals(text(*_PAID_STATE), "void", "voided"), "voided rows"),
        Skip(no(any_of(_TAKEN, _GIVEN_BACK)), "verifications and authorizations"),
        Skip(
            all_of(_GIVEN_BACK, no(equals(text(*_PAID_STATE), "success", "successful", "succeeded", "approved", "paid"))),
            "refunds that didn't happen",
        ),
    ),
    export="Exports > Transactions, all columns",
)

ACCOUNTS: Final = Layout(
    name="accounts",
    needs=(
        ("account_code", "code"),
        ("email", "account_email"),
        ("company", "account_company", "company_name"),
        ("created_at", "account_created_at"),
    ),
    lacks=("plan_code", "amount", "total", "transaction_id", *_LINE_ID),
    mappings=(
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": required(identifier("account_code", "code")),
                "name": first_of(text(*_COMPANY), joined("first_name", "last_name")),
                "email": _EMAIL,
                "domain": domain(_EMAIL),
                "other_id": text(*_OTHER_ID),
            },
        ),
    ),
    export="Exports > Accounts, all columns",
)

RECURLY: Final = Connector(SOURCE, "Recurly", (LINES, SUBSCRIPTIONS, TRANSACTIONS, INVOICES, ACCOUNTS))
