"""Logins that failed too often in a row rest for a while, whether or not anybody has them: the answer must not tell."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta

from scrm.db import Database
from scrm.errors import TooManyRequests
from scrm.services import Work
from scrm.sign_in_rules import PasswordRules

LOCKED = "select locked_until from sign_in_failure where login_hash = $1 and locked_until > $2"
COUNT = """
insert into sign_in_failure as f (login_hash, failures, since, locked_until)
values ($1, 1, $2, case when $4 <= 1 then $2::timestamptz + $3 end)
on conflict (login_hash) do update set
  failures = case when f.since < $2::timestamptz - $3 then 1 else f.failures + 1 end,
  since = case when f.since < $2::timestamptz - $3 then $2 else f.since end,
  locked_until = case
    when (case when f.since < $2::timestamptz - $3 then 1 else f.failures + 1 end) >= $4 then $2::timestamptz + $3
    else f.locked_until end
returning locked_until = $2::timestamptz + $3 and failures = greatest($4, 1) as began
"""
FORGIVE = "delete from sign_in_failure where login_hash = $1"


def login_hash(login: str) -> bytes:
    return hashlib.sha256(login.strip().casefold().encode("utf-8", "surrogatepass")).digest()


async def refuse_if_locked(db: Database, login: str, now: datetime) -> None:
    """Raises :class:`TooManyRequests` (``locked``)."""
    until: datetime | None = await db.fetchval(LOCKED, login_hash(login), now)
    if until is not None:
        wait = max(1, math.ceil((until - now).total_seconds()))
        minutes = math.ceil(wait / 60)
        raise TooManyRequests(
            f"Too many failed attempts. This login rests for {minutes} minutes.", retry_after=wait, code="locked"
        )


async def count_failure(work: Work, login: str, rules: PasswordRules) -> bool:
    """Whether the login is locked from this moment on."""
    if rules.lockout_after == 0:
        return False
    window = timedelta(minutes=rules.lockout_minutes)
    return bool(await work.tx.fetchval(COUNT, login_hash(login), work.now, window, rules.lockout_after))


async def forgive(work: Work, login: str) -> None:
    await work.tx.execute(FORGIVE, login_hash(login))
