"""What the compiled rules find is what reading slowly finds; no expression stalls anybody."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.rules.folding import fold, places_of
from audit.rules.matching import BadPattern, Find, Lexicon, Matcher, Word, check

LETTERS = "ab微信加钱１Ａ é\u0301㍿\U0001f600z9"
texts = st.text(LETTERS, max_size=14)
literals = st.text("ab微信加钱A1é株", min_size=1, max_size=3)
words = st.one_of(
    literals.map(Word),
    st.text("ab微信加钱*?", min_size=2, max_size=5).map(lambda text: Word(text, "wildcard")),
    st.sampled_from(["[ab]+信", "微.{0,2}信", "(加|钱)9?z", r"\b9", "信$", "^a"]).map(lambda text: Word(text, "regex")),
)


def usable(word: Word) -> bool:
    try:
        check(word)
    except BadPattern:
        return False
    return True


def latin(letter: str) -> bool:
    return letter.isascii() and (letter.isalnum() or letter == "_")


def naive(lexicon: Lexicon, text: str) -> set[tuple[int, int, str]]:
    plain = fold(text)
    found: set[tuple[int, int, str]] = set()
    for word in lexicon.words:
        if word.how == "plain":
            wanted = fold(word.text).strip()
            for at in range(len(plain)):
                end = at + len(wanted)
                if plain[at:end] != wanted:
                    continue
                inside_left = latin(plain[at]) and at > 0 and latin(plain[at - 1])
                inside_right = latin(plain[end - 1]) and end < len(plain) and latin(plain[end])
                if not inside_left and not inside_right:
                    found.add((at, end, word.text))
            continue
        expression = word.text
        if word.how == "wildcard":
            wanted = fold(word.text).strip().strip("*")
            parts = [
                ".{0,10}?" if one == "*" else "." if one == "?" else re.escape(one)
                for one in re.sub(r"\*+", "*", wanted)
            ]
            left, right = (r"\b" if latin(one) else "" for one in (wanted[0], wanted[-1]))
            expression = f"{left}{''.join(parts)}{right}"
        for one in re.finditer(expression, plain, re.ASCII | re.IGNORECASE):
            if one.end() > one.start():
                found.add((*one.span(), word.text))
    excepted = [
        (at, at + len(phrase)) for phrase in map(fold, lexicon.exceptions) for at in range(len(plain))
        if plain[at : at + len(phrase)] == phrase
    ]  # fmt: skip
    return {one for one in found if not any(begin <= one[0] and one[1] <= end for begin, end in excepted)}


def found_by(finds: list[Find], rule_id: int) -> set[tuple[int, int, str]]:
    return {
        (*span, word) for find in finds if find.rule_id == rule_id
        for span, word in zip(find.spans, find.words, strict=True)
    }  # fmt: skip


def back(text: str, found: set[tuple[int, int, str]]) -> set[tuple[int, int, str]]:
    """Places of the folded text as places of the text."""
    places = places_of(text, fold(text))
    if places is None:
        return found
    return {
        (places[begin], next(one for one in places[end:] if one > places[end - 1]), word) for begin, end, word in found
    }


@settings(max_examples=400, deadline=None)
@given(
    st.lists(words.filter(usable), max_size=5), st.lists(literals, max_size=2),
    st.lists(words.filter(usable), max_size=3), st.lists(texts, max_size=4),
)  # fmt: skip
def test_finds_are_those_of_a_slow_reader(
    first: list[Word], exceptions: list[str], second: list[Word], said: list[str]
) -> None:
    lexicons = {1: Lexicon(first, exceptions), 2: Lexicon(second)}
    for text, finds in zip(said, Matcher(lexicons).find(said), strict=True):
        for rule_id, lexicon in lexicons.items():
            assert found_by(finds, rule_id) == back(text, naive(lexicon, text)), (text, lexicon)


def test_words_and_their_places() -> None:
    matcher = Matcher(
        {7: Lexicon([Word("微信"), Word("VX"), Word("加?微", "wildcard"), Word("回*扣", "wildcard")], ["微信支付"])}
    )
    said = ["请用微信支付", "加我微信吧", "ＶＸ：abc", "svx", "回给你点扣", "加了微"]
    finds = matcher.find(said)
    assert [sorted(found_by(one, 7)) for one in finds] == [
        [], [(0, 3, "加?微"), (2, 4, "微信")], [(0, 2, "VX")], [], [(0, 5, "回*扣")], [(0, 3, "加?微")],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "part"),
    [
        (Word("(", "regex"), "not understood"), (Word(".*", "regex"), "every text"), (Word("a?", "regex"), "every text"),
        (Word("(a{1000}){1000}", "regex"), "too large"), (Word("[\\p{Han}]{500}", "regex"), "too large"),
        (Word("x" * 301, "regex"), "300"), (Word("(?=a)b", "regex"), "not understood"),
        (Word("*", "wildcard"), "two characters"), (Word("?a*", "wildcard"), "two characters"), (Word("  "), "Write a word"),
        (Word("字" * 101), "100"), (Word("a\x00b"), "Write a word"),
    ],
)  # fmt: skip
def test_bad_patterns_are_refused_with_a_sentence(word: Word, part: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(part)):
        check(word)


HOSTILE = [
    "(x+x+)+y", "(a|aa)+$", "(.*a){20}", "[a-q][^u-z]{13}x", "(a?){50}a{50}b", "(?:a.{0,30}){10}b", ".{0,200}b", "a.*b|a",
    "(?:.?.?.?.?.?.?.?){40}q", "(a+)+b", "(?:[a-z]{0,30}[0-9]{0,30}){10}!",
]  # fmt: skip


def test_no_expression_stalls_anybody() -> None:
    """Each of these takes a backtracking matcher years on these texts."""
    for expression in HOSTILE:
        check(Word(expression, "regex"))
    matcher = Matcher({1: Lexicon([Word(one, "regex") for one in HOSTILE])})
    said = ["x" * 100_000, "a" * 100_000, "aqx啊" * 25_000, *["a" * 3000] * 20]
    began = time.process_time()
    matcher.find(said)
    assert time.process_time() - began < 10
    with pytest.raises(TimeoutError):
        _backtrack()


def _backtrack() -> None:
    """That they would is seen with a small one."""
    began = time.process_time()
    for length in range(10, 40):
        re.search("(a+)+b", "a" * length)
        if time.process_time() - began > 0.2:
            raise TimeoutError
