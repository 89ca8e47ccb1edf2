"""What a person decides on links: checked, written down, and published at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kpi.errors import UnknownName, UsageError
from kpi.importing.current import ensure_current, ensure_readable, silent
from kpi.importing.republish import publish_decisions
from kpi.records.links import Decision, history, standing, write_down
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.reader import Reader
from kpi.warehouse.waiting import customers, products, targets


@dataclass(frozen=True)
class Decided:
    """How many decisions were new, how many stood already, and the generation that counts now (0: nothing was ever imported)."""

    new: int
    known: int
    generation: int


def decide(settings: Settings, mappings: Mappings, decisions: Sequence[Decision], say: Callable[[str], None] = silent) -> Decided:
    """Write the decisions down and publish a generation in which they count.

    Raises:
        UnknownName: a customer or account that doesn't exist. Nothing was written.
        UsageError: an account is said to be itself, or nothing was ever imported.
    """
    ensure_readable(settings, mappings, say)
    generation = ensure_current(settings, mappings, say)
    with open_reader(settings) as reader:
        if not reader.generation:
            raise UsageError("nothing was ever imported, so there is nobody to decide on")
        _check(reader, decisions)
    past = history(settings)
    stand = {_what(one) for one in standing(past)}
    new = [one for one in decisions if one.decision == "withdrawn" or _what(one) not in stand]
    if new:
        write_down(settings, new)
        generation = publish_decisions(settings, mappings, say)
    return Decided(len(new), len(decisions) - len(new), generation)


def _what(one: Decision) -> tuple[str, str, str, str, str | None]:
    return one.kind, one.decision, one.source, one.source_id, one.target


def _check(reader: Reader, decisions: Sequence[Decision]) -> None:
    for kind, known_ids in (("account", customers), ("product", products)):
        wanted = [one for one in decisions if one.kind == kind]
        if not wanted:
            continue
        known = known_ids(reader)
        there = targets(reader, kind)
        for one in wanted:
            written = f"{one.source}:{one.source_id}"
            if (one.source, one.source_id) not in known:
                raise UnknownName("customer" if kind == "account" else "product of a source", written, [f"{s}:{i}" for s, i in known])
            if one.target == written and kind == "account":
                raise UsageError(f"{written} is that account already; name another one")
            if one.target is not None and one.target not in there and one.decision != "withdrawn":
                raise UnknownName(kind, one.target, there)
