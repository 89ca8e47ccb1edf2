"""What the columns of an unknown file may be: guesses by name and content, each of which a person has to confirm."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from kpi.sources.columns import called
from kpi.sources.profiling import Profile
from kpi.sources.tables import TARGETS, Target

#: Words in a file's name or header that speak for a table; the first matches of those of the file's name count most.
_SPEAKS: Final[Mapping[str, str]] = {
    "account": r"accounts?|customers?|clients?|compan(y|ies)|organi[sz]ations?|industry|employees|domain|website|sign_?up",
    "deal": r"deals?|opportunit(y|ies)|pipeline|stage|closed?_(date|on)|probability|lead_source",
    "subscription_term": r"subscriptions?|mrr|arr|recurring|plan|billing_(frequency|interval|period)|seats|trial|renew\w*|churn",
    "invoice_line": r"invoices?|sales?|orders?|lines?|quantity|qty|sku|product|discount|revenue",
    "payment": r"payments?|charges?|receipts?|paid|refunded|fee|transactions?",
    "cost_line": r"costs?|expenses?|ledger|debit|credit|vendor|supplier|gl_?account|booked|bookings?|journal",
    "issue": r"issues?|sprint|story_points|assignee|epic|resolution|components?|reporter",
    "worklog": r"worklogs?|time_?sheets?|hours|time_spent|person",
    "remark": r"feedback|comments?|tickets?|reviews?|notes?|calls?|transcript|survey|nps|reasons?|subject|message|messages",
}
#: Column of a table -> names that it goes by in files, the likeliest first, and the kinds of content that it may have.
_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "account_id": (r"(account|customer|client|company|org\w*)_?(id|nr|no|number|key)|id|nr", ""),
    "deal_id": (r"(deal|opportunity)_?(id|nr|no|number)|record_id|id", ""),
    "deal_line_id": (r"(deal_)?line_?(item_)?id|id", ""),
    "term_id": (r"term_id|subscription_?(id|nr|no)|id", ""),
    "subscription_id": (r"subscription_?(id|nr|no)", ""),
    "line_id": (r"(invoice_)?line_?(item_)?id|row_id|item_id|id", ""),
    "invoice_id": (r"invoice_?(id|nr|no|number)?|order_?(id|nr|no|number)|document_?(id|nr|no|number)", ""),
    "payment_id": (r"(payment|charge|transaction|receipt)_?(id|nr|no|number)?|id", ""),
    "cost_id": (r"(cost|entry|booking|journal|transaction|line)_?(id|nr|no|number)|id", ""),
    "issue_id": (r"(issue|ticket|task)_?(id|key|nr|no)|id|key", ""),
    "worklog_id": (r"(worklog|entry)_?(id|nr|no)|id", ""),
    "remark_id": (r"\w*(ticket|event|feedback|comment|note|call|message|survey)_?(id|nr|no|number)|id", ""),
    "source_id": (r"(customer|client)_?(id|nr|no)|id", ""),
    "customer": (r"(account|customer|client|company|org\w*)_?(id|nr|no|number)|customer|client|company|account|e?_?mail", ""),
    "product": (r"product(_id|_name)?|sku|item|plan(_tier|_name|_id)?|service", "text code number"),
    "name": (r"(account|customer|client|company|deal|opportunity)_?name|name|title|customer|company", "text code"),
    "domain": (r"domain|website|web|url", "text"),
    "email": (r"e?_?mail(_address)?", "mail text"),
    "industry": (r"industry|sector|branche?", "text code"),
    "region": (r"(sales_)?region|territory|state", "text code"),
    "country": (r"(billing_)?country|land", "text code"),
    "employees": (r"(number_of_)?employees|headcount|staff", "number"),
    "owner": (r"(account_|deal_)?owner|seller|sales_?rep|account_manager", "text mail"),
    "created_on": (r"(created?|sign_?up|opened|start)(_?(date|on|at|day))?|date_created|customer_since", "day compact"),
    "churned_on": (r"churn(ed)?_?(date|on)|left_on|cancel\w*_date", "day compact"),
    "expected_close_on": (r"(expected_)?close_date|expected_close\w*", "day compact"),
    "closed_on": (r"closed?(_(date|on|at))?|won_on|date_closed", "day compact"),
    "pipeline": (r"pipeline", "text"),
    "stage": (r"(deal_)?stage|phase", "text"),
    "lost_reason": (r"(lost|loss)_reason\w*", "text"),
    "lead_source": (r"lead_source|referral_source|channel", "text"),
    "amount": (r"(net_?)?(amount|sales|value|revenue|total|net|price|cost|debit)(_[a-z]{3})?|betrag|umsatz", "number"),
    "list_amount": (r"list_(amount|price)|gross\w*", "number"),
    "monthly_amount": (r"mrr(_amount)?|monthly_?(amount|charges?|fee|price)|price|amount", "number"),
    "currency": (r"currency(_code)?|cur|w(ae|ä)hrung", "code"),
    "quantity": (r"quantity|qty|seats|units|licen[cs]es", "number"),
    "status": (r"status|state", "text code"),
    "kind": (r"kind|type|category", "text code"),
    "plan": (r"plan(_tier|_name)?|tier|contract", "text code"),
    "started_on": (r"start(ed)?(_(date|on|at))?|(valid_)?from|begin\w*", "day compact"),
    "ended_on": (r"end(ed)?(_(date|on|at))?|(valid_)?(to|until)|expir\w*", "day compact"),
    "canceled_on": (r"cancel+ed(_(date|on|at))?|cancel+ation_date|churn_date", "day compact"),
    "trial_ends_on": (r"trial_ends?(_(date|on|at))?", "day compact"),
    "cancel_reason": (r"cancel\w*_reason|churn_reason", "text"),
    "invoiced_on": (r"invoice_?date|invoiced_on|order_?date|date|day", "day compact"),
    "service_from": (r"(service_|period_)?(from|start)(_date)?", "day compact"),
    "service_to": (r"(service_|period_)?(to|end)(_date)?", "day compact"),
    "description": (r"description|text|memo|item", "text"),
    "refunded": (r"(amount_)?refund(ed)?(_amount)?(_[a-z]{3})?", "number"),
    "fee": (r"fees?", "number"),
    "paid_on": (r"paid(_(on|at))?|payment_date|date|created\w*|sold_on|day", "day compact"),
    "ledger_account": (r"(ledger_|gl_|cost_)?account(_(name|code|number|nr|id))?|konto|category", "text number"),
    "vendor": (r"vendor|supplier|payee|name", "text"),
    "memo": (r"memo|description|text", "text"),
    "document": (r"document\w*|voucher|reference|ref", ""),
    "booked_on": (r"book(ed|ing)(_(on|date))?|(posting|transaction|entry|journal)_date|date|day", "day compact"),
    "key": (r"(issue_)?key", "text"),
    "title": (r"title|summary|subject|name", "text"),
    "priority": (r"priority", "text"),
    "project": (r"project(_key|_name)?", "text"),
    "labels": (r"labels?|tags?", "text"),
    "assignee": (r"assignee|owner|assigned_to", "text mail"),
    "points": (r"(story_)?points|estimate", "number"),
    "created_at": (r"created(_at|_date|_on)?|opened_at|date", "day"),
    "resolved_at": (r"(resolved|closed|completed)(_at|_date|_on)?", "day"),
    "person": (r"person|user|employee|assignee|name", "text mail"),
    "worked_on": (r"worked_on|date|day|started?", "day compact"),
    "hours": (r"hours|time_spent|duration", "number"),
    "said_at": (r"(submitted|created|said|opened|churn)(_(at|on|date))?|date|timestamp", "day compact"),
    "speaker": (r"speaker|author|requester|from|e?_?mail", "text mail"),
    "subject": (r"subject|title|reason(_code)?|topic|category", "text"),
    "text": (r"text|feedback(_text)?|comments?|body|message|description|transcript|notes?", "text"),
}
#: What systems call what these closed lists call otherwise.
_MEANS: Final[Mapping[str, Mapping[str, str]]] = {
    "subscription_term.status": {
        **dict.fromkeys(("trialing", "trial"), "trial"),
        **dict.fromkeys(("active", "live", "current"), "active"),
        **dict.fromkeys(("past due", "past_due", "overdue"), "past_due"),
        **dict.fromkeys(("cancelled", "canceled", "churned", "ended", "expired", "terminated"), "canceled"),
        **dict.fromkeys(("paused", "on hold"), "paused"),
        "unpaid": "unpaid",
    },
    "payment.status": {
        **dict.fromkeys(("paid", "succeeded", "success", "completed", "settled"), "paid"),
        **dict.fromkeys(("failed", "declined", "rejected", "error"), "failed"),
        **dict.fromkeys(("pending", "open", "processing", "due"), "pending"),
        **dict.fromkeys(("disputed", "chargeback"), "disputed"),
    },
    "invoice_line.kind": {
        **dict.fromkeys(("charge", "sale", "invoice", "item"), "charge"),
        **dict.fromkeys(("discount", "rebate"), "discount"),
        **dict.fromkeys(("credit", "credit note"), "credit"),
        "refund": "refund",
        **dict.fromkeys(("tax", "vat"), "tax"),
    },
    "deal.kind": {
        **dict.fromkeys(("new", "new business"), "new"),
        **dict.fromkeys(("expansion", "upsell", "existing business"), "expansion"),
        "renewal": "renewal",
    },
}


def table_of(stem: str, columns: Sequence[Profile]) -> tuple[Target, tuple[str, ...]]:
    """The table that a file's records most likely are, and others that are not much less likely.

    Args:
        stem: the file's name without its ending.
    """
    scores: dict[str, float] = {}
    names = [called(column.header) for column in columns]
    words = called(stem)
    for table, pattern in _SPEAKS.items():
        target = TARGETS[table]
        in_name = re.search(rf"(?:^|_)(?:{pattern})(?:_|$)", words) is not None
        in_header = sum(re.search(rf"(?:^|_)(?:{pattern})(?:_|$)", name) is not None for name in names)
        found = columns_of(target, columns)
        filled = sum(need in found for need in target.needs) / len(target.needs)
        scores[table] = 3 * in_name + min(in_header, 4) + 3 * filled
    ranked = sorted(scores, key=lambda table: -scores[table])
    near = tuple(table for table in ranked[1:4] if scores[table] >= scores[ranked[0]] - 2)
    return TARGETS[ranked[0]], near


def columns_of(target: Target, columns: Sequence[Profile]) -> dict[str, Profile]:
    """Column of the table -> the file's column that is most likely it; a file's column stands for one of them, but a customer's id."""
    found: dict[str, Profile] = {}
    taken: set[str] = set()
    accepted = list(target.columns())
    ordered = sorted(accepted, key=lambda name: (name != target.key, name not in target.needs))
    for name in ordered:
        pattern, kinds = _NAMES.get(name, ("", ""))
        if not pattern:
            continue
        for alternative in _alternatives(pattern):
            fitting = [
                column
                for column in columns
                if column.header not in taken
                and re.fullmatch(alternative, called(column.header))
                and column.kind != "empty"
                and (not kinds or column.kind in kinds.split())
                and (name != target.key or column.unique)
            ]
            if fitting:
                found[name] = fitting[0]
                taken.add(fitting[0].header)
                break
    return found


def meant(table: str, column: str, text: str) -> str | None:
    """The word of a closed list that a text most likely means."""
    words = TARGETS[table].words(column)
    folded = " ".join(text.split()).casefold()
    return folded if folded in words else _MEANS.get(f"{table}.{column}", {}).get(folded)


def _alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern, in their order; those within parentheses stay together."""
    parts = [""]
    depth = 0
    for letter in pattern:
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
