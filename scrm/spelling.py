"""How people look for Chinese words on a keyboard: by the words, by their pinyin, by its initials."""

from __future__ import annotations

import re

from pypinyin import Style, lazy_pinyin

LONGEST = 300
"""Characters of a text that are spelled: enough to find it by."""
MOST_WORDS = 6


def keys_of(*names: str) -> str:
    """A line for each name, for its pinyin and for its initials, in lower case, each after a line feed: what starts with a word
    is then found by ``like '%\\nword%'``."""
    lines: list[str] = []
    for name in names:
        plain = _plain(name)
        if plain:
            lines += [plain, *spelled(plain)]
    return "".join(f"\n{line}" for line in dict.fromkeys(lines))


def words_of(*texts: str) -> str:
    """Everything that a search looks through."""
    plain = _plain(" ".join(texts))
    return "\n".join([plain, *spelled(plain[:LONGEST])])


def spelled(text: str) -> list[str]:
    """Full pinyin and initials, run together; nothing where the text has no Chinese."""
    full = "".join(lazy_pinyin(text, errors=_kept)).replace(" ", "")
    initials = "".join(lazy_pinyin(text, style=Style.FIRST_LETTER, errors=_kept)).replace(" ", "")
    return [one for one in dict.fromkeys((full, initials)) if one and one != text]


def patterns(query: str) -> list[str]:
    """The words of a search as ``like`` patterns without their percent signs."""
    words = _plain(query).split()[:MOST_WORDS]
    return [re.sub(r"([\\%_])", r"\\\1", word) for word in words]


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _kept(text: str) -> str:
    return text
