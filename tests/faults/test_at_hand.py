"""What a batch has in hand is told to browsers as it would be read, and only when it goes on from what they know."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from inbox.at_hand import TOPIC
from inbox.queries import Pushed, changed_since, one_moment
from scrm.channel import Verified
from scrm.config import Settings
from tests.company import company
from tests.faults.place import Place, body, place_of
from tests.http.site import running

CHANGED_ELSEWHERE = """
with changed as (update conversation set version = version + 1 where id = $1 returning id, version)
update message m set recalled_at = now(), recalled_by = 'customer', version = c.version
from changed c where m.conversation_id = c.id and m.seq = 1
"""
"""By a process whose ring was lost."""


@pytest.fixture
async def place(settings: Settings) -> AsyncIterator[Place]:
    async with company(settings, role="web") as idle, place_of(idle) as made:
        yield made


async def test_it_is_told_as_it_would_be_read(place: Place) -> None:
    taken: list[Pushed] = []
    place.services.news.take(TOPIC, taken.extend)
    await place.store("0", body=body(0, "你好"))
    assert taken == [], "somebody new is read"
    texts = ("在吗", "ＡＢＣ　全角", "😀 'quoted' \\ \x00 end", "x" * 3000, "第一行\n第二行")
    for n, text in enumerate(texts, 1):
        await place.store(str(n), body=body(n, text))
    await place.store("card", body=body(9, "", kind="other", extra={"b": 1, "a": [1.0, None]}))
    assert [len(one.messages) for one in taken] == [1] * (len(texts) + 1)
    async with one_moment(place.services.db) as tx:
        last = taken[-1]
        (read,) = await changed_since(
            tx, [(last.conversation.id, taken[0].from_version)], place.services.connections.capabilities
        )
    assert last.conversation == read.conversation
    assert last.team_id == read.team_id
    assert [message for one in taken for message in one.messages] == list(read.messages)


async def test_several_of_one_person_at_once(place: Place) -> None:
    taken: list[Pushed] = []
    await place.store("0", body=body(0, "你好"))
    place.services.news.take(TOPIC, taken.extend)
    said = [Verified(body(n, f"第{n}句"), f"said-{n}") for n in range(1, 6)]
    await asyncio.gather(*(place.intake.store(place.connection_id, one) for one in said))
    assert sum(len(one.messages) for one in taken) == 5
    for before, after in pairwise(taken):
        assert after.from_version == before.conversation.version


async def test_pushes_join_up_whoever_else_changes_the_conversation(place: Place) -> None:
    chance = random.Random(5)
    await place.store("0", body=body(0, "你好"))
    conversation = await place.services.db.fetchval("select max(id) from conversation")
    async with running(place.services) as site:
        manager = await site.signed_in("manager")
        async with manager.socket() as live:
            page = await manager.get(f"/api/conversations/{conversation}/messages", limit=200)
            version, held = page["conversation"]["version"], {one["id"]: one for one in page["messages"]}
            for n in range(1, 40):
                if chance.random() < 0.3:
                    await site.gives(conversation, manager.me["agent"]["id"] if chance.random() < 0.5 else None)
                elif chance.random() < 0.3:
                    await place.services.db.execute(CHANGED_ELSEWHERE, conversation)
                await place.store(str(n), body=body(n, f"第{n}句"))
            final = await site.services.db.fetchval("select version from conversation where id = $1", conversation)
            while version < final:
                pushed = await live.next("conversation")
                assert pushed["from_version"] <= version < pushed["conversation"]["version"]
                held.update({one["id"]: one for one in pushed["messages"]})
                version = pushed["conversation"]["version"]
            page = await manager.get(f"/api/conversations/{conversation}/messages", limit=200)
            assert held == {one["id"]: one for one in page["messages"]}
            assert pushed["conversation"] == page["conversation"]
