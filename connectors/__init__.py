"""What each system's export looks like; one file a system.

:data:`CONNECTORS` is the registry, in the order in which a file's header is tried.
"""

from __future__ import annotations

from typing import Final

from connectors.asana import ASANA
from connectors.base import Connector
from connectors.chargebee import CHARGEBEE
from connectors.datev import DATEV
from connectors.dynamics import DYNAMICS
from connectors.github import GITHUB
from connectors.gitlab import GITLAB
from connectors.gitlab_api import API as GITLAB_API
from connectors.gong import GONG
from connectors.hubspot import HUBSPOT
from connectors.hubspot_api import API as HUBSPOT_API
from connectors.intercom import INTERCOM
from connectors.jira import JIRA
from connectors.jira_api import API as JIRA_API
from connectors.ledger import LEDGER
from connectors.linear import LINEAR
from connectors.paddle import PADDLE
from connectors.pipedrive import PIPEDRIVE
from connectors.quickbooks import QUICKBOOKS
from connectors.rates import ECB, RATES
from connectors.recurly import RECURLY
from connectors.recurly_subscriptions import EXPORT as RECURLY_EXPORT
from connectors.recurly_subscriptions import SUBSCRIPTIONS as RECURLY_SUBSCRIPTIONS
from connectors.salesforce import SALESFORCE
from connectors.stripe import STRIPE
from connectors.stripe_api import API as STRIPE_API
from connectors.stripe_billing import API as STRIPE_BILLING
from connectors.transcripts import TRANSCRIPT
from connectors.xero import XERO
from connectors.zendesk import ZENDESK

CONNECTORS: Final[tuple[Connector, ...]] = (
    *(SALESFORCE, HUBSPOT.also(HUBSPOT_API), PIPEDRIVE, DYNAMICS),
    *(STRIPE.also((*STRIPE_API, *STRIPE_BILLING)), CHARGEBEE, RECURLY.also((RECURLY_SUBSCRIPTIONS, RECURLY_EXPORT)), PADDLE),
    *(QUICKBOOKS, XERO, DATEV),
    *(JIRA.also(JIRA_API), LINEAR, GITLAB.also(GITLAB_API), ASANA, GITHUB),
    *(ZENDESK, INTERCOM, GONG, TRANSCRIPT),
    *(ECB, RATES),
    # the least particular of them
    LEDGER,
)
