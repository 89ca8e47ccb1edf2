"""Setting a look in type: PDF of two pages, or one PNG of both."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast

import typst

from kpi.dashboard.looking import Look
from kpi.dashboard.noted import noted, problem_sentences
from kpi.dashboard.printed.content import Content, content

Format = Literal["pdf", "png"]

_HERE: Final = Path(__file__).parent
#: Pixels an inch of a picture: twice a screen's, so that small type stays readable.
_PPI: Final = 144.0


def printed(look: Look, form: Format) -> bytes:
    """The file. The same look gives the same bytes: the time in it is the end of its week, none of today."""
    found, end = noted(look.desk.settings), look.definitions.calendar.week(look.week).end
    made = content(look, found.notes)
    made["notes"] = [*made["notes"], *problem_sentences(found)]
    return set_in_type(made, form, dt.datetime.combine(end, dt.time(), dt.UTC))


def set_in_type(made: Content, form: Format, time: dt.datetime) -> bytes:
    """The same of what :func:`content` made."""
    found = _compiler().compile(
        format=form,
        ppi=_PPI if form == "png" else None,
        sys_inputs={"data": json.dumps(made, ensure_ascii=False), "single": "yes" if form == "png" else "no"},
        timestamp=time,
    )
    return cast("bytes", found[0] if isinstance(found, list) else found)


@cache
def _compiler() -> typst.Compiler:
    """With our fonts first, so that a review looks the same on every machine; the system's are for letters that ours lack."""
    return typst.Compiler(str(_HERE / "review.typ"), root=str(_HERE), font_paths=[str(_HERE / "fonts")])
