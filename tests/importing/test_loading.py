"""What a file may not be loaded beside: costs on another basis."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from kpi.importing.importer import Options, import_paths
from kpi.warehouse.engines import open_reader
from kpi.warehouse.schema import cost_line

LEDGER = (
    'Acme GmbH,,,,,,,,\nGeneral Ledger,,,,,,,,\n"{since} - {until}, 2026",,,,,,,,\n,,,,,,,,\n'
    ",Date,Transaction Type,Num,Name,Memo/Description,Split,Amount,Balance\n{account},,,,,,,,\n"
    ",{day},Bill,B-1,Cloud Co,January,AP,{amount},{amount}\nTotal for {account},,,,,,,{amount},\n"
    '\n"{basis} Basis Friday, May 8, 2026 10:15 AM GMT",,,,,,,,\n'
)


@pytest.fixture
def load(tmp_path, settings, mappings):
    def run(name, basis, amount, account="5100 Hosting", since="January 1", until="March 31", day="01/31/2026", **options):
        path = tmp_path / name
        path.write_text(LEDGER.format(since=since, until=until, account=account, day=day, amount=amount, basis=basis))
        (report,) = import_paths(settings, mappings, [str(path)], Options(**options)).files
        return report

    return run


def total(settings):
    with open_reader(settings) as reader:
        return str(reader.run(sa.select(sa.func.sum(cost_line.c.amount).label("total"))).to_pylist()[0]["total"])


def test_reports_of_the_same_days_on_two_bases_are_not_added(load, settings):
    assert load("accrual.csv", "Accrual", "100.00").status == "loaded"
    refused = load("cash.csv", "Cash", "40.00", account="5200 Support")
    assert refused.status == "held back"
    assert refused.message == (
        f"its figures are on the cash basis, those of {refused.file.replace('cash', 'accrual')} of the same days on the accrual basis, and "
        "together they are neither: nothing of it was published. Export it on the accrual basis, or import it with --full to let it take "
        "their place"
    )
    assert total(settings) == "100.0000"
    # other days are another matter, and a full export takes the place of what was there
    assert load("april.csv", "Cash", "7.00", since="April 1", until="April 30", day="04/30/2026").status == "loaded"
    assert load("full.csv", "Cash", "40.00", account="5200 Support", full=True).status == "loaded"
    assert total(settings) == "47.0000"
