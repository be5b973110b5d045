"""The sample company's conversations: what anybody may edit must stay playable."""

from __future__ import annotations

import pytest

from adapters.douyin.adapter import CAPABILITIES as DOUYIN
from adapters.wechat_oa.capabilities import CAPABILITIES as OFFICIAL
from adapters.wecom.capabilities import CUSTOMER_SERVICE
from inbox.reply import Draft, check_draft
from simulator.company.drawing import DRAWINGS, picture
from simulator.company.history import VISITS, chats
from simulator.company.people import ACCOUNTS, STAFF, person_id
from simulator.company.script import Chat, parse, read_chats
from simulator.company.stage import BY_KEY, Person, Stage
from simulator.douyin.server import DouyinSimulator
from simulator.wechat_oa.server import OfficialAccountSimulator
from simulator.wecom.server import WecomSimulator

EVERY_CHAT = [*chats(), *read_chats("live")]
ABLE = {"wecom": CUSTOMER_SERVICE, "douyin": DOUYIN, "wechat_oa": OFFICIAL}


def test_the_company_has_seven_accounts_and_dozens_of_customers() -> None:
    assert [account.platform for account in ACCOUNTS].count("wecom") == 3
    assert [account.platform for account in ACCOUNTS].count("douyin") == 3
    assert [account.platform for account in ACCOUNTS].count("wechat_oa") == 1
    assert len({(chat.account, chat.name) for chat in chats()}) >= 40
    assert {colleague.role for colleague in STAFF} == {"rep", "manager", "marketer", "auditor", "admin"}


def test_nobody_talks_twice_to_the_same_account() -> None:
    pairs = [(chat.account, chat.name) for chat in EVERY_CHAT]

    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("chat", EVERY_CHAT, ids=lambda chat: f"{chat.account}-{chat.name}")
def test_every_answer_is_one_that_the_platform_takes(chat: Chat) -> None:
    able = ABLE[BY_KEY[chat.account].platform]
    for turn in chat.rounds:
        assert 0 <= turn.visit < len(VISITS)
        for line in turn.agent:
            if line.act == "text":
                check_draft(Draft(client_token="a-token-of-a-test", text=line.text), able)
            if line.act == "image":
                assert line.text in DRAWINGS
            if line.act in ("file", "location"):
                assert able is CUSTOMER_SERVICE
            if line.act in ("work", "leadcard", "recall", "lost"):
                assert able is DOUYIN
    assert chat.rep or not any(turn.agent for turn in chat.rounds)


async def test_every_customer_can_do_what_the_script_says() -> None:
    async with WecomSimulator() as wecom, DouyinSimulator() as douyin, OfficialAccountSimulator() as oa:
        stage = Stage(wecom, douyin, oa)
        stage.set_up()
        stage.set_up()  # a second start changes nothing
        assert len(wecom.control.corps()) == 1
        for chat in EVERY_CHAT:
            for turn in chat.rounds:
                for line in turn.customer:
                    stage.play(Person(BY_KEY[chat.account], chat.name), line)


def test_a_person_is_the_same_on_every_start_and_another_on_another_platform() -> None:
    assert person_id("wecom", "林小满") == person_id("wecom", "林小满")
    assert person_id("wecom", "林小满") != person_id("douyin", "林小满")


@pytest.mark.parametrize("name", sorted(DRAWINGS))
def test_pictures_are_small_png_files(name: str) -> None:
    drawn = picture(name)

    assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(drawn) < 50_000


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("c: 你好", "line 1: a chat begins with =="),
        ("== 王二", "line 1: write == name"),
        ("== 王二 | visit 1\nx: 你好", "line 2: a line begins with c: or a:"),
        ("== 王二 | visit 1\nc: [fly]", "line 2: fly is none of"),
        ("== 王二 | visit 1\n\n== 李四 | visit 1\nc: 你好", "王二 says nothing"),
    ],
)
def test_a_mistake_in_a_script_is_named(source: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        list(parse("mine", source))
