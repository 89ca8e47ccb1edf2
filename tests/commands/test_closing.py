"""``close`` and ``restatements`` from files to the table."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands.test_link import PAYMENTS, kpi  # noqa: F401


def test_a_week_is_closed_and_what_becomes_of_it_is_told(kpi):  # noqa: F811
    """Payments from 10 February to 4 March 2026: 100 on the Sunday of week 9; 250, 70 and 9 in week 10, of which the data hold a part."""
    Path("early.csv").write_text(PAYMENTS + "ch_9,2026-02-10 10:00:00,1.00,0.00,eur,Paid,cus_1,Acme,ap@acme.example\n")
    kpi("import", "early.csv")
    assert kpi("restatements")[1].startswith("no week is closed yet; ")
    assert kpi("close", "2026-W09")[:2] == (0, "2026-W09 closed: 1 figure kept, 0 kept before\n")
    assert json.loads(kpi("close", "2026-03-01", "--json")[1]) == {"weeks": ["2026-W09"], "new": 0, "known": 1}
    assert kpi("close", "2025-W01")[2].endswith("there are no figures of that week: nothing was imported for it\n")
    assert kpi("close", "week 9")[2] == '"week 9" is no week; accepted are 2026-W46 and a day of it, such as 2026-11-09\n'
    (first,) = json.loads(kpi("restatements", "--json")[1])["figures"]
    assert (first["week"], first["first"]["value"], first["now"]["value"], first["same"]) == ("2026-02-23", "100.0000", "100.0000", True)
    text = Path("metrics.yaml").read_text()
    Path("metrics.yaml").write_text(text.replace("unit: money}", "where: amount > 200, unit: money}"))
    (after,) = json.loads(kpi("restatements", "--json")[1])["figures"]
    # by the version that close kept: 100 by the definitions of then from the data of now, so that data moved nothing
    assert (after["now"]["value"], after["by_definitions_of_then"], after["moved_by"]) == ("0.0000", "100.0000", "definition")
    out = kpi("restatements", "collected")[1]
    assert [word for word in ("23 Feb–1 Mar 2026", "€ 100.00", "€ 0.00", "definition") if word not in out.replace("\u00a0", " ")] == []
    assert out.endswith("1 of 1 figures of 1 closed week are others now\n")
    assert kpi("restatements", "collectd")[0] == 2
