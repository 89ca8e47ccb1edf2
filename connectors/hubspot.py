"""HubSpot, as its index pages export deals, companies and tickets.

Columns carry the labels of the view that was exported, and dates the time zone of the portal, taken as the calendar's.
Stage columns, ``Date entered "Demo (Sales Pipeline)"``, come with several kinds of quotes and are read as the deal's
stages. Deals with stage columns and plain ones are confirmed by files; ``Is Closed Won``, ``Amount in company
currency`` and the property names (hs_…) by others' code only, so every one of them may be absent. Of several companies in
one cell (``77;78``) the first counts where no column names the primary one. ``Merged Company IDs`` is the label of hs_merged_object_ids
in portals that others listed; the stages of the first pipeline are called by their labels also where a file has their internal names.
"""

from __future__ import annotations

from typing import Final

from connectors.base import Connector, Layout, Mapping, Span, Tell
from connectors.fields import (
    all_of,
    any_of,
    choice,
    constant,
    currency,
    day,
    domain,
    filled,
    first_of,
    first_part,
    flag,
    id_of,
    identifier,
    instant,
    lower,
    matches,
    money,
    no,
    required,
    text,
    this_column,
    this_name,
    true,
    when,
    whole,
)

SOURCE: Final = "hubspot"
_ID: Final = ("Record ID", "Deal ID", "Record Id", "hs_object_id")
_STAGE: Final = ("Deal Stage", "dealstage")
_CLOSE: Final = ("Close Date", "closedate")
_CREATE: Final = ("Create Date", "Created Date", "createdate")
_MODIFIED: Final = instant("Last Modified Date", "hs_lastmodifieddate", zone="local")

_WON_FLAG: Final = ("Is Closed Won", "Is closed won?", "hs_is_closed_won")
_LOST_FLAG: Final = ("Is Closed Lost", "Is closed lost?", "hs_is_closed_lost")
_CLOSED_FLAG: Final = ("Is Deal Closed?", "Is deal closed", "Is Closed", "Deal closed", "hs_is_closed")
#: The names inside HubSpot of the stages that every portal begins with; the page shows labels, the API and some columns these.
STAGES: Final = {
    "appointmentscheduled": "Appointment Scheduled",
    "qualifiedtobuy": "Qualified To Buy",
    "presentationscheduled": "Presentation Scheduled",
    "decisionmakerboughtin": "Decision Maker Bought-In",
    "contractsent": "Contract Sent",
    "closedwon": "Closed Won",
    "closedlost": "Closed Lost",
}
#: Stages are named by their owners: Closed Won, Won, Gewonnen, Gagné, Ganado.
_WON_WORDS: Final = r"(?i)\bwon\b|closedwon|\bgewonnen\b|\bgagn[ée]|\bganad[oa]\b|\bvinto\b|\bganho\b"
#: Not won, nicht gewonnen, non gagné: a loss, though a word of winning stands in it.
_NOT_WON: Final = r"(?i)\b(not|never|nicht|non|no|não|pas)\s+(closed\s+)?(won\b|gewonnen\b|gagn[ée]|ganad[oa]\b|vinto\b|ganho\b)"
_LOST_WORDS: Final = r"(?i)\blost\b|closedlost|\bverloren\b|\bperdu|\bperdid[oa]\b|\bperso\b"
_WON: Final = any_of(
    true(flag(*_WON_FLAG)),
    all_of(no(filled(*_WON_FLAG)), matches(text(*_STAGE), _WON_WORDS), no(matches(text(*_STAGE), _NOT_WON))),
)
_LOST: Final = all_of(
    no(_WON),
    any_of(
        true(flag(*_LOST_FLAG)),
        # closed and not won is lost, whatever the stage is called
        all_of(no(filled(*_LOST_FLAG)), filled(*_WON_FLAG), true(flag(*_CLOSED_FLAG))),
        all_of(no(filled(*_LOST_FLAG)), no(filled(*_CLOSED_FLAG)), matches(text(*_STAGE), f"{_LOST_WORDS}|{_NOT_WON}")),
    ),
)
_CLOSED: Final = any_of(_WON, _LOST)

_PRIMARY: Final = ("Associated Company IDs (Primary)", "Associated Company ID (Primary)", "Primary Associated Company ID")
_SEVERAL: Final = ("Associated Company IDs", "Associated Company ID", "Company ID")
_PRIMARY_NAME: Final = ("Associated Company Names (Primary)", "Associated Company (Primary)", "Primary Associated Company")
_SEVERAL_NAMES: Final = ("Associated Company", "Associated Company Names", "Company name", "Company")
_COMPANY_ID: Final = first_part(first_of(identifier(*_PRIMARY), identifier(*_SEVERAL)))
_COMPANY_NAME: Final = first_part(first_of(text(*_PRIMARY_NAME), text(*_SEVERAL_NAMES)))
_COMPANY_DOMAIN: Final = lower(first_part("Associated Company Domain", "Company Domain Name"))
#: Whose of several companies a deal is, HubSpot says in a column of its own.
_UNSAID: Final = all_of(no(filled(*_PRIMARY)), matches(text(*_SEVERAL), ";"))
_TELLS: Final = (
    Tell(
        _UNSAID,
        'rows have several companies, of which the first counts: export "Associated Company IDs (Primary)" as well',
        'row has several companies, of which the first counts: export "Associated Company IDs (Primary)" as well',
    ),
)
_COMPANY: Final = first_of(_COMPANY_ID, _COMPANY_DOMAIN, _COMPANY_NAME)

#: A stage that a company added itself has a number within HubSpot, an older one a UUID; some exports write it in the label's place.
_STAGE_ID: Final = matches(text(*_STAGE), r"(?i)^([0-9]{3,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$")
#: The flags leave nothing open: it is won, it is lost, it is not closed, or it says both that it isn't won and whether it is closed.
_FLAGGED: Final = any_of(
    true(flag(*_WON_FLAG)),
    true(flag(*_LOST_FLAG)),
    all_of(filled(*_CLOSED_FLAG), no(true(flag(*_CLOSED_FLAG)))),
    all_of(filled(*_WON_FLAG), any_of(filled(*_LOST_FLAG), filled(*_CLOSED_FLAG))),
)
_ASK: Final = 'export "Is Closed Won" and "Is deal closed?" as well'
_STAGE_TELLS: Final = (
    Tell(
        all_of(_STAGE_ID, _FLAGGED),
        "deals have their stage's id in the place of its label: whether they are won or lost is taken from their flags",
        "deal has its stage's id in the place of its label: whether it is won or lost is taken from its flags",
    ),
    Tell(
        all_of(_STAGE_ID, no(_FLAGGED)),
        f"deals have their stage's id in the place of its label, and nothing says whether they are won or lost: taken as open; {_ASK}",
        f"deal has its stage's id in the place of its label, and nothing says whether it is won or lost: taken as open; {_ASK}",
    ),
)

DEALS: Final = Layout(
    name="deals",
    needs=(_ID, ("Deal Name", "dealname"), _STAGE, _CLOSE, _CREATE),
    mappings=(
        Mapping(
            "deal",
            {
                "deal_id": required(id_of(SOURCE, *_ID)),
                "source": constant(SOURCE),
                "source_id": identifier(*_ID),
                "source_account_id": _COMPANY,
                "source_product_id": text("Product", "Product Name", "Product Line", "product"),
                "name": text("Deal Name", "dealname"),
                "owner": text("Deal owner", "hubspot_owner_id"),
                "pipeline": text("Pipeline"),
                "stage": choice(*_STAGE, cases=dict(STAGES), otherwise="keep"),
                "kind": choice(
                    "Deal Type",
                    "dealtype",
                    cases={
                        "new business": "new",
                        "newbusiness": "new",
                        "existing business": "expansion",
                        "existingbusiness": "expansion",
                        "renewal": "renewal",
                    },
                    otherwise="none",
                ),
                "lead_source": text("Original Source Type", "Original Traffic Source", "Lead Source", "hs_analytics_source"),
                "amount": money("Amount"),
                "list_amount": money("List Amount", "Total list price"),
                "currency": currency("Currency", "Deal Currency", "deal_currency_code"),
                "home_amount": money("Amount in company currency", "amount_in_home_currency"),
                "home_currency": when(
                    filled("Amount in company currency", "amount_in_home_currency"), currency("Company currency", "hs_home_currency")
                ),
                "created_on": required(day(*_CREATE, zone="local")),
                "expected_close_on": when(no(_CLOSED), day(*_CLOSE, zone="local")),
                "closed_on": when(_CLOSED, required(day(*_CLOSE, zone="local"))),
                "is_won": when(_WON, constant(True), constant(False)),
                "is_lost": when(_LOST, constant(True), constant(False)),
                "lost_reason": when(_LOST, text("Closed Lost Reason", "closed_lost_reason")),
                "lost_comment": when(_LOST, text("Closed Lost Comments", "Closed Lost Notes", "Lost Comments", "closed_lost_comments")),
                "modified_at": _MODIFIED,
            },
            span=Span(
                (day(*_CREATE, zone="local"), when(_CLOSED, day(*_CLOSE, zone="local"))),
                (day(*_CREATE, zone="local"), _MODIFIED),
                # an open deal's close date lies ahead, a closed one's at times as well
                entered=(when(_CLOSED, day(*_CLOSE, zone="local")),),
                stamps=(_MODIFIED,),
                tables=("deal_stage",),
            ),
        ),
        Mapping(
            "deal_stage",
            {
                "deal_id": id_of(SOURCE, *_ID),
                "stage": choice(this_name(), cases=dict(STAGES), otherwise="keep"),
                "entered_at": instant(this_column(), zone="local"),
                "source": constant(SOURCE),
                "source_id": identifier(*_ID),
            },
            where=filled(this_column()),
            # a stage's property name, hs_v2_date_entered_closedlost, as well as its label
            each=(
                r"""(?:Date|Time) entered (?:stage )?["'“”„‘’«‹](?P<name>.+?)(?: \([^()]*Pipeline[^()]*\))?["'”“’‘»›](?: .*)?"""
                r"""|hs_(?:v2_)?(?:date|time)_entered_(?P<name2>.+)"""
            ),
            interval=("deal_id",),
            span=Span((instant(this_column(), zone="local"),)),
        ),
        Mapping(
            "account",
            {
                "account_id": id_of(SOURCE, _COMPANY_ID),
                "source": constant(SOURCE),
                "source_id": _COMPANY_ID,
                "name": _COMPANY_NAME,
            },
            where=filled(_COMPANY_ID),
            one_each=("account_id",),
            hint=True,
        ),
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": _COMPANY,
                "name": _COMPANY_NAME,
                "domain": domain(_COMPANY_DOMAIN),
            },
            where=filled(_COMPANY),
            one_each=("source", "source_id"),
            hint=True,
        ),
    ),
    tells=(*_TELLS, *_STAGE_TELLS),
    export="CRM > Deals > Export > CSV or XLSX, all properties (with Date entered columns where stages matter)",
)

COMPANIES: Final = Layout(
    name="companies",
    needs=(("Record ID", "Company ID"), ("Company name",), ("Company Domain Name",), ("Create Date",)),
    lacks=("Deal Name", "Ticket name", "Email"),
    mappings=(
        Mapping(
            "account",
            {
                "account_id": required(id_of(SOURCE, "Record ID", "Company ID")),
                "source": constant(SOURCE),
                "source_id": identifier("Record ID", "Company ID"),
                "name": text("Company name"),
                "domain": domain("Company Domain Name"),
                "industry": text("Industry"),
                "region": text("Sales Region", "Region", "State/Region"),
                "country": text("Country/Region", "Country"),
                "employees": whole("Number of Employees"),
                "owner": text("Company owner"),
                "created_on": day("Create Date", zone="local"),
                "modified_at": _MODIFIED,
            },
            span=Span((day("Create Date", zone="local"),), (day("Create Date", zone="local"), _MODIFIED)),
        ),
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": identifier("Record ID", "Company ID"),
                "name": text("Company name"),
                "domain": domain("Company Domain Name"),
                "other_id": text("Salesforce Account ID", "Stripe Customer ID"),
                "merged_ids": text("Merged Company IDs", "Merged object IDs", "Merged record IDs", "hs_merged_object_ids"),
                "modified_at": _MODIFIED,
            },
            hint=True,
        ),
    ),
    export="CRM > Companies > Export > CSV or XLSX, all properties",
)

TICKETS: Final = Layout(
    name="tickets",
    needs=(
        ("Ticket ID", "Record ID"),
        ("Ticket name", "Ticket Name", "Subject"),
        ("Ticket status", "Ticket Status", "Status", "Pipeline stage"),
        ("Create Date",),
    ),
    lacks=("Deal Name", "Issue key", "CaseNumber"),
    mappings=(
        Mapping(
            "remark",
            {
                "remark_id": required(id_of(SOURCE, "Ticket ID", "Record ID")),
                "source": constant(SOURCE),
                "source_id": identifier("Ticket ID", "Record ID"),
                "kind": constant("ticket"),
                "source_account_id": first_of(_COMPANY_ID, _COMPANY_DOMAIN, _COMPANY_NAME),
                "said_at": required(instant("Create Date", zone="local")),
                "speaker": text("Associated Contact Email", "Associated Contact"),
                "subject": text("Ticket name", "Subject"),
                "text": first_of(text("Ticket description", "Description"), text("Ticket name", "Subject")),
                "modified_at": _MODIFIED,
            },
            span=Span((day("Create Date", zone="local"),), (day("Create Date", zone="local"), _MODIFIED)),
        ),
    ),
    tells=_TELLS,
    export="CRM > Tickets > Export > CSV or XLSX, all properties",
)

HUBSPOT: Final = Connector(SOURCE, "HubSpot", (DEALS, TICKETS, COMPANIES), dated_name=True)
