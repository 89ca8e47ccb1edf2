"""What each system's export looks like; one file a system.

:data:`CONNECTORS` is the registry, in the order in which a file's header is tried.
"""

from __future__ import annotations

from typing import Final

from connectors.base import Connector
from connectors.jira import JIRA
from connectors.quickbooks import QUICKBOOKS
from connectors.salesforce import SALESFORCE
from connectors.stripe import STRIPE

CONNECTORS: Final[tuple[Connector, ...]] = (SALESFORCE, STRIPE, QUICKBOOKS, JIRA)
