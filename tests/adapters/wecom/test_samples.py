"""Every sample of the platform reference, against the row that says what it must become (samples.toml).

The samples lie beside the repository, not in it. Where they are absent this loop has nothing to do and says so; the
repository's own payloads (test_payloads.py) cover the same kinds.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from adapters.wecom.adapter import WeComAdapter
from adapters.wecom.archive_records import understand
from adapters.wecom.parse import parse
from adapters.wecom.verify import CallbackVerifier
from scrm.channel import AccountRef, Challenge, ContactRef, Kind, OutgoingMessage, Raw, Verified, WebhookRequest
from scrm.errors import SendError
from scrm.testing import outgoing_media
from tests.adapters.wecom.archive_plain import plain_record
from tests.adapters.wecom.archive_samples import ARCHIVE_CHECKS
from tests.adapters.wecom.bill_samples import BILL_CHECKS
from tests.adapters.wecom.campaign_samples import CAMPAIGN_CHECKS
from tests.adapters.wecom.contact_samples import CONTACT_CHECKS
from tests.adapters.wecom.support import RECEIVED, Platform, plain

ROWS: Mapping[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("samples.toml").read_text())
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "platforms" / "wecom-samples"
ABSENT = (
    f"the platform samples are not here ({SAMPLES.parent.parent.name}/platforms/wecom-samples beside the repository)"
)
DURING_CALL = {"token": "gettoken", "fetch": "media/get", "welcome": "kf/send_msg_on_event", "send": "kf/send_msg"}

needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=ABSENT)


def rows(kind: str) -> list[str]:
    return sorted(name for name, row in ROWS.items() if kind in row)


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def sample_json(name: str) -> Any:
    return json.loads(sample(name))


def text_message(**changed: Any) -> OutgoingMessage:
    fields: dict[str, Any] = {
        "account_id": "OPEN_KFID",
        "contact_id": "EXTERNAL_USERID",
        "kind": Kind.TEXT,
        "text": "你好，这是测试消息",
        "idempotency_key": "MSGID",
    }
    return OutgoingMessage(**{**fields, **changed})


def test_each_row_says_one_thing() -> None:
    for name, row in ROWS.items():
        assert len(row) == 1, name
        assert set(row) <= {"archive", "becomes", "check", "error", "ignored"}, name


@needs_samples
def test_every_sample_has_a_row_and_every_row_a_sample() -> None:
    files = {path.name for path in SAMPLES.iterdir()} - {"INDEX.md"}
    assert sorted(files - set(ROWS)) == [], "samples without a row"
    assert sorted(set(ROWS) - files) == [], "rows without a sample"


@needs_samples
@pytest.mark.parametrize("name", rows("becomes"))
def test_a_callback_or_message_becomes_its_events(name: str) -> None:
    source = "kf:wk-of-the-stream" if name.startswith("kf.") else "webhook"
    assert [plain(event) for event in parse(Raw(source, sample(name), RECEIVED))] == ROWS[name]["becomes"]


@needs_samples
@pytest.mark.parametrize("name", rows("archive"))
def test_a_record_of_the_archive_says_what_it_says(name: str) -> None:
    assert plain_record(understand(sample(name))) == ROWS[name]["archive"]


@needs_samples
@pytest.mark.parametrize("name", rows("error"))
async def test_an_error_becomes_what_it_lets_us_be_certain_of(
    name: str, adapter: WeComAdapter, server: Platform
) -> None:
    expected = ROWS[name]["error"]
    server.reply(DURING_CALL[expected["during"]], sample_json(name))
    with pytest.raises(SendError) as raised:
        await call(adapter, expected["during"])
    error = raised.value
    told = {"type": type(error).__name__, "code": error.code}
    told |= {
        name: value
        for name, value in vars(error).items()
        if name in ("after", "needs_admin", "closes_window") and value
    }
    assert told == {name: value for name, value in expected.items() if name != "during"}
    assert error.reason.zh
    assert error.reason.en


async def call(adapter: WeComAdapter, during: str) -> None:
    if during == "fetch":
        assert [piece async for piece in adapter.fetch({"media_id": "m"})]
    else:
        await adapter.send(text_message(welcome_code="CODE" if during == "welcome" else ""))


# Checks: our request is the sample, or what we read from the sample

Check = Callable[[WeComAdapter, Platform], Awaitable[None]]


async def gettoken_response(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("gettoken", sample_json("api.gettoken.response.json"))
    await adapter.send(text_message())
    assert server.calls("kf/send_msg")[0].query == {"access_token": "accesstoken000001"}


async def kf_account_list_request(adapter: WeComAdapter, server: Platform) -> None:
    await adapter.accounts()
    assert server.calls("kf/account/list")[0].json == sample_json("api.kf.account.list.request.json")


async def kf_account_list_response(adapter: WeComAdapter, server: Platform) -> None:
    """The sample's account is not granted to the app; the same account, granted, is served."""
    answer = sample_json("api.kf.account.list.response.json")
    server.reply("kf/account/list", answer)
    assert await adapter.accounts() == []
    entry = answer["account_list"][0]
    server.reply("kf/account/list", {**answer, "account_list": [{**entry, "manage_privilege": True}]})
    assert await adapter.accounts() == [AccountRef("wecom_kf", entry["open_kfid"], "咨询客服", entry["avatar"])]
    assert await adapter.streams() == [f"kf:{entry['open_kfid']}"]


async def kf_customer_batchget_request(adapter: WeComAdapter, server: Platform) -> None:
    await adapter.profiles(["wmxxxxxxxxxxxxxxxxxxxxxx", "zhangsan"])
    assert server.calls("kf/customer/batchget")[0].json == sample_json("api.kf.customer.batchget.request.json")


async def kf_customer_batchget_response(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/customer/batchget", sample_json("api.kf.customer.batchget.response.json"))
    assert await adapter.profiles(["wmxxxxxxxxxxxxxxxxxxxxxx", "zhangsan"]) == [
        ContactRef("wmxxxxxxxxxxxxxxxxxxxxxx", "张三", "http://xxxxx", "wechat:oxasdaosaosdasdasdasd")
    ]


async def kf_send_msg_request(adapter: WeComAdapter, server: Platform) -> None:
    await adapter.send(text_message())
    assert server.calls("kf/send_msg")[0].json == sample_json("api.kf.send_msg.request.json")


async def kf_send_msg_response(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/send_msg", sample_json("api.kf.send_msg.response.json"))
    assert (await adapter.send(text_message())).platform_message_id == "MSG_ID"


async def kf_send_msg_on_event_request(adapter: WeComAdapter, server: Platform) -> None:
    await adapter.send(text_message(text="欢迎咨询", idempotency_key="MSG_ID", welcome_code="CODE"))
    assert server.calls("kf/send_msg_on_event")[0].json == sample_json("api.kf.send_msg_on_event.request.json")


async def kf_send_msg_on_event_response(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/send_msg_on_event", sample_json("api.kf.send_msg_on_event.response.json"))
    assert (await adapter.send(text_message(welcome_code="CODE"))).platform_message_id == "MSG_ID"


async def kf_service_state_get_request(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/service_state/get", {"errcode": 0, "service_state": 0})
    await adapter.session("wkxxxxxxxxxxxxxxxxxx", "wmxxxxxxxxxxxxxxxxxx")
    assert server.calls("kf/service_state/get")[0].json == sample_json("api.kf.service_state.get.request.json")


async def kf_service_state_get_response(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/service_state/get", sample_json("api.kf.service_state.get.response.json"))
    state = await adapter.session("wk", "wm")
    assert (state.service_state, state.can_send, state.servicer_id) == ("human", False, "zhangsan")
    assert state.reason is not None


async def kf_service_state_trans_request(adapter: WeComAdapter, server: Platform) -> None:
    """The sample hands over to a colleague; we end, which names none."""
    await adapter.end_session("wkxxxxxxxxxxxxxxxxxx", "wmxxxxxxxxxxxxxxxxxx")
    expected = sample_json("api.kf.service_state.trans.request.json") | {"service_state": 4}
    del expected["servicer_userid"]
    assert server.calls("kf/service_state/trans")[0].json == expected


async def kf_service_state_trans_response(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/service_state/trans", sample_json("api.kf.service_state.trans.response.json"))
    await adapter.end_session("wk", "wm")
    assert len(server.calls("kf/service_state/trans")) == 1


async def kf_sync_msg_request(adapter: WeComAdapter, server: Platform) -> None:
    expected = sample_json("api.kf.sync_msg.request.json")
    await adapter.pull(f"kf:{expected['open_kfid']}", expected["cursor"], expected["token"])
    assert server.calls("kf/sync_msg")[0].json == expected


async def kf_sync_msg_response(adapter: WeComAdapter, server: Platform) -> None:
    answer = sample_json("api.kf.sync_msg.response.json")
    server.reply("kf/sync_msg", answer)
    page = await adapter.pull("kf:wk", "", "")
    assert (page.cursor, page.has_more) == ("4gw7MepFLfgF2VC5npN", True)
    (item,) = page.items
    assert item.dedupe_key == "from_msgid_4622416642169452483"
    assert json.loads(item.body) == answer["msg_list"][0]


async def kf_sync_msg_page_empty_has_more_response(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/sync_msg", sample_json("api.kf.sync_msg.page_empty_has_more.response.json"))
    page = await adapter.pull("kf:wk", "earlier", "")
    assert (page.items, page.cursor, page.has_more) == ([], "4gw7MepFLfgF2VC5npX", True)


async def media_upload_response(adapter: WeComAdapter, server: Platform) -> None:
    answer = sample_json("api.media.upload.response.json")
    server.reply("media/upload", answer)
    await adapter.send(
        text_message(kind=Kind.IMAGE, media=outgoing_media(b"\x89PNG\r\n\x1a\n....", "a.png", "image/png"))
    )
    assert server.calls("kf/send_msg")[0].json["image"] == {"media_id": answer["media_id"]}


def of_vector(vector: dict[str, Any]) -> CallbackVerifier:
    return CallbackVerifier(
        token=vector["token"], encoding_aes_key=vector["encoding_aes_key"], receive_id=vector["receiveid"]
    )


def signed(vector: dict[str, Any]) -> dict[str, str]:
    return {name: vector[name] for name in ("msg_signature", "timestamp", "nonce")}


async def post_vector(_adapter: WeComAdapter, _server: Platform) -> None:
    vector = sample_json("crypto.callback.post.vector.json")
    body = f"<xml><Encrypt>{vector['encrypt']}</Encrypt></xml>".encode()
    verified = of_vector(vector).verify(WebhookRequest("POST", signed(vector), {}, body))
    assert isinstance(verified, Verified)
    assert verified.raw.decode() == vector["plaintext"]


async def post_body(_adapter: WeComAdapter, _server: Platform) -> None:
    vector = sample_json("crypto.callback.post.vector.json")
    verified = of_vector(vector).verify(WebhookRequest("POST", signed(vector), {}, sample("crypto.callback.post.xml")))
    assert isinstance(verified, Verified)
    assert [plain(event)["data"]["Content"] for event in parse(Raw("webhook", verified.raw, RECEIVED))] == ["hello"]


async def url_vector(_adapter: WeComAdapter, _server: Platform) -> None:
    vector = sample_json("crypto.url_verify.vector.json")
    request = WebhookRequest("GET", signed(vector) | {"echostr": vector["echostr"]}, {}, b"")
    assert of_vector(vector).verify(request) == Challenge(vector["expected_response_body"].encode())


async def url_query(_adapter: WeComAdapter, _server: Platform) -> None:
    vector = sample_json("crypto.url_verify.vector2.json")
    request = WebhookRequest("GET", dict(parse_qsl(vector["request_query"])), {}, b"")
    assert of_vector(vector).verify(request) == Challenge(vector["expected_response_body"].encode())


CHECKS: Mapping[str, Check] = (
    CONTACT_CHECKS
    | CAMPAIGN_CHECKS
    | ARCHIVE_CHECKS
    | BILL_CHECKS
    | {
        check.__name__: check
        for check in (
            gettoken_response,
            kf_account_list_request,
            kf_account_list_response,
            kf_customer_batchget_request,
            kf_customer_batchget_response,
            kf_send_msg_request,
            kf_send_msg_response,
            kf_send_msg_on_event_request,
            kf_send_msg_on_event_response,
            kf_service_state_get_request,
            kf_service_state_get_response,
            kf_service_state_trans_request,
            kf_service_state_trans_response,
            kf_sync_msg_request,
            kf_sync_msg_response,
            kf_sync_msg_page_empty_has_more_response,
            media_upload_response,
            post_vector,
            post_body,
            url_vector,
            url_query,
        )
    }
)


def test_every_check_is_named_by_a_row() -> None:
    assert {row["check"] for row in ROWS.values() if "check" in row} == set(CHECKS)


@needs_samples
@pytest.mark.parametrize("name", rows("check"))
async def test_a_request_or_answer_of_the_api_is_as_the_sample(
    name: str, adapter: WeComAdapter, server: Platform
) -> None:
    await CHECKS[ROWS[name]["check"]](adapter, server)
