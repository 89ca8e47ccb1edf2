"""Names that are like others, for a person to decide: misspelt, shortened, with a word more or less.

Comparing every name with every other would take minutes of 50,000 on either side. Names are compared that share a word which
few have, the beginning or the end of what they are written together, or its consonants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from rapidfuzz import fuzz, process

from kpi.warehouse.names import compact, loose_words

#: From here on, of 100, two names are worth a look: below it, more are by chance alike than meant.
_CUTOFF: Final = 80
#: Candidates for one name.
_MOST: Final = 3
#: Names behind one key beyond which it says nothing, and names that one is compared with at most.
_CROWD: Final = 100
#: Letters of a beginning or an end.
_PIECE: Final = 4
#: What initials that fit are worth.
_INITIALS: Final = Decimal("0.75")


def alike(one: str | None, other: str | None) -> Decimal:
    """How like two names are, 0 to 1."""
    if not one or not other:
        return Decimal(0)
    return _share(_score(_Name(one), _Name(other)))


def candidates(names: Sequence[str], called: Sequence[tuple[str, str]]) -> Iterator[tuple[int, str, Decimal, str]]:
    """For each of ``names`` what it may be.

    Args:
        called: name and id of what is known.

    Returns:
        position in ``names``, the id, how like they are, and in what.
    """
    if not names or not called:
        return
    known = [_Name(name) for name, _ in called]
    behind: dict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(known):
        for key in name.shared():
            behind[key].append(at)
    sorted_words = [name.ordered for name in known]
    for at, text in enumerate(names):
        name = _Name(text)
        near: set[int] = set()
        for crowd in sorted((behind[key] for key in name.shared() if key in behind), key=len):
            if len(crowd) > _CROWD or len(near) > _CROWD:
                break
            near.update(crowd)
        places = sorted(near)
        found = process.extract(name.ordered, [sorted_words[one] for one in places], scorer=fuzz.ratio, limit=2 * _MOST, score_cutoff=60)
        best: dict[str, tuple[Decimal, str]] = {}
        for _, _, place in found:
            other = known[places[place]]
            score = _score(name, other)
            if score >= _CUTOFF:
                _keep(best, called[places[place]][1], _share(score), f"its name is like {called[places[place]][0]}")
        for place in (one for key in name.initials() for one in behind.get(key, ())[:_CROWD]):
            _keep(best, called[place][1], _INITIALS, f"its name may be short for {called[place][0]}")
        for id_, (share, why) in sorted(best.items(), key=lambda one: (-one[1][0], one[0]))[:_MOST]:
            yield at, id_, share, why


def _keep(best: dict[str, tuple[Decimal, str]], id_: str, share: Decimal, why: str) -> None:
    if id_ not in best or best[id_][0] < share:
        best[id_] = (share, why)


def _share(score: float) -> Decimal:
    return Decimal(round(score)) / 100


class _Name:
    """A name as it is compared."""

    __slots__ = ("ordered", "together", "words")

    def __init__(self, name: str) -> None:
        self.words = loose_words(name)
        self.together = compact(self.words)
        self.ordered = " ".join(sorted(self.words))

    def shared(self) -> Iterator[str]:
        """Keys that names which are alike have in common."""
        for word in set(self.words):
            yield f"word {word}"
        yield f"begins {self.together[:_PIECE]}"
        yield f"ends {self.together[-_PIECE:]}"
        consonants = "".join(letter for letter in self.together if letter not in "aeiouyh")
        yield f"sounds {consonants[:6]}"
        if len(self.words) >= 3:
            yield f"initials {''.join(word[0] for word in self.words)}"

    def initials(self) -> Iterator[str]:
        """The key of names that this one may be short for."""
        if len(self.words) == 1 and 3 <= len(self.together) <= 5:
            yield f"initials {self.together}"


def _score(one: _Name, other: _Name) -> float:
    """0 to 100: letter by letter, with words in any order; a little less where one has words that the other lacks."""
    whole = max(fuzz.ratio(one.ordered, other.ordered), fuzz.ratio(one.together, other.together))
    few, many = sorted((set(one.words), set(other.words)), key=len)
    if few and few < many and max(map(len, few)) >= _PIECE:
        whole = max(whole, 85.0)
    return float(whole)
