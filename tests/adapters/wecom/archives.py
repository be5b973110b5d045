"""A company with a chat archive at the simulator, and the adapter's part that reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from adapters.wecom.archive import ChatArchive
from adapters.wecom.finance_process import Access
from simulator.wecom.finance.build import library
from simulator.wecom.server import WecomSimulator

CORP, SECRET = "wwarchive00000001", "archive-secret"
CUSTOMER = "wmGAgeDQAAdBjb8CK4ieMPRm7Cqm-9VA"


@lru_cache(maxsize=4)
def key_pair(number: int = 1) -> tuple[bytes, str]:
    """(private, public) in PEM. Cached: making one takes a moment."""
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private, public.decode()


@dataclass
class Place:
    simulator: WecomSimulator
    archive: ChatArchive
    keys: dict[int, bytes] = field(default_factory=dict)

    def add_key(self, number: int = 1, *, known: bool = True) -> int:
        private, public = key_pair(number)
        version = self.simulator.control.add_archive_key(CORP, public)
        if known:
            self.keys[version] = private
        return version

    def says(self, text: str, **changes: object) -> int:
        record = {"from": "zhangsan", "tolist": [CUSTOMER], "roomid": "", "msgtype": "text", "text": {"content": text}}
        return self.simulator.control.archive_says(CORP, {**record, **changes})


def access(base_url: str, **changes: str) -> Access:
    return Access(**{"library": str(library()), "corp_id": CORP, "secret": SECRET, "base_url": base_url, **changes})


@asynccontextmanager
async def place() -> AsyncIterator[Place]:
    async with WecomSimulator() as simulator:
        simulator.control.create_app(CORP, "secret")
        simulator.control.buy_archive(CORP, SECRET, ["zhangsan"])
        archive = ChatArchive(access(simulator.base_url))
        try:
            yield Place(simulator, archive)
        finally:
            await archive.close_archive()
