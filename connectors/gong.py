"""Gong: transcripts of calls (``/v2/calls/transcript``), and who took part in them (``/v2/calls/extensive``).

A transcript knows speakers by ids and times from the call's beginning; when a call began, who spoke, for which side, with which
account and about which deal stands in the answer of ``extensive`` alone. The two files may be imported in either order: what was
said is a remark from the first, and has its day, speaker and account once the other is there. Times of sentences are milliseconds
(Gong's documentation; some of its pages say seconds: calls whose last sentence ends before their count of sentences in
milliseconds would be too fast to speak are taken as seconds). A speaker's monologue is one remark.
"""

from __future__ import annotations

from collections.abc import Mapping as Members
from typing import Any, Final

from connectors.base import Connector, Layout, Mapping, Renews, Span, Tree, inside, objects
from connectors.fields import (
    case_safe,
    constant,
    equals,
    filled,
    first_of,
    id_of,
    identifier,
    instant,
    own_domain,
    prefixed,
    required,
    text,
    when,
    whole,
)

SOURCE: Final = "gong"
#: What the objects of a CRM are called, and what they are.
_KINDS: Final = {"account": "account", "company": "account", "opportunity": "deal", "deal": "deal"}
#: Nobody says a word in less than this; so many milliseconds a word at the least, else the times are seconds.
_MS_A_WORD: Final = 20


def turns(record: dict[str, Any], page: Members[str, Any]) -> None:
    """Add ``turns``: a speaker's sentences in a row as one text, with the moment of the first."""
    monologues = objects(record.get("transcript"))
    spoken = [objects(monologue.get("sentences")) for monologue in monologues]
    words = sum(len(str(sentence.get("text") or "").split()) for sentences in spoken for sentence in sentences)
    ends = [_number(sentence.get("end")) for sentences in spoken for sentence in sentences]
    times = 1 if max(ends, default=0.0) >= words * _MS_A_WORD else 1000
    record["turns"] = [
        {
            "key": f"{record.get('callId')}/{at}",
            "speaker": monologue.get("speakerId"),
            "topic": monologue.get("topic"),
            "ms": str(round(_number(sentences[0].get("start")) * times)),
            "said": " ".join(str(sentence.get("text") or "").strip() for sentence in sentences),
        }
        for at, (monologue, sentences) in enumerate(zip(monologues, spoken, strict=True), start=1)
        if sentences
    ]


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


_CALL: Final = required(id_of(SOURCE, "callId"))

TRANSCRIPTS: Final = Layout(
    name="transcripts",
    needs=(("callId",), ("transcript",), ("transcript.speakerId",), ("transcript.sentences.text",)),
    tree=Tree(derive=turns),
    mappings=(
        Mapping(
            "remark",
            {
                "remark_id": required(id_of(SOURCE, "turns.key")),
                "source": constant(SOURCE),
                "source_id": identifier("turns.key"),
                "kind": constant("call"),
                "speaker": text("turns.speaker"),
                "text": text("turns.said"),
                "conversation_id": _CALL,
                "speaker_id": text("turns.speaker"),
                "spoken_ms": required(whole("turns.ms")),
            },
            part="turns",
            where=filled("turns.said"),
            renews=Renews({"conversation_id": id_of(SOURCE, "callId")}),
        ),
    ),
    export="POST /v2/calls/transcript",
)


def metadata(record: dict[str, Any], page: Members[str, Any]) -> None:
    """Add ``about`` (account and deal of the CRM) and, where there is no account, the one domain that outsiders came from."""
    about: dict[str, Any] = {}
    for context in objects(record.get("context")):
        for found in objects(context.get("objects")):
            what = _KINDS.get(str(found.get("objectType")).casefold())
            if what and found.get("objectId"):
                about.setdefault(what, found["objectId"])
                about.setdefault(f"{what}_system", str(context.get("system") or "").casefold())
                about.setdefault(f"{what}_name", _name(found))
    parties = objects(record.get("parties"))
    outside = {
        str(each["emailAddress"]).rpartition("@")[2].casefold() for each in parties if _is_outside(each) and each.get("emailAddress")
    }
    about["domain"] = outside.pop() if len(outside) == 1 else None
    record["about"] = about
    record["speakers"] = [
        {
            **each,
            "call": inside(record, "metaData", "id"),
            "side": "seller" if each.get("affiliation") == "Internal" else "customer" if _is_outside(each) else "",
        }
        for each in parties
        if each.get("speakerId")
    ]


def _is_outside(party: dict[str, Any]) -> bool:
    return party.get("affiliation") == "External"


def _name(found: dict[str, Any]) -> Any:
    return next((field.get("value") for field in objects(found.get("fields")) if field.get("name") == "Name"), None)


_META: Final = required(id_of(SOURCE, "metaData.id"))
_STARTED: Final = first_of(instant("metaData.started"), instant("metaData.scheduled"))
_ACCOUNT: Final = first_of(case_safe("about.account"), own_domain("about.domain"))

CALLS: Final = Layout(
    name="calls",
    needs=(("metaData.id",), ("metaData.started", "metaData.scheduled"), ("parties",)),
    tree=Tree(derive=metadata),
    mappings=(
        Mapping(
            "conversation",
            {
                "conversation_id": _META,
                "source": constant(SOURCE),
                "source_id": identifier("metaData.id"),
                "source_account_id": _ACCOUNT,
                "deal_id": when(
                    equals("about.deal_system", "hubspot"),
                    prefixed("hubspot", text("about.deal")),
                    prefixed("salesforce", case_safe("about.deal")),
                ),
                "title": text("metaData.title"),
                "started_at": required(_STARTED),
                "seconds": whole("metaData.duration"),
            },
            span=Span((_STARTED,), tables=("remark",)),
        ),
        Mapping(
            "conversation_speaker",
            {
                "conversation_id": id_of(SOURCE, "speakers.call"),
                "source": constant(SOURCE),
                "source_id": identifier("speakers.speakerId"),
                "speaker_id": required(text("speakers.speakerId")),
                "name": first_of(text("speakers.name"), text("speakers.emailAddress")),
                "side": text("speakers.side"),
            },
            part="speakers",
        ),
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": _ACCOUNT,
                "name": text("about.account_name"),
                "domain": text("about.domain"),
                "other_id": case_safe("about.account"),
            },
            where=filled(_ACCOUNT),
            one_each=("source", "source_id"),
            hint=True,
        ),
    ),
    export="POST /v2/calls/extensive with parties and context",
)

GONG: Final = Connector(SOURCE, "Gong", (TRANSCRIPTS, CALLS))
