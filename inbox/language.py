"""In which language somebody writes: a guess by script, good enough to choose who answers."""

from __future__ import annotations

import re

LOOKED_AT = 200
SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u3400-\u9fff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("en", re.compile(r"[A-Za-z]{2}")),
)
"""In this order: Japanese is full of Chinese letters, and every language of Latin ones."""
LANGUAGES = tuple(language for language, _ in SCRIPTS)


def language_of(text: str) -> str:
    """``zh``, ``en``, ``ja`` …; empty when there is nothing to tell by."""
    head = text[:LOOKED_AT]
    for language, letters in SCRIPTS:
        if letters.search(head):
            return language
    return ""
