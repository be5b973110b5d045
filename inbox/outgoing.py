"""A queued message with everything its adapter must know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scrm.blobs import Blobs
from scrm.channel import JsonObject, Kind, OutgoingMedia, OutgoingMessage
from scrm.db import Database, Row, Tx

LOAD = """
select m.id, m.kind, m.text, m.content, m.state, m.platform_message_id, v.group_key,
  a.channel, a.external_id as account_id, c.external_id as contact_id,
  f.sha256, f.name as file_name, f.mime, f.size
from message m
join conversation v on v.id = m.conversation_id
join account a on a.id = v.account_id
left join contact c on c.id = v.contact_id
left join lateral (select * from attachment f where f.message_id = m.id order by f.position limit 1) f on true
where m.id = any($1::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Outgoing:
    row: Row

    @property
    def channel(self) -> str:
        return str(self.row["channel"])

    @property
    def state(self) -> str:
        return str(self.row["state"])

    def message(self, queued: Row, blobs: Blobs) -> OutgoingMessage:
        payload: dict[str, Any] = queued["payload"]
        return OutgoingMessage(
            account_id=self.row["account_id"],
            contact_id=self.row["contact_id"] or "",
            kind=Kind(self.row["kind"]),
            text=self.row["text"],
            idempotency_key=queued["idempotency_key"],
            content=self.row["content"],
            media=self._media(blobs),
            window_key=payload.get("window_key") or {},
            window_kind=payload.get("window_kind") or "",
            welcome_code=payload.get("welcome_code") or "",
            group_id=self.row["group_key"],
        )

    def recall_arguments(self, payload: JsonObject) -> tuple[str, str, str, JsonObject]:
        return (
            self.row["account_id"],
            self.row["contact_id"] or "",
            self.row["platform_message_id"] or "",
            payload.get("window_key") or {},
        )

    def _media(self, blobs: Blobs) -> OutgoingMedia | None:
        sha256 = self.row["sha256"]
        if sha256 is None:
            return None

        async def read() -> bytes:
            return await blobs.read(sha256)

        return OutgoingMedia(sha256, self.row["file_name"], self.row["mime"], self.row["size"], read)


async def load(db: Database | Tx, message_ids: Sequence[int]) -> dict[int, Outgoing]:
    return {row["id"]: Outgoing(row) for row in await db.fetch(LOAD, list(message_ids))}
