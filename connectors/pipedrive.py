"""Pipedrive: deals, organizations, people and the products of deals, as Settings > Export data or a list view writes them.

Columns are called ``<entity> - <field>``, such as ``Deal - Title``; which of them a file has is chosen in the view. The
vendor's field list and the code of several who read such exports confirm the names (Deal - ID, Deal - Deal created, Deal - Deal closed
on, Deal - Won time, Deal - Lost time, Deal - Value, Deal - Currency of Value), no native file does, so every column but the deal's
own id, title and status may be absent. Times are those of the user's time zone, taken as the calendar's. A deal whose status is Open is
open, whatever times of an earlier win it still carries.
"""

from __future__ import annotations

from typing import Final

from connectors.base import Connector, Layout, Mapping, Skip, Span, Tell
from connectors.fields import (
    Value,
    all_of,
    any_of,
    choice,
    constant,
    currency,
    day,
    domain,
    equals,
    filled,
    first_of,
    first_part,
    id_of,
    identifier,
    instant,
    joined,
    money,
    no,
    number,
    prefixed,
    required,
    text,
    times,
    when,
    whole,
)

SOURCE: Final = "pipedrive"
_ID: Final = ("Deal - ID", "Deal - Pipedrive System ID", "Deal - System ID")
_STATUS: Final = ("Deal - Status",)
_CREATED: Final = ("Deal - Deal created", "Deal - Deal created on", "Deal - Creation date", "Deal - Created", "Deal - Add time")
_CLOSED_ON: Final = ("Deal - Deal closed on", "Deal - Closed on", "Deal - Close time")
_CHANGED: Final = ("Deal - Update time", "Deal - Last updated", "Deal - Deal updated on")
_ORGANIZATION: Final = ("Deal - Organization", "Organization", "Organization - Name", "Deal - Organization name")
_ORGANIZATION_ID: Final = ("Deal - Organization ID", "Organization - ID", "Organization ID", "Organization - Pipedrive System ID")
_PERSON: Final = ("Deal - Contact person", "Contact person", "Person - Name")

_WON: Final = equals(text(*_STATUS), "won")
_LOST: Final = equals(text(*_STATUS), "lost")
_CLOSED: Final = any_of(_WON, _LOST)
_STAMP: Final = instant(*_CHANGED, zone="local")
_DAY_CLOSED: Final = first_of(
    when(_WON, day("Deal - Won time", zone="local")),
    when(_LOST, day("Deal - Lost time", zone="local")),
    when(_CLOSED, day(*_CLOSED_ON, zone="local")),
)
#: The organization's id where the view has it, else its name, else the person who would buy.
_CUSTOMER: Final = first_of(identifier(*_ORGANIZATION_ID), text(*_ORGANIZATION), text(*_PERSON))
#: Stage and pipeline in one cell: Demo (Sales).
_STAGE_WITH_PIPELINE: Final = "Deal - Stage (pipeline)"
_DELETED: Final = (Skip(equals(text(*_STATUS), "deleted"), "deleted deals", retires=True),)


def _who(customer: Value, name: Value) -> Mapping:
    return Mapping(
        "source_account",
        {"source": constant(SOURCE), "source_id": customer, "name": name},
        where=filled(customer),
        one_each=("source", "source_id"),
        hint=True,
    )


DEALS: Final = Layout(
    name="deals",
    needs=(_ID, ("Deal - Title",), _STATUS, _CREATED),
    lacks=("Product - Name", "Product - ID"),
    skips=_DELETED,
    mappings=(
        Mapping(
            "deal",
            {
                "deal_id": required(id_of(SOURCE, *_ID)),
                "source": constant(SOURCE),
                "source_id": identifier(*_ID),
                "source_account_id": _CUSTOMER,
                "source_product_id": text("Deal - Product name", "Deal - Product", "Deal - Products"),
                "name": text("Deal - Title"),
                "owner": text("Deal - Owner"),
                "pipeline": text("Deal - Pipeline"),
                "stage": first_of(text("Deal - Stage"), first_part(_STAGE_WITH_PIPELINE, mark=" (")),
                "kind": choice(
                    "Deal - Type",
                    "Deal - Deal type",
                    "Deal - Label",
                    cases={
                        **dict.fromkeys(("new", "new business", "new customer"), "new"),
                        **dict.fromkeys(("existing business", "existing customer", "expansion", "upsell", "upgrade"), "expansion"),
                        "renewal": "renewal",
                    },
                    otherwise="none",
                ),
                "lead_source": text("Deal - Source channel", "Deal - Lead source", "Deal - Source", "Deal - Source origin"),
                "amount": money("Deal - Value", "Deal - Deal value"),
                "currency": currency("Deal - Currency of Value", "Deal - Currency"),
                "created_on": required(day(*_CREATED, zone="local")),
                "expected_close_on": when(no(_CLOSED), day("Deal - Expected close date")),
                "closed_on": when(_CLOSED, required(_DAY_CLOSED)),
                "is_won": required(choice(*_STATUS, cases={"won": "true", "lost": "false", "open": "false"})),
                "is_lost": when(_LOST, constant(True), constant(False)),
                "lost_reason": when(_LOST, text("Deal - Lost reason")),
                "lost_comment": when(_LOST, text("Deal - Lost reason comment", "Deal - Lost comment")),
                "modified_at": _STAMP,
            },
            span=Span(
                (day(*_CREATED, zone="local"), _DAY_CLOSED),
                (day(*_CREATED, zone="local"), _STAMP),
                entered=(_DAY_CLOSED,),
                stamps=(_STAMP,),
            ),
        ),
        Mapping(
            "account",
            {
                "account_id": id_of(SOURCE, *_ORGANIZATION_ID),
                "source": constant(SOURCE),
                "source_id": identifier(*_ORGANIZATION_ID),
                "name": text(*_ORGANIZATION),
            },
            where=filled(*_ORGANIZATION_ID),
            one_each=("account_id",),
            hint=True,
        ),
        _who(_CUSTOMER, first_of(text(*_ORGANIZATION), text(*_PERSON))),
    ),
    tells=(
        Tell(
            all_of(no(filled(*_ORGANIZATION_ID)), filled(*_ORGANIZATION)),
            'deals know their customer by name only: export the column "Deal - Organization ID" as well',
            'deal knows its customer by name only: export the column "Deal - Organization ID" as well',
        ),
    ),
    export="Settings > Tools and apps > Export data > Deals, or ... > Export filter results on the list of deals with all columns, as .csv "
    "or .xlsx",
)

_LINE: Final = ("Deal product - ID", "Product - Deal product ID", "Deal - Product attachment ID")

PRODUCTS: Final = Layout(
    name="products of deals",
    needs=(_ID, ("Product - Name", "Product - ID")),
    mappings=(
        Mapping(
            "deal_line",
            {
                # a product stands once in a deal unless the export tells its lines apart
                "deal_line_id": required(
                    prefixed(
                        SOURCE, joined(identifier(*_ID), first_of(identifier(*_LINE, "Product - ID"), text("Product - Name")), between="/")
                    )
                ),
                "deal_id": required(id_of(SOURCE, *_ID)),
                "source": constant(SOURCE),
                "source_id": identifier(*_LINE),
                "source_product_id": text("Product - Name", "Product - Product code", "Product - ID"),
                "quantity": number("Product - Quantity", "Deal - Product quantity"),
                "list_amount": times(
                    money("Product - Unit price", "Product - Price", "Product - Item price"),
                    number("Product - Quantity", "Deal - Product quantity"),
                ),
                "amount": money("Product - Amount", "Product - Total", "Product - Sum", "Deal - Product amount"),
                "currency": currency("Product - Currency", "Deal - Currency of Value", "Deal - Currency"),
                "modified_at": _STAMP,
            },
            span=Span((day(*_CREATED, zone="local"),), (day(*_CREATED, zone="local"), _STAMP)),
        ),
    ),
    export="Insights or Products > a list with the deal's ID, the product's name, quantity, price and amount > Export",
)

_COMPANY_ID: Final = ("Organization - ID", "Organization - Pipedrive System ID", "Organization - System ID")
_COMPANY_CREATED: Final = ("Organization - Organization created", "Organization - Creation date", "Organization - Created")
_COMPANY_CHANGED: Final = instant("Organization - Update time", "Organization - Last updated", zone="local")

ORGANIZATIONS: Final = Layout(
    name="organizations",
    needs=(_COMPANY_ID, ("Organization - Name",)),
    lacks=("Deal - Title", "Person - Name"),
    mappings=(
        Mapping(
            "account",
            {
                "account_id": required(id_of(SOURCE, *_COMPANY_ID)),
                "source": constant(SOURCE),
                "source_id": identifier(*_COMPANY_ID),
                "name": text("Organization - Name"),
                "domain": domain("Organization - Website", "Organization - Domain"),
                "industry": text("Organization - Industry"),
                "region": text("Organization - Region", "Organization - State/county of Address", "Organization - Address - State"),
                "country": text("Organization - Country of Address", "Organization - Address - Country", "Organization - Country"),
                "employees": whole("Organization - Number of employees", "Organization - Employee count"),
                "owner": text("Organization - Owner"),
                "created_on": day(*_COMPANY_CREATED, zone="local"),
                "modified_at": _COMPANY_CHANGED,
            },
            span=Span((day(*_COMPANY_CREATED, zone="local"),), (day(*_COMPANY_CREATED, zone="local"), _COMPANY_CHANGED)),
        ),
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": identifier(*_COMPANY_ID),
                "name": text("Organization - Name"),
                "domain": domain("Organization - Website", "Organization - Domain"),
                "other_id": text("Organization - Stripe Customer ID", "Organization - Salesforce Account ID", "Organization - Billing ID"),
                "modified_at": _COMPANY_CHANGED,
            },
            hint=True,
        ),
    ),
    export="Settings > Tools and apps > Export data > Organizations",
)

_EMAIL: Final = ("Person - Email - Work", "Person - Email", "Person - Email - Other", "Person - Email - Home")

PEOPLE: Final = Layout(
    name="people",
    needs=(("Person - ID", "Person - Pipedrive System ID", "Person - System ID"), ("Person - Name",)),
    lacks=("Deal - Title",),
    mappings=(
        # a person's address names the company of deals that have no other
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": text("Person - Name"),
                "name": text("Person - Organization", "Organization - Name", "Organization"),
                "domain": domain(first_part(*_EMAIL, mark=",")),
            },
            where=filled("Person - Name"),
            one_each=("source", "source_id"),
            hint=True,
        ),
    ),
    export="Settings > Tools and apps > Export data > People",
)

PIPEDRIVE: Final = Connector(SOURCE, "Pipedrive", (PRODUCTS, DEALS, PEOPLE, ORGANIZATIONS), dated_name=True)
