"""Records of our own for every kind that the reference documents, and the odd ones. Written from the documented fields."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.wecom.archive_records import understand
from scrm.channel import Kind

GUEST = "wmHotelGuest00000000000000000001"
AT = 1_772_351_000_123
FILE = {"sdkfileid": "FILE-1", "md5sum": "00FF" * 8, "filesize": 77}


def record(msgtype: str, body: Any = None, key: str = "", **changes: Any) -> bytes:
    whole = {
        "msgid": "m1", "action": "send", "from": "Reception", "tolist": [GUEST], "roomid": "", "msgtime": AT, "msgtype": msgtype,
        **({key or msgtype: body} if body is not None else {}), **changes,
    }  # fmt: skip
    return json.dumps(whole, ensure_ascii=False).encode()


def item(kind: str, **body: Any) -> dict[str, Any]:
    return {"type": kind, "content": json.dumps(body, ensure_ascii=False)}


SAID: list[tuple[bytes, Kind, str, dict[str, Any]]] = [
    (record("text", {"content": "湖景房还有吗"}), Kind.TEXT, "湖景房还有吗", {}),
    (record("markdown", {"content": "**会议** 改到三点"}, "info"), Kind.TEXT, "**会议** 改到三点", {"platform_type": "markdown"}),
    (record("image", FILE), Kind.IMAGE, "[图片]", {}),
    (record("voice", {**FILE, "voice_size": 9, "play_length": 4}), Kind.VOICE, "[语音]", {}),
    (record("video", {**FILE, "play_length": 61}), Kind.VIDEO, "[视频]", {}),
    (record("file", {**FILE, "filename": "房型.pdf", "fileext": "pdf"}), Kind.FILE, "[文件] 房型.pdf", {}),
    (record("emotion", {**FILE, "type": 2, "imagesize": 5, "width": 9, "height": 8}), Kind.STICKER, "[表情]", {}),
    (record("card", {"corpname": "西湖宾馆", "userid": "hanmeimei"}), Kind.CONTACT_CARD, "[名片] 西湖宾馆",
     {"user_id": "hanmeimei", "company": "西湖宾馆"}),
    (record("location", {"longitude": 120.125, "latitude": 30.25, "address": "杨公堤 7 号", "title": "西湖宾馆", "zoom": 15}),
     Kind.LOCATION, "[位置] 西湖宾馆", {"name": "西湖宾馆", "address": "杨公堤 7 号", "latitude": 30.25, "longitude": 120.125}),
    (record("link", {"title": "春季特惠", "description": "住二送一", "link_url": "https://hotel.example/a", "image_url": ""}),
     Kind.LINK, "[链接] 春季特惠", {"title": "春季特惠", "description": "住二送一", "url": "https://hotel.example/a"}),
    (record("docmsg", {"title": "排班表", "link_url": "https://doc.example/1", "doc_creator": "reception"}, "doc"),
     Kind.LINK, "[文档] 排班表", {"title": "排班表", "url": "https://doc.example/1", "description": "reception"}),
    (record("news", {"item": [{"title": "一", "url": "https://a.example"}, {"title": "二", "url": "https://b.example"}]}, "info"),
     Kind.LINK, "[图文] 一、二", {"title": "一", "url": "https://a.example"}),
    (record("weapp", {"title": "在线订房", "description": "选房", "username": "gh_1@app", "displayname": "西湖宾馆"}),
     Kind.MINIPROGRAM, "[小程序] 在线订房",
     {"title": "在线订房", "app_id": "gh_1@app", "description": "选房", "name": "西湖宾馆"}),
    (record("sphfeed", {"feed_type": 4, "sph_name": "西湖宾馆", "feed_desc": "断桥残雪"}), Kind.CHANNEL_POST,
     "[视频号动态] 断桥残雪", {"type": "feed", "nickname": "西湖宾馆", "title": "断桥残雪", "feed_type": 4}),
    (record("redpacket", {"type": 2, "wish": "大家辛苦", "totalcnt": 5, "totalamount": 5000}), Kind.OTHER, "[企业内红包] 大家辛苦",
     {"platform_type": "redpacket", "scope": "inside", "wish": "大家辛苦", "count": 5, "total_fen": 5000, "packet_type": 2}),
    (record("external_redpacket", {"type": 1, "wish": "", "totalcnt": 1, "totalamount": 1}, "redpacket"), Kind.OTHER, "[红包]",
     {"platform_type": "external_redpacket", "scope": "customer", "count": 1, "total_fen": 1, "packet_type": 1}),
    (record("chatrecord", {"title": "群聊", "item": [
        {**item("ChatRecordText", content="几点到"), "msgtime": 1_772_351_000, "from_chatroom": False},
        {**item("ChatRecordFile", filename="a.pdf"), "msgtime": 1_772_351_000_000},
        item("ChatRecordNew")]}), Kind.MERGED, "[聊天记录] 群聊",
     {"title": "群聊", "items": [
         {"kind": "text", "text": "几点到", "sent_at": datetime.fromtimestamp(1_772_351_000, UTC).isoformat()},
         {"kind": "file", "text": "[文件] a.pdf", "sent_at": datetime.fromtimestamp(1_772_351_000, UTC).isoformat()},
         {"kind": "other", "text": "[消息]"}]}),
    (record("mixed", {"item": [item("text", content="看这个"), item("image", **FILE)]}), Kind.TEXT, "看这个\n[图片]",
     {"platform_type": "mixed"}),
    (record("todo", {"title": "回电", "content": "三点前"}), Kind.OTHER, "[待办] 回电",
     {"platform_type": "todo", "title": "回电", "content": "三点前"}),
    (record("vote", {"votetitle": "聚餐", "voteitem": ["火锅"], "votetype": 101, "voteid": 2**63 + 9}), Kind.OTHER, "[投票] 聚餐",
     {"platform_type": "vote", "votetitle": "聚餐", "voteitem": ["火锅"], "votetype": 101, "voteid": str(2**63 + 9)}),
    (record("collect", {"room_name": "前厅", "creator": "reception", "create_time": "2026-03-01 09:00:00", "title": "报名", "details": []}),
     Kind.OTHER, "[填表] 报名", {"platform_type": "collect", "room_name": "前厅", "creator": "reception",
                              "create_time": "2026-03-01 09:00:00", "title": "报名", "details": []}),
    (record("meeting", {"topic": "晨会", "meetingtype": 101, "meetingid": 2**64 - 1}), Kind.OTHER, "[会议] 晨会",
     {"platform_type": "meeting", "topic": "晨会", "meetingtype": 101, "meetingid": str(2**64 - 1)}),
    (record("calendar", {"title": "盘点", "place": "仓库"}), Kind.OTHER, "[日程] 盘点",
     {"platform_type": "calendar", "title": "盘点", "place": "仓库"}),
    (record("qydiskfile", {"filename": "合同.docx"}, "info"), Kind.OTHER, "[微盘文件] 合同.docx",
     {"platform_type": "qydiskfile", "filename": "合同.docx"}),
    (record("voiptext", {"callduration": 75, "invitetype": 3}, "info"), Kind.OTHER, "[多人视频通话] 75 秒",
     {"platform_type": "voiptext", "seconds": 75, "invite_type": 3}),
    (record("agree", {"userid": GUEST, "agree_time": AT}), Kind.SYSTEM, "[客户同意会话存档]",
     {"event": "agree", "platform_type": "agree", "user_id": GUEST, "at": datetime.fromtimestamp(AT / 1000, UTC).isoformat()}),
    (record("disagree", {"userid": GUEST, "agree_time": AT}, "agree"), Kind.SYSTEM, "[客户不同意会话存档]",
     {"event": "disagree", "platform_type": "disagree", "user_id": GUEST, "at": datetime.fromtimestamp(AT / 1000, UTC).isoformat()}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "text", "content"), SAID)
def test_each_kind(body: bytes, kind: Kind, text: str, content: dict[str, Any]) -> None:
    message = understand(body)
    assert (message.action, message.kind, message.text, message.content, message.known) == (
        "send",
        kind,
        text,
        content,
        True,
    )
    assert message.at is not None
    assert int(message.at.timestamp() * 1000) == AT


def test_files_name_what_fetches_and_checks_them() -> None:
    (voice,) = understand(record("voice", {**FILE, "voice_size": 9, "play_length": 4})).media
    assert (voice.handle, voice.size, voice.duration_ms) == (
        {"archive": {"file": "FILE-1", "md5": "00ff" * 8}},
        9,
        4000,
    )
    (second,) = understand(record("mixed", {"item": [item("text", content="x"), item("image", **FILE)]})).media
    assert second.size == 77
    call = record(
        "meeting_voice_call", {"sdkfileid": "F", "endtime": 1, "demofiledata": [{"filename": "a.docx"}]}, voiceid="v"
    )
    assert [one.handle for one in understand(call).media] == [{"archive": {"file": "F"}}]
    shared = record("voip_doc_share", {**FILE, "filename": "b.pdf"}, voipid="p")
    assert [one.name for one in understand(shared).media] == ["b.pdf"]
    # Without an id there is nothing to fetch, and the message stays.
    assert understand(record("image", {"md5sum": ""})).media == ()


def test_who_is_of_the_company() -> None:
    message = understand(record("text", {"content": "x"}, tolist=[GUEST, "HanMeimei", "wbRobot"], roomid="wr1"))
    assert (message.sender, message.receivers, message.room) == ("reception", [GUEST, "hanmeimei", "wbrobot"], "wr1")
    assert message.members == {"reception", "hanmeimei", "wbrobot"}


def test_recalls_and_the_change_of_company_are_no_messages() -> None:
    recall = understand(record("revoke", {"pre_msgid": "m0"}, action="recall"))
    assert (recall.action, recall.recalls) == ("recall", "m0")
    switch = understand(json.dumps({"msgid": "s", "action": "switch", "time": AT, "user": "HanMeimei"}).encode())
    assert (switch.action, switch.sender, switch.known) == ("other", "hanmeimei", True)


@pytest.mark.parametrize(
    "body",
    [
        record("solitaire", {"title": "接龙"}),
        record("", None),
        b"{}",
        json.dumps({"action": "dance", "from": 7, "tolist": "x", "msgtime": "soon", "roomid": None}).encode(),
        b'{"msgtype": "text", "text": {"content": "\x01 raw control"}, "from": "a\\u0000b"}',
        b'{"msgtype": "image", "image": [1, 2], "tolist": [null, 3]}',
    ],
)  # fmt: skip
def test_the_odd_ones_survive(body: bytes) -> None:
    message = understand(body)
    assert "\x00" not in message.sender + message.text


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff\xfe", b'"text"', b"{"])
def test_what_is_no_record_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        understand(body)


def test_seconds_and_milliseconds() -> None:
    seconds = understand(record("text", {"content": "x"}, msgtime=1_772_351_000))
    assert seconds.at == datetime.fromtimestamp(1_772_351_000, UTC)
    assert understand(record("text", {"content": "x"}, msgtime=0)).at is None
