"""Microsoft Dynamics 365 Sales: opportunities and accounts, as Export to Excel writes a view.

The first three columns, ``(Do Not Modify) …``, are hidden in the workbook: the record's id, a checksum and the time of its
last change; a file without them (a static worksheet of this page only) can't be told from the next export and is refused.
Dates are cells of the workbook or its day numbers, in the user's time zone, taken as the calendar's. Confirmed by the code
of several who read such workbooks, where the third column is also called after what the company calls it (Last Modified Date);
the columns are those of the view, so every one but the id, Topic and Status may be absent.
"""

from __future__ import annotations

from typing import Final

from connectors.base import Connector, Layout, Mapping, Span
from connectors.fields import (
    any_of,
    choice,
    constant,
    currency,
    day,
    domain,
    equals,
    filled,
    first_of,
    id_of,
    identifier,
    instant,
    money,
    no,
    required,
    text,
    when,
    whole,
)

SOURCE: Final = "dynamics"
_ID: Final = ("(Do Not Modify) Opportunity",)
_STATUS: Final = ("Status", "Opportunity Status")
_ACCOUNT: Final = ("Account", "Potential Customer", "Parent Account", "Company Name")
_CREATED: Final = ("Created On", "Record Created On")
_CLOSED_ON: Final = ("Actual Close Date", "Close Date")
_STAMP: Final = instant(
    "(Do Not Modify) Modified On", "(Do Not Modify) Last Modified Date", "Modified On", "Last Modified Date", zone="local"
)

_WON: Final = equals(text(*_STATUS), "won")
_LOST: Final = equals(text(*_STATUS), "lost", "canceled", "cancelled")
_CLOSED: Final = any_of(_WON, _LOST)
_DAY_CLOSED: Final = when(_CLOSED, day(*_CLOSED_ON, zone="local"))
#: The view names the currency in full.
_CURRENCIES: Final = {
    "us dollar": "USD",
    "euro": "EUR",
    "pound sterling": "GBP",
    "british pound": "GBP",
    "swiss franc": "CHF",
    "canadian dollar": "CAD",
    "australian dollar": "AUD",
    "new zealand dollar": "NZD",
    "danish krone": "DKK",
    "swedish krona": "SEK",
    "norwegian krone": "NOK",
    "polish zloty": "PLN",
    "czech koruna": "CZK",
    "japanese yen": "JPY",
    "yen": "JPY",
    "indian rupee": "INR",
    "singapore dollar": "SGD",
    "south african rand": "ZAR",
    "brazilian real": "BRL",
}

OPPORTUNITIES: Final = Layout(
    name="opportunities",
    needs=(_ID, ("Topic", "Name", "Opportunity Name"), _STATUS, _CREATED),
    mappings=(
        Mapping(
            "deal",
            {
                "deal_id": required(id_of(SOURCE, *_ID)),
                "source": constant(SOURCE),
                "source_id": identifier(*_ID),
                "source_account_id": text(*_ACCOUNT),
                "source_product_id": text("Product", "Product Line", "Solution"),
                "name": text("Topic", "Name", "Opportunity Name"),
                "owner": text("Owner"),
                "pipeline": text("Process", "Business Unit"),
                "stage": text("Pipeline Phase", "Sales Stage", "Process Stage"),
                "kind": choice(
                    "Opportunity Type",
                    "Type",
                    cases={
                        **dict.fromkeys(("new", "new business", "new customer"), "new"),
                        **dict.fromkeys(("existing business", "existing customer", "expansion", "upsell"), "expansion"),
                        "renewal": "renewal",
                    },
                    otherwise="none",
                ),
                "lead_source": text("Lead Source", "Source Campaign"),
                # what it brought once it is won, else what is hoped for
                "amount": first_of(when(_WON, money("Actual Revenue")), money("Est. Revenue", "Estimated Revenue")),
                "list_amount": money("Total Detail Amount"),
                "currency": currency(choice("Currency", cases=dict(_CURRENCIES), otherwise="keep")),
                "created_on": required(day(*_CREATED, zone="local")),
                "expected_close_on": when(no(_CLOSED), day("Est. Close Date", "Estimated Close Date", zone="local")),
                "closed_on": when(_CLOSED, required(_DAY_CLOSED)),
                "is_won": required(
                    choice(
                        *_STATUS, cases={"won": "true", **dict.fromkeys(("lost", "canceled", "cancelled", "open", "in progress"), "false")}
                    )
                ),
                "is_lost": when(_LOST, constant(True), constant(False)),
                "lost_reason": when(_LOST, text("Status Reason", "Lost Reason", "Close Reason")),
                "lost_comment": when(_LOST, text("Close Description", "Lost Comments")),
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
            "source_account",
            {"source": constant(SOURCE), "source_id": text(*_ACCOUNT), "name": text(*_ACCOUNT)},
            where=filled(*_ACCOUNT),
            one_each=("source", "source_id"),
            hint=True,
        ),
    ),
    export="Sales Hub > Opportunities > a view of all, with Status, Actual Close Date, Actual Revenue and Currency > Export to Excel > "
    "Static Worksheet",
)

_ACCOUNT_ID: Final = ("(Do Not Modify) Account",)
_ACCOUNT_CREATED: Final = day(*_CREATED, zone="local")

ACCOUNTS: Final = Layout(
    name="accounts",
    needs=(_ACCOUNT_ID, ("Account Name", "Name")),
    mappings=(
        Mapping(
            "account",
            {
                "account_id": required(id_of(SOURCE, *_ACCOUNT_ID)),
                "source": constant(SOURCE),
                "source_id": identifier(*_ACCOUNT_ID),
                "name": text("Account Name", "Name"),
                "domain": domain("Website", "Web Site"),
                "industry": text("Industry"),
                "region": text("Territory", "Region", "Address 1: State/Province"),
                "country": text("Address 1: Country/Region", "Country/Region", "Country"),
                "employees": whole("Number of Employees", "No. of Employees"),
                "owner": text("Owner"),
                "created_on": _ACCOUNT_CREATED,
                "modified_at": _STAMP,
            },
            span=Span((_ACCOUNT_CREATED,), (_ACCOUNT_CREATED, _STAMP)),
        ),
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": identifier(*_ACCOUNT_ID),
                "name": text("Account Name", "Name"),
                "domain": domain("Website", "Web Site"),
                "other_id": text("Account Number", "Stripe Customer ID", "Billing ID"),
                "modified_at": _STAMP,
            },
            hint=True,
        ),
    ),
    export="Sales Hub > Accounts > a view of all > Export to Excel > Static Worksheet",
)

DYNAMICS: Final = Connector(SOURCE, "Microsoft Dynamics 365", (OPPORTUNITIES, ACCOUNTS), dated_name=True)
