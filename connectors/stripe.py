"""Stripe, as its Dashboard exports it: payments, invoices, invoice line items, subscriptions.

Amounts in Dashboard exports are decimal major units, instants are UTC and business dates are days of the calendar's
zone. Payments are confirmed by real files of three vintages; the column names of subscriptions and invoices by code
that reads them; those of line items, customers, products and prices are not confirmed and are recognised leniently.

Reports of the balance and of payouts are refused: what they say of payments, refunds and fees is in the payments, under
other ids and in the currency that is paid out, and would count twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from connectors.base import Connector, Layout, Mapping, NotATable, Part, Renews, Report, Skip, Span, Tell, Trouble
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
    filled,
    first_of,
    flag,
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
    same,
    text,
    true,
    when,
)

SOURCE: Final = "stripe"
_EMAIL: Final = lower("Customer Email", "customer_email")
_CREATED: Final = ("Created date (UTC)", "Created (UTC)", "Created")
_OTHER_ID: Final = (
    "salesforce_account_id (metadata)",
    "account_id (metadata)",
    "crm_id (metadata)",
    "hubspot_company_id (metadata)",
    "hubspot_id (metadata)",
)


def _customer(*columns: str) -> Value:
    """The customer's id, else the e-mail that paid."""
    return first_of(identifier(*columns), _EMAIL)


def _who(customer: Value, name: Value, modified: Value) -> Mapping:
    """What identity is decided from."""
    return Mapping(
        "source_account",
        {
            "source": constant(SOURCE),
            "source_id": customer,
            "name": name,
            "email": _EMAIL,
            "domain": domain(_EMAIL),
            "other_id": text(*_OTHER_ID),
            "modified_at": modified,
        },
        where=filled(customer),
        one_each=("source", "source_id"),
        hint=True,
    )


_REFUNDED_ON: Final = "Refunded date (UTC)"
#: The default columns of the Dashboard's export have no date of refunds.
_UNDATED: Final = all_of(above_zero(money("Amount Refunded")), no(filled(_REFUNDED_ON)))
#: Stripe takes the amount back when a dispute begins, and keeps it when the dispute is lost; an inquiry takes nothing yet.
_DISPUTED: Final = all_of(
    equals("Status", "paid", "succeeded", "refunded", "partially refunded", "partial refund"),
    equals("Dispute Status", "lost", "needs_response", "needs response", "under_review", "under review"),
)

_PAYER: Final = _customer("Customer ID", "Customer")
_PAID_AT: Final = instant(*_CREATED)


def _status_of(cases: dict[str, str | None]) -> Value:
    """Paid, failed, pending or disputed; a payment whose dispute is open or lost is disputed, whatever it was before."""
    return when(_DISPUTED, constant("disputed"), choice("Status", cases=cases))


#: A payment changes when it is refunded or disputed; exports without these dates can't tell which of two is the newer.
_CHANGED: Final = first_of(instant(_REFUNDED_ON), instant("Dispute Date (UTC)"), _PAID_AT)

DEFAULT_PAYMENTS: Final = Layout(
    name="unified payments",
    needs=(("id",), _CREATED, ("Amount",), ("Amount Refunded",), ("Currency",), ("Status",)),
    mappings=(
        Mapping(
            "payment",
            {
                "payment_id": required(id_of(SOURCE, "id")),
                "source": constant(SOURCE),
                "source_id": identifier("id"),
                "source_account_id": _PAYER,
                "invoice_id": id_of(SOURCE, "Invoice ID"),
                # a payment that is refunded was taken all the same; the refund is in refunded
                "status": required(
                    _status_of(
                        {
                            "paid": "paid",
                            "succeeded": "paid",
                            "refunded": "paid",
                            "partially refunded": "paid",
                            "partial refund": "paid",
                            "failed": "failed",
                            "blocked": "failed",
                            "canceled": "failed",
                            "cancelled": "failed",
                            "expired": "failed",
                            "declined": "failed",
                            "incomplete": "pending",
                            "pending": "pending",
                            "processing": "pending",
                            "uncaptured": "pending",
                            "requires_capture": "pending",
                            "requires_action": "pending",
                            "requires_payment_method": "pending",
                            "requires_confirmation": "pending",
                            "disputed": "disputed",
                            "needs response": "disputed",
                            "under review": "disputed",
                            "dispute lost": "disputed",
                            "dispute won": "paid",
                            "early fraud warning": "paid",
                        },
                    )
                ),
                "description": text("Description"),
                "failure_reason": when(equals("Status", "failed", "blocked", "declined"), text("Seller Message", "Decline Reason")),
                "amount": required(money("Amount")),
                "refunded": money("Amount Refunded"),
                # Stripe takes its fee in the currency it pays out, which is the converted one
                "fee": when(any_of(same("Currency", "Converted Currency"), no(filled("Converted Currency"))), money("Fee")),
                "home_fee": when(filled("Converted Amount"), money("Fee")),
                "currency": currency("Currency"),
                # what failed was never converted: a zero beside an amount is no conversion
                "home_amount": when(above_zero(money("Converted Amount")), money("Converted Amount")),
                "home_refunded": money("Converted Amount Refunded"),
                "home_currency": when(filled("Converted Amount"), currency("Converted Currency", assume=False)),
                "paid_on": required(day(*_CREATED, zone="utc")),
                "refunded_on": first_of(day(_REFUNDED_ON, zone="utc"), when(_UNDATED, day(*_CREATED, zone="utc"))),
            },
            # a refund comes after its payment, at times after the last one
            span=Span((_PAID_AT,), (_PAID_AT, instant(_REFUNDED_ON))),
        ),
        _who(_PAYER, text("Customer Name", "Customer Description"), _PAID_AT),
    ),
    tells=(
        Tell(
            _UNDATED,
            f'refunds without a date count on the day of their payment: export all columns, which have "{_REFUNDED_ON}"',
            f'refund without a date counts on the day of its payment: export all columns, which have "{_REFUNDED_ON}"',
        ),
    ),
    export="Dashboard > Payments > Export, all columns; the default ones lack the days of refunds",
)
#: With all columns it also says when a payment was last changed.
PAYMENTS: Final = replace(
    DEFAULT_PAYMENTS,
    name="unified payments, all columns",
    needs=(*DEFAULT_PAYMENTS.needs, (_REFUNDED_ON,)),
    mappings=(
        replace(DEFAULT_PAYMENTS.mappings[0], columns={**DEFAULT_PAYMENTS.mappings[0].columns, "modified_at": _CHANGED}),
        *DEFAULT_PAYMENTS.mappings[1:],
    ),
    export="Dashboard > Payments > Export, all columns",
)

_LINE: Final = ("Invoice Line Item ID", "Line Item ID", "invoice_line_item_id")
_LINE_INVOICE: Final = ("Invoice ID", "invoice_id", "Invoice")
_LINE_CUSTOMER: Final = _customer("Customer ID", "customer_id", "Customer")
_INVOICED: Final = ("Date (UTC)", "Invoice Date (UTC)", "Invoice Created (UTC)", "invoice_created_at", "Created (UTC)")
_LINE_DISCOUNT: Final = money("Discount Amount", "Total Discount Amount", "discount_amount")
_LINE_TAX: Final = money("Tax Amount", "Tax", "tax_amount")
_DRAFTS: Final = (
    Skip(equals(text("Status", "Invoice Status", "invoice_status"), "draft"), "drafts"),
    Skip(equals(text("Status", "Invoice Status", "invoice_status"), "void", "voided", "deleted"), "voided rows"),
)


def _line(kind: Value, suffix: str, amount: Value) -> dict[str, Value]:
    """The columns of one line item's charge, discount or tax."""
    line = identifier(*_LINE)
    return {
        "line_id": required(prefixed(SOURCE, joined(line, constant(suffix), between=":") if suffix else line)),
        "invoice_id": required(id_of(SOURCE, *_LINE_INVOICE)),
        "source": constant(SOURCE),
        "source_id": line,
        "source_account_id": _LINE_CUSTOMER,
        "source_product_id": text("Price ID", "price_id", "Plan ID", "plan_id", "Product ID", "product_id", "Product"),
        "kind": kind,
        "description": text("Description", "Line Item Description", "invoice_line_item_memo"),
        "quantity": number("Quantity", "quantity"),
        "amount": amount,
        "currency": currency("Currency", "currency"),
        "invoiced_on": required(day(*_INVOICED, zone="utc")),
        "service_from": day("Period Start (UTC)", "Line Item Period Start (UTC)", "period_start", zone="utc"),
        "service_to": day("Period End (UTC)", "Line Item Period End (UTC)", "period_end", zone="utc"),
    }


_LINE_AMOUNT: Final = money("Amount", "Line Item Amount", "invoice_line_item_amount")

LINES: Final = Layout(
    name="invoice line items",
    needs=(_LINE, _LINE_INVOICE, _INVOICED, ("Amount", "Line Item Amount", "invoice_line_item_amount"), ("Currency", "currency")),
    mappings=(
        Mapping(
            "invoice_line",
            _line(
                when(above_zero(negative(_LINE_AMOUNT)), constant("credit"), constant("charge")),
                "",
                required(_LINE_AMOUNT),
            ),
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
        _who(_LINE_CUSTOMER, text("Customer Name", "customer_name", "Customer Description"), instant(*_INVOICED)),
    ),
    skips=_DRAFTS,
    export="Dashboard > Billing > Invoices > Export > Line items",
)

_INVOICE_CUSTOMER: Final = _customer("Customer", "Customer ID")

INVOICES: Final = Layout(
    name="invoices",
    needs=(("id", "Invoice ID"), ("Number", "Invoice Number"), ("Customer", "Customer ID"), _INVOICED, ("Total",), ("Currency",)),
    lacks=_LINE,
    mappings=(
        Mapping(
            "invoice_line",
            {
                "line_id": required(id_of(SOURCE, "id", "Invoice ID")),
                "invoice_id": id_of(SOURCE, "id", "Invoice ID"),
                "source": constant(SOURCE),
                "source_id": identifier("id", "Invoice ID"),
                "source_account_id": _INVOICE_CUSTOMER,
                "source_product_id": text("Plan", "Product"),
                "kind": constant("charge"),
                "description": text("Description", "Number"),
                "amount": required(difference(money("Total"), money("Tax"))),
                "currency": currency("Currency"),
                "invoiced_on": required(day(*_INVOICED, zone="utc")),
                "service_from": day("Minimum Line Item Period Start (UTC)", zone="utc"),
                "service_to": day("Maximum Line Item Period End (UTC)", zone="utc"),
            },
            span=Span((instant(*_INVOICED),)),
            renews=Renews({"invoice_id": id_of(SOURCE, "id", "Invoice ID")}),
        ),
        _who(_INVOICE_CUSTOMER, text("Customer Name", "Customer Description"), instant(*_INVOICED)),
    ),
    skips=_DRAFTS,
    export="Dashboard > Billing > Invoices > Export; one charge an invoice, so export the line items where products matter",
)

_STARTED: Final = first_of(day("Start Date (UTC)", zone="utc"), day("Start (UTC)", zone="utc"), day("Created (UTC)", zone="utc"))
_CANCELS_LATER: Final = all_of(
    true(flag("Cancel At Period End")),
    filled("Current Period End (UTC)"),
)
_PRICE: Final = monthly(
    money("Amount", "Plan Amount"),
    number("Quantity"),
    required(
        choice(
            "Interval",
            "Plan Interval",
            cases={
                "month": "1/1",
                "monthly": "1/1",
                "1 month": "1/1",
                "every month": "1/1",
                "2 months": "1/2",
                "quarter": "1/3",
                "quarterly": "1/3",
                "3 months": "1/3",
                "3 month": "1/3",
                "every 3 months": "1/3",
                "4 months": "1/4",
                "6 months": "1/6",
                "6 month": "1/6",
                "every 6 months": "1/6",
                "year": "1/12",
                "yearly": "1/12",
                "annual": "1/12",
                "1 year": "1/12",
                "every year": "1/12",
                "12 months": "1/12",
                "2 years": "1/24",
                "3 years": "1/36",
                "week": "52/12",
                "weekly": "52/12",
                "1 week": "52/12",
                "2 weeks": "26/12",
                "4 weeks": "13/12",
                # a year of 365 days in twelve months
                "day": "365/12",
                "daily": "365/12",
            },
        )
    ),
)
_SUBSCRIBER: Final = _customer("Customer ID", "Customer")

SUBSCRIPTIONS: Final = Layout(
    name="subscriptions",
    needs=(
        ("id",),
        ("Customer ID", "Customer"),
        ("Plan", "Price ID"),
        ("Interval", "Plan Interval"),
        ("Amount", "Plan Amount"),
        ("Status",),
        ("Created (UTC)",),
    ),
    mappings=(
        Mapping(
            "subscription_term",
            {
                "term_id": required(id_of(SOURCE, "id")),
                "subscription_id": id_of(SOURCE, "id"),
                "source": constant(SOURCE),
                "source_id": identifier("id"),
                "source_account_id": _SUBSCRIBER,
                "source_product_id": text("Price ID", "Plan", "Product"),
                "plan": text("Plan", "Plan Name", "Product"),
                "status": required(
                    choice(
                        "Status",
                        cases={
                            "trialing": "trial",
                            "trial": "trial",
                            "active": "active",
                            "past_due": "past_due",
                            "past due": "past_due",
                            "unpaid": "unpaid",
                            "paused": "paused",
                            "canceled": "canceled",
                            "cancelled": "canceled",
                            "ended": "canceled",
                        },
                    )
                ),
                "monthly_amount": required(_PRICE),
                "list_monthly_amount": _PRICE,
                "currency": currency("Currency"),
                "quantity": number("Quantity"),
                "started_on": required(_STARTED),
                "ended_on": first_of(
                    day("Ended At (UTC)", zone="utc"),
                    when(equals("Status", "canceled", "cancelled", "ended"), day("Canceled At (UTC)", zone="utc")),
                    when(_CANCELS_LATER, day("Current Period End (UTC)", zone="utc")),
                ),
                "canceled_on": day("Canceled At (UTC)", zone="utc"),
                "trial_ends_on": day("Trial End (UTC)", zone="utc"),
                "cancel_reason": text("Cancellation Reason", "Cancellation Feedback"),
                "cancel_comment": text("Cancellation Comment"),
            },
            span=Span(
                (instant("Created (UTC)"), instant("Start Date (UTC)", "Start (UTC)")),
                (
                    instant("Created (UTC)"),
                    instant("Current Period Start (UTC)"),
                    instant("Canceled At (UTC)"),
                    instant("Ended At (UTC)"),
                    when(no(equals("Status", "trialing", "trial")), instant("Trial Start (UTC)")),
                ),
            ),
        ),
        _who(_SUBSCRIBER, text("Customer Name", "Customer Description"), instant("Created (UTC)")),
    ),
    skips=(Skip(equals("Status", "incomplete", "incomplete_expired"), "subscriptions that were never paid for"),),
    export="Dashboard > Billing > Subscriptions > Export, all columns",
)

CUSTOMERS: Final = Layout(
    name="customers",
    needs=(
        ("id", "Customer ID"),
        ("Email", "Customer Email"),
        ("Name", "Customer Name", "Description"),
        ("Created (UTC)", "Created date (UTC)"),
    ),
    lacks=("Amount", "Status", "Plan", "Number"),
    mappings=(
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": required(identifier("id", "Customer ID")),
                "name": text("Name", "Customer Name", "Business Name", "Description"),
                "email": lower("Email", "Customer Email"),
                "domain": domain(lower("Email", "Customer Email")),
                "other_id": text(*_OTHER_ID),
            },
        ),
    ),
    export="Dashboard > Customers > Export, all columns, with the metadata that holds the CRM's id",
)


def _called(layout: str, export: str, id_: tuple[str, ...], name: tuple[str, ...], *needs: tuple[str, ...]) -> Layout:
    """A list of what ids of products or prices are called."""
    return Layout(
        name=layout,
        needs=(id_, name, *needs),
        lacks=("Status", "Customer ID", "Customer", "Email"),
        mappings=(
            Mapping(
                "source_product",
                {"source": constant(SOURCE), "source_id": required(identifier(*id_)), "name": text(*name), "code": text("Product ID")},
                one_each=("source", "source_id"),
            ),
        ),
        export=export,
    )


PRICES: Final = _called("prices", "Dashboard > Product catalog > Export prices", ("Price ID",), ("Product Name",))
PRODUCTS: Final = _called(
    "products",
    "Dashboard > Product catalog > Export products",
    ("Product ID", "id"),
    ("Product Name", "Name"),
    ("Product Tax Code", "Tax Code", "Product Statement Descriptor", "Statement Descriptor", "Unit Label"),
)


def _refuse(report: Report) -> Iterator[Part | Trouble]:
    raise NotATable(
        "it is a report of Stripe's balance or payouts, whose payments, refunds and fees are in the export of payments and would count "
        "twice; import Dashboard > Payments > Export, all columns, instead. Stripe's own invoices for fees are costs of the ledger"
    )
    yield  # pragma: no cover - makes it a generator, as every reshape is


BALANCE: Final = Layout(
    name="balance and payout reports",
    needs=(("balance_transaction_id",), ("reporting_category",), ("gross",), ("fee",), ("net",)),
    reshape=_refuse,
    mappings=(Mapping("payment", {"payment_id": text("balance_transaction_id")}),),
    export="not read: Dashboard > Reports > Balance or Payout reconciliation; import the payments instead",
)

STRIPE: Final = Connector(
    SOURCE, "Stripe", (BALANCE, SUBSCRIPTIONS, LINES, INVOICES, PAYMENTS, DEFAULT_PAYMENTS, CUSTOMERS, PRICES, PRODUCTS)
)
