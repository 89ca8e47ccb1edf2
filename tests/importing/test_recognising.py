"""Sentences on files that no connector knows."""

from __future__ import annotations

import pytest

from connectors.documents import Document
from connectors.reading import open_texts
from kpi.errors import UnknownLayout
from kpi.importing.recognising import recognise, recognise_tree

KNOWN = "docs/connectors.md lists the exports that are read, and python -m kpi connectors --draft FILE begins a mapping of another"


@pytest.mark.parametrize(
    ("found", "nearest", "sentence"),
    [
        (["colour", "", "shape"], "", f"no connector knows a file with the columns colour, shape; {KNOWN}"),
        (
            ["Id", "Name"],
            "salesforce account",
            "no connector knows a file with the columns Id, Name; the nearest layout is salesforce account, which also needs Type. "
            f"Export it again with those columns; {KNOWN}",
        ),
        (['[{"email": "a@b.example"'], "", f"no row of it looks like the names of columns; {KNOWN}"),
        (["Hello, this is Jane Doe calling about my bill. " * 3], "", f"no row of it looks like the names of columns; {KNOWN}"),
        ([], "", f"no row of it looks like the names of columns; {KNOWN}"),
    ],
)
def test_the_sentence_names_columns_and_repeats_no_content(found, nearest, sentence):
    assert str(UnknownLayout("a.csv", found, nearest, ["Type"])) == sentence


def test_the_nearest_layout_is_the_one_that_would_read_most_of_the_file(tmp_path):
    """A ledger with one column of amounts lacks two columns of a ledger's, and fewer of layouts that it has nothing to do with."""
    path = tmp_path / "ledger.csv"
    path.write_text("Date,Account,Description,Amount,Currency,Reference\n2026-03-01,5100 Hosting,Servers,100.00,EUR,B-1\n")
    with pytest.raises(UnknownLayout) as refused:
        recognise(open_texts(path, tmp_path)[0], "ledger.csv")
    assert "the nearest layout is ledger bookings, which also needs Debit, Credit" in str(refused.value)


def test_names_that_every_system_uses_bring_no_layout_near(tmp_path):
    """A list of kinds of issues has an id, a name and a description, as products of Stripe do."""
    path = tmp_path / "issue_type.csv"
    path.write_text("id,name,description,subtask\n1,Bug,Broken things,false\n")
    with pytest.raises(UnknownLayout) as refused:
        recognise(open_texts(path, tmp_path)[0], "issue_type.csv")
    assert str(refused.value) == f"no connector knows a file with the columns id, name, description, subtask; {KNOWN}"


def test_the_nearest_of_json_is_what_would_read_most_of_it(tmp_path):
    """A subscription without its items has more of a subscription than of an invoice, though it has more of what an invoice needs."""
    path = tmp_path / "subscriptions.json"
    path.write_text(
        '[{"id": "sub_1", "customer": "c", "status": "active", "currency": "eur", "current_period_end": 1748678400, "canceled_at": null, '
        '"cancel_at_period_end": false, "trial_end": null, "quantity": 2}]'
    )
    with pytest.raises(UnknownLayout) as refused:
        recognise_tree(Document(open_texts(path, tmp_path)[0]), "subscriptions.json")
    assert "the nearest layout is stripe api subscriptions, which also needs created, items.data.id" in str(refused.value)
