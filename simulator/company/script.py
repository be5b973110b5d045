"""Conversations as text files, so that anybody can write one.

::

    == 林小满 | visit 7 | rep1            a customer's name, when, who answers (nobody: leave it out), perhaps "closed"
    c: 你好，有现货吗？                    the customer writes
    c: [image sofa]                      the customer does something else: see CUSTOMER_ACTS
    a: 您好，有的。                        the agent answers
    a: [close]                           the agent does something else: see AGENT_ACTS
    -- visit 9                           the rest happens on a later visit

``visit`` numbers are explained in ``simulator.company.history``. Lines that start with ``#`` are comments; ``@ presale`` says that
the chats below belong to another account than the file's name says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Literal

CUSTOMER_ACTS = frozenset(
    {"text", "enter", "image", "voice", "video", "file", "location", "link", "miniprogram", "card", "order", "emoji"}
    | {"recall", "follow", "like", "lead", "tap"}
)
AGENT_ACTS = frozenset(
    ("text", "image", "file", "location", "work", "leadcard", "fails", "lost", "recall", "note", "close")
)
"""``note phone=... | city=... | remark=...`` fills in the customer's card; ``fails`` and ``lost`` spoil the next answer."""
HEAD = re.compile(
    r"== *(?P<name>[^|]+?) *\| *visit (?P<visit>\d+)(?: *\| *(?P<rep>rep\d+))?(?P<closed> *\| *closed)? *"
)
ACT = re.compile(r"\[(?P<act>[a-z]+)(?: (?P<rest>[^\]]*))?\]")


@dataclass(frozen=True)
class Line:
    """One act of one side. ``fields``: what stands after the act's name, split at ``|``; for a text the text itself."""

    side: Literal["customer", "agent"]
    act: str
    fields: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.fields[0] if self.fields else ""


@dataclass(frozen=True)
class Round:
    """The customer's lines, then the agent's answers to them."""

    visit: int
    customer: tuple[Line, ...]
    agent: tuple[Line, ...]


@dataclass(frozen=True)
class Chat:
    account: str
    name: str
    rep: str
    closed: bool
    rounds: tuple[Round, ...]


@dataclass
class _Draft:
    name: str
    visit: int
    rep: str
    closed: bool
    rounds: list[Round] = field(default_factory=list)
    customer: list[Line] = field(default_factory=list)
    agent: list[Line] = field(default_factory=list)

    def end_round(self) -> None:
        if self.customer or self.agent:
            self.rounds.append(Round(self.visit, tuple(self.customer), tuple(self.agent)))
            self.customer, self.agent = [], []

    def add(self, line: Line) -> None:
        if line.side == "agent":
            self.agent.append(line)
            return
        if self.agent:
            self.end_round()
        self.customer.append(line)


def read_chats(file: str) -> list[Chat]:
    """The chats of ``scripts/<file>.txt``. Raises ``ValueError`` that names file and line."""
    source = files("simulator.company").joinpath("scripts", f"{file}.txt").read_text(encoding="utf-8")
    return list(parse(file, source))


def parse(file: str, source: str) -> Iterator[Chat]:
    account = file
    draft: _Draft | None = None
    for number, raw in enumerate(source.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        try:
            if line.startswith(("==", "@ ")) and draft is not None:
                yield _chat(account, draft)
                draft = None
            if line.startswith("@ "):
                account = line.removeprefix("@ ").strip()
            elif line.startswith("=="):
                draft = _head(line)
            elif draft is None:
                raise ValueError("a chat begins with ==")
            elif line.startswith("-- visit "):
                draft.end_round()
                draft.visit = int(line.removeprefix("-- visit "))
            else:
                draft.add(_line(line))
        except ValueError as problem:
            raise ValueError(f"{file}.txt, line {number}: {problem}") from None
    if draft is not None:
        yield _chat(account, draft)


def _head(line: str) -> _Draft:
    found = HEAD.fullmatch(line)
    if found is None:
        raise ValueError("write == name | visit 3 | rep1 | closed")
    return _Draft(found["name"], int(found["visit"]), found["rep"] or "", bool(found["closed"]))


def _line(line: str) -> Line:
    sides: dict[str, Literal["customer", "agent"]] = {"c": "customer", "a": "agent"}
    side, colon, said = line.partition(":")
    if side not in sides or not colon or not said.strip():
        raise ValueError("a line begins with c: or a: and says something")
    act = ACT.fullmatch(said.strip())
    if act is None:
        return Line(sides[side], "text", (said.strip(),))
    known = CUSTOMER_ACTS if side == "c" else AGENT_ACTS
    if act["act"] not in known:
        raise ValueError(f"{act['act']} is none of {', '.join(sorted(known))}")
    return Line(sides[side], act["act"], tuple(part.strip() for part in (act["rest"] or "").split("|") if part.strip()))


def _chat(account: str, draft: _Draft) -> Chat:
    draft.end_round()
    if not draft.rounds:
        raise ValueError(f"{draft.name} says nothing")
    return Chat(account, draft.name, draft.rep, draft.closed, tuple(draft.rounds))
