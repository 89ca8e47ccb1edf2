"""Chargebee: subscriptions, invoices and their lines, credit notes, transactions and customers, as its exports write them.

An export is a zip of CSVs. No native file confirms their headers: the fields are those of Chargebee's API and data catalogue,
in the spellings ``plan_id``, ``subscriptions.plan_id``, ``subscription[plan_id]`` and ``Plan Id``. The API's amounts are in
minor units (cents); where a file's amounts have decimals they are taken as they stand, decided for the whole file and said.
Instants are UTC.
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
    minor,
    monthly,
    negative,
    no,
    number,
    prefixed,
    required,
    text,
    when,
)

SOURCE: Final = "chargebee"


def _names(entity: str, *fields: str) -> tuple[str, ...]:
    """The spellings of an entity's fields, the plainest last: a joined export has two columns called id."""
    made: list[str] = []
    for field in fields:
        words = field.replace("_", " ")
        made += [
            f"{entity}s.{field}",
            f"{entity}.{field}",
            f"{entity}[{field}]",
            f"{entity}_{field}",
            f"{entity} {words}".replace("_", " "),
        ]
        made += [field, words]
    return tuple(dict.fromkeys(made))


def _money(entity: str, *fields: str) -> Value:
    return minor(*_names(entity, *fields), currency=_currency(entity))


def _currency(entity: str) -> Value:
    return currency(*_names(entity, "currency_code", "currency"))


def _day(entity: str, *fields: str) -> Value:
    return day(*_names(entity, *fields), zone="utc")


def _instant(entity: str, *fields: str) -> Value:
    return instant(*_names(entity, *fields))


def _customer(entity: str) -> Value:
    return identifier(*_names(entity, "customer_id"), "customers.id", "customer.id", "customer[id]")


def _who(customer: Value, modified: Value) -> Mapping:
    """A customer as a row of another export mentions it."""
    email = lower("customers.email", "customer.email", "customer[email]", "Customer Email", "customer_email")
    return Mapping(
        "source_account",
        {
            "source": constant(SOURCE),
            "source_id": customer,
            "name": text("customers.company", "customer.company", "customer[company]", "Customer Company", "customer_company"),
            "email": email,
            "domain": domain(email),
            "modified_at": modified,
        },
        where=filled(customer),
        one_each=("source", "source_id"),
        hint=True,
    )


_SUB: Final = "subscription"
_SUB_ID: Final = _names(_SUB, "id")
_SUB_STATUS: Final = text(*_names(_SUB, "status"))
_CANCELLED: Final = equals(_SUB_STATUS, "cancelled", "canceled")
_ENDS: Final = equals(_SUB_STATUS, "non_renewing", "non renewing", "non-renewing")
_PLAN: Final = _names(_SUB, "plan_id", "item_price_id", "plan", "current_plan")
_PERIOD_UNIT: Final = _names(_SUB, "billing_period_unit", "period_unit")
_PERIOD: Final = _names(_SUB, "billing_period", "period")
_PLAN_PRICE: Final = first_of(
    _money(_SUB, "plan_amount"),
    monthly(_money(_SUB, "plan_unit_price"), number(*_names(_SUB, "plan_quantity")), constant("1/1")),
)
_AT_LIST: Final = monthly(_PLAN_PRICE, None, every(_PERIOD_UNIT, _PERIOD))
#: What Chargebee itself works out, with add-ons and discounts, else the plan's price.
_MRR: Final = first_of(_money(_SUB, "mrr", "monthly_recurring_revenue"), _AT_LIST)
_BEGUN: Final = first_of(_day(_SUB, "started_at"), _day(_SUB, "start_date"), _day(_SUB, "created_at"))
_IS_DUE: Final = all_of(filled(*_names(_SUB, "due_since")), equals(_SUB_STATUS, "active", "non_renewing", "non renewing"))

SUBSCRIPTIONS: Final = Layout(
    name="subscriptions",
    needs=(
        _SUB_ID,
        _names(_SUB, "customer_id"),
        _names(_SUB, "status"),
        _PLAN,
        (*_names(_SUB, "mrr", "monthly_recurring_revenue"), *_PERIOD_UNIT),
        _names(_SUB, "started_at", "start_date", "created_at"),
        _names(_SUB, "current_term_end", "next_billing_at", "cancelled_at", "trial_end"),
    ),
    lacks=("account_code", "Interval", "Plan Interval", "billing_cycle_interval"),
    mappings=(
        Mapping(
            "subscription_term",
            {
                "term_id": required(id_of(SOURCE, *_SUB_ID)),
                "subscription_id": id_of(SOURCE, *_SUB_ID),
                "source": constant(SOURCE),
                "source_id": identifier(*_SUB_ID),
                "source_account_id": _customer(_SUB),
                "source_product_id": text(*_PLAN),
                "plan": text(*_PLAN),
                "status": when(
                    _IS_DUE,
                    constant("past_due"),
                    required(
                        choice(
                            _SUB_STATUS,
                            cases={
                                **dict.fromkeys(("in_trial", "in trial"), "trial"),
                                **dict.fromkeys(("active", "future", "non_renewing", "non renewing", "non-renewing"), "active"),
                                "paused": "paused",
                                **dict.fromkeys(("cancelled", "canceled", "transferred"), "canceled"),
                            },
                        )
                    ),
                ),
                "monthly_amount": required(_MRR),
                "list_monthly_amount": _AT_LIST,
                "currency": _currency(_SUB),
                "quantity": number(*_names(_SUB, "plan_quantity", "quantity")),
                "started_on": required(_BEGUN),
                # one that won't renew is in service until the end of its term
                "ended_on": when(
                    any_of(_CANCELLED, _ENDS), first_of(_day(_SUB, "cancelled_at", "canceled_on"), _day(_SUB, "current_term_end"))
                ),
                "canceled_on": when(
                    any_of(_CANCELLED, _ENDS),
                    first_of(_day(_SUB, "cancel_schedule_created_at"), when(_CANCELLED, _day(_SUB, "cancelled_at", "canceled_on"))),
                ),
                "past_due_on": _day(_SUB, "due_since"),
                "trial_ends_on": _day(_SUB, "trial_end"),
                "cancel_reason": text(*_names(_SUB, "cancel_reason_code", "reason_code", "cancel_reason")),
                "cancel_comment": text(*_names(_SUB, "cancellation_comment", "cancel_comment")),
            },
            span=Span(
                (_instant(_SUB, "created_at"), when(no(equals(_SUB_STATUS, "future")), _instant(_SUB, "started_at"))),
                (
                    _instant(_SUB, "created_at"),
                    _instant(_SUB, "updated_at"),
                    _instant(_SUB, "current_term_start"),
                    when(_CANCELLED, _instant(_SUB, "cancelled_at", "canceled_on")),
                ),
            ),
        ),
        _who(_customer(_SUB), _instant(_SUB, "created_at")),
    ),
    export="Subscriptions > Export > all columns, as CSV (a zip)",
)

_LINE: Final = "line_item"
_LINE_ID: Final = tuple(name for name in _names(_LINE, "id") if name != "id")
_LINE_INVOICE: Final = ("invoices.id", "invoice.id", "invoice[id]", "invoice_id", "Invoice Id", "Invoice Number", "invoice_number")
_INVOICED: Final = ("invoices.date", "invoice.date", "invoice[date]", "invoice_date", "Invoice Date", "date")
_INVOICE_STATUS: Final = text("invoices.status", "invoice.status", "invoice[status]", "invoice_status", "Invoice Status", "status")
_INVOICE_CUSTOMER: Final = identifier("invoices.customer_id", "invoice.customer_id", "invoice[customer_id]", "customer_id", "Customer Id")
_CURRENCIES: Final = ("invoices.currency_code", "invoice.currency_code", "invoice[currency_code]", "currency_code", "Currency", "currency")


def _line_money(*fields: str) -> Value:
    return minor(*_names(_LINE, *fields), currency=currency(*_CURRENCIES))


_LINE_TAX: Final = _line_money("tax_amount", "tax")
_LINE_DISCOUNT: Final = _line_money("discount_amount", "item_level_discount_amount")
_INCLUDES_TAX: Final = equals(
    text("invoices.price_type", "invoice.price_type", "price_type", "Price Type"), "tax_inclusive", "tax inclusive"
)
_LINE_NET: Final = when(_INCLUDES_TAX, difference(_line_money("amount"), _LINE_TAX), _line_money("amount"))
_LEFT_OUT: Final = (
    Skip(equals(_INVOICE_STATUS, "pending"), "pending invoices"),
    Skip(equals(_INVOICE_STATUS, "voided"), "voided rows"),
)


def _line(kind: Value, suffix: str, amount: Value) -> dict[str, Value]:
    line = identifier(*_LINE_ID)
    return {
        "line_id": required(prefixed(SOURCE, joined(line, constant(suffix), between=":") if suffix else line)),
        "invoice_id": required(id_of(SOURCE, *_LINE_INVOICE)),
        "source": constant(SOURCE),
        "source_id": line,
        "source_account_id": _INVOICE_CUSTOMER,
        "source_product_id": text(*_names(_LINE, "entity_id", "item_price_id", "plan_id")),
        "kind": kind,
        "description": text(*_names(_LINE, "description")),
        "quantity": number(*_names(_LINE, "quantity")),
        "amount": amount,
        "currency": currency(*_CURRENCIES),
        "invoiced_on": required(day(*_INVOICED, zone="utc")),
        "modified_at": instant("invoices.updated_at", "invoice.updated_at", "invoice[updated_at]", "invoice_updated_at", "updated_at"),
        "service_from": _day(_LINE, "date_from"),
        "service_to": _day(_LINE, "date_to"),
    }


LINES: Final = Layout(
    name="invoice line items",
    needs=(_LINE_ID, _LINE_INVOICE, _INVOICED, _names(_LINE, "amount"), _names(_LINE, "date_from")),
    lacks=("account_code",),
    mappings=(
        Mapping(
            "invoice_line",
            _line(when(above_zero(negative(_LINE_NET)), constant("credit"), constant("charge")), "", required(_LINE_NET)),
            span=Span((instant(*_INVOICED),)),
            renews=Renews({"invoice_id": id_of(SOURCE, *_LINE_INVOICE)}),
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
        _who(_INVOICE_CUSTOMER, instant(*_INVOICED)),
    ),
    skips=_LEFT_OUT,
    export="Invoices > Export > with line items, as CSV (a zip)",
)


def _whole(entity: str, key: tuple[str, ...], kind: Value, sign: bool, skips: tuple[Skip, ...], name: str, export: str) -> Layout:
    """Invoices, or credit notes, without their lines: one row each, the total less its tax."""
    net = difference(_money(entity, "total"), _money(entity, "tax"))
    amount = negative(net) if sign else net
    customer = _customer(entity)
    date = _names(entity, "date", f"{entity}_date")
    return Layout(
        name=name,
        needs=(key, customer_names(entity), date, _names(entity, "total"), _names(entity, "status"), _MARKS[entity]),
        lacks=(*_LINE_ID, "account_code", "Number"),
        mappings=(
            Mapping(
                "invoice_line",
                {
                    "line_id": required(id_of(SOURCE, *key)),
                    "invoice_id": id_of(SOURCE, *key),
                    "source": constant(SOURCE),
                    "source_id": identifier(*key),
                    "source_account_id": customer,
                    "kind": kind,
                    "amount": required(amount),
                    "currency": _currency(entity),
                    "invoiced_on": required(day(*date, zone="utc")),
                    "modified_at": _instant(entity, "updated_at"),
                },
                span=Span((instant(*date),)),
                renews=Renews({"invoice_id": id_of(SOURCE, *key)}),
            ),
            _who(customer, instant(*date)),
        ),
        skips=skips,
        export=export,
    )


def customer_names(entity: str) -> tuple[str, ...]:
    """How an entity's export calls the customer's id."""
    return (*_names(entity, "customer_id"), "customers.id", "customer.id", "customer[id]")


#: What tells the two apart.
_MARKS: Final = {
    "invoice": _names("invoice", "amount_due", "amount_paid", "amount_to_collect"),
    "credit_note": _names("credit_note", "reference_invoice_id", "amount_available", "amount_allocated"),
}
_NOTE_TYPE: Final = text(*_names("credit_note", "type"))

INVOICES: Final = _whole(
    "invoice",
    (*_names("invoice", "id"), "Invoice Number"),
    constant("charge"),
    False,
    _LEFT_OUT,
    "invoices",
    "Invoices > Export, as CSV (a zip); one charge an invoice, so export the line items where products matter",
)
CREDIT_NOTES: Final = _whole(
    "credit_note",
    (*_names("credit_note", "id"), "Credit Note Number"),
    when(equals(_NOTE_TYPE, "refundable"), constant("refund"), constant("credit")),
    True,
    (Skip(equals(text(*_names("credit_note", "status")), "voided"), "voided rows"),),
    "credit notes",
    "Credit Notes > Export, as CSV (a zip)",
)

_PAID: Final = "transaction"
_PAID_ID: Final = _names(_PAID, "id")
_PAID_TYPE: Final = choice(
    *_names(_PAID, "type"),
    cases={
        "payment": "payment",
        **dict.fromkeys(("refund", "payment_reversal", "payment reversal"), "refund"),
        **dict.fromkeys(("authorization", "authorisation"), "authorization"),
    },
)
_PAID_DATE: Final = _names(_PAID, "date")
_IS_PAYMENT: Final = equals(_PAID_TYPE, "payment")
_GIVEN_BACK: Final = equals(_PAID_TYPE, "refund")

TRANSACTIONS: Final = Layout(
    name="transactions",
    needs=(
        _PAID_ID,
        _names(_PAID, "type"),
        _PAID_DATE,
        _names(_PAID, "amount"),
        _names(_PAID, "status"),
        _names(_PAID, "gateway", "payment_method"),
    ),
    lacks=("account_code",),
    mappings=(
        Mapping(
            "payment",
            {
                "payment_id": required(id_of(SOURCE, *_PAID_ID)),
                "source": constant(SOURCE),
                "source_id": identifier(*_PAID_ID),
                "source_account_id": _customer(_PAID),
                "invoice_id": id_of(SOURCE, *_names(_PAID, "linked_invoice_id", "invoice_id")),
                "status": required(
                    choice(
                        *_names(_PAID, "status"),
                        cases={
                            "success": "paid",
                            **dict.fromkeys(("failure", "timeout"), "failed"),
                            **dict.fromkeys(("in_progress", "in progress", "needs_attention", "needs attention"), "pending"),
                            **dict.fromkeys(("late_failure", "late failure"), "failed"),
                        },
                    )
                ),
                "failure_reason": text(*_names(_PAID, "error_text", "error_code")),
                # what is given back is a transaction of its own
                "amount": when(_IS_PAYMENT, required(_money(_PAID, "amount"))),
                "refunded": when(_GIVEN_BACK, required(_money(_PAID, "amount"))),
                "currency": _currency(_PAID),
                "paid_on": when(_IS_PAYMENT, required(day(*_PAID_DATE, zone="utc"))),
                "refunded_on": when(_GIVEN_BACK, required(day(*_PAID_DATE, zone="utc"))),
                "modified_at": _instant(_PAID, "updated_at"),
            },
            span=Span((instant(*_PAID_DATE),)),
        ),
        _who(_customer(_PAID), instant(*_PAID_DATE)),
    ),
    skips=(
        Skip(equals(text(*_names(_PAID, "status")), "voided"), "voided rows", retires=True),
        Skip(equals(_PAID_TYPE, "authorization"), "authorizations"),
        Skip(all_of(_GIVEN_BACK, no(equals(text(*_names(_PAID, "status")), "success"))), "refunds that didn't happen"),
    ),
    export="Transactions > Export, as CSV (a zip)",
)

_WHO: Final = "customer"
_MAIL: Final = lower(*_names(_WHO, "email"))

CUSTOMERS: Final = Layout(
    name="customers",
    needs=(
        _names(_WHO, "id"),
        _names(_WHO, "email"),
        _names(_WHO, "company"),
        _names(_WHO, "auto_collection", "net_term_days"),
    ),
    lacks=("amount", "total", "plan_id", "account_code", "Record ID", *_LINE_ID),
    mappings=(
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": required(identifier(*_names(_WHO, "id"))),
                "name": first_of(
                    text(*_names(_WHO, "company")), joined(text(*_names(_WHO, "first_name")), text(*_names(_WHO, "last_name")))
                ),
                "email": _MAIL,
                "domain": domain(_MAIL),
                "other_id": text(*_names(_WHO, "cf_salesforce_account_id", "cf_crm_id", "cf_hubspot_company_id")),
            },
        ),
    ),
    export="Customers > Export, as CSV (a zip)",
)

CHARGEBEE: Final = Connector(SOURCE, "Chargebee", (SUBSCRIPTIONS, LINES, CREDIT_NOTES, INVOICES, TRANSACTIONS, CUSTOMERS))
