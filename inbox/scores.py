"""Whether a customer's message is an answer to "how was it, 1 to 5?"."""

from __future__ import annotations

import re
import unicodedata

NUMBER = re.compile(r"^([1-5])\s*(?:分|星|颗星|/\s*5|stars?|points?)?\s*[!。.~!]*$", re.IGNORECASE)
WITH_COMMENT = re.compile(r"^([1-5])\s*(?:分|星|颗星|/\s*5)?\s*[,。.;:、\-\s]\s*(\D.{0,500})$", re.DOTALL)
STARS = re.compile(r"^(?:⭐|🌟|★|\[强\]|👍){1,5}$")
WORDS = {
    "非常满意": 5, "很满意": 5, "满意": 4, "一般": 3, "还行": 3, "不满意": 2, "很不满意": 1, "非常不满意": 1,
    "excellent": 5, "very satisfied": 5, "good": 4, "satisfied": 4, "ok": 3, "average": 3, "bad": 2, "dissatisfied": 2,
    "poor": 1, "terrible": 1, "very dissatisfied": 1, "😍": 5, "😀": 5, "😊": 4, "🙂": 4, "😐": 3, "🙁": 2, "😡": 1,
    "一": 1, "二": 2, "三": 3, "四": 4, "五": 5,
}  # fmt: skip
STAR = re.compile(r"⭐|🌟|★")


def score_of(text: str) -> tuple[int, str] | None:
    """The score from 1 to 5 and a comment; None for a message that is about something else."""
    plain = unicodedata.normalize("NFKC", text).replace("\ufe0f", "").replace("\u20e3", "").strip()
    if not plain or len(plain) > 520:
        return None
    if found := NUMBER.match(plain):
        return int(found[1]), ""
    if STARS.match(plain) and (stars := len(STAR.findall(plain))):
        return stars, ""
    word = WORDS.get(plain.rstrip("!。.~").lower())
    if word is not None:
        return word, ""
    if found := WITH_COMMENT.match(plain):
        comment = found[2].strip()
        # An item of our own menu.
        return int(found[1]), "" if comment in WORDS else comment
    return None
