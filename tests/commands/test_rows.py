"""``rows``: the source rows behind a figure, on the command line."""

from __future__ import annotations

import json

from kpi import cli
from tests.commands.test_show import home, printed  # noqa: F401 - the same deals

JANUARY = ("--since", "2026-01-01", "--until", "2026-02-01")


def test_the_rows_of_a_formula_are_those_of_its_parts(home, capsys):  # noqa: F811
    code, out, err = printed(capsys, "rows", "win_rate", *JANUARY)
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "Win rate, 1–31 Jan 2026: 50 %"
    assert lines[2] == "won: 1, the number of rows, or of what they led to"
    assert lines[5] == "1 2026-01-05 -100.0000 EUR True False deals.csv 1"
    assert lines[6] == "1 row; together they come to 1, which is the figure"


def test_json_has_all_that_a_row_says(home, capsys):  # noqa: F811
    code, out, _ = printed(capsys, "rows", "amount", *JANUARY, "--json")
    answer = json.loads(out)
    (part,) = answer["parts"]
    assert (code, answer["value"], part["rows_come_to"], part["agrees"], part["rows_in_all"]) == (0, "-79.5000", "-79.5000", True, 2)
    assert [(row["key"], row["brings"], row["file"]) for row in part["rows"]] == [
        (["1"], "-100.0000", "deals.csv"),
        (["2"], "20.5000", "deals.csv"),
    ]
    assert part["rows"][1]["facts"]["closed_on"] == "2026-01-06"


def test_one_figure_at_a_time(home, capsys):  # noqa: F811
    assert printed(capsys, "rows", "won", "--grain", "month")[::2] == (
        2,
        "these are 2 figures, 1–31 Jan 2026 to 1–28 Feb 2026: name the days of one with --since and --until\n",
    )
    assert cli.main(["rows", "won", "--most", "0"]) == 2
