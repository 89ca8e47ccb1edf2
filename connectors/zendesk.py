"""Zendesk: tickets, as an account exports them to CSV or to JSON, and as the API answers.

The CSV is that of a view or of the account (``Summation column``, ``Id``, ``Requester``, …); it has no description, so its
subject is what was said, and its times are those of the account's zone, taken as the calendar's. The JSON export writes one
ticket a line, with its requester, organisation and comments within it (Zendesk help: Exporting data to a JSON, CSV or XML file);
the API's pages hold ``tickets`` (developer docs: Ticket exports), whose requesters and organisations are ids alone. Public
comments after the first, which is the description, are notes; private ones were not said to anyone and are left out. A ticket
rated with a comment says that as a note, too. Spam and deleted tickets are left out. Columns of the CSV are confirmed by public
files, of the JSON by documentation.
"""

from __future__ import annotations

from collections.abc import Mapping as Members
from typing import Any, Final

from connectors.base import Connector, Layout, Mapping, Skip, Span, Tree, an_object, inside, objects, plain, words
from connectors.fields import (
    any_of,
    constant,
    domain,
    equals,
    filled,
    first_of,
    id_of,
    identifier,
    instant,
    lower,
    own_domain,
    required,
    text,
)

SOURCE: Final = "zendesk"


def _local(*columns: str) -> Any:
    return instant(*columns, zone="local")


_EMPTY: Final = ("-", "--")
_COMPANY: Final = identifier("Organization", "Organisation", empty=_EMPTY)
_DOMAIN: Final = domain(first_of(identifier("Requester domain", empty=_EMPTY), identifier("Requester email", empty=_EMPTY)))
_WHO: Final = first_of(_COMPANY, own_domain(_DOMAIN), lower(identifier("Requester email", empty=_EMPTY)))

TICKETS: Final = Layout(
    name="tickets",
    needs=(("Id",), ("Requester",), ("Subject",), ("Status",), ("Via",), ("Created at",), ("Group stations", "Assignee", "Submitter")),
    lacks=("Issue key", "Deal Name"),
    skips=(Skip(equals("Status", "Deleted", "Spam", "Suspended"), "deleted or suspended tickets", retires=True),),
    mappings=(
        Mapping(
            "remark",
            {
                "remark_id": required(id_of(SOURCE, "Id", like="[0-9]+")),
                "source": constant(SOURCE),
                "source_id": identifier("Id"),
                "kind": constant("ticket"),
                "source_account_id": _WHO,
                "source_product_id": first_of(
                    identifier("Product [list]", "Product [txt]", "Product", empty=_EMPTY), identifier("Group", empty=_EMPTY)
                ),
                "said_at": required(_local("Created at")),
                "speaker": first_of(identifier("Requester", empty=_EMPTY), identifier("Requester email", empty=_EMPTY)),
                "side": constant("customer"),
                "subject": text("Subject"),
                "text": text("Subject"),
                "modified_at": _local("Updated at"),
            },
            span=Span((_local("Created at"),), (_local("Created at"), _local("Updated at"))),
        ),
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": _WHO,
                "name": _COMPANY,
                "domain": _DOMAIN,
                "email": lower(identifier("Requester email", empty=_EMPTY)),
                "other_id": identifier("Requester external id", empty=_EMPTY),
            },
            where=filled(_WHO),
            one_each=("source", "source_id"),
            hint=True,
        ),
    ),
    export="Admin Center > Account > Tools > Reports > Export > CSV; or a view's Export CSV",
)


def derive(record: dict[str, Any], page: Members[str, Any]) -> None:
    """Add ``said``, the description in plain words, and ``replies``: later public comments, and the words of a rating."""
    record["said"] = plain(words(record.get("description")))
    asked = record.get("requester_id") or inside(record, "requester", "id")
    replies = []
    for at, comment in enumerate(objects(record.get("comments"))):
        said = plain(words(comment.get("plain_body")) or words(comment.get("body")) or words(comment.get("html_body")))
        if (at == 0 and said == record["said"]) or not said or comment.get("public") in (False, "false"):
            continue
        author = an_object(comment.get("author"))
        writer = comment.get("author_id") or author.get("id")
        replies.append(
            {
                **comment,
                "said": said,
                "key": f"{record.get('id')}/{comment.get('id') or at}",
                "name": author.get("name") or author.get("email") or writer,
                "side": "" if writer is None or asked is None else "customer" if writer == asked else "seller",
            }
        )
    if rated := plain(words(inside(record, "satisfaction_rating", "comment"))):
        requester = inside(record, "requester", "name") or inside(record, "requester", "email") or record.get("requester_id")
        score = f"rating: {inside(record, 'satisfaction_rating', 'score') or 'none'}"
        at_ = {"created_at": record.get("updated_at") or record.get("created_at"), "about": score}
        replies.append({"said": rated, "key": f"{record.get('id')}/rating", "name": requester, "side": "customer", **at_})
    record["replies"] = replies


_ASKED: Final = first_of(
    identifier("organization.id", "organization_id"),
    own_domain("requester.email"),
    identifier("requester.id", "requester_id"),
)
_REQUESTER: Final = first_of(text("requester.name"), text("requester.email"), identifier("requester_id"))
_CREATED: Final = required(instant("created_at"))
_UPDATED: Final = instant("updated_at")
_ID: Final = required(id_of(SOURCE, "id"))

TICKETS_JSON: Final = Layout(
    name="tickets json",
    needs=(
        ("id",),
        ("subject", "raw_subject"),
        ("description",),
        ("status",),
        ("created_at",),
        ("requester_id", "requester.id", "requester"),
    ),
    lacks=("fields.summary", "conversation_parts", "iid"),
    tree=Tree(derive=derive),
    skips=(Skip(any_of(equals("status", "deleted"), equals("is_spam", "true")), "deleted tickets and spam", retires=True),),
    mappings=(
        Mapping(
            "remark",
            {
                "remark_id": _ID,
                "source": constant(SOURCE),
                "source_id": identifier("id"),
                "kind": constant("ticket"),
                "source_account_id": _ASKED,
                "said_at": _CREATED,
                "speaker": _REQUESTER,
                "side": constant("customer"),
                "subject": text("subject", "raw_subject"),
                "text": first_of(text("said"), text("subject")),
                "modified_at": _UPDATED,
            },
            span=Span((instant("created_at"),), (instant("created_at"), _UPDATED)),
        ),
        Mapping(
            "remark",
            {
                "remark_id": required(id_of(SOURCE, "replies.key")),
                "source": constant(SOURCE),
                "source_id": identifier("replies.key"),
                "kind": constant("note"),
                "source_account_id": _ASKED,
                "said_at": first_of(instant("replies.created_at"), _UPDATED),
                "speaker": text("replies.name"),
                "side": text("replies.side"),
                "subject": first_of(text("replies.about"), text("subject", "raw_subject")),
                "text": text("replies.said"),
                "modified_at": _UPDATED,
            },
            part="replies",
        ),
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": _ASKED,
                "name": text("organization.name"),
                "domain": domain("requester.email"),
                "email": lower(text("requester.email")),
                "other_id": identifier("organization.external_id"),
            },
            where=filled(_ASKED),
            one_each=("source", "source_id"),
            hint=True,
        ),
    ),
    export="Admin Center > Account > Tools > Reports > Export > JSON; or /api/v2/tickets.json",
)

ZENDESK: Final = Connector(SOURCE, "Zendesk", (TICKETS, TICKETS_JSON))
