"""The second factor: six digits of an authenticator (TOTP, RFC 6238), and recovery codes for the day the phone is lost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import secrets
from dataclasses import dataclass, field

import pyotp
import segno

from scrm.db import Row, Tx
from scrm.errors import Conflict
from scrm.services import Services, Work

PURPOSE = "second_factor"
STEP_SECONDS = 30
DRIFT_STEPS = (-1, 0, 1)
"""Phones go wrong by some seconds."""
RECOVERY_CODES = 10
RECOVERY_BYTES = 10

SAVE = """
insert into second_factor (agent_id, secret, created_at) values ($1, $2, $3)
on conflict (agent_id) do update set secret = excluded.secret, created_at = excluded.created_at, last_step = 0
where second_factor.confirmed_at is null
returning agent_id
"""
FIND = "select secret, last_step, confirmed_at from second_factor where agent_id = $1"
TAKE_STEP = "update second_factor set last_step = $2 where agent_id = $1 and last_step < $2 returning agent_id"
CONFIRM = "update second_factor set confirmed_at = $2 where agent_id = $1 and confirmed_at is null returning agent_id"
USE_RECOVERY = """
update recovery_code set used_at = $3 where agent_id = $1 and code_hash = $2 and used_at is null returning agent_id
"""
RECOVERY_LEFT = "select count(*) from recovery_code where agent_id = $1 and used_at is null"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the authenticator reads: as a picture, or typed by hand."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    qr_svg: str = field(repr=False)


async def begin(services: Services, work: Work, agent_id: int, login: str) -> Enrolment:
    """A new secret, good after :func:`confirm`. Raises :class:`Conflict` when there is a confirmed one: remove it first."""
    secret = pyotp.random_base32()
    sealed = services.vault.seal(secret, purpose=PURPOSE)
    if await work.tx.fetchval(SAVE, agent_id, sealed, work.now) is None:
        raise Conflict("You have a second factor; remove it first.", code="second_factor_exists")
    uri = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=services.settings.company)
    return Enrolment(secret, uri, _qr(uri))


async def confirm(services: Services, work: Work, agent_id: int, code: str) -> list[str] | None:
    """The recovery codes, shown this once; None: the code is wrong."""
    if not await _totp_fits(services, work, agent_id, code, confirmed=False):
        return None
    await work.tx.execute(CONFIRM, agent_id, work.now)
    return await new_recovery_codes(work, agent_id)


async def check(services: Services, work: Work, agent_id: int, code: str) -> str:
    """Which way the code was right, ``app`` or ``recovery``, and it is used up; empty: it is wrong."""
    tidy = "".join(code.split()).replace("-", "")
    if len(tidy) == 6 and tidy.isascii() and tidy.isdigit():
        return "app" if await _totp_fits(services, work, agent_id, tidy, confirmed=True) else ""
    used = await work.tx.fetchval(USE_RECOVERY, agent_id, _recovery_hash(agent_id, tidy), work.now)
    return "recovery" if used is not None else ""


async def remove(work: Work, agent_id: int) -> bool:
    """Whether there was one."""
    await work.tx.execute("delete from recovery_code where agent_id = $1", agent_id)
    return (await work.tx.execute("delete from second_factor where agent_id = $1", agent_id)) != "DELETE 0"


async def new_recovery_codes(work: Work, agent_id: int) -> list[str]:
    """Those of before are worth nothing any more."""
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    await work.tx.execute("delete from recovery_code where agent_id = $1", agent_id)
    await work.tx.execute(
        "insert into recovery_code (agent_id, code_hash) select $1, unnest($2::bytea[])",
        agent_id, [_recovery_hash(agent_id, code.replace("-", "")) for code in codes],
    )  # fmt: skip
    return codes


async def find(tx: Tx, agent_id: int) -> Row | None:
    return await tx.fetchrow(FIND, agent_id)


async def recovery_left(tx: Tx, agent_id: int) -> int:
    return int(await tx.fetchval(RECOVERY_LEFT, agent_id))


async def _totp_fits(services: Services, work: Work, agent_id: int, code: str, *, confirmed: bool) -> bool:
    """Every step is looked at, so that the time taken tells nothing; a step that was used is never right again."""
    row = await find(work.tx, agent_id)
    if row is None or (row["confirmed_at"] is not None) != confirmed:
        return False
    totp = pyotp.TOTP(services.vault.unseal(row["secret"], purpose=PURPOSE))
    now_step = int(services.clock.now().timestamp()) // STEP_SECONDS
    found = 0
    for drift in DRIFT_STEPS:
        fits = hmac.compare_digest(totp.generate_otp(now_step + drift).encode(), code.encode("utf-8", "replace"))
        found = now_step + drift if fits else found
    return bool(found) and await work.tx.fetchval(TAKE_STEP, agent_id, found) is not None


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _recovery_hash(agent_id: int, code: str) -> bytes:
    return hashlib.sha256(f"{agent_id}:{code.lower()}".encode("utf-8", "replace")).digest()


def _qr(uri: str) -> str:
    out = io.BytesIO()
    segno.make(uri, error="m").save(out, kind="svg", xmldecl=False, scale=5, border=2, svgclass=None, lineclass=None)
    return out.getvalue().decode()
