"""The simulator's answers have the shape of the platform's own samples, and the samples' requests fit.

The samples lie beside the repository; where they are absent, only the table of shapes below is compared.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import CORP, PNG, Json, Shop

SAMPLES = Path(__file__).parents[4] / "shared/platforms/wecom-samples"

OPTIONAL = {
    "message.send": {"invaliduser", "invalidparty", "invalidtag", "unlicenseduser", "response_code"},
    "externalcontact.get": {"next_cursor"},
}
SHAPES = {
    "gettoken": {"errcode", "errmsg", "access_token", "expires_in"},
    "getcallbackip": {"errcode", "errmsg", "ip_list"},
    "kf.account.add": {"errcode", "errmsg", "open_kfid"},
    "kf.account.list": {"errcode", "errmsg", "account_list"},
    "kf.customer.batchget": {"errcode", "errmsg", "customer_list", "invalid_external_userid"},
    "kf.send_msg": {"errcode", "errmsg", "msgid"},
    "kf.send_msg_on_event": {"errcode", "errmsg", "msgid"},
    "kf.service_state.get": {"errcode", "errmsg", "service_state", "servicer_userid"},
    "kf.service_state.trans": {"errcode", "errmsg", "msg_code"},
    "kf.servicer.add": {"errcode", "errmsg", "result_list"},
    "kf.servicer.list": {"errcode", "errmsg", "servicer_list"},
    "kf.sync_msg": {"errcode", "errmsg", "next_cursor", "has_more", "msg_list"},
    "media.upload": {"errcode", "errmsg", "type", "media_id", "created_at"},
}


def sample(name: str) -> Json | None:
    path = SAMPLES / f"api.{name}.json"
    return dict(json.loads(path.read_text())) if path.exists() else None


async def play_through(shop: Shop) -> dict[str, Json]:
    """One good answer of every call, by the samples' names."""
    who = {"open_kfid": shop.kf, "external_userid": shop.customer}
    answers: dict[str, Json] = {}
    async with shop.http.get(f"{shop.base}/gettoken", params={"corpid": CORP, "corpsecret": "x"}) as response:
        assert (await response.json())["errcode"] == 40001
    async with shop.http.get(
        f"{shop.base}/gettoken",
        params={"corpid": CORP, "corpsecret": shop.simulator.world.corps[CORP].apps[1000002].secret},
    ) as response:
        answers["gettoken"] = await response.json()
    answers["getcallbackip"] = await shop.get("getcallbackip")
    answers["media.upload"] = await shop.upload("image", PNG)
    named = {"name": "新的账号", "media_id": answers["media.upload"]["media_id"]}
    answers["kf.account.add"] = await shop.post("kf/account/add", named)
    added = {"open_kfid": answers["kf.account.add"]["open_kfid"]}
    answers["kf.account.update"] = await shop.post("kf/account/update", {**added, **named})
    answers["kf.account.del"] = await shop.post("kf/account/del", added)
    answers["kf.account.list"] = await shop.post("kf/account/list", {"offset": 0, "limit": 100})
    servicers = {"open_kfid": shop.kf, "userid_list": ["lisi"], "department_id_list": [1]}
    answers["kf.servicer.del"] = await shop.post("kf/servicer/del", servicers)
    answers["kf.servicer.add"] = await shop.post("kf/servicer/add", servicers)
    answers["kf.servicer.list"] = await shop.get("kf/servicer/list", open_kfid=shop.kf)
    channels = {"nickname": "视频号", "scene": 1, "shop_nickname": "小店"}
    code = shop.play.customer_enters(shop.kf, shop.customer, "123", "abc", channels)
    text = {"msgtype": "text", "text": {"content": "欢迎"}}
    answers["kf.send_msg_on_event"] = await shop.post("kf/send_msg_on_event", {"code": code, "msgid": "W1", **text})
    shop.play.customer_says(shop.kf, shop.customer, "hello", menu_id="101")
    message = {"touser": shop.customer, "open_kfid": shop.kf, "msgid": "M1", **text}
    answers["kf.send_msg"] = await shop.post("kf/send_msg", message)
    answers["kf.sync_msg"] = await shop.sync(limit=1000, voice_format=0)
    wanted = {"external_userid_list": [shop.customer, "zhangsan"], "need_enter_session_context": 1}
    answers["kf.customer.batchget"] = await shop.post("kf/customer/batchget", wanted)
    answers["kf.customer.get_upgrade_service_config"] = await shop.get("kf/customer/get_upgrade_service_config")
    take = {**who, "service_state": 3, "servicer_userid": "lisi"}
    answers["kf.service_state.trans"] = await shop.post("kf/service_state/trans", take)
    answers["kf.service_state.get"] = await shop.post("kf/service_state/get", who)
    answers["department.list"] = await shop.get("department/list")
    answers["user.simplelist"] = await shop.get("user/simplelist", department_id="1")
    note = {"touser": "lisi", "agentid": 1000002, **text, "safe": 0}
    answers["message.send"] = await shop.post("message/send", note)
    answers["message.recall"] = await shop.post("message/recall", {"msgid": answers["message.send"]["msgid"]})
    shop.play.create_follow(CORP, "lisi", shop.customer, state="s")
    answers["externalcontact.get"] = await shop.get("externalcontact/get", external_userid=shop.customer)
    answers["externalcontact.list"] = await shop.get("externalcontact/list", userid="lisi")
    answers["externalcontact.get_follow_user_list"] = await shop.get("externalcontact/get_follow_user_list")
    by_user = {"userid_list": ["lisi"], "cursor": "", "limit": 100}
    answers["externalcontact.batch.get_by_user"] = await shop.post("externalcontact/batch/get_by_user", by_user)
    answers["externalcontact.get_corp_tag_list"] = await shop.post("externalcontact/get_corp_tag_list", {})
    chat = shop.play.create_group(CORP, "群", "lisi", [shop.customer])
    answers["externalcontact.groupchat.list"] = await shop.post("externalcontact/groupchat/list", {"limit": 10})
    answers["externalcontact.groupchat.get"] = await shop.post("externalcontact/groupchat/get", {"chat_id": chat})
    return answers | await play_customer_contact(shop, chat)


async def play_customer_contact(shop: Shop, chat: str) -> dict[str, Json]:
    answers: dict[str, Json] = {}

    async def post(path: str, body: Json) -> Json:
        answers[f"externalcontact.{path.replace('/', '.')}"] = answer = await shop.post(f"externalcontact/{path}", body)
        return answer

    tag = (await post("add_corp_tag", {"group_name": "意向", "tag": [{"name": "高"}]}))["tag_group"]["tag"][0]["id"]
    way = await post("add_contact_way", {"type": 2, "scene": 2, "user": ["lisi"], "state": "s"})
    await post("get_contact_way", {"config_id": way["config_id"]})
    await post("list_contact_way", {})
    await post("mark_tag", {"userid": "lisi", "external_userid": shop.customer, "add_tag": [tag]})
    await post("remark", {"userid": "lisi", "external_userid": shop.customer, "remark": "王"})
    answers |= await play_campaigns(shop)
    givers = {"handover_userid": "lisi", "takeover_userid": "ZhangSan"}
    await post("transfer_customer", {**givers, "external_userid": [shop.customer]})
    await post("transfer_result", givers)
    await post("groupchat/onjob_transfer", {"chat_id_list": [chat], "new_owner": "ZhangSan"})
    await post("unionid_to_external_userid", {"unionid": "o6_bmjrPTlm6"})
    shop.play.answer_transfer(CORP, shop.customer, accepts=False)
    shop.play.member_leaves(CORP, "lisi")
    await post("get_unassigned_list", {})
    await post("resigned/transfer_customer", {**givers, "external_userid": [shop.customer]})
    await post("resigned/transfer_result", givers)
    await post("groupchat/transfer", {"chat_id_list": ["wr0"], "new_owner": "ZhangSan"})
    return answers


async def play_campaigns(shop: Shop) -> dict[str, Json]:
    answers: dict[str, Json] = {}

    async def post(path: str, body: Json) -> Json:
        answers[f"externalcontact.{path}"] = answer = await shop.post(f"externalcontact/{path}", body)
        return answer

    now, text = shop.play._now(), {"text": {"content": "新品"}}
    span = {"start_time": now - 60, "end_time": now + 60}
    task = {
        "msgid": (await post("add_msg_template", {"sender": "lisi", "external_userid": [shop.customer], **text}))[
            "msgid"
        ]
    }
    job = await post("add_moment_task", {**text, "visible_range": {"sender_list": {"user_list": ["lisi"]}}})
    shop.play.advance_clock(10)
    shop.play.confirm_mass(CORP, task["msgid"])
    await post("get_groupmsg_list_v2", {"chat_type": "single", **span})
    await post("get_groupmsg_task", task)
    await post("get_groupmsg_send_result", {**task, "userid": "lisi"})
    path = "externalcontact/get_moment_task_result"
    answers["externalcontact.get_moment_task_result"] = answer = await shop.get(path, jobid=job["jobid"])
    moment = {"moment_id": answer["result"]["moment_id"]}
    shop.play.publish_moment(CORP, moment["moment_id"], "lisi")
    shop.play.like_moment(CORP, moment["moment_id"], "lisi", shop.customer)
    shop.play.comment_moment(CORP, moment["moment_id"], "lisi", shop.customer)
    await post("get_moment_list", span)
    await post("get_moment_task", moment)
    for what in ("get_moment_customer_list", "get_moment_send_result", "get_moment_comments"):
        await post(what, {**moment, "userid": "lisi"})
    return answers


async def test_answers_have_the_samples_top_level_names(shop: Shop) -> None:
    answers = await play_through(shop)
    for name, answer in answers.items():
        assert answer["errcode"] == 0, (name, answer)
        expected = sample(f"{name}.response")
        names = set(expected) if expected is not None else SHAPES.get(name)
        if names is not None:
            assert set(answer) <= names, name
            assert names - set(answer) <= OPTIONAL.get(name, set()), name


async def test_inner_objects_have_the_samples_names(shop: Shop) -> None:
    answers = await play_through(shop)
    for name, field in (
        ("kf.account.list", "account_list"),
        ("kf.customer.batchget", "customer_list"),
        ("kf.servicer.add", "result_list"),
        ("department.list", "department"),
        ("externalcontact.get_groupmsg_task", "task_list"),
        ("externalcontact.get_moment_task", "task_list"),
        ("externalcontact.get_moment_customer_list", "customer_list"),
        ("externalcontact.get_moment_send_result", "customer_list"),
        ("externalcontact.get_moment_comments", "like_list"),
        ("externalcontact.get_moment_comments", "comment_list"),
    ):
        expected = sample(f"{name}.response")
        if expected is not None:
            assert set(answers[name][field][0]) == set(expected[field][0]), name
    result = sample("externalcontact.get_moment_task_result.response")
    if result is not None:
        assert set(answers["externalcontact.get_moment_task_result"]["result"]) == set(result["result"])
    profile = answers["kf.customer.batchget"]["customer_list"][0]
    assert set(profile["enter_session_context"]) == {"scene", "scene_param", "wechat_channels"}


async def test_items_of_sync_msg_have_the_samples_names(shop: Shop) -> None:
    """Every sample item can be played, and comes back with the sample's names."""
    for path in sorted(SAMPLES.glob("kf.msg.*.json")):
        item = json.loads(path.read_text())
        msgtype = item["msgtype"]
        if item["origin"] == 3:
            shop.play.customer_sends(shop.kf, shop.customer, msgtype, item.get(msgtype))
        else:
            shop.play.servicer_sends(shop.kf, shop.customer, "lisi", msgtype, item[msgtype])
        played = [i for i in (await shop.sync())["msg_list"] if i["msgtype"] != "event"][-1]
        assert set(played) == set(item), path.name
        assert played.get(msgtype) == item.get(msgtype), path.name


async def test_events_of_sync_msg_have_the_samples_names(shop: Shop) -> None:
    play, kf, who = shop.play, shop.kf, shop.customer
    play.customer_enters(kf, who, "123", "abc", {"nickname": "n", "scene": 1})
    said = play.customer_says(kf, who, "在吗")
    play.fail_next_sends(kf, who, 4)
    await shop.send("在的")
    play.customer_recalls(kf, said)
    trans = {"open_kfid": kf, "external_userid": who, "service_state": 2}
    await shop.post("kf/service_state/trans", trans)
    play.servicer_takes(kf, who, "lisi")
    play.servicer_recalls(kf, play.servicer_says(kf, who, "lisi", "我来"), "lisi")
    play.servicer_rejects(kf, who, "lisi")
    play.servicer_status(kf, "lisi", stopped=True)
    told = {event["event_type"]: event for event in await shop.events()}
    assert set(told) == {
        "enter_session",
        "msg_send_fail",
        "user_recall_msg",
        "session_status_change",
        "servicer_recall_msg",
        "reject_customer_msg_switch_change",
        "servicer_status_change",
    }
    for name, event in told.items():
        path = SAMPLES / f"kf.event.{name}.json"
        if path.exists():
            expected = set(json.loads(path.read_text())["event"])
            assert expected - set(event) <= {"old_servicer_userid"}, name
            assert set(event) <= expected, name


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("kf.account.list", {0}),
        ("kf.account.add", {40007}),
        ("kf.account.update", {95004}),
        ("kf.account.del", {95004}),
        ("kf.customer.batchget", {0}),
        ("kf.send_msg", {40096, 95000}),
        ("kf.send_msg_on_event", {41050}),
        ("kf.service_state.get", {95004}),
        ("kf.service_state.trans", {95004}),
        ("kf.servicer.add", {95000}),
        ("kf.servicer.del", {95000}),
        ("kf.sync_msg", {95004}),
        ("externalcontact.batch.get_by_user", {0}),
        ("externalcontact.get_corp_tag_list", {0}),
        ("externalcontact.groupchat.get", {40050}),
        ("externalcontact.groupchat.list", {50100}),
        ("externalcontact.remark", {84061, 40096}),
        ("externalcontact.mark_tag", {84061, 40096}),
        ("externalcontact.add_corp_tag", {40068}),
        ("externalcontact.edit_corp_tag", {40068}),
        ("externalcontact.del_corp_tag", {40068}),
        ("externalcontact.add_contact_way", {60111}),
        ("externalcontact.update_contact_way", {41044}),
        ("externalcontact.del_contact_way", {41044}),
        ("externalcontact.list_contact_way", {50100}),
        ("externalcontact.send_welcome_msg", {41050}),
        ("externalcontact.transfer_customer", {0}),
        ("externalcontact.transfer_result", {50100}),
        ("externalcontact.resigned.transfer_customer", {40097}),
        ("externalcontact.groupchat.onjob_transfer", {0}),
        ("externalcontact.add_msg_template", {40007}),
        ("externalcontact.get_groupmsg_list_v2", {50100}),
        ("externalcontact.get_groupmsg_task", {41047}),
        ("externalcontact.get_groupmsg_send_result", {41047}),
        ("externalcontact.remind_groupmsg_send", {41047}),
        ("externalcontact.cancel_groupmsg_send", {41047}),
        ("externalcontact.add_moment_task", {41065}),
        ("externalcontact.get_moment_list", {50100}),
        ("externalcontact.get_moment_task", {41060}),
        ("externalcontact.get_moment_customer_list", {41060}),
        ("externalcontact.get_moment_send_result", {41060}),
        ("externalcontact.get_moment_comments", {41060}),
        ("externalcontact.cancel_moment_task", {41060}),
        ("message.recall", {40058}),
    ],
)
async def test_the_samples_requests_fail_only_for_their_made_up_ids(shop: Shop, name: str, fits: set[int]) -> None:
    request = sample(f"{name}.request")
    if request is not None:
        assert (await shop.post(name.replace(".", "/"), request))["errcode"] in fits
