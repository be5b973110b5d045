"""One row for every API sample: what is built, what is read from it, or why it is not used yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.douyin.adapter import DouyinAdapter
from scrm.channel import JsonObject, Kind, OutgoingMedia, OutgoingMessage
from scrm.errors import Rejected, RetryLater, SendError
from scrm.testing import outgoing_media
from tests.adapters.douyin.sample_rows import DEER, SHOP, TALK

GREETED = "@yZbuAwr8B9XpWDtyNYuuxqzi3D29ZPAezSvRDwalmOkTo36Jry1aKEXDDB6JXKjKtgQsYo1eWq6EThDAqWol6A=="
ASKED = "@Ez5XIVW052e3M2bTt71/vYp7Bh2gelqzUmc/8we7Eei7heRR4JKzGu2yUNGIOm3Y9/jeHjAvpxZ6t/kESw+AQA=="
IMAGE_ID = "@fuqe95E/DWLyhEnn4V09CkdAmK/fTd044QpsjXb9RD4utvwWD6pYieG/YBjXWtUsndHJMdAN/qTHkMCMoom9Bw=="
SEND, GROUP_SEND, RECALL = "/im/send/msg/", "/im/send/msg/group/", "/im/recall/msg/"
OK: JsonObject = {"data": {"error_code": 0, "description": ""}, "extra": {"error_code": 0}}
ACCEPTING: dict[str, Any] = {
    SEND: {**OK, "msg_id": "@1"},
    GROUP_SEND: {**OK, "msg_id": "@2"},
    RECALL: {"err_no": 0, "err_msg": "", "log_id": "1"},
    "/tool/imagex/client_upload/": {**OK, "image_id": IMAGE_ID},
}
REFUSED_REFRESH: dict[str, Any] = {"/oauth/refresh_token/": {"data": {"error_code": 10010, "description": "x"}}}


def outgoing(
    kind: Kind,
    text: str = "",
    content: JsonObject | None = None,
    media: OutgoingMedia | None = None,
    *,
    entered: bool = False,
    group_id: str = "",
) -> OutgoingMessage:
    return OutgoingMessage(
        account_id=SHOP,
        contact_id=DEER,
        kind=kind,
        text=text,
        idempotency_key="0" * 32,
        content=content or {},
        media=media,
        window_key={"msg_id": GREETED if entered else ASKED, "conversation_id": TALK},
        window_kind="enter" if entered else "reply",
        group_id=group_id,
    )


def text(words: str) -> OutgoingMessage:
    return outgoing(Kind.TEXT, words)


@dataclass(frozen=True)
class Request:
    """``act`` makes the adapter build the request; it may take identifiers from the sample, never its structure."""

    path: str
    act: Callable[[DouyinAdapter, Any], Awaitable[object]]


def sending(compose: Callable[[Any], OutgoingMessage]) -> Request:
    return Request(SEND, lambda adapter, body: adapter.send(compose(body)))


def card(body: Any) -> OutgoingMessage:
    given = body["content"]["applet_card"]
    content = {
        "card_template_id": given["card_template_id"],
        "path": "pages/coupon/index",
        "query": '{"from":"im"}',
        "app_id": "ttsim0000000001",
    }
    return outgoing(Kind.MINIPROGRAM, content=content)


def questions(body: Any) -> OutgoingMessage:
    items = [{"type": "click", "text": asked} for asked in ("价格", "送货范围", "门店地址")]
    return outgoing(Kind.MENU, content={"head": "想了解哪方面？", "items": items})


PICTURE = outgoing_media(b"\x89PNG\r\n\x1a\n", "a.png", "image/png")
REQUESTS: Mapping[str, Request] = {
    "api-send-text-request.json": sending(lambda body: text("这款 2999 元，送货上门")),
    "api-send-image-request.json": sending(lambda body: outgoing(Kind.IMAGE, media=PICTURE)),
    "api-send-video-request.json": sending(
        lambda body: outgoing(
            Kind.CHANNEL_POST, content={"type": "video", "item_id": body["content"]["video"]["item_id"]}
        )
    ),
    "api-send-lead-card-request.json": sending(
        lambda body: outgoing(Kind.LEAD_CARD, content={"card_id": body["content"]["retain_consult_card"]["card_id"]})
    ),
    "api-send-mini-program-card-request.json": sending(card),
    "api-send-question-guide-request.json": sending(questions),
    "api-send-enter-greeting-request.json": sending(
        lambda body: outgoing(Kind.TEXT, "您好，欢迎咨询，请问想了解哪款？", entered=True)
    ),
    "api-group-send-request.json": Request(
        GROUP_SEND,
        lambda adapter, body: adapter.send(outgoing(Kind.TEXT, "今晚 8 点直播间见", group_id=body["group_id"])),
    ),
    "api-recall-request.json": Request(
        RECALL,
        lambda adapter, body: adapter.recall(SHOP, DEER, body["msg_id"], {"msg_id": ASKED, "conversation_id": TALK}),
    ),
}


@dataclass(frozen=True)
class Refusal:
    error: type[SendError]
    code: str
    closes_window: bool = False
    needs_admin: bool = False


REFUSALS: Mapping[str, Refusal] = {
    "api-send-error-content-invalid.json": Refusal(Rejected, "douyin.28001038"),
    "api-send-error-sender-not-certified.json": Refusal(Rejected, "douyin.28029003", needs_admin=True),
    "api-send-error-window-expired.json": Refusal(Rejected, "douyin.28003081", closes_window=True),
    "api-send-error-window-used-up.json": Refusal(Rejected, "douyin.28003070", closes_window=True),
    "api-send-error-workbench-active.json": Refusal(Rejected, "douyin.28003095", needs_admin=True),
    "api-send-error-wrong-message.json": Refusal(Rejected, "douyin.28003082", closes_window=True),
    "api-error-rate-limited.json": Refusal(RetryLater, "douyin.28003018"),
    "api-error-parameter.json": Refusal(Rejected, "douyin.2100005"),
    "api-error-token-expired-new.json": Refusal(Rejected, "douyin.10010", needs_admin=True),
    "api-error-token-expired-old.json": Refusal(Rejected, "douyin.10010", needs_admin=True),
    "api-send-response-list-partial.json": Refusal(Rejected, "douyin.28001038"),
}
RECEIPTS: Mapping[str, Callable[[Any], str]] = {
    "api-send-response-ok.json": lambda body: str(body["msg_id"]),
    "api-send-response-list-ok.json": lambda body: str(body["msg_list"][0]),
    "api-recall-response.json": lambda body: "",
    "api-event-status-list-response.json": lambda body: "",
    "api-comment-reply-response.json": lambda body: "",
    "api-mini-program-comment-list-response.json": lambda body: "",
}
"""The last ones are no answers to a send; they show that success is read in each of the shapes, with numbers as strings, too."""
AUTHORISED: Mapping[str, float] = {
    "api-oauth-access-token-response.json": 2592000,
    "api-oauth-access-token-strings.json": 86400,
}
READ_ELSEWHERE = frozenset(
    {
        "api-oauth-access-token-error-code-expired.json",
        "api-oauth-refresh-token-response.json",
        "api-oauth-refresh-token-error-expired.json",
        "api-oauth-renew-refresh-token-response.json",
        "api-oauth-renew-refresh-token-error-limit.json",
        "api-oauth-client-token-response.json",
        "api-oauth-userinfo-response.json",
        "api-image-upload-response.json",
        "api-message-resources-response.json",
    }
)
"""Named in the tests of ``test_samples.py``."""
PROACTIVE = "messages that the customer did not ask for belong to campaigns"
COMMENTS = "answering comments is not part of the chat; they come in as occurrences"
PUBLISHING = "publishing works belongs to campaigns"
CARDS = "lead cards and templates are made in the platform's console; here they are only sent and read"
NOT_USED: Mapping[str, str] = {
    "api-send-proactive-request.json": PROACTIVE,
    "api-send-auth-card-request.json": PROACTIVE,
    "api-send-coupon-request.json": PROACTIVE,
    "api-authorize-status-response.json": PROACTIVE,
    "api-authorize-user-list-response.json": PROACTIVE,
    "api-send-group-invitation-request.json": "invitations to fan groups belong to group operations",
    "api-comment-list-response.json": COMMENTS,
    "api-comment-reply-request.json": COMMENTS,
    "api-create-image-text-request.json": PUBLISHING,
    "api-create-video-request.json": PUBLISHING,
    "api-create-video-response.json": PUBLISHING,
    "api-video-upload-response.json": PUBLISHING,
    "api-video-list-response.json": PUBLISHING,
    "api-lead-card-list-response.json": CARDS,
    "api-lead-card-save-request.json": CARDS,
    "api-lead-card-save-response.json": CARDS,
    "api-mini-program-template-list-response.json": CARDS,
    "api-fans-check-response.json": "whether a customer follows is learned from the follow event",
    "api-life-clue-query-response.json": "leads of local-life merchants are another product of the platform",
}
ALL = (*REQUESTS, *REFUSALS, *RECEIPTS, *AUTHORISED, *READ_ELSEWHERE, *NOT_USED)
