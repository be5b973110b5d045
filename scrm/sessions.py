"""Browser sessions. The cookie holds 32 random bytes, the database their SHA-256; ending one tells every process."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from scrm.db import Database, Row, Tx
from scrm.services import Work

Pending = Literal["", "second"]
Way = Literal["password", "platform"]
PENDING_LIFE = timedelta(minutes=10)

INSERT = """
insert into session (agent_id, token_hash, csrf_token, user_agent, address, created_at, seen_at, expires_at, pending, way)
values ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9) returning id
"""
WHO = """
  a.id as agent_id, a.login, a.name, a.avatar, a.role, a.language, r.permissions as role_permissions,
  r.reach as role_reach, a.password_due, a.password_at,
  exists (select from second_factor f where f.agent_id = a.id and f.confirmed_at is not null) as second_factor,
  array(select t.team_id from team_member t where t.agent_id = a.id order by 1) as team_ids
"""
FIND = f"""
select s.id as session_id, s.csrf_token, s.seen_at, s.expires_at, s.pending, s.way, {WHO}
from session s join agent a on a.id = s.agent_id join role r on r.key = a.role
where s.token_hash = $1 and s.ended_at is null and s.expires_at > $2 and s.seen_at > $3 and a.disabled_at is null
"""  # noqa: S608 - made of constants
ALIVE = f"""
select s.id as session_id, s.csrf_token, s.expires_at, s.pending, s.way, {WHO}
from session s join agent a on a.id = s.agent_id join role r on r.key = a.role
where s.id = any($1) and s.ended_at is null and s.expires_at > $2 and s.seen_at > $3 and a.disabled_at is null
"""  # noqa: S608 - made of constants
LIST = """
select id, user_agent, address, created_at, seen_at from session
where agent_id = $1 and ended_at is null and expires_at > $2
order by seen_at desc, id desc limit 200
"""
END = "update session set ended_at = $3 where id = $1 and agent_id = $2 and ended_at is null and expires_at > $3 returning id"
END_OTHERS = """
update session set ended_at = $3
where agent_id = $1 and ended_at is null and id is distinct from $2 returning id
"""
COMPLETE = "update session set pending = '', expires_at = $2 where id = $1 and pending = 'second'"
SEEN = "update session set seen_at = $2, address = $3 where id = $1 and seen_at < $2"


@dataclass(frozen=True, slots=True)
class NewSession:
    id: int
    token: str = field(repr=False)
    csrf_token: str = field(repr=False)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def open_session(
    work: Work,
    agent_id: int,
    *,
    address: str,
    user_agent: str,
    days: float,
    pending: Pending = "",
    way: Way = "password",
) -> NewSession:
    """``pending``: it is good for nothing but giving the code, and only for minutes."""
    token, csrf_token = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    until = work.now + (PENDING_LIFE if pending else timedelta(days=days))
    session_id = await work.tx.fetchval(
        INSERT, agent_id, digest(token), csrf_token, user_agent, address, work.now, until, pending, way
    )
    return NewSession(session_id, token, csrf_token)


async def complete_session(work: Work, session_id: int, days: float) -> None:
    """The code was right."""
    await work.tx.execute(COMPLETE, session_id, work.now + timedelta(days=days))
    work.ring("session", session_id)


async def find_session(db: Database, token_hash: bytes, now: datetime, seen_after: datetime) -> Row | None:
    return await db.fetchrow(FIND, token_hash, now, seen_after)


async def alive_sessions(db: Database, ids: list[int], now: datetime, seen_after: datetime) -> list[Row]:
    return await db.fetch(ALIVE, ids, now, seen_after)


async def list_sessions(tx: Tx, agent_id: int, now: datetime) -> list[Row]:
    rows: list[Row] = await tx.fetch(LIST, agent_id, now)
    return rows


async def end_session(work: Work, session_id: int, agent_id: int) -> bool:
    """False: the agent has no such session."""
    ended = await work.tx.fetchval(END, session_id, agent_id, work.now)
    if ended is None:
        return False
    work.ring("session", session_id)
    return True


async def end_sessions_of(work: Work, agent_id: int, *, except_id: int | None = None) -> int:
    ended = [row["id"] for row in await work.tx.fetch(END_OTHERS, agent_id, except_id, work.now)]
    if ended:
        work.ring("session", *ended)
    return len(ended)


async def ring_sessions_of(work: Work, *agent_ids: int) -> None:
    """Something about the agents changed: every process looks again at what their sessions and tokens may do."""
    wanted = list(agent_ids)
    sessions = await work.tx.fetch("select id from session where agent_id = any($1) and ended_at is null", wanted)
    tokens = await work.tx.fetch("select id from api_token where agent_id = any($1) and ended_at is null", wanted)
    if sessions:
        work.ring("session", *(row["id"] for row in sessions))
    if tokens:
        work.ring("token", *(row["id"] for row in tokens))


async def seen(db: Database, session_id: int, now: datetime, address: str) -> None:
    await db.execute(SEEN, session_id, now, address)
