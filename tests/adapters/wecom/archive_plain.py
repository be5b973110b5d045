"""Records of the chat archive as tables of expectations write them: without what is empty."""

from __future__ import annotations

from typing import Any

from scrm.channel_archive import ArchivedMessage


def plain_record(message: ArchivedMessage) -> dict[str, Any]:
    media = [
        {
            name: value
            for name, value in {
                "kind": str(one.kind), "md5": one.handle["archive"].get("md5", ""), "name": one.name, "mime": one.mime,
                "size": one.size, "width": one.width, "height": one.height, "duration_ms": one.duration_ms,
            }.items()
            if value
        }
        for one in message.media
    ]  # fmt: skip
    said = {
        "action": message.action, "platform_kind": message.platform_kind, "kind": str(message.kind), "text": message.text,
        "at": message.at.timestamp() if message.at is not None else "", "sender": message.sender,
        "receivers": list(message.receivers), "members": sorted(message.members), "room": message.room,
        "recalls": message.recalls, "content": message.content, "media": media,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value} | ({} if message.known else {"known": False})
