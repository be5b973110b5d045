"""Who follows the account (wechat-oa.md section 6). Nicknames, pictures and places are not told any more; what is left is when and
through what somebody followed, our own remark and tags, and the union id where the account is bound to an open platform."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from adapters.wechat_oa.client import Client, Refused
from adapters.wechat_oa.errors import NOBODY
from adapters.wechat_oa.ids import wechat_union
from adapters.wechat_oa.values import integer, known, moment, nested, objects, text, texts
from scrm.channel import AccountRef, ContactRef, JsonObject, Sentence
from scrm.channel_contacts import Person, Relation, RelationPage
from scrm.clock import Clock

BATCH = 100
"""People in one call of ``user/info/batchget``."""
TOGETHER = 5
"""Of these calls at a time: a page of 10,000 followers takes a hundred."""
WAYS: Mapping[str, tuple[str, str]] = {
    "ADD_SCENE_SEARCH": ("公众号搜索", "searched for the account"),
    "ADD_SCENE_ACCOUNT_MIGRATION": ("公众号迁移", "moved from another account"),
    "ADD_SCENE_PROFILE_CARD": ("名片分享", "a shared card of the account"),
    "ADD_SCENE_QR_CODE": ("扫描二维码", "scanned a code"),
    "ADD_SCENE_PROFILE_LINK": ("图文页内名称点击", "the name in an article"),
    "ADD_SCENE_PROFILE_ITEM": ("图文页右上角菜单", "the menu of an article"),
    "ADD_SCENE_PAID": ("支付后关注", "after a payment"),
    "ADD_SCENE_WECHAT_ADVERTISEMENT": ("微信广告", "an advertisement in WeChat"),
    "ADD_SCENE_REPRINT": ("他人转载", "a reprint by others"),
    "ADD_SCENE_LIVESTREAM": ("视频号直播", "a live stream in Channels"),
    "ADD_SCENE_CHANNELS": ("视频号", "Channels"),
    "ADD_SCENE_OTHERS": ("其他", "another way"),
}


class Followers:
    def __init__(self, client: Client, clock: Clock, own_account: AccountRef) -> None:
        self._client = client
        self._clock = clock
        self._account = own_account

    async def profiles(self, openids: Sequence[str]) -> Sequence[ContactRef]:
        """Of those who follow; nothing is told of the others."""
        return [_contact(entry) for entry in await self._entries(openids)]

    async def page(self, cursor: str) -> RelationPage:
        """Up to 10,000 followers, whose openids come in one call and whose particulars in batches."""
        query = {"next_openid": cursor} if cursor else {}
        try:
            answer = await self._client.get("user/get", query)
        except Refused as refused:
            raise refused.error from refused
        openids = texts(nested(answer, "data"), "openid")
        entries: list[JsonObject] = []
        for start in range(0, len(openids), BATCH * TOGETHER):
            ends = range(start, min(start + BATCH * TOGETHER, len(openids)), BATCH)
            told = await asyncio.gather(*(self._entries(openids[at : at + BATCH]) for at in ends))
            entries += [entry for some in told for entry in some]
        following = text(answer, "next_openid") if integer(answer, "count") else ""
        return self._page(entries, following if following != cursor else "")

    async def of(self, openid: str) -> RelationPage:
        return self._page(await self._entries([openid]), "")

    def _page(self, entries: Sequence[JsonObject], cursor: str) -> RelationPage:
        people = [Person(_contact(entry), kind="wechat", profile=_profile(entry)) for entry in entries]
        return RelationPage(people, [self._relation(entry) for entry in entries], cursor)

    async def _entries(self, openids: Sequence[str]) -> list[JsonObject]:
        """What the platform tells of those among them who follow. One that it does not know fails a batch: then each alone."""
        if not openids:
            return []
        try:
            body = {"user_list": [{"openid": openid, "lang": "zh_CN"} for openid in openids]}
            answer = await self._client.attempt("user/info/batchget", body)
        except Refused as refused:
            if refused.errcode not in NOBODY:
                raise refused.error from refused
            if len(openids) == 1:
                return []
            return [entry for openid in openids for entry in await self._entries([openid])]
        return [one for one in objects(answer, "user_info_list") if integer(one, "subscribe") and text(one, "openid")]

    def _relation(self, entry: JsonObject) -> Relation:
        way = text(entry, "subscribe_scene")
        words = WAYS.get(way)
        scene = text(entry, "qr_scene_str") or text(entry, "qr_scene")
        return Relation(
            account=self._account,
            contact=_contact(entry),
            added_at=moment(entry, "subscribe_time", self._clock.now()),
            remark=text(entry, "remark"),
            tags=tuple(dict.fromkeys(texts(entry, "tagid_list"))),
            way=way,
            way_words=Sentence(zh=words[0], en=words[1]) if words else None,
            source=scene if scene != "0" else "",
            by_contact=True,
        )


def _contact(entry: JsonObject) -> ContactRef:
    return ContactRef(
        text(entry, "openid"),
        name=text(entry, "nickname"),
        avatar=text(entry, "headimgurl"),
        union_id=wechat_union(text(entry, "unionid")),
    )


def _profile(entry: JsonObject) -> JsonObject:
    return known(language=text(entry, "language"))
