"""``import`` and its table, as people and scripts see them."""

from __future__ import annotations

import json

import pytest

from kpi import cli

HEADER = (
    "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Converted Amount Refunded,Converted Currency,"
    "Description,Fee,Statement Descriptor,Status,Seller Message,Taxes On Fee,Card ID,Customer ID,Customer Description,Customer Email,"
    "Invoice ID,Transfer"
)
ROW = (
    "ch_1,2026-03-01 10:00:00,10.00,0.00,eur,true,10.00,0.00,eur,Invoice 1,0.50,EXAMPLE,Paid,Payment complete.,0.00,"
    "card,cus_1,C,c@x.example,,"
)
BAD = ROW.replace("ch_1", "ch_2").replace("10.00,0.00,eur,true", "ten,0.00,eur,true")
METRICS = """\
north_star: collected
calendar: {week_starts: monday, year_starts: january, timezone: UTC}
currency: EUR
metrics:
  collected: {label: Collected, means: money taken, sum: amount, of: payment, at: paid_on, unit: money}
"""


@pytest.fixture
def kpi(tmp_path, monkeypatch, capsys):
    """``kpi("import", "a.csv")`` in a folder of its own; exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "metrics.yaml").write_text(METRICS)

    def run(*words):
        code = cli.main(list(words))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def write(name, *rows):
    from pathlib import Path

    Path(name).write_text("\n".join([HEADER, *rows]) + "\n")
    return name


def test_the_table_says_what_became_of_each_file_and_what_to_do_next(kpi):
    write("payments.csv", *[ROW.replace("ch_1", f"ch_{n}") for n in range(10, 20)], BAD)
    code, out, err = kpi("import", "payments.csv")
    assert code == 0
    assert [line.split("  ")[0] for line in out.splitlines()] == ["file", "------------", "payments.csv"]
    head, _, row = out.splitlines()
    assert head.split() == ["file", "recognised", "as", "read", "loaded", "rejected", "what", "to", "do", "next"]
    assert row.split(maxsplit=7)[1:7] == ["stripe", "unified", "payments", "11", "10", "1"]
    assert row.endswith("1 row can't be used: python -m kpi problems shows it with its reason")
    assert err == "1/1 payments.csv\n"


def test_the_json_has_the_contract_s_names(kpi):
    write("a.csv", ROW)
    code, out, _ = kpi("import", "a.csv", "--json")
    said = json.loads(out)
    assert code == 0
    assert said["generation"] == 1
    assert said["files"] == [
        {"file": "a.csv", "connector": "stripe", "status": "loaded", "rows_read": 1, "rows_loaded": 1, "rows_rejected": 0, "message": ""}
    ]
    _, out, _ = kpi("import", "a.csv", "--json")
    assert [file["status"] for file in json.loads(out)["files"]] == ["unchanged"]
    assert json.loads(out)["generation"] == 1


def test_an_unknown_file_is_a_finding(kpi, tmp_path):
    (tmp_path / "unknown.csv").write_text("colour,shape\nred,round\n")
    code, out, _ = kpi("import", "unknown.csv", "--json")
    assert code == 1
    assert json.loads(out)["files"][0]["status"] == "unknown"


def test_problems_lists_every_rejected_row(kpi):
    write("a.csv", *[ROW.replace("ch_1", f"ch_{n}") for n in range(10, 20)], BAD)
    kpi("import", "a.csv")
    code, out, _ = kpi("problems", "--json")
    (problem,) = json.loads(out)["problems"]
    assert code == 0
    assert (problem["file"], problem["line"], problem["column_name"], problem["value"]) == ("a.csv", 12, "Amount", "ten")
    _, out, _ = kpi("problems")
    assert "ten" in out.splitlines()[2]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("import", "missing.csv"), 2, "there is no file or folder missing.csv\n"),
        (("import", "a.csv", "--as", "strip"), 2, 'no connector is called "strip"; did you mean "stripe"?\n'),
        (("problems",), 0, ""),
    ],
)
def test_wrong_usage_is_one_sentence(kpi, words, code, sentence):
    write("a.csv", ROW)
    found = kpi(*words)
    assert (found[0], found[2]) == (code, sentence)


def test_rebuild_says_what_it_made(kpi):
    assert kpi("rebuild")[:2] == (0, "nothing was ever imported, so there is nothing to rebuild\n")
    kpi("import", write("a.csv", ROW))
    assert kpi("rebuild") == (0, "generation 2 was made from 1 archived files\n", "1/1 a.csv\n")


def test_doctor_finds_bytes_that_are_gone(kpi, tmp_path):
    kpi("import", write("a.csv", ROW))
    code, out, _ = kpi("doctor")
    assert code == 0
    assert "WRONG" not in out
    for blob in (tmp_path / "data" / "archive").rglob("*.zst"):
        blob.unlink()
    code, out, _ = kpi("doctor")
    assert code == 1
    assert "WRONG the archive holds the bytes of every import but a.csv" in out
    code, _, err = kpi("rebuild")
    assert code == 1
    assert "the archived bytes of a.csv" in err


def test_tables_tells_every_column_with_meaning_and_unit(kpi):
    kpi("import", write("a.csv", ROW))
    _, out, _ = kpi("tables")
    assert "payment: money taken or tried; 1 row\n" in out
    _, out, _ = kpi("tables", "--json")
    (payment,) = [table for table in json.loads(out)["tables"] if table["name"] == "payment"]
    assert payment["rows"] == 1
    assert {"name": "amount", "unit": "money", "meaning": "amount, in currency"} in payment["columns"]


def test_two_systems_that_hold_the_same_raise_the_question(kpi, shared_data):
    hubspot = shared_data / "hubspot" / "sample_hubspot_deals.csv"
    salesforce = shared_data / "salesforce_reports" / "sample_salesforce_history.csv"
    code, out, _ = kpi("import", str(hubspot), str(salesforce), "--json")
    said = json.loads(out)
    assert code == 0
    assert [file["rows_rejected"] for file in said["files"]] == [0, 0]
    assert said["questions"] == [
        "hubspot and salesforce hold the same kind of rows over the same days (deal: an opportunity), and counting all would count twice "
        "what they share. Which one counts? Until metrics.yaml says it, metrics on deal and deal_stage have no value. "
        "Add this, or with salesforce in its place:\nsources:\n  deal: hubspot\n  deal_stage: hubspot"
    ]
    assert said["files"][-1]["message"].endswith("deal_stage: hubspot")


def test_a_file_that_came_ahead_is_archived_once_and_leaves_nothing_else(kpi, monkeypatch):
    from pathlib import Path

    from kpi.commands import imports

    monkeypatch.setattr(imports, "_WORTHWHILE", 0)
    write("payments.csv", ROW)
    write("more.csv", ROW.replace("ch_1", "ch_2"))
    assert kpi("import", "payments.csv", "more.csv")[0] == 0
    assert kpi("import", "payments.csv")[0] == 0  # unchanged
    Path("strange.csv").write_text("a,b\n1,2\n")
    assert kpi("import", "strange.csv")[0] == 1
    kept = [path for path in Path("data/archive").rglob("*") if path.is_file() and path.name != "imports.jsonl"]
    assert sorted(path.suffix for path in kept) == [".zst", ".zst"]
    assert kpi("rebuild")[:2] == (0, "generation 2 was made from 2 archived files\n")
