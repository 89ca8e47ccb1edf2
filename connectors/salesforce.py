"""Salesforce: the tables of the weekly Data Export (Data Loader writes the same), and the Opportunity History report.

In the Data Export instants are UTC while CloseDate is a plain date, ids have 18 characters and ``000000000000000AAA``
is no id. Reports write ids of 15 characters, which become the same 18, so that a deal is one deal in both.
Confirmed by real files; names of custom columns (ending in __c) are those in common use.
"""

from __future__ import annotations

from typing import Final

from connectors.base import Connector, Layout, Mapping, Skip, Span
from connectors.fields import (
    Value,
    all_of,
    any_of,
    case_safe,
    constant,
    currency,
    day,
    domain,
    first_of,
    flag,
    identifier,
    instant,
    matches,
    money,
    no,
    prefixed,
    required,
    same,
    text,
    true,
    when,
    whole,
)

SOURCE: Final = "salesforce"
_NO_ID: Final = ("000000000000000AAA", "000000000000000")
_DELETED: Final = (Skip(true(flag("IsDeleted")), "deleted records", retires=True),)
_STAMPS: Final = (instant("LastModifiedDate"), instant("SystemModstamp"))
_MODIFIED: Final = instant("LastModifiedDate", "SystemModstamp")


def _id(*columns: str) -> Value:
    """The long form of an id."""
    return case_safe(identifier(*columns, empty=_NO_ID))


def _own(key: str, *columns: str) -> dict[str, Value]:
    """Key, source and source_id of a record."""
    return {key: required(prefixed(SOURCE, _id(*columns))), "source": constant(SOURCE), "source_id": _id(*columns)}


ACCOUNT: Final = Layout(
    name="account",
    needs=(("Id",), ("Name",), ("OwnerId",), ("BillingCountry",), ("LastModifiedDate",)),
    lacks=("StageName", "CaseNumber", "Email"),
    skips=_DELETED,
    mappings=(
        Mapping(
            "account",
            {
                **_own("account_id", "Id"),
                "name": text("Name"),
                "domain": domain("Website"),
                "industry": text("Industry"),
                "region": text("Region__c", "Sales_Region__c", "SalesRegion__c", "Region", "BillingState"),
                "country": text("BillingCountry"),
                "employees": whole("NumberOfEmployees"),
                "owner": text("Owner_Name__c", "Owner.Name", "OwnerId"),
                "created_on": day("CreatedDate", zone="utc"),
                "modified_at": _MODIFIED,
            },
            span=Span((instant("CreatedDate"), _MODIFIED)),
        ),
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": _id("Id"),
                "name": text("Name"),
                "domain": domain("Website"),
                "other_id": text("Stripe_Customer_Id__c", "StripeCustomerId__c", "Billing_Id__c", "HubSpot_Id__c"),
                "modified_at": _MODIFIED,
            },
            hint=True,
        ),
    ),
    export="Setup > Data Export > Export Now, with Account",
)

_KINDS: Final = (
    # what companies call the three kinds; Salesforce's own list has New Customer and Existing Customer - …
    (r"(?i)\brenew", "renewal"),
    (r"(?i)\b(upgrade|expansion|upsell|up-sell|cross-?sell|add-?on|existing)", "expansion"),
    (r"(?i)\bnew\b", "new"),
)


def kind_of(*columns: str) -> Value:
    """new, expansion or renewal, by the words of a type; empty where they don't say."""
    kind: Value = constant(None)
    for pattern, name in reversed(_KINDS):
        kind = when(matches(text(*columns), pattern), constant(name), kind)
    return kind


_CLOSED: Final = true(flag("IsClosed"))
_LOSS_REASONS: Final = (
    "Loss_Reason__c",
    "LossReason__c",
    "Lost_Reason__c",
    "Closed_Lost_Reason__c",
    "ClosedLostReason__c",
    "Reason_Lost__c",
)
_WON: Final = true(flag("IsWon"))

OPPORTUNITY: Final = Layout(
    name="opportunity",
    needs=(("Id",), ("AccountId",), ("Name",), ("StageName",), ("Amount",), ("CloseDate",), ("IsClosed",), ("IsWon",), ("CreatedDate",)),
    skips=_DELETED,
    mappings=(
        Mapping(
            "deal",
            {
                **_own("deal_id", "Id"),
                "source_account_id": _id("AccountId"),
                "source_product_id": text("Product__c", "Product_Name__c", "Product_Line__c", "ProductLine__c", "Primary_Product__c"),
                "name": text("Name"),
                "owner": text("Owner_Name__c", "Owner.Name", "OwnerId"),
                "pipeline": text("RecordType.Name", "RecordTypeName__c", "RecordTypeId"),
                "stage": text("StageName"),
                "kind": kind_of("Type"),
                "lead_source": text("LeadSource"),
                "amount": money("Amount"),
                "list_amount": money("List_Amount__c", "ListAmount__c", "List_Price__c", "Total_List_Price__c"),
                "currency": currency("CurrencyIsoCode"),
                "created_on": required(day("CreatedDate", zone="utc")),
                "expected_close_on": when(no(_CLOSED), day("CloseDate")),
                "closed_on": when(_CLOSED, required(day("CloseDate"))),
                "is_won": when(all_of(_CLOSED, _WON), constant(True), constant(False)),
                "is_lost": when(all_of(_CLOSED, no(_WON)), constant(True), constant(False)),
                "lost_reason": when(
                    no(_WON),
                    text(*_LOSS_REASONS),
                ),
                "modified_at": _MODIFIED,
            },
            # Of an open deal the close date lies ahead; of a closed one it is the day of an event, entered late or early at times
            span=Span(
                (instant("CreatedDate"), when(_CLOSED, day("CloseDate"))),
                (instant("CreatedDate"), *_STAMPS),
                entered=(when(_CLOSED, day("CloseDate")),),
                stamps=_STAMPS,
            ),
        ),
    ),
    export="Setup > Data Export > Export Now, with Opportunity",
)

STAGES: Final = Layout(
    name="opportunity history",
    needs=(("Id",), ("OpportunityId",), ("StageName",), ("CreatedDate",)),
    skips=_DELETED,
    mappings=(
        Mapping(
            "deal_stage",
            {
                "deal_id": required(prefixed(SOURCE, _id("OpportunityId"))),
                "stage": required(text("StageName")),
                "entered_at": required(instant("CreatedDate")),
                "source": constant(SOURCE),
                "source_id": _id("Id"),
                "modified_at": instant("SystemModstamp"),
            },
            interval=("deal_id",),
            span=Span((instant("CreatedDate"),)),
        ),
    ),
    export="Setup > Data Export > Export Now, with OpportunityHistory",
)

CASE: Final = Layout(
    name="case",
    needs=(("Id",), ("CaseNumber",), ("AccountId",), ("Subject",), ("CreatedDate",)),
    skips=_DELETED,
    mappings=(
        Mapping(
            "remark",
            {
                **_own("remark_id", "Id"),
                "kind": constant("ticket"),
                "source_account_id": _id("AccountId"),
                "source_product_id": text("Product__c"),
                "said_at": required(instant("CreatedDate")),
                "speaker": text("SuppliedName", "SuppliedEmail", "ContactId"),
                "subject": text("Subject"),
                "text": first_of(text("Description"), text("Subject")),
                "modified_at": _MODIFIED,
            },
            span=Span((instant("CreatedDate"),), (instant("CreatedDate"), instant("LastModifiedDate"))),
        ),
    ),
    export="Setup > Data Export > Export Now, with Case",
)

_REPORT_WON: Final = matches("Stage", r"(?i)\bwon\b")
_REPORT_LOST: Final = matches("Stage", r"(?i)\blost\b")
_REPORT_CLOSED: Final = any_of(_REPORT_WON, _REPORT_LOST)
#: Salesforce's footers: Grand Totals (5700 records), Confidential Information - Do Not Distribute, Copyright (c) …
FOOTERS: Final = (
    r"(?i)^(grand )?totals?(\s*\(|\s*$|[,;:])|^confidential information|^copyright (\(c\)|©)"
    r"|^(rows|records):|^as of \d|^generated by:"
)

HISTORY_REPORT: Final = Layout(
    name="opportunity history report",
    needs=(("Opportunity ID",), ("Opportunity Name",), ("To Stage",), ("Last Modified",), ("Stage",), ("Created Date",), ("Close Date",)),
    totals=FOOTERS,
    mappings=(
        Mapping(
            "deal",
            {
                **_own("deal_id", "Opportunity ID"),
                "name": text("Opportunity Name"),
                "stage": text("Stage"),
                "amount": money("Amount"),
                "currency": currency("Amount Currency", "Opportunity Currency"),
                "created_on": required(day("Created Date")),
                "expected_close_on": when(no(_REPORT_CLOSED), day("Close Date")),
                "closed_on": when(_REPORT_CLOSED, required(day("Close Date"))),
                "is_won": when(_REPORT_WON, constant(True), constant(False)),
                "is_lost": when(all_of(_REPORT_LOST, no(_REPORT_WON)), constant(True), constant(False)),
                "modified_at": instant("Last Modified", zone="local"),
            },
            one_each=("deal_id",),
            span=Span(
                (day("Created Date"), when(_REPORT_CLOSED, day("Close Date"))),
                (day("Created Date"), day("Last Modified")),
                entered=(when(_REPORT_CLOSED, day("Close Date")),),
                stamps=(day("Last Modified"),),
            ),
        ),
        Mapping(
            "deal_stage",
            {
                "deal_id": required(prefixed(SOURCE, _id("Opportunity ID"))),
                "stage": required(text("To Stage")),
                "entered_at": required(instant("Last Modified", zone="local")),
                "source": constant(SOURCE),
                "source_id": _id("Opportunity ID"),
            },
            where=no(same("From Stage", "To Stage")),
            interval=("deal_id",),
            span=Span((day("Last Modified"),)),
        ),
    ),
    export="Reports > New Report > Opportunity History > Export > Details Only, as .csv or .xlsx",
)

SALESFORCE: Final = Connector(SOURCE, "Salesforce", (STAGES, OPPORTUNITY, CASE, ACCOUNT, HISTORY_REPORT))
