"""Who may do what. A route names one permission; a role is a set of them; a scope says on which rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["rep", "manager", "marketer", "auditor", "admin"]
Language = Literal["zh-CN", "en"]

INBOX_READ = "inbox.read"
INBOX_REPLY = "inbox.reply"
INBOX_ASSIGN = "inbox.assign"
"""Give conversations to others; everybody who replies may take and drop their own."""
INBOX_READ_ALL = "inbox.read_all"
"""Conversations of every team."""
INBOX_RECALLED = "inbox.recalled"
"""What was in messages that were withdrawn."""
CUSTOMERS_READ = "customers.read"
CUSTOMERS_WRITE = "customers.write"
CUSTOMERS_PHONE = "customers.phone"
"""Phone numbers in full."""
AGENTS_READ = "agents.read"
AGENTS_MANAGE = "agents.manage"
CONNECTIONS_READ = "connections.read"
CONNECTIONS_MANAGE = "connections.manage"
EVENTS_READ = "events.read"
EVENTS_MANAGE = "events.manage"

_REP = frozenset({INBOX_READ, INBOX_REPLY, CUSTOMERS_READ, CUSTOMERS_WRITE, AGENTS_READ})

OF_ROLE: dict[Role, frozenset[str]] = {
    "rep": _REP,
    "manager": _REP | {INBOX_ASSIGN, INBOX_READ_ALL, INBOX_RECALLED, CUSTOMERS_PHONE, CONNECTIONS_READ, EVENTS_READ},
    "marketer": frozenset({CUSTOMERS_READ, AGENTS_READ}),
    "auditor": frozenset(
        {INBOX_READ, INBOX_READ_ALL, INBOX_RECALLED, CUSTOMERS_READ, CUSTOMERS_PHONE, AGENTS_READ, EVENTS_READ}
    ),
    "admin": _REP
    | {
        INBOX_ASSIGN,
        INBOX_READ_ALL,
        INBOX_RECALLED,
        CUSTOMERS_PHONE,
        AGENTS_MANAGE,
        CONNECTIONS_READ,
        CONNECTIONS_MANAGE,
        EVENTS_READ,
        EVENTS_MANAGE,
    },
}
EVERY = OF_ROLE["admin"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: an agent, through a browser session or an API token."""

    agent_id: int
    login: str
    name: str
    role: Role
    permissions: frozenset[str]
    language: Language
    team_ids: tuple[int, ...]
    session_id: int | None
    token_id: int | None

    def may(self, permission: str) -> bool:
        return permission in self.permissions


@dataclass(frozen=True, slots=True)
class Scope:
    """Which conversations somebody sees: all of them; or those of accounts without a team, of accounts of one's own teams,
    and the ones assigned to oneself. :meth:`covers` and the SQL in ``inbox.queries`` say the same thing."""

    agent_id: int
    everything: bool
    team_ids: tuple[int, ...]
    recalled: bool

    @classmethod
    def of(cls, principal: Principal) -> Scope:
        return cls(
            principal.agent_id,
            principal.may(INBOX_READ_ALL),
            principal.team_ids,
            principal.may(INBOX_RECALLED),
        )

    def covers_account(self, team_id: int | None) -> bool:
        return self.everything or team_id is None or team_id in self.team_ids

    def covers(self, team_id: int | None, assignee_id: int | None) -> bool:
        return assignee_id == self.agent_id or self.covers_account(team_id)
