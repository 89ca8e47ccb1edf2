"""Transcripts without a system: WebVTT, SubRip (SRT) and plain text with a speaker before each turn.

WebVTT names speakers in voice tags (W3C: WebVTT, ``<v Ada>``), meeting programs write ``Ada: …`` in either format, and text is
written as ``Ada: …``, ``[00:01:02] Ada: …`` or ``Ada  00:01:02`` above what was said. A speaker's cues in a row are one turn. When
the call was held no such file says: it is taken from a line ``Date: 2026-03-05 14:00`` above the first turn, or from the file's name
(``2026-03-05 Example renewal.vtt``). So are ``Account:``, ``Deal:`` and ``Title:``. A corrected transcript takes the place of an older one
that begins alike.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Final

from connectors.base import Connector, Layout, Mapping, Part, Record, Renews, Report, Span, Trouble, plain
from connectors.fields import constant, domain, filled, first_of, id_of, identifier, instant, matches, required, text, when

SOURCE: Final = "transcript"
_CUE: Final = re.compile(r"(?P<start>(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3})\s*-->\s*(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3}.*")
_STAMP: Final = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
_NAME: Final = r"[^\W\d_][^:;,|<>\[\]\t\"=]{0,59}?"
_TURN: Final = re.compile(
    rf"(?:[\[(]?(?P<stamp>{_STAMP})[\])]?\s*[-–]?\s*)?(?P<name>{_NAME})(?:\s*[\[(](?P<later>{_STAMP})[\])])?\s*:\s+(?P<said>\S.*)"
)
_ABOVE: Final = re.compile(rf"(?P<name>{_NAME})\s{{2,}}(?P<stamp>{_STAMP})")
_VOICE: Final = re.compile(r"<v(?:\.[^\s>]*)?\s+(?P<name>[^>]+)>")
_SAID_BY: Final = re.compile(rf"(?P<name>{_NAME}):\s+(?P<said>\S.*)", re.DOTALL)
#: What may stand above the first turn, and what it is.
_HEAD: Final = {
    "date": "date",
    "recorded": "date",
    "started": "date",
    "account": "account",
    "company": "account",
    "customer": "account",
    "client": "account",
    "deal": "deal",
    "opportunity": "deal",
    "deal id": "deal",
    "opportunity id": "deal",
    "title": "title",
    "subject": "title",
    "meeting": "title",
    "call": "title",
}
_OTHER_HEADS: Final = frozenset({"participants", "attendees", "duration", "time", "language", "kind", "location", "host", "source"})
_DATED: Final = re.compile(r"(?<!\d)(20\d\d)[-_. ]?(0[1-9]|1[0-2])[-_. ]?([0-3]\d)(?:[T _-]+([01]\d|2[0-3])[-:.h]?([0-5]\d))?(?!\d)")
#: A pause after which a text without speakers goes on as another turn.
_PAUSE_MS: Final = 2000
#: Letters in which the first lines of nearly every text stand.
_BEGINNING: Final = 1 << 16


@dataclass
class _Turn:
    line: int
    name: str
    ms: int
    said: list[str] = field(default_factory=list)
    last_ms: int = 0


@dataclass
class _Head:
    """What stands above the first turn."""

    found: dict[str, str] = field(default_factory=dict)

    def take(self, line: str) -> bool:
        """Whether a line is one of it."""
        name, colon, value = line.partition(":")
        key = name.strip().casefold()
        if not colon or (key not in _HEAD and key not in _OTHER_HEADS):
            return False
        if key in _HEAD and value.strip():
            self.found.setdefault(_HEAD[key], value.strip())
        return True


def _ms(stamp: str) -> int:
    clock, _, fraction = stamp.replace(",", ".").partition(".")
    seconds = 0
    for part in clock.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds * 1000 + int((fraction + "000")[:3])


def _first_lines(text: str, most: int) -> list[str]:
    """The first lines of a text, of which few files need all of it to be cut into lines."""
    lines = text[:_BEGINNING].splitlines()
    return (lines if len(lines) > most else text.splitlines())[:most]


def is_cued(head: str) -> bool:
    """Whether a text is WebVTT or SubRip."""
    start = head.lstrip("\ufeff \t\r\n")
    if start.startswith("WEBVTT"):
        return True
    lines = [line.strip() for line in _first_lines(start, 3) if line.strip()]
    return len(lines) >= 2 and lines[0].isdigit() and _CUE.fullmatch(lines[1]) is not None


def is_spoken(head: str) -> bool:
    """Whether a text is turns of speakers: three at least, and most of its lines begin one or stand under its speaker."""
    lines = [line.strip() for line in _first_lines(head.lstrip("\ufeff"), 400) if line.strip()]
    if head.lstrip("\ufeff \t\r\n")[:1] in ("{", "[") and '"' in head[:200]:
        return False
    above = sum(_ABOVE.fullmatch(line) is not None for line in lines)
    if above >= 3 and above * 2 >= len(lines) // 3:
        return True
    body = [line for line in lines if not _Head().take(line)]
    begun = [match for line in body if (match := _TURN.fullmatch(line))]
    speakers = {match["name"].casefold() for match in begun}
    spoken = len(begun) >= 3 and len(speakers) >= 2 and len(begun) > len(speakers)
    # a file of settings has names and colons as well, each but once
    return spoken and len(begun) * 10 >= len(body) * 6


def flatten(report: Report) -> Iterator[Part | Trouble]:
    """A part for each turn, in the order in which they were said."""
    head = _Head()
    records = (Record(record.line, (record.cells[0].lstrip("\ufeff").rstrip("\r"),)) for record in report.records)
    first = list(itertools.islice(records, 10))
    cued = is_cued("\n".join(record.cells[0] for record in first))
    turns = (_cues if cued else _turns)(itertools.chain(first, records), head)
    # what is above the turns is known with the first of them; the rest is never held whole
    begun = list(itertools.islice(turns, 3))
    dated = _DATED.search(head.found.get("date", "")) or _DATED.search(PurePath(report.name).stem)
    started = _start(dated)
    if started is None:
        report.notes.append(
            "it doesn't say when it was held, so it counts on no day: write  Date: 2026-03-05 14:00  on its first line, "
            "or the date into its name"
        )
    elif dated and dated[4] is None:
        report.notes.append("it says the day on which it was held and not the hour: midnight is taken")
    beginning = " ".join(" ".join(turn.said) for turn in begun)
    call = hashlib.sha256(f"{started or ''} {beginning}".casefold().encode()).hexdigest()[:20]
    title = head.found.get("title") or PurePath(report.name).stem
    about = {"Title": title, "Account": head.found.get("account", ""), "Deal": head.found.get("deal", "")}
    for number, turn in enumerate(itertools.chain(begun, turns), start=1):
        words = plain(" ".join(turn.said))
        if not words:
            continue
        report.counted += 1
        at = "" if started is None else (started + timedelta(milliseconds=turn.ms)).isoformat(sep=" ", timespec="milliseconds")
        cells = {
            "Call": call,
            "Key": f"{call}/{number}",
            "At": at,
            "Speaker": turn.name,
            "Said": words,
            **about,
        }
        yield Part(turn.line, "", cells)


def _start(match: re.Match[str] | None) -> datetime | None:
    if match is None:
        return None
    try:
        return datetime(int(match[1]), int(match[2]), int(match[3]), int(match[4] or 0), int(match[5] or 0))  # noqa: DTZ001 - the calendar's zone
    except ValueError:
        return None


def _cues(records: Iterable[Record], head: _Head) -> Iterator[_Turn]:
    """The turns of WebVTT and SubRip: cues of one speaker in a row are one."""
    turn: _Turn | None = None
    start = -1
    note = False
    for record in records:
        line = record.cells[0].strip()
        if match := _CUE.fullmatch(line):
            start = _ms(match["start"])
            note = False
        elif not line:
            start, note = -1, False
        elif start < 0:
            note = note or line.startswith(("NOTE", "STYLE", "REGION"))
            head.take(line.removeprefix("NOTE").strip())
        else:
            name, words = _speaker(line)
            name = name or (turn.name if turn is not None and turn.last_ms == start else "")
            goes_on = turn is not None and (name == turn.name) and (bool(name) or start - turn.last_ms < _PAUSE_MS * 4)
            if turn is None or not goes_on:
                if turn is not None:
                    yield turn
                turn = _Turn(record.line, name, start)
            turn.said.append(words)
            turn.last_ms = start
    if turn is not None:
        yield turn


def _speaker(line: str) -> tuple[str, str]:
    if match := _VOICE.search(line):
        return match["name"].strip(), _VOICE.sub("", line).replace("</v>", "").strip()
    if match := _SAID_BY.fullmatch(line):
        return match["name"].strip(), match["said"].strip()
    return "", line


def _turns(records: Iterable[Record], head: _Head) -> Iterator[_Turn]:
    """The turns of a text; a line that begins none goes on with the last."""
    turn: _Turn | None = None
    for record in records:
        line = record.cells[0].strip()
        if not line or (turn is None and head.take(line)):
            continue
        match = _ABOVE.fullmatch(line) or _TURN.fullmatch(line)
        if match is None:
            if turn is None:
                head.found.setdefault("title", line)
            else:
                turn.said.append(line)
            continue
        groups = match.groupdict()
        stamp = groups.get("stamp") or groups.get("later")
        ms = _ms(stamp) if stamp else (turn.ms if turn is not None else 0)
        if turn is not None and turn.name == match["name"].strip():
            turn.said += [groups["said"]] if groups.get("said") else []
            continue
        if turn is not None:
            yield turn
        turn = _Turn(record.line, match["name"].strip(), ms, [groups["said"]] if groups.get("said") else [])
    if turn is not None:
        yield turn


_CALL: Final = required(id_of(SOURCE, "Call"))
_AT: Final = instant("At", zone="local")


def _layout(name: str, written: object, export: str) -> Layout:
    return Layout(
        name=name,
        needs=(),
        written=written,  # type: ignore[arg-type]
        reshape=flatten,
        mappings=(
            Mapping(
                "remark",
                {
                    "remark_id": required(id_of(SOURCE, "Key")),
                    "source": constant(SOURCE),
                    "source_id": identifier("Key"),
                    "kind": constant("call"),
                    "source_account_id": text("Account"),
                    "deal_id": first_of(when(matches("Deal", "^[a-z]+:"), text("Deal")), when(filled("Deal"), id_of("salesforce", "Deal"))),
                    "said_at": _AT,
                    "speaker": text("Speaker"),
                    "subject": text("Title"),
                    "text": required(text("Said")),
                    "conversation_id": _CALL,
                },
                renews=Renews({"conversation_id": id_of(SOURCE, "Call")}),
                span=Span((_AT,)),
            ),
            Mapping(
                "source_account",
                {
                    "source": constant(SOURCE),
                    "source_id": text("Account"),
                    "name": when(matches("Account", r"^[^@\s]+\.[a-z]{2,}$"), constant(None), text("Account")),
                    "domain": when(matches("Account", r"^[^\s]+\.[a-z]{2,}$"), domain("Account")),
                },
                where=filled("Account"),
                one_each=("source", "source_id"),
                hint=True,
            ),
        ),
        export=export,
    )


CUED: Final = _layout("subtitles", is_cued, "a meeting program's Download transcript, as .vtt or .srt")
SPOKEN: Final = _layout("text", is_spoken, "a meeting program's Download transcript, as .txt; one turn a line, its speaker before a colon")

TRANSCRIPT: Final = Connector(SOURCE, "Transcripts", (CUED, SPOKEN))
