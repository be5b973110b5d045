"""Checks for samples of mass messages, moments and the files of both, as :mod:`tests.adapters.wecom.contact_samples` has them."""

from __future__ import annotations

from typing import Any

from adapters.wecom.adapter import WeComAdapter
from scrm.channel_campaigns import (
    AskedMember,
    AskedResult,
    MomentJob,
    MomentMember,
    MomentPost,
    Post,
    ResultState,
    TaskRef,
)
from scrm.channel_contacts import AttachmentKind, GreetingPart
from scrm.testing import outgoing_media
from tests.adapters.wecom.contact_samples import PREFIX, Check, asked, at, sample, without
from tests.adapters.wecom.support import NOW, Platform

CAMPAIGN_CHECKS: dict[str, Check] = {}
FILE = outgoing_media(b"\x89PNG\r\n\x1a\n....", "a.png", "image/png")


def check(function: Check) -> Check:
    CAMPAIGN_CHECKS[function.__name__] = function
    return function


def paged(request: dict[str, Any], limit: int) -> dict[str, Any]:
    """Our requests read pages as large as they may be."""
    return {**request, "limit": limit, "cursor": request["cursor"]}


# Mass messages


@check
async def add_msg_template_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.add_msg_template.request")
    server.reply("media/upload", {"errcode": 0, "media_id": "MEDIA_ID"})
    server.reply("media/uploadimg", {"errcode": 0, "url": "https://example.pic.com/path"})
    server.reply(PREFIX + "add_msg_template", {"errcode": 0, "msgid": "m"})
    link = {"title": "消息标题", "description": "消息描述", "url": "https://example.link.com/path"}
    app = {"title": "消息标题", "app_id": "wx8bd80126147dfAAA", "path": "/path/index.html"}
    parts = [
        GreetingPart(AttachmentKind.IMAGE, media=FILE),
        GreetingPart(AttachmentKind.LINK, link, FILE),
        GreetingPart(AttachmentKind.MINIPROGRAM, app, FILE),
        GreetingPart(AttachmentKind.VIDEO, media=FILE),
        GreetingPart(AttachmentKind.FILE, media=FILE),
    ]
    await wecom.ask("zhangsan", Post("文本消息内容", parts), contact_ids=expected["external_userid"])
    del expected["attachments"][0]["image"]["pic_url"]  # either this or the id
    assert asked(server, PREFIX + "add_msg_template") == expected


@check
async def add_msg_template_group_request(wecom: WeComAdapter, server: Platform) -> None:
    """We never let the member choose other groups."""
    expected = without(sample("externalcontact.add_msg_template.group.request"), "allow_select")
    server.reply(PREFIX + "add_msg_template", {"errcode": 0, "msgid": "m"})
    said = expected["attachments"][0]["link"]
    link = {"title": said["title"], "description": said["desc"], "url": said["url"], "image_url": said["picurl"]}
    post = Post(expected["text"]["content"], [GreetingPart(AttachmentKind.LINK, link)])
    await wecom.ask("zhangsan", post, group_ids=expected["chat_id_list"])
    assert asked(server, PREFIX + "add_msg_template") == expected


@check
async def add_msg_template_response(wecom: WeComAdapter, server: Platform) -> None:
    server.reply(PREFIX + "add_msg_template", sample("externalcontact.add_msg_template.response"))
    told = await wecom.ask("zhangsan", Post("x"), contact_ids=["wm"])
    assert told == ("msgGCAAAXtWyujaWJHDDGi0mAAAA", ["wmqfasd1e1927831123109rBAAAA"])


@check
async def get_groupmsg_list_request(wecom: WeComAdapter, server: Platform) -> None:
    """Ours are those of the company, whoever made them."""
    expected = paged(without(sample("externalcontact.get_groupmsg_list_v2.request"), "creator"), 100)
    await wecom.tasks(groups=False, since=at(1605171726), until=at(1605172726), cursor="CURSOR")
    assert asked(server, PREFIX + "get_groupmsg_list_v2") == {**expected, "filter_type": 0}


@check
async def get_groupmsg_list_response(wecom: WeComAdapter, server: Platform) -> None:
    """The sample's time is no time."""
    server.reply(PREFIX + "get_groupmsg_list_v2", sample("externalcontact.get_groupmsg_list_v2.response"))
    page, cursor = await wecom.tasks(groups=False, since=at(1605171726), until=at(1605172726), cursor="")
    assert (page, cursor) == ([TaskRef("msgGCAAAXtWyujaWJHDDGi0mAAAA", "文本消息内容", NOW)], "CURSOR")


@check
async def get_groupmsg_task_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = paged(sample("externalcontact.get_groupmsg_task.request"), 1000)
    await wecom.asked_members(expected["msgid"], expected["cursor"])
    assert asked(server, PREFIX + "get_groupmsg_task") == expected


@check
async def get_groupmsg_task_response(wecom: WeComAdapter, server: Platform) -> None:
    """The sample writes 1 where the text says 2."""
    server.reply(PREFIX + "get_groupmsg_task", sample("externalcontact.get_groupmsg_task.response"))
    assert await wecom.asked_members("m", "") == ([AskedMember("zhangsan", at(1552536375))], "CURSOR")


@check
async def get_groupmsg_send_result_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = paged(sample("externalcontact.get_groupmsg_send_result.request"), 1000)
    await wecom.asked_results(expected["msgid"], expected["userid"], expected["cursor"])
    assert asked(server, PREFIX + "get_groupmsg_send_result") == expected


@check
async def get_groupmsg_send_result_response(wecom: WeComAdapter, server: Platform) -> None:
    server.reply(PREFIX + "get_groupmsg_send_result", sample("externalcontact.get_groupmsg_send_result.response"))
    told = [AskedResult("wmqfasd1e19278asdasAAAA", ResultState.SENT, at(1552536375))]
    assert await wecom.asked_results("m", "zhangsan", "") == (told, "CURSOR")


@check
async def get_groupmsg_send_result_states(wecom: WeComAdapter, server: Platform) -> None:
    name = "externalcontact.get_groupmsg_send_result.all_status.response"
    server.reply(PREFIX + "get_groupmsg_send_result", sample(name))
    told, cursor = await wecom.asked_results("m", "zhangsan", "")
    assert ([one.state.value for one in told], cursor) == (["waiting", "sent", "not_a_friend", "limit_reached"], "")
    assert [one.sent_at for one in told] == [None, at(1700000000), None, None]


@check
async def remind_groupmsg_send_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.remind_groupmsg_send.request")
    await wecom.remind(expected["msgid"])
    assert asked(server, PREFIX + "remind_groupmsg_send") == expected


@check
async def cancel_groupmsg_send_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.cancel_groupmsg_send.request")
    await wecom.withdraw(expected["msgid"])
    assert asked(server, PREFIX + "cancel_groupmsg_send") == expected


# Moments


@check
async def add_moment_task_request(wecom: WeComAdapter, server: Platform) -> None:
    """The sample has a picture, a video and a link at once, which the platform itself refuses; we name members, never departments."""
    expected = sample("externalcontact.add_moment_task.request")
    server.reply("media/upload_attachment", {"errcode": 0, "media_id": "MEDIA_ID"})
    server.reply(PREFIX + "add_moment_task", {"errcode": 0, "jobid": "j"})
    del expected["visible_range"]["sender_list"]["department_list"]
    link = without(expected["attachments"][2]["link"], "media_id")
    parts = [
        GreetingPart(AttachmentKind.IMAGE, media=FILE),
        GreetingPart(AttachmentKind.VIDEO, media=FILE),
        GreetingPart(AttachmentKind.LINK, link, FILE),
    ]
    tags = expected["visible_range"]["external_contact_list"]["tag_list"]
    for part in parts:
        await wecom.post_moment(MomentPost("文本消息内容", [part], ["zhangshan", "lisi"], tags))
    told = [call.json for call in server.calls(PREFIX + "add_moment_task")]
    assert told == [{**expected, "attachments": [one]} for one in expected["attachments"]]


@check
async def add_moment_task_response(wecom: WeComAdapter, server: Platform) -> None:
    server.reply(PREFIX + "add_moment_task", sample("externalcontact.add_moment_task.response"))
    assert await wecom.post_moment(MomentPost("x", account_ids=["zhangsan"])) == "xxxx"


@check
async def get_moment_task_result_response(wecom: WeComAdapter, server: Platform) -> None:
    """The sample has a result in the state 1, which is the beginning."""
    answer = sample("externalcontact.get_moment_task_result.response")
    server.reply(PREFIX + "get_moment_task_result", answer)
    assert await wecom.moment_job("j") == MomentJob("waiting")
    assert server.calls(PREFIX + "get_moment_task_result")[0].query["jobid"] == "j"
    server.reply(PREFIX + "get_moment_task_result", {**answer, "status": 3})
    assert await wecom.moment_job("j") == MomentJob("done", "xxxx", ["zhangshan", "lisi"], refused_tags=["xxx"])


@check
async def get_moment_list_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = paged(without(sample("externalcontact.get_moment_list.request"), "creator"), 20)
    await wecom.moments(since=at(1605000000), until=at(1605172726), cursor="CURSOR")
    assert asked(server, PREFIX + "get_moment_list") == {**expected, "filter_type": 0}


@check
async def get_moment_list_response(wecom: WeComAdapter, server: Platform) -> None:
    """The sample's time is no time."""
    server.reply(PREFIX + "get_moment_list", sample("externalcontact.get_moment_list.response"))
    page, cursor = await wecom.moments(since=at(1605000000), until=at(1605172726), cursor="")
    assert (page, cursor) == ([TaskRef("momxxx", "test", NOW)], "CURSOR")


@check
async def get_moment_task_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = paged(sample("externalcontact.get_moment_task.request"), 1000)
    await wecom.moment_members(expected["moment_id"], expected["cursor"])
    assert asked(server, PREFIX + "get_moment_task") == expected


@check
async def get_moment_task_response(wecom: WeComAdapter, server: Platform) -> None:
    server.reply(PREFIX + "get_moment_task", sample("externalcontact.get_moment_task.response"))
    assert await wecom.moment_members("momxxx", "") == ([MomentMember("zhangsan", published=True)], "CURSOR")


@check
async def get_moment_customer_list_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = paged(sample("externalcontact.get_moment_customer_list.request"), 1000)
    await wecom.moment_audience(expected["moment_id"], expected["userid"], expected["cursor"])
    assert asked(server, PREFIX + "get_moment_customer_list") == expected


@check
async def get_moment_customer_list_response(wecom: WeComAdapter, server: Platform) -> None:
    """The sample's id has blanks at its end."""
    server.reply(PREFIX + "get_moment_customer_list", sample("externalcontact.get_moment_customer_list.response"))
    assert await wecom.moment_audience("momxxx", "xxx", "") == (["woAJ2GCAAAXtWyujaWJHDDGi0mACCCC"], "CURSOR")


@check
async def get_moment_send_result_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = paged(sample("externalcontact.get_moment_send_result.request"), 5000)
    await wecom.moment_receivers(expected["moment_id"], expected["userid"], expected["cursor"])
    assert asked(server, PREFIX + "get_moment_send_result") == expected


@check
async def get_moment_send_result_response(wecom: WeComAdapter, server: Platform) -> None:
    server.reply(PREFIX + "get_moment_send_result", sample("externalcontact.get_moment_send_result.response"))
    assert await wecom.moment_receivers("momxxx", "xxx", "") == (["woAJ2GCAAAXtWyujaWJHDDGi0mACCCC"], "CURSOR")


@check
async def get_moment_comments_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.get_moment_comments.request")
    await wecom.moment_reactions(expected["moment_id"], expected["userid"])
    assert asked(server, PREFIX + "get_moment_comments") == expected


@check
async def get_moment_comments_response(wecom: WeComAdapter, server: Platform) -> None:
    """A colleague's comment and like are none of a customer's."""
    server.reply(PREFIX + "get_moment_comments", sample("externalcontact.get_moment_comments.response"))
    told = await wecom.moment_reactions("momxxx", "xxx")
    assert told.comments == [("woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA", at(1605172726))]
    assert told.likes == [("woAJ2GCAAAXtWyujaWJHDDGi0mACBBBB", at(1605172726))]


@check
async def cancel_moment_task_request(wecom: WeComAdapter, server: Platform) -> None:
    expected = sample("externalcontact.cancel_moment_task.request")
    await wecom.withdraw_moment(expected["moment_id"])
    assert asked(server, PREFIX + "cancel_moment_task") == expected


# Files


@check
async def upload_attachment_response(wecom: WeComAdapter, server: Platform) -> None:
    answer = sample("media.upload_attachment.response")
    assert answer == sample("media.upload_attachment.doc.response")
    server.reply("media/upload_attachment", answer)
    server.reply(PREFIX + "add_moment_task", {"errcode": 0, "jobid": "j"})
    await wecom.post_moment(MomentPost("", [GreetingPart(AttachmentKind.IMAGE, media=FILE)], ["zhangsan"]))
    query = server.calls("media/upload_attachment")[0].query
    assert (query["media_type"], query["attachment_type"]) == ("image", "1")
    body = asked(server, PREFIX + "add_moment_task")
    assert body["attachments"] == [{"msgtype": "image", "image": {"media_id": answer["media_id"]}}]


@check
async def uploadimg_response(wecom: WeComAdapter, server: Platform) -> None:
    answer = sample("media.uploadimg.response")
    server.reply("media/uploadimg", answer)
    server.reply(PREFIX + "add_msg_template", {"errcode": 0, "msgid": "m"})
    link = GreetingPart(AttachmentKind.LINK, {"title": "消息标题", "url": "https://example.link.com/path"}, FILE)
    await wecom.ask("zhangsan", Post("", [link]), contact_ids=["wm"])
    assert asked(server, PREFIX + "add_msg_template")["attachments"][0]["link"]["picurl"] == answer["url"]
