"""``check`` of the mappings in ``sources/``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from connectors import CONNECTORS
from kpi import yamlfile
from kpi.errors import ProblemsFound
from kpi.sources.folder import read_file
from kpi.sources.reading import Source


def is_mapping(path: Path, folder: Path) -> bool:
    """Whether a file is a mapping rather than definitions: it lies in their folder, or has exports or a source and no metrics."""
    if path.resolve().parent == folder.resolve():
        return True
    tree, _ = yamlfile.read(path)
    keys = {name for name, _ in tree} if isinstance(tree, yamlfile.Mapping) else set()
    return "metrics" not in keys and bool(keys & {"exports", "source"})


def check(paths: Sequence[Path], as_json: bool) -> int:
    """Print the problems of mappings, a line each; exit code 1 with any.

    ``as_json`` prints ``{"file", "problems": [{"file", "line", "key", "message"}], "sources"}``.
    """
    taken = {connector.name for connector in CONNECTORS}
    read = [read_file(path, taken) for path in paths]
    problems = [problem for _, found in read for problem in found]
    sources = [source for source, _ in read if source is not None]
    file = ", ".join(map(str, paths))
    if as_json:
        names = [source.connector.name for source in sources]
        print(json.dumps({"file": file, "problems": [asdict(problem) for problem in problems], "sources": names}, ensure_ascii=False))
        return 1 if problems else 0
    for problem in problems:
        print(problem)
    for source in sources:
        print(summary(source))
    if problems:
        raise ProblemsFound(len(problems), file)
    return 0


def summary(source: Source) -> str:
    """A mapping without problems, in a line."""
    layouts = source.connector.layouts
    tables = dict.fromkeys(mapping.table for layout in layouts for mapping in layout.mappings if not mapping.hint)
    exports = "1 export" if len(layouts) == 1 else f"{len(layouts)} exports"
    filled = ", ".join(table for table in tables if table not in ("statement", "sayer"))
    return f"{source.file}: no problems; {exports} of {source.connector.label} into {filled}"
