"""API tokens: shown once, kept as SHA-256, with the permissions of the agent who made them."""

from __future__ import annotations

import secrets
from datetime import datetime

from scrm.db import Database, Row, Tx
from scrm.services import Work
from scrm.sessions import WHO, digest

PREFIX = "scrm_"
"""Lets secret scanners recognise a token that ended up where it should not be."""

FIND = f"""
select t.id as token_id, t.used_at, t.expires_at, t.permissions as token_permissions, {WHO}
from api_token t join agent a on a.id = t.agent_id join role r on r.key = a.role
where t.token_hash = $1 and t.ended_at is null and (t.expires_at is null or t.expires_at > $2) and a.disabled_at is null
"""  # noqa: S608 - made of constants
ALIVE = f"""
select t.id as token_id, t.permissions as token_permissions, {WHO}
from api_token t join agent a on a.id = t.agent_id join role r on r.key = a.role
where t.id = any($1) and t.ended_at is null and (t.expires_at is null or t.expires_at > $2) and a.disabled_at is null
"""  # noqa: S608 - made of constants
INSERT = """
insert into api_token (agent_id, name, token_hash, created_at, expires_at, permissions)
values ($1, $2, $3, $4, $5, $6) returning id
"""
LIST = """
select id, name, created_at, expires_at, used_at, permissions from api_token
where agent_id = $1 and ended_at is null order by id desc limit 200
"""
END = "update api_token set ended_at = $3 where id = $1 and agent_id = $2 and ended_at is null returning id"
USED = "update api_token set used_at = $2 where id = $1 and (used_at is null or used_at < $2)"


async def create_token(
    work: Work, agent_id: int, name: str, expires_at: datetime | None, permissions: list[str] | None = None
) -> tuple[int, str]:
    """The id and the token itself, which nobody can see again. ``permissions`` None: those of the agent."""
    token = PREFIX + secrets.token_urlsafe(32)
    token_id = await work.tx.fetchval(INSERT, agent_id, name, digest(token), work.now, expires_at, permissions)
    return token_id, token


async def find_token(db: Database, token_hash: bytes, now: datetime) -> Row | None:
    return await db.fetchrow(FIND, token_hash, now)


async def alive_tokens(db: Database, ids: list[int], now: datetime) -> list[Row]:
    return await db.fetch(ALIVE, ids, now)


async def list_tokens(tx: Tx, agent_id: int) -> list[Row]:
    rows: list[Row] = await tx.fetch(LIST, agent_id)
    return rows


async def end_token(work: Work, token_id: int, agent_id: int) -> bool:
    ended = await work.tx.fetchval(END, token_id, agent_id, work.now)
    if ended is None:
        return False
    work.ring("token", token_id)
    return True


async def used(db: Database, token_id: int, now: datetime) -> None:
    await db.execute(USED, token_id, now)
