"""Recurly: invoice line items, invoices, transactions and accounts, as its exports write them.

Columns are snake_case and instants carry a zone by name (``2012-02-19 12:01:33 PST``). Those of the exports Adjustments, Invoices -
Summary, Transactions and Subscriptions are documented (docs.recurly.com: Adjustments - export, Invoices - summary - export,
Transactions - export, Subscriptions - export); other names are those of older exports and of its API, not confirmed by files.
``adjustment_amount`` is before discounts and taxes, ``adjustment_subtotal`` after discounts; where the price includes its tax,
``adjustment_total`` less the tax is what counts. The credit that a carryforward takes along comes again on a later invoice, so the
charge that zeros out the invoice it is taken from counts as well. Accounts are not confirmed.
"""

from __future__ import annotations

from typing import Final

from connectors.base import Connector, Layout, Mapping, Renews, Skip, Span
from connectors.fields import (
    Value,
    above_zero,
    all_of,
    any_of,
    below_zero,
    choice,
    constant,
    currency,
    day,
    difference,
    domain,
    equals,
    filled,
    first_of,
    flag,
    id_of,
    identifier,
    instant,
    joined,
    lower,
    money,
    negative,
    no,
    number,
    prefixed,
    required,
    text,
    true,
    when,
)

SOURCE: Final = "recurly"


ACCOUNT: Final = ("account_code", "account_id")
CURRENCY: Final = (
    *("currency", "adjustment_currency", "line_item_currency", "invoice_currency", "subscription_currency", "transaction_currency"),
)
_EMAIL: Final = lower("account_email", "email", "customer_email")
CHANGED: Final = instant("modified_at", "updated_at")
_COMPANY: Final = ("account_company", "account_company_name", "company", "company_name", "account_name")
_OTHER_ID: Final = ("salesforce_account_id", "account_salesforce_id", "crm_id", "account_custom_field_salesforce_id")


def who(modified: Value) -> Mapping:
    """A customer as a row of another export mentions it."""
    return Mapping(
        "source_account",
        {
            "source": constant(SOURCE),
            "source_id": identifier(*ACCOUNT),
            "name": text(*_COMPANY),
            "email": _EMAIL,
            "domain": domain(_EMAIL),
            "modified_at": modified,
        },
        where=filled(*ACCOUNT),
        one_each=("source", "source_id"),
        hint=True,
    )


_LINE_ID: Final = ("line_item_id", "line_item_uuid", "adjustment_id", "adjustment_uuid", "line_item_number", "uuid")
_NO_LINES: Final = tuple(name for name in _LINE_ID if name != "uuid")
_INVOICE: Final = ("invoice_number", "invoice_id")
_LINE_AMOUNT: Final = ("adjustment_amount", "line_item_amount", "line_item_subtotal", "adjustment_subtotal", "subtotal")
_TAX: Final = money("line_item_tax", "line_item_tax_amount", "adjustment_tax", "tax_amount", "tax")
_WRITTEN_DISCOUNT: Final = money("line_item_discount", "line_item_discount_amount", "adjustment_discount", "discount_amount", "discount")
_LINE_DATE: Final = (
    *("invoice_date", "invoice_billed_date", "invoice_created_at", "billed_date", "line_item_created_at", "adjustment_created_at"),
    "created_at",
)
_INVOICE_STATE: Final = text("invoice_state", "invoice_status", "state", "status")
_INCLUDES_TAX: Final = true(flag("tax_inclusive", "adjustment_tax_inclusive", "line_item_tax_inclusive"))
_IS_CREDIT: Final = any_of(
    equals(text("line_item_type", "adjustment_type", "type"), "credit"),
    above_zero(negative(money(*_LINE_AMOUNT))),
)
#: Some versions write a credit negative and others positive; it takes away either way, and its discount gives back.
_TAX_OF_LINE: Final = when(_IS_CREDIT, below_zero(_TAX), _TAX)
_DISCOUNT_OF_LINE: Final = when(_IS_CREDIT, negative(below_zero(_WRITTEN_DISCOUNT)), below_zero(_WRITTEN_DISCOUNT))


def _signed(amount: Value) -> Value:
    return when(_IS_CREDIT, below_zero(amount), amount)


#: Before discounts and taxes.
_GROSS: Final = first_of(
    _signed(money("adjustment_amount", "line_item_amount", "line_item_subtotal", "subtotal")),
    difference(_signed(money("adjustment_subtotal")), _DISCOUNT_OF_LINE),
)
_REFUNDED: Final = any_of(
    equals(text("line_item_origin", "adjustment_origin", "origin"), "refund", "external_refund", "write_off"),
    equals(text("adjustment_credit_reason_code", "credit_reason_code"), "refund", "write_off"),
    equals(text("invoice_type"), "refund", "external_refund"),
)
_LEFT_OUT: Final = (
    Skip(equals(_INVOICE_STATE, "voided", "void"), "voided rows"),
    Skip(equals(text("line_item_state", "adjustment_state", "adjustment_status"), "pending"), "lines that are not invoiced yet"),
)


def _line(kind: Value, suffix: str, amount: Value) -> dict[str, Value]:
    line = identifier(*_LINE_ID)
    return {
        "line_id": required(prefixed(SOURCE, joined(line, constant(suffix), between=":") if suffix else line)),
        "invoice_id": required(id_of(SOURCE, *_INVOICE)),
        "source": constant(SOURCE),
        "source_id": line,
        "source_account_id": identifier(*ACCOUNT),
        "source_product_id": first_of(
            *("plan_code", "line_item_plan_code", "adjustment_plan_code"),
            *("product_code", "line_item_product_code", "adjustment_product_code", "item_code", "add_on_code"),
        ),
        "kind": kind,
        "description": text("line_item_description", "adjustment_description", "description"),
        "quantity": number("line_item_quantity", "adjustment_quantity", "quantity"),
        "amount": amount,
        "currency": currency(*CURRENCY),
        "invoiced_on": required(day(*_LINE_DATE, zone="utc")),
        "service_from": day("line_item_start_date", "adjustment_start_at", "adjustment_start_date", "start_date", zone="utc"),
        "service_to": day("line_item_end_date", "adjustment_end_at", "adjustment_end_date", "end_date", zone="utc"),
    }


LINES: Final = Layout(
    name="invoice line items",
    needs=(_LINE_ID, _INVOICE, ACCOUNT, _LINE_AMOUNT, _LINE_DATE),
    # a line for each place that taxes it would count as often, and transactions have an id beside that of their invoice
    lacks=("jurisdiction_amount", "transaction_id", "current_period_ends_at", "balance", "due_on"),
    mappings=(
        Mapping(
            "invoice_line",
            _line(
                when(_IS_CREDIT, when(_REFUNDED, constant("refund"), constant("credit")), constant("charge")),
                "",
                required(difference(_GROSS, when(_INCLUDES_TAX, _TAX_OF_LINE))),
            ),
            span=Span((instant(*_LINE_DATE),)),
            renews=Renews({"invoice_id": id_of(SOURCE, *_INVOICE)}),
        ),
        Mapping(
            "invoice_line",
            _line(constant("discount"), "discount", _DISCOUNT_OF_LINE),
            where=any_of(above_zero(_WRITTEN_DISCOUNT), above_zero(negative(_WRITTEN_DISCOUNT))),
        ),
        Mapping(
            "invoice_line",
            _line(constant("tax"), "tax", _TAX_OF_LINE),
            where=any_of(above_zero(_TAX), above_zero(negative(_TAX))),
        ),
        who(instant(*_LINE_DATE)),
    ),
    skips=_LEFT_OUT,
    export="Exports > Adjustments, all columns",
)

_TOTAL: Final = ("total", "invoice_total")
_NET: Final = difference(money(*_TOTAL), money("tax", "invoice_tax", "tax_amount"))
_IS_NOTE: Final = any_of(
    equals(text("invoice_doc_type"), "credit"), equals(text("type", "invoice_type"), "credit", "refund"), above_zero(negative(_NET))
)
_BILLED: Final = ("billed_date", "invoice_date", "invoice_billed_date", "invoice_created_at", "created_at")

INVOICES: Final = Layout(
    name="invoices",
    needs=(
        _INVOICE,
        ACCOUNT,
        _TOTAL,
        ("subtotal", "invoice_subtotal", "balance", "invoice_balance"),
        _BILLED,
    ),
    lacks=(*_NO_LINES, "customer_id"),
    mappings=(
        Mapping(
            "invoice_line",
            {
                "line_id": required(id_of(SOURCE, *_INVOICE)),
                "invoice_id": id_of(SOURCE, *_INVOICE),
                "source": constant(SOURCE),
                "source_id": identifier(*_INVOICE),
                "source_account_id": identifier(*ACCOUNT),
                "kind": when(_IS_NOTE, constant("credit"), constant("charge")),
                "amount": required(when(all_of(_IS_NOTE, above_zero(_NET)), negative(_NET), _NET)),
                "currency": currency(*CURRENCY),
                "invoiced_on": required(day(*_BILLED, zone="utc")),
                "modified_at": CHANGED,
            },
            span=Span((instant(*_BILLED),)),
            renews=Renews({"invoice_id": id_of(SOURCE, *_INVOICE)}),
        ),
        who(instant(*_BILLED)),
    ),
    skips=(_LEFT_OUT[0],),
    export="Exports > Invoices: summary; one charge an invoice, so export the line items where products matter",
)

_PAID_ID: Final = ("transaction_id", "transaction_uuid", "uuid", "id")
_TOOK_PLACE: Final = ("transaction_date", "transaction_created_at", "date", "created_at")
#: The day that was typed in for a payment recorded by hand, which the others don't have.
_COLLECTED: Final = "collected_at"
_PAID_ON: Final = required(first_of(day(_COLLECTED, zone="utc"), day(*_TOOK_PLACE, zone="utc")))
_PAID_AT: Final = first_of(instant(_COLLECTED), instant(*_TOOK_PLACE))
_PAID_TYPE: Final = choice(
    *("transaction_type", "type", "action"),
    cases={
        **dict.fromkeys(("purchase", "capture", "payment"), "purchase"),
        "refund": "refund",
        **dict.fromkeys(("verify", "verification", "authorize", "authorization", "authorisation", "auth"), "verify"),
    },
)
_PAID_STATE: Final = ("transaction_status", "status", "state", "transaction_state")
_PAID_AMOUNT: Final = ("amount", "transaction_amount")
_GIVEN_BACK: Final = equals(_PAID_TYPE, "refund")
_TAKEN: Final = equals(_PAID_TYPE, "purchase")

TRANSACTIONS: Final = Layout(
    name="transactions",
    needs=(
        _PAID_ID,
        ACCOUNT,
        ("transaction_type", "type", "action"),
        _PAID_STATE,
        _PAID_AMOUNT,
        (*_TOOK_PLACE, _COLLECTED),
        (
            *("gateway", "gateway_code", "gateway_type", "transaction_gateway_type", "payment_gateway", "payment_gateway_name"),
            *("payment_method", "payment_method_object"),
        ),
    ),
    lacks=(*_NO_LINES, "customer_id"),
    mappings=(
        Mapping(
            "payment",
            {
                "payment_id": required(id_of(SOURCE, *_PAID_ID)),
                "source": constant(SOURCE),
                "source_id": identifier(*_PAID_ID),
                "source_account_id": identifier(*ACCOUNT),
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
                "failure_reason": when(
                    equals(text(*_PAID_STATE), "declined", "failed", "error"),
                    text("status_message", "customer_message", "gateway_message", "message", "decline_reason", "failure_type"),
                ),
                # what is given back is a transaction of its own
                "amount": when(_TAKEN, required(money(*_PAID_AMOUNT))),
                "refunded": when(
                    _GIVEN_BACK,
                    required(when(above_zero(money(*_PAID_AMOUNT)), money(*_PAID_AMOUNT), negative(money(*_PAID_AMOUNT)))),
                ),
                "currency": currency(*CURRENCY),
                "paid_on": when(_TAKEN, _PAID_ON),
                "refunded_on": when(_GIVEN_BACK, _PAID_ON),
                "modified_at": CHANGED,
            },
            span=Span((_PAID_AT,)),
        ),
        who(_PAID_AT),
    ),
    skips=(
        Skip(equals(text(*_PAID_STATE), "void", "voided"), "voided rows", retires=True),
        Skip(equals(_PAID_TYPE, "verify"), "verifications and authorizations"),
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
    lacks=("plan_code", "amount", "total", "transaction_id", *_NO_LINES),
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

RECURLY: Final = Connector(SOURCE, "Recurly", (LINES, TRANSACTIONS, INVOICES, ACCOUNTS))
