"""Expressions that mean harm, or that a parser could choke on: each is refused with a sentence, and at once.

``hostile.json`` holds pairs of what it is and its text; a long text is written as parts, each with how often it is
repeated. A new trick is a line there.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from kpi import cli
from kpi.dashboard import filters
from kpi.errors import KpiError, TooLarge
from kpi.metrics import definitions
from kpi.metrics.model import Query
from kpi.metrics.query import run
from kpi.warehouse.engines import create_tables, memory_writer
from kpi.warehouse.home import Current, swap_current, warehouse_file

CORPUS = {
    why: text if isinstance(text, str) else "".join(part * times for part, times in text)
    for why, text in json.loads((Path(__file__).parent / "hostile.json").read_text(encoding="utf-8"))
}
#: Of the processor, so that a busy machine fails nothing; most take a hundredth of it.
MOST_S = 1.0
SOUND = """\
north_star: won
currency: EUR
dimensions:
  stage: {of: deal, is: stage}
metrics:
  won: {count: deal, at: closed_on, where: is_won}
  rate: {formula: won / won}
"""

hostile = pytest.mark.parametrize("text", CORPUS.values(), ids=CORPUS.keys())


@contextmanager
def at_once() -> Iterator[None]:
    begun = time.process_time()
    yield
    assert time.process_time() - begun < MOST_S


def is_a_sentence(message: str) -> bool:
    """Short, printable, and no error of a library or database that nobody foresaw."""
    foreign = ("Traceback", "nobody foresaw", "sqlglot", "SQLAlchemy", "duckdb", "Binder Error", "Parser Error")
    return 8 < len(message) < 1500 and message.isprintable() and not any(word in message for word in foreign)


def test_the_corpus_is_large_and_names_each_trick_once() -> None:
    pairs = json.loads((Path(__file__).parent / "hostile.json").read_text(encoding="utf-8"))
    assert len(pairs) == len(CORPUS) >= 200
    assert len(set(CORPUS.values())) == len(CORPUS)


@hostile
def test_in_the_file(text: str, tmp_path: Path) -> None:
    """As where, as is, and as formula; each place has its own problem, whose line is right."""
    path = tmp_path / "m.yaml"
    # Escaped, so that YAML's own reader has nothing to refuse.
    plain = [character if " " <= character <= "~" and character not in '"\\' else f"\\U{ord(character):08x}" for character in text]
    quoted = f'"{"".join(plain)}"'
    path.write_text(SOUND.replace("is: stage", f"is: {quoted}").replace("where: is_won", f"where: {quoted}").replace("won / won", quoted))
    with at_once():
        problems = definitions.check(path)
    assert sorted({problem.line for problem in problems}) in ([4, 6, 7], [4, 6]), problems  # a wrong metric may silence its formula
    assert all(is_a_sentence(problem.message) for problem in problems), problems


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "metrics.yaml"
    path.write_text(SOUND, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def asked(known: Path):
    writer = memory_writer()
    writer.insert("deal", [{"deal_id": "1", "source": "s", "closed_on": dt.date(2026, 1, 5), "is_won": True, "currency": "EUR"}])
    writer.cover("deal", "s", dt.date(2026, 1, 1), dt.date(2026, 2, 1))
    reader, loaded = writer.reader(), definitions.load(known)

    def ask(*where: str):
        return run(Query(("won",), (), where, "all"), loaded, reader)

    ask("deal.stage = 'x'")
    return ask


@pytest.fixture(scope="module")
def reads(known: Path):
    """Answers to any query of an empty warehouse."""
    reader, loaded = memory_writer().reader(), definitions.load(known)
    return lambda query: run(query, loaded, reader)


@hostile
def test_in_the_filter_of_a_query(text: str, asked) -> None:
    with at_once(), pytest.raises(KpiError) as raised:
        asked(text)
    assert is_a_sentence(str(raised.value)), raised.value


@hostile
def test_as_a_split(text: str, reads) -> None:
    with at_once(), pytest.raises(KpiError) as raised:
        reads(Query(("won",), (text,), (), "all"))
    assert is_a_sentence(str(raised.value)), raised.value


@hostile
def test_in_a_per(text: str, asked) -> None:
    for place in (f"per({text}, won) > 0", f"per(deal, {text}) > 0"):
        with at_once(), pytest.raises(KpiError) as raised:
            asked(place)
        assert is_a_sentence(str(raised.value)), raised.value


@hostile
def test_in_a_link(text: str) -> None:
    """Nothing of it comes into a query, and what is left out is said in a few plain words."""
    parameters = {"segment": [text], "week": [text], text: ["x"]}
    with at_once():
        found, told = filters.read(parameters, (dt.date(2026, 1, 5),), {"segment": ("SMB", None)})
    assert found == filters.Filters()
    assert 2 <= len(told) <= 3
    assert all(is_a_sentence(sentence) and len(sentence) < 300 for sentence in told), told


@pytest.mark.parametrize(
    "text",
    [
        " * ".join(["deal.probability", *["999999999999999999"] * 3]) + " > 0",
        "deal.probability" + " / 0.000000000001" * 4 + " > 0",
    ],
    ids=["product", "quotient"],
)
def test_numbers_that_grow_too_large_are_a_sentence(text: str, warehouse, defined) -> None:
    warehouse.add(
        "deal", {"closed_on": "2026-01-05", "list_amount": "9", "amount": "99999999999999.9999"}, covers=("2026-01-01", "2026-02-01")
    )
    known = defined("won: {count: deal, at: closed_on}")
    with warehouse.reader() as reader, pytest.raises(TooLarge) as raised:
        run(Query(("won",), (), (text.replace("deal.probability", "deal.amount"),), "all"), known, reader)
    assert is_a_sentence(str(raised.value))


def test_a_pattern_of_many_places_is_looked_for_at_once(warehouse, defined) -> None:
    """DuckDB's own LIKE takes minutes for the first, and no limit of time ends it."""
    stages = ("a" * 4000, "x\ny.z%", "xyz")
    covers = ("2026-01-01", "2026-02-01")
    warehouse.add("deal", *({"closed_on": "2026-01-05", "stage": stage} for stage in stages), covers=covers)
    known = defined("won: {count: deal, at: closed_on}")
    with warehouse.reader() as reader:

        def won(pattern: str) -> int:
            return run(Query(("won",), (), (f"deal.stage like '{pattern}'",), "all"), known, reader).table.column("won")[0].as_py()

        with at_once():
            assert won("%a_%a_%a_%b") == 0
        patterns = {"%_a%a_%": 1, "%x_y%": 1, "%_.z%": 1, "%x_z%": 1, "%X_Z%": 0, "_%_%_": 3, "%____%": 2, "%y_z%_": 0, "%.___%": 0}
        assert {pattern: won(pattern) for pattern in patterns} == {**patterns, "%y_z%_": 1}


@pytest.fixture(scope="module")
def home(known: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published warehouse without rows."""
    path = tmp_path_factory.mktemp("home")
    mappings = definitions.load(known).mappings_hash
    with duckdb.connect(str(warehouse_file(path, 1))) as connection:
        create_tables(connection)
        connection.execute("insert into generation (number, mappings) values (1, ?)", [mappings])
    swap_current(path, Current(1, 0, mappings))
    return path


@hostile
def test_on_the_command_line(
    text: str, home: Path, known: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KPI_HOME", str(home))
    monkeypatch.setenv("KPI_METRICS", str(known))
    with at_once():
        code = cli.main(["show", "won", f"--where={text}"])
    captured = capsys.readouterr()
    assert code in (1, 2)
    assert captured.out == ""
    assert is_a_sentence(captured.err.rstrip("\n")), captured.err


def test_a_harmless_filter_passes(asked) -> None:
    """What refuses everything would pass the tests above."""
    assert asked("deal.stage = 'it''s; drop table deal -- /* $$'").table.num_rows == 1


LINES = "deal.stage = 'two\nlines'"


@pytest.fixture
def in_lines(defined):
    """Deals by stages that differ in what parts their words, and metrics that name one of them."""
    writer = memory_writer()
    stages = ("two\nlines", "two lines", "two\tlines", "two\r\nlines", "two  lines")
    for place, stage in enumerate(stages):
        days = {"created_on": dt.date(2026, 1, 5), "closed_on": dt.date(2026, 1, 6)}
        row = {"source": "s", "stage": stage, "is_won": True, "currency": "EUR", **days}
        writer.insert("deal", [{"deal_id": f"{place}-{nth}", **row} for nth in range(10**place if place < 4 else 5)])
    writer.cover("deal", "s", dt.date(2026, 1, 1), dt.date(2026, 2, 1))
    known = defined("""
        dimensions:
          broken: {of: deal, is: "case when stage = 'two\\nlines' then 'yes\\nit is' else 'no' end"}
        metrics:
          won: {count: deal, at: closed_on}
          of_lines: {count: deal, at: closed_on, where: "stage = 'two\\nlines'"}
          of_tabs: {formula: "only(won, deal.stage = 'two\\tlines')"}
    """)
    return writer.reader(), known


def test_texts_of_several_lines_are_told_from_those_of_one(in_lines) -> None:
    """Of the stages there are 1 with a line break, 10 with a blank, 100 with a tab, 1000 as Windows breaks lines, 5 with two blanks."""
    reader, known = in_lines

    def won(*where: str, metric: str = "won") -> int:
        return run(Query((metric,), (), where, "all"), known, reader).table.column(metric)[0].as_py()

    assert won() == 1116
    assert [won(f"deal.stage = '{stage}'") for stage in ("two\nlines", "two lines", "two\tlines", "two\r\nlines", "two  lines")] == [
        *(1, 10, 100, 1000, 5)
    ]
    assert won("deal.stage in ('two\nlines', 'two\tlines')") == 101
    assert won("deal.stage <> 'two\nlines'") == 1115
    assert won("deal.stage like 'two\n%'") == 1
    assert won("broken = 'yes\nit is'") == 1
    assert (won(metric="of_lines"), won(metric="of_tabs")) == (1, 100)
    assert "two\nlines" in run(Query(("won",), (), (LINES,), "all"), known, reader).sql


def test_the_command_line_takes_a_text_of_several_lines(
    home: Path, known: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KPI_HOME", str(home))
    monkeypatch.setenv("KPI_METRICS", str(known))
    assert cli.main(["show", "won", f"--where={LINES}", "--format=json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == []


def test_definitions_that_differ_in_the_blanks_of_a_text_are_others(defined) -> None:
    text = "won: {count: deal, at: closed_on, where: \"stage = 'two\\nlines'\"}"
    assert defined(text).hash != defined(text.replace("\\n", " ")).hash != defined(text.replace("\\n", "  ")).hash
