"""Intercom: conversations with what was said in them, contacts and companies, as the API answers and as exports flatten it.

A conversation is a ticket: its first message is the ticket's text, later messages of either side are notes, and so is the remark
of a rating (developers.intercom.com: Conversations). Times are seconds since 1970, bodies are HTML. Internal notes and what bots and
workflows did are no words to a customer. The customer is the company of the conversation or of its contacts where the file says
so, else the domain of the author's e-mail, or the e-mail itself where its domain is a provider's. The API's shape is confirmed by
documentation, flattened columns (``source_subject``, ``source_author_email``) by one public file.
"""

from __future__ import annotations

from collections.abc import Mapping as Members
from typing import Any, Final

from connectors.base import Connector, Layout, Mapping, Span, Tree, an_object, inside, objects, plain, words
from connectors.fields import (
    Value,
    constant,
    domain,
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

SOURCE: Final = "intercom"
#: Parts of a conversation that are messages; assignments, notes of colleagues and changes of state aren't.
_MESSAGES: Final = frozenset({"comment", "open", "close", "quick_reply"})
_CUSTOMER: Final = frozenset({"user", "lead", "contact"})


def derive(record: dict[str, Any], page: Members[str, Any]) -> None:
    """Add ``said``, ``asked`` (who wrote first), ``company`` and ``replies`` (the later messages, and a rating's remark)."""
    source = an_object(record.get("source"))
    author = an_object(source.get("author"))
    subject = plain(words(source.get("subject")) or words(record.get("source_subject")))
    record["asked"] = {
        "subject": plain(words(record.get("title"))) or subject,
        "said": plain(words(source.get("body")) or words(record.get("source_body"))) or subject,
        "name": author.get("name") or author.get("email") or record.get("source_author_name") or record.get("source_author_email"),
        "email": author.get("email") or record.get("source_author_email"),
        "side": _side(author.get("type") or record.get("source_author_type")),
    }
    record["company"] = _company(record)
    replies = [_reply(record, part) for part in objects(inside(record, "conversation_parts", "conversation_parts"))]
    rating = an_object(record.get("conversation_rating"))
    if said := plain(words(rating.get("remark"))):
        about = f"rating: {rating.get('rating') or 'none'}"
        key = f"{record.get('id')}/rating"
        at = rating.get("created_at") or record.get("updated_at")
        replies.append({"key": key, "said": said, "at": at, "about": about, "name": record["asked"]["name"], "side": "customer"})
    record["replies"] = [reply for reply in replies if reply]


def _reply(record: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    said = plain(words(part.get("body")))
    author = an_object(part.get("author"))
    if part.get("part_type") not in _MESSAGES or not said or author.get("type") == "bot":
        return {}
    name = author.get("name") or author.get("email") or author.get("id")
    about = record["asked"]["subject"]
    return {
        "key": f"{record.get('id')}/{part.get('id')}",
        "said": said,
        "at": part.get("created_at"),
        "about": about,
        "name": name,
        "side": _side(author.get("type")),
    }


def _company(record: dict[str, Any]) -> Any:
    """The id of the one company that the conversation or its contacts are of."""
    found = set()
    for holder in (record, *_listed(record.get("contacts"), "contacts")):
        company = holder.get("company")
        if isinstance(company, dict):
            found.add(company.get("company_id") or company.get("id"))
        found |= {each.get("company_id") or each.get("id") for each in _listed(holder.get("companies"), "companies", "data")}
    found.discard(None)
    return found.pop() if len(found) == 1 else None


def _listed(value: Any, *names: str) -> list[dict[str, Any]]:
    """The objects of a list, or of the list that an object holds under one of these names."""
    if isinstance(value, dict):
        value = next((value[name] for name in names if name in value), None)
    return objects(value)


def _side(kind: Any) -> str:
    return "customer" if kind in _CUSTOMER else "seller" if kind in ("admin", "team") else ""


def _at(*columns: str) -> Value:
    return instant(*columns, zone="epoch")


_WHO: Final = first_of(identifier("company"), own_domain("asked.email"), lower(text("asked.email")))
_CREATED: Final = _at("created_at")
_UPDATED: Final = _at("updated_at")

CONVERSATIONS: Final = Layout(
    name="conversations",
    needs=(
        ("id",),
        ("created_at",),
        ("state", "open"),
        ("waiting_since", "conversation_parts", "statistics"),
        ("source.author", "source_author_email"),
    ),
    tree=Tree(kind=("type", ("conversation",)), derive=derive),
    mappings=(
        Mapping(
            "remark",
            {
                "remark_id": required(id_of(SOURCE, "id")),
                "source": constant(SOURCE),
                "source_id": identifier("id"),
                "kind": constant("ticket"),
                "source_account_id": _WHO,
                "said_at": required(_CREATED),
                "speaker": text("asked.name"),
                "side": text("asked.side"),
                "subject": text("asked.subject"),
                "text": text("asked.said"),
                "modified_at": _UPDATED,
            },
            span=Span((_CREATED,), (_CREATED, _UPDATED)),
        ),
        Mapping(
            "remark",
            {
                "remark_id": required(id_of(SOURCE, "replies.key")),
                "source": constant(SOURCE),
                "source_id": identifier("replies.key"),
                "kind": constant("note"),
                "source_account_id": _WHO,
                "said_at": first_of(_at("replies.at"), _UPDATED),
                "speaker": text("replies.name"),
                "side": text("replies.side"),
                "subject": text("replies.about"),
                "text": text("replies.said"),
                "modified_at": _UPDATED,
            },
            part="replies",
        ),
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": _WHO,
                "domain": domain("asked.email"),
                "email": lower(text("asked.email")),
            },
            where=filled(_WHO),
            one_each=("source", "source_id"),
            hint=True,
        ),
    ),
    export="GET /conversations/{id} for each, or /conversations/search; one file may hold many",
)

COMPANIES: Final = Layout(
    name="companies",
    needs=(("id",), ("name",), ("monthly_spend",), ("user_count",), ("created_at",)),
    tree=Tree(kind=("type", ("company",))),
    mappings=(
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": required(first_of(identifier("company_id"), identifier("id"))),
                "name": text("name"),
                "domain": domain("website"),
                "modified_at": _UPDATED,
            },
        ),
    ),
    export="GET /companies",
)

INTERCOM: Final = Connector(SOURCE, "Intercom", (CONVERSATIONS, COMPANIES))
