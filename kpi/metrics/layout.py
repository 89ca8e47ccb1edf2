"""SQL laid out for reading: lines broken and indented between words, never within quotes, so that it means the same."""

from __future__ import annotations

import re
from typing import Final

#: Lines longer than this are broken after a comma.
WIDTH: Final = 120

#: Texts and quoted names stay whole; everything else is words, signs and blanks.
_TOKENS: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\s+|[(),]|[^\s(),'\"]+")
#: A line begins with these, at the depth of the query they belong to.
_BREAKS: Final = ("SELECT", "FROM", "WHERE", "GROUP", "ORDER", "UNION", "LIMIT", "HAVING")


def laid_out(sql: str) -> str:
    """The same statement in lines; queries in parentheses are indented by two spaces."""
    lines: list[str] = []
    line, depth = "", 0
    queries: list[int] = []  # depths of the parentheses that hold a query
    words = [token for token in _TOKENS.findall(sql) if token]

    def end(indent: int) -> None:
        nonlocal line
        if line.strip():
            lines.append(line.rstrip())
        line = "  " * indent

    for place, word in enumerate(words):
        if word.isspace():
            line += " " if line.strip() else ""
            continue
        level = len(queries)
        if word == "(":
            depth += 1
            following = next((other for other in words[place + 1 :] if not other.isspace()), "")
            line += word
            if following in ("SELECT", "WITH"):
                queries.append(depth)
                end(len(queries))
            continue
        if word == ")":
            if queries and queries[-1] == depth:
                queries.pop()
                end(len(queries))
            depth -= 1
            line += word
            continue
        # Not the FROM of EXTRACT or IS DISTINCT FROM: those stand deeper in parentheses or behind DISTINCT.
        here = depth == (queries[-1] if queries else 0)
        if word in _BREAKS and here and not line.rstrip().endswith("DISTINCT"):
            end(level)
        line += word
        if word == "," and len(line) > WIDTH:
            end(level + 2)
    end(0)
    return "\n".join(lines)
