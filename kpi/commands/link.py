"""``link``: who is not matched, with the money at stake; and what people decide on it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from kpi import settings
from kpi.commands.imports import say
from kpi.commands.sheets import from_csv, to_csv
from kpi.commands.text import table
from kpi.errors import UsageError
from kpi.importing.current import ensure_current
from kpi.importing.linking import Decided, decide
from kpi.metrics import definitions
from kpi.metrics.publishing import mappings_of
from kpi.records.links import Decision, Kind, Verdict, history
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.waiting import Waiting, waiting

#: Rows of the list that a person reads at once.
_SHOWN: Final = 30
_COLUMNS: Final = (
    *("source", "source_id", "name", "address", "at_stake", "linked_to", "account_id", "account_name", "score", "why"),
    *("decision", "reason"),
)
#: What people write into the column ``decision``.
_WORDS: Final[dict[str, tuple[Verdict, bool]]] = {
    **dict.fromkeys(("confirm", "confirmed", "yes", "y", "x"), ("confirmed", True)),
    **dict.fromkeys(("reject", "rejected", "no", "n"), ("rejected", True)),
    **dict.fromkeys(("nobody", "none"), ("rejected", False)),
    **dict.fromkeys(("withdraw", "withdrawn"), ("withdrawn", True)),
}


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register ``link``."""
    parser = subparsers.add_parser(
        "link",
        help="customers that are not matched, with the money at stake; confirm or reject what they may be",
        description="List customers that no rule could match, and those whose link is in doubt. What you decide is kept for good, "
        "counts over every rule, and is published at once.",
    )
    parser.set_defaults(run=_list, all=False, json=False)
    actions = parser.add_subparsers(dest="action", metavar="list | confirm | reject | withdraw | history | export | import")
    for name, run, words in (("list", _list, "who waits (the default)"), ("history", _history, "every decision: who, when, what and why")):
        action = actions.add_parser(name, help=words, description=f"Print {words}.")
        if name == "list":
            action.add_argument("--all", action="store_true", help=f"more than the first {_SHOWN}")
        action.add_argument("--json", action="store_true", help="print one JSON object")
        action.set_defaults(run=run)
    for name, verdict, words in (
        ("confirm", "confirmed", "say which account a customer is"),
        ("reject", "rejected", "say which account it is not; without an account: that it is none of them"),
        ("withdraw", "withdrawn", "take back what was decided; without an account: all of it"),
    ):
        action = actions.add_parser(name, help=words, description=words.capitalize() + ".")
        action.add_argument("customer", metavar="CUSTOMER", help="as the list shows it, such as stripe:cus_1")
        needed = {} if verdict == "confirmed" else {"nargs": "?"}
        action.add_argument("target", metavar="ACCOUNT", help="such as salesforce:001A", **needed)
        action.add_argument(
            "--product", action="store_true", help="it is about a product of a source, and ACCOUNT is a product of metrics.yaml"
        )
        action.add_argument("--reason", default="", help="why; kept with the decision")
        action.add_argument("--json", action="store_true", help="print one JSON object")
        action.set_defaults(run=_decide, verdict=verdict)
    for name, run, words in (
        ("export", _export, "write the list as CSV, to decide in a spreadsheet"),
        ("import", _import, "read that CSV back: confirm, reject or nobody in its column decision"),
    ):
        action = actions.add_parser(name, help=words, description=words.capitalize() + ".")
        action.add_argument("file", metavar="FILE", help="- is stdout" if name == "export" else "")
        action.add_argument("--json", action="store_true", help="print one JSON object")
        action.set_defaults(run=run)


def _opened() -> tuple[Settings, Mappings]:
    chosen = settings.load()
    return chosen, mappings_of(definitions.load(chosen.metrics))


def _waiting(chosen: Settings, mappings: Mappings) -> list[Waiting]:
    ensure_current(chosen, mappings, say)
    with open_reader(chosen) as reader:
        return waiting(reader)


def _list(options: argparse.Namespace) -> int:
    found = _waiting(*_opened())
    if options.json:
        print(json.dumps({"customers": [_plain(one) for one in found]}, ensure_ascii=False, indent=1))
        return 0
    if not found:
        print("every customer is matched")
        return 0
    shown = found if options.all else found[:_SHOWN]
    head = ("customer", "name", "at stake", "may be", "why")
    print(table(head, [(f"{one.source}:{one.source_id}", one.name or one.address or "", _stake(one), *_may_be(one)) for one in shown]))
    unmatched = sum(one.account_id is None for one in found)
    print(f"\n{unmatched:,} not matched, {len(found) - unmatched:,} linked but in doubt", end="")
    print(f"; the first {_SHOWN} are shown, --all shows the rest" if len(shown) < len(found) else "")
    print("python -m kpi link confirm CUSTOMER ACCOUNT decides; link export FILE.csv writes all of it for a spreadsheet")
    return 0


def _stake(one: Waiting) -> str:
    amounts = [stake for stake in one.stakes if stake.amount is not None]
    first = amounts[0].table if amounts else ""
    return "; ".join(stake.words for stake in amounts if stake.table == first) or "; ".join(stake.words for stake in one.stakes)


def _may_be(one: Waiting) -> tuple[str, str]:
    if not one.proposals:
        return "", "no account is like it"
    best, more = one.proposals[0], len(one.proposals) - 1
    others = f", or {more} other{'' if more == 1 else 's'}" if more else ""
    doubt = f"linked to {one.account_id}: " if one.account_id else ""
    return f"{best.account_id} {best.name or ''} ({best.score:.2f}){others}", doubt + best.why


def _plain(one: Waiting) -> dict[str, Any]:
    return {
        "source": one.source,
        "source_id": one.source_id,
        "name": one.name,
        "address": one.address,
        "linked_to": one.account_id,
        "at_stake": [
            {
                "table": stake.table,
                "currency": stake.currency,
                "amount": None if stake.amount is None else str(stake.amount),
                "rows": stake.rows,
            }
            for stake in one.stakes
        ],
        "candidates": [
            {"account_id": each.account_id, "name": each.name, "score": f"{each.score:.2f}", "why": each.why} for each in one.proposals
        ],
    }


def _history(options: argparse.Namespace) -> int:
    lines = history(settings.load())
    if options.json:
        said = [{**vars(one), "decided_at": f"{one.decided_at:%Y-%m-%dT%H:%M:%SZ}"} for one in lines]
        print(json.dumps({"decisions": said}, ensure_ascii=False, indent=1))
    elif lines:
        head = ("when (UTC)", "who", "what", "of", "to", "why")
        rows = [
            (
                f"{one.decided_at:%Y-%m-%d %H:%M}",
                one.decided_by,
                one.decision,
                f"{one.source}:{one.source_id}",
                one.target or "",
                one.reason,
            )
            for one in lines
        ]
        print(table(head, rows))
    else:
        print("nothing was decided yet")
    return 0


def _decide(options: argparse.Namespace) -> int:
    source, colon, source_id = options.customer.partition(":")
    if not colon or not source_id:
        raise UsageError(f'"{options.customer}" is no customer; write its system and its id there, such as stripe:cus_1')
    kind: Kind = "product" if options.product else "account"
    one = Decision(kind, options.verdict, source, source_id, options.target, settings.user(), options.reason.strip())
    chosen, mappings = _opened()
    _report(decide(chosen, mappings, [one], say), options.json)
    return 0


def _report(decided: Decided, as_json: bool) -> None:
    if as_json:
        print(json.dumps(vars(decided)))
        return
    known = f"; {decided.known} stood already" if decided.known else ""
    print(f"{decided.new} decision{'' if decided.new == 1 else 's'} written down{known}; generation {decided.generation} counts now")


def _export(options: argparse.Namespace) -> int:
    found = _waiting(*_opened())
    text = to_csv(_COLUMNS, [row for one in found for row in _cells(one)])
    if options.file == "-":
        sys.stdout.write(text)
        return 0
    try:
        Path(options.file).write_text(text, encoding="utf-8-sig")  # with the mark by which Excel knows UTF-8
    except OSError as error:
        raise UsageError(f"{options.file} can't be written: {error.strerror}") from error
    print(
        json.dumps({"file": options.file, "customers": len(found)})
        if options.json
        else f"{len(found):,} customers written to {options.file}"
    )
    return 0


def _cells(one: Waiting) -> list[list[str]]:
    who = [
        one.source,
        one.source_id,
        one.name or "",
        one.address or "",
        "; ".join(stake.words for stake in one.stakes),
        one.account_id or "",
    ]
    each = [[p.account_id, p.name or "", f"{p.score:.2f}", p.why] for p in one.proposals] or [["", "", "", ""]]
    return [[*who, *cells, "", ""] for cells in each]


def _import(options: argparse.Namespace) -> int:
    chosen, mappings = _opened()
    decisions = _read(Path(options.file), settings.user())
    _report(decide(chosen, mappings, decisions, say), options.json)
    return 0


def _read(path: Path, who: str) -> Sequence[Decision]:
    """The rows with something in the column decision.

    Raises:
        UsageError: with a line for each row that can't be understood; then none counts.
    """
    decisions, wrong = [], []
    for line, row in from_csv(path, ("source", "source_id", "account_id", "decision")):
        word = row["decision"].casefold()
        if not word:
            continue
        if word not in _WORDS:
            wrong.append(f'{path}:{line} decision: "{row["decision"]}" is none of confirm, reject, nobody, withdraw')
            continue
        verdict, names_one = _WORDS[word]
        target = row["account_id"] or None if names_one else None
        if verdict == "confirmed" and target is None:
            wrong.append(f"{path}:{line} account_id: it is empty, so there is no account to confirm")
            continue
        decisions.append(Decision("account", verdict, row["source"], row["source_id"], target, who, row.get("reason", "")))
    accounts: dict[str, set[str | None]] = {}
    for one in decisions:
        if one.decision == "confirmed":
            accounts.setdefault(f"{one.source}:{one.source_id}", set()).add(one.target)
    twice = {customer: sorted(filter(None, found)) for customer, found in accounts.items() if len(found) > 1}
    wrong += [f"{path}: {customer} is confirmed as {' and as '.join(found)}; it can be one account" for customer, found in twice.items()]
    if wrong:
        raise UsageError("\n".join(wrong))
    return decisions
