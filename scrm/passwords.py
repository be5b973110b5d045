"""Passwords: Argon2id hashes, made and checked in threads and only a few at a time, because each costs memory on purpose; and
the company's rules, kept wherever a password is set."""

from __future__ import annotations

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from scrm.common_passwords import COMMON
from scrm.db import Tx
from scrm.errors import Unprocessable
from scrm.services import Work
from scrm.sign_in_rules import PASSWORDS, PasswordRules

MAX_LENGTH = 512
AT_ONCE = 2
SHORTEST_NAME = 4
"""Shorter logins and names occur in good passwords by chance."""
MOST_KEPT = 10

EARLIER = """
select password_hash from (select password_hash, id from password_history where agent_id = $1 order by id desc limit $2) h
order by id desc
"""
KEEP = """
insert into password_history (agent_id, password_hash, replaced_at)
select id, password_hash, $2 from agent where id = $1
"""
FORGET = """
delete from password_history where agent_id = $1
  and id not in (select id from password_history where agent_id = $1 order by id desc limit $2)
"""

_hasher = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)
# A real hash of nothing anybody knows: an unknown login costs as much time as a wrong password.
_NOBODY = _hasher.hash("\x00nobody\x00")


class Passwords:
    def __init__(self) -> None:
        self.turn = asyncio.Semaphore(AT_ONCE)

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Whether ``password`` belongs to the hash. None takes as long and never fits. Call it inside :attr:`turn`."""
        return await asyncio.to_thread(_verify, password, password_hash)


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(_hasher.hash, password.encode("utf-8", "surrogatepass"))


async def check_password(
    tx: Tx, password: str, *, login: str, name: str = "", agent_id: int | None = None, field: str = "password"
) -> None:
    """Raises :class:`Unprocessable` with a sentence that says what to change. ``agent_id``: whose earlier passwords count."""
    rules = await PASSWORDS.load(tx)
    problem = problem_of(password, rules, login=login, name=name)
    if not problem and agent_id is not None and rules.history:
        problem = await _used_before(tx, agent_id, password, rules.history)
    if problem:
        raise Unprocessable(problem, fields={field: problem}, code="weak_password")


def problem_of(password: str, rules: PasswordRules, *, login: str, name: str = "") -> str:
    """What is wrong with it; empty: nothing."""
    folded = password.casefold()
    if len(password) < rules.min_length:
        return f"Use at least {rules.min_length} characters."
    if len(password) > MAX_LENGTH:
        return f"Use at most {MAX_LENGTH} characters."
    if len(set(password)) < 4:
        return "Use more different characters."
    if classes_in(password) < rules.classes:
        return f"Use {rules.classes} of: lower case, upper case, digits, other characters."
    if folded == login.casefold() or any(_is_in(part, folded) for part in (login, name)):
        return "The password must not contain the login or the name."
    if folded in COMMON or folded.rstrip("0123456789!.@#") in COMMON:
        return "This password is among the most used ones; choose another."
    return ""


def classes_in(password: str) -> int:
    kinds = {unicodedata.category(letter) for letter in password}
    return sum((("Ll" in kinds), ("Lu" in kinds), ("Nd" in kinds), bool(kinds - {"Ll", "Lu", "Nd"})))


async def keep_old_password(work: Work, agent_id: int) -> None:
    """Before the agent gets another one. What no rule can ask for any more is forgotten."""
    await work.tx.execute(KEEP, agent_id, work.now)
    await work.tx.execute(FORGET, agent_id, MOST_KEPT)


def needs_rehash(password_hash: str) -> bool:
    try:
        return _hasher.check_needs_rehash(password_hash)
    except InvalidHashError:
        return False


async def _used_before(tx: Tx, agent_id: int, password: str, history: int) -> str:
    """``history`` counts the password of today."""
    current = await tx.fetchval("select password_hash from agent where id = $1", agent_id)
    earlier = [row["password_hash"] for row in await tx.fetch(EARLIER, agent_id, history - 1)]
    for one in [current, *earlier]:
        if await asyncio.to_thread(_verify, password, one):
            return f"The last {history} passwords may not come back." if history > 1 else "This is the old password."
    return ""


def _is_in(part: str, folded_password: str) -> bool:
    part = part.casefold()
    return len(part) >= SHORTEST_NAME and part in folded_password


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        fits = _hasher.verify(password_hash or _NOBODY, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    return fits and password_hash is not None
