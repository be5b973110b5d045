"""The key that signs the chain: made when it is needed first, kept encrypted, changed without losing what it signed."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scrm.services import Work
from scrm.trail import record
from scrm.vault import Vault

PURPOSE = "evidence key"
CURRENT = "select id, fingerprint, private_key from evidence_key where retired_at is null"
ADD = """
insert into evidence_key (public_key, fingerprint, private_key, endorsed, made_at) values ($1, $2, $3, $4, $5) returning id
"""
WAIT = "insert into evidence_waiting (kind, ref_id, look_at) values ('key', $1, $2)"


@dataclass(frozen=True, slots=True)
class Signer:
    id: int
    fingerprint: str
    private: Ed25519PrivateKey

    def sign(self, data: bytes) -> bytes:
        return self.private.sign(data)


async def signer(work: Work, vault: Vault) -> Signer:
    """The caller holds the chain's place (see :mod:`audit.evidence.place`): nobody else makes a key at this moment."""
    row = await work.tx.fetchrow(CURRENT)
    if row is None:
        return await _make(work, vault, b"")
    private = Ed25519PrivateKey.from_private_bytes(b64decode(vault.unseal(row["private_key"], purpose=PURPOSE)))
    return Signer(row["id"], row["fingerprint"], private)


async def change_key(work: Work, vault: Vault, agent_id: int, address: str) -> Signer:
    """A new key, which the old one vouches for. The old public key stays, the private one is forgotten."""
    old = await signer(work, vault)
    await work.tx.execute("update evidence_key set retired_at = $2, private_key = null where id = $1", old.id, work.now)
    new = await _make(work, vault, b"", old)
    await record(
        work, "evidence.key_changed", agent_id=agent_id, object_kind="evidence_key", object_id=new.id, address=address,
        detail={"fingerprint": new.fingerprint},
    )  # fmt: skip
    return new


async def _make(work: Work, vault: Vault, endorsed: bytes, old: Signer | None = None) -> Signer:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    sealed = vault.seal(b64encode(private.private_bytes_raw()).decode(), purpose=PURPOSE)
    name = fingerprint(public)
    if old is not None:
        endorsed = old.sign(public)
    made: int = await work.tx.fetchval(ADD, public, name, sealed, endorsed, work.now)
    await work.tx.execute(WAIT, made, work.now)
    return Signer(made, name, private)


def fingerprint(public: bytes) -> str:
    """The SHA-256 of the key as ``openssl pkey -pubin -outform DER`` writes it."""
    return sha256(_public(public).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def pem(public: bytes) -> str:
    return _public(public).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signed_by(public: bytes, signature: bytes, data: bytes) -> bool:
    try:
        _public(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _public(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)
