"""Writing into a relation: remark, description, company, phones, tags (wecom.md sections 4 and 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.wecom.client import WeComClient
from adapters.wecom.lengths import check_characters, check_count
from scrm.channel import JsonObject
from scrm.channel_contacts import RelationChange

LIMITS: Mapping[str, int] = {"remark": 20, "description": 150, "company": 20, "phones": 5}
"""The platform does not publish how many phones it keeps; its own client has five lines."""


class Descriptions:
    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def describe(self, account_id: str, contact_id: str, change: RelationChange) -> None:
        """``externalcontact/remark``, platform page 92115. Sends no event, and saying the same again changes nothing."""
        body = _body(change)
        if body:
            who: JsonObject = {"userid": account_id, "external_userid": contact_id}
            await self._client.post("externalcontact/remark", {**who, **body})

    async def mark(self, account_id: str, contact_id: str, add: Sequence[str], remove: Sequence[str]) -> None:
        """``externalcontact/mark_tag``, platform page 92118. A tag that is there already, or gone already, is fine."""
        body: JsonObject = {"userid": account_id, "external_userid": contact_id}
        body |= {"add_tag": list(dict.fromkeys(add))} if add else {}
        body |= {"remove_tag": list(dict.fromkeys(remove))} if remove else {}
        if add or remove:
            await self._client.post("externalcontact/mark_tag", body)


def _body(change: RelationChange) -> JsonObject:
    body: JsonObject = {}
    if change.remark is not None:
        check_characters(change.remark, LIMITS["remark"], name="remark", zh="备注")
        body["remark"] = change.remark
    if change.description is not None:
        check_characters(change.description, LIMITS["description"], name="description", zh="描述")
        body["description"] = change.description
    if change.company is not None:
        check_characters(change.company, LIMITS["company"], name="company", zh="公司")
        body["remark_company"] = change.company
    if change.phones is not None:
        check_count(len(change.phones), LIMITS["phones"], name="phones", zh="电话")
        # An empty list means "as it is" there; one empty number clears.
        body["remark_mobiles"] = list(change.phones) or [""]
    return body
