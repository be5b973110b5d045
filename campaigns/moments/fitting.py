"""Whether what a moment says can be posted where it is to go."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.moments.places import Place, members, places
from campaigns.shapes import Audience, Posts
from customers.greetings.content import Content
from scrm.connections import Connections
from scrm.db import Database, Tx
from scrm.variables import MOMENTS, names_in
from scrm.views import SentenceView

VARIABLES = ("company.name", *MOMENTS)
"""One post says the same for all members."""
TAKEN = ("image", "video", "link")


async def reasons(
    tx: Tx | Database, posts: Posts, audience: Audience, connections: Connections
) -> list[tuple[str, SentenceView]]:
    """What is in the way, with the channel where it is. Nothing to post it with is a reason too."""
    where = places(connections)
    who = await members(tx, where, audience)
    there = [one for one in where if any(row["connection_id"] == one.connection_id for row in who)]
    if not there:
        return [("", _words("nobody", "没有可以发表朋友圈的成员。", "There is no member who could post it."))]
    found: list[tuple[str, SentenceView]] = []
    if any(row["tagless"] for row in who):
        words = _words("tags", "平台上没有所选的标签。", "The platform has none of the tags that were chosen.")
        found.append((there[0].channel, words))
    for one in {place.channel: place for place in there}.values():
        found += [(one.channel, reason) for reason in _of_content(posts.of(one.channel), one)]
    return found


def _of_content(content: Content, place: Place) -> Iterator[SentenceView]:
    adapter = place.adapter
    if not content.text.strip() and not content.parts:
        yield _words("empty", "这里没有内容。", "There is nothing to say here.")
    length, size = len(content.text), len(content.text.encode())
    if length > adapter.moment_text_limit:
        yield _words(
            "too_long",
            f"文字超过上限：{length} / {adapter.moment_text_limit} 个字。",
            f"The text is too long: {length} of {adapter.moment_text_limit} characters.",
        )
    elif size > adapter.moment_text_bytes:
        yield _words(
            "too_long",
            f"文字超过上限：{size} / {adapter.moment_text_bytes} 字节。",
            f"The text is too long: {size} of {adapter.moment_text_bytes} bytes.",
        )
    kinds = [part.kind for part in content.parts]
    if set(kinds) - set(TAKEN):
        yield _words(
            "kind", "朋友圈只能带图片、视频或链接。", "A moment takes pictures, a video or a link, nothing else."
        )
    elif len(set(kinds)) > 1:
        yield _words("mixed", "图片、视频、链接只能选一种。", "Pictures, a video or a link: only one of the three.")
    elif kinds and kinds[0] != "image" and len(kinds) > 1:
        yield _words("too_many", "视频或链接只能有一个。", "One video or one link at most.")
    elif any(part.kind == "link" and part.file is None for part in content.parts):
        yield _words("cover", "链接需要一张封面图。", "The link needs a cover picture.")
    elif len(kinds) > adapter.moment_pictures:
        yield _words(
            "too_many", f"图片最多 {adapter.moment_pictures} 张。", f"At most {adapter.moment_pictures} pictures."
        )
    lost = [name for name in names_in(content.text) if name not in VARIABLES]
    if lost:
        named = [f"{{{{{name}}}}}" for name in lost]
        yield _words(
            "variable",
            f"朋友圈对所有成员文字相同，不能使用 {'、'.join(named)}。",
            f"A moment says the same for all members: {', '.join(named)} cannot be used.",
        )


def _words(code: str, zh: str, en: str) -> SentenceView:
    return SentenceView(code=code, zh=zh, en=en)
