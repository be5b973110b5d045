"""The words and attachments of a campaign as each way takes them."""

from __future__ import annotations

from collections.abc import Mapping

from campaigns.shapes import Posts
from customers.greetings.content import Content, Part, outgoing
from inbox.parts import StoredFile, StoredPart
from scrm.blobs import Blobs
from scrm.channel import Kind, OutgoingMedia, Sentence
from scrm.channel_campaigns import Post, SpreadPost
from scrm.errors import Rejected
from scrm.variables import filled

TWO_KINDS = Sentence("该渠道一次只能群发一种内容，请分开发送。", "This channel spreads one kind of content at a time.")


def as_messages(content: Content) -> list[StoredPart]:
    """The text, then each attachment: messages of a conversation in their order."""
    found = [StoredPart(Kind.TEXT, content.text, {}, None)] if content.text else []
    return found + [StoredPart(Kind(part.kind), "", dict(part.content), _file(part)) for part in content.parts]


def as_task(posts: Posts, channel: str, values: Mapping[str, str], blobs: Blobs) -> Post:
    content = posts.of(channel)
    return Post(filled(content.text, values), outgoing(content, blobs))


def as_broadcast(posts: Posts, channel: str, values: Mapping[str, str], key: str, blobs: Blobs) -> SpreadPost:
    """Raises :class:`Rejected` for what such a platform cannot say in one post."""
    content = posts.of(channel)
    if bool(content.text) == bool(content.parts) or len(content.parts) > 1:
        raise Rejected("one_kind", TWO_KINDS)
    if content.text:
        return SpreadPost(Kind.TEXT, filled(content.text, values), key)
    part = content.parts[0]
    return SpreadPost(Kind(part.kind), "", key, dict(part.content), _media(part, blobs))


def _media(part: Part, blobs: Blobs) -> OutgoingMedia | None:
    found = outgoing(Content(parts=(part,)), blobs)
    return found[0].media


def _file(part: Part) -> StoredFile | None:
    file = part.file
    if file is None:
        return None
    return StoredFile(file.sha256, file.name, file.mime, file.size, file.width, file.height)
