"""How somebody sounds in a message: pleased, upset, or neither, by the words that say so and by what turns them round.

Each word of one of two lists counts once; one of those that turn (``turned.txt``) among the two words before it turns it round ("不太满意", "没有解决"); after a
word of doubt it is a question and counts for nothing ("是否满意"). More of the one than of the other decides. It is a figure for many
messages over time, not a judgement of one: irony and what is meant between the lines it does not see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

Mood = Literal["pleased", "upset"]

_HERE = Path(__file__).parent
PLEASED = frozenset((_HERE / "pleased.txt").read_text(encoding="utf-8").split())
UPSET = frozenset((_HERE / "upset.txt").read_text(encoding="utf-8").split())
TURNED = frozenset((_HERE / "turned.txt").read_text(encoding="utf-8").split())
DOUBT = frozenset({"是否", "会不会", "能否", "如果", "要是", "假如", "万一", "if", "whether"})
BEFORE = 2
"""So many words before one can turn it round."""
SPOKEN = re.compile(r"[\w']")


def mood(words: Iterable[str]) -> Mood | None:
    """``words``: all of a message in their order, folded; a mark between words ends what turns them round."""
    sum_ = 0
    before: list[str] = []
    for word in words:
        if word.isspace():
            continue
        if SPOKEN.search(word) is None:
            before.clear()
            continue
        sign = (word in PLEASED) - (word in UPSET)
        if sign and not DOUBT.intersection(before):
            turns = sum(one in TURNED for one in before)
            sum_ += -sign if turns % 2 else sign
        before = [*before[1 - BEFORE :], word]
    return "pleased" if sum_ > 0 else "upset" if sum_ < 0 else None
