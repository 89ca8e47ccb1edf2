"""What stands in rich text and in transcripts, as plain words."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Final

#: Elements that begin a line of their own.
_BLOCKS: Final = frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre"})
_HIDDEN: Final = frozenset({"script", "style", "head", "title"})
_MARKUP: Final = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-zA-Z]+|#\d+);")


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.said.append("\n")
        self._hidden += tag in _HIDDEN

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.said.append("\n")
        self._hidden -= tag in _HIDDEN and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.said.append(data.replace("\n", " "))


def plain(text: str) -> str:
    """The words of HTML, a line for each paragraph; text without any markup as it stands."""
    if not _MARKUP.search(text):
        return text.strip()
    words = _Words()
    words.feed(text)
    words.close()
    lines = (" ".join(line.split()) for line in html.unescape("".join(words.said)).splitlines())
    return "\n".join(line for line in lines if line)
