"""Codes that customers scan: made on the platform once, changed, put away, counted, and followed by what they promise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from customers.codes.arrivals import Arrivals
from scrm.channel_contacts import MakesContactCodes
from scrm.config import Settings
from simulator.faults import Fault
from tests.company import CORP, Company, company, eventually
from tests.http.site import Browser, Site

ADD = "/cgi-bin/externalcontact/add_contact_way"


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Company]:
    async with company(settings) as made:
        yield made


@pytest.fixture
async def site(shop: Company) -> AsyncIterator[Site]:
    made = Site(shop.services, shop.address, [])
    yield made
    await made.close()


@pytest.fixture
async def marketer(site: Site) -> Browser:
    return await site.signed_in("marketer")


async def member(shop: Company, userid: str, name: str) -> int:
    """Known here as the sync of the directory would leave it."""
    shop.wecom.control.create_member(CORP, userid, name)
    await shop.services.db.execute(
        "insert into directory_member (connection_id, external_id, name, serves) values ($1, $2, $3, true) on conflict do nothing",
        shop.wecom_id, userid, name,
    )  # fmt: skip
    made: int = await shop.services.db.fetchval(
        "insert into account (connection_id, channel, external_id, name) select $1, channel, $2, $3 "
        "from unnest($4::text[]) channel returning id",
        shop.wecom_id, userid, name, ["wecom_member"],
    )  # fmt: skip
    return made


def body(shop: Company, *accounts: int, **more: Any) -> dict[str, Any]:
    return {"connection_id": shop.wecom_id, "name": "门店海报", "account_ids": list(accounts), **more}


async def settled(browser: Browser, code_id: int) -> dict[str, Any]:
    async def told() -> dict[str, Any] | None:
        found: dict[str, Any] = (await browser.get(f"/api/codes/{code_id}"))["code"]
        return found if found["state"] in ("made", "failed") else None

    found: dict[str, Any] = await eventually(told, seconds=30)
    return found


async def test_a_code_is_made_changed_and_put_away(shop: Company, marketer: Browser) -> None:
    zhang, li = await member(shop, "zhangsan", "张珊"), await member(shop, "lisi", "李思")
    made = await marketer.post("/api/codes", body(shop, zhang, remark="门口", client_token="same-token-1"), status=201)
    again = await marketer.post("/api/codes", body(shop, zhang, remark="门口", client_token="same-token-1"), status=201)
    assert again["code"]["id"] == made["code"]["id"]
    code = await settled(marketer, made["code"]["id"])
    assert code["state"] == "made"
    external = await shop.services.db.fetchval("select external_id from contact_code where id = $1", code["id"])
    who = shop.customer("王小明")
    assert shop.wecom.control.customer_scans(CORP, external, who).lower() == "zhangsan"
    assert len(await _ways(shop)) == 1
    changed = {**body(shop, li, name="新海报"), "version": code["version"]}
    status, answer = await marketer.call("PATCH", f"/api/codes/{code['id']}", json=changed)
    assert status == 200, answer
    assert (await settled(marketer, code["id"]))["name"] == "新海报"
    assert shop.wecom.control.customer_scans(CORP, external, shop.customer("李小花")).lower() == "lisi"
    status, answer = await marketer.call("PATCH", f"/api/codes/{code['id']}", json=changed)
    assert (status, answer["error"]) == (409, "changed_meanwhile")
    await marketer.post(f"/api/codes/{code['id']}/archive")
    assert (await settled(marketer, code["id"]))["archived"]
    with pytest.raises(ValueError, match="leads nowhere"):
        shop.wecom.control.customer_scans(CORP, external, shop.customer("赵"))
    assert (await marketer.get("/api/codes"))["codes"] == []
    assert len((await marketer.get("/api/codes", archived="true"))["codes"]) == 1


async def test_a_code_whose_making_was_uncertain_is_found_again(shop: Company, marketer: Browser) -> None:
    zhang = await member(shop, "zhangsan", "张珊")
    shop.wecom.faults.add(Fault("drop_after", ADD))
    made = await marketer.post("/api/codes", body(shop, zhang), status=201)

    async def in_doubt() -> bool:
        return bool(await shop.services.db.fetchval("select doubt from contact_code where id = $1", made["code"]["id"]))

    await eventually(in_doubt)

    # The wait before the platform is asked is for its own lists to settle; not ours to sit through.
    async def nudged() -> bool:
        await shop.services.db.execute(
            "update job set run_at = now() where kind = 'make_contact_code' and state = 'queued'"
        )
        return not await in_doubt()

    await eventually(nudged, seconds=20)
    code = await settled(marketer, made["code"]["id"])
    assert (code["state"], code["picture"], code["doubtful"]) == ("made", True, False)
    listed = await _ways(shop)
    assert len(listed) == 1


async def _ways(shop: Company) -> list[tuple[str, str]]:
    adapter = (await shop.services.connections.get(shop.wecom_id)).adapter
    assert isinstance(adapter, MakesContactCodes)
    return list(await adapter.codes())


async def test_what_the_platform_refuses_is_told_and_can_be_tried_again(shop: Company, marketer: Browser) -> None:
    zhang = await member(shop, "zhangsan", "张珊")
    shop.wecom.faults.add(Fault("refuse", ADD, code=41054))
    made = await marketer.post("/api/codes", body(shop, zhang), status=201)
    code = await settled(marketer, made["code"]["id"])
    assert code["state"] == "failed"
    assert code["reason"]["zh"]
    await marketer.post(f"/api/codes/{code['id']}/retry")
    assert (await settled(marketer, code["id"]))["state"] == "made"


async def test_only_members_of_the_connection_and_within_its_limits(shop: Company, marketer: Browser) -> None:
    zhang = await member(shop, "zhangsan", "张珊")
    kf = await shop.services.db.fetchval("select id from account where external_id = $1", shop.kf)
    for wrong, field in [
        (body(shop, kf), "account_ids"),
        (body(shop, 10**9), "account_ids"),
        (body(shop, zhang, remark="很" * 31), "remark"),
        (body(shop, zhang, tag_ids=[10**9]), "tag_ids"),
        (body(shop, zhang, stage_id=10**9), "stage_id"),
        (body(shop, zhang, connection_id=shop.douyin_id), "connection_id"),
    ]:
        status, answer = await marketer.call("POST", "/api/codes", json=wrong)
        assert (status, list(answer["fields"])) == (422, [field]), wrong


async def test_the_picture_is_handed_on_from_our_own_address(shop: Company, marketer: Browser) -> None:
    zhang = await member(shop, "zhangsan", "张珊")
    code = await settled(marketer, (await marketer.post("/api/codes", body(shop, zhang), status=201))["code"]["id"])
    status, picture = await marketer.call("GET", f"/api/codes/{code['id']}/picture")
    assert status == 200
    assert picture[:4] == b"\x89PNG"


async def test_who_comes_by_a_code_is_counted_once_and_gets_what_it_promises(
    shop: Company, site: Site, marketer: Browser
) -> None:
    db = shop.services.db
    zhang = await member(shop, "zhangsan", "张珊")
    group = await db.fetchval("insert into tag_group (name) values ('来源') returning id")
    tag = await db.fetchval("insert into tag (tag_group_id, name) values ($1, '门店') returning id", group)
    stage = await db.fetchval("insert into stage (name) values ('新客') returning id")
    code = await settled(
        marketer,
        (await marketer.post("/api/codes", body(shop, zhang, tag_ids=[tag], stage_id=stage), status=201))["code"]["id"],
    )
    links = [await _link(shop, zhang, code["source"], n) for n in range(3)]
    await asyncio.gather(*[Arrivals(shop.services).round() for _ in range(4)])

    async def came() -> bool:
        return bool(await db.fetchval("select came = 3 from contact_code where id = $1", code["id"]))

    await eventually(came)
    await db.execute("update contact_link set state = 'deleted_by_contact' where id = $1", links[0])
    detail = await marketer.get(f"/api/codes/{code['id']}")
    assert (detail["code"]["came"], detail["code"]["still"]) == (3, 2)
    assert sum(day["came"] for day in detail["days"]) == 3
    assert sum(day["left_us"] for day in detail["days"]) == 1
    rows = await db.fetch("select u.tags, u.stage_id, u.source from customer u where u.name like '扫码%'")
    assert [tuple(row) for row in rows] == [([tag], stage, "门店海报")] * 3
    assert await db.fetchval("select count(*) from timeline where kind = 'code.scanned'") == 3
    arrivals = (await marketer.get(f"/api/codes/{code['id']}/arrivals"))["arrivals"]
    assert {one["state"] for one in arrivals} == {"active", "deleted_by_contact"}
    assert all(one["customer_id"] for one in arrivals)
    # A rep may not see this page at all.
    rep = await site.signed_in("rep")
    assert (await rep.call("GET", "/api/codes"))[0] == 403


async def _link(shop: Company, account_id: int, source: str, n: int) -> int:
    db = shop.services.db
    customer = await db.fetchval("insert into customer (name) values ($1) returning id", f"扫码{n}")
    contact = await db.fetchval(
        "insert into contact (connection_id, external_id, customer_id, name) values ($1, $2, $3, $4) returning id",
        shop.wecom_id, f"wm-code-{n}", customer, f"扫码{n}",
    )  # fmt: skip
    made: int = await db.fetchval(
        "insert into contact_link (contact_id, account_id, state, added_at, source) values ($1, $2, 'active', now(), $3) "
        "returning id",
        contact, account_id, source,
    )  # fmt: skip
    return made


async def test_a_code_brings_its_own_greeting(shop: Company, marketer: Browser) -> None:
    zhang = await member(shop, "zhangsan", "张珊")
    greeting = {"content": {"text": "欢迎从海报来的{{customer.name}}", "parts": []}}
    link = {"kind": "link", "content": {"title": "新品", "url": "https://example.com/a"}}
    general = {"everybody": True, "content": {"text": "您好", "parts": [link]}}
    await marketer.post("/api/welcomes", general, status=201)
    assert (await marketer.call("POST", "/api/welcomes", json=general))[0] == 409
    made = await marketer.post("/api/codes", body(shop, zhang, greeting=greeting), status=201)
    code = await settled(marketer, made["code"]["id"])
    external = await shop.services.db.fetchval("select external_id from contact_code where id = $1", code["id"])
    scanned, added = shop.customer("王小明"), shop.customer("李小花")
    shop.wecom.control.customer_scans(CORP, external, scanned)
    shop.wecom.control.add_contact(CORP, "zhangsan", added)

    async def both() -> bool:
        return all(shop.wecom.control.greetings(CORP, external_userid=who) for who in (scanned, added))

    await eventually(both, seconds=20)
    assert shop.wecom.control.greetings(CORP, external_userid=scanned)[0].text == "欢迎从海报来的王小明"
    other = shop.wecom.control.greetings(CORP, external_userid=added)[0]
    assert (other.text, other.attachments[0]["link"]["title"]) == ("您好", "新品")

    async def counted() -> bool:
        found: dict[str, Any] = (await marketer.get(f"/api/codes/{code['id']}"))["code"]
        return bool(found["came"] == 1 and found["still"] == 1)

    # The relation that the event brought carries the code's source.
    await eventually(counted, seconds=30)
    page = await marketer.get("/api/greetings", code_id=code["id"])
    assert [(one["state"], one["code_name"]) for one in page["greetings"]] == [("sent", "门店海报")]
    assert (await marketer.get(f"/api/codes/{code['id']}"))["code"]["greeted"] == 1


async def test_a_greeting_that_cannot_be_sent_is_refused_when_it_is_written(shop: Company, marketer: Browser) -> None:
    for wrong in [
        {"text": ""},
        {"text": "{{customer.phone}}"},
        {"text": "您好", "parts": [{"kind": "image"}]},
        {"text": "您好", "parts": [{"kind": "link", "content": {"title": "新品", "url": "javascript:alert(1)"}}]},
        {"text": "您好", "parts": [{"kind": "image", "keep": 3}]},
    ]:
        status, answer = await marketer.call("POST", "/api/welcomes", json={"everybody": True, "content": wrong})
        assert (status, list(answer["fields"])) == (422, ["content"]), wrong
