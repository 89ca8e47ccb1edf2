"""Salesforce: the tables of the weekly Data Export (Data Loader writes the same); its reports are in salesforce_reports.

In the Data Export instants are UTC while CloseDate is a plain date, ids have 18 characters and ``000000000000000AAA``
is no id. Confirmed by real files, except Product2, PricebookEntry and OpportunityFieldHistory, whose columns are those of
Salesforce's object reference; names of custom columns (ending in __c) are those in common use.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from connectors.base import Connector, Layout, Mapping, Part, Report, Skip, Span, Trouble
from connectors.fields import (
    all_of,
    any_of,
    constant,
    currency,
    day,
    domain,
    equals,
    filled,
    first_of,
    flag,
    instant,
    money,
    no,
    number,
    prefixed,
    required,
    text,
    times,
    true,
    when,
    whole,
)
from connectors.salesforce_reports import REPORTS, SOURCE, kind_of, own, record_id

_DELETED: Final = (Skip(true(flag("IsDeleted")), "deleted records", retires=True),)
_STAMPS: Final = (instant("LastModifiedDate"), instant("SystemModstamp"))
_MODIFIED: Final = instant("LastModifiedDate", "SystemModstamp")
#: What is left of a record that was merged into another one.
_MERGED: Final = all_of(true(flag("IsDeleted")), filled(record_id("MasterRecordId")))

ACCOUNT: Final = Layout(
    name="account",
    needs=(("Id",), ("Name",), ("OwnerId",), ("BillingCountry",), ("LastModifiedDate",)),
    lacks=("StageName", "CaseNumber", "Email"),
    # a record that was merged into another one says which, so that what was written under its id finds it
    skips=(Skip(true(flag("IsDeleted")), "deleted records", retires=True, told=True),),
    mappings=(
        Mapping(
            "account",
            {
                **own("account_id", "Id"),
                "name": text("Name"),
                "domain": domain("Website"),
                "industry": text("Industry"),
                "region": text("Region__c", "Sales_Region__c", "SalesRegion__c", "Region", "BillingState"),
                "country": text("BillingCountry"),
                "employees": whole("NumberOfEmployees"),
                "owner": text("Owner_Name__c", "Owner.Name", "OwnerId"),
                "created_on": day("CreatedDate", zone="utc"),
                "parent_account_id": prefixed(SOURCE, record_id("ParentId")),
                "modified_at": _MODIFIED,
            },
            span=Span((instant("CreatedDate"), _MODIFIED)),
        ),
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": record_id("Id"),
                "name": text("Name"),
                "domain": domain("Website"),
                "other_id": text("Stripe_Customer_Id__c", "StripeCustomerId__c", "Billing_Id__c", "HubSpot_Id__c"),
                # of two accounts that are merged one is deleted and names the other
                "merged_into": when(_MERGED, record_id("MasterRecordId")),
                "modified_at": _MODIFIED,
            },
            where=any_of(no(true(flag("IsDeleted"))), _MERGED),
            hint=True,
        ),
    ),
    export="Setup > Data Export > Export Now, with Account",
)

_CLOSED: Final = true(flag("IsClosed"))
_LOSS_REASONS: Final = (
    "Loss_Reason__c",
    "LossReason__c",
    "Lost_Reason__c",
    "Closed_Lost_Reason__c",
    "ClosedLostReason__c",
    "Reason_Lost__c",
)
_LOSS_COMMENTS: Final = (
    *("Loss_Comments__c", "Loss_Reason_Comments__c", "Loss_Description__c", "Lost_Comments__c", "Closed_Lost_Comments__c", "Loss_Notes__c"),
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
                **own("deal_id", "Id"),
                "source_account_id": record_id("AccountId"),
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
                "lost_reason": when(no(_WON), text(*_LOSS_REASONS)),
                "lost_comment": when(no(_WON), text(*_LOSS_COMMENTS)),
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
                "deal_id": required(prefixed(SOURCE, record_id("OpportunityId"))),
                "stage": required(text("StageName")),
                "entered_at": required(instant("CreatedDate")),
                "source": constant(SOURCE),
                "source_id": record_id("Id"),
                "modified_at": instant("SystemModstamp"),
            },
            interval=("deal_id",),
            span=Span((instant("CreatedDate"),)),
        ),
    ),
    export="Setup > Data Export > Export Now, with OpportunityHistory",
)

LINE_ITEM: Final = Layout(
    name="opportunity line item",
    needs=(("Id",), ("OpportunityId",), ("PricebookEntryId", "Product2Id", "ProductCode"), ("Quantity",), ("TotalPrice",)),
    skips=_DELETED,
    mappings=(
        Mapping(
            "deal_line",
            {
                **own("deal_line_id", "Id"),
                "deal_id": required(prefixed(SOURCE, record_id("OpportunityId"))),
                # an id is called by its name once Product2 or PricebookEntry is imported as well
                "source_product_id": first_of(
                    text("Product2.Name", "PricebookEntry.Name", "PricebookEntry.Product2.Name", "Product_Name__c"),
                    record_id("Product2Id"),
                    record_id("PricebookEntryId"),
                    text("ProductCode"),
                ),
                "quantity": number("Quantity"),
                "list_amount": times(money("ListPrice"), number("Quantity")),
                "amount": money("TotalPrice"),
                "currency": currency("CurrencyIsoCode"),
                "modified_at": _MODIFIED,
            },
            span=Span((instant("CreatedDate"),), (instant("CreatedDate"), *_STAMPS)),
        ),
    ),
    export="Setup > Data Export > Export Now, with OpportunityLineItem",
)


def _called(name: str, layout: str, *needs: tuple[str, ...]) -> Layout:
    """A table that says what an id of products is called."""
    return Layout(
        name=layout,
        needs=(("Id",), ("Name",), *needs),
        lacks=("OpportunityId", "StageName"),
        skips=_DELETED,
        mappings=(
            Mapping(
                "source_product",
                {
                    "source": constant(SOURCE),
                    "source_id": required(record_id("Id")),
                    "name": text("Name"),
                    "code": text("ProductCode"),
                    "modified_at": _MODIFIED,
                },
            ),
        ),
        export=f"Setup > Data Export > Export Now, with {name}",
    )


PRODUCT: Final = _called("Product2", "product", ("ProductCode",), ("Family",))
PRICEBOOK_ENTRY: Final = _called("PricebookEntry", "pricebook entry", ("Product2Id",), ("Pricebook2Id",), ("UnitPrice",))


def _first_stages(report: Report) -> Iterator[Part | Trouble]:
    """The changes of opportunities as they stand, and the stage each began with: the one its first change left."""
    began: dict[str, tuple[int, dict[str, str]]] = {}
    first: dict[str, tuple[str, str]] = {}
    for record in report.records:
        said = dict(zip((cell.strip() for cell in report.header), (cell.strip() for cell in record.cells), strict=False))
        report.counted += 1
        yield Part(record.line, "", said)
        deal, field, at = said.get("OpportunityId", ""), said.get("Field", ""), said.get("CreatedDate", "")
        if field in _BEGAN:
            began[deal] = (record.line, said)
        elif field == "StageName":
            first[deal] = min(first.get(deal, (at, said.get("OldValue", ""))), (at, said.get("OldValue", "")))
    for deal, (line, said) in began.items():
        if deal in first and first[deal][1]:
            yield Part(line, "first", {**said, "FirstStage": first[deal][1]})


_BEGAN: Final = ("created", "opportunityCreatedFromLead")


def _entered(part: str, stage: str, where: str | None) -> Mapping:
    return Mapping(
        "deal_stage",
        {
            "deal_id": required(prefixed(SOURCE, record_id("OpportunityId"))),
            "stage": required(text(stage)),
            "entered_at": required(instant("CreatedDate")),
            "source": constant(SOURCE),
            "source_id": record_id("Id"),
        },
        part=part,
        where=equals("Field", where) if where else None,
        interval=("deal_id",),
        span=Span((instant("CreatedDate"),)),
    )


FIELD_HISTORY: Final = Layout(
    name="opportunity field history",
    needs=(("OpportunityId",), ("Field",), ("OldValue",), ("NewValue",), ("CreatedDate",)),
    reshape=_first_stages,
    mappings=(_entered("", "NewValue", "StageName"), _entered("first", "FirstStage", None)),
    skips=(
        *_DELETED,
        Skip(all_of(no(equals("Field", "StageName", *_BEGAN)), no(true(flag("IsDeleted")))), "changes of other fields"),
    ),
    export="Setup > Data Export > Export Now, with OpportunityFieldHistory",
)

CASE: Final = Layout(
    name="case",
    needs=(("Id",), ("CaseNumber",), ("AccountId",), ("Subject",), ("CreatedDate",)),
    skips=_DELETED,
    mappings=(
        Mapping(
            "remark",
            {
                **own("remark_id", "Id"),
                "kind": constant("ticket"),
                "source_account_id": record_id("AccountId"),
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

SALESFORCE: Final = Connector(
    SOURCE, "Salesforce", (STAGES, OPPORTUNITY, LINE_ITEM, FIELD_HISTORY, PRODUCT, PRICEBOOK_ENTRY, CASE, ACCOUNT, *REPORTS)
)
