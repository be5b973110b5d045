"""The piece of a message that an alert is about, with what was found marked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inbox.views import Part

AROUND = 40
LONGEST = 160
MOST_PARTS = 24
PHONE = re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")


def excerpt_of(text: str, spans: Sequence[int], *, phones: bool) -> list[Part]:
    """``spans``: begin and end of each find, one after the other, in characters of ``text``. ``phones``: the reader may see numbers."""
    if not phones:
        text = PHONE.sub(_without_middle, text)
    text = text.replace("\r", " ").replace("\n", " ")
    marked = [False] * len(text)
    for begin, end in zip(spans[::2], spans[1::2], strict=False):
        for at in range(max(begin, 0), min(end, len(text))):
            marked[at] = True
    first = next((at for at, hit in enumerate(marked) if hit), 0)
    begin = max(0, first - AROUND) if first > AROUND + 8 else 0
    finish = min(len(text), begin + LONGEST)
    parts: list[Part] = [Part(text="…", hit=False)] if begin > 0 else []
    at = begin
    while at < finish and len(parts) < MOST_PARTS:
        until = at
        while until < finish and marked[until] == marked[at]:
            until += 1
        parts.append(Part(text=text[at:until], hit=marked[at]))
        at = until
    if at < len(text):
        parts.append(Part(text="…", hit=False))
    return parts


def _without_middle(found: re.Match[str]) -> str:
    """As long as before, so that places in the text stay where they are."""
    seen = 0
    letters: list[str] = []
    for letter in found[0]:
        seen += letter.isdigit()
        letters.append("*" if letter.isdigit() and 4 <= seen <= 7 else letter)
    return "".join(letters)
