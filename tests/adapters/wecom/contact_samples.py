"""Checks for samples of customer contact, tags, groups, codes, hand-overs, directory, notices: our request is the sample (less what
we do not say), or we read from the sample what it says. Named by rows of samples.toml, run by test_samples.py."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.wecom.adapter import WeComAdapter
from scrm.channel_contacts import (
    AttachmentKind,
    CodeSpec,
    GreetingPart,
    NoticeCard,
    RelationChange,
    TransferState,
)
from scrm.testing import outgoing_media
from tests.adapters.wecom.support import Platform

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "platforms" / "wecom-samples"
Check = Callable[[WeComAdapter, Platform], Awaitable[None]]
CONTACT_CHECKS: dict[str, Check] = {}
PREFIX = "externalcontact/"


def check(function: Check) -> Check:
    CONTACT_CHECKS[function.__name__] = function
    return function


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"api.{name}.json").read_text())


def asked(server: Platform, path: str) -> Any:
    return server.calls(path)[0].json


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def without(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


# Directory


@check
async def department_list(wecom: WeComAdapter, server: Platform) -> None:
    server.reply("department/list", sample("department.list.response"))
    told = [(one.external_id, one.name, one.parent_id, one.order) for one in await wecom.departments()]
    assert told == [("2", "广州研发中心", "1", 10), ("3", "邮箱产品部", "2", 40)]


@check
async def user_list(wecom: WeComAdapter, server: Platform) -> None:
    """Two departments answer with the same person."""
    server.reply("department/list", sample("department.list.response"))
    server.reply("user/list", sample("user.list.response"))
    server.reply(PREFIX + "get_follow_user_list", {"errcode": 0, "follow_user": ["zhangsan"]})
    (member,) = await wecom.members()
    assert (member.external_id, member.name, member.position) == ("zhangsan", "李四", "后台工程师")
    assert (member.department_ids, member.status, member.serves) == (("1", "2"), "active", True)
    assert member.avatar.startswith("http://wx.qlogo.cn/")
    assert [call.query["department_id"] for call in server.calls("user/list")] == ["2", "3"]


@check
async def user_get(wecom: WeComAdapter, server: Platform) -> None:
    """Somebody who serves customers and is in no department that the app sees."""
    server.reply("department/list", {"errcode": 0, "department": []})
    server.reply(PREFIX + "get_follow_user_list", {"errcode": 0, "follow_user": ["ZhangSan"]})
    server.reply("user/get", sample("user.get.response"))
    (member,) = await wecom.members()
    assert (member.external_id, member.name, member.serves) == ("zhangsan", "张三", True)


# Relations


@check
async def get_follow_user_list(wecom: WeComAdapter, server: Platform) -> None:
    server.reply(PREFIX + "get_follow_user_list", sample("externalcontact.get_follow_user_list.response"))
    assert [one.external_id for one in await wecom.relation_accounts()] == ["zhangsan", "lissi"]


@check
async def get_by_user_request(wecom: WeComAdapter, server: Platform) -> None:
    await wecom.relations(["zhangsan", "lisi"], "")
    assert asked(server, PREFIX + "batch/get_by_user") == sample("externalcontact.batch.get_by_user.request")


@check
async def get_by_user_response(wecom: WeComAdapter, server: Platform) -> None:
    server.reply(PREFIX + "batch/get_by_user", sample("externalcontact.batch.get_by_user.response"))
    page = await wecom.relations(["rocky", "lisi"], "")
    assert page.cursor == "r9FqSqsI8fgNbHLHE5QoCP50UIg2cFQbfma3l2QsmwI"
    first, second = page.relations
    assert (first.account.external_id, first.remark, first.company) == ("rocky", "李部长", "腾讯科技")
    assert (first.phones, first.tags) == (("13800000001", "13000000002"), ("etAJ2GCAAAXtWyujaWJHDDGi0mACHAAA",))
    assert (first.added_at, first.by_contact) == (at(1525779812), False)
    assert (second.source, second.way, len(second.tags)) == ("外联二维码1", "3", 2)
    person = page.persons[0]
    assert (person.kind, person.gender, person.company, person.position) == ("company", "male", "腾讯", "Manager")
    assert person.contact.union_id == "wechat:ozynqsulJFCZ2z1aYeS8h-nuasdAAA"
    assert [one["name"] for one in person.profile["attributes"]] == ["文本名称", "网页名称", "测试app"]


@check
async def get_response(wecom: WeComAdapter, server: Platform) -> None:
    """Personal tags have no id and are not the company's. The sample always says that there is more."""
    answer = sample("externalcontact.get.response")
    server.reply(PREFIX + "get", answer, without(answer, "next_cursor") | {"follow_user": []})
    page = await wecom.relations_of("woAJ2GCAAAXtWyujaWJHDDGi0mACHAAA")
    assert [call.query.get("cursor") for call in server.calls(PREFIX + "get")] == [None, "NEXT_CURSOR"]
    rocky, tommy = page.relations
    assert rocky.tags == ("etAJ2GCAAAXtWyujaWJHDDGi0mACHAAA", "stAJ2GCAAAXtWyujaWJHDDGi0mACHAAA")
    assert (tommy.source, tommy.by_contact, rocky.by_contact) == ("外联二维码1", True, False)


@check
async def get_with_next_cursor(wecom: WeComAdapter, server: Platform) -> None:
    answer = sample("externalcontact.get.with_next_cursor.response")
    server.reply(PREFIX + "get", answer, without(answer, "next_cursor") | {"follow_user": []})
    page = await wecom.relations_of("wmAJ2GCAAAXtWyujaWJHDDGi0mACHBBB")
    (relation,) = page.relations
    assert (relation.way, relation.source, relation.tags) == (
        "16",
        "landing_202311",
        ("etAJ2GCAAAXtWyujaWJHDDGi0mACHAAA",),
    )
    assert (page.persons[0].kind, page.persons[0].gender) == ("wechat", "")


@check
async def remark_request(wecom: WeComAdapter, server: Platform) -> None:
    change = RelationChange("备注信息", "描述信息", "腾讯科技", ("13800000001", "13800000002"))
    await wecom.describe("zhangsan", "woAJ2GCAAAd1asdasdjO4wKmE8Aabj9AAA", change)
    expected = without(sample("externalcontact.remark.request"), "remark_pic_mediaid")
    assert asked(server, PREFIX + "remark") == expected


# Tags


@check
async def mark_tag_request(wecom: WeComAdapter, server: Platform) -> None:
    await wecom.mark("zhangsan", "woAJ2GCAAAd1NPGHKSD4wKmE8Aabj9AAA", ["TAGID1", "TAGID2"], ["TAGID3", "TAGID4"])
    assert asked(server, PREFIX + "mark_tag") == sample("externalcontact.mark_tag.request")


@check
async def get_corp_tag_list_response(wecom: WeComAdapter, server: Platform) -> None:
    """The second tag is deleted."""
    server.reply(PREFIX + "get_corp_tag_list", sample("externalcontact.get_corp_tag_list.response"))
    (group,) = await wecom.tags()
    assert (group.external_id, group.name, group.order) == ("TAG_GROUPID1", "GOURP_NAME", 1)
    assert [(tag.external_id, tag.name, tag.order) for tag in group.tags] == [("TAG_ID1", "NAME1", 1)]


@check
async def add_corp_tag_request(wecom: WeComAdapter, server: Platform) -> None:
    """With the id of the group its name and order do not count, and ``agentid`` is for old suites only."""
    server.reply(PREFIX + "get_corp_tag_list", {"errcode": 0, "tag_group": []})
    server.reply(PREFIX + "add_corp_tag", sample("externalcontact.add_corp_tag.response"))
    await wecom.add_tags(group_id="GROUP_ID", group_name="", names=["TAG_NAME_1", "TAG_NAME_2"], orders=[1, 2])
    expected = without(sample("externalcontact.add_corp_tag.request"), "group_name", "order", "agentid")
    assert asked(server, PREFIX + "add_corp_tag") == expected


@check
async def add_corp_tag_response(wecom: WeComAdapter, server: Platform) -> None:
    server.reply(PREFIX + "get_corp_tag_list", {"errcode": 0, "tag_group": []})
    server.reply(PREFIX + "add_corp_tag", sample("externalcontact.add_corp_tag.response"))
    group = await wecom.add_tags(group_id="", group_name="GOURP_NAME", names=["NAME1", "NAME2"])
    assert group.external_id == "TAG_GROUPID1"
    assert [(tag.external_id, tag.name) for tag in group.tags] == [("TAG_ID1", "NAME1"), ("TAG_ID2", "NAME2")]


@check
async def edit_corp_tag_request(wecom: WeComAdapter, server: Platform) -> None:
    await wecom.change_tag("TAG_ID", name="NEW_TAG_NAME", order=1)
    assert asked(server, PREFIX + "edit_corp_tag") == without(
        sample("externalcontact.edit_corp_tag.request"), "agentid"
    )


@check
async def del_corp_tag_request(wecom: WeComAdapter, server: Platform) -> None:
    await wecom.delete_tags(tag_ids=["TAG_ID_1", "TAG_ID_2"], group_ids=["GROUP_ID_1", "GROUP_ID_2"])
    assert asked(server, PREFIX + "del_corp_tag") == without(sample("externalcontact.del_corp_tag.request"), "agentid")


# Groups


@check
async def groupchat_list_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.groupchat.list.request")
    await wecom.group_ids(expected["cursor"], owner_ids=["abel"])
    body = asked(server, PREFIX + "groupchat/list")
    assert body | {"limit": 10} == expected | {"status_filter": 0}


@check
async def groupchat_list_response(wecom: WeComAdapter, server: Platform) -> None:
    server.reply(PREFIX + "groupchat/list", sample("externalcontact.groupchat.list.response"))
    page = await wecom.group_ids("")
    assert list(page.ids) == [("wrOgQhDgAAMYQiS5ol9G7gK9JVAAAA", "normal"), ("wrOgQhDgAAcwMTB7YmDkbeBsAAAA", "normal")]
    assert page.cursor == "tJzlB9tdqfh-g7i_J-ehOz_TWcd7dSKa39_AqCIeMFw"


@check
async def groupchat_get_request(wecom: WeComAdapter, server: Platform) -> None:
    await wecom.group("wrOgQhDgAAMYQiS5ol9G7gK9JVAAAA")
    assert asked(server, PREFIX + "groupchat/get") == sample("externalcontact.groupchat.get.request")


@check
async def groupchat_get_response(wecom: WeComAdapter, server: Platform) -> None:
    server.reply(PREFIX + "groupchat/get", sample("externalcontact.groupchat.get.response"))
    group = await wecom.group("wrOgQhDgAAMYQiS5ol9G7gK9JVAAAA")
    assert group is not None
    assert (group.name, group.owner_id, group.admin_ids) == ("销售客服群", "zhushengben", ("sam", "pony"))
    assert (group.created_at, group.version) == (at(1572505490), "71217227bbd112ecfe3a49c482195cb4")
    abel, wang = group.members
    assert (abel.kind, abel.name, abel.scene, abel.invited_by, abel.source) == (
        "member", "客服小张", "invited", "jack", "klsdup3kj3s1",
    )  # fmt: skip
    assert (wang.kind, wang.external_id) == ("contact", "wmOgQhDgAAuXFJGwbve4g4iXknfOAAAA")


# Codes and greetings


@check
async def add_contact_way_request(wecom: WeComAdapter, server: Platform) -> None:
    """The sample is a temporary button with departments; ours is a code, for the same people with the same words."""
    server.reply(PREFIX + "add_contact_way", sample("externalcontact.add_contact_way.response"))
    await wecom.make_code(CodeSpec(["zhangsan", "lisi", "wangwu"], "teststate", "渠道客户"))
    body, expected = asked(server, PREFIX + "add_contact_way"), sample("externalcontact.add_contact_way.request")
    assert body == {name: expected[name] for name in body} | {"type": 2, "scene": 2}


@check
async def add_contact_way_response(wecom: WeComAdapter, server: Platform) -> None:
    answer = sample("externalcontact.add_contact_way.response")
    server.reply(PREFIX + "add_contact_way", answer)
    assert await wecom.make_code(CodeSpec(["zhangsan"], "s")) == (answer["config_id"], answer["qr_code"])


@check
async def update_contact_way_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.update_contact_way.request")
    await wecom.change_code(expected["config_id"], CodeSpec(["zhangsan", "lisi", "wangwu"], "teststate", "渠道客户"))
    body = asked(server, PREFIX + "update_contact_way")
    assert body == {name: expected[name] for name in body}


@check
async def del_contact_way_request(wecom: WeComAdapter, server: Platform) -> None:
    await wecom.delete_code("42b34949e138eb6e027c123cba77fAAA")
    assert asked(server, PREFIX + "del_contact_way") == sample("externalcontact.del_contact_way.request")


@check
async def list_contact_way_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.list_contact_way.request")
    await wecom.codes()
    body = asked(server, PREFIX + "list_contact_way")
    assert set(body) == set(expected)
    assert (body["limit"], body["cursor"]) == (expected["limit"], "")


@check
async def list_contact_way_response(wecom: WeComAdapter, server: Platform) -> None:
    answer = sample("externalcontact.list_contact_way.response")
    server.reply(PREFIX + "list_contact_way", answer, without(answer, "next_cursor") | {"contact_way": []})
    server.reply(PREFIX + "get_contact_way", sample("externalcontact.get_contact_way.response"))
    assert list(await wecom.codes()) == [(one["config_id"], "teststate") for one in answer["contact_way"]]
    assert [call.json["cursor"] for call in server.calls(PREFIX + "list_contact_way")] == ["", "NEXT_CURSOR"]


@check
async def send_welcome_msg_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.send_welcome_msg.request")
    server.reply("media/upload", {"errcode": 0, "media_id": "MEDIA_ID"})
    server.reply("media/uploadimg", {"errcode": 0, "url": "https://example.pic.com/path"})
    file = outgoing_media(b"\x89PNG\r\n\x1a\n....", "a.png", "image/png")
    link = {"title": "消息标题", "description": "消息描述", "url": "https://example.link.com/path"}
    app = {"title": "消息标题", "app_id": "wx8bd80126147dfAAA", "path": "/path/index.html"}
    parts = [
        GreetingPart(AttachmentKind.IMAGE, media=file),
        GreetingPart(AttachmentKind.LINK, link, file),
        GreetingPart(AttachmentKind.MINIPROGRAM, app, file),
        GreetingPart(AttachmentKind.VIDEO, media=file),
        GreetingPart(AttachmentKind.FILE, media=file),
    ]
    await wecom.greet("CALLBACK_CODE", "文本消息内容", parts)
    del expected["attachments"][0]["image"]["pic_url"]  # either this or the id
    assert asked(server, PREFIX + "send_welcome_msg") == expected


# Handing over


@check
async def transfer_customer_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.transfer_customer.request")
    server.reply(PREFIX + "transfer_customer", sample("externalcontact.transfer_customer.response"))
    await wecom.transfer(
        "zhangsan", "lisi", expected["external_userid"], left=False, text=expected["transfer_success_msg"]
    )
    assert asked(server, PREFIX + "transfer_customer") == expected


@check
async def transfer_customer_response(wecom: WeComAdapter, server: Platform) -> None:
    await _accepted(wecom, server, "transfer_customer", left=False)


@check
async def resigned_transfer_customer_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.resigned.transfer_customer.request")
    server.reply(PREFIX + "resigned/transfer_customer", sample("externalcontact.resigned.transfer_customer.response"))
    await wecom.transfer("zhangsan", "lisi", expected["external_userid"], left=True, text="不用")
    assert asked(server, PREFIX + "resigned/transfer_customer") == expected


@check
async def resigned_transfer_customer_response(wecom: WeComAdapter, server: Platform) -> None:
    await _accepted(wecom, server, "resigned/transfer_customer", left=True)


async def _accepted(wecom: WeComAdapter, server: Platform, path: str, *, left: bool) -> None:
    answer = sample(f"externalcontact.{path.replace('/', '.')}.response")
    server.reply(PREFIX + path, answer)
    answers = await wecom.transfer("zhangsan", "lisi", ["wo1"], left=left)
    told = [(one.external_id, one.state is TransferState.WAITING) for one in answers]
    assert told == [(one["external_userid"], one["errcode"] == 0) for one in answer["customer"]]


@check
async def transfer_result_request(wecom: WeComAdapter, server: Platform) -> None:
    await wecom.transfer_results("zhangsan", "lisi", left=False, cursor="CURSOR")
    assert asked(server, PREFIX + "transfer_result") == sample("externalcontact.transfer_result.request")


@check
async def resigned_transfer_result_request(wecom: WeComAdapter, server: Platform) -> None:
    await wecom.transfer_results("zhangsan", "lisi", left=True, cursor="CURSOR")
    assert asked(server, PREFIX + "resigned/transfer_result") == sample(
        "externalcontact.resigned.transfer_result.request"
    )


@check
async def transfer_result_response(wecom: WeComAdapter, server: Platform) -> None:
    await _results(wecom, server, "transfer_result", left=False)


@check
async def resigned_transfer_result_response(wecom: WeComAdapter, server: Platform) -> None:
    await _results(wecom, server, "resigned/transfer_result", left=True)


async def _results(wecom: WeComAdapter, server: Platform, path: str, *, left: bool) -> None:
    server.reply(PREFIX + path, sample(f"externalcontact.{path.replace('/', '.')}.response"))
    answers, cursor = await wecom.transfer_results("zhangsan", "lisi", left=left, cursor="")
    assert cursor == "NEXT_CURSOR"
    assert [(one.state, one.at) for one in answers] == [
        (TransferState.DONE, at(1588262400)),
        (TransferState.WAITING, at(1588482400)),
        (TransferState.REFUSED, None),
    ]


@check
async def get_unassigned_list_response(wecom: WeComAdapter, server: Platform) -> None:
    server.reply(PREFIX + "get_unassigned_list", sample("externalcontact.get_unassigned_list.response"))
    waiting, cursor = await wecom.unassigned("")
    assert cursor == "aSfwejksvhToiMMfFeIGZZ"
    assert [(one.account_id, one.contact_id, one.left_at) for one in waiting] == [
        ("zhangsan", "woAJ2GCAAAd4uL12hdfsdasassdDmAAAAA", at(1550838571)),
        ("lisi", "wmAJ2GCAAAzLTI123ghsdfoGZNqqAAAA", at(1550661468)),
    ]


@check
async def groupchat_onjob_transfer_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.groupchat.onjob_transfer.request")
    await wecom.transfer_groups(expected["chat_id_list"], expected["new_owner"], left=False)
    assert asked(server, PREFIX + "groupchat/onjob_transfer") == expected


@check
async def groupchat_transfer_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.groupchat.transfer.request")
    await wecom.transfer_groups(expected["chat_id_list"], expected["new_owner"], left=True)
    assert asked(server, PREFIX + "groupchat/transfer") == expected


@check
async def groupchat_onjob_transfer_response(wecom: WeComAdapter, server: Platform) -> None:
    await _groups(wecom, server, "onjob_transfer", left=False)


@check
async def groupchat_transfer_response(wecom: WeComAdapter, server: Platform) -> None:
    await _groups(wecom, server, "transfer", left=True)


async def _groups(wecom: WeComAdapter, server: Platform, path: str, *, left: bool) -> None:
    """A group among the failed has failed, even where the sample gives it the code 0."""
    answer = sample(f"externalcontact.groupchat.{path}.response")
    server.reply(PREFIX + f"groupchat/{path}", answer)
    (failed,) = [one["chat_id"] for one in answer["failed_chat_list"]]
    answers = await wecom.transfer_groups([failed, "wrOther"], "lisi", left=left)
    assert [(one.external_id, one.state) for one in answers] == [
        (failed, TransferState.FAILED),
        ("wrOther", TransferState.DONE),
    ]
    assert answers[0].reason is not None


# Notices


@check
async def message_send_card(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("message.send.request.all_types")["textcard"]
    await wecom.notify(["zhangsan", "lisi"], NoticeCard(expected["title"], "恭喜", expected["url"], expected["btntxt"]))
    body = asked(server, "message/send")
    assert set(body["textcard"]) == set(expected)
    assert (body["touser"], body["agentid"], body["msgtype"]) == ("zhangsan|lisi", 1000002, "textcard")


@check
async def message_send_request(wecom: WeComAdapter, server: Platform) -> None:
    """Every field that we say beside the card is one of the sample's."""
    await wecom.notify(["zhangsan"], NoticeCard("题", "文", "https://e.cn"))
    assert set(asked(server, "message/send")) - {"textcard"} <= set(sample("message.send.request"))


@check
async def message_send_response(wecom: WeComAdapter, server: Platform) -> None:
    server.reply("message/send", sample("message.send.response"))
    people = [f"userid{number}" for number in range(1, 6)]
    assert list(await wecom.notify(people, NoticeCard("题", "文", "https://e.cn"))) == people[:4]
