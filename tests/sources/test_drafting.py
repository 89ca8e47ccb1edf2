"""Drafts of mappings: what is seen stands in them, what is likely is a question, and no file can write into them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.errors import Unreadable
from kpi.sources.drafting import draft, quoted
from kpi.sources.profiling import look
from kpi.sources.reading import read


def drafted(tmp_path: Path, text: str, name: str = "shop_payments.csv") -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    folder = tmp_path / "folder"
    folder.mkdir(exist_ok=True)
    return draft(look(path, folder), name, {"stripe"})


PAYMENTS = """\
Shop 12;;;;
Payment ID;Customer;Status;Amount USD;Date
P-1;Ada;paid;1200;01/02/2026
P-2;Bob;open;900;03/02/2026
P-3;Bob;lost;700;04/02/2026
"""


def test_a_draft_that_check_accepts(tmp_path):
    text = drafted(tmp_path, PAYMENTS)
    source, problems = read(text.encode(), "d.yaml")
    assert not problems, text
    (layout,) = source.connector.layouts
    assert source.connector.name == "shop"
    assert layout.needs == (("Payment ID",), ("Customer",), ("Status",), ("Amount USD",), ("Date",))
    (mapping,) = layout.mappings
    assert mapping.table == "payment"
    assert set(mapping.columns) == {"source", "source_id", "payment_id", "source_account_id", "status", "amount", "currency", "paid_on"}
    lines = text.splitlines()
    # what can't be known is asked
    assert any(line.strip().startswith("# ? dates: dmy or mdy: ") for line in lines)
    assert any("if they are cents" in line for line in lines)
    assert any(
        line.strip() == "# ? lost: which of paid, failed, pending, disputed? Rows with it are set aside until this says" for line in lines
    )
    assert any(line.strip() == "currency: {value: USD}    # ? as the amounts seem to say" for line in lines)
    assert "- Amount USD    # number, such as 1200, 900, 700" in text
    guessed = [line for line in lines if re.match(r" {8}\w+:", line)]
    assert guessed
    assert all("# ?" in line for line in guessed)


def test_a_draft_with_gaps_says_which(tmp_path):
    text = drafted(tmp_path, "Customer,Status,Amount\nAda,new,1.50\nAda,new,1.50\n", "payments.csv")
    _, problems = read(text.encode(), "d.yaml")
    assert [problem.key.rpartition(".")[2] for problem in problems] == ["currency", "paid_on", "payment_id", "status"]
    for name in ("currency", "paid_on", "payment_id", "status"):
        assert f"# ? {name}:" in text
    assert "made_of: row" in text


def test_a_name_that_is_taken_is_no_source(tmp_path):
    assert "source: stripe-files " in drafted(tmp_path, PAYMENTS, "stripe.csv")


def test_the_account_of_a_ledger_is_no_customer(tmp_path):
    ledger = "transaction_id,transaction_date,account_id,amount,currency\nT-1,2024-01-15,5010,15.00,USD\nT-2,2024-01-16,5020,9.50,USD\n"
    lines = [line.strip().split("    # ")[0] for line in drafted(tmp_path, ledger, "general_ledger.csv").splitlines()]
    assert {"cost_line:", "cost_id: transaction_id", "ledger_account: account_id", "booked_on: transaction_date"} <= set(lines)
    assert not any(line.startswith("customer:") for line in lines)


@pytest.mark.parametrize("text", ["", "one\n", "1,2\n3,4\n", "\x00\x01"])
def test_what_is_no_table_is_said(tmp_path, text):
    with pytest.raises(Unreadable, match=r"can't be read|looks like the names of columns"):
        drafted(tmp_path, text)


HOSTILE = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)


@settings(max_examples=40, deadline=None)
@given(header=st.lists(HOSTILE, min_size=2, max_size=4), cells=st.lists(HOSTILE, min_size=2, max_size=8))
def test_hostile_cells_stay_in_their_quotes(tmp_path_factory, header, cells):
    folder = tmp_path_factory.mktemp("hostile")

    def row(texts):
        return ",".join('"' + text.replace('"', '""') + '"' for text in texts) + "\n"

    width = len(header)
    rows = [(cells + ["x"] * width)[at : at + width] for at in range(0, len(cells), width)]
    try:
        text = drafted(folder, row(header) + "".join(map(row, rows)), "x.csv")
    except Unreadable:
        return
    tree = yaml.safe_load(text)
    assert list(tree) == ["source", "exports"]
    (export,) = tree["exports"].values()
    assert set(export) <= {"columns", "rows"}
    assert all(isinstance(name, str) for name in export["columns"])
    _, problems = read(text.encode(), "d.yaml")
    assert not [problem for problem in problems if "YAML" in problem.message or "control" in problem.message], text


@given(st.text(max_size=40))
def test_quoted_texts_are_read_as_they_are(text):
    whole = text.encode("utf-8", "replace").decode("utf-8")
    assert yaml.safe_load(f"a: {quoted(whole)}    # x")["a"] == whole
