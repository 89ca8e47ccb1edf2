"""HubSpot, as its CRM API answers in JSON: deals, companies, tickets.

A record is ``{"id", "properties": {…}, "createdAt", "updatedAt", "archived", "associations"}``; every property is a text or
null (HubSpot's docs: CRM API, Objects). They are given the labels that an index page exports them under, so that the CSV and
the API are read by the same mappings and update the same rows. The API writes ids where the page shows labels: the stage
``closedwon``, which is called Closed Won here too, and numbers for stages that a company added itself; whether those are won is known from
``hs_is_closed_won`` and ``hs_is_closed``, or from the probability, which HubSpot's docs set to 1 for won and 0 for lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Members
from dataclasses import replace
from typing import Any, Final

from connectors.base import Layout, Mapping, Renews, Skip, Span, Tell, Tree, an_object, inside, objects
from connectors.fields import constant, equals, filled, id_of, identifier, instant, required, text, when
from connectors.hubspot import COMPANIES as PAGE_COMPANIES
from connectors.hubspot import DEALS as PAGE_DEALS
from connectors.hubspot import SOURCE, STAGES
from connectors.hubspot import TICKETS as PAGE_TICKETS

#: Property -> the label that the mappings of the exported pages read.
_LABELS: Final = {
    "dealname": "Deal Name",
    "dealstage": "Deal Stage",
    "pipeline": "Pipeline",
    "amount": "Amount",
    "closedate": "Close Date",
    "createdate": "Create Date",
    "hubspot_owner_id": "Deal owner",
    "dealtype": "Deal Type",
    "closed_lost_reason": "Closed Lost Reason",
    "hs_is_closed_won": "Is Closed Won",
    "hs_is_closed_lost": "Is Closed Lost",
    "amount_in_home_currency": "Amount in company currency",
    "deal_currency_code": "Currency",
    "hs_analytics_source": "Original Source Type",
    "hs_lastmodifieddate": "Last Modified Date",
    "name": "Company name",
    "domain": "Company Domain Name",
    "industry": "Industry",
    "country": "Country/Region",
    "state": "State/Region",
    "numberofemployees": "Number of Employees",
    "subject": "Ticket name",
    "content": "Ticket description",
    "hs_pipeline_stage": "Ticket status",
}
_ENTERED: Final = re.compile(r"hs_(?:v2_)?date_entered_(.+)")


def derive(record: dict[str, Any], page: Members[str, Any]) -> None:
    """Add the properties under their labels, the company, and ``stages``: when the deal entered each."""
    properties = an_object(record.get("properties"))
    record.update({str(_LABELS.get(name, name)): value for name, value in properties.items()})
    record["Record ID"] = record.get("id")
    record.setdefault("Create Date", record.get("createdAt"))
    record.setdefault("Last Modified Date", record.get("updatedAt"))
    record["Company owner"] = properties.get("hubspot_owner_id")
    if company := _company(record.get("associations")):
        record["Associated Company ID"] = company
    _closed(record, properties)
    entered = {str(match[1]): value for name, value in properties.items() if value and (match := _ENTERED.fullmatch(name))}
    record["stages"] = [
        {"stage": STAGES.get(stage, stage), "entered": value} for stage, value in sorted(entered.items(), key=lambda item: str(item[1]))
    ]


def _company(associations: Any) -> Any:
    """The primary company; else the first."""
    found = objects(inside(associations, "companies", "results"))
    primary = [each for each in found if str(each.get("type", "")).endswith("_to_company")]
    return (primary or found or [{}])[0].get("id")


def _closed(record: dict[str, Any], properties: dict[str, Any]) -> None:
    """Whether a deal is won or lost, where its stage is only a number."""
    won, is_closed, probability = (
        str(properties.get(name) or "") for name in ("hs_is_closed_won", "hs_is_closed", "hs_deal_stage_probability")
    )
    if won == "" and probability in ("0", "0.0", "1", "1.0") and is_closed != "false":
        won = record["Is Closed Won"] = "true" if probability.startswith("1") else "false"
        is_closed = "true"
    if won and not properties.get("hs_is_closed_lost") and is_closed:
        record["Is Closed Lost"] = "true" if is_closed == "true" and won != "true" else "false"
    stage = str(properties.get("dealstage") or "")
    record["unclear"] = "yes" if stage.isdigit() and not won else ""


_ARCHIVED: Final = (Skip(equals("archived", "true"), "archived records", retires=True),)


def _plain(layout: Layout) -> tuple[Mapping, ...]:
    """The mappings that read a record, without the one that reads columns of stages."""
    return tuple(mapping for mapping in layout.mappings if mapping.each is None)


_STAGES: Final = Mapping(
    "deal_stage",
    {
        "deal_id": required(id_of(SOURCE, "id")),
        "stage": required(text("stages.stage")),
        "entered_at": required(instant("stages.entered")),
        "source": constant(SOURCE),
        "source_id": identifier("id"),
    },
    part="stages",
    interval=("deal_id",),
    span=Span((instant("stages.entered"),)),
    # the page writes labels where the API writes ids: one of them counts
    renews=Renews({"deal_id": when(filled("stages.entered"), id_of(SOURCE, "id"))}),
)

DEALS: Final = replace(
    PAGE_DEALS,
    name="api deals",
    needs=(("id",), ("properties.dealname",), ("properties.dealstage",), ("properties.createdate", "createdAt")),
    lacks=(),
    tree=Tree(derive=derive),
    mappings=(*_plain(PAGE_DEALS), _STAGES),
    skips=_ARCHIVED,
    tells=(
        Tell(
            equals("unclear", "yes"),
            "deals stand in a stage that is only a number and don't say whether they are closed: they are taken as open. Ask the API for "
            "the properties hs_is_closed and hs_is_closed_won",
            "deal stands in a stage that is only a number and doesn't say whether it is closed: it is taken as open. Ask the API for "
            "the properties hs_is_closed and hs_is_closed_won",
        ),
    ),
    export="GET /crm/v3/objects/deals?properties=dealname,dealstage,pipeline,amount,closedate,createdate,dealtype,deal_currency_code,"
    "hs_is_closed,hs_is_closed_won,closed_lost_reason,hs_lastmodifieddate&associations=companies, every page, as JSON",
)

COMPANIES: Final = replace(
    PAGE_COMPANIES,
    name="api companies",
    needs=(("id",), ("properties.name",), ("properties.domain",), ("properties.createdate", "createdAt")),
    lacks=("properties.dealname", "properties.email"),
    tree=Tree(derive=derive),
    skips=_ARCHIVED,
    export="GET /crm/v3/objects/companies?properties=name,domain,industry,country,state,numberofemployees, every page, as JSON",
)

TICKETS: Final = replace(
    PAGE_TICKETS,
    name="api tickets",
    needs=(
        ("id",),
        ("properties.subject",),
        ("properties.hs_pipeline_stage", "properties.content"),
        ("properties.createdate", "createdAt"),
    ),
    lacks=("properties.dealname",),
    tree=Tree(derive=derive),
    skips=_ARCHIVED,
    export="GET /crm/v3/objects/tickets?properties=subject,content,hs_pipeline_stage&associations=companies, every page, as JSON",
)

API: Final = (DEALS, TICKETS, COMPANIES)
