"""What is typed into the search of the archive."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from audit.search.grammar import MOST, PLAIN, Asked, parse, quoted
from audit.search.relevance import score
from inbox.search_terms import Terms

TYPED = st.text(st.sampled_from('ab退款 \u3000"＂“”-－'), max_size=30)
PHRASE = st.text(st.sampled_from('ab退款 "“-'), min_size=1, max_size=8)
WORD = st.text(st.sampled_from("ab退款-.，"), min_size=1, max_size=5).filter(lambda word: word[0] != "-")


@given(TYPED)
def test_whatever_is_typed_says_something_or_nothing(text: str) -> None:
    asked = parse(text)
    for word in (*asked.words, *asked.excluded):
        assert word
        assert len(word) <= len(text)
    assert len(set(asked.words)) == len(asked.words) <= MOST


@given(st.lists(PHRASE, max_size=5, unique=True), st.lists(PHRASE, max_size=5, unique=True))
def test_phrases_stand_for_themselves(phrases: list[str], excluded: list[str]) -> None:
    text = " ".join([*map(quoted, phrases), *("-" + quoted(one) for one in excluded)])
    assert parse(text) == Asked(tuple(phrases), tuple(excluded))


@given(st.lists(WORD, max_size=6, unique=True), st.sampled_from([" ", "  ", "\u3000", "\t", "\n"]))
def test_words_are_what_stands_between_spaces(words: list[str], space: str) -> None:
    assert parse(space.join(words)) == Asked(tuple(words), ())
    assert parse(space.join(f"-{word}" for word in words)) == Asked((), tuple(words))


def test_every_plain_character_stays_as_it_is() -> None:
    plain = [chr(code) for code in range(0x110000) if PLAIN.fullmatch(chr(code))]
    assert len(plain) > 20_000
    assert all(unicodedata.normalize("NFKC", one).lower() == one for one in plain)


def test_marks_that_are_none() -> None:
    assert parse('5"屏 - 价格-表 "没有合上') == Asked(('5"屏', "-", "价格-表", '"没有合上'), ())
    assert parse("“你 微信” －客服 -") == Asked(("你 微信", "-"), ("客服",))
    assert parse('"" -""') == Asked((), ())


@given(PHRASE, st.text(st.sampled_from("ab退款 x"), max_size=20))
def test_what_consists_of_the_words_fits_best(word: str, around: str) -> None:
    terms = Terms((word,))
    assert score(word, terms) >= score(around + "好" * 3 + word, terms) >= score("没有", Terms((word + "☃",)))
