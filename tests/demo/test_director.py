"""Live customers, on real simulators without a service: who writes, who reacts, and that it ends somewhere."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from scrm.clock import monotonic
from simulator.company import people
from simulator.company.director import Director
from simulator.company.reactions import QUESTIONS, question, reaction
from simulator.company.script import Line
from simulator.company.stage import BY_KEY, Person, Stage
from simulator.douyin.server import DouyinSimulator
from simulator.wechat_oa.server import OfficialAccountSimulator
from simulator.wecom.server import WecomSimulator

XIAOMAN = Person(BY_KEY["presale"], "林小满")
HELLO = Line("customer", "text", ("你好",))


class Colleagues:
    """An office whose people only note what they were to do."""

    def __init__(self) -> None:
        self.acts: list[tuple[Person, str, Line]] = []

    async def quiet(self) -> None: ...

    async def act(self, person: Person, rep: str, line: Line) -> None:
        self.acts.append((person, rep, line))


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with WecomSimulator() as wecom, DouyinSimulator() as douyin, OfficialAccountSimulator() as oa:
        made = Stage(wecom, douyin, oa)
        made.set_up()
        yield made


@asynccontextmanager
async def directed(director: Director) -> AsyncIterator[None]:
    running = asyncio.create_task(director.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    deadline = monotonic() + 20
    while not condition():
        assert monotonic() < deadline, "it did not happen within 20 seconds"
        await asyncio.sleep(0.02)


def written(stage: Stage) -> int:
    corp = stage.wecom.world.corps[people.CORP_ID]
    return sum(len(account.authors) for account in corp.kf.values()) + len(stage.douyin.world.messages)


async def send_to(stage: Stage, person: Person, text: str) -> None:
    async with aiohttp.ClientSession(stage.wecom.base_url) as http:
        asked = {"corpid": people.CORP_ID, "corpsecret": people.APP_SECRET}
        token = (await (await http.get("/cgi-bin/gettoken", params=asked)).json())["access_token"]
        body = {
            "touser": person.external_id,
            "open_kfid": person.account.external_id,
            "msgtype": "text",
            "text": {"content": text},
        }
        answer = await http.post("/cgi-bin/kf/send_msg", params={"access_token": token}, json=body)
        assert (await answer.json())["errcode"] == 0


async def test_customers_write_and_colleagues_answer_by_the_script(stage: Stage) -> None:
    colleagues = Colleagues()
    async with directed(Director(stage, colleagues, pace=0.02, chance=random.Random(1))):
        await until(lambda: written(stage) > 20 and len(colleagues.acts) > 5)

    assert {rep for _, rep, _ in colleagues.acts} <= {"rep2", "rep3"}


async def test_a_customer_reacts_to_what_a_rep_sends(stage: Stage) -> None:
    stage.play(XIAOMAN, HELLO)
    async with directed(Director(stage, Colleagues(), pace=0)):
        await asyncio.sleep(0)
        before = written(stage)
        await send_to(stage, XIAOMAN, "请问您的收货地址是？")
        await until(lambda: written(stage) == before + 1)


async def test_what_was_sent_before_the_start_is_not_answered_again(stage: Stage) -> None:
    stage.play(XIAOMAN, HELLO)
    await send_to(stage, XIAOMAN, "请问您的收货地址是？")
    other = Person(BY_KEY["presale"], "赵一诺")
    stage.play(other, HELLO)
    async with directed(Director(stage, Colleagues(), pace=0)):
        await asyncio.sleep(0)
        await send_to(stage, other, "在的")
        before = written(stage)
        await until(lambda: written(stage) > before)
        corp = stage.wecom.world.corps[people.CORP_ID]
        wrote = list(corp.kf[XIAOMAN.account.external_id].authors.values())

    assert wrote.count(XIAOMAN.external_id) == 1


async def test_the_hour_has_its_limit(stage: Stage) -> None:
    director = Director(stage, Colleagues(), pace=0.005, most_per_hour=7, chance=random.Random(2))
    async with directed(director):
        await until(lambda: director.lines_this_hour == 7)
        before = written(stage)
        await asyncio.sleep(0.3)  # long enough for dozens more

    assert director.lines_this_hour == 7
    assert written(stage) == before


def test_a_goodbye_ends_the_talk_and_everything_else_gets_an_answer() -> None:
    chance = random.Random(3)

    assert reaction("text", "不客气，祝您生活愉快", chance) is None
    assert reaction("text", "嗯", chance)
    assert reaction("image", "", chance)
    assert all(question(account, chance) for account in QUESTIONS)
    assert set(QUESTIONS) == set(BY_KEY)
