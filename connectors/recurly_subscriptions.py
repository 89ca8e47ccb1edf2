"""Recurly: subscriptions, as its export writes them, and with the columns of its API.

The export (docs.recurly.com: Subscriptions - export) says how much a period costs, ``total_recurring_amount``, and from when to when
the current one lasts, but not what a period is: that is read off those two days, by the majority of a plan's rows, since a period
can be cut short and a plan's length is always the same. A period of trial tells nothing of it. A subscription that is canceled is in
service until it expires; one that has expired is over.
"""

from __future__ import annotations

import calendar
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Final

from connectors.base import Layout, Mapping, Part, Report, Skip, Span, Tell, Trouble, spelled
from connectors.fields import (
    Value,
    all_of,
    choice,
    constant,
    currency,
    day,
    difference,
    equals,
    every,
    filled,
    first_of,
    flag,
    id_of,
    identifier,
    instant,
    money,
    monthly,
    negative,
    no,
    number,
    required,
    text,
    times,
    true,
    when,
)
from connectors.recurly import ACCOUNT, CHANGED, CURRENCY, SOURCE, who

_SUB_ID: Final = ("subscription_id", "subscription_uuid", "uuid", "id")
_STATE: Final = ("state", "status", "subscription_state", "subscription_status")
_ADD_ONS: Final = ("add_ons_total", "addons_total", "total_addon_amount", "add_on_amount")
_UNIT: Final = ("unit_amount", "plan_unit_amount", "subscription_unit_amount", "unit_price")
_INTERVAL: Final = ("plan_interval_unit", "interval_unit", "plan_interval", "interval", "billing_period")
_LENGTH: Final = ("plan_interval_length", "interval_length", "plan_interval_count")
_SUBTOTAL: Final = ("total_recurring_amount", "subtotal", "subscription_subtotal", "recurring_subtotal")
#: Before discounts and taxes: quantity times unit amount, and the add-ons.
_AT_LIST: Final = first_of(
    money(*_SUBTOTAL),
    difference(times(money(*_UNIT), number("quantity", "subscription_quantity")), negative(money(*_ADD_ONS))),
)
_BEGINS: Final = ("current_period_started_at", "current_period_start_at", "current_period_start", "current_period_start_date")
_BEGUN: Final = ("activated_at", "subscription_activated_at", "started_at", "starts_at", "created_at")
_LATER: Final = ("future", "pending")
_CANCELED_AT: Final = ("canceled_at", "cancelled_at", "subscription_canceled_at")
_EXPIRES: Final = ("expires_at", "expired_at", "subscription_expires_at")
_TERM_ENDS: Final = ("current_term_ends_at", "current_period_ends_at", "current_period_end", "current_period_end_date")
_STATUS: Final = text(*_STATE)
#: A subscription that begins later has no day of activation yet.
_BEGAN: Final = first_of(day(*_BEGUN, zone="utc"), when(equals(_STATUS, *_LATER), day(*_BEGINS, zone="utc")))

_NOT_BEGUN: Final = (Skip(all_of(equals(_STATUS, *_LATER), no(filled(_BEGAN))), "subscriptions whose beginning isn't known yet"),)
_WITH_TAX: Final = (
    Tell(
        true(flag("tax_inclusive")),
        "subscriptions are priced with their tax, which the export doesn't state: it is in their monthly amounts",
        "subscription is priced with its tax, which the export doesn't state: it is in its monthly amount",
    ),
)


def _terms(price: Value) -> tuple[Mapping, ...]:
    """``price``: per month, at list."""
    return (
        Mapping(
            "subscription_term",
            {
                "term_id": required(id_of(SOURCE, *_SUB_ID)),
                "subscription_id": id_of(SOURCE, *_SUB_ID),
                "source": constant(SOURCE),
                "source_id": identifier(*_SUB_ID),
                "source_account_id": identifier(*ACCOUNT),
                "source_product_id": text("plan_code", "plan_id"),
                "plan": text("plan_name", "plan_code", "plan_id"),
                "status": required(
                    choice(
                        *_STATE,
                        cases={
                            **dict.fromkeys(("active", *_LATER, "live", "open", "non-renewing", "non_renewing"), "active"),
                            # it won't renew, and is in service until it expires
                            **dict.fromkeys(("canceled", "cancelled"), "active"),
                            **dict.fromkeys(("in_trial", "in trial", "trial"), "trial"),
                            **dict.fromkeys(("past_due", "past due"), "past_due"),
                            "paused": "paused",
                            **dict.fromkeys(("expired", "failed"), "canceled"),
                        },
                    )
                ),
                "monthly_amount": required(price),
                "list_monthly_amount": price,
                "currency": currency(*CURRENCY),
                "quantity": number("quantity", "subscription_quantity"),
                "started_on": required(_BEGAN),
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
                    when(no(equals(_STATUS, *_LATER)), instant(*_BEGUN)),
                    instant("created_at"),
                    CHANGED,
                    instant(*_CANCELED_AT),
                    when(no(equals(_STATUS, *_LATER)), instant(*_BEGINS)),
                ),
            ),
        ),
        who(instant("created_at", *_BEGUN)),
    )


SUBSCRIPTIONS: Final = Layout(
    name="subscriptions",
    needs=(_SUB_ID, ACCOUNT, ("plan_code", "plan_id"), _STATE, (*_UNIT, *_SUBTOTAL), _INTERVAL, _BEGUN),
    lacks=("invoice_number", "line_item_id", "customer_id"),
    mappings=_terms(monthly(_AT_LIST, None, every(_INTERVAL, _LENGTH))),
    skips=_NOT_BEGUN,
    tells=_WITH_TAX,
    export="the table of subscriptions, with the names of Recurly's API and the interval of each plan",
)

#: The column that :func:`with_periods` adds.
_PERIOD: Final = "Billing period"


def with_periods(report: Report) -> Iterator[Part | Trouble]:
    """The rows, each with what a period of its plan is, such as ``12 months``."""
    names = [name.casefold() for name in spelled(report.header)]
    rows = []
    for record in report.records:
        cells = [cell.strip() for cell in record.cells]
        if not any(cells):
            continue
        if any(cells[len(names) :]) or len(cells) < len(names):
            reason = f"it has {len(cells)} cells where the header has {len(names)}"
            yield Trouble(record.line, "", ",".join(cells), reason)
            continue
        rows.append((record.line, dict(zip(names, cells, strict=False))))
    plans: dict[str, Counter[str]] = {}
    for _, values in rows:
        if period := _period(values):
            plans.setdefault(values["plan_code"], Counter())[period] += 1
    for line, values in rows:
        report.counted += 1
        known = plans.get(values["plan_code"])
        # of two that are as frequent the one of months, since a period that was cut short is one of days
        period = max(known, key=lambda each: (known[each], each.endswith("months"), each)) if known else ""
        if not period:
            reason = "the period is one of trial or isn't stated, and no other row of the plan says how long a period is"
            yield Trouble(line, "current_period_ends_at", values["current_period_ends_at"], reason)
            continue
        yield Part(line, "", {**values, _PERIOD: period})


def _period(values: dict[str, str]) -> str:
    """How long the current period is; empty for a trial's."""
    first, end = _day(values["current_period_started_at"]), _day(values["current_period_ends_at"])
    trial = _day(values.get("trial_ends_at", ""))
    if first is None or end is None or end <= first or (trial is not None and trial >= end):
        return ""
    months = 12 * (end.year - first.year) + end.month - first.month
    is_whole = first.day == end.day or (_is_last(end) and first.day > end.day) or (_is_last(first) and end.day > first.day)
    return f"{months} months" if months and is_whole else f"{(end - first).days} days"


def _is_last(day_: date) -> bool:
    return day_.day == calendar.monthrange(day_.year, day_.month)[1]


def _day(written: str) -> date | None:
    match = re.match(r"(\d{4})-(\d\d)-(\d\d)", written)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


EXPORT: Final = Layout(
    name="subscriptions export",
    needs=(
        ("uuid", "subscription_id"),
        ("account_code",),
        ("plan_code",),
        ("state",),
        ("total_recurring_amount", "unit_amount"),
        ("current_period_started_at",),
        ("current_period_ends_at",),
        ("activated_at",),
    ),
    lacks=(*_INTERVAL, "invoice_number", "line_item_id", "customer_id"),
    reshape=with_periods,
    mappings=_terms(monthly(_AT_LIST, None, every((_PERIOD,)))),
    skips=_NOT_BEGUN,
    tells=_WITH_TAX,
    export="Exports > Subscriptions, all columns",
)
