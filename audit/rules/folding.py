"""Texts as they are searched (``search_fold`` of the database), with the way back to the places of the original."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def folded(text: str) -> tuple[str, Sequence[int] | None]:
    """The folded text, and for each of its characters, and for its end, the place in ``text`` it comes from; None: the same place."""
    if text.isascii():
        return text.lower(), None
    if unicodedata.is_normalized("NFKC", text):
        plain = text.lower()
        if len(plain) == len(text):
            return plain, None
    letters: list[str] = []
    places: list[int] = []
    for begin, end in _clusters(text):
        for letter in fold(text[begin:end]):
            letters.append(letter)
            places.append(begin)
    return "".join(letters), [*places, len(text)]


def _clusters(text: str) -> list[tuple[int, int]]:
    """A character with the marks that combine with it becomes one, so they are folded together."""
    found: list[tuple[int, int]] = []
    begin = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not unicodedata.combining(text[at]):
            found.append((begin, at))
            begin = at
    return found
