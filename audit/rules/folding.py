"""Texts as they are searched (``search_fold`` of the database), with the way back to the places of the original."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def places_of(text: str, plain: str) -> Sequence[int] | None:
    """For each character of the folded text, and for its end, the place in ``text`` that it comes from; None: the same place."""
    if len(plain) == len(text) and not any(map(unicodedata.combining, text)):
        # Nothing grew together and nothing fell apart: what is wide became narrow, each in its place.
        return None
    places: list[int] = []
    letters: list[str] = []
    for begin, end in _clusters(text):
        one = fold(text[begin:end])
        letters.append(one)
        places += [begin] * len(one)
    if "".join(letters) != plain:
        # Letters that grow together in another way (old Hangul): nearly the same place.
        return [min(at, len(text) - 1) for at in range(len(plain))] + [len(text)]
    return [*places, len(text)]


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """A character with the marks that combine with it becomes one, so they are folded together."""
    begin = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not unicodedata.combining(text[at]):
            yield begin, at
            begin = at
