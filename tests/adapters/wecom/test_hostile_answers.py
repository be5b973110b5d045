"""Whatever WeCom answers, the abilities of customer contact return values or raise the errors of the contract, nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.wecom.adapter import WeComAdapter
from scrm.channel_contacts import CodeSpec, NoticeCard, RelationChange
from scrm.errors import SendError
from tests.adapters.wecom.support import connect, context, platform

CALLS: dict[str, Callable[[WeComAdapter], Awaitable[Any]]] = {
    "departments": lambda wecom: wecom.departments(),
    "members": lambda wecom: wecom.members(),
    "relation_accounts": lambda wecom: wecom.relation_accounts(),
    "relations": lambda wecom: wecom.relations(["lisi"], ""),
    "relations_of": lambda wecom: wecom.relations_of("wm1"),
    "describe": lambda wecom: wecom.describe("lisi", "wm1", RelationChange(remark="王")),
    "tags": lambda wecom: wecom.tags(),
    "add_tags": lambda wecom: wecom.add_tags(group_id="", group_name="意向", names=["高"]),
    "delete_tags": lambda wecom: wecom.delete_tags(tag_ids=["et1"]),
    "group_ids": lambda wecom: wecom.group_ids(""),
    "group": lambda wecom: wecom.group("wr1"),
    "make_code": lambda wecom: wecom.make_code(CodeSpec(["lisi"], "s")),
    "codes": lambda wecom: wecom.codes(),
    "greet": lambda wecom: wecom.greet("code", "您好", []),
    "transfer": lambda wecom: wecom.transfer("lisi", "wangwu", ["wm1"], left=False),
    "transfer_results": lambda wecom: wecom.transfer_results("lisi", "wangwu", left=True, cursor=""),
    "unassigned": lambda wecom: wecom.unassigned(""),
    "transfer_groups": lambda wecom: wecom.transfer_groups(["wr1"], "lisi", left=False),
    "notify": lambda wecom: wecom.notify(["lisi"], NoticeCard("题", "文", "https://e.cn")),
}
NAMES = [
    "errcode", "department", "userlist", "follow_user", "external_contact", "external_contact_list", "follow_info", "next_cursor",
    "tag_group", "tag", "id", "name", "group_id", "group_chat_list", "group_chat", "chat_id", "member_list", "config_id",
    "contact_way", "customer", "external_userid", "status", "info", "handover_userid", "is_last", "failed_chat_list",
    "invaliduser", "userid", "createtime", "order", "invitor", "external_profile", "type", "tags", "remark_mobiles",
]  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=20), st.just("\ud800\0")
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)),
    max_leaves=25,
)
ANSWERS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=10)


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.lists(ANSWERS, min_size=1, max_size=3))
async def test_any_answer_is_survived(name: str, answers: list[dict[str, Any]]) -> None:
    quick = [{**one, "errcode": 0} if one.get("errcode") in (-1, "-1") else one for one in answers]
    async with platform() as server, aiohttp.ClientSession() as http:
        server.reply_to_all(*quick, {"errcode": 0})
        wecom = connect(context(http), server.base_url)
        with contextlib.suppress(SendError):
            await CALLS[name](wecom)
