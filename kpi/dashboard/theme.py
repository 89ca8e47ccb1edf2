"""Colours and sizes of the pages, light and dark, and the little CSS that Streamlit's theme file can't say.

Colour only where it says something: the accent is this year, grey last year, amber the target, red and green worse
and better, and beside each stands a sign or a word, so that nobody depends on telling them apart.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

Mode = Literal["light", "dark"]


@dataclass(frozen=True)
class Palette:
    """Colours of one mode, as ``#rrggbb``."""

    ground: str
    panel: str
    ink: str
    quiet: str
    line: str
    soft: str
    accent: str
    last_year: str
    target: str
    worse: str
    better: str


LIGHT: Final = Palette(
    ground="#fbfaf7",
    panel="#ffffff",
    ink="#1c2730",
    quiet="#5f6b76",
    line="#e4e1da",
    soft="#f3f1ec",
    accent="#12706f",
    last_year="#b9b3a7",
    target="#9c5d00",
    worse="#b5432f",
    better="#2d7a4d",
)

DARK: Final = Palette(
    ground="#0f1418",
    panel="#161d23",
    ink="#e8edf1",
    quiet="#93a1ad",
    line="#27313a",
    soft="#1d262d",
    accent="#4aa3a2",
    last_year="#5f6f7b",
    target="#e2a04a",
    worse="#e07a6a",
    better="#6fbf8b",
)

#: Of the groups of a chart, ten that people of every kind of colour sight tell apart by tone as well; the accent is the first.
GROUPS: Final[dict[Mode, tuple[str, ...]]] = {
    "light": ("#12706f", "#c4621a", "#4b3f9e", "#3a8fc2", "#9c3f74", "#7f7a14", "#7b4b2c", "#8a6fc9", "#55677a", "#b58a00"),
    "dark": ("#4aa3a2", "#e8975a", "#9a90ec", "#7cc4ee", "#dd88b5", "#c6c257", "#c79574", "#bba8f2", "#9fb1c2", "#e6c65c"),
}

#: The same for small words, darker where a mark's tone would be too faint to read.
GROUP_WORDS: Final[dict[Mode, tuple[str, ...]]] = {
    "light": ("#12706f", "#b35711", "#4b3f9e", "#2c7aa8", "#9c3f74", "#7a7512", "#7b4b2c", "#7d5fc0", "#55677a", "#8f6c00"),
    "dark": GROUPS["dark"],
}

FONT: Final = "Inter, sans-serif"


def palette(mode: Mode) -> Palette:
    """The colours of a mode."""
    return DARK if mode == "dark" else LIGHT


def style(mode: Mode) -> str:
    """The page's style sheet, with the mode's colours as custom properties."""
    colours = "".join(f"--{name.replace('_', '-')}:{value};" for name, value in asdict(palette(mode)).items())
    sheet = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    return f"<style>:root{{{colours}color-scheme:{mode};}}\n{sheet}</style>"
