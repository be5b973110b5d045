"""What a rule says, by kind: words, or an act that deserves a look."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from audit.rules.matching import BadPattern, Lexicon, Word, check
from scrm.views import Id

RuleKind = Literal[
    "words",
    "phone",
    "payee",
    "card",
    "red_packet",
    "off_hours",
    "slow_reply",
    "no_reply",
    "mass_recall",
    "customer_deleted",
]
Who = Literal["employees", "customers", "both"]
MOST_WORDS = 20_000
MOST_EXPRESSIONS = 200


def _one_line(text: str) -> str:
    if any(ord(letter) < 32 for letter in text):
        raise ValueError("Write it on one line, without control characters.")
    return text


Phrase = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_one_line)
]
Phrases = Annotated[list[Phrase], Field(max_length=500)]
Ids = Annotated[list[Id], Field(max_length=500)]
Channel = Annotated[str, Field(min_length=1, max_length=60)]


class WordInput(BaseModel):
    """``how``: plain, wildcard (``*``: up to ten characters, ``?``: one) or regex (RE2, over the text in small letters)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), AfterValidator(_one_line)
    ]
    how: Literal["plain", "wildcard", "regex"] = "plain"

    @model_validator(mode="after")
    def _understood(self) -> WordInput:
        try:
            check(Word(self.text, self.how))
        except BadPattern as error:
            raise ValueError(f"{self.text[:40]}: {error}") from error
        return self


class Rule(BaseModel):
    """``who``: whose messages. Empty lists ask nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: Who = "employees"
    channels: Annotated[list[Channel], Field(max_length=30)] = Field(default_factory=list)
    team_ids: Ids = Field(default_factory=list)
    account_ids: Ids = Field(default_factory=list)


class Words(Rule):
    """``exceptions``: phrases; a word inside one of them is not meant. ``intercept``: platforms that can stop messages are told as well, to
    warn the writer or to stop the message."""

    kind: Literal["words"] = "words"

    words: Annotated[list[WordInput], Field(min_length=1, max_length=MOST_WORDS)]
    exceptions: Phrases = Field(default_factory=list)
    intercept: Literal["off", "warn", "block"] = "off"

    @model_validator(mode="after")
    def _not_too_many(self) -> Words:
        if sum(one.how == "regex" for one in self.words) > MOST_EXPRESSIONS:
            raise ValueError(f"A rule has at most {MOST_EXPRESSIONS} expressions.")
        return self

    def lexicon(self) -> Lexicon:
        return Lexicon([Word(one.text, one.how) for one in self.words], self.exceptions)


class Phone(Rule):
    """A phone number was written. ``exceptions``: numbers of the company's own."""

    kind: Literal["phone"] = "phone"

    exceptions: Phrases = Field(default_factory=list)


class Payee(Rule):
    """A payment link, or something that is called a payment code."""

    kind: Literal["payee"] = "payee"

    exceptions: Phrases = Field(default_factory=list)


class Card(Rule):
    """A contact card was sent."""

    kind: Literal["card"] = "card"


class RedPacket(Rule):
    """A red packet of ``fen`` or more was sent."""

    kind: Literal["red_packet"] = "red_packet"

    fen: Annotated[int, Field(ge=0, le=100_000_000)] = 0


class OffHours(Rule):
    """An employee wrote outside of the account's working hours (``hours``), or within times of the day (from ``start`` to ``end``, minutes, in
    the company's zone; it may cross midnight)."""

    kind: Literal["off_hours"] = "off_hours"

    who: Literal["employees"] = "employees"
    use: Literal["hours", "times"] = "hours"
    start: Annotated[int, Field(ge=0, le=1439)] = 22 * 60
    end: Annotated[int, Field(ge=0, le=1439)] = 8 * 60


Minutes = Annotated[int, Field(ge=1, le=14 * 24 * 60)]
ENOUGH_SAID = [
    "好的",
    "好",
    "嗯",
    "嗯嗯",
    "谢谢",
    "谢谢你",
    "谢谢您",
    "多谢",
    "收到",
    "知道了",
    "明白",
    "明白了",
    "ok",
    "okay",
    "thanks",
    "thank you",
    "再见",
    "拜拜",
    "行",
    "可以",
    "没事了",
]


class Waiting(Rule):
    """A customer waits ``minutes``, counted in working hours. ``enough_said``: what needs no answer."""

    who: Literal["customers"] = "customers"
    minutes: Minutes = 30
    working_hours: bool = True
    enough_said: Phrases = Field(default_factory=lambda: list(ENOUGH_SAID))


class SlowReply(Waiting):
    """They waited so long for an answer."""

    kind: Literal["slow_reply"] = "slow_reply"


class NoReply(Waiting):
    """Nobody has answered them."""

    kind: Literal["no_reply"] = "no_reply"
    minutes: Minutes = 120


class MassRecall(Rule):
    """An account withdrew ``times`` messages within ``minutes``."""

    kind: Literal["mass_recall"] = "mass_recall"

    who: Literal["employees"] = "employees"
    times: Annotated[int, Field(ge=2, le=1000)] = 5
    minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 10


class CustomerDeleted(Rule):
    """An employee deleted a customer, or (``who`` customers) was deleted by one."""

    kind: Literal["customer_deleted"] = "customer_deleted"


MODELS: dict[RuleKind, type[Rule]] = {
    "words": Words,
    "phone": Phone,
    "payee": Payee,
    "card": Card,
    "red_packet": RedPacket,
    "off_hours": OffHours,
    "slow_reply": SlowReply,
    "no_reply": NoReply,
    "mass_recall": MassRecall,
    "customer_deleted": CustomerDeleted,
}
OF_MESSAGES: Collection[RuleKind] = ("words", "phone", "payee", "card", "red_packet", "off_hours", "slow_reply")
"""Found message by message: these can look back over what was written before."""
AnyRule = Annotated[
    Words | Phone | Payee | Card | RedPacket | OffHours | SlowReply | NoReply | MassRecall | CustomerDeleted,
    Field(discriminator="kind"),
]


def parsed(kind: str, data: dict[str, Any]) -> Rule | None:
    """What is stored; None when the program does not understand it (any more)."""
    model = next((model for name, model in MODELS.items() if name == kind), None)
    if model is None:
        return None
    try:
        return model.model_validate(data)
    except ValidationError:
        return None
