"""The words of a campaign: as people write them, with words of their own for some channels."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import Field

from campaigns.shapes import ChannelName, Posts
from customers.greetings.content import (
    Content,
    GreetingContentInput,
    GreetingContentView,
    content_view,
    written,
)
from inbox.variables import NAMES
from scrm.errors import Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.views import Input, View

POST = "post"
MOST_VARIANTS = 20


class PostsInput(Input):
    """``post`` for every channel but those with words of their own in ``variants``, by channel."""

    post: GreetingContentInput = GreetingContentInput()
    variants: Annotated[dict[ChannelName, GreetingContentInput], Field(max_length=MOST_VARIANTS)] = Field(
        default_factory=dict
    )


class PostsView(View):
    post: GreetingContentView
    variants: dict[str, GreetingContentView]


async def take_in(
    work: Work, principal: Principal, said: PostsInput, before: Posts | None, channels: Collection[str]
) -> Posts:
    """With their files found. Raises :class:`Unprocessable`."""
    unknown = sorted(set(said.variants) - set(channels))
    if unknown:
        raise Unprocessable(f"There is no channel {unknown[0]}.", fields={f"posts.variants.{unknown[0]}": "Remove it."})
    held = before or Posts()
    post = await written(work, principal, said.post, held.post, field="posts.post", names=NAMES)
    variants = {
        channel: await written(
            work, principal, words, held.of(channel), field=f"posts.variants.{channel}", names=NAMES
        )
        for channel, words in said.variants.items()
    }  # fmt: skip
    return Posts(post=post, variants=variants)


def posts_view(posts: Posts, url: str) -> PostsView:
    """``url``: where their files are shown, by whose they are and their number."""
    return PostsView(
        post=content_view(posts.post, f"{url}/{POST}"),
        variants={channel: content_view(one, f"{url}/{channel}") for channel, one in posts.variants.items()},
    )


def said(posts: Posts) -> bool:
    return any(one.text.strip() or one.parts for one in (posts.post, *posts.variants.values()))


def of_place(posts: Posts, which: str) -> Content | None:
    """``post`` or a channel with words of its own."""
    return posts.post if which == POST else posts.variants.get(which)
