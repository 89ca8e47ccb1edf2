"""``versions``: list, show, diff, restore."""

from __future__ import annotations

import json

from kpi import cli
from kpi.metrics.saving import Saving, save
from tests.commands.test_show import DEFINITIONS, home

__all__ = ["home"]

OTHER = DEFINITIONS.replace("at: closed_on, where: is_won}", "at: closed_on}")


def printed(capsys, *words):
    code = cli.main(["versions", *words])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_versions_are_listed_shown_compared_and_restored(home, capsys):
    code, out, _ = printed(capsys)
    assert code == 0
    assert "as it was found" in out
    save(home, Saving(OTHER.encode(), None, "Ann", "all deals that closed"))
    code, out, _ = printed(capsys, "list", "--json")
    last, first = (json.loads(line) for line in out.splitlines())
    assert (last["number"], last["author"], last["reason"], last["touched"]) == (
        2,
        "Ann",
        "all deals that closed",
        {"won": "changed", "win_rate": "through"},
    )
    assert (first["number"], first["origin"]) == (1, "file")
    assert "win_rate" in printed(capsys, "list")[1]
    assert printed(capsys, "diff", "1", "2")[1].splitlines()[:2] == ["--- version 1", "+++ version 2"]
    assert printed(capsys, "diff", "2")[1] == ""  # as the file is

    code, out, _ = printed(capsys, "restore", "1")
    assert code == 0
    assert "won: Won: its own definition: where" in out
    assert 'to restore it: python -m kpi versions restore 1 --reason "…"' in out
    assert home.metrics.read_text(encoding="utf-8") == OTHER
    code, out, _ = printed(capsys, "restore", "1", "--reason", "deals lost are none", "--author", "Bob")
    assert "is version 1 again, as version 3" in out
    assert home.metrics.read_text(encoding="utf-8") == DEFINITIONS
    assert "restores version 1: deals lost are none" in printed(capsys)[1]


def test_what_is_not_there_is_said(home, capsys):
    code, _, err = printed(capsys, "show", "7")
    assert (code, err) == (2, "metrics.yaml has no version 7; none was recorded yet\n")
    printed(capsys)
    code, _, err = printed(capsys, "restore", "1", "--reason", "x")
    assert (code, err) == (2, f"version 1 is what {home.metrics} holds; nothing is to be restored\n")
