"""What customers say: tickets of Zendesk, conversations of Intercom, calls of Gong and transcripts without a system."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from connectors.spoken import plain
from connectors.transcripts import is_cued, is_spoken
from kpi.errors import UnknownLayout
from tests.connectors.conftest import SAMPLES, Stager

FIRST = "first.example"
COLUMNS = ("remark_id", "kind", "source_account_id", "said_at", "speaker", "side", "text")


def test_tickets_of_zendesk_as_csv(staged: Stager) -> None:
    result = staged("zendesk_tickets.csv", timezone="Europe/Berlin")
    assert (result.staged.connector, result.staged.rows_read, result.staged.rows_loaded) == ("zendesk", 3, 2)
    assert result.rows("remark", *COLUMNS) == [
        # 9:15 in Berlin is 8:15 UTC
        ("zendesk:101", "ticket", "First GmbH", datetime(2026, 3, 2, 8, 15), "Ada Byron", "customer", "Import fails, again"),
        ("zendesk:102", "ticket", "max@gmail.com", datetime(2026, 3, 5, 22, 30), "Max", "customer", 'How do I "export"?'),
    ]
    assert result.rows("source_account", "source_id", "name", "domain", "email") == [
        ("First GmbH", "First GmbH", "first.example", "ada@first.example"),
        ("max@gmail.com", None, "gmail.com", "max@gmail.com"),  # gmail.com is nobody's
    ]
    assert result.staged.covers["remark"][:2] == (date(2026, 3, 2), date(2026, 3, 6))


def test_tickets_of_zendesk_as_json_with_what_was_answered(staged: Stager) -> None:
    result = staged("zendesk_tickets.json", timezone="Europe/Berlin")
    assert (result.staged.layout, result.staged.rows_read, result.staged.rows_loaded) == ("tickets json", 3, 2)
    # the tickets are those of the CSV, which has no description; the first comment is it, the third was said to nobody
    assert result.rows("remark", *COLUMNS) == [
        ("zendesk:101", "ticket", "77", datetime(2026, 3, 2, 8, 15), "Ada Byron", "customer", "It stops at row 7."),
        ("zendesk:101/2", "note", "77", datetime(2026, 3, 2, 8, 20), "Sam", "seller", "Which file?\nSend it & we look."),
        ("zendesk:101/rating", "note", "77", datetime(2026, 3, 4, 9), "Ada Byron", "customer", "Quick!"),
        ("zendesk:102", "ticket", "9002", datetime(2026, 3, 5, 22, 30), "Max", "customer", "How do I export?"),
    ]
    assert result.rows("source_account", "source_id", "name", "other_id")[0] == ("77", "First GmbH", "001A")


def test_conversations_of_intercom(staged: Stager) -> None:
    result = staged("intercom_conversations.json")
    assert (result.staged.connector, result.staged.rows_read, result.staged.rows_loaded) == ("intercom", 2, 2)
    # 1772446500 is 2 March 2026, 10:15 UTC
    assert result.rows("remark", *COLUMNS, "subject") == [
        (
            "intercom:4001",
            "ticket",
            "first.example",
            datetime(2026, 3, 2, 10, 15),
            "Ada Byron",
            "customer",
            "The page is slow.",
            "Slow page",
        ),
        ("intercom:4001/p1", "note", "first.example", datetime(2026, 3, 2, 10, 20), "Sam", "seller", "Which one?", "Slow page"),
        ("intercom:4001/p3", "note", "first.example", datetime(2026, 3, 2, 10, 23, 20), "Ada Byron", "customer", "The first.", "Slow page"),
        (
            "intercom:4001/rating",
            "note",
            "first.example",
            datetime(2026, 3, 4, 10, 15),
            "Ada Byron",
            "customer",
            "Fixed at once",
            "rating: 5",
        ),
        ("intercom:4002", "ticket", "acct-7", datetime(2026, 3, 5, 23, 30), "max@gmail.com", "customer", "Why 30 % more?", "Price"),
    ]


def test_a_transcript_of_gong_knows_ids_and_moments(staged: Stager) -> None:
    result = staged("gong_transcript.json")
    assert (result.staged.connector, result.staged.rows_read, result.staged.rows_loaded) == ("gong", 1, 1)
    assert result.rows("remark", "remark_id", "conversation_id", "speaker_id", "spoken_ms", "text") == [
        ("gong:7782342274025937895/1", "gong:7782342274025937895", "6432345678555530067", 460, "Hello. How is the pilot going?"),
        ("gong:7782342274025937895/2", "gong:7782342274025937895", "5552345678555530068", 61230, "It is too slow for us."),
    ]


def test_times_of_gong_in_seconds(staged: Stager, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    text = (SAMPLES / "gong_transcript.json").read_text()
    for ms in ("460", "2100", "2200", "5000", "61230", "65000"):
        text = text.replace(f": {ms}", f": {int(ms) / 1000}")
    path.write_text(text)
    assert staged(path).rows("remark", "spoken_ms") == [(460,), (61230,)]


def test_the_calls_of_gong_know_who_and_when(staged: Stager) -> None:
    result = staged("gong_calls.json")
    call = ("gong:7782342274025937895", "001A0000001bcdEFG2", "salesforce:006A0000001bcdEFG2", datetime(2026, 3, 5, 13, 2, 0, 500000), 1800)
    assert result.rows("conversation", "conversation_id", "source_account_id", "deal_id", "started_at", "seconds") == [call]
    assert result.rows("conversation_speaker", "speaker_id", "name", "side") == [
        ("5552345678555530068", "Ada Byron", "customer"),
        ("6432345678555530067", "Sam", "seller"),
    ]
    assert result.rows("source_account", "source_id", "name", "other_id") == [("001A0000001bcdEFG2", "First GmbH", "001A0000001bcdEFG2")]


def test_voices_of_webvtt_and_a_date_in_the_name(staged: Stager) -> None:
    result = staged(SAMPLES / "2026-03-05 1400 First pilot.vtt", timezone="Europe/Berlin")
    assert (result.staged.connector, result.staged.layout, result.staged.rows_loaded) == ("transcript", "subtitles", 2)
    assert result.rows("remark", "said_at", "speaker", "source_account_id", "subject", "text") == [
        (datetime(2026, 3, 5, 13, 0, 0, 460000), "Sam", "first.example", "2026-03-05 1400 First pilot", "Hello. How is the pilot going?"),
        (
            datetime(2026, 3, 5, 13, 1, 1, 230000),
            "Ada Byron",
            "first.example",
            "2026-03-05 1400 First pilot",
            "It is too slow for us, we think.",
        ),
    ]
    assert result.rows("source_account", "source_id", "name", "domain") == [("first.example", None, "first.example")]
    assert result.staged.notes == ()


def test_subrip_without_a_date_says_so(staged: Stager) -> None:
    result = staged("spoken.srt")
    assert result.rows("remark", "said_at", "speaker", "text") == [
        (None, "Ada Byron", 'Hello, Sam: how "are" you?'),
        (None, "Sam", "Hello."),
        (None, None, "And the pilot?"),
    ]
    assert "it doesn't say when it was held" in result.staged.notes[0]


def test_text_with_a_head(staged: Stager) -> None:
    result = staged("spoken.txt")
    assert result.staged.layout == "text"
    assert result.rows("remark", "said_at", "speaker", "deal_id", "subject", "text") == [
        (datetime(2026, 3, 5, 14, 0, 1), "Sam", "salesforce:006A0000001bcdEFG2", "Pilot review", 'Hello, "Ada". How is the pilot going?'),
        (datetime(2026, 3, 5, 14, 1, 2), "Ada Byron", "salesforce:006A0000001bcdEFG2", "Pilot review", "Too slow, we think; and late."),
        (datetime(2026, 3, 5, 14, 1, 10), "Sam", "salesforce:006A0000001bcdEFG2", "Pilot review", "Why?"),
        (datetime(2026, 3, 5, 14, 1, 12), "Ada Byron", "salesforce:006A0000001bcdEFG2", "Pilot review", "Nobody knows."),
    ]


def test_names_above_what_was_said(staged: Stager) -> None:
    text = "2026-03-05 call\n\nSam  0:01\nHello.\n\nAda Byron  1:02\nToo slow.\nAnd late.\n\nSam  1:10\nWhy?\n"
    rows = staged(text, name="2026-03-05.txt").rows("remark", "said_at", "speaker", "text")
    assert rows == [
        (datetime(2026, 3, 5, 0, 0, 1), "Sam", "Hello."),
        (datetime(2026, 3, 5, 0, 1, 2), "Ada Byron", "Too slow. And late."),
        (datetime(2026, 3, 5, 0, 1, 10), "Sam", "Why?"),
    ]


def test_a_corrected_transcript_is_the_same_call(staged: Stager) -> None:
    first = (SAMPLES / "spoken.txt").read_text()
    corrected = first.replace("[00:01:12] Ada Byron: Nobody knows.", "[00:01:12] Ada Byron: Ask Max.\n[00:01:20] Sam: I will.")
    assert {row[0] for row in staged(first).rows("remark", "conversation_id")} == {
        row[0] for row in staged(corrected).rows("remark", "conversation_id")
    }
    other = first.replace("Hello", "Good morning")
    assert staged(first).rows("remark", "conversation_id") != staged(other).rows("remark", "conversation_id")


@pytest.mark.parametrize(
    "text",
    [
        "name: north\nversion: 1\nowner: ada\nkind: text\n",
        "Hello\nthis is a letter\nbest: me\n",
        "a,b,c\nx: 1,2,3\ny: 1,2,3\nz: 2,3,4\n",
        "[settings]\nsam: 1\nsam: 2\nada: 3\n"[:12],
        '{"sam": "x",\n"ada": "y"}\n',
        "http://a.example\nhttp://b.example\nhttp://c.example\n",
        "2026-03-05 10:00 error\n2026-03-05 10:01 error\n2026-03-05 10:02 error\n",
    ],
)
def test_what_is_no_transcript(staged: Stager, text: str) -> None:
    assert not is_spoken(text)
    assert not is_cued(text)


def test_a_letter_is_still_unknown(staged: Stager) -> None:
    with pytest.raises(UnknownLayout):
        staged("Dear Ada\nthank you; it works\nSam\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a < b & c > d", "a < b & c > d"),
        ("<p>One</p><p>Two<br>Three</p>", "One\nTwo\nThree"),
        ("<script>alert(1)</script>Hello &lt;b&gt;", "Hello <b>"),
        ("<div>Hello\n   there</div>", "Hello there"),
        ("", ""),
        ("<p></p>", ""),
    ],
)
def test_plain_words(text: str, words: str) -> None:
    assert plain(text) == words


def test_the_conversations_of_a_real_export(staged: Stager, shared_data: Path) -> None:
    result = staged(shared_data / "intercom" / "intercom_conversations.json")
    conversations = json.loads((shared_data / "intercom" / "intercom_conversations.json").read_text())
    assert (result.staged.rows_read, result.staged.rows_loaded) == (len(conversations), len(conversations))
    said = {row[0]: row[1:] for row in result.rows("remark", "remark_id", "said_at", "source_account_id")}
    for each in conversations:
        began = datetime(1970, 1, 1) + timedelta(seconds=each["created_at"])
        assert said[f"intercom:{each['id']}"] == (began, each["source_author_email"].partition("@")[2])
    companies = staged(shared_data / "intercom" / "intercom_companies.json")
    assert companies.staged.layout == "companies"


def test_a_ticket_whose_cells_have_moved_is_a_problem_and_a_dash_is_nothing(staged: Stager) -> None:
    header, *rows = (SAMPLES / "zendesk_tickets.csv").read_text().splitlines()
    result = staged("\n".join([header, *rows, *rows, rows[0].replace('"1","101",', '"1",', 1) + ',""']) + "\n")
    assert [(column, value) for _, column, value, _ in result.problems()][:1] == [("Id", "Ada Byron")]
    assert {product for (product,) in result.rows("remark", "source_product_id")} == {"Atlas", "Support"}
