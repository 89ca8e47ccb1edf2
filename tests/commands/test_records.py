"""``records``: what is said of a folder before and after something was written down."""

from __future__ import annotations

import json

from kpi import cli
from kpi.records.links import Decision, write_down
from kpi.records.migrations import HEAD
from kpi.settings import Settings


def test_where_they_are_and_how_much_there_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    place = f"sqlite:///{tmp_path / 'records.db'}"
    assert cli.main(["records"]) == 0
    assert capsys.readouterr().out == f"nothing was written down yet; it will be in {place}\n"
    assert not (tmp_path / "records.db").exists()
    write_down(Settings(home=tmp_path), [Decision("account", "rejected", "stripe", source_id, None, "ann") for source_id in ("1", "2")])
    assert cli.main(["records", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["place"], said["version"], said["changes"], said["rows"]["link_decision"]) == (place, HEAD, 1, 2)
    assert cli.main(["records"]) == 0
    assert capsys.readouterr().out.startswith(f"what people wrote down is in {place}, version {HEAD}, written to 1 times\n")
    (tmp_path / "records.db").write_text("this is no database, and long enough to be seen as none" * 99)
    assert cli.main(["doctor"]) == 1
    assert f"WRONG the records in {place} can't be used: file is not a database" in capsys.readouterr().out
