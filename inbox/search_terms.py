"""What somebody searches for: its terms, their character pairs, and where they stand in a text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from inbox.views import Part
from scrm.db import Tx

AROUND = 36
"""Characters shown on either side of what was found."""
MOST_PARTS = 24


@dataclass(frozen=True, slots=True)
class Terms:
    """All words must occur, and none of the excluded. Folded by the database, as the texts are."""

    words: tuple[str, ...]
    excluded: tuple[str, ...] = ()

    @property
    def pairs(self) -> list[int]:
        """As ``search_keys`` of the database makes them, without the block of ids."""
        found = {(ord(first) << 21) | ord(second) for word in self.words for first, second in pairwise(word)}
        return sorted(found)

    @property
    def keys_by_word(self) -> list[list[int]]:
        """Of each word its pairs, or the character that it consists of, where those are indexed as well."""
        return [Terms((word,)).pairs or [ord(word) << 21] for word in self.words]

    @property
    def name_keys(self) -> list[int]:
        """What ``name_keys`` of the database asks for: the triples of long words, the pair of a word of two, a character alone."""
        return sorted({key for word in self.words for key in _name_keys([ord(one) for one in word])})


def _name_keys(codes: list[int]) -> list[int]:
    if len(codes) < 3:
        return [codes[0] << 21 | codes[1]] if len(codes) == 2 else [codes[0] << 21]
    return [a << 42 | b << 21 | c for a, b, c in zip(codes, codes[1:], codes[2:], strict=False)]


async def terms_of(tx: Tx, text: str) -> Terms:
    folded: str = await tx.fetchval("select search_fold($1)", text)
    return Terms(tuple(dict.fromkeys(folded.split())))


def folded(text: str) -> tuple[str, list[int]]:
    """A text as it is searched, and for each of its characters the place in the original that it comes from."""
    characters: list[str] = []
    places: list[int] = []
    for place, one in enumerate(text):
        for part in unicodedata.normalize("NFKC", one).lower():
            characters.append(part)
            places.append(place)
    return "".join(characters), places


def excerpt(text: str, words: Sequence[str]) -> list[Part]:
    """The text around the first find, in parts: what was found, and what stands between."""
    marked = _marked(text, words)
    first = next((at for at, hit in enumerate(marked) if hit), 0)
    begin = max(0, first - AROUND) if first > AROUND + 8 else 0
    end = min(len(text), max(first, begin) + AROUND * 3)
    parts: list[Part] = []
    at = begin
    while at < end and len(parts) < MOST_PARTS:
        until = at
        while until < end and marked[until] == marked[at]:
            until += 1
        parts.append(Part(text=" ".join(text[at:until].split("\n")), hit=marked[at]))
        at = until
    if begin > 0:
        parts.insert(0, Part(text="…", hit=False))
    if end < len(text):
        parts.append(Part(text="…", hit=False))
    return parts


def _marked(text: str, words: Sequence[str]) -> list[bool]:
    marked = [False] * len(text)
    plain, places = folded(text)
    for word in words:
        at = plain.find(word)
        while word and at >= 0:
            for place in places[at : at + len(word)]:
                marked[place] = True
            at = plain.find(word, at + len(word))
    return marked
