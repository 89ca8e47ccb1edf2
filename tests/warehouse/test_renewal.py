"""Ledger reports that meet: QuickBooks' General Ledger of January to March 2026, imported as a user would."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
import sqlalchemy as sa

from kpi.importing.importer import Options, import_paths
from kpi.importing.republish import rebuild
from kpi.warehouse.engines import open_reader
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.schema import cost_line, worklog

pytestmark = pytest.mark.postgres_later

MAPPINGS = Mappings("EUR", "UTC", {}, {}, "m1")

BILL = ("01/15/2026", "Bill,B-1,Cloud Co,seats", "100.00")
MORE = ("02/15/2026", "Bill,B-2,Cloud Co,seats", "50.00")
LATE = ("03/15/2026", "Bill,B-3,Cloud Co,seats", "7.00")


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request, settings):
    if request.param == "duckdb":
        return settings
    return dataclasses.replace(settings, warehouse_url=request.getfixturevalue("postgres_url"))


@pytest.fixture
def ledger(tmp_path):
    """``ledger("a.csv", {"5100": [BILL]}, printed="March 6, 2026")`` writes a report."""

    def write(name, accounts, printed="", period="January - March, 2026"):
        lines = ["Acme", "General Ledger", period, "", ",Date,Transaction Type,Num,Name,Memo/Description,Split,Amount,Balance"]
        for account, bookings in accounts.items():
            lines.append(f"{account},,,,,,,,")
            lines += [f",{day},{rest},2000 AP,{amount},0.00" for day, rest, amount in bookings]
            lines.append(f"Total for {account},,,,,,,0.00,")
        lines += ["", f"Accrual Basis {printed} 10:15 AM" if printed else "Accrual Basis"]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def bring(settings, *paths, full=False):
    """Import, and the messages."""
    report = import_paths(settings, MAPPINGS, [str(path) for path in paths], Options(full=full, dates="mdy"))
    assert all(file.status == "loaded" for file in report.files), report.files
    return [file.message for file in report.files]


def booked(settings):
    with open_reader(settings) as reader:
        rows = reader.run(sa.select(cost_line.c.ledger_account, cost_line.c.booked_on, cost_line.c.amount)).to_pylist()
    return sorted((row["ledger_account"], row["booked_on"].month, row["amount"]) for row in rows)


def test_a_booking_that_moved_to_another_account_counts_once(both, ledger):
    bring(both, ledger("a.csv", {"5100 Hosting": [MORE], "5200 Tools": [BILL]}))
    (said,) = bring(both, ledger("b.csv", {"5100 Hosting": [BILL, MORE]}))
    assert "1 booking of 5200 Tools stands here under another account and no longer counts under the old one" in said
    assert booked(both) == [("5100 Hosting", 1, Decimal(100)), ("5100 Hosting", 2, Decimal(50))]
    assert rebuild(both, MAPPINGS) == 3
    assert booked(both) == [("5100 Hosting", 1, Decimal(100)), ("5100 Hosting", 2, Decimal(50))]


def test_it_counts_once_in_either_order(both, ledger):
    bring(both, ledger("b.csv", {"5100 Hosting": [BILL, MORE]}, "April 6, 2026"))
    (said,) = bring(both, ledger("a.csv", {"5100 Hosting": [MORE], "5200 Tools": [BILL]}, "April 2, 2026"))
    assert "1 booking of 5200 Tools stands under another account in a newer report, where it counts" in said
    assert "1 of its bookings lies in what a newer report covers" in said  # MORE; the one that moved was said
    assert booked(both) == [("5100 Hosting", 1, Decimal(100)), ("5100 Hosting", 2, Decimal(50))]


def test_equal_parts_of_a_bill_are_no_move_to_an_account_that_was_not_shown(both, ledger):
    # 100 each in 5100, 5200 and 5300; each report leaves one out
    bring(both, ledger("a.csv", {"5100 Hosting": [BILL], "5200 Tools": [BILL]}))
    (said,) = bring(both, ledger("b.csv", {"5100 Hosting": [BILL], "5300 Travel": [BILL]}))
    assert "1 booking of 5200 Tools in this period is known from earlier reports and still counts" in said
    assert "import it again with --full" in said
    parts = [(account, 1, Decimal(100)) for account in ("5100 Hosting", "5200 Tools", "5300 Travel")]
    assert booked(both) == parts
    rebuild(both, MAPPINGS)
    assert booked(both) == parts


def test_nor_in_the_other_order(both, ledger):
    bring(both, ledger("b.csv", {"5100 Hosting": [BILL], "5200 Tools": [BILL]}, "April 6, 2026"))
    (said,) = bring(both, ledger("a.csv", {"5100 Hosting": [BILL], "5300 Travel": [BILL]}, "April 2, 2026"))
    assert "1 of its bookings lies in what a newer report covers, which counts instead" in said
    assert "1 booking of 5300 Travel still counts, though a newer report of the period doesn't show the account" in said
    assert "import that one again with --full" in said
    assert booked(both) == [(account, 1, Decimal(100)) for account in ("5100 Hosting", "5200 Tools", "5300 Travel")]


def test_nor_beside_two_newer_reports(settings, ledger):
    bring(settings, ledger("b.csv", {"5100 Hosting": [BILL]}, "April 6, 2026"))
    bring(settings, ledger("c.csv", {"5100 Hosting": [BILL], "5200 Tools": []}, "April 8, 2026"))
    bring(settings, ledger("d.csv", {"5100 Hosting": [MORE]}, "April 9, 2026", "February 2026"))
    bring(settings, ledger("a.csv", {"5100 Hosting": [BILL], "5300 Travel": [BILL]}, "April 2, 2026"))
    assert booked(settings) == [("5100 Hosting", 1, Decimal(100)), ("5100 Hosting", 2, Decimal(50)), ("5300 Travel", 1, Decimal(100))]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # 5100's part is gone: it is what moved to 5150, and of 5200's nothing is known
        ({"5100 Hosting": [BILL], "5150 Disks": [], "5200 Tools": [BILL]}, {"5100 Hosting": [], "5150 Disks": [BILL]}),
        # one of two that are not shown, but which?
        ({"5100 Hosting": [], "5200 Tools": [BILL], "5300 Travel": [BILL]}, {"5100 Hosting": [BILL]}),
    ],
    ids=["explained", "either"],
)
def test_what_may_have_come_from_elsewhere_retires_nothing(both, ledger, before, after):
    bring(both, ledger("a.csv", before))
    (said,) = bring(both, ledger("b.csv", after))
    assert "no longer count" not in said
    unseen = set(before) - set(after)
    assert {account for account, _, _ in booked(both)} >= unseen


def test_what_an_account_of_another_report_lost_explains_the_line(settings, ledger):
    bring(settings, ledger("a.csv", {"5150 Disks": [], "5200 Tools": [BILL]}))
    bring(settings, ledger("b.csv", {"5100 Hosting": [BILL]}))
    bring(settings, ledger("c.csv", {"5100 Hosting": [], "5150 Disks": [BILL]}))  # 5100's part, as far as one can see
    assert [account for account, _, _ in booked(settings)] == ["5150 Disks", "5200 Tools"]


def test_a_line_of_a_third_report_may_be_what_moved(settings, ledger):
    bring(settings, ledger("c.csv", {"5300 Travel": [BILL]}, "April 1, 2026"))
    bring(settings, ledger("b.csv", {"5100 Hosting": [BILL]}, "April 6, 2026"))
    bring(settings, ledger("a.csv", {"5100 Hosting": [], "5200 Tools": [BILL]}, "April 2, 2026"))
    assert [account for account, _, _ in booked(settings)] == ["5100 Hosting", "5200 Tools", "5300 Travel"]


def test_an_account_that_another_report_spoke_of_since_is_no_witness(settings, ledger):
    # 5200 was seen beside 5100's own part, which was taken out and came back
    bring(settings, ledger("a.csv", {"5100 Hosting": [BILL], "5200 Tools": [BILL]}))
    bring(settings, ledger("b.csv", {"5100 Hosting": [MORE]}))
    bring(settings, ledger("c.csv", {"5100 Hosting": [BILL, MORE]}))
    assert [account for account, _, _ in booked(settings)] == ["5100 Hosting", "5100 Hosting", "5200 Tools"]


def test_a_report_of_other_accounts_retires_nothing(settings, ledger):
    # half of a bill each: equal lines under two accounts, exported one account at a time
    bring(settings, ledger("a.csv", {"5100 Hosting": [BILL]}))
    (said,) = bring(settings, ledger("b.csv", {"5200 Tools": [BILL]}))
    assert "5100" not in said
    assert booked(settings) == [("5100 Hosting", 1, Decimal(100)), ("5200 Tools", 1, Decimal(100))]


def test_an_account_that_is_not_shown_still_counts_and_that_is_said(settings, ledger):
    bring(settings, ledger("a.csv", {"5100 Hosting": [MORE], "5200 Tools": [BILL, LATE]}))
    # one of the two bookings of 5200 is in 5100 now: was the other one deleted, or is the report filtered?
    path = ledger("b.csv", {"5100 Hosting": [BILL, MORE]})
    (said,) = bring(settings, path)
    assert "2 bookings of 5200 Tools in this period are known from earlier reports and still count" in said
    assert "import it again with --full" in said
    assert len(booked(settings)) == 4
    # and so it is done: the same bytes, now said to be complete
    (said,) = bring(settings, path, full=True)
    assert "2 rows of cost_line that are absent from this full export were retired" in said
    assert booked(settings) == [("5100 Hosting", 1, Decimal(100)), ("5100 Hosting", 2, Decimal(50))]


def test_a_full_report_stands_against_an_older_one_that_comes_later(settings, ledger):
    bring(settings, ledger("b.csv", {"5100 Hosting": [BILL]}, "April 6, 2026"), full=True)
    (said,) = bring(settings, ledger("a.csv", {"5200 Tools": [MORE]}, "April 2, 2026"))
    assert "1 of its bookings lies in what a newer report covers, which counts instead" in said
    assert booked(settings) == [("5100 Hosting", 1, Decimal(100))]


def test_a_newer_report_in_which_the_account_is_empty_stands(settings, ledger):
    bring(settings, ledger("b.csv", {"5100 Hosting": [BILL], "5200 Tools": []}, "April 6, 2026"))
    bring(settings, ledger("a.csv", {"5200 Tools": [MORE]}, "April 2, 2026"))
    assert booked(settings) == [("5100 Hosting", 1, Decimal(100))]


def test_what_a_newer_report_changes_in_an_account_is_said(settings, ledger):
    bring(settings, ledger("a.csv", {"5100 Hosting": [BILL, MORE]}))
    (said,) = bring(settings, ledger("b.csv", {"5100 Hosting": [BILL]}))
    assert "1 row of cost_line reads otherwise here than in earlier exports, or not at all" in said
    assert booked(settings) == [("5100 Hosting", 1, Decimal(100))]


def test_full_reports_of_one_command_leave_each_other_alone(settings, ledger):
    old = ledger("old.csv", {"5300 Travel": [LATE]})
    bring(settings, old)
    said = bring(settings, ledger("a.csv", {"5100 Hosting": [BILL]}), ledger("b.csv", {"5200 Tools": [MORE]}), full=True)
    assert not [one for one in said if "of this command" in one]  # each retires within its own period
    assert booked(settings) == [("5100 Hosting", 1, Decimal(100)), ("5200 Tools", 2, Decimal(50))]
    rebuild(settings, MAPPINGS)
    assert booked(settings) == [("5100 Hosting", 1, Decimal(100)), ("5200 Tools", 2, Decimal(50))]


def test_a_report_without_a_period_replaces_the_days_of_its_own_bookings_only(settings, ledger):
    bring(settings, ledger("a.csv", {"5100 Hosting": [BILL]}, period="Januar"))
    bring(settings, ledger("b.csv", {"5100 Hosting": [MORE, LATE]}, period="Februar"))
    assert [amount for _, _, amount in booked(settings)] == [Decimal(100), Decimal(50), Decimal(7)]


JIRA = "Summary,Issue key,Issue id,Issue Type,Status,Created,Updated,Log Work\n"


def test_an_older_issue_does_not_bring_back_its_worklogs(both, tmp_path):
    def issues(name, updated, *logs):
        path = tmp_path / name
        path.write_text(JIRA + f'Build,AT-1,101,Task,Done,2026-01-02 10:00,{updated},"{logs[0]}"\n')
        return path

    bring(both, issues("new.csv", "2026-03-02 10:00", "x;2026-01-03 10:00;ann;7200"))
    (said,) = bring(both, issues("old.csv", "2026-02-02 10:00", "x;2026-01-03 10:00;ann;3600"))
    assert "1 of its records is older than what is known of it, so its rows of worklog stay as they are" in said
    with open_reader(both) as reader:
        assert reader.run(sa.select(worklog.c.hours)).column(0).to_pylist() == [Decimal(2)]


@pytest.fixture
def listed(tmp_path):
    """``listed("a.csv", [("01/15/2026", "100.00")])`` writes a list of bills on 5100 Hosting, of January to March."""

    def write(name, bills, period="January - March, 2026"):
        head = [
            "Acme",
            "Transaction List by Date",
            period,
            "",
            ",Date,Transaction Type,Num,Posting,Name,Memo/Description,Account,Split,Amount",
        ]
        rows = [f",{day},Bill,B-{at},Yes,Cloud Co,,Accounts Payable,5100 Hosting,{amount}" for at, (day, amount) in enumerate(bills)]
        path = tmp_path / name
        path.write_text("\n".join([*head, *rows]) + "\n")
        return path

    return write


def hosting(settings):
    return [(month, amount) for account, month, amount in booked(settings) if account == "5100 Hosting"]


@pytest.mark.parametrize("order", [("list", "ledger"), ("ledger", "list")])
def test_a_list_counts_only_on_days_that_no_report_by_account_covers(both, ledger, listed, order):
    paths = {
        "ledger": ledger("ledger.csv", {"5100 Hosting": [BILL, MORE]}, period="January - February, 2026"),
        "list": listed("list.csv", [("01/15/2026", "100.00"), ("02/15/2026", "50.00"), ("03/15/2026", "7.00")]),
    }
    said = [bring(both, paths[name]) for name in order]
    # January and February by the ledger, March by the list: 100 + 50 + 7
    assert hosting(both) == [(1, Decimal(100)), (2, Decimal(50)), (3, Decimal(7))]
    expected = {
        "list": "4 of its rows lie in days that a report by account covers, which counts instead",
        "ledger": "4 rows that lists brought lie in the days of this report, which counts instead",
    }
    assert expected[order[1]] in said[1][0]
    assert rebuild(both, MAPPINGS) == 3
    assert hosting(both) == [(1, Decimal(100)), (2, Decimal(50)), (3, Decimal(7))]


def test_a_later_list_takes_the_place_of_an_earlier_one(both, listed):
    bring(both, listed("a.csv", [("01/15/2026", "100.00"), ("02/15/2026", "50.00")]))
    bring(both, listed("b.csv", [("01/15/2026", "90.00"), ("02/15/2026", "50.00")]))
    assert hosting(both) == [(1, Decimal(90)), (2, Decimal(50))]
    bring(both, listed("c.csv", [("02/15/2026", "55.00")], period="February 2026"))
    assert hosting(both) == [(1, Decimal(90)), (2, Decimal(55))]


@pytest.mark.slow
def test_bills_count_only_on_days_that_no_report_by_account_covers(both, tmp_path):
    header = (
        "ContactName,InvoiceNumber,InvoiceDate,DueDate,Description,Quantity,UnitAmount,AccountCode,TaxType,LineAmount,TaxAmount,Type,Status"
    )
    bill = "Cloud Co,{},2026-0{}-15,,Hosting,1,{},310,None,{},0.00,Bill,Paid\n"
    bills = tmp_path / "bills.csv"
    bills.write_text(f"{header}\n" + bill.format("A", 1, "10.00", "10.00") + bill.format("B", 2, "20.00", "20.00"))
    more = tmp_path / "more.csv"  # an export of some bills leaves the others alone
    more.write_text(f"{header}\n" + bill.format("B", 2, "25.00", "25.00") + bill.format("C", 1, "40.00", "40.00"))
    report = tmp_path / "report.csv"
    report.write_text(
        "Account Transactions\nAcme\nFor the period 1 January 2026 to 31 January 2026\n\n"
        "Date,Source,Description,Reference,Debit,Credit,Running Balance,Gross,Tax\nHosting\n"
        "15 Jan 2026,Payable Invoice,Cloud Co,A,10.00,0.00,10.00,(10.00),0.00\nTotal Hosting,,,,10.00,0.00,10.00,(10.00),0.00\n"
    )
    bring(both, bills)
    bring(both, more)
    assert booked(both) == [("310", 1, Decimal(10)), ("310", 1, Decimal(40)), ("310", 2, Decimal(25))]
    bring(both, report)
    more.write_text(more.read_text() + "\n")
    bring(both, more)
    assert booked(both) == [("310", 2, Decimal(25)), ("Hosting", 1, Decimal(10))]


def test_three_reports_of_the_same_bookings_count_once(both, ledger, tmp_path):
    bring(both, ledger("a.csv", {"5100 Hosting": [BILL, MORE]}))
    detail = tmp_path / "detail.csv"
    detail.write_text(
        "Acme\nTransaction Detail by Account\nJanuary - March, 2026\n\n"
        ",Date,Transaction Type,Num,Name,Memo/Description,Split,Amount,Balance\n5100 Hosting,,,,,,,,\n"
        ",01/15/2026,Bill,B-1,Cloud Co,seats,2000 AP,100.00,100.00\n,02/15/2026,Bill,B-2,Cloud Co,seats,2000 AP,50.00,150.00\n"
        "Total for 5100 Hosting,,,,,,,150.00,\n"
    )
    journal = tmp_path / "journal.csv"
    journal.write_text(
        "Acme\nJournal\nJanuary - March, 2026\n\n,Date,Transaction Type,Num,Name,Memo/Description,Account,Debit,Credit\n"
        ",01/15/2026,Bill,B-1,Cloud Co,seats,2000 AP,,100.00\n,,,,,seats,5100 Hosting,100.00,\n,,,,,,,100.00,100.00\n"
        ",02/15/2026,Bill,B-2,Cloud Co,seats,2000 AP,,50.00\n,,,,,seats,5100 Hosting,50.00,\n,,,,,,,50.00,50.00\n"
    )
    for path in (detail, journal):
        bring(both, path)
        assert hosting(both) == [(1, Decimal(100)), (2, Decimal(50))]
