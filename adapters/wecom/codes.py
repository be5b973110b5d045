"""Codes that add an employee, "contact me" (wecom.md section 6.1; platform page 92228)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.wecom.client import WeComClient
from adapters.wecom.errors import unanswered
from adapters.wecom.lengths import check_characters, check_count
from adapters.wecom.values import nested, objects, text
from scrm.channel import JsonObject
from scrm.channel_contacts import CodeSpec
from scrm.clock import Clock
from scrm.errors import Rejected

LIMITS: Mapping[str, int] = {"source": 30, "remark": 30, "accounts": 100}
_SEVERAL, _PICTURE = 2, 2
_PAGE = 1000
_MOST_PAGES = 500
_FIRST_LISTED = 1_625_846_400
"""10 July 2021: older codes are never listed."""
_GONE = frozenset({"wecom.41044"})


class Codes:
    def __init__(self, client: WeComClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def make(self, spec: CodeSpec) -> tuple[str, str]:
        """``add_contact_way``. Always of the type for several members, also for one: a code cannot change its type."""
        body = {"type": _SEVERAL, "scene": _PICTURE, **_body(spec)}
        answer = await self._client.post("externalcontact/add_contact_way", body, effect=True)
        config_id, picture = text(answer, "config_id"), text(answer, "qr_code")
        if not config_id:
            raise unanswered(effect=True)
        return config_id, picture

    async def change(self, external_id: str, spec: CodeSpec) -> None:
        """``update_contact_way``: overwrites who is added."""
        await self._client.post("externalcontact/update_contact_way", {"config_id": external_id, **_body(spec)})

    async def delete(self, external_id: str) -> None:
        """``del_contact_way``."""
        try:
            await self._client.post("externalcontact/del_contact_way", {"config_id": external_id})
        except Rejected as error:
            if error.code not in _GONE:
                raise

    async def all(self, since: datetime | None) -> Sequence[tuple[str, str]]:
        """``list_contact_way`` tells ids only, so each is read by ``get_contact_way``: say ``since`` where it is known."""
        found = []
        for config_id in await self._ids(since):
            try:
                answer = await self._client.post("externalcontact/get_contact_way", {"config_id": config_id})
            except Rejected as error:
                if error.code in _GONE:
                    continue
                raise
            found.append((config_id, text(nested(answer, "contact_way"), "state")))
        return found

    async def _ids(self, since: datetime | None) -> list[str]:
        start = _FIRST_LISTED if since is None else max(_FIRST_LISTED, int(since.timestamp()))
        end = int(self._clock.now().timestamp()) + 600
        found: dict[str, None] = {}
        cursor = ""
        for _ in range(_MOST_PAGES):
            body = {"start_time": start, "end_time": end, "cursor": cursor, "limit": _PAGE}
            answer = await self._client.post("externalcontact/list_contact_way", body)
            found |= {text(entry, "config_id"): None for entry in objects(answer, "contact_way")}
            following = text(answer, "next_cursor")
            if not following or following == cursor:
                break
            cursor = following
        return [config_id for config_id in found if config_id]


def _body(spec: CodeSpec) -> JsonObject:
    check_count(len(spec.account_ids), LIMITS["accounts"], name="members", zh="二维码的成员")
    check_characters(spec.source, LIMITS["source"], name="source", zh="渠道标识")
    check_characters(spec.remark, LIMITS["remark"], name="remark", zh="备注")
    return {
        "remark": spec.remark,
        "skip_verify": spec.skip_verify,
        "state": spec.source,
        "user": list(spec.account_ids),
    }
