"""From the customer's phone to rows."""

from __future__ import annotations

from scrm.normalise import rerun
from simulator.delivery import Mischief
from tests.company import Company, eventually
from tests.flows.reads import broken_invariants, conversation_of, messages_of, texts_of
from tests.pictures import png


async def test_wecom_customer_writes(shop: Company) -> None:
    who = shop.customer("陈立群", unionid="union-chen")
    shop.wecom.control.customer_says(shop.kf, who, "合同第三条账期能改成 45 天吗")

    async def arrived() -> bool:
        return await texts_of(shop, who) == ["合同第三条账期能改成 45 天吗"]

    await eventually(arrived)
    row = await conversation_of(shop, who)
    assert row is not None
    assert (row["unread"], row["status"], row["window_kind"], row["window_quota"]) == (1, "open", "reply", 5)
    assert row["waiting_since"] is not None

    async def named() -> bool:
        found = await shop.services.db.fetchrow("select * from contact where external_id = $1", who)
        return found is not None and found["name"] == "陈立群" and found["union_id"] == "wechat:union-chen"

    await eventually(named)
    assert await broken_invariants(shop.services.db) == []


async def test_douyin_customer_writes(shop: Company) -> None:
    who = shop.shopper("李小姐")
    shop.douyin.control.write(who, shop.shop, "书桌 1.2 米")

    async def arrived() -> bool:
        return await texts_of(shop, who) == ["书桌 1.2 米"]

    await eventually(arrived)
    row = await conversation_of(shop, who)
    assert row is not None
    assert (row["window_kind"], row["window_quota"], row["unread"]) == ("reply", 6, 1)
    assert set(row["window_key"]) >= {"msg_id", "conversation_id"}


async def test_one_union_id_is_one_customer(shop: Company) -> None:
    kf2 = shop.wecom.control.create_kf_account("wwtestcorp0000001", "售后服务")
    one = shop.customer("赵敏", unionid="union-zhao")
    two = shop.customer("赵敏(备用)", unionid="union-zhao")
    shop.wecom.control.customer_says(shop.kf, one, "灯罩有裂纹")
    shop.wecom.control.customer_says(kf2, two, "上午说过的灯罩")

    async def joined() -> bool:
        rows = await shop.services.db.fetch(
            "select distinct customer_id from contact where external_id = any($1)", [one, two]
        )
        linked = await shop.services.db.fetchval(
            "select count(*) from contact where external_id = any($1) and union_id is not null", [one, two]
        )
        return len(rows) == 1 and linked == 2

    await eventually(joined)


async def test_media_is_fetched_before_the_platform_deletes_it(shop: Company) -> None:
    who = shop.customer("周航")
    picture = png(8, 8)
    shop.wecom.control.customer_sends_media(shop.kf, who, "image", picture)

    async def stored() -> bool:
        row = await shop.services.db.fetchrow("select * from attachment where state = 'stored'")
        return row is not None and await shop.services.blobs.read(row["sha256"]) == picture

    await eventually(stored)
    message = (await messages_of(shop, who))[0]
    assert message["kind"] == "image"
    assert message["version"] > 1, "the file's arrival is a change of the message"


async def test_recall_marks_and_keeps(shop: Company) -> None:
    who = shop.customer("孙大伟")
    msgid = shop.wecom.control.customer_says(shop.kf, who, "别家只要 299")
    shop.wecom.control.customer_recalls(shop.kf, msgid)

    async def recalled() -> bool:
        rows = await messages_of(shop, who)
        return len(rows) == 1 and rows[0]["recalled_at"] is not None

    await eventually(recalled)
    row = (await messages_of(shop, who))[0]
    assert (row["text"], row["recalled_by"]) == ("别家只要 299", "customer")


async def test_the_rep_recalls_in_the_app_and_no_account_is_made_of_a_customer(shop: Company) -> None:
    """A recall does not say which side is the business: the accounts that exist decide, also in a fresh worker."""
    who = shop.shopper("旁观")
    shop.douyin.control.write(who, shop.shop, "在吗")
    message = shop.douyin.control.write_by_hand(shop.shop, who, "发错了")

    async def both() -> bool:
        return len(await messages_of(shop, who)) == 2

    await eventually(both)
    await shop.services.db.execute("update connection set version = version + 1")
    await shop.services.connections.refresh()
    shop.douyin.control.recall(message.message_id)

    async def recalled() -> bool:
        return [row["recalled_by"] for row in await messages_of(shop, who)] == [None, "agent"]

    await eventually(recalled)
    assert await shop.services.db.fetchval("select count(*) from account where channel = 'douyin'") == 1


async def test_recall_before_its_message(shop: Company) -> None:
    """Reordered callbacks: the recall is understood before the message it withdraws."""
    who = shop.shopper("吴桐")
    shop.douyin.deliveries.add(Mischief("delay", "im_receive_msg", times=1, seconds=1.0))
    message = shop.douyin.control.write(who, shop.shop, "下周再联系")
    shop.douyin.control.recall(message.message_id)

    async def early() -> bool:
        return bool(await shop.services.db.fetchval("select count(*) from early_recall")) or bool(
            await messages_of(shop, who)
        )

    await eventually(early)

    async def settled() -> bool:
        rows = await messages_of(shop, who)
        return len(rows) == 1 and rows[0]["recalled_at"] is not None

    await eventually(settled)
    assert await shop.services.db.fetchval("select count(*) from early_recall") == 0


async def test_duplicates_at_the_same_instant(shop: Company) -> None:
    who = shop.shopper("双份")
    shop.douyin.deliveries.add(Mischief("duplicate", "im_receive_msg", times=None, copies=5))
    for n in range(10):
        shop.douyin.control.write(who, shop.shop, f"第 {n} 句")

    async def all_there() -> bool:
        return len(await messages_of(shop, who)) >= 10

    await eventually(all_there)
    await shop.douyin.deliveries.settled()
    assert sorted(await texts_of(shop, who)) == sorted(f"第 {n} 句" for n in range(10))
    assert await broken_invariants(shop.services.db) == []


async def test_lost_callback_is_found_by_reconciliation(shop: Company) -> None:
    who = shop.customer("没响铃")
    shop.wecom.control.customer_sends(shop.kf, who, "text", {"content": "在吗"}, ring=False)

    async def found() -> bool:
        return await texts_of(shop, who) == ["在吗"]

    await eventually(found)


async def test_empty_pages_with_more_to_come(shop: Company) -> None:
    who = shop.customer("空页")
    shop.wecom.control.empty_pages(shop.kf, 3, page_cap=2)
    shop.wecom.control.customers_say(shop.kf, [[who, f"话 {n}"] for n in range(9)])

    async def all_there() -> bool:
        return await texts_of(shop, who) == [f"话 {n}" for n in range(9)]

    await eventually(all_there)


async def test_poison_among_good_ones_and_rerun(shop: Company) -> None:
    """A row that cannot be handled is marked with its error; the others pass; after the cause is gone it is run again."""
    db = shop.services.db
    await db.execute("alter table message add constraint no_poison check (text <> '毒')")
    who = [shop.shopper(f"客户{n}") for n in range(5)]
    for n, each in enumerate(who):
        shop.douyin.control.write(each, shop.shop, "毒" if n == 2 else f"好 {n}")

    async def isolated() -> bool:
        failed = await db.fetch("select error from inbound_event where state = 'failed'")
        good = await db.fetchval("select count(*) from message")
        return len(failed) == 1 and "no_poison" in failed[0]["error"] and good == 4

    await eventually(isolated)
    await db.execute("alter table message drop constraint no_poison")
    async with shop.services.work() as work:
        assert await rerun(work, state="failed") == 1

    async def mended() -> bool:
        return await texts_of(shop, who[2]) == ["毒"]

    await eventually(mended)
    async with shop.services.work() as work:
        await rerun(work, state="done")

    async def all_done() -> bool:
        return await db.fetchval("select count(*) from inbound_event where state = 'new'") == 0

    await eventually(all_done)
    assert await db.fetchval("select count(*) from message") == 5, "running events again doubles nothing"
    assert await broken_invariants(db) == []


async def test_text_that_postgres_refuses_is_kept_as_far_as_possible(shop: Company) -> None:
    who = shop.customer("怪字")
    shop.wecom.control.customer_says(shop.kf, who, "前\x00后")

    async def arrived() -> bool:
        return await texts_of(shop, who) in (["前后"], ["前\ufffd后"])

    await eventually(arrived)


async def test_platform_down_for_a_while(shop: Company) -> None:
    from simulator.faults import Fault

    who = shop.customer("停机")
    shop.wecom.faults.add(Fault("status", "/cgi-bin/kf/sync_msg", times=None, code=502))
    shop.wecom.control.customer_says(shop.kf, who, "有人吗")

    async def noticed() -> bool:
        row = await shop.services.db.fetchrow("select * from connection_health where connection_id = $1", shop.wecom_id)
        return row is not None and row["last_error"] is not None

    await eventually(noticed)
    assert await texts_of(shop, who) == []
    shop.wecom.faults.clear()

    async def caught_up() -> bool:
        return await texts_of(shop, who) == ["有人吗"]

    await eventually(caught_up, seconds=30)
