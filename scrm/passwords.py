"""Passwords: Argon2id hashes, made and checked in threads and only a few at a time, because each costs memory on purpose."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from scrm.errors import Unprocessable

MIN_LENGTH = 10
MAX_LENGTH = 512
AT_ONCE = 2

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


def check_rules(password: str, *, login: str, field: str = "password") -> None:
    """Raises :class:`Unprocessable` with a sentence that says what to change."""
    problem = ""
    if len(password) < MIN_LENGTH:
        problem = f"Use at least {MIN_LENGTH} characters."
    elif len(password) > MAX_LENGTH:
        problem = f"Use at most {MAX_LENGTH} characters."
    elif len(set(password)) < 4:
        problem = "Use more different characters."
    elif login and password.casefold() == login.casefold():
        problem = "The password must differ from the login."
    if problem:
        raise Unprocessable(problem, fields={field: problem}, code="weak_password")


def needs_rehash(password_hash: str) -> bool:
    try:
        return _hasher.check_needs_rehash(password_hash)
    except InvalidHashError:
        return False


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        fits = _hasher.verify(password_hash or _NOBODY, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    return fits and password_hash is not None
