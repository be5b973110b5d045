"""The private keys of an archive, by version. A key that comes late opens what was sealed before it came."""

from __future__ import annotations

import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from scrm import trail
from scrm.db import Database, Tx
from scrm.errors import Conflict, Unprocessable
from scrm.permissions import Principal
from scrm.services import Services, Work

PURPOSE = "archive.key"
ADD = """
insert into archive_key (connection_id, version, private_key, fingerprint, added_by, added_at) values ($1, $2, $3, $4, $5, $6)
on conflict do nothing
"""
REPLACE = """
update archive_key set private_key = $3, fingerprint = $4, added_by = $5, added_at = $6
where connection_id = $1 and version = $2 and fingerprint <> $4
"""
AGAIN = """
update archive_record set state = 'sealed', retry_at = null, attempts = 0
where connection_id = $1 and key_version = $2 and state <> 'done' and reason in ('no_key', 'wrong_key')
"""


async def add_key(
    services: Services, work: Work, principal: Principal, connection_id: int, version: int, pem: str
) -> None:
    """Also in place of one that does not fit. Raises :class:`Unprocessable` for what is no RSA private key of 2048 bits, and
    :class:`Conflict` for another key of a version with which records were opened."""
    fingerprint = fingerprint_of(pem)
    sealed = services.vault.seal(pem, purpose=PURPOSE)
    values = (connection_id, version, sealed, fingerprint, principal.agent_id, work.now)
    if await work.tx.execute(ADD, *values) != "INSERT 0 1":
        opened = await work.tx.fetchval(
            "select exists (select from archive_record where connection_id = $1 and key_version = $2 and state = 'done')",
            connection_id,
            version,
        )
        known = await work.tx.fetchval(
            "select fingerprint from archive_key where connection_id = $1 and version = $2", connection_id, version
        )
        if opened and known != fingerprint:
            raise Conflict("Records were opened with the key of this version; it is another one.", code="key_in_use")
        await work.tx.execute(REPLACE, *values)
    await work.tx.execute(AGAIN, connection_id, version)
    await trail.record(
        work,
        "archive.key_added",
        agent_id=principal.agent_id,
        object_kind="connection",
        object_id=connection_id,
        detail={"version": version, "fingerprint": fingerprint},
    )
    work.ring("archived", connection_id)


def fingerprint_of(pem: str) -> str:
    """SHA-256 of the public half, which is what the platform's console shows a part of."""
    problem = "must be an RSA private key of 2048 bits in PEM, without a password"
    try:
        key = load_pem_private_key(pem.strip().encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Unprocessable("This is no private key.", fields={"private_key": problem}) from error
    if not isinstance(key, RSAPrivateKey) or key.key_size != 2048:
        raise Unprocessable("This key does not fit the archive.", fields={"private_key": problem})
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()


async def private_keys(
    services: Services, tx: Tx | Database, connection_id: int, versions: set[int]
) -> dict[int, bytes]:
    rows = await tx.fetch(
        "select version, private_key from archive_key where connection_id = $1 and version = any($2::int[])",
        connection_id,
        sorted(versions),
    )
    return {row["version"]: services.vault.unseal(row["private_key"], purpose=PURPOSE).encode() for row in rows}
