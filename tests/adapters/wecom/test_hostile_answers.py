"""Whatever WeCom answers, the abilities of customer contact and of campaigns return values or raise the errors of the contract, nothing
else: good answers with pieces missing, of another type, or nonsense."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.wecom.adapter import WeComAdapter
from scrm.channel_campaigns import MomentPost, Post
from scrm.channel_contacts import CodeSpec, NoticeCard, RelationChange
from scrm.errors import SendError
from tests.adapters.wecom.support import NOW, Platform

TRIES = 60
MISSING, REPLACED = 0.08, 0.08
JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 2**70, -(2**70), 1.5, float("inf"), "", "text", "\ud800\0", [], [None], [[]], {}, {"id": {}}, "9" * 400,
)  # fmt: skip
FOLLOW = {
    "userid": "lisi", "remark": "王", "description": "", "createtime": 1700000000, "tag_id": ["et1"], "state": "s", "add_way": 1,
    "tags": [{"tag_id": "et1", "tag_name": "高", "type": 1}], "remark_mobiles": ["1"], "oper_userid": "wm1", "remark_corp_name": "x",
}  # fmt: skip
CONTACT = {
    "external_userid": "wm1", "name": "王", "avatar": "a", "type": 2, "gender": 1, "unionid": "u", "corp_name": "c", "position": "p",
    "corp_full_name": "cc", "external_profile": {"external_attr": [{"type": 0, "name": "n", "text": {"value": "v"}}]},
}  # fmt: skip
TAG_GROUP = {
    "group_id": "et1",
    "group_name": "意向",
    "order": 1,
    "tag": [{"id": "et2", "name": "高", "order": 1, "deleted": False}],
}
MEMBER = {"userid": "lisi", "name": "李四", "department": [1, 2], "position": "p", "avatar": "a", "status": 1}
IN_GROUP = {
    "userid": "wm1", "type": 2, "unionid": "u", "join_time": 1, "join_scene": 1, "invitor": {"userid": "lisi"}, "state": "s", "name": "n",
}  # fmt: skip
GROUP = {
    "chat_id": "wr1", "name": "群", "owner": "lisi", "create_time": 1, "notice": "n", "member_version": "v", "member_list": [IN_GROUP],
    "admin_list": [{"userid": "lisi"}],
}  # fmt: skip
HANDED = {
    "customer": [{"external_userid": "wm1", "errcode": 40099, "status": 1, "takeover_time": 1}],
    "next_cursor": "",
}
ANSWERS: dict[str, dict[str, Any]] = {
    "department/list": {"department": [{"id": 1, "name": "n", "parentid": 0, "order": 1}]},
    "user/list": {"userlist": [MEMBER]},
    "user/get": MEMBER,
    "externalcontact/get_follow_user_list": {"follow_user": ["lisi", "wangwu"]},
    "externalcontact/batch/get_by_user": {
        "external_contact_list": [{"external_contact": CONTACT, "follow_info": FOLLOW}],
        "next_cursor": "",
    },
    "externalcontact/get": {"external_contact": CONTACT, "follow_user": [FOLLOW], "next_cursor": ""},
    "externalcontact/get_corp_tag_list": {"tag_group": [TAG_GROUP]},
    "externalcontact/add_corp_tag": {"tag_group": TAG_GROUP},
    "externalcontact/groupchat/list": {"group_chat_list": [{"chat_id": "wr1", "status": 0}], "next_cursor": ""},
    "externalcontact/groupchat/get": {"group_chat": GROUP},
    "externalcontact/add_contact_way": {"config_id": "c", "qr_code": "q"},
    "externalcontact/list_contact_way": {"contact_way": [{"config_id": "c"}], "next_cursor": ""},
    "externalcontact/get_contact_way": {"contact_way": {"config_id": "c", "state": "s"}},
    "externalcontact/transfer_customer": HANDED,
    "externalcontact/resigned/transfer_result": HANDED,
    "externalcontact/get_unassigned_list": {
        "info": [{"handover_userid": "lisi", "external_userid": "wm1", "dimission_time": 1}],
        "is_last": True,
        "next_cursor": "",
    },
    "externalcontact/groupchat/onjob_transfer": {"failed_chat_list": [{"chat_id": "wr1", "errcode": 90501}]},
    "externalcontact/add_msg_template": {"msgid": "m", "fail_list": ["wm1"]},
    "externalcontact/get_groupmsg_list_v2": {
        "group_msg_list": [{"msgid": "m", "create_time": "1", "text": {"content": "x"}}],
        "next_cursor": "",
    },
    "externalcontact/get_groupmsg_task": {"task_list": [{"userid": "lisi", "status": 2, "send_time": 1}]},
    "externalcontact/get_groupmsg_send_result": {
        "send_list": [{"external_userid": "wm1", "status": 1, "send_time": 1}]
    },
    "externalcontact/add_moment_task": {"jobid": "j"},
    "externalcontact/get_moment_task_result": {
        "status": 3,
        "result": {
            "errcode": 0,
            "moment_id": "mom",
            "invalid_sender_list": {"user_list": ["lisi"], "department_list": [1]},
            "invalid_external_contact_list": {"tag_list": ["et1"]},
        },
    },
    "externalcontact/get_moment_list": {
        "moment_list": [{"moment_id": "mom", "create_time": "1", "text": {"content": "x"}}],
        "next_cursor": "",
    },
    "externalcontact/get_moment_task": {"task_list": [{"userid": "lisi", "publish_status": 1}], "next_cursor": ""},
    "externalcontact/get_moment_customer_list": {"customer_list": [{"userid": "lisi", "external_userid": "wm1"}]},
    "externalcontact/get_moment_send_result": {"customer_list": [{"external_userid": "wm1"}], "next_cursor": ""},
    "externalcontact/get_moment_comments": {
        "comment_list": [{"external_userid": "wm1", "create_time": 1}, {"userid": "lisi", "create_time": 1}],
        "like_list": [{"external_userid": "wm1", "create_time": 1}],
    },
    "message/send": {"invaliduser": "lisi|a", "unlicenseduser": "", "msgid": "m"},
}
CALLS: dict[str, Callable[[WeComAdapter], Awaitable[Any]]] = {
    "departments": lambda wecom: wecom.departments(),
    "members": lambda wecom: wecom.members(),
    "relation_accounts": lambda wecom: wecom.relation_accounts(),
    "relations": lambda wecom: wecom.relations(["lisi"], ""),
    "relations_of": lambda wecom: wecom.relations_of("wm1"),
    "describe": lambda wecom: wecom.describe("lisi", "wm1", RelationChange(remark="王")),
    "tags": lambda wecom: wecom.tags(),
    "add_tags": lambda wecom: wecom.add_tags(group_id="", group_name="意向", names=["高", "低"]),
    "delete_tags": lambda wecom: wecom.delete_tags(tag_ids=["et1"]),
    "group_ids": lambda wecom: wecom.group_ids(""),
    "group": lambda wecom: wecom.group("wr1"),
    "make_code": lambda wecom: wecom.make_code(CodeSpec(["lisi"], "s")),
    "codes": lambda wecom: wecom.codes(),
    "greet": lambda wecom: wecom.greet("code", "您好", []),
    "transfer": lambda wecom: wecom.transfer("lisi", "wangwu", ["wm1"], left=False),
    "transfer_results": lambda wecom: wecom.transfer_results("lisi", "wangwu", left=True, cursor=""),
    "unassigned": lambda wecom: wecom.unassigned(""),
    "transfer_groups": lambda wecom: wecom.transfer_groups(["wr1", "wr2"], "lisi", left=False),
    "ask": lambda wecom: wecom.ask("lisi", Post("您好"), contact_ids=["wm1"]),
    "tasks": lambda wecom: wecom.tasks(groups=False, since=NOW, until=NOW, cursor=""),
    "asked_members": lambda wecom: wecom.asked_members("m", ""),
    "asked_results": lambda wecom: wecom.asked_results("m", "lisi", ""),
    "post_moment": lambda wecom: wecom.post_moment(MomentPost("您好", (), ["lisi"])),
    "moment_job": lambda wecom: wecom.moment_job("j"),
    "moments": lambda wecom: wecom.moments(since=NOW, until=NOW, cursor=""),
    "moment_members": lambda wecom: wecom.moment_members("mom", ""),
    "moment_audience": lambda wecom: wecom.moment_audience("mom", "lisi", ""),
    "moment_receivers": lambda wecom: wecom.moment_receivers("mom", "lisi", ""),
    "moment_reactions": lambda wecom: wecom.moment_reactions("mom", "lisi"),
    "notify": lambda wecom: wecom.notify(["lisi"], NoticeCard("题", "文", "https://e.cn")),
}


def spoilt(value: Any, chance: random.Random) -> Any:
    if chance.random() < REPLACED:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {name: spoilt(one, chance) for name, one in value.items() if chance.random() > MISSING}
    if isinstance(value, list):
        return [spoilt(one, chance) for one in value]
    return value


@pytest.mark.parametrize("name", CALLS)
async def test_any_answer_is_survived(name: str, adapter: WeComAdapter, server: Platform) -> None:
    chance = random.Random(f"{name} of 2026")
    done = 0
    for _ in range(TRIES):
        for path, answer in ANSWERS.items():
            said = spoilt(answer, chance)
            server.reply(path, {"errcode": 0, **said} if isinstance(said, dict) else {"errcode": 0, "answer": said})
        with contextlib.suppress(SendError):
            await CALLS[name](adapter)
            done += 1
    assert done, "nothing was ever understood: the answers are no answers"
