"""Chats of the sample company's employees in their own clients, as the chat archive has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from simulator.company.money import collect
from simulator.company.people import CORP_ID
from simulator.wecom.control import WecomControl
from simulator.wecom.server import WecomSimulator

ARCHIVE_SECRET = "demo-archive-secret-0000000000001"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" \
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """``after``: minutes since the line before. ``recall``: withdraws the line before it."""

    by: Literal["member", "customer", "colleague"]
    text: str
    after: int = 2
    kind: Literal["text", "recall", "red_packet", "file", "location", "call", "meeting", "forward", "card"] = "text"
    fen: int = 6600


CHATS: tuple[tuple[Line, ...], ...] = (
    (
        Line("customer", "你好，上次说的全屋定制，报价单能发我一份吗？"),
        Line("member", "好的，您家 98 平三房，我按当时量的尺寸给您整理一份"),
        Line("member", "青禾家居-全屋定制报价.pdf", 14, "file"),
        Line("member", "柜体 E0 级，五金用的是百隆，交期 35 天左右"),
        Line("customer", "价格再优惠一点我这周就能定"),
        Line("member", "老板说可以再打 85 折", 1),
        Line("member", "", 0, "recall"),
        Line("member", "我去申请一下，最多能到 9 折，明天上午给您准信", 1),
        Line("customer", "好，等你消息", 6),
    ),
    (
        Line("customer", "沙发送到了，颜色和展厅看的不太一样"),
        Line("member", "您方便拍张照片吗？我对一下批次", 3),
        Line("customer", "晚上拍给你。另外送货师傅收了 200 上楼费，合同里没写", 20),
        Line("member", "这个费用不应该收，我今天就让仓库退给您", 4),
        Line("member", "小小心意，不好意思让您费心了", 30, "red_packet"),
        Line("customer", "收到，谢谢", 3),
    ),
    (
        Line("member", "您好，周六上午十点量尺，地址还是翠湖湾对吗？"),
        Line("customer", "对，3 幢 1602", 9),
        Line("customer", "翠湖湾小区", 1, "location"),
        Line("member", "收到，师傅姓赵，到了会打您电话", 2),
    ),
    (
        Line("customer", "能再便宜点吗"),
        Line("member", "尾款我先转你微信，合同写原价，差的两百直接发红包", 2),
        Line("member", "", 1, "recall"),
        Line("member", "恭喜发财", 1, "red_packet", 20000),
        Line("customer", "收到，谢谢", 2),
        Line("member", "", 4, "call"),
        Line("member", "设计师老周", 3, "card"),
    ),
    (
        Line("customer", "发票信息我加你微信，稍后转你电子版"),
        Line("member", "好的，公司客服电话 400-820-1234 也可以开票", 5),
        Line("customer", "群聊的聊天记录", 12, "forward"),
        Line("member", "收到，尾款走对公账户，合同和发票一起寄给您", 4),
    ),
)
PAID_PRIVATELY: tuple[Line, ...] = (
    Line("customer", "安装费是给你们公司还是给师傅？"),
    Line("member", "加急的这部分我微信转你的师傅就行，你先转我 800", 4),
    Line("customer", "好，转你微信了，八百", 15),
    Line("member", "收到，红包发你了，算是一点心意", 3),
    Line("member", "谢谢支持", 1, "red_packet", 1880),
)
"""Some days ago: what was only spoken of is not seen anywhere by now."""
INSIDE: tuple[Line, ...] = (
    Line("member", "翠湖湾那个客户周六量尺，你那边车能排吗？"),
    Line("colleague", "可以，我让老赵去", 5),
    Line("member", "上楼费的事要跟仓库说一下，不能再向客户收了", 2),
    Line("colleague", "已经说了，这周的都退", 7),
    Line("member", "周例会：本周安装进度", 3, "meeting"),
)
GROUP: tuple[Line, ...] = (
    Line("member", "各位业主，本周安装进度：2 幢已完成 6 户，3 幢周四进场"),
    Line("customer", "我家 3 幢 702，周四上午可以", 12),
    Line("colleague", "好的，记下了，师傅提前一小时联系您", 3),
)
ROOM = "wrQingHeOwners000000000000000001"


def new_key() -> tuple[str, str]:
    """(private, public) in PEM."""
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def buy(wecom: WecomControl, members: list[str]) -> None:
    """From the first day, so that nobody tries its secret in vain. The last of the members has no seat of it."""
    wecom.buy_archive(CORP_ID, ARCHIVE_SECRET, members[:-1] if len(members) > 2 else members)


def record(simulator: WecomSimulator, now: float) -> str:
    """Puts the chats into the archive, the last of them just before ``now`` (Unix seconds). Returns the private key that opens them."""
    private, public = new_key()
    wecom, corp = simulator.control, simulator.world.corps[CORP_ID]
    members = [one.userid for one in corp.members.values() if one.serves]
    wecom.add_archive_key(CORP_ID, public)
    pairs = [(follow.userid, customer) for customer, follows in corp.follows.items() for follow in follows.values()]
    if pairs:
        collect(wecom, pairs, now)
        userid, customer = pairs[-1]
        _say(wecom, PAID_PRIVATELY, {"member": userid, "customer": customer}, {}, now - 3 * 86_400)
    for n, (chat, (userid, customer)) in enumerate(zip(CHATS, pairs, strict=False)):
        people = {"member": userid, "customer": customer}
        _say(wecom, chat, people, {}, now - 3600 * (7 - n))
    for (userid, customer), consent in zip(
        pairs, ("Agree", "Agree", "Default_Agree", "Agree", "Disagree"), strict=False
    ):
        wecom.archive_consents(CORP_ID, userid, customer, consent)
    if len(members) > 1:
        _say(wecom, INSIDE, {"member": members[0], "colleague": members[1]}, {}, now - 3000)
        if pairs:
            people = {"member": members[0], "colleague": members[1], "customer": pairs[0][1]}
            _say(wecom, GROUP, people, {"roomid": ROOM}, now - 1800)
    return private


def _say(
    wecom: WecomControl, chat: tuple[Line, ...], people: dict[str, str], more: dict[str, Any], begin: float
) -> None:
    at, before = begin, ""
    for n, line in enumerate(chat):
        at += line.after * 60
        sender = people[line.by]
        msgid = f"demo-{int(begin)}-{n}"
        whole = {
            "msgid": msgid, "from": sender, "tolist": [one for one in people.values() if one != sender], "roomid": "",
            "msgtime": int(at * 1000), **_body(wecom, line, before, people, at), **more,
        }  # fmt: skip
        wecom.archive_says(CORP_ID, whole)
        before = msgid


def _body(wecom: WecomControl, line: Line, before: str, people: dict[str, str], at: float) -> dict[str, Any]:
    if line.kind == "recall":
        return {"action": "recall", "msgtype": "revoke", "revoke": {"pre_msgid": before}}
    if line.kind == "red_packet":
        packet = {"type": 1, "wish": line.text, "totalcnt": 1, "totalamount": line.fen}
        return {"msgtype": "external_redpacket", "redpacket": packet}
    if line.kind == "file":
        told = wecom.archive_file(CORP_ID, PDF)
        return {"msgtype": "file", "file": {**told, "filename": line.text, "fileext": "pdf"}}
    if line.kind == "location":
        place = {
            "longitude": 120.155,
            "latitude": 30.274,
            "address": "杭州市西湖区文三路 478 号",
            "title": line.text,
            "zoom": 16,
        }
        return {"msgtype": "location", "location": place}
    if line.kind == "call":
        return {"msgtype": "voiptext", "info": {"callduration": 186, "invitetype": 2}}
    if line.kind == "meeting":
        begin = int(at) + 7200
        meeting = {
            "topic": line.text, "starttime": begin, "endtime": begin + 3600, "address": "二楼会议室", "remarks": "带上本周的安装单",
            "meetingtype": 101, "meetingid": 1210342560,
        }  # fmt: skip
        return {"msgtype": "meeting", "meeting": meeting}
    if line.kind == "forward":
        said = ("这家师傅安装挺细致", "就是上楼费要提前问清楚", "合同里写了才算数")
        items = [
            {
                "type": "ChatRecordText",
                "msgtime": int(at) - 600 + n,
                "content": json.dumps({"content": one}, ensure_ascii=False),
            }
            for n, one in enumerate(said)
        ]
        return {"msgtype": "chatrecord", "chatrecord": {"title": line.text, "item": items}}
    if line.kind == "card":
        return {"msgtype": "card", "card": {"corpname": line.text, "userid": people.get("colleague", people["member"])}}
    return {"msgtype": "text", "text": {"content": line.text}}
