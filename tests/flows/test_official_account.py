"""A third platform through the whole service: nothing but its folder and its registration makes it work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from customers.sync.runs import begin
from scrm.channel import Kind
from scrm.channel_campaigns import Broadcasts, SpreadPost
from scrm.config import Settings
from scrm.db import Row
from simulator.wechat_oa import OfficialAccountSimulator
from tests.company import Company, company, eventually
from tests.flows.reads import broken_invariants, conversation_of, messages_of
from tests.flows.test_send import say

APP_ID, SECRET, ACCOUNT, TOKEN = "wxflow", "secret", "gh_flow", "tokenofflows"
AES_KEY = "Ky00btrDZXBp1V7woLX0sxKnb5OYRg4pRzIIwoA0DrI"
WELCOME = "感谢关注"
LINK = (
    "select l.*, u.name from contact_link l join contact c on c.id = l.contact_id join account a on a.id = l.account_id "
    "join customer u on u.id = c.customer_id where c.external_id = $1 and a.external_id = $2"
)


@dataclass
class Shop:
    company: Company
    simulator: OfficialAccountSimulator
    connection_id: int

    @property
    def play(self) -> Any:
        return self.simulator.control

    def got(self, openid: str) -> list[str]:
        return [str(one.body.get("content")) for one in self.play.received(APP_ID, openid)]

    async def chat(self, openid: str) -> Row | None:
        return await conversation_of(self.company, openid)

    async def link(self, openid: str) -> Row | None:
        return await self.company.services.db.fetchrow(LINK, openid, ACCOUNT)


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    async with OfficialAccountSimulator() as simulator, company(settings) as made:
        simulator.control.add_account(APP_ID, SECRET, ACCOUNT)
        services = made.services
        async with services.work() as work:
            connection_id = await services.connections.create(
                work,
                "wechat_oa",
                "公众号",
                {"app_id": APP_ID, "original_id": ACCOUNT, "base_url": simulator.base_url},
                {"app_secret": SECRET, "token": TOKEN, "encoding_aes_key": AES_KEY},
            )
        await services.connections.refresh()
        path = await made.webhook_path(connection_id)
        await simulator.control.set_server(APP_ID, made.address + path, TOKEN, AES_KEY)
        works, sentence = await services.connections.test(connection_id)
        assert works, sentence.en
        await services.db.execute("update account set welcome_text = $1 where external_id = $2", WELCOME, ACCOUNT)
        yield Shop(made, simulator, connection_id)


async def test_a_follower_writes_and_is_answered(shop: Shop) -> None:
    shop.play.add_person(APP_ID, "oDEER", followed_days_ago=3)
    shop.play.write(APP_ID, "oDEER", "在吗")
    chat = await eventually(lambda: shop.chat("oDEER"))
    assert (chat["window_kind"], chat["window_quota"], chat["window_used"]) == ("reply", 5, 0)
    await say(shop.company, chat["id"], "在的")

    async def arrived() -> bool:
        return shop.got("oDEER") == ["在的"]

    await eventually(arrived)
    assert [row["direction"] for row in await messages_of(shop.company, "oDEER")] == ["in", "out"]


async def test_a_new_follower_is_greeted_once_and_a_tap_opens_a_minute_without_a_greeting(shop: Shop) -> None:
    shop.play.add_person(APP_ID, "oNEW")
    shop.play.follow(APP_ID, "oNEW", "shelf")

    async def greeted() -> bool:
        return shop.got("oNEW") == [WELCOME]

    await eventually(greeted)
    chat = await shop.chat("oNEW")
    assert chat is not None
    assert (chat["window_kind"], chat["window_quota"], chat["window_used"]) == ("enter", 3, 1), "the greeting counts"
    await shop.company.services.db.execute("update conversation set window_expires_at = now() - interval '1 hour'")
    shop.play.tap_menu(APP_ID, "oNEW", "KF")

    async def open_again() -> bool:
        row = await shop.chat("oNEW")
        return row is not None and (row["window_used"], row["window_quota"]) == (0, 3)

    await eventually(open_again)
    await say(shop.company, chat["id"], "需要帮忙吗")

    async def answered() -> bool:
        return shop.got("oNEW") == [WELCOME, "需要帮忙吗"]

    await eventually(answered)
    assert await broken_invariants(shop.company.services.db) == []


async def test_followers_are_relations_of_the_account_until_they_leave(shop: Shop) -> None:
    for number in range(5):
        shop.play.add_person(APP_ID, f"oOLD{number}", followed_days_ago=number + 1)
    async with shop.company.services.work() as work:
        await begin(work, shop.connection_id, "hand")
    link = await eventually(lambda: shop.link("oOLD4"), seconds=30)
    assert (link["state"], link["by_contact"]) == ("active", True)
    shop.play.add_person(APP_ID, "oNEW")
    shop.play.follow(APP_ID, "oNEW", "shelf")

    async def linked() -> bool:
        row = await shop.link("oNEW")
        return row is not None and (row["state"], row["source"]) == ("active", "shelf")

    await eventually(linked, seconds=30)
    shop.play.unfollow(APP_ID, "oNEW")

    async def ended() -> bool:
        row = await shop.link("oNEW")
        return row is not None and row["state"] == "deleted_by_contact"

    await eventually(ended, seconds=30)


async def test_a_follower_who_is_known_from_elsewhere_is_the_same_customer(shop: Shop) -> None:
    who = shop.company.customer("李雷", unionid="oUNION-7")
    shop.company.wecom.control.customer_says(shop.company.kf, who, "在吗")
    first = await eventually(lambda: conversation_of(shop.company, who))
    shop.play.add_person(APP_ID, "oSAME", union_id="oUNION-7", followed_days_ago=3)
    shop.play.write(APP_ID, "oSAME", "也在这里")
    await eventually(lambda: shop.chat("oSAME"))

    async def same() -> bool:
        rows = await shop.company.services.db.fetch(
            "select distinct customer_id from contact where external_id = any($1::text[])", [who, "oSAME"]
        )
        return len(rows) == 1

    await eventually(same, seconds=30)
    assert first is not None


async def test_the_end_of_a_mass_message_is_kept(shop: Shop) -> None:
    people = [shop.play.add_person(APP_ID, f"oMASS{n}", followed_days_ago=2).openid for n in range(2)]
    loaded = await shop.company.services.connections.get(shop.connection_id)
    assert isinstance(loaded.adapter, Broadcasts)
    number = await loaded.adapter.broadcast(ACCOUNT, people, SpreadPost(Kind.TEXT, "新品", "a" * 32))

    async def kept() -> bool:
        return bool(
            await shop.company.services.db.fetchval(
                "select true from platform_event where name = 'broadcast.finished' and data->>'broadcast_id' = $1 "
                "and data->>'sent' = '2'",
                number,
            )
        )

    await eventually(kept)
