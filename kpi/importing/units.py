"""Whether a file's amounts are in minor units (4500 for 45.00) or in major ones: decided for the whole file, and told.

An amount with decimals can't be in minor units. The marks of a layout, which stand in every record of the API that
writes minor units, show those. What the user says counts before what the marks show, since others write such records
too. Where nothing tells, the file is held back with the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from kpi.errors import HeldBack
from kpi.importing.staged import Context
from kpi.settings import AmountUnits
from kpi.warehouse import mapped
from kpi.warehouse.casting import Scope
from kpi.warehouse.shapes import OUTNUMBERED, AmountShape

_MEANS = {"major": "whole units, so that 4500 is 4500.00", "minor": "the smallest unit of its currency, so that 4500 is 45.00 USD"}


@dataclass(frozen=True)
class Amounts:
    """A part's amounts.

    Attributes:
        scope: the part's columns; ``minor`` is set.
        relation: its texts.
        columns: positions of those that may be in either.
        whole: positions of those of them that hold no decimals in minor units.
    """

    scope: Scope
    relation: str
    columns: tuple[int, ...]
    whole: tuple[int, ...]


@dataclass(frozen=True)
class Marks:
    """Names by which an API's records are known, the relation of records, and at which positions it has them."""

    names: tuple[str, ...]
    relation: str
    positions: tuple[int, ...]


def decide_units(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[Amounts], marks: Marks, label: str, name: str, context: Context
) -> list[str]:
    """Set ``minor`` of every part's scope.

    Returns:
        a sentence on how it was decided; none where there is nothing to decide.

    Raises:
        HeldBack: nothing tells, and nobody said.
    """
    shown = broken = None
    for part in parts:
        if part.columns:
            row = connection.execute(mapped.units_query(part.relation, part.columns, part.whole, ())).fetchall()[0]
            shown, broken = shown or row[0], broken or row[1]
    if shown is None:
        return []  # nothing, or nothing but zeros
    lacking = connection.execute(mapped.units_query(marks.relation, (), (), marks.positions)).fetchall()[0][2]
    marked = bool(marks.names) and len(marks.positions) == len(marks.names) and not lacking
    units, why = _decided(broken, marked, marks, label, context.amounts)
    if units is None:
        raise HeldBack(
            f"{name} is held back: its amounts, such as {shown}, can be whole units or cents, and {why}. Import it again with "
            f"--amounts major where {shown} means {shown} of the currency, or with --amounts minor where it means a hundredth of that"
        )
    for part in parts:
        part.scope.minor = units == "minor"
    return [f"amounts are read as {_MEANS[units]}: {why}"]


def assume_units(connection: duckdb.DuckDBPyConnection, parts: Sequence[Amounts], name: str, context: Context) -> list[str]:
    """As :func:`decide_units`, of a table whose columns have the names of an API that writes minor units.

    They are minor units unless they have decimals, in which case none is; what the user says counts before that.

    Raises:
        HeldBack: hardly any has decimals, or all that have write a bare .0, and nobody said.
    """
    shown = broken = None
    counts = [0, 0, 0]
    for part in parts:
        if part.columns:
            marks = {at: part.scope.amounts.get(at, AmountShape()).decimal for at in part.whole}
            row = connection.execute(mapped.decimals_query(part.relation, part.columns, marks)).fetchall()[0]
            shown, broken = shown or row[0], broken or row[1]
            counts = [count + more for count, more in zip(counts, row[2:], strict=True)]
    if shown is None:
        return []  # nothing but zeros
    every, decimals, bare = counts
    doubt = ""
    if decimals and decimals == bare:
        doubt = f"those with decimals write a bare 0 behind the mark, as {broken} does, which programs also make of whole numbers"
    elif decimals and every - decimals > OUTNUMBERED * decimals:
        doubt = f"{decimals:,} of {every:,} have decimals, as {broken} does"
    if doubt and context.amounts is None:
        raise HeldBack(
            f"{name} is held back: its amounts, such as {shown}, can be whole units or cents: {doubt}. Import it again with "
            f"--amounts major where {shown} means {shown} of the currency, or with --amounts minor where it means a hundredth of that"
        )
    units: AmountUnits = context.amounts or ("major" if broken else "minor")
    for part in parts:
        part.scope.minor = units == "minor"
    why = f"--amounts {units} says so" if context.amounts else f"{broken} stands in it" if broken else "none has decimals"
    return [f"amounts are read as {_MEANS[units]}: {why}"]


def _decided(broken: str | None, marked: bool, marks: Marks, label: str, said: AmountUnits | None) -> tuple[AmountUnits | None, str]:
    named = " and ".join(f'"{name}"' for name in marks.names)
    api = f"its records carry {named}, as those of {label}'s API do, which writes the smallest unit"
    if said is not None:
        against = (
            f", though {api}" if marked and said == "major" else f", though {broken} stands in it" if broken and said == "minor" else ""
        )
        return said, f"--amounts {said} says so{against}"
    if broken and marked:
        return None, f"{api}, yet {broken} stands in it"
    if marked:
        return "minor", api
    if broken:
        return "major", f"{broken} stands in it"
    lacks = f"its records lack {named}, which those of {label}'s API carry" if marks.names else "nothing in it tells which"
    return None, lacks
