"""Lists of people: whom each line names, for whom, and a campaign for those of a list."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import xlsxwriter

from campaigns.lists.lines import Named, understood
from scrm.services import Services
from tests.campaigns.test_audience import campaign, dry, told
from tests.customers.test_sheets import uploaded
from tests.http.site import Browser, Site

BASE = "/api/campaign-lists"


@pytest.fixture
async def boss(site: Site) -> Browser:
    return await site.signed_in("manager")


async def person(services: Services, name: str, phone: str = "", external: str = "", **columns: Any) -> int:
    db = services.db
    made: int = await db.fetchval(
        "insert into customer (name, owner_id, merged_into, deleted_at) values ($1, $2, $3, $4) returning id",
        name, columns.get("owner_id"), columns.get("merged_into"), columns.get("deleted_at"),
    )  # fmt: skip
    if phone:
        await db.execute("insert into phone_number (customer_id, phone, source) values ($1, $2, 'hand')", made, phone)
    if external:
        connection = await db.fetchval(
            "insert into connection (provider, name, key, secrets) values ('wecom', $1, $1, '') returning id", external
        )
        await db.execute(
            "insert into contact (connection_id, external_id, customer_id) values ($1, $2, $3)",
            connection,
            external,
            made,
        )
    return made


async def members(services: Services, list_id: int) -> list[int]:
    rows = await services.db.fetch(
        "select customer_id from campaign_list_member where list_id = $1 order by 1", list_id
    )
    return [row["customer_id"] for row in rows]


async def add(who: Browser, text: str, key: str = "list-one-1", **more: Any) -> Any:
    return await who.post(
        BASE, {"client_token": key, "name": "老客名单", "text": text, **more}, status=more.pop("status", 201)
    )


def test_what_a_line_names() -> None:
    def of(*cells: str, **columns: str) -> Named:
        return understood(1, list(cells), {int(place[1:]): kind for place, kind in columns.items()})

    assert of("138 1234 5678").phone == "+8613812345678"
    assert of("42") == Named(1, "42", None, 42, ())
    assert of("张三", "42").empty, "an age is nobody's number"
    assert of("张三", "42", _1="id").customer_id == 42
    assert of("wmXyz-0123456789").externals == ("wmXyz-0123456789",)
    assert of("张三").empty


async def test_lines_are_found_by_phone_number_and_platform_once_each(boss: Browser, services: Services) -> None:
    one = await person(services, "有手机", "+8613812340000")
    two = await person(services, "有编号")
    three = await person(services, "有外部编号", external="wmABCDEF0123456789")
    await person(services, "已删除", "+8613812340009", deleted_at=datetime(2026, 1, 1, tzinfo=UTC))
    now = await person(services, "合并后")
    old = await person(services, "合并前", "+8613812340005", merged_into=now)
    text = f"客户\n138-1234-0000\n{two}\nwmABCDEF0123456789\n{one}\n13812340009\n13899990000\n+8613812340005\n{old}\n谁"
    made = await add(boss, text)
    assert await members(services, made["id"]) == sorted([one, two, three, now])
    assert (made["n"], made["unknown"], made["twice"]) == (4, 3, 2)
    assert [(line["number"], line["text"]) for line in made["missing"]] == [
        (6, "13812340009"),
        (7, "13899990000"),
        (10, "谁"),
    ]
    again = await boss.post(BASE, {"client_token": "list-one-1", "name": "又一次", "text": "1"}, status=200)
    assert again["id"] == made["id"]
    status, sheet = await boss.call("GET", f"{BASE}/{made['id']}/missing")
    assert status == 200
    assert "13899990000" in str(sheet)
    assert (await boss.post(BASE, {"client_token": "list-none", "name": "无", "text": "没有人"}, status=422))[
        "error"
    ] == "nobody_found"


async def test_a_sheet_is_read_by_its_heading(boss: Browser, services: Services) -> None:
    one, two = await person(services, "甲"), await person(services, "乙", "+8613812340000")
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for n, row in enumerate(
        [("姓名", "客户编号", "年龄", "手机"), ("甲", one, 35, ""), ("乙", "", two, 13812340000), ("丙", "", one, "")]
    ):
        sheet.write_row(n, 0, row)
    book.close()
    file = await uploaded(boss, out.getvalue(), "list.xlsx")
    made = await boss.post(BASE, {"client_token": "sheet-list", "name": "表", "attachment_id": file}, status=201)
    assert await members(services, made["id"]) == [one, two]
    assert [line["number"] for line in made["missing"]] == [4]


async def test_nobody_finds_whom_they_do_not_see_or_reads_numbers_in_full(site: Site, boss: Browser) -> None:
    services = site.services
    admin = await site.signed_in("admin")
    body = {
        "name": "只看自己",
        "reach": "own",
        "permissions": ["campaigns.read", "campaigns.write", "customers.read", "inbox.read"],
    }
    key = (await admin.post("/api/roles", body, status=201))["key"]
    agent = await site.agent("rep")
    assert (await admin.call("PATCH", f"/api/agents/{agent}", json={"role": key}))[0] == 200
    rep = await site.sign_in(agent)
    mine = await person(services, "自己的", "+8613812340000", owner_id=agent)
    await person(services, "别人的", "+8613812340001", owner_id=boss.me["agent"]["id"])
    made = await add(rep, "13812340000\n13812340001")
    assert await members(services, made["id"]) == [mine]
    assert [line["text"] for line in made["missing"]] == ["138****0001"]


async def test_a_campaign_for_a_list_and_without_one(site: Site, boss: Browser) -> None:
    services = site.services
    account = await site.account(await site.connection())
    ids = []
    for _ in range(3):
        conversation = await site.conversation(
            account, window_expires_at=services.clock.now() + timedelta(hours=5), window_quota=5
        )
        ids.append(
            await services.db.fetchval(
                "select k.customer_id from conversation c join contact k on k.id = c.contact_id where c.id = $1",
                conversation,
            )
        )
    made = await add(boss, f"{ids[0]}\n{ids[1]}")
    picked = await boss.post(
        BASE, {"client_token": "picked-1", "name": "挑的", "conversation_ids": [conversation]}, status=201
    )
    assert await members(services, picked["id"]) == [ids[2]]
    assert told(await dry(await campaign(site, audience={"list_id": made["id"]}))) == {"planned": 2}
    held = await campaign(site, audience={"exclude": {"list_id": made["id"]}})
    assert told(await dry(held)) == {"planned": 1, "excluded_list": 2}
    await boss.call("DELETE", f"{BASE}/{made['id']}")
    assert [one["id"] for one in (await boss.get(BASE))["lists"]] == [picked["id"]]
    assert told(await dry(held))["excluded_list"] == 2, "campaigns keep its people"
    body = {"client_token": "wrong-list", "name": "错", "audience": {"list_id": 999_999}}
    assert (await boss.post("/api/campaigns", body, status=422))["fields"] == {"audience.list_id": "Choose a list."}
