"""To whom a conversation goes: a pure function of the rules, the facts and the crew, with every reason on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from inbox.crew import Colleague, Crew
from inbox.rulebook import Assignment, Facts, Rule, Rulebook

MOST_NAMED = 20
MISMATCH = {
    "account": ("账号不符", "another account"),
    "channel": ("渠道不符", "another channel"),
    "label": ("没有要求的标签", "lacks the label"),
    "language": ("语言不符", "another language"),
    "returning": ("新老客户不符", "a new or returning customer"),
    "hours": ("不在要求的工作时间状态", "another state of working hours"),
}
Words = dict[str, str]


@dataclass(slots=True)
class Considered:
    """One rule that was looked at. ``passed``: who could not, and why."""

    rule_id: int
    name: str
    outcome: Literal["skipped", "nobody", "used"]
    why: Words
    passed: list[dict[str, Any]] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        return {
            "rule_id": self.rule_id, "name": self.name, "outcome": self.outcome, "why": self.why,
            "passed": self.passed[:MOST_NAMED],
        }  # fmt: skip


@dataclass(slots=True)
class Decision:
    """``keep``: no rule says anything, so it stays with whom it is."""

    kind: Literal["assign", "queue", "unassign", "keep"]
    agent_id: int | None
    rule_id: int | None
    why: Words
    considered: list[Considered]

    def as_data(self) -> dict[str, Any]:
        found: dict[str, Any] = {"why": self.why, "considered": [one.as_data() for one in self.considered]}
        if self.rule_id is not None:
            found["rule_id"] = self.rule_id
        return found


def decide(book: Rulebook, facts: Facts, crew: Crew, at: datetime, pointers: dict[int, int]) -> Decision:
    """``pointers``: by rule whom it chose last; moved on when one is chosen."""
    considered: list[Considered] = []
    for rule in book.assignment:
        mismatch = book.mismatch(rule.data.conditions, facts, at)
        if mismatch:
            considered.append(Considered(rule.id, rule.name, "skipped", _words(*MISMATCH[mismatch])))
            continue
        if rule.data.action in ("queue", "unassigned"):
            queued = rule.data.action == "queue"
            why = (
                _by(rule, "进入排队", "waits in the queue")
                if queued
                else _by(rule, "不自动分配", "not assigned by rule")
            )
            considered.append(Considered(rule.id, rule.name, "used", why))
            return Decision("queue" if queued else "unassign", None, rule.id, why, considered)
        able, passed = _able(rule.data, book, crew, facts)
        chosen = _choose(rule, able, pointers)
        if chosen is not None:
            why = _why(rule, chosen)
            considered.append(Considered(rule.id, rule.name, "used", why, passed))
            pointers[rule.id] = chosen.id
            return Decision("assign", chosen.id, rule.id, why, considered)
        nobody = _nobody(rule, passed)
        considered.append(Considered(rule.id, rule.name, "nobody", nobody, passed))
        if rule.data.otherwise != "next":
            kind: Literal["queue", "unassign"] = "queue" if rule.data.otherwise == "queue" else "unassign"
            return Decision(kind, None, rule.id, nobody, considered)
    return Decision("keep", None, None, _words("没有符合的规则", "no rule fits"), considered)


def _able(rule: Assignment, book: Rulebook, crew: Crew, facts: Facts) -> tuple[list[Colleague], list[dict[str, Any]]]:
    pool = crew.pool(rule, facts)
    if rule.action == "same_rep":
        pool = [one for one in pool if one.id == facts.last_agent_id]
    able, passed = [], []
    for one in pool:
        obstacle = one.obstacle(rule, book.flow)
        if obstacle is None:
            able.append(one)
        else:
            passed.append({"agent_id": one.id, "why": _words(*obstacle)})
    return able, passed


def _choose(rule: Rule[Assignment], able: list[Colleague], pointers: dict[int, int]) -> Colleague | None:
    if not able:
        return None
    last = pointers.get(rule.id, rule.last_agent_id or 0)
    in_turn = sorted(able, key=lambda one: (one.id <= last, one.id))
    if rule.data.action == "least_busy":
        return min(in_turn, key=lambda one: one.open)
    return in_turn[0]


def _why(rule: Rule[Assignment], chosen: Colleague) -> Words:
    if rule.data.action == "same_rep":
        return _by(rule, "上次接待的坐席", "answered this customer last")
    if rule.data.action == "least_busy":
        return _by(rule, f"当前最空闲（{chosen.open} 个进行中）", f"least busy ({chosen.open} open)")
    return _by(rule, "轮流分配", "next in turn")


def _nobody(rule: Rule[Assignment], passed: list[dict[str, Any]]) -> Words:
    if rule.data.action == "same_rep" and not passed:
        return _by(rule, "没有可用的上次接待人", "nobody of the group answered before")
    if not passed:
        return _by(rule, "没有可分配的坐席", "nobody belongs to the group")
    return _by(rule, "没有空闲坐席", "nobody is free")


def _by(rule: Rule[Assignment], zh: str, en: str) -> Words:
    return _words(f"规则「{rule.name}」：{zh}", f"Rule “{rule.name}”: {en}")


def _words(zh: str, en: str) -> Words:
    return {"zh": zh, "en": en}
