"""What DuckDB reads and what is read line by line must come to the same, whatever stands in the cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors import reading
from kpi.importing import bulk
from kpi.importing.staging import Context, stage

HEADER = "id,Created date (UTC),Amount,Amount Refunded,Currency,Status,Customer ID,Description"
ROW = "ch_{n},2026-03-01 10:00:00,10.50,0.00,eur,Paid,cus_{n},plain"
CASES = {
    "plain": ROW,
    "quoted": ROW.replace("plain", '"a, b and ""c"" too"'),
    "an apostrophe that marks text": ROW.replace("10.50", "'10.50"),
    "an apostrophe before a date": ROW.replace("2026", "'2026"),
    "an amount as a formula": ROW.replace("10.50", '"=""10.50"""'),
    "blanks around an amount and a date": ROW.replace("10.50", " 10.50 ").replace("2026-03-01 10:00:00", " 2026-03-01 10:00:00 "),
    "a blank for an amount": ROW.replace("0.00", "  "),
    "an apostrophe inside": ROW.replace("plain", "O'Brien's"),
    "a formula of a spreadsheet": ROW.replace("cus_{n}", '"=""00{n}"""'),
    "an equals sign inside": ROW.replace("plain", "a=b"),
    "a tab before": ROW.replace("cus_{n}", "\tcus_{n}"),
    "a tab behind": ROW.replace("cus_{n}", "cus_{n}\t"),
    "blanks around": ROW.replace("cus_{n}", " cus_{n} "),
    "marks at both ends": ROW.replace("plain", '"""said"""'),
    "a mark behind": ROW.replace("plain", '"so it is ""said"""'),
    "lines in a cell": ROW.replace("plain", '"one\ntwo"'),
    "a line end behind": ROW.replace("cus_{n}", '"cus_{n}\n"'),
    "a line end before": ROW.replace("cus_{n}", '"\ncus_{n}"'),
    "a mark that swallows a record": ROW.replace("plain", '"open') + "\n" + ROW.replace("ch_{n}", "ch_9").replace("plain", 'shut"'),
    "blank lines": ROW + "\n\n",
    "a bad amount": ROW.replace("10.50", "ten"),
    "no cells": ",,,,,,,",
    "the header again": HEADER,
    "another order of the columns below": HEADER.replace("Amount,Amount Refunded", "Amount Refunded,Amount")
    + "\n"
    + ROW.replace("10.50,0.00", "1.00,7.00"),
}


def _staged(content: bytes, folder: Path) -> list[Any]:
    folder.mkdir()
    path = folder / "a.csv"
    path.write_bytes(content)
    with duckdb.connect() as connection:
        staged = stage(connection, path, "a.csv", Context("EUR", "UTC", bad_share=0.9), folder)
        # of a line end that stands in a cell DuckDB keeps both letters
        columns = "source_id, amount, paid_on, source_account_id, replace(description, chr(13), '')"
        rows = connection.execute(f"SELECT {columns} FROM {staged.tables[0].relation} ORDER BY ALL").fetchall()
        problems = connection.execute(f"SELECT * FROM {staged.problems} ORDER BY ALL").fetchall()
    return [staged.rows_read, staged.rows_loaded, staged.rows_rejected, rows, problems]


_OTHERS = [pytest.param("\n", False, marks=pytest.mark.slow), pytest.param("\r\n", True, marks=pytest.mark.slow)]


@pytest.mark.parametrize(("newline", "below_the_head"), [("\n", True), *_OTHERS])
@pytest.mark.parametrize("case", CASES)
def test_both_readings_are_the_same(case: str, below_the_head: bool, newline: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [ROW.format(n=n) for n in range(20, 30)]
    lines = [HEADER, *rows, CASES[case].format(n=1), *[row.replace("ch_", "ch_4") for row in rows], ""]
    content = newline.join(lines).replace("\r\n", "\n").replace("\n", newline).encode()
    careful = _staged(content, tmp_path / "careful")
    monkeypatch.setattr(bulk, "LARGE", 0)
    if below_the_head:
        monkeypatch.setattr(reading, "HEAD_BYTES", 400)
    assert _staged(content, tmp_path / "bulk") == careful
