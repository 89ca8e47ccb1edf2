"""The lines of rows are found in the kept files, each in the one that wrote the row as it stands."""

from __future__ import annotations

from kpi.importing.importer import Options, import_paths
from kpi.importing.tracing import lines_of
from kpi.settings import Settings


def test_each_row_stands_where_its_file_has_it(tmp_path, mappings, payments):
    settings = Settings(home=tmp_path / "home")
    first = payments("first.csv", [3, 1, 2])
    second = payments("second.csv", [9, 2])
    for path in (first, second):
        import_paths(settings, mappings, [str(path)], Options())
    keys = [(run, (f"stripe:ch_{number}",), f"ch_{number}") for run, number in ((1, 3), (1, 1), (2, 2), (2, 9))]
    # a header, then 3, 1, 2; and a header, then 9, 2
    found = lines_of(settings, mappings, "payment", keys)
    assert [found[run, key] for run, key, _ in keys] == [2, 3, 3, 2]
    # by the id in the source, where the key was made after reading
    assert lines_of(settings, mappings, "payment", [(1, ("made",), "ch_1")]) == {(1, ("made",)): 3}
    assert lines_of(settings, mappings, "payment", [(1, ("stripe:ch_9",), "ch_9"), (7, ("stripe:ch_1",), "ch_1")]) == {}
    assert lines_of(settings, mappings, "payment", keys, most=10) == {}
