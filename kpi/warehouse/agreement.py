"""Where exports of a system contradict each other: nothing is chosen, everything is listed.

A mapping may say that several exports state one thing, such as whether an account has left. What each row states is kept in
``statement``, who states it and how in ``sayer``; ``disagreement`` follows from the two alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kpi.warehouse.reader import Reader
from kpi.warehouse.schema import disagreement, sayer
from kpi.warehouse.store import Store

#: What each export says of each thing that any of them speaks of; one that is silent says what its mapping says of silence.
_SAID = """
WITH said AS (
    SELECT s.source, s.fact, s.said_by, s.of_id, CASE WHEN y.take = 'every' THEN bool_and(s.said) ELSE bool_or(s.said) END AS said
    FROM statement s JOIN sayer y ON y.source = s.source AND y.fact = s.fact AND y.said_by = s.said_by
    WHERE s.said IS NOT NULL GROUP BY s.source, s.fact, s.said_by, s.of_id, y.take
), things AS (SELECT DISTINCT source, fact, of_id FROM statement),
every_said AS (
    SELECT t.source, t.fact, t.of_id, y.said_by, coalesce(s.said, CASE WHEN y.silent = 'no' THEN FALSE END) AS said
    FROM things t JOIN sayer y ON y.source = t.source AND y.fact = t.fact
    LEFT JOIN said s ON s.source = t.source AND s.fact = t.fact AND s.of_id = t.of_id AND s.said_by = y.said_by
)
"""


def refresh_disagreements(store: Store) -> None:
    """Compare what is stated anew."""
    store.run("DELETE FROM disagreement")
    store.run(
        "INSERT INTO disagreement (source, fact, of_id, says_yes, says_no) "
        f"SELECT * FROM ({_SAID} SELECT source, fact, of_id, "
        "string_agg(said_by, ', ' ORDER BY said_by) FILTER (WHERE said) AS says_yes, "
        "string_agg(said_by, ', ' ORDER BY said_by) FILTER (WHERE NOT said) AS says_no FROM every_said "
        "GROUP BY source, fact, of_id) compared WHERE says_yes IS NOT NULL AND says_no IS NOT NULL"
    )
    store.run("UPDATE sayer SET things = 0, yes = 0")
    counted = (
        f"{_SAID} SELECT source, fact, said_by, count(*) AS n, count(CASE WHEN said THEN 1 END) AS yes FROM every_said GROUP BY 1, 2, 3"
    )
    store.run(
        f"UPDATE sayer SET things = c.n, yes = c.yes FROM ({counted}) c "
        "WHERE c.source = sayer.source AND c.fact = sayer.fact AND c.said_by = sayer.said_by"
    )


@dataclass(frozen=True)
class Disagreement:
    """What the exports of a system say differently.

    Attributes:
        source, fact: the system, and what its mapping calls the thing that is stated.
        words: what is stated, as in ``whether an account has left``.
        tables: those that the exports fill which state it.
        yes: export -> of how many things it says yes.
        ways: who says yes, who says no, and of how many things it is so; the most first.
        things: how many things any of them speaks of.
    """

    source: str
    fact: str
    words: str
    tables: frozenset[str]
    yes: tuple[tuple[str, int], ...]
    ways: tuple[tuple[str, str, int], ...]
    things: int

    @property
    def count(self) -> int:
        """Of how many things they say different things."""
        return sum(count for *_, count in self.ways)

    def sentence(self) -> str:
        """With all counts, and where the list is."""
        told = ", ".join(f"{name} of {count:,}" for name, count in self.yes)
        ways = "; ".join(f"{count:,}: yes by {yes}, no by {no}" for yes, no, count in self.ways)
        return (
            f"the exports of {self.source} contradict each other on {self.words}, of {self.count:,} of {self.things:,} ({ways}). "
            f"They say yes: {told}. Nothing was chosen; python -m kpi problems lists each"
        )


def read_disagreements(reader: Reader) -> tuple[Disagreement, ...]:
    """What is published as contradictory."""
    columns = (disagreement.c.source, disagreement.c.fact, disagreement.c.says_yes, disagreement.c.says_no)
    counted = sa.select(*columns, sa.func.count().label("n")).group_by(*columns)
    rows = reader.run(counted).to_pylist()
    return made(rows, reader.run(sa.select(sayer)).to_pylist()) if rows else ()


def found(store: Store) -> tuple[Disagreement, ...]:
    """What the draft in the making holds as contradictory."""
    names = ("source", "fact", "says_yes", "says_no", "n")
    rows = store.run("SELECT source, fact, says_yes, says_no, count(*) FROM disagreement GROUP BY source, fact, says_yes, says_no")
    described = [column.name for column in sayer.columns]
    sayers = store.run(f"SELECT {', '.join(described)} FROM sayer")
    return made([dict(zip(names, row, strict=True)) for row in rows], [dict(zip(described, row, strict=True)) for row in sayers])


def made(rows: Sequence[dict[str, Any]], sayers: Sequence[dict[str, Any]]) -> tuple[Disagreement, ...]:
    """The disagreements of counted rows, in a fixed order."""
    facts = sorted({(row["source"], row["fact"]) for row in rows})
    result = []
    for source, fact in facts:
        ways = sorted(
            ((row["says_yes"], row["says_no"], row["n"]) for row in rows if (row["source"], row["fact"]) == (source, fact)),
            key=lambda way: (-way[2], way),
        )
        who = sorted((one for one in sayers if (one["source"], one["fact"]) == (source, fact)), key=lambda one: str(one["said_by"]))
        tables = frozenset(table for one in who for table in str(one["concerns"]).split(", "))
        words = next((str(one["words"]) for one in who if one["words"]), fact)
        yes = tuple((str(one["said_by"]), int(one["yes"])) for one in who)
        result.append(Disagreement(source, fact, words, tables, yes, tuple(ways), max(int(one["things"]) for one in who)))
    return tuple(result)


def listed(reader: Reader) -> list[dict[str, Any]]:
    """Every thing of which exports say both: ``source, fact, of_id, says_yes, says_no``."""
    columns = (disagreement.c.source, disagreement.c.fact, disagreement.c.of_id, disagreement.c.says_yes, disagreement.c.says_no)
    rows: list[dict[str, Any]] = reader.run(sa.select(*columns).order_by(*columns[:3])).to_pylist()
    return rows
