"""Checks for samples of the chat archive's calls over HTTP. Named by rows of samples.toml, run by test_samples.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from adapters.wecom.adapter import WeComAdapter
from scrm.channel_archive import Agreement
from tests.adapters.wecom.contact_samples import asked, sample
from tests.adapters.wecom.support import ARCHIVE_SECRET, Platform

ARCHIVE_CHECKS: dict[str, Callable[[WeComAdapter, Platform], Awaitable[None]]] = {}
THEN = datetime.fromtimestamp(1562766651, UTC)


def check(function: Callable[[WeComAdapter, Platform], Awaitable[None]]) -> None:
    ARCHIVE_CHECKS[function.__name__] = function


@check
async def permitted_request(wecom: WeComAdapter, server: Platform) -> None:
    """The sample asks about one edition; we ask about all, with the archive's own secret."""
    server.reply("msgaudit/get_permit_user_list", sample("msgaudit.get_permit_user_list.response"))
    await wecom.archived_members()
    assert asked(server, "msgaudit/get_permit_user_list") == {}
    assert sample("msgaudit.get_permit_user_list.request") == {"type": 1}
    assert server.calls("gettoken")[0].query["corpsecret"] == ARCHIVE_SECRET


@check
async def permitted(wecom: WeComAdapter, server: Platform) -> None:
    server.reply("msgaudit/get_permit_user_list", sample("msgaudit.get_permit_user_list.response"))
    assert await wecom.archived_members() == ["userid_111", "userid_222", "userid_333"]


@check
async def single_agree_request(wecom: WeComAdapter, server: Platform) -> None:
    server.reply("msgaudit/check_single_agree", sample("msgaudit.check_single_agree.response"))
    request = sample("msgaudit.check_single_agree.request")
    await wecom.agreements([(one["userid"], one["exteranalopenid"]) for one in request["info"]])
    assert asked(server, "msgaudit/check_single_agree") == request


@check
async def single_agree(wecom: WeComAdapter, server: Platform) -> None:
    server.reply("msgaudit/check_single_agree", sample("msgaudit.check_single_agree.response"))
    assert await wecom.agreements([("xujinsheng", "wm1")]) == [
        Agreement("wmeDKaCPAAGdvxciQWxVsAKwV2HxNAAA", "agreed", THEN, "xujinsheng"),
        Agreement("wmeDKaCQAAIQ_p7ACnxksfeBJSGocAAA", "refused", THEN, "xujinsheng"),
        Agreement("wmeDKaCwAAIQ_p7ACnxckLBBJSGocAAA", "agreed", THEN, "xujinsheng"),
    ]


@check
async def room_agree_request(wecom: WeComAdapter, server: Platform) -> None:
    server.reply("msgaudit/check_room_agree", sample("msgaudit.check_room_agree.response"))
    request = sample("msgaudit.check_room_agree.request")
    await wecom.room_agreements(request["roomid"])
    assert asked(server, "msgaudit/check_room_agree") == request


@check
async def room_agree(wecom: WeComAdapter, server: Platform) -> None:
    server.reply("msgaudit/check_room_agree", sample("msgaudit.check_room_agree.response"))
    assert await wecom.room_agreements("wr1") == [
        Agreement("wmeDKaCQAAGdtHdiQWxVadfwV2HxNAAA", "agreed", THEN),
        Agreement("wmeDKaCQAAIQ_p9ACyiopLBBJSGocAAA", "refused", THEN),
        Agreement("wmeDKaCQAAIQ_p9ACnxacyBBJSGocAAA", "agreed", THEN),
    ]
