"""Who may do what. A route names one permission; a role is a set of them and a reach; a scope says on which rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh-CN", "en"]
Reach = Literal["own", "team", "all"]
"""Of the conversations: those given to oneself; also those of one's teams and of no team; all."""

INBOX_READ = "inbox.read"
INBOX_REPLY = "inbox.reply"
INBOX_ASSIGN = "inbox.assign"
"""Give conversations to others; everybody who replies may take and drop their own."""
INBOX_RECALLED = "inbox.recalled"
"""What was in messages that were withdrawn."""
INBOX_TEAM = "inbox.team"
"""The team's load and figures."""
INBOX_SETTINGS = "inbox.settings"
"""Labels, rules, hours, service levels, automatic answers, surveys."""
LIBRARY_READ = "library.read"
"""Use quick replies, materials and macros, and keep personal ones."""
LIBRARY_MANAGE = "library.manage"
"""Those of teams and of the company."""
CUSTOMERS_READ = "customers.read"
CUSTOMERS_WRITE = "customers.write"
CUSTOMERS_PHONE = "customers.phone"
"""Phone numbers in full."""
CUSTOMERS_REVEAL = "customers.reveal"
"""One phone number in full, on request, which is written to the trail."""
CUSTOMERS_ASSIGN = "customers.assign"
"""Give customers to others, share those of others, hand over and take back; everybody who writes may claim and drop their own."""
CUSTOMERS_MERGE = "customers.merge"
"""Make one customer of two, and two of one."""
CUSTOMERS_IMPORT = "customers.import"
CUSTOMERS_EXPORT = "customers.export"
CUSTOMERS_DELETE = "customers.delete"
"""Into the recycle bin, and out of it."""
CUSTOMERS_PURGE = "customers.purge"
"""For good, from the recycle bin."""
CUSTOMERS_SETTINGS = "customers.settings"
"""Stages, tags, fields, rules of the public pool and of tagging."""
CUSTOMERS_REPORTS = "customers.reports"
CODES_MANAGE = "codes.manage"
"""Codes that customers scan, and what greets them."""
CAMPAIGNS_READ = "campaigns.read"
CAMPAIGNS_WRITE = "campaigns.write"
"""Write campaigns and bring them on their way, Moments and invite batches too."""
CAMPAIGNS_APPROVE = "campaigns.approve"
"""Be the second person for a campaign of somebody else."""
CAMPAIGNS_SETTINGS = "campaigns.settings"
"""From which size a second person is needed, the cap over all campaigns, quiet hours."""
AGENTS_READ = "agents.read"
AGENTS_MANAGE = "agents.manage"
COMPANY_MANAGE = "company.manage"
"""Roles, rules for passwords, how people sign in."""
CONNECTIONS_READ = "connections.read"
CONNECTIONS_MANAGE = "connections.manage"
AUDIT_READ = "audit.read"
"""The archive: search it, its payments, its words, the alerts; within one's reach."""
AUDIT_REVIEW = "audit.review"
"""Work on alerts, score samples."""
AUDIT_RULES = "audit.rules"
"""Rules, score sheets, thresholds, the dictionary."""
AUDIT_EVIDENCE = "audit.evidence"
"""Take what is archived out of the house: evidence, exports of payments and finds."""
AUDIT_RETENTION = "audit.retention"
"""How long what is kept, holds, the erasure of a person's data."""
TRAIL_READ = "trail.read"
"""Who did, saw and exported what in this system."""
EVENTS_READ = "events.read"
EVENTS_MANAGE = "events.manage"

_REP = frozenset(
    {INBOX_READ, INBOX_REPLY, LIBRARY_READ, CUSTOMERS_READ, CUSTOMERS_WRITE, CUSTOMERS_REVEAL, AGENTS_READ}
)
_MANAGER = _REP | {
    INBOX_ASSIGN,
    INBOX_RECALLED,
    INBOX_TEAM,
    INBOX_SETTINGS,
    LIBRARY_MANAGE,
    CUSTOMERS_PHONE,
    CUSTOMERS_ASSIGN,
    CUSTOMERS_MERGE,
    CUSTOMERS_IMPORT,
    CUSTOMERS_EXPORT,
    CUSTOMERS_DELETE,
    CUSTOMERS_SETTINGS,
    CUSTOMERS_REPORTS,
    CODES_MANAGE,
    CAMPAIGNS_READ,
    CAMPAIGNS_WRITE,
    CAMPAIGNS_APPROVE,
    CAMPAIGNS_SETTINGS,
    CONNECTIONS_READ,
    EVENTS_READ,
    AUDIT_READ,
    AUDIT_REVIEW,
    AUDIT_RULES,
    AUDIT_EVIDENCE,
}

OF_ROLE: dict[str, frozenset[str]] = {
    "rep": _REP,
    "manager": _MANAGER,
    "marketer": frozenset(
        {
            CUSTOMERS_READ,
            CUSTOMERS_REPORTS,
            CODES_MANAGE,
            CAMPAIGNS_READ,
            CAMPAIGNS_WRITE,
            AGENTS_READ,
            LIBRARY_READ,
            LIBRARY_MANAGE,
        }
    ),
    "auditor": frozenset(
        {
            INBOX_READ,
            INBOX_RECALLED,
            INBOX_TEAM,
            CUSTOMERS_READ,
            CUSTOMERS_PHONE,
            CUSTOMERS_REPORTS,
            CAMPAIGNS_READ,
            AGENTS_READ,
            EVENTS_READ,
            TRAIL_READ,
            AUDIT_READ,
            AUDIT_REVIEW,
            AUDIT_RULES,
            AUDIT_EVIDENCE,
        }
    ),
    "admin": _MANAGER
    | {
        CUSTOMERS_PURGE,
        AGENTS_MANAGE,
        COMPANY_MANAGE,
        CONNECTIONS_MANAGE,
        EVENTS_MANAGE,
        TRAIL_READ,
        AUDIT_RETENTION,
    },
}
"""The built-in roles. A company adds its own (table ``role``)."""
REACH: dict[str, Reach] = {"rep": "team", "manager": "all", "marketer": "own", "auditor": "all", "admin": "all"}
EVERY = OF_ROLE["admin"]
ROLES: tuple[str, ...] = tuple(OF_ROLE)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: an agent, through a browser session or an API token."""

    agent_id: int
    login: str
    name: str
    role: str
    permissions: frozenset[str]
    reach: Reach
    language: Language
    team_ids: tuple[int, ...]
    session_id: int | None
    token_id: int | None

    def may(self, permission: str) -> bool:
        return permission in self.permissions


@dataclass(frozen=True, slots=True)
class Scope:
    """Which conversations somebody sees: those they are assigned to or help with, and, as far as they reach, those of accounts
    without a team and of accounts of their own teams, or all; and what of them is shown in full. :meth:`covers` and ``inbox.queries.SEEN`` say the same thing."""

    agent_id: int
    reach: Reach
    team_ids: tuple[int, ...]
    recalled: bool
    phones: bool = False

    @classmethod
    def of(cls, principal: Principal) -> Scope:
        recalled, phones = principal.may(INBOX_RECALLED), principal.may(CUSTOMERS_PHONE)
        return cls(principal.agent_id, principal.reach, principal.team_ids, recalled, phones)

    @property
    def everything(self) -> bool:
        return self.reach == "all"

    @property
    def teams(self) -> list[int] | None:
        """For SQL: the teams whose accounts are seen whole (and those without a team); None: no account is."""
        return None if self.reach == "own" else list(self.team_ids)

    def covers_account(self, team_id: int | None) -> bool:
        return self.reach == "all" or (self.reach == "team" and (team_id is None or team_id in self.team_ids))

    def covers(self, team_id: int | None, assignee_id: int | None, collaborators: tuple[int, ...] = ()) -> bool:
        return assignee_id == self.agent_id or self.agent_id in collaborators or self.covers_account(team_id)
