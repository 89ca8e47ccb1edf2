"""What an export states besides its rows, so that exports which contradict each other are found: ``says`` and ``agree``."""

from __future__ import annotations

from typing import Final

from connectors.base import Mapping
from kpi import yamlfile
from kpi.errors import BadExpression, did_you_mean, known_are
from kpi.language.problems import NAME, Key, Problems
from kpi.sources.columns import Columns
from kpi.sources.expressions import Reader
from kpi.warehouse import cells
from kpi.warehouse.cells import Constant, Value

SAYS: Final = (
    Key("of", "a header", "the id of what it is stated of, the same in all exports of the source", True),
    Key("is", "an expression", "what is stated, yes or no; without it every record says yes"),
    Key("take", "any or every", "of several records of one thing: yes where any says so, or where every one does; default: any"),
    Key("silent", "false", "what has no record here is not so; without it nothing is said of it"),
)


def facts_of(value: yamlfile.Value | None, problems: Problems) -> dict[str, str]:
    """Fact -> what it is in words, from ``agree``."""
    mapping = None if value is None else problems.mapping(value, "facts with what they are in words")
    found: dict[str, str] = {}
    for entry in mapping.entries if mapping else ():
        name = entry.key.text
        if not NAME.match(name):
            problems.add(entry.key.line, entry.value.path, f'"{name}" can\'t be a fact; use small letters, digits and _')
        words = problems.text(entry.value, "what is stated, as in: whether an account has left")
        if words is not None:
            found[name] = words
    return found


def statements(
    value: yamlfile.Value | None,
    problems: Problems,
    columns: Columns,
    reader: Reader,
    facts: dict[str, str],
    said_by: str,
    mappings: tuple[Mapping, ...],
) -> list[Mapping]:
    """The mappings of ``says``: a statement of each record, and who states it.

    Args:
        facts: what ``agree`` names.
        said_by: the export.
        mappings: what the export's records become; a statement is known again by the first one's id.
    """
    given = None if value is None else problems.mapping(value, "facts with what is stated")
    made: list[Mapping] = []
    for entry in given.entries if given else ():
        fact = entry.key.text
        if fact not in facts:
            near = did_you_mean(fact, facts) or known_are(fact, facts) or "; write agree: at the top of the file, with the fact in words"
            problems.add(entry.key.line, entry.value.path, f'agree: names no "{fact}"{near}')
            continue
        found = _statement(entry.value, problems, columns, reader)
        source = next((mapping.columns.get("source") for mapping in mappings), None)
        key = next((mapping.columns[name] for mapping in mappings for name in ("source_id",) if name in mapping.columns), None)
        if found is None or source is None:
            continue
        of, said, take, silent = found
        who: dict[str, Value] = {"source": source, "fact": Constant(fact), "said_by": Constant(said_by)}
        tables = dict.fromkeys(mapping.table for mapping in mappings if not mapping.hint)
        about = {
            **who,
            "take": Constant(take),
            "silent": Constant(silent),
            "words": Constant(facts[fact]),
            "concerns": Constant(", ".join(tables)),
        }
        made += [
            Mapping("statement", {**who, "row_id": of if key is None else key, "of_id": of, "said": said}, where=cells.Filled(of)),
            Mapping("sayer", about, one_each=("source", "fact", "said_by")),
        ]
    return made


def _statement(value: yamlfile.Value, problems: Problems, columns: Columns, reader: Reader) -> tuple[Value, Value, str, str] | None:
    mapping = problems.mapping(value, "of, and what is stated")
    if mapping is None:
        return None
    problems.keys(mapping, SAYS, "what is stated")
    take = problems.choice(mapping.get("take"), ("any", "every"), "how several records count") or "any"
    silent = problems.choice(mapping.get("silent"), ("false",), "what silence says")
    header, stated = mapping.get("of"), mapping.get("is")
    text = problems.text(header, "a header of the file")
    cell = None if text is None else columns.by_header(text)
    if header is not None and text is not None and cell is None:
        problems.at(header, f'columns: lists no "{text}"{did_you_mean(text, columns.known()) or known_are(text, columns.known())}')
    said: Value = Constant(True)
    if stated is not None and (expression := problems.text(stated, "an expression")) is not None:
        try:
            said = reader.value(expression, "flag")
        except BadExpression as error:
            problems.at(stated, str(error))
    return None if cell is None else (cells.Id(cell), said, take, "no" if silent is not None else "nothing")
