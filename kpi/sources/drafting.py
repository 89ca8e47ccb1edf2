"""The first draft of a mapping, made from a file: what is seen stands in it, what is only likely is a question, ``# ?``.

Cells and headers are the words of strangers: in YAML they stand in quotes with every special character escaped, in comments on one
line with what can't be printed written out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from kpi.printing import printable
from kpi.sources import guessing
from kpi.sources.columns import called
from kpi.sources.profiling import Profile, Sheet
from kpi.sources.tables import CALLED, Target
from kpi.warehouse.schema import metadata

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_ ][A-Za-z0-9]+)*")
_TRAPS: Final = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})
#: Examples in a comment, and letters of each; choices that a draft lists.
_EXAMPLES: Final = 3
_LETTERS: Final = 30
_MOST_CHOICES: Final = 30
#: Currencies that a column's name may end in, as in amount_usd.
_IN_NAME: Final = re.compile(r"_(usd|eur|gbp|chf|jpy|aud|cad|sek|nok|dkk|pln)\Z")


def draft(sheet: Sheet, name: str, taken: Collection[str], known_as: str = "") -> str:
    """The draft as text.

    Args:
        sheet: what the file holds.
        name: its name.
        taken: systems that no mapping may be called.
        known_as: what reads the file already, or nothing.
    """
    return "\n".join(_lines(sheet, Path(name).stem, Path(name).name, taken, known_as)) + "\n"


def quoted(text: str) -> str:
    """A text as YAML takes it, whatever it holds: plain where nobody can misread it, else in double quotes, escaped."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _TRAPS:
        return text
    made = []
    for letter in text:
        if letter in '"\\':
            made.append(f"\\{letter}")
        elif letter.isprintable():
            made.append(letter)
        else:
            made.append(f"\\U{ord(letter):08x}")
    return f'"{"".join(made)}"'


def _shown(text: str) -> str:
    """A stranger's text in a comment."""
    flat = printable(text)
    return flat if len(flat) <= _LETTERS else f"{flat[: _LETTERS - 1]}…"


def _examples(column: Profile) -> str:
    if column.kind == "empty":
        return "always empty"
    some = ", ".join(_shown(text) for text in column.texts[:_EXAMPLES])
    return f"such as {some}" if len(column.texts) > 1 or column.many else f"always {some}"


def _lines(sheet: Sheet, stem: str, name: str, taken: Collection[str], known_as: str) -> Iterator[str]:
    target, near = guessing.table_of(stem, sheet.columns)
    system = (re.split(r"[_\W\d]+", stem.casefold().strip("_ "))[0] or "files")[:30]
    system = system if re.fullmatch(r"[a-z][a-z0-9_-]*", system) else "files"
    system = f"{system[:24]}-files" if system in taken else system
    seen = f"its {sheet.rows:,} records" if sheet.whole else f"its first {sheet.rows:,} records"
    yield f"# A draft, made from {seen} of {_shown(name)}. Lines with # ? are questions: answer them and take the mark away."
    yield "# Check it with: python -m kpi check sources/THIS_FILE.yaml"
    if known_as:
        yield f"# ? {known_as} reads this file already: is a mapping needed? If so, lacks: or columns: must tell the two apart"
    for said in sheet.left_out:
        yield f"# {said}: it can't be mapped"
    yield ""
    yield f"source: {system}    # ? the system's name: ids begin with it, and it stays when the files are named otherwise"
    yield "exports:"
    yield f"  {quoted(called(stem)[:60] or target.name)}:"
    yield "    # a file is recognised by having all of these columns; put those that some files lack under may_have:"
    yield "    columns:"
    for column in sheet.columns:
        blank = "" if column.filled == sheet.rows else f"; {sheet.rows - column.filled:,} of {sheet.rows:,} empty"
        yield f"    - {quoted(column.header)}    # {column.kind}, {_examples(column)}{blank}"
    yield from _dates(sheet)
    yield "    rows:"
    meaning = metadata.tables[target.name].comment
    yield f"      # ? is a record {meaning}?" + (f" It may also be {' or '.join(near)}" if near else "")
    yield f"      {target.name}:"
    yield from (f"        {line}" for line in _table(sheet, target))


def _dates(sheet: Sheet) -> Iterator[str]:
    for column in sheet.columns:
        if column.question:
            yield f"    # ? dates: dmy or mdy: {_asked(column.question)}"
            return


def _asked(question: str) -> str:
    return printable(question.split(". Import")[0])


def _table(sheet: Sheet, target: Target) -> Iterator[str]:
    """The columns of the table: first those that a row can't do without."""
    found = guessing.columns_of(target, sheet.columns)
    accepted = target.columns()
    table = metadata.tables[target.name]
    needs = [{column: word for word, column in CALLED.items()}.get(need, need) for need in target.needs]
    for name in (*needs, *(name for name in accepted if name not in needs and name in found)):
        column = found.get(name)
        comment = table.columns[accepted[name]].comment if accepted[name] in table.columns else "what tells who the customer is"
        if column is not None:
            yield from _value(target, name, accepted[name], column, str(comment))
        elif name == target.key:
            yield from _without_key(target, str(comment))
        else:
            words = target.words(accepted[name])
            example = f"{{value: {words[0]}}}" if words else "a column"
            yield f"# ? {name}: {example}    a row can't do without it: {comment}" + (f"; one of {', '.join(words)}" if words else "")
    if any(target.unit(accepted[name]) == "money" for name in found) and "currency" not in found:
        yield from _currency([found[name] for name in found if target.unit(accepted[name]) == "money"])
    if "customer" in accepted and "customer" not in found:
        yield "# ? customer: a column with the customer's id, e-mail or name, if there is one"
    unused = [column.header for column in sheet.columns if column not in found.values()]
    if unused:
        yield f"# not used: {', '.join(_shown(header) for header in unused)}"


def _value(target: Target, name: str, column: str, profile: Profile, comment: str) -> Iterator[str]:
    ask = f"    # ? {comment}? {_examples(profile)}"
    words = target.words(column)
    if words:
        yield from _closed(target, name, column, profile, ask)
    elif profile.kind == "compact" and target.unit(column) in ("day", "instant"):
        yield f"{name}: {{column: {quoted(profile.header)}, written: yyyymmdd}}{ask}"
    elif profile.kind == "number" and target.unit(column) == "money" and not any(mark in text for text in profile.texts for mark in ".,"):
        yield f"{name}: {quoted(profile.header)}{ask}; whole numbers: if they are cents, write {{column: …, unit: minor}}"
    else:
        yield f"{name}: {quoted(profile.header)}{ask}"


def _closed(target: Target, name: str, column: str, profile: Profile, ask: str) -> Iterator[str]:
    """A column of a closed list: what its texts most likely mean; where none is known, only the question."""
    words = ", ".join(target.words(column))
    texts = {text.casefold(): text for text in profile.texts}
    means = {text: guessing.meant(target.name, column, text) for text in list(texts.values())[:_MOST_CHOICES]}
    known = {text: word for text, word in means.items() if word is not None}
    mark = "" if known else "# ? "
    yield f"{mark}{name}:{ask}"
    yield f"{mark}  column: {quoted(profile.header)}"
    yield f"{mark}  choices:"
    yield from (f"    {quoted(text)}: {word}    # ?" for text, word in known.items())
    for text in means:
        if text not in known:
            yield f"    # ? {_shown(text)}: which of {words}? Rows with it are set aside until this says"


def _without_key(target: Target, comment: str) -> Iterator[str]:
    yield f"# ? {target.key}: no column holds something else in each row. If several together do: {{join: [first column, second column]}};"
    yield f"# ? if the file has no id: {{made_of: row}}, with replaces: {{during: a day of {target.name}}}"


def _currency(amounts: list[Profile]) -> Iterator[str]:
    named = [found[1].upper() for column in amounts if (found := _IN_NAME.search(called(column.header)))]
    signs = {"€": "EUR", "$": "USD", "£": "GBP"}
    shown = [code for sign, code in signs.items() if any(sign in text for column in amounts for text in column.texts)]
    if len(set(named or shown)) == 1:
        yield f"currency: {{value: {(named or shown)[0]}}}    # ? as the amounts seem to say"
    else:
        yield "# ? currency: {value: EUR}    the file doesn't say in which currency the amounts are"
