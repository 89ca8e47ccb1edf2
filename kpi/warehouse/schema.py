"""The tables of the warehouse: grain, keys, foreign keys, and each column's meaning and unit.

Foreign keys are the semantic model: a many-to-one key is a join path for metrics, and nothing else is. In
DuckDB keys are metadata, not constraints: an index makes loading several times slower, and a constraint would
make imports depend on their order. The import keeps them, and a test proves it.

Ids are ``<source>:<id in that source>`` so that two systems never share one. Amounts are DECIMAL(18,4) beside
their currency (three upper-case letters). Instants are UTC without a zone; business dates are days of the
calendar's time zone. Intervals are from <= day < to.

Every column carries ``info["unit"]``: one of ``id``, ``text``, ``money``, ``currency``, ``day``, ``instant``,
``flag``, ``number``, ``hours``.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

MONEY: Final = sa.Numeric(18, 4)
RATE: Final = sa.Numeric(24, 12)
QUANTITY: Final = sa.Numeric(18, 6)

metadata: Final = sa.MetaData()

_TYPES: Final[dict[str, Any]] = {
    "id": sa.String(),
    "text": sa.String(),
    "money": MONEY,
    "currency": sa.String(),
    "day": sa.Date(),
    "instant": sa.DateTime(),
    "flag": sa.Boolean(),
    "number": QUANTITY,
    "integer": sa.BigInteger(),
    "hours": QUANTITY,
    "rate": RATE,
}


#: Words that this program itself writes into columns of text; a source may bring others.
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "cost_line.category": ("hosting", "support", "onboarding", "sales", "marketing", "engineering", "other"),
    "deal.kind": ("new", "expansion", "renewal"),
    "invoice_line.kind": ("charge", "discount", "credit", "refund", "tax"),
    "issue.status_category": ("todo", "doing", "done", "dropped"),
    "payment.status": ("paid", "failed", "pending", "disputed"),
    "remark.kind": ("call", "ticket", "lost_reason", "churn_reason", "note"),
    "subscription_term.status": ("trial", "active", "past_due", "unpaid", "paused", "canceled"),
}

#: Days and instants of a row, with those that can only come after them.
AFTER: Final[dict[str, tuple[str, ...]]] = {
    "deal.created_on": ("expected_close_on", "closed_on"),
    "deal_stage.entered_at": ("left_at",),
    "subscription_term.started_on": ("trial_ends_on", "past_due_on", "canceled_on", "ended_on"),
    "invoice_line.service_from": ("service_to",),
    "payment.paid_on": ("refunded_on",),
    "cost_line.service_from": ("service_to",),
    "issue.created_at": ("started_at", "resolved_at"),
    "issue.started_at": ("resolved_at",),
    "issue_status.entered_at": ("left_at",),
}


def _column(name: str, unit: str, meaning: str, refers: str | None = None, key: bool = False) -> sa.Column[Any]:
    constraint = [sa.ForeignKey(refers)] if refers else []
    return sa.Column(name, _TYPES[unit], *constraint, primary_key=key, autoincrement=False, comment=meaning, info={"unit": unit})


_c = _column


def _bookkeeping() -> list[sa.Column[Any]]:
    """What every imported row carries so that it can be traced, updated and retired."""
    return [
        _c("source", "text", "the system the row comes from, such as salesforce or stripe"),
        _c("source_id", "text", "the row's id in that system, as written there; empty where it has none"),
        _c("run_id", "integer", "the import that wrote the row as it stands, see import_run"),
        _c("modified_at", "instant", "when the source last changed the row, as it says; empty where it doesn't"),
    ]


def _customer() -> list[sa.Column[Any]]:
    return [
        _c("account_id", "id", "the customer; empty where the source's customer is not matched", "account.account_id"),
        _c("source_account_id", "text", "the customer's id, e-mail or name as the source wrote it, see account_link"),
    ]


def _product_key(hint: str) -> list[sa.Column[Any]]:
    return [
        _c("product_id", "id", "the product; empty where no rule of products: matches", "product.product_id"),
        _c("source_product_id", "text", hint),
    ]


def _table(name: str, meaning: str, *columns: sa.Column[Any], kind: str = "fact", day: str | None = None) -> sa.Table:
    """``kind``: fact (counts and sums), entity (what facts point at), history or bookkeeping.

    ``day``: the business date a big fact is kept ordered by.
    """
    return sa.Table(name, metadata, *columns, comment=meaning, info={"kind": kind, "day": day})


def _account_columns() -> list[sa.Column[Any]]:
    return [
        _c("account_id", "id", "key", key=True),
        _c("name", "text", "name as the ranking source writes it"),
        _c("domain", "text", "web domain, lower case, without www"),
        _c("industry", "text", "industry as the CRM says"),
        _c("region", "text", "sales region; where the CRM has none, the billing state or country group it states"),
        _c("country", "text", "billing country"),
        _c("employees", "integer", "number of employees"),
        _c("owner", "text", "account owner in the CRM"),
        _c("created_on", "day", "the CRM record's creation"),
        _c("churned_on", "day", "first day without any paid term, where a source states it"),
        _c("parent_account_id", "text", "the company it belongs to, as an account's key; no path for joins"),
        *_bookkeeping(),
    ]


account = _table("account", "a customer or prospect", *_account_columns(), kind="entity")

account_record = _table(
    "account_record",
    "an account as one system's export of accounts has it; records that are one customer are one account",
    *_account_columns(),
    kind="bookkeeping",
)

account_mention = _table(
    "account_mention",
    "an account that an export of other things names; it stands in where no export of accounts has it",
    *_account_columns(),
    kind="bookkeeping",
)

account_seen = _table(
    "account_seen",
    "what an export said of an account's changing attributes; versions are made of it",
    _c("source", "text", "the system", key=True),
    _c("source_id", "text", "the account's id there", key=True),
    _c("seen_on", "day", "the export's date; where it states none, that of its newest change", key=True),
    _c("run_id", "integer", "the import", "import_run.run_id", key=True),
    _c("stated", "text", "the attributes that the export has columns for, joined by ','"),
    _c("industry", "text", "industry then"),
    _c("region", "text", "region then"),
    _c("country", "text", "country then"),
    _c("employees", "integer", "employees then"),
    _c("owner", "text", "owner then"),
    _c("modified_at", "instant", "when the source last changed the record"),
    kind="bookkeeping",
)

account_version = _table(
    "account_version",
    "what was true of an account from valid_from to before valid_to",
    _c("account_id", "id", "the account", "account.account_id", key=True),
    _c("valid_from", "day", "first day; the first version reaches back to 0001-01-01", key=True),
    _c("valid_to", "day", "first day no longer; empty for the version of now"),
    _c("industry", "text", "industry then"),
    _c("region", "text", "region then"),
    _c("country", "text", "country then"),
    _c("employees", "integer", "employees then"),
    _c("owner", "text", "owner then"),
    kind="history",
)

source_account = _table(
    "source_account",
    "a customer as one source knows it: what identity is decided from",
    _c("source", "text", "the system", key=True),
    _c("source_id", "text", "the customer's id there (its e-mail or name where there is no id)", key=True),
    _c("name", "text", "name there"),
    _c("email", "text", "e-mail there, lower case"),
    _c("domain", "text", "web or e-mail domain, lower case, free-mail domains left out"),
    _c("other_id", "text", "an id of another system that this one stores, such as a Salesforce account id"),
    _c("merged_into", "text", "id of the record there that it was merged into"),
    _c("merged_ids", "text", "ids of records there that were merged into it, joined by ';'"),
    _c("run_id", "integer", "the import that wrote the row"),
    _c("modified_at", "instant", "when the source last changed it"),
    kind="bookkeeping",
)

account_link = _table(
    "account_link",
    "which account a source's customer is",
    _c("source", "text", "the system", key=True),
    _c("source_id", "text", "the customer's id there", key=True),
    _c("account_id", "id", "the account", "account.account_id"),
    _c("method", "text", "own record, person, merged, stored id, e-mail, domain, domain and name, name, or name, shortened"),
    _c("confidence", "number", "0 to 1"),
    kind="bookkeeping",
)

link_candidate = _table(
    "link_candidate",
    "an account that a source's customer may be; it waits for a person",
    _c("source", "text", "the system", key=True),
    _c("source_id", "text", "the customer's id there", key=True),
    _c("account_id", "id", "the account", "account.account_id", key=True),
    _c("score", "number", "how like their names are, 0 to 1"),
    _c("why", "text", "what speaks for it, and why it doesn't decide"),
    kind="bookkeeping",
)

link_decision = _table(
    "link_decision",
    "what people decided on links, as of this generation; a copy of the records",
    _c("decision_id", "integer", "key, in the order of the decisions", key=True),
    _c("kind", "text", "account or product"),
    _c("decision", "text", "confirmed or rejected"),
    _c("source", "text", "the system"),
    _c("source_id", "text", "the customer or product there"),
    _c("target", "text", "the account or product; empty for none of them"),
    _c("decided_at", "instant", "when"),
    _c("decided_by", "text", "by whom"),
    _c("reason", "text", "why, in their words"),
    kind="bookkeeping",
)

product = _table(
    "product",
    "what is sold",
    _c("product_id", "id", "key: the name in products: of metrics.yaml", key=True),
    _c("name", "text", "name"),
    _c("line", "text", "product line"),
    _c("launched_on", "day", "launch"),
    kind="entity",
)

source_product = _table(
    "source_product",
    "a product, price or plan as one source knows it: what an id that rows carry is called",
    _c("source", "text", "the system", key=True),
    _c("source_id", "text", "the id there, as rows of facts carry it", key=True),
    _c("name", "text", "name there"),
    _c("code", "text", "product code or SKU there"),
    _c("run_id", "integer", "the import that wrote the row"),
    _c("modified_at", "instant", "when the source last changed it"),
    kind="bookkeeping",
)

product_link = _table(
    "product_link",
    "which product a source's product id, price, class or project is",
    _c("source", "text", "the system", key=True),
    _c("source_id", "text", "the product as that system writes it", key=True),
    _c("product_id", "id", "the product", "product.product_id"),
    _c("method", "text", "person, rule or name"),
    _c("confidence", "number", "0 to 1"),
    kind="bookkeeping",
)

deal = _table(
    "deal",
    "an opportunity",
    _c("deal_id", "id", "key", key=True),
    *_customer(),
    *_product_key("the product as the CRM writes it"),
    _c("name", "text", "name"),
    _c("owner", "text", "seller"),
    _c("pipeline", "text", "pipeline or record type"),
    _c("stage", "text", "stage of now"),
    _c("kind", "text", "new, expansion or renewal; empty where the source doesn't say"),
    _c("lead_source", "text", "lead source"),
    _c("amount", "money", "amount, in currency"),
    _c("list_amount", "money", "amount at list prices, in currency"),
    _c("currency", "currency", "currency of the amounts"),
    _c("home_amount", "money", "amount as the source converted it to home_currency"),
    _c("home_list_amount", "money", "list_amount as the source converted it"),
    _c("home_currency", "currency", "the company's own currency in the source"),
    _c("created_on", "day", "creation"),
    _c("expected_close_on", "day", "the close date the seller expects"),
    _c("closed_on", "day", "the day it was won or lost; empty while open"),
    _c("is_won", "flag", "won"),
    _c("is_lost", "flag", "lost"),
    _c("lost_reason", "text", "why it was lost, as the seller chose"),
    _c("lost_comment", "text", "what the seller wrote about it"),
    *_bookkeeping(),
    day="created_on",
)

deal_line = _table(
    "deal_line",
    "a product in a deal",
    _c("deal_line_id", "id", "key", key=True),
    _c("deal_id", "id", "the deal", "deal.deal_id"),
    *_product_key("the product as the CRM writes it"),
    _c("quantity", "number", "quantity"),
    _c("list_amount", "money", "amount at list price"),
    _c("amount", "money", "amount"),
    _c("currency", "currency", "currency of the amounts"),
    _c("home_amount", "money", "amount as the source converted it"),
    _c("home_list_amount", "money", "list_amount as the source converted it"),
    _c("home_currency", "currency", "the company's own currency in the source"),
    *_bookkeeping(),
)

deal_stage = _table(
    "deal_stage",
    "a stage a deal stood in",
    _c("deal_id", "id", "the deal", "deal.deal_id", key=True),
    _c("stage", "text", "the stage", key=True),
    _c("entered_at", "instant", "when it entered", key=True),
    _c("left_at", "instant", "when it left; empty while it stands there"),
    _c("is_observed", "flag", "no history is kept of it: seen so in successive exports, and entered at the latest when it was first seen"),
    *_bookkeeping(),
    kind="history",
)

subscription_term = _table(
    "subscription_term",
    "a subscription while its price stood still",
    _c("term_id", "id", "key", key=True),
    _c("subscription_id", "id", "the subscription"),
    *_customer(),
    *_product_key("the price, plan or product as billing writes it"),
    _c("plan", "text", "plan"),
    _c("status", "text", "trial, active, past_due, unpaid, paused or canceled"),
    _c("monthly_amount", "money", "recurring charge a month after discounts; a year counts 1/12, a quarter 1/3, a week 52/12"),
    _c("list_monthly_amount", "money", "the same at list prices"),
    _c("currency", "currency", "currency of the amounts"),
    _c("home_monthly_amount", "money", "monthly_amount as the source converted it"),
    _c("home_list_monthly_amount", "money", "list_monthly_amount as the source converted it"),
    _c("home_currency", "currency", "the company's own currency in the source"),
    _c("quantity", "number", "seats"),
    _c("started_on", "day", "first day of the term"),
    _c("ended_on", "day", "first day without service; empty while it runs"),
    _c("canceled_on", "day", "the day the customer cancelled"),
    _c("past_due_on", "day", "since when a payment is overdue"),
    _c("trial_ends_on", "day", "first day after the trial"),
    _c("cancel_reason", "text", "why it was cancelled"),
    _c("cancel_comment", "text", "what the customer wrote about it"),
    _c("is_assumed", "flag", "what was before the first export: price and quantity assumed to have been the same"),
    *_bookkeeping(),
    day="started_on",
)

invoice_line = _table(
    "invoice_line",
    "a line of an invoice",
    _c("line_id", "id", "key", key=True),
    _c("invoice_id", "id", "the invoice"),
    *_customer(),
    *_product_key("the price, plan or product as billing writes it"),
    _c("kind", "text", "charge, discount, credit, refund or tax"),
    _c("description", "text", "the line's text"),
    _c("quantity", "number", "quantity"),
    _c("amount", "money", "amount without tax; discounts, credits and refunds negative"),
    _c("currency", "currency", "currency of the amount"),
    _c("home_amount", "money", "amount as the source converted it"),
    _c("home_currency", "currency", "the company's own currency in the source"),
    _c("invoiced_on", "day", "date of the invoice"),
    _c("service_from", "day", "first day of service"),
    _c("service_to", "day", "first day after the service"),
    *_bookkeeping(),
    day="invoiced_on",
)

payment = _table(
    "payment",
    "money taken or tried",
    _c("payment_id", "id", "key", key=True),
    *_customer(),
    _c("invoice_id", "id", "the invoice it pays"),
    _c("status", "text", "paid, failed, pending or disputed; refunds are in refunded"),
    _c("description", "text", "what it was for"),
    _c("failure_reason", "text", "what the bank or the seller was told"),
    _c("amount", "money", "amount, in currency"),
    _c("refunded", "money", "of it refunded, positive"),
    _c("fee", "money", "the processor's fee"),
    _c("currency", "currency", "currency of the amounts"),
    _c("home_amount", "money", "amount as the source converted it"),
    _c("home_refunded", "money", "refunded as the source converted it"),
    _c("home_fee", "money", "fee as the source converted it"),
    _c("home_currency", "currency", "the company's own currency in the source"),
    _c("paid_on", "day", "the day it was taken or tried"),
    _c("refunded_on", "day", "the day it was refunded"),
    *_bookkeeping(),
    day="paid_on",
)

cost_line = _table(
    "cost_line",
    "a cost booked: a line of a ledger account",
    _c("cost_id", "id", "key", key=True),
    _c(
        "category",
        "text",
        "hosting, support, onboarding, sales, marketing, engineering or other, by costs:; empty where no rule names the account",
    ),
    *_customer(),
    *_product_key("the class or sub-account the ledger writes"),
    _c("ledger_account", "text", "the account of the ledger, with its parents as the ledger writes them"),
    _c("class_name", "text", "the ledger's class or tracking category"),
    _c("vendor", "text", "who is paid"),
    _c("memo", "text", "memo or description"),
    _c("document", "text", "type and number of the booking"),
    _c("amount", "money", "cost, positive; a credit is negative"),
    _c("currency", "currency", "currency of the amount"),
    _c("home_amount", "money", "amount as the source converted it"),
    _c("home_currency", "currency", "the company's own currency in the source"),
    _c("booked_on", "day", "date of the booking"),
    _c("service_from", "day", "first day it is for; where the ledger states none, the first of the month it is booked in"),
    _c("service_to", "day", "first day after; where the ledger states none, the first of the next month"),
    *_bookkeeping(),
    day="booked_on",
)

issue = _table(
    "issue",
    "a ticket of the issue tracker",
    _c("issue_id", "id", "key", key=True),
    _c("key", "text", "key people use, such as ATL-12"),
    _c("title", "text", "title"),
    _c("kind", "text", "type: bug, story, task and so on, as the tracker writes it"),
    _c("status", "text", "status as the tracker writes it"),
    _c("status_category", "text", "todo, doing, done, or dropped: won't do, duplicate, cancelled"),
    _c("resolution", "text", "resolution as the tracker writes it"),
    _c("priority", "text", "priority"),
    _c("project", "text", "project key"),
    _c("component", "text", "components, joined by ', '"),
    _c("labels", "text", "labels, joined by ', '"),
    _c("epic", "text", "parent or epic"),
    *_product_key("project, component or label that a rule of products: may name"),
    *_customer(),
    _c("deal_id", "id", "the deal it was promised in", "deal.deal_id"),
    _c("assignee", "text", "assignee"),
    _c("points", "number", "story points"),
    _c("created_at", "instant", "creation"),
    _c("started_at", "instant", "work began"),
    _c("resolved_at", "instant", "resolution; empty while open"),
    *_bookkeeping(),
    day="created_at",
)

issue_status = _table(
    "issue_status",
    "a status an issue stood in",
    _c("issue_id", "id", "the issue", "issue.issue_id", key=True),
    _c("status", "text", "the status", key=True),
    _c("entered_at", "instant", "when it entered", key=True),
    _c("left_at", "instant", "when it left; empty while it stands there"),
    _c("is_observed", "flag", "no history is kept of it: seen so in successive exports, and entered at the latest when it was first seen"),
    *_bookkeeping(),
    kind="history",
)

worklog = _table(
    "worklog",
    "time booked on an issue",
    _c("worklog_id", "id", "key", key=True),
    _c("issue_id", "id", "the issue", "issue.issue_id"),
    _c("product_id", "id", "the product of the issue", "product.product_id"),
    _c("person", "text", "who worked"),
    _c("worked_on", "day", "the day"),
    _c("hours", "hours", "hours"),
    _c("comment", "text", "what was done"),
    *_bookkeeping(),
    day="worked_on",
)

remark = _table(
    "remark",
    "something a customer or seller said: a turn in a call, a ticket, a reason, a note",
    _c("remark_id", "id", "key", key=True),
    _c("kind", "text", "call, ticket, lost_reason, churn_reason or note"),
    *_customer(),
    _c("deal_id", "id", "the deal it is about", "deal.deal_id"),
    *_product_key("the product as the source writes it"),
    _c("said_at", "instant", "when"),
    _c("speaker", "text", "who"),
    _c("side", "text", "customer or seller, where the source says it"),
    _c("subject", "text", "subject, reason or ticket title"),
    _c("text", "text", "the words"),
    _c("conversation_id", "id", "the call it was said in"),
    _c("speaker_id", "text", "the speaker's id in the call, where a file of its own says who that is"),
    _c("spoken_ms", "integer", "milliseconds from the call's beginning, where a file of its own says when that was"),
    *_bookkeeping(),
    day="said_at",
)

conversation = _table(
    "conversation",
    "a recorded call, as its metadata tell of it; what was said in it are remarks",
    _c("conversation_id", "id", "key", key=True),
    *_customer(),
    _c("deal_id", "id", "the deal it is about", "deal.deal_id"),
    _c("title", "text", "title"),
    _c("started_at", "instant", "when it began"),
    _c("seconds", "integer", "how long it took"),
    *_bookkeeping(),
    kind="entity",
)

conversation_speaker = _table(
    "conversation_speaker",
    "who a speaker of a call is",
    _c("conversation_id", "id", "the call", "conversation.conversation_id", key=True),
    _c("speaker_id", "text", "the speaker's id in the call", key=True),
    _c("name", "text", "name, else e-mail"),
    _c("side", "text", "customer or seller"),
    *_bookkeeping(),
    kind="entity",
)

fx_rate = _table(
    "fx_rate",
    "what one unit of a currency was worth in another",
    _c("currency", "currency", "the currency", key=True),
    _c("into", "currency", "the other", key=True),
    _c("day", "day", "the day", key=True),
    _c("rate", "rate", "units of into for one of currency"),
    kind="entity",
)

fx_quote = _table(
    "fx_quote",
    "an exchange rate as an imported file states it; fx_rate is made of these and of the history that ships",
    _c("source", "text", "whose rates", key=True),
    _c("currency", "currency", "the currency", key=True),
    _c("into", "currency", "the other", key=True),
    _c("day", "day", "the day", key=True),
    _c("rate", "rate", "units of into for one of currency"),
    _c("run_id", "integer", "the import that wrote the row", "import_run.run_id"),
    kind="bookkeeping",
)

import_run = _table(
    "import_run",
    "an import",
    _c("run_id", "integer", "key, in the order of the archive", key=True),
    _c("file", "text", "the file's name as given"),
    _c("sha256", "text", "SHA-256 of its bytes"),
    _c("connector", "text", "the connector"),
    _c("layout", "text", "the layout of that connector"),
    _c("imported_at", "instant", "when"),
    _c("imported_by", "text", "the user of the operating system"),
    _c("as_of", "instant", "the export's own date, where the file states one"),
    _c("covers_from", "day", "first day of the period that the file states, where it states one"),
    _c("covers_to", "day", "first day after that period"),
    _c("rows_read", "integer", "records in the file, header and footers left out"),
    _c("rows_loaded", "integer", "records that contributed"),
    _c("rows_rejected", "integer", "records set aside, see import_problem"),
    _c("notes", "text", "decisions taken on whole columns and what was assumed, one a line"),
    kind="bookkeeping",
)

import_problem = _table(
    "import_problem",
    "a row an import could not use",
    _c("run_id", "integer", "the import", "import_run.run_id", key=True),
    _c("line", "integer", "physical line on which the record begins", key=True),
    _c("column_name", "text", "the column; empty where the whole row is meant", key=True),
    _c("value", "text", "what stood there, at most 200 characters"),
    _c("reason", "text", "why it can't be used"),
    kind="bookkeeping",
)

statement = _table(
    "statement",
    "what a row of an export states besides what it is, such as that an account has left",
    _c("source", "text", "the system", key=True),
    _c("fact", "text", "what is stated, as its mapping calls it", key=True),
    _c("said_by", "text", "the export that states it", key=True),
    _c("row_id", "text", "the row's id in the system", key=True),
    _c("of_id", "text", "the id of what it is stated of"),
    _c("said", "flag", "yes or no"),
    _c("run_id", "integer", "the import that wrote the row"),
    _c("modified_at", "instant", "when the source last changed it; empty where it doesn't say"),
    kind="bookkeeping",
)

sayer = _table(
    "sayer",
    "an export that states something which other exports of its system state as well",
    _c("source", "text", "the system", key=True),
    _c("fact", "text", "what is stated", key=True),
    _c("said_by", "text", "the export", key=True),
    _c("take", "text", "any: yes where any row says so; every: where every one does"),
    _c("silent", "text", "what it means when there is no row: no, or nothing"),
    _c("words", "text", "what is stated, in words"),
    _c("concerns", "text", "the tables that the export fills, joined by ', '"),
    _c("things", "integer", "of how many things any export states it"),
    _c("yes", "integer", "of how many of them this one says yes"),
    _c("run_id", "integer", "the import that wrote the row"),
    _c("modified_at", "instant", "empty"),
    kind="bookkeeping",
)

disagreement = _table(
    "disagreement",
    "something of which the exports of one system say both yes and no",
    _c("source", "text", "the system", key=True),
    _c("fact", "text", "what is stated", key=True),
    _c("of_id", "text", "what it is stated of", key=True),
    _c("says_yes", "text", "the exports that say yes, joined by ', '"),
    _c("says_no", "text", "those that say no"),
    kind="bookkeeping",
)

report_scope = _table(
    "report_scope",
    "an account that a ledger's report spoke of, so that an older report which comes later leaves it alone",
    _c("run_id", "integer", "the import", "import_run.run_id", key=True),
    _c("table_name", "text", "the table its rows are in", key=True),
    _c("source", "text", "the system"),
    _c("account", "text", "the ledger account; * for every one, by --full", key=True),
    _c("covers_from", "day", "first day of the report's period"),
    _c("covers_to", "day", "first day after it"),
    kind="bookkeeping",
)

state_seen = _table(
    "state_seen",
    "a status or stage that an export showed an issue or a deal in: what is_observed rows of their histories are made of",
    _c("table_name", "text", "issue or deal", key=True),
    _c("row_id", "id", "the issue or deal", key=True),
    _c("seen_at", "instant", "when the source last changed it; else the export's date, else when it was imported", key=True),
    _c("state", "text", "its status or stage"),
    _c("source", "text", "the system"),
    _c("run_id", "integer", "the import", "import_run.run_id"),
    kind="bookkeeping",
)

retired = _table(
    "retired",
    "a row that an export said is gone: an older export doesn't bring it back",
    _c("table_name", "text", "the table", key=True),
    _c("source", "text", "the system", key=True),
    _c("column_name", "text", "the column that says which row, or which invoice's rows", key=True),
    _c("row_id", "id", "its value; * for all that a full export lacks", key=True),
    _c("modified_at", "instant", "when the source says it went; of a full export, its newest change"),
    _c("run_id", "integer", "the import that said so", "import_run.run_id"),
    kind="bookkeeping",
)

coverage = _table(
    "coverage",
    "from when to when the data of a source reach, for each table",
    _c("table_name", "text", "the table", key=True),
    _c("source", "text", "the system", key=True),
    _c("covers_from", "day", "first day covered"),
    _c("covers_to", "day", "first day no longer covered"),
    _c("basis", "text", "stated by the file, dates of its rows, or seen in successive exports"),
    _c("row_count", "integer", "rows of the source in the table"),
    kind="bookkeeping",
)

coverage_gap = _table(
    "coverage_gap",
    "days inside a coverage that no import covers, so that nothing is known of them",
    _c("table_name", "text", "the table", key=True),
    _c("source", "text", "the system", key=True),
    _c("gap_from", "day", "first day that is missing", key=True),
    _c("gap_to", "day", "first day covered again"),
    kind="bookkeeping",
)

money_currency = _table(
    "money_currency",
    "which currencies occur, so that a query knows whether it must convert",
    _c("table_name", "text", "the table", key=True),
    _c("source", "text", "the system", key=True),
    _c("currency", "currency", "the rows' currency", key=True),
    _c("home_currency", "currency", "the twin's currency; empty for none", key=True),
    _c("row_count", "integer", "rows"),
    kind="bookkeeping",
)

generation = _table(
    "generation",
    "one row: what this published warehouse is",
    _c("number", "integer", "counts up by one with every publishing", key=True),
    _c("published_at", "instant", "when"),
    _c("archive_line", "integer", "the last line of the archive's log that is in it"),
    _c("mappings", "text", "hash of the parts of metrics.yaml applied at publishing"),
    _c("currency", "currency", "currency taken for amounts in files that name none"),
    _c("timezone", "text", "zone in which instants became business dates"),
    kind="bookkeeping",
)

#: Tables whose rows two systems may both hold, so that ``sources:`` must say which one counts.
COUNTED: Final = ("deal", "deal_line", "deal_stage", "invoice_line", "subscription_term", "payment", "cost_line")


def facts() -> list[sa.Table]:
    """The tables that imports fill and metrics count, in the order they are declared."""
    return [table for table in metadata.sorted_tables if table.info["kind"] in ("fact", "entity", "history")]


def bookkeeping_columns() -> frozenset[str]:
    """Names of the columns that say where a row comes from rather than what it is."""
    return frozenset({"source_id", "run_id", "modified_at"})
