"""The rules as they stand: read together, compiled once for each state of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from audit.alerts.raising import Severity
from audit.rules.kinds import Rule, RuleKind, Words, parsed
from audit.rules.matching import Matcher
from scrm.db import Database, Row, Tx

R = TypeVar("R", bound=Rule, covariant=True)
Message: TypeAlias = "Row | Mapping[str, Any]"
"""With the columns of ``audit.rules.said.MESSAGES``."""

STATE = """
select coalesce(sum(version), 0)::bigint || ':' || count(*) || ':' || coalesce(max(updated_at)::text, '') || ':' ||
  (select coalesce(max(id), 0) || ':' || count(*) from audit_rule_mute)
from audit_rule where enabled and deleted_at is null
"""
READ = "select id, kind, name, severity, version, data from audit_rule where enabled and deleted_at is null order by id"
ONE = "select id, kind, name, severity, version, data from audit_rule where id = $1 and deleted_at is null"
MUTES = "select rule_id, conversation_id, account_id from audit_rule_mute where rule_id = any($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Held(Generic[R]):
    """A rule that is at work."""

    id: int
    kind: RuleKind
    name: str
    severity: Severity
    version: int
    data: R
    muted_conversations: frozenset[int] = frozenset()
    muted_accounts: frozenset[int] = frozenset()

    def concerns(self, message: Message) -> bool:
        """Whether it looks at this message's place and writer."""
        return self.meets(message) and self.looks_at(message)

    def meets(self, message: Message) -> bool:
        """By who wrote it alone."""
        who = self.data.who
        return who == "both" or (message["direction"] == "out") == (who == "employees")

    def looks_at(self, place: Message) -> bool:
        data = self.data
        return (
            (not data.channels or place["channel"] in data.channels)
            and (not data.account_ids or place["account_id"] in data.account_ids)
            and (not data.team_ids or place["team_id"] in data.team_ids)
            and place["conversation_id"] not in self.muted_conversations
            and place["account_id"] not in self.muted_accounts
        )


@dataclass(frozen=True, slots=True)
class Book:
    rules: Sequence[Held[Rule]]
    matcher: Matcher = field(default_factory=lambda: Matcher({}))

    def of(self, *kinds: RuleKind) -> list[Held[Any]]:
        return [one for one in self.rules if one.kind in kinds]


class Shelf:
    """Keeps the compiled book while nobody changes a rule."""

    def __init__(self) -> None:
        self._state = ""
        self._book = Book([])

    async def book(self, tx: Tx | Database) -> Book:
        state = await tx.fetchval(STATE)
        if state != self._state:
            self._book = await _read(tx, await tx.fetch(READ))
            self._state = state
        return self._book


async def only(tx: Tx | Database, rule_id: int) -> Book:
    """One rule, also one that is switched off; an empty book when it is gone."""
    return await _read(tx, await tx.fetch(ONE, rule_id))


async def _read(tx: Tx | Database, rows: Sequence[Any]) -> Book:
    muted: dict[int, tuple[set[int], set[int]]] = {}
    for row in await tx.fetch(MUTES, [row["id"] for row in rows]):
        conversations, accounts = muted.setdefault(row["rule_id"], (set(), set()))
        if row["conversation_id"] is not None:
            conversations.add(row["conversation_id"])
        if row["account_id"] is not None:
            accounts.add(row["account_id"])
    rules: list[Held[Rule]] = []
    for row in rows:
        data = parsed(row["kind"], row["data"])
        if data is not None:
            conversations, accounts = muted.get(row["id"], (set(), set()))
            rules.append(
                Held(
                    row["id"], row["kind"], row["name"], row["severity"], row["version"], data,
                    frozenset(conversations), frozenset(accounts),
                )
            )  # fmt: skip
    return Book(rules, Matcher({one.id: one.data.lexicon() for one in rules if isinstance(one.data, Words)}))
