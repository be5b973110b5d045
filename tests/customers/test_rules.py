"""Rules that tag customers and move them on: what a trial says is what happens, live and over history, once for each cause."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

from customers.rules import watch
from customers.rules.act import enabled
from customers.rules.book import APPLY_RULE
from customers.rules.history import apply_rule
from customers.stages import move
from customers.tags import change_tags
from scrm.clock import monotonic
from scrm.jobs import Job
from scrm.services import Services
from tests.customers.test_stages_and_tags import customer, group, stages, story
from tests.http.site import Browser, Site


async def settle(services: Services) -> None:
    """Until the rules have nothing left to do. They read only what no running transaction can add to any more, those of other
    databases on the server included: a while."""
    deadline = monotonic() + 60
    while monotonic() < deadline:
        more = await watch.round_of(services)
        waiting = await services.db.fetchval(
            "select exists (select from customer_touch) or (select coalesce(max(id), 0) from message) > "
            "coalesce((select last_id from reading_place where name = 'customer_rules'), 0)"
        )
        if not more and not waiting:
            return
        await asyncio.sleep(0 if more else 0.01)
    raise AssertionError("the rules never came to rest")


async def run_jobs(services: Services) -> None:
    while row := await services.db.fetchrow(
        "select * from job where kind = $1 and state = 'queued' limit 1", APPLY_RULE
    ):
        await apply_rule(services, Job(row["id"], row["kind"], row["dedupe_key"], row["payload"], 1))
        await services.db.execute("update job set state = 'done' where id = $1", row["id"])


async def tagged(services: Services, tag: int) -> set[int]:
    return {
        row["id"] for row in await services.db.fetch("select id from customer where tags @> array[$1::bigint]", tag)
    }


async def rule(browser: Browser, kind: str, data: dict[str, Any], *, name: str = "规则", enabled: bool = True) -> int:
    made = await browser.post(
        f"/api/customer-rules/{kind}", {"name": name, "enabled": enabled, "data": data}, status=201
    )
    return int(made["id"])


async def who(site: Site, conversation: int) -> int:
    found: int = await site.services.db.fetchval(
        "select k.customer_id from conversation c join contact k on k.id = c.contact_id where c.id = $1", conversation
    )
    return found


SENTENCES = [
    "你好，想问一下价格",
    "我要投诉！",
    "ＴＯＵＳＵ 不是",
    "订单 20261128 什么时候发",
    "谢谢",
    "退款 100% 可以吗",
    "Can you CALL me",
]


async def test_live_history_and_trial_agree(site: Site) -> None:
    """The same conversations: under one rule live, under its twin applied afterwards, and as the trial said before."""
    services, dice = site.services, random.Random(7)
    manager = await site.signed_in("manager")
    account = await site.account(await site.connection())
    pair = await group(services, "自动", ["活", "史"])
    cause = {"on": "said", "words": ["投诉", "100%", "call"], "expression": r"订单\s*\d{6,}"}
    await rule(manager, "tag", {"cause": cause, "tag_ids": [pair["活"]]})
    await settle(services)
    people = [await site.conversation(account) for _ in range(25)]
    expected = set()
    for one in people:
        for _ in range(dice.randrange(4)):
            text = dice.choice(SENTENCES)
            direction = dice.choice(["in", "in", "out"])
            await site.says(one, text, direction=direction, **({"sender_agent_id": None} if direction == "out" else {}))
            if direction == "in" and text in (SENTENCES[1], SENTENCES[3], SENTENCES[5], SENTENCES[6]):
                expected.add(await who(site, one))
    twin = {"cause": cause, "tag_ids": [pair["史"]]}
    said = await manager.post("/api/customer-rules/tag/try", {"data": twin})
    assert (said["customers"], said["complete"]) == (len(expected), True)
    assert expected
    await settle(services)
    assert await tagged(services, pair["活"]) == expected
    later = await rule(manager, "tag", twin, enabled=False)
    applying = await manager.post(f"/api/customer-rules/tag/{later}/apply")
    assert applying["applying"] is True
    await run_jobs(services)
    assert await tagged(services, pair["史"]) == expected
    assert (await manager.post("/api/customer-rules/tag/try", {"data": twin, "rule_id": later}))["customers"] == 0
    hits = {one["id"]: one["hits"] for one in (await manager.get("/api/customer-rules/tag"))["rules"]}
    assert hits[later] == len(expected)


async def test_every_kind_of_cause_agrees_with_its_trial(site: Site) -> None:
    services, dice = site.services, random.Random(3)
    manager = await site.signed_in("manager")
    known = await stages(services)
    tags = await group(services, "自动", ["源", "值", "静", "阶", "留"])
    now = services.clock.now()
    account = await site.account(await site.connection())
    ids = []
    for n in range(40):
        ids.append(
            await customer(
                services, value_fen=dice.choice([None, 100, 5000]), source=dice.choice(["", "展会", "抖音"]),
                created_at=now - timedelta(days=dice.randrange(60)),
            )
        )  # fmt: skip
        if n % 3 == 0:
            async with services.work() as work:
                await move(work, None, ids[-1:], known["报价"])
    chat = await site.conversation(account)
    await site.says(chat, "13800138000", kind="lead_card")
    rules = {
        "源": {"on": "source", "sources": ["展会"]},
        "值": {"on": "value", "fen": 1000},
        "静": {"on": "silent", "days": 30},
        "阶": {"on": "stage", "stage_ids": [known["报价"]]},
    }
    for name, cause in rules.items():
        data = {"cause": cause, "tag_ids": [tags[name]]}
        said = (await manager.post("/api/customer-rules/tag/try", {"data": data}))["customers"]
        assert said > 0, name
        made = await rule(manager, "tag", data, name=name)
        await manager.post(f"/api/customer-rules/tag/{made}/apply")
        await run_jobs(services)
        assert len(await tagged(services, tags[name])) == said, name
    lead = {"cause": {"on": "lead_card"}, "tag_ids": [tags["留"]]}
    assert (await manager.post("/api/customer-rules/tag/try", {"data": lead}))["customers"] == 1


async def test_live_rules_act_on_what_changes_and_say_so(site: Site) -> None:
    services = site.services
    manager = await site.signed_in("manager")
    known = await stages(services)
    tags = await group(services, "自动", ["大客户"])
    account = await site.account(await site.connection())
    await rule(manager, "tag", {"cause": {"on": "value", "fen": 1000}, "tag_ids": [tags["大客户"]]}, name="大额")
    await rule(manager, "stage", {"cause": {"on": "made"}, "stage_id": known["新客"]}, name="新客户")
    await rule(manager, "stage", {"cause": {"on": "replied"}, "stage_id": known["意向"]}, name="首次回复")
    await rule(
        manager,
        "stage",
        {"cause": {"on": "tag", "tag_ids": [tags["大客户"]]}, "stage_id": known["报价"]},
        name="大客户报价",
    )
    await settle(services)
    chat = await site.conversation(account)
    one = await who(site, chat)

    async def stage() -> str:
        found: str = await services.db.fetchval(
            "select s.name from customer u join stage s on s.id = u.stage_id where u.id = $1", one
        )
        return found

    await settle(services)
    assert await stage() == "新客"
    await site.says(chat, "您好", direction="out")
    await settle(services)
    assert await stage() == "意向"
    await services.db.execute("update customer set value_fen = 2000 where id = $1", one)
    await settle(services)
    assert await tagged(services, tags["大客户"]) == {one}
    assert await stage() == "报价"
    told = [(kind, data["rule"]["name"]) for kind, data in await story(services, one)]
    assert told == [
        ("stage.changed", "新客户"),
        ("stage.changed", "首次回复"),
        ("tag.added", "大额"),
        ("stage.changed", "大客户报价"),
    ]
    # What a person decides afterwards stands, whatever else changes.
    async with services.work() as work:
        await change_tags(work, None, [one], [], [tags["大客户"]])
        await move(work, None, [one], known["新客"])
    await services.db.execute("update customer set value_fen = 3000 where id = $1", one)
    await settle(services)
    assert await tagged(services, tags["大客户"]) == set()
    assert await stage() == "新客"


async def test_rules_that_cause_each_other_come_to_an_end(site: Site) -> None:
    services = site.services
    manager = await site.signed_in("manager")
    known = await stages(services)
    tags = await group(services, "环", ["甲", "乙"], exclusive=True)
    one = await customer(services)
    for stage, tag in (("意向", "甲"), ("报价", "乙")):
        await rule(manager, "tag", {"cause": {"on": "stage", "stage_ids": [known[stage]]}, "tag_ids": [tags[tag]]})
    for tag, stage in (("甲", "报价"), ("乙", "意向")):
        await rule(manager, "stage", {"cause": {"on": "tag", "tag_ids": [tags[tag]]}, "stage_id": known[stage]})
    async with services.work() as work:
        await move(work, None, [one], known["意向"])
    await settle(services)
    row = await services.db.fetchrow("select stage_id, tags from customer where id = $1", one)
    assert (row["stage_id"], row["tags"]) == (known["报价"], [tags["乙"]])
    assert await services.db.fetchval("select count(*) from timeline") <= 6


async def test_silence_acts_once_for_each_silence(site: Site) -> None:
    services = site.services
    manager = await site.signed_in("manager")
    tags = await group(services, "自动", ["沉默"])
    now = services.clock.now()
    one = await customer(services, created_at=now - timedelta(days=90), last_message_at=now - timedelta(days=40))
    await customer(services)
    await rule(manager, "tag", {"cause": {"on": "silent", "days": 30}, "tag_ids": [tags["沉默"]]})
    [quiet] = await enabled(services.db)
    await watch.silence(services, quiet)
    assert await tagged(services, tags["沉默"]) == {one}
    async with services.work() as work:
        await change_tags(work, None, [one], [], [tags["沉默"]])
    await watch.silence(services, quiet)
    assert await tagged(services, tags["沉默"]) == set()
    await services.db.execute("update customer set last_message_at = $2 where id = $1", one, now - timedelta(days=31))
    await watch.silence(services, quiet)
    assert await tagged(services, tags["沉默"]) == {one}


async def test_no_message_is_passed_over_while_writers_overlap(site: Site) -> None:
    """A message whose number was given first and committed last is read all the same."""
    services = site.services
    manager = await site.signed_in("manager")
    tags = await group(services, "自动", ["投诉"])
    account = await site.account(await site.connection())
    await rule(manager, "tag", {"cause": {"on": "said", "words": ["投诉"]}, "tag_ids": [tags["投诉"]]})
    slow, quick = await site.conversation(account), await site.conversation(account)
    await settle(services)
    begun, go = asyncio.Event(), asyncio.Event()

    async def late() -> None:
        async with services.db.transaction() as tx:
            await tx.execute(
                "insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, sent_at) "
                "values ($1, 1, 1, 'in', 'text', '投诉', 'received', 'customer', now())",
                slow,
            )
            begun.set()
            await go.wait()

    writing = asyncio.create_task(late())
    await begun.wait()
    await site.says(quick, "投诉")
    for _ in range(4):
        await watch.round_of(services)
    go.set()
    await writing
    await settle(services)
    assert await tagged(services, tags["投诉"]) == {await who(site, slow), await who(site, quick)}


async def test_a_rule_that_cannot_be_carried_out_is_refused_or_switched_off(site: Site) -> None:
    services = site.services
    manager = await site.signed_in("manager")
    tags = await group(services, "自动", ["甲"])
    bad = {"cause": {"on": "said", "expression": "(未完"}, "tag_ids": [tags["甲"]]}
    status, body = await manager.call("POST", "/api/customer-rules/tag", json={"name": "坏", "data": bad})
    assert (status, body["error"]) == (422, "bad_expression")
    status, _ = await manager.call(
        "POST",
        "/api/customer-rules/tag",
        json={"name": "坏", "data": {**bad, "cause": {"on": "said", "expression": r"(a)\1"}}},
    )
    assert status == 422
    # One that slipped in (an older version wrote it) holds nobody up.
    await services.db.execute("insert into customer_rule (kind, name, data) values ('tag', '旧', $1)", bad)
    good = await rule(manager, "tag", {"cause": {"on": "said", "words": ["投诉"]}, "tag_ids": [tags["甲"]]})
    await settle(services)
    account = await site.account(await site.connection())
    chat = await site.conversation(account)
    await site.says(chat, "投诉")
    await settle(services)
    assert await tagged(services, tags["甲"]) == {await who(site, chat)}
    shown = {one["name"]: one for one in (await manager.get("/api/customer-rules/tag"))["rules"]}
    assert (shown["旧"]["enabled"], shown["旧"]["data"]["stopped"]) == (False, "bad_expression")
    status, _ = await manager.call("DELETE", f"/api/customer-rules/tag/{good}")
    assert status == 204
    assert [one["name"] for one in (await manager.get("/api/customer-rules/tag"))["rules"]] == ["旧"]
