"""The sample company's employees on WeCom: their customers, tags and groups, and what happens while somebody watches."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest

from simulator.company import contacts
from simulator.company.contact_life import ContactLife
from simulator.company.history import chats
from simulator.company.people import CORP_ID
from simulator.company.script import read_chats
from simulator.company.stage import Stage
from simulator.douyin.server import DouyinSimulator
from simulator.wechat_oa.server import OfficialAccountSimulator
from simulator.wecom.server import WecomSimulator
from simulator.wecom.state import Moment, MomentOfMember


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with WecomSimulator() as wecom, DouyinSimulator() as douyin, OfficialAccountSimulator() as oa:
        made = Stage(wecom, douyin, oa)
        made.set_up()
        yield made


async def test_employees_have_customers_tags_and_groups(stage: Stage) -> None:
    truth = stage.wecom.control.truth(CORP_ID)
    assert len(truth["relations"]) >= 40
    assert {one.split("/")[1] for one in truth["relations"]} >= {"qh-rep1", "qh-rep2", "qh-rep3"}
    assert [group["name"] for group in truth["tags"].values()] == list(contacts.TAGS)
    assert len(truth["groups"]) == 2
    assert [login for login, one in truth["members"].items() if not one["serves"]] == [
        "qh-marketer",
        "qh-auditor",
        "qh-admin",
    ]
    stage.set_up()
    assert stage.wecom.control.truth(CORP_ID) == truth, "a second start changes nothing"


def test_nobody_has_two_parts_to_play() -> None:
    written = {chat.name for chat in [*chats(), *read_chats("live")]}
    assert not written & {*contacts.NEIGHBOURS, *contacts.TO_COME}
    assert not set(contacts.NEIGHBOURS) & set(contacts.TO_COME)


async def test_life_goes_on(stage: Stage) -> None:
    control = stage.wecom.control
    before = control.truth(CORP_ID)
    life = ContactLife(control, lambda: stage.wecom.world.corps[CORP_ID], random.Random(4))
    for _ in range(300):
        life.act()
    after = control.truth(CORP_ID)
    assert len(after["relations"]) > len(before["relations"])
    assert any(one["one_sided"] for one in after["relations"].values())
    assert {key: one["version"] for key, one in after["groups"].items()} != {
        key: one["version"] for key, one in before["groups"].items()
    }
    await control.settle()


async def test_employees_publish_moments_and_customers_react(stage: Stage) -> None:
    control, corp = stage.wecom.control, stage.wecom.world.corps[CORP_ID]
    members = {one.userid.lower(): MomentOfMember(one.userid) for one in corp.members.values() if one.serves}
    corp.moments["mom1"] = Moment("mom1", "新品到店", [], control._now(), control._now(), members=members)
    life = ContactLife(control, lambda: corp, random.Random(4))
    for _ in range(200):
        life.act()
    (moment,) = control.moments(CORP_ID)
    assert any(one.published for one in moment.members.values())
    assert any(one.likes for one in moment.members.values())
    assert any(one.comments for one in moment.members.values())
    await control.settle()
