"""Finding words in texts: the one door to ``ahocorasick_rs`` and ``re2``.

All plain words of all rules are one automaton, which reads a whole batch of texts in one pass, however many words there are. Expressions run
in RE2, whose time grows with the text and never explodes; their size is limited too. Patterns with ``*`` and ``?`` run only where their longest
fixed part stands.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import re2
from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from audit.rules.folding import fold, places_of
from scrm.clock import monotonic

How = Literal["plain", "wildcard", "regex"]

LONGEST_WORD = 100
LONGEST_EXPRESSION = 300
LARGEST_PROGRAM = 3000
"""Instructions of a compiled expression: with the length of the text this bounds the time it can take."""
MOST_FINDS = 20
"""Places of one rule in one text that are kept."""
WINDOW, OVERLAP, MOST_WINDOWS = 8000, 400, 12
"""Expressions read long texts piece by piece, and at most so many pieces."""
BUDGET_SECONDS = 0.05
"""For all expressions in one text; what is left after that is not asked."""
STAR = ".{0,10}?"
BETWEEN = "\x00"
"""Between the texts of a batch: no text and no word holds it."""


class BadPattern(ValueError):
    """What is wrong with a pattern, as a sentence."""


@dataclass(frozen=True, slots=True)
class Word:
    """``plain``: these characters; where it begins or ends with a Latin letter or digit, no other may stand there. ``wildcard``: ``*``
    is up to ten characters, ``?`` is one. ``regex``: an expression of RE2 over the folded text."""

    text: str
    how: How = "plain"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of a rule. A find inside one of ``exceptions`` (phrases) is none."""

    words: Sequence[Word]
    exceptions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Find:
    """``spans``: begin and end in the original text; ``words``: which word of the rule stands there, as it was written."""

    rule_id: int
    spans: tuple[tuple[int, int], ...]
    words: tuple[str, ...]


def check(word: Word) -> None:
    """Raises :class:`BadPattern`."""
    if word.how == "regex":
        _expression(word.text)
        return
    if len(word.text) > LONGEST_WORD:
        raise BadPattern(f"A word has at most {LONGEST_WORD} characters.")
    plain = fold(word.text).strip()
    if not plain or BETWEEN in plain:
        raise BadPattern("Write a word.")
    if word.how == "wildcard":
        if len(_anchor(plain)) == 0 or sum(letter not in "*?" and not letter.isspace() for letter in plain) < 2:
            raise BadPattern("Besides * and ? a pattern needs two characters, or it would find everything.")
        _compiled(_wildcard(plain))


class Matcher:
    """Rules compiled together; making one for thousands of words takes milliseconds. Patterns that :func:`check` refuses are left out."""

    def __init__(self, lexicons: Mapping[int, Lexicon]) -> None:
        self._literals: dict[str, int] = {}
        self._uses: list[list[_Use]] = []
        self._patterns: list[_Pattern] = []
        self._expressions: list[int] = []
        for rule_id, lexicon in lexicons.items():
            for word in lexicon.words:
                self._add(rule_id, word)
            for phrase in lexicon.exceptions:
                if plain := fold(phrase).strip():
                    self._use(plain, _Use(rule_id, "exception", phrase))
        self._automaton = _automaton(list(self._literals))
        self._filters = [_Filter(chunk, self._patterns) for chunk in _chunks(self._expressions, self._patterns)]

    @property
    def empty(self) -> bool:
        return not self._literals and not self._expressions

    def find(self, texts: Sequence[str]) -> list[list[Find]]:
        """For each text what was found in it, a :class:`Find` per rule."""
        # The separator grows together with nothing, so all texts are folded at once.
        joined = fold(BETWEEN.join(texts))
        plains = joined.split(BETWEEN) if texts else []
        found: list[_Found | None] = [None] * len(texts)
        if self._automaton is not None:
            self._literal_finds(joined, plains, found)
        if self._filters:
            for at, plain in enumerate(plains):
                for pattern_at in self._expressions_in(plain):
                    one = found[at] = found[at] or _Found()
                    one.asked.append(pattern_at)
        return [
            [] if one is None else self._of_text(text, plain, one)
            for one, text, plain in zip(found, texts, plains, strict=True)
        ]

    # ------------------------------------------------------------------ making

    def _add(self, rule_id: int, word: Word) -> None:
        try:
            check(word)
        except BadPattern:
            return
        if word.how == "plain":
            self._use(fold(word.text).strip(), _Use(rule_id, "word", word.text))
            return
        plain = fold(word.text).strip()
        program = _expression(word.text) if word.how == "regex" else _compiled(_wildcard(plain))
        self._patterns.append(_Pattern(rule_id, word.text, program))
        number = len(self._patterns) - 1
        if word.how == "regex":
            self._expressions.append(number)
        else:
            self._use(_anchor(plain), _Use(rule_id, "anchor", word.text, number))

    def _use(self, literal: str, use: _Use) -> None:
        at = self._literals.setdefault(literal, len(self._literals))
        if at == len(self._uses):
            self._uses.append([])
        self._uses[at].append(use)

    # ------------------------------------------------------------------ finding

    def _literal_finds(self, joined: str, plains: Sequence[str], found: list[_Found | None]) -> None:
        """One pass over all texts."""
        begins: list[int] = []
        begin = 0
        for plain in plains:
            begins.append(begin)
            begin += len(plain) + 1
        assert self._automaton is not None
        for literal, start, end in self._automaton.find_matches_as_indexes(joined, overlapping=True):
            whole = _is_whole(joined, start, end)
            at = bisect_right(begins, start) - 1
            for use in self._uses[literal]:
                if use.role == "word" and not whole:
                    continue
                one = found[at] = found[at] or _Found()
                if use.role == "anchor":
                    one.asked.append(use.pattern)
                else:
                    kept = one.exceptions if use.role == "exception" else one.words
                    kept.append((use.rule_id, start - begins[at], end - begins[at], use.text))

    def _expressions_in(self, plain: str) -> Iterator[int]:
        began = monotonic()
        for one in self._filters:
            if monotonic() - began > BUDGET_SECONDS:
                return
            if any(one.program.search(piece) is not None for _, piece in _pieces(plain)):
                yield from one.patterns

    def _of_text(self, text: str, plain: str, found: _Found) -> list[Find]:
        finds = found.words
        began = monotonic() if found.asked else 0.0
        for number in dict.fromkeys(found.asked):
            if monotonic() - began > BUDGET_SECONDS:
                break
            pattern = self._patterns[number]
            finds += [(pattern.rule_id, start, end, pattern.text) for start, end in _stands(pattern.program, plain)]
        by_rule: dict[int, set[tuple[int, int, str]]] = {}
        for rule_id, start, end, word in finds:
            if not any(
                rule == rule_id and begin <= start and end <= finish for rule, begin, finish, _ in found.exceptions
            ):
                by_rule.setdefault(rule_id, set()).add((start, end, word))
        if not by_rule:
            return []
        places = places_of(text, plain)
        return [_find(rule_id, sorted(spans)[:MOST_FINDS], places) for rule_id, spans in by_rule.items()]


@dataclass(frozen=True, slots=True)
class _Use:
    """What a literal of the automaton means to a rule."""

    rule_id: int
    role: Literal["word", "exception", "anchor"]
    text: str
    pattern: int = -1


@dataclass(frozen=True, slots=True)
class _Pattern:
    rule_id: int
    text: str
    program: re2._Regexp


class _Found:
    """In one text, before exceptions are taken out."""

    __slots__ = ("asked", "exceptions", "words")

    def __init__(self) -> None:
        self.words: list[tuple[int, int, int, str]] = []
        self.exceptions: list[tuple[int, int, int, str]] = []
        self.asked: list[int] = []


class _Filter:
    """Some expressions as one: a text in which it stands nowhere has none of them."""

    def __init__(self, numbers: Sequence[int], patterns: Sequence[_Pattern]) -> None:
        self.patterns = list(numbers)
        self.program = re2.compile("|".join(f"(?:{patterns[number].text})" for number in numbers), _options())


def _chunks(numbers: Sequence[int], patterns: Sequence[_Pattern]) -> Iterator[list[int]]:
    chunk: list[int] = []
    size = 0
    for number in numbers:
        grown = size + patterns[number].program.programsize
        if chunk and grown > LARGEST_PROGRAM:
            yield chunk
            chunk, grown = [], patterns[number].program.programsize
        chunk.append(number)
        size = grown
    if chunk:
        yield chunk


def _automaton(literals: list[str]) -> AhoCorasick | None:
    if not literals:
        return None
    # A DFA over thousands of Chinese words would take hundreds of megabytes.
    return AhoCorasick(literals, matchkind=MatchKind.Standard, implementation=Implementation.ContiguousNFA)


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.never_capture = True
    return options


def _compiled(expression: str) -> re2._Regexp:
    try:
        program = re2.compile(expression, _options())
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        if "too large" in said or "repetition" in said:
            raise BadPattern("This expression is too large. Repeat less, or write several.") from error
        raise BadPattern(f"This expression is not understood: {said}.") from error
    if program.programsize > LARGEST_PROGRAM:
        raise BadPattern("This expression is too large. Repeat less, or write several.")
    return program


def _expression(text: str) -> re2._Regexp:
    if len(text) > LONGEST_EXPRESSION:
        raise BadPattern(f"An expression has at most {LONGEST_EXPRESSION} characters.")
    if not text.strip() or BETWEEN in text:
        raise BadPattern("Write an expression.")
    program = _compiled(text)
    if program.fullmatch("") is not None or (program.search(" ") is not None and program.search("啊") is not None):
        raise BadPattern("This expression finds something in every text. Say more.")
    return program


def _wildcard(plain: str) -> str:
    """As an expression. Stars at the ends say nothing."""
    parts = [
        STAR if part.startswith("*") else "." if part == "?" else re2.escape(part)
        for part in re.findall(r"\*+|\?|[^*?]+", plain.strip("*"))
    ]
    inner = plain.strip("*")
    left = r"\b" if _latin(inner[0]) else ""
    right = r"\b" if _latin(inner[-1]) else ""
    return f"{left}{''.join(parts)}{right}"


def _anchor(plain: str) -> str:
    return max(re.split(r"[*?]+", plain), key=len)


def _latin(letter: str) -> bool:
    """What RE2 takes for a part of a word."""
    return letter.isascii() and (letter.isalnum() or letter == "_")


def _is_whole(text: str, start: int, end: int) -> bool:
    """No Latin letter or digit of a longer word."""
    if _latin(text[start]) and start > 0 and _latin(text[start - 1]):
        return False
    return not (_latin(text[end - 1]) and end < len(text) and _latin(text[end]))


def _pieces(plain: str) -> Iterator[tuple[int, str]]:
    if len(plain) <= WINDOW:
        yield 0, plain
        return
    for number in range(MOST_WINDOWS):
        begin = number * (WINDOW - OVERLAP)
        if begin >= len(plain):
            return
        yield begin, plain[begin : begin + WINDOW]


def _stands(program: re2._Regexp, plain: str) -> list[tuple[int, int]]:
    """Where an expression stands; a find of nothing is none. Not more than are kept: looking on from each find may read the rest each time."""
    found: list[tuple[int, int]] = []
    for offset, piece in _pieces(plain):
        for looked, match in enumerate(program.finditer(piece)):
            start, end = match.span()
            if end > start:
                found.append((offset + start, offset + end))
            if len(found) >= MOST_FINDS or looked >= MOST_FINDS * 2:
                return found
    return found


def _find(rule_id: int, spans: Sequence[tuple[int, int, str]], places: Sequence[int] | None) -> Find:
    if places is not None:
        spans = [(places[start], _behind(places, end), word) for start, end, word in spans]
    return Find(rule_id, tuple((start, end) for start, end, _ in spans), tuple(word for _, _, word in spans))


def _behind(places: Sequence[int], end: int) -> int:
    """Where the character ends from which the last folded one before ``end`` comes."""
    while places[end] == places[end - 1]:
        end += 1
    return places[end]
