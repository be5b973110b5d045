"""What somebody types: words that must all occur, ``"exact phrases"`` with their spaces, and ``-excluded`` ones.

A quotation mark opens a phrase only where a word could begin, and only when another one closes it; inside, two of them are one. Marks as
Chinese keyboards make them (``“ ”``, ``＂``, ``－``, the wide space) count as well. A dash alone is a dash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from inbox.search_terms import Terms
from scrm.db import Tx

CLOSES = {'"': '"', "＂": "＂", "“": "”"}
DASHES = "-－"
MOST = 20
"""Words of one search."""
PLAIN = re.compile(r"[ -@\[-~\u4e00-\u9fff]*")
"""Small letters, digits, signs and Chinese characters are folded already."""
FOLD = "select array_agg(search_fold(w) order by n) from unnest($1::text[]) with ordinality x (w, n)"


@dataclass(frozen=True, slots=True)
class Asked:
    """As it was typed, without marks."""

    words: tuple[str, ...]
    excluded: tuple[str, ...]


def parse(text: str) -> Asked:
    words: list[str] = []
    excluded: list[str] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        without = text[at] in DASHES and at + 1 < len(text) and not text[at + 1].isspace()
        word, at = _word(text, at + without)
        if word:
            (excluded if without else words).append(word)
    return Asked(tuple(dict.fromkeys(words))[:MOST], tuple(dict.fromkeys(excluded))[:MOST])


def quoted(phrase: str) -> str:
    """Typed so, exactly this is looked for."""
    return '"' + phrase.replace('"', '""') + '"'


def _word(text: str, at: int) -> tuple[str, int]:
    """The word or phrase that begins there, and where it ends."""
    phrase = _phrase(text, at)
    if phrase is not None:
        return phrase
    end = at
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[at:end], end


def _phrase(text: str, at: int) -> tuple[str, int] | None:
    close = CLOSES.get(text[at])
    if close is None:
        return None
    said: list[str] = []
    place = at + 1
    while place < len(text):
        if text[place] == close:
            if text[place + 1 : place + 2] != close:
                return "".join(said), place + 1
            place += 1
        said.append(text[place])
        place += 1
    return None


async def terms_of(tx: Tx, text: str) -> Terms:
    """Folded as the texts are."""
    asked = parse(text)
    if PLAIN.fullmatch(text):
        return Terms(asked.words, asked.excluded)
    folded: list[str] = await tx.fetchval(FOLD, [*asked.words, *asked.excluded]) or []
    words, excluded = folded[: len(asked.words)], folded[len(asked.words) :]
    return Terms(
        tuple(dict.fromkeys(one for one in words if one)), tuple(dict.fromkeys(one for one in excluded if one))
    )
