"""Whether what a campaign says can go where it is to go: by the limits of each channel and way that it could take."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from campaigns.life.content import POST
from campaigns.life.facts import ChannelWay, ways_of
from campaigns.moments.fitting import reasons as moment_reasons
from campaigns.shapes import Audience, Posts, Way
from customers.greetings.content import Content
from scrm.connections import Connections
from scrm.db import Database, Tx
from scrm.variables import names_in
from scrm.views import SentenceView, View

LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
WITH_ACCOUNTS = """
select distinct channel from account where disabled_at is null and (cardinality($1::bigint[]) = 0 or id = any($1))
"""
KINDS = {
    "image": ("图片", "images"), "link": ("链接", "links"), "miniprogram": ("小程序", "mini-programs"),
    "video": ("视频", "videos"), "file": ("文件", "files"),
}  # fmt: skip


class Problem(View):
    """``place``: whose words, ``post`` or a channel with its own."""

    channel: str
    way: Way | Literal["moment"]
    place: str
    reason: SentenceView


async def all_problems(
    tx: Tx | Database, kind: str, posts: Posts, audience: Audience, connections: Connections
) -> list[Problem]:
    """Of a campaign of any kind."""
    if kind != "moment":
        return await problems(tx, posts, audience, ways_of(connections))
    return [
        Problem(channel=channel, way="moment", place=channel if channel in posts.variants else POST, reason=reason)
        for channel, reason in await moment_reasons(tx, posts, audience, connections)
    ]


async def problems(
    tx: Tx | Database, posts: Posts, audience: Audience, ways: Mapping[str, Sequence[ChannelWay]]
) -> list[Problem]:
    """Of the channels that it names; of all that have an account when it names none."""
    rows = await tx.fetch(WITH_ACCOUNTS, list(audience.account_ids))
    there = {row["channel"] for row in rows} & set(ways)
    wanted = sorted(there & set(audience.channels) if audience.channels else there)
    found = []
    for channel in wanted:
        for way in ways[channel]:
            if audience.of == "groups" and not way.group_batch:
                continue
            place = channel if channel in posts.variants else POST
            found += [
                Problem(channel=channel, way=way.way, place=place, reason=reason)
                for reason in _reasons(posts.of(channel), way)
            ]
    return found


def _reasons(content: Content, way: ChannelWay) -> Iterator[SentenceView]:
    if not content.text.strip() and not content.parts:
        yield _words("empty", "这里没有内容。", "There is nothing to say here.")
    bytewise = way.text_limit_unit == "bytes"
    length = len(content.text.encode()) if bytewise else len(content.text)
    if length > way.text_limit:
        unit = ("字节", "bytes") if bytewise else ("个字", "characters")
        yield _words(
            "too_long",
            f"文字超过上限：{length} / {way.text_limit} {unit[0]}。",
            f"The text is too long: {length} of {way.text_limit} {unit[1]}.",
        )
    if not way.links_allowed and LINK.search(content.text):
        yield _words("link_not_allowed", "该渠道的文字中不能带链接。", "The text may hold no link there.")
    if len(content.parts) > way.parts:
        yield _words(
            "too_many",
            f"附件最多 {way.parts} 个。",
            f"At most {way.parts} attachments." if way.parts != 1 else "One attachment at most.",
        )
    for kind in dict.fromkeys(part.kind for part in content.parts if part.kind not in way.kinds):
        yield _words("kind", f"该渠道不能群发{KINDS[kind][0]}。", f"No {KINDS[kind][1]} can be sent there.")
    lost = [name for name in names_in(content.text) if name not in way.variables]
    if lost:
        named = "、".join(f"{{{{{name}}}}}" for name in lost)
        yield _words(
            "variable",
            f"这种方式对所有人发送相同的文字，不能使用 {named}。",
            f"Everybody gets the same words this way: {named.replace('、', ', ')} cannot be used.",
        )


def _words(code: str, zh: str, en: str) -> SentenceView:
    return SentenceView(code=code, zh=zh, en=en)
