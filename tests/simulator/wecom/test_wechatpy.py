"""The unmodified synchronous client of wechatpy works against the simulator, in a thread of its own.

Its API address is a class attribute; where its code has the platform's address written out (fetching the token), a
transport of ``requests`` leads there. No method of it is replaced.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import requests
from requests.adapters import HTTPAdapter
from wechatpy.exceptions import WeChatClientException
from wechatpy.work import WeChatClient

from .conftest import CORP, PNG, SECRET, Shop

PLATFORM = "https://qyapi.weixin.qq.com"
T = TypeVar("T")


class ToSimulator(HTTPAdapter):
    """Carries requests for the platform's address to the simulator."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = str(request.url).replace(PLATFORM, self._base_url, 1)
        return super().send(request, *args, **kwargs)


@pytest.fixture
def client(shop: Shop) -> WeChatClient:
    class Client(WeChatClient):  # type: ignore[misc]
        API_BASE_URL = f"{shop.base}/"

    client = Client(CORP, SECRET, timeout=5)
    client._http.mount(PLATFORM, ToSimulator(shop.simulator.base_url))
    return client


async def in_thread(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    return await asyncio.to_thread(call, *args, **kwargs)


async def test_token_and_directory(shop: Shop, client: WeChatClient) -> None:
    assert (await in_thread(client.fetch_access_token))["expires_in"] == 7200
    assert [d["id"] for d in await in_thread(client.department.list)] == [1]
    assert (await in_thread(client.department.get, 1))["name"] == "示例公司"
    assert [m["userid"] for m in await in_thread(client.department.get_users, 1)] == ["ZhangSan", "lisi"]
    assert (await in_thread(client.user.get, "zhangsan"))["name"] == "张三"
    assert await in_thread(client.misc.get_wechat_ips) == ["127.0.0.1"]


async def test_a_token_that_was_dropped_is_fetched_again(shop: Shop, client: WeChatClient) -> None:
    await in_thread(client.user.get, "lisi")
    for errcode in (40014, 42001):
        shop.play.invalidate_token(CORP, errcode=errcode)
        assert (await in_thread(client.user.get, "lisi"))["name"] == "李四"


async def test_media_up_and_down(shop: Shop, client: WeChatClient) -> None:
    uploaded = await in_thread(client.media.upload, "image", ("图.png", io.BytesIO(PNG)))
    address = await in_thread(client.media.get_url, uploaded["media_id"])
    answer = await in_thread(client._http.get, address)
    assert answer.content == PNG
    picture = await in_thread(client.media.upload_img, ("a.png", io.BytesIO(PNG)))
    assert picture["url"].startswith(shop.simulator.base_url)


async def test_app_messages(shop: Shop, client: WeChatClient) -> None:
    await in_thread(client.message.send_text, 1000002, ["zhangsan", "ghost"], "有新客户")
    (message,) = shop.play.member_messages(CORP, "ZhangSan")
    assert message.body == {"content": "有新客户"}
    with pytest.raises(WeChatClientException, match="81013"):
        await in_thread(client.message.send_text, 1000002, "ghost", "有人吗")


async def test_customer_service(shop: Shop, client: WeChatClient) -> None:
    code = shop.play.customer_enters(shop.kf, shop.customer)
    hello = {"text": {"content": "欢迎"}}
    assert (await in_thread(client.kf.send_msg_on_event, code, "text", hello, "w1"))["msgid"] == "w1"
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    accounts = await in_thread(client.kf.get_account_list)
    assert [account["open_kfid"] for account in accounts["account_list"]] == [shop.kf]
    with pytest.raises(WeChatClientException, match="60251"):
        await in_thread(client.kf.sync_msg, "")  # it does not know that open_kfid has become required
    page = await in_thread(client.post, "kf/sync_msg", data={"open_kfid": shop.kf})
    assert [item["msgtype"] for item in page["msg_list"]] == ["event", "text"]
    sent = await in_thread(client.kf_message.send_text, shop.customer, shop.kf, "在的")
    assert sent["msgid"]
    assert shop.seen() == ["欢迎", "在的"]
    assert (await in_thread(client.kf.get_service_state, shop.kf, shop.customer))["service_state"] == 0
    assert (await in_thread(client.kf.trans_service_state, shop.kf, shop.customer, 3, "lisi"))["msg_code"]
    assert len((await in_thread(client.kf.get_servicer_list, shop.kf))["servicer_list"]) == 2
    assert (await in_thread(client.kf.del_servicer, shop.kf, "lisi"))["result_list"][0]["errmsg"] == "success"
    assert (await in_thread(client.kf.add_servicer, shop.kf, "lisi"))["result_list"][0]["errmsg"] == "success"
    assert (await in_thread(client.kf.batchget_customer, shop.customer))["customer_list"][0]["nickname"] == "王小明"
    assert (await in_thread(client.kf.add_contact_way, shop.kf, "web"))["url"]
    assert (await in_thread(client.kf.get_upgrade_service_config))["errcode"] == 0


async def test_customer_contact(shop: Shop, client: WeChatClient) -> None:
    shop.play.create_follow(CORP, "lisi", shop.customer)
    assert (await in_thread(client.external_contact.get_follow_user_list))["follow_user"] == ["ZhangSan", "lisi"]
    assert (await in_thread(client.external_contact.list, "lisi"))["external_userid"] == [shop.customer]
    found = await in_thread(client.external_contact.get, shop.customer)
    assert found["external_contact"]["name"] == "王小明"
    with pytest.raises(WeChatClientException, match="40063"):
        await in_thread(client.external_contact.batch_get_by_user, "lisi")  # it does not know userid_list
    page = await in_thread(client.post, "externalcontact/batch/get_by_user", data={"userid_list": ["lisi"]})
    assert page["external_contact_list"][0]["follow_info"]["userid"] == "lisi"


async def test_tags(shop: Shop, client: WeChatClient) -> None:
    shop.play.create_follow(CORP, "lisi", shop.customer)
    contact = client.external_contact
    added = await in_thread(contact.add_corp_tag, None, "意向", 1, [{"name": "高", "order": 1}])
    group = added["tag_group"]
    tag_id = group["tag"][0]["id"]
    await in_thread(contact.mark_tag, "lisi", shop.customer, [tag_id])
    (follow,) = (await in_thread(contact.get, shop.customer))["follow_user"]
    assert [tag["tag_name"] for tag in follow["tags"]] == ["高"]
    await in_thread(contact.edit_corp_tag, tag_id, "很高")
    assert (await in_thread(contact.get_corp_tag_list))["tag_group"][0]["tag"][0]["name"] == "很高"
    await in_thread(contact.del_corp_tag, [tag_id])
    with pytest.raises(WeChatClientException, match="40068"):
        await in_thread(contact.del_corp_tag, [tag_id])


async def test_codes_and_welcomes(shop: Shop, client: WeChatClient) -> None:
    contact = client.external_contact
    made = await in_thread(contact.add_contact_way, 1, 2, state="flyer", user=["lisi"])
    assert made["qr_code"].startswith(shop.simulator.base_url)
    shop.play.customer_scans(CORP, made["config_id"], shop.customer)
    (follow,) = (await in_thread(contact.get, shop.customer))["follow_user"]
    assert follow["state"] == "flyer"
    code = next(iter(shop.simulator.world.corps[CORP].welcome_codes))
    await in_thread(contact.send_welcome_msg, {"welcome_code": code, "text": {"content": "您好"}})
    assert [one.text for one in shop.play.greetings(CORP)] == ["您好"]
    await in_thread(contact.update_contact_way, made["config_id"], "新备注", user=["ZhangSan"])
    way = (await in_thread(contact.get_contact_way, made["config_id"]))["contact_way"]
    assert (way["remark"], way["user"]) == ("新备注", ["ZhangSan"])
    await in_thread(contact.del_contact_way, made["config_id"])
    with pytest.raises(WeChatClientException, match="41044"):
        await in_thread(contact.get_contact_way, made["config_id"])


async def test_groups_and_those_who_left(shop: Shop, client: WeChatClient) -> None:
    chat = shop.play.create_group(CORP, "群", "lisi", [shop.customer])
    contact = client.external_contact
    assert (await in_thread(contact.get_group_chat_list, 10))["group_chat_list"] == [{"chat_id": chat, "status": 0}]
    group = (await in_thread(contact.get_group_chat_info, chat))["group_chat"]
    assert [one["userid"] for one in group["member_list"]] == ["lisi", shop.customer]
    shop.play.create_follow(CORP, "lisi", shop.customer)
    shop.play.member_leaves(CORP, "lisi")
    waiting = await in_thread(contact.get_unassigned_list)
    assert [one["external_userid"] for one in waiting["info"]] == [shop.customer]
    with pytest.raises(WeChatClientException):
        await in_thread(contact.transfer, shop.customer, "lisi", "ZhangSan")  # this address was retired
    wanted = {"handover_userid": "lisi", "takeover_userid": "ZhangSan", "external_userid": [shop.customer]}
    answer = await in_thread(client.post, "externalcontact/resigned/transfer_customer", data=wanted)
    assert answer["customer"] == [{"external_userid": shop.customer, "errcode": 0}]


async def test_a_card_for_a_member(shop: Shop, client: WeChatClient) -> None:
    await in_thread(client.message.send_text_card, 1000002, ["lisi"], "新客户", "王先生", "https://example.com", "查看")
    (message,) = shop.play.member_messages(CORP, "lisi")
    assert (message.body["title"], message.body["btntxt"]) == ("新客户", "查看")
