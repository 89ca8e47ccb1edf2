"""``show`` and ``explain``: the contract of the command line."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from kpi import cli
from kpi.metrics.definitions import load
from kpi.metrics.layout import laid_out
from kpi.printing import harmless
from kpi.settings import Settings
from kpi.warehouse.engines import create_tables
from kpi.warehouse.home import Current, swap_current, warehouse_file

DEFINITIONS = """
north_star: win_rate
currency: EUR
calendar: {timezone: UTC}
dimensions:
  segment: {label: Segment, of: account, is: case when employees >= 100 then '=Large' when employees >= 0 then 'Small' end}
metrics:
  won: {label: Won, means: Deals that were won., owner: sales, count: deal, at: closed_on, where: is_won}
  lost: {label: Lost, count: deal, at: closed_on, where: is_lost}
  amount: {label: Amount, sum: amount, of: deal, at: closed_on, where: "deal.stage <> 'it''s; -- (odd'"}
  win_rate: {label: Win rate, means: Won of closed., owner: sales, formula: won / (won + lost), unit: percent}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A published generation: three deals of January and February 2026, covered to 14 February."""
    path = tmp_path / "home"
    path.mkdir()
    definitions = tmp_path / "metrics.yaml"
    definitions.write_text(DEFINITIONS, encoding="utf-8")
    monkeypatch.setenv("KPI_HOME", str(path))
    monkeypatch.setenv("KPI_METRICS", str(definitions))
    mappings = load(definitions).mappings_hash
    with duckdb.connect(str(warehouse_file(path, 1))) as connection:
        create_tables(connection)
        run = connection.execute
        run("insert into generation (number, mappings) values (1, ?)", [mappings])
        run("insert into import_run (run_id, file, connector) values (1, 'deals.csv', 'salesforce')")
        run("insert into account (account_id, employees) values ('a', 500), ('b', 5)")
        for number, account, amount, day, won in (
            (1, "a", "-100", dt.date(2026, 1, 5), True),
            (2, "b", "20.5", dt.date(2026, 1, 6), False),
            (3, None, "3", dt.date(2026, 2, 7), True),
        ):
            columns = "deal_id, source, run_id, account_id, amount, currency, closed_on, is_won, is_lost"
            values = [str(number), account, Decimal(amount), day, won, not won]
            run(f"insert into deal ({columns}) values (?, 's', 1, ?, ?, 'EUR', ?, ?, ?)", values)
        run("insert into coverage values ('deal', 's', DATE '2026-01-01', DATE '2026-02-15', 'dates of its rows', 3)")
        run("insert into money_currency values ('deal', 's', 'EUR', '', 3)")
    swap_current(path, Current(1, 0, mappings))
    return Settings(home=path, metrics=definitions)


def printed(capsys, *words):
    code = cli.main(list(words))
    out = capsys.readouterr()
    return code, out.out, out.err


def test_json_has_the_keys_and_types_of_the_contract(home, capsys):
    code, out, err = printed(capsys, "show", "won", "amount", "win_rate", "--by", "segment", "--grain", "month", "--format", "json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert answer["rows"][0] == {
        "period": "2026-01-01",
        "segment": "=Large",
        "won": 1,
        "amount": "-100.0000",
        "win_rate": 1.0,
        "partial": False,
    }
    assert [(row["period"], row["segment"], row["amount"], row["win_rate"], row["partial"]) for row in answer["rows"][1:]] == [
        ("2026-01-01", "Small", "20.5000", 0.0, False),
        ("2026-01-01", "(none)", "0.0000", None, False),
        ("2026-02-01", "=Large", "0.0000", None, True),
        ("2026-02-01", "Small", "0.0000", None, True),
        ("2026-02-01", "(none)", "3.0000", 1.0, True),
    ]
    rest = {name: answer[name] for name in ("metrics", "by", "grain", "units", "currency", "generation", "data_through", "warnings")}
    assert rest == {
        "metrics": ["won", "amount", "win_rate"],
        "by": ["segment"],
        "grain": "month",
        "units": {"won": "number", "amount": "money", "win_rate": "percent"},
        "currency": "EUR",
        "generation": 1,
        "data_through": "2026-02-14",
        "warnings": [
            "the data of won, amount and win_rate reach from 1 Jan 2026 to 14 Feb 2026: 1 Feb 2026 to 28 Feb 2026 is covered in part"
        ],
    }
    assert len(answer["definitions"]) >= 12
    assert answer["states"] == {
        "won": ["known"] * 3 + ["partial"] * 3,
        "amount": ["known"] * 3 + ["partial"] * 3,
        "win_rate": ["known", "known", "empty", "empty", "empty", "partial"],  # nothing closed: no rate
    }


def test_a_table_rounds_and_the_other_formats_keep_every_digit(home, capsys):
    asked = ["show", "third", "rate", "--until", "2026-02-01"]
    definitions = DEFINITIONS + "  third: {formula: amount / 3, unit: money}\n  rate: {formula: won / (won + lost + lost), unit: percent}\n"
    home.metrics.write_text(definitions, encoding="utf-8")
    _, table, _ = printed(capsys, *asked)
    _, text, _ = printed(capsys, *asked, "--format", "csv")
    _, answer, _ = printed(capsys, *asked, "--json")
    # (−100 + 20.50) / 3 and 1 / 3
    assert table.splitlines()[2].split("  ")[-2:] == ["€\u00a0−26.50", "33.3\u00a0%"]
    assert text.splitlines()[1] == "2026-01-01,-26.5,0.3333333333,false"
    assert [json.loads(answer)["rows"][0][name] for name in ("third", "rate")] == [-26.5, 0.3333333333]


def test_dimensions_may_be_given_with_commas_or_again_and_filters_all_hold(home, capsys):
    for by in (["--by", "segment,deal.source"], ["--by", "segment", "deal.source"], ["--by", "segment", "--by", "deal.source"]):
        _, out, _ = printed(capsys, "show", "won", *by, "--json")
        assert json.loads(out)["by"] == ["segment", "deal.source"]
    _, out, _ = printed(capsys, "show", "amount", "--where", "deal.amount > 0", "--where", "segment is null", "--json")
    assert json.loads(out)["rows"][0]["amount"] == "3.0000"


def test_since_is_inclusive_and_until_exclusive(home, capsys):
    _, out, _ = printed(capsys, "show", "amount", "--since", "2026-01-06", "--until", "2026-02-07", "--json")
    assert [(row["period"], row["amount"]) for row in json.loads(out)["rows"]] == [("2026-01-06", "20.5000")]


def test_top_order_and_limit(home, capsys):
    _, out, err = printed(capsys, "show", "amount", "--by", "segment", "--top", "1", "--top-by", "won", "--order", "amount", "--json")
    answer = json.loads(out)
    # Won: one of =Large, none of Small, one of no segment, which is shown anyway.
    assert [(row["segment"], row["amount"]) for row in answer["rows"]] == [
        ("(none)", "3.0000"),
        ("=Large", "-100.0000"),
        ("(other)", "20.5000"),
    ]
    assert (answer["top"], answer["order"]) == ({"groups": 1, "by": "won"}, [{"name": "amount", "descending": True}])
    _, out, err = printed(capsys, "show", "amount", "--by", "segment", "--order", "segment", "desc", "--limit", "1", "--format", "csv")
    assert out.splitlines()[1].split(",")[1:3] == ["Small", "20.5000"]
    assert err == "note: 1 of 3 rows is shown, as the limit says\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--order", "amount", "down"], "--order amount down: write one name, then asc or desc; for a second name write --order again"),
        (["--order", "won"], 'rows can\'t be sorted by "won", which is not asked for; they have period, amount'),
        (["--top", "3"], "the top 3 of what? Say which groups with --by and a dimension: segment"),
        (["--limit", "none"], "argument --limit: 'none' is no number of 1 or more"),
        (["--top", "-1"], "argument --top: '-1' is no number of 1 or more"),
        (["--top", "0"], "argument --top: '0' is no number of 1 or more"),
    ],
)
def test_what_of_the_rows_cannot_be_asked_is_wrong_usage(home, capsys, words, sentence):
    code, out, err = printed(capsys, "show", "amount", *words)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].endswith(sentence)


@pytest.mark.parametrize("command", ["show", "explain"])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["wonn"], 'no metric is called "wonn"; did you mean "won"?'),
        (["zzz"], 'no metric is called "zzz"; known are won, lost, amount, win_rate'),
        (["won", "--by", "segmnt"], 'no dimension is called "segmnt"; did you mean "segment"?'),
        (["won", "--by", "zzz"], 'no dimension is called "zzz"; known are segment'),
        (["won", "--by", "stage"], 'no dimension is called "stage"; write deal.stage for the column'),
        (["won", "--by", "deal.stagg"], 'no column of deal is called "stagg"; did you mean "stage"?'),
        (["won", "--by", "deals.stage"], 'no table is called "deals"; did you mean "deal"?'),
        (["won", "--where", "segmnt = 'x'"], 'no dimension is called "segmnt"; did you mean "segment"?'),
        (["won", "--where", "segment = "], 'this can\'t be read near "="; see docs/metrics.md for what an expression may hold'),
        (["won", "--by", "worklog.hours"], None),
        (
            ["won", "--since", "2026-02-01", "--until", "2026-01-01"],
            "there is no day from 2026-02-01 to before 2026-01-01; since is the first day, until the first no more",
        ),
        (["won", "--since", "yesterday"], "--since yesterday: that is no day; write it as 2026-01-31"),
    ],
)
def test_a_wrong_request_is_wrong_usage_whatever_is_wrong_with_it(home, capsys, command, words, sentence):
    code, out, err = printed(capsys, command, *words)
    assert (code, out) == (2, "")
    assert err.strip() == sentence or (sentence is None and "has no key that leads there; it reaches" in err)


def test_a_group_that_is_called_none_is_told_from_none(home, capsys):
    with duckdb.connect(str(warehouse_file(home.home, 1))) as connection:
        connection.execute("insert into account (account_id, region) values ('n', '(none)'), ('o', '(other)')")
        connection.execute("update deal set account_id = 'n' where deal_id = '1'; update deal set account_id = 'o' where deal_id = '2'")
    _, out, _ = printed(capsys, "show", "amount", "--by", "account.region", "--json")
    assert [row["account.region"] for row in json.loads(out)["rows"]] == ["\\(none)", "\\(other)", "(none)"]
    _, out, _ = printed(capsys, "show", "amount", "--by", "account.region")
    assert [line.split("  ")[1].strip() for line in out.splitlines()[2:5]] == ["\\(none)", "\\(other)", "(none)"]


def test_csv_makes_texts_harmless_and_leaves_numbers_alone(home, capsys):
    code, out, _ = printed(capsys, "show", "amount", "--by", "segment", "--format", "csv", "--until", "2026-02-01")
    assert code == 0
    assert list(csv.reader(io.StringIO(out))) == [
        ["period", "segment", "amount", "partial"],
        ["2026-01-01", "'=Large", "-100.0000", "false"],
        ["2026-01-01", "Small", "20.5000", "false"],
    ]
    assert [harmless(text) for text in ("=1", "+1", "-1", "@x", "\tx", "a=1")] == ["'=1", "'+1", "'-1", "'@x", "'\tx", "a=1"]


def test_a_table_says_why_a_value_is_missing(home, capsys):
    _, out, err = printed(capsys, "show", "win_rate", "amount", "--grain", "month", "--since", "2026-02-01", "--until", "2026-04-01")
    assert [line.split("  ")[0] for line in out.splitlines()] == [
        "period",
        "--------",
        "Feb 2026",
        "Mar 2026",
        "",
        "data through 2026-02-14",
    ]
    assert "(partial)" in out.splitlines()[2]
    assert out.splitlines()[3].count("— (unknown)") == 2
    assert err.startswith("note: the data of win_rate and amount reach from 1 Jan 2026 to 14 Feb 2026")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["show", "wonn"], 2, 'no metric is called "wonn"; did you mean "won"?'),
        (["show", "won", "--since", "yesterday"], 2, "--since yesterday: that is no day; write it as 2026-01-31"),
        (["show", "won", "--by", "segmant"], 2, "segmant"),
        (["show", "won", "--where", "segment = "], 1, ""),
    ],
)
def test_wrong_usage_is_one_sentence_without_a_traceback(home, capsys, words, code, sentence):
    found, out, err = printed(capsys, *words)
    assert out == ""
    assert sentence in err
    assert "Traceback" not in err
    assert found == code or sentence == ""


def test_explain_prints_definition_tree_sql_sources_and_files(home, capsys):
    code, out, _ = printed(capsys, "explain", "win_rate", "--grain", "month")
    assert code == 0
    for piece in (
        "win_rate: Win rate\n  Won of closed.\n  owner: sales; unit: percent",
        "  1–28 Feb 2026, over all groups:\n"
        "  win_rate  100.0\u00a0% (partial)  formula: won / (won + lost)\n"
        "    won           1 (partial)  count: deal, at: closed_on, where: is_won\n"
        "    lost          0 (partial)  count: deal, at: closed_on, where: is_lost\n",
        "  weeks begin on Monday",
        "  deal from s: 3 rows, 2026-01-01 to 2026-02-14 (dates of its rows)\n    deals.csv: 3 rows",
        "-- SQL, generation 1\nWITH",
    ):
        assert piece in out


def test_the_sql_of_explain_runs_as_it_stands_and_gives_the_same_rows(home, capsys):
    _, out, _ = printed(capsys, "explain", "won", "amount", "win_rate", "--by", "segment", "--where", "segment <> 'it''s'", "--json")
    sql = json.loads(out)["sql"]
    _, out, _ = printed(capsys, "show", "won", "amount", "win_rate", "--by", "segment", "--where", "segment <> 'it''s'", "--json")
    shown = [(row["segment"], row["won"], Decimal(row["amount"])) for row in json.loads(out)["rows"]]
    with duckdb.connect(str(warehouse_file(home.home, 1)), read_only=True) as connection:
        assert [(row[1] or "(none)", row[2], row[3]) for row in connection.execute(sql).fetchall()] == shown


def test_layout_changes_blanks_between_words_only():
    sql = "WITH a AS \n(SELECT 'x ( SELECT  y', extract(year FROM d) FROM t WHERE a IS DISTINCT FROM 'b') SELECT \"odd  name\" FROM a"
    assert laid_out(sql).splitlines() == [
        "WITH a AS (",
        "  SELECT 'x ( SELECT  y', extract(year FROM d)",
        "  FROM t",
        "  WHERE a IS DISTINCT FROM 'b'",
        ")",
        'SELECT "odd  name"',
        "FROM a",
    ]


def test_nothing_is_loaded_that_an_answer_does_not_need(home):
    # A third of a second each, at every call of the command; a filter, so that a value is bound.
    script = (
        "import runpy, sys\n"
        "sys.argv = ['kpi', 'show', 'win_rate', '--grain', 'month', '--where', \"segment = 'Small'\"]\n"
        "try:\n    runpy.run_module('kpi', run_name='__main__')\n"
        "except SystemExit as stop:\n    assert not stop.code\n"
        "heavy = ['pandas', 'streamlit', 'plotly', 'openpyxl', 'psycopg', 'connectors', 'kpi.importing.loading', 'kpi.warehouse.publish']\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == ["period", "Win", "rate"]
    assert done.stdout.splitlines()[-1] == "[]"
