"""A customer who answers a post with a word of the list gets no more; anything else is a person's business."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from campaigns.audience.optouts import folded
from campaigns.life.settings import RULES, CampaignRules
from scrm.people import create_agent
from tests.company import PASSWORD, Company, eventually


def test_how_a_word_is_compared() -> None:
    assert folded(" ＴＤ。") == folded("td")
    assert folded("退订！") == "退订"
    assert folded("怎么退订") != "退订"


async def holds(shop: Company) -> dict[str, str]:
    rows = await shop.services.db.fetch(
        "select u.name, h.word from campaign_hold h join customer u on u.id = h.customer_id where h.kind = 'opted_out' and h.ended_at is null"
    )
    return {row["name"]: row["word"] for row in rows}


async def reached(shop: Company, *names: str) -> None:
    """A campaign that these customers got a minute ago."""
    db = shop.services.db
    ago = shop.services.clock.now() - timedelta(minutes=1)
    campaign = await db.fetchval(
        "insert into campaign (kind, name, state, created_at, updated_at) values ('message', '双十二', 'done', $1, $1) returning id",
        ago,
    )
    run = await db.fetchval(
        "insert into campaign_run (campaign_id, due_at, state, created_at) values ($1, $2, 'done', $2) returning id",
        campaign,
        ago,
    )
    await db.execute(
        "insert into delivery (run_id, campaign_id, customer_id, contact_id, way, state, due_at, counted_at, sent_at, created_at, updated_at) "
        "select $1, $2, u.id, k.id, 'reply', 'sent', $3, $3, $3, $3, $3 from customer u join contact k on k.customer_id = u.id "
        "where u.name = any($4::text[])",
        run, campaign, ago, list(names),
    )  # fmt: skip


@pytest.mark.timeout(120)
async def test_a_word_after_a_post_opens_a_hold_once_and_tells_the_owner(shop: Company) -> None:
    db, say = shop.services.db, shop.wecom.control.customer_says
    names = ("陈立群", "王小明", "李小姐")
    people = {name: shop.customer(name) for name in names}
    for name in names:
        say(shop.kf, people[name], "你好")
    await eventually(lambda: db.fetchval("select count(*) = 3 from customer where name = any($1::text[])", list(names)))
    async with shop.services.work() as work:
        owner = await create_agent(work, login="owner", name="归属人", role="rep", password=PASSWORD)
    await db.execute("update customer set owner_id = $1", owner)
    await reached(shop, "陈立群", "王小明")
    said: list[tuple[str, Any]] = [("陈立群", " td。"), ("王小明", "怎么退订"), ("李小姐", "退订"), ("陈立群", "退订")]
    for name, text in said:
        say(shop.kf, people[name], text)
    # Who asks how, and whom no post has reached, is answered by a person.
    await eventually(lambda: db.fetchval("select count(*) = 7 from message where direction = 'in'"))
    assert await holds(shop) == {"陈立群": "TD"}
    lines = await db.fetch("select data from timeline where kind = 'campaign.held'")
    assert [row["data"] for row in lines] == [{"hold": "opted_out", "word": "TD"}]
    told = await db.fetch("select agent_id, data from notification where kind = 'customer_opted_out'")
    assert [(row["agent_id"], row["data"]) for row in told] == [(owner, {"note": "TD"})]


@pytest.mark.timeout(120)
async def test_a_word_that_the_company_adds_counts_at_once(shop: Company) -> None:
    db, say = shop.services.db, shop.wecom.control.customer_says
    who = shop.customer("陈立群")
    say(shop.kf, who, "收到")
    await eventually(lambda: db.fetchval("select true from customer where name = '陈立群'"))
    await reached(shop, "陈立群")
    say(shop.kf, who, "别再发了")
    await eventually(lambda: db.fetchval("select count(*) = 2 from message where direction = 'in'"))
    assert await holds(shop) == {}
    async with shop.services.work() as work:
        await RULES.save(work, CampaignRules(opt_out_words=("别再发了",)), by=None)
    say(shop.kf, who, "别再发了")
    await eventually(lambda: db.fetchval("select count(*) = 3 from message where direction = 'in'"))
    assert await holds(shop) == {"陈立群": "别再发了"}
