"""Hot words as they are asked for and shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from audit.words.splitter import LONGEST, folded
from scrm.views import Id, Input, Line, View


def _one_word(value: str) -> str:
    value = folded(value)
    if len(value.split()) != 1 or not all(letter.isalnum() or letter in "+#&.-" for letter in value):
        raise ValueError("Write one word of letters or characters, without spaces.")
    return value


Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST), AfterValidator(_one_word)
]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2999, 1, 1))]


class WordQuery(Input):
    """Days are the company's; without any the last thirty. ``side``: who wrote it."""

    first: Day | None = None
    last: Day | None = None
    side: Literal["customer", "employee"] | None = None
    channel: Annotated[str, Field(max_length=60)] | None = None
    account_id: Id | None = None

    @model_validator(mode="after")
    def _forward(self) -> WordQuery:
        if self.first and self.last and not 0 <= (self.last - self.first).days < 400:
            raise ValueError("The period ends after it begins and has at most 400 days.")
        return self


class TrendQuery(WordQuery):
    word: Word


class WordCount(View):
    """In how many messages the word was; ``before``: in the period of the same length just before."""

    word: str
    messages: int
    before: int
    rise: float
    """The share of messages now by the share before, each with five messages added, so that what is rare is no sensation."""


class CountProgress(View):
    """``building``: counts by a changed dictionary are under way; until then the old ones are shown. ``done`` of ``all`` ids."""

    building: bool
    done: int
    all: int


class HotWordsView(View):
    """``reach``: whole, or none for who sees no account as a whole: counts are by account. ``messages``: with text."""

    first: date
    last: date
    reach: Literal["some", "none"]
    messages: int
    messages_before: int
    words: list[WordCount]
    rising: list[WordCount]
    progress: CountProgress


class WordDayCount(View):
    day: date
    messages: int
    of: int
    """All messages with text on this day."""


class TrendView(View):
    first: date
    last: date
    days: list[WordDayCount]


class MoodDay(View):
    """``of``: all messages with text on this day; those that are neither pleased nor upset are the rest."""

    day: date
    pleased: int
    upset: int
    of: int


class MoodView(View):
    """How messages sound (see :mod:`audit.words.mood`), and in the period of the same length just before."""

    first: date
    last: date
    reach: Literal["some", "none"]
    pleased: int
    upset: int
    messages: int
    pleased_before: int
    upset_before: int
    messages_before: int
    days: list[MoodDay]
    progress: CountProgress


class TopicView(View):
    """``messages``: how often its words were met: a message with two of them counts twice."""

    id: int
    name: str
    words: list[str]
    messages: int
    before: int
    days: list[WordDayCount]


class TopicList(View):
    first: date
    last: date
    topics: list[TopicView]


class TopicInput(Input):
    name: Line
    words: Annotated[list[Word], Field(min_length=1, max_length=100)]


class TopicMade(View):
    id: int


class WordEntryView(View):
    word: str
    kind: Literal["word", "stop"]
    added_by: int | None
    added_at: datetime


class Dictionary(View):
    entries: list[WordEntryView]
    progress: CountProgress


class EntriesInput(Input):
    """``kind`` word: what the dictionary lacks; stop: what is not counted; none: take the words out of the company's list."""

    words: Annotated[list[Word], Field(min_length=1, max_length=500)]
    kind: Literal["word", "stop", "none"]
