"""How well a text fits what was looked for. Depends on the text and the words alone."""

from __future__ import annotations

from inbox.search_terms import Terms, folded

MOST = 5
"""Times that a word counts."""


def score(text: str, terms: Terms) -> int:
    """Above all how much of the text is what was looked for, then how often it is said, then whether the words stand together."""
    plain = folded(text)[0]
    if not plain:
        return 0
    times = {word: min(plain.count(word), MOST) for word in terms.words}
    covered = sum(len(word) * n for word, n in times.items())
    together = len(terms.words) > 1 and any(glue.join(terms.words) in plain for glue in ("", " "))
    return min(covered * 1000 // len(plain), 1000) + sum(times.values()) * 20 + (300 if together else 0)
