"""DATEV's Buchungsstapel."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from connectors.datev import head_of
from kpi.errors import HeldBack
from tests.connectors.conftest import SAMPLES, Stager

D = Decimal
SAMPLE = (SAMPLES / "datev_buchungsstapel.csv").read_text(encoding="cp1252")
HEAD, COLUMNS = SAMPLE.splitlines()[:2]


def row(
    amount: str = "119,00", side: str = "S", konto: str = "4925", other: str = "1200", key: str = "", day: str = "1501", gu: str = ""
) -> str:
    return f'{amount};"{side}";"EUR";;;;{konto};{other};"{key}";{day};"B";;;"Text";"";"";{gu}'


def booked(staged: Stager, *rows: str, head: str = HEAD) -> dict[str, Decimal]:
    result = staged("\n".join([head, COLUMNS, *rows]) + "\n")
    assert result.problems() == []
    return dict(result.rows("cost_line", "ledger_account", "amount"))


def test_both_sides_of_each_booking(staged: Stager) -> None:
    result = staged("datev_buchungsstapel.csv")
    assert (result.staged.connector, result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == ("datev", 5, 5, 0)
    assert result.rows("cost_line", "ledger_account", "booked_on", "amount", "currency", "vendor", "source_account_id", "home_amount") == [
        ("1200", date(2026, 1, 5), D("-100.50"), "EUR", None, None, None),  # 501 is 0501: a spreadsheet took the zero
        ("1200", date(2026, 1, 21), D(-80), "USD", None, None, D(-64)),
        ("1600", date(2026, 1, 15), D(50), "EUR", None, None, None),  # a Generalumkehr: the debit of 50 is taken back
        ("4925", date(2026, 1, 15), D(-50), "EUR", None, None, None),
        ("4925", date(2026, 1, 31), D(1000), "EUR", "70001", None, None),  # 1190 with 19 % in it
        ("4930", date(2026, 1, 21), D(80), "USD", None, None, D(64)),
        ("4970", date(2026, 1, 5), D("100.50"), "EUR", None, None, None),
        ("8300", date(2026, 1, 20), D(-200), "EUR", None, "10001", None),  # 8300 of SKR 03 computes its 7 % by itself
    ]
    memos = dict(result.rows("cost_line", "document", "memo"))
    assert memos["B-1"] == "Rechenzentrum Größe L"
    assert result.staged.covers == {"cost_line": (date(2026, 1, 1), date(2026, 2, 1), "stated by the file")}
    assert result.staged.as_of == datetime(2026, 2, 5, 10, 15)
    assert "2 bookings have tax in the amount, by key or account: what it was for is booked without it" in result.staged.notes


@pytest.mark.parametrize(
    ("key", "day", "net"),
    [
        ("", "1501", D(119)),
        ("9", "1501", D(100)),
        ("09", "1501", D(100)),
        ("8", "1501", D("111.21")),  # 119 / 1.07 = 111.2149…
        ("94", "1501", D(119)),  # reverse charge: no tax in the amount
        ("40", "1501", D(119)),
    ],
)
def test_a_tax_key_takes_the_tax_out_of_the_cost_and_not_out_of_the_bank(staged: Stager, key: str, day: str, net: Decimal) -> None:
    assert booked(staged, row(key=key, day=day)) == {"4925": net, "1200": D(-119)}
    assert booked(staged, row(key=key, day=day, side="H", konto="1200", other="4925")) == {"4925": net, "1200": D(-119)}


def test_the_lower_rates_of_2020(staged: Stager) -> None:
    head = HEAD.replace("20250701", "20200101").replace("20260101;20260131", "20200101;20201231")
    assert booked(staged, row(amount="116,00", key="9", day="0107"), head=head)["4925"] == D(100)
    assert booked(staged, row(amount="119,00", key="9", day="3006"), head=head)["4925"] == D(100)


def test_an_unknown_tax_key_is_not_guessed(staged: Stager) -> None:
    result = staged("\n".join([HEAD, COLUMNS, row(), row(key="77")]) + "\n", bad_share=0.5)
    assert result.problems() == [(4, "BU-Schlüssel", "77", "a tax key that isn't known, so the amount without tax isn't either")]


@pytest.mark.parametrize(
    ("day", "period", "meant"),
    [
        ("1507", ";;", date(2025, 7, 15)),  # a year that begins on 1 July 2025
        ("3006", ";;", date(2026, 6, 30)),
        ("1507", ";20250701;20260630", date(2025, 7, 15)),
        ("105", ";20260101;20260531", date(2026, 5, 1)),
    ],
)
def test_the_year_of_a_day_is_that_of_the_fiscal_year(staged: Stager, day: str, period: str, meant: date) -> None:
    head = HEAD.replace(";4;20260101;20260131", f";4{period}")
    result = staged("\n".join([head, COLUMNS, row(day=day)]) + "\n")
    assert {found for (found,) in result.rows("cost_line", "booked_on")} == {meant}


def test_a_first_line_without_a_fiscal_year_leaves_days_without_a_year() -> None:
    assert head_of(["EXTF", "700", "21"])[0] is None


def test_points_for_decimals_where_a_spreadsheet_has_saved_the_file(staged: Stager) -> None:
    assert booked(staged, row("119.00"), row("12.5", konto="4930", other="1300")) == {
        "4925": D(119),
        "1200": D(-119),
        "4930": D("12.5"),
        "1300": D("-12.5"),
    }
    assert booked(staged, row("1.190,00"), row("12,50", konto="4930", other="1300"))["4925"] == D(1190)


def test_amounts_that_could_be_thousands_are_a_question(staged: Stager) -> None:
    with pytest.raises(HeldBack, match=r'the amounts of the column "Umsatz", such as 1.190, can be thousands or three decimals'):
        staged("\n".join([HEAD, COLUMNS, row("1.190"), row("2.380")]) + "\n")


def test_what_is_no_amount_is_a_problem_and_not_a_break_down(staged: Stager) -> None:
    strange = '100,00;"S";"USD";;abc;EUR;4925;1200;"";1501;"B";;;"Text";"";"";'
    result = staged("\n".join([HEAD, COLUMNS, *[row()] * 9, strange, row("1.23E+05")]) + "\n")
    assert [(column, value) for _, column, value, _ in result.problems()] == [("Basis-Umsatz", "abc"), ("Umsatz", "1.23E+05")]


def test_a_second_mark_of_byte_order_and_a_column_that_comes_again(staged: Stager) -> None:
    again = f"{COLUMNS};{COLUMNS.split(';')[0]}"
    result = staged(f"\ufeff\ufeff{HEAD}\n{again}\n{row()};7,00\n")
    assert dict(result.rows("cost_line", "ledger_account", "amount")) == {"1200": D(-119), "4925": D(119)}
