"""``python -m kpi``."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from typing import Any


class WithoutPandas(MetaPathFinder):
    """Pandas is not there for the commands.

    DuckDB would import it, a third of a second, to ask of the first bound value whether it is a missing value of pandas.
    """

    def find_spec(self, fullname: str, *_: Any) -> None:
        """Nothing but a refusal of pandas."""
        if fullname == "pandas":
            raise ModuleNotFoundError("the commands do without pandas", name=fullname)


if __name__ == "__main__":
    sys.meta_path.insert(0, WithoutPandas())
    from kpi.cli import main

    sys.exit(main())
