"""Who the customers are: ``kf/customer/batchget`` (wecom.md section 16.5; platform page 95159)."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.wecom.client import WeComClient
from adapters.wecom.ids import wechat_union
from adapters.wecom.values import objects, text
from scrm.channel import ContactRef, JsonObject

BATCH = 100


class Profiles:
    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def read(self, contact_ids: Sequence[str]) -> Sequence[ContactRef]:
        """Only customers active in the last 48 hours are told; the others are left out."""
        if not contact_ids:
            return []
        request = {"external_userid_list": list(contact_ids), "need_enter_session_context": 0}
        answer = await self._client.post("kf/customer/batchget", request)
        return [_profile(entry) for entry in objects(answer, "customer_list") if text(entry, "external_userid")]


def _profile(entry: JsonObject) -> ContactRef:
    return ContactRef(
        text(entry, "external_userid"),
        name=text(entry, "nickname"),
        avatar=text(entry, "avatar"),
        union_id=wechat_union(text(entry, "unionid")),
    )
