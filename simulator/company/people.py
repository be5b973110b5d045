"""Who belongs to the sample company: its accounts on the platforms, its people, and how ids of its customers are made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Platform = Literal["wecom", "douyin", "wechat_oa"]

COMPANY = "青禾家居"
CORP_ID = "ww5f0c7a3e9b1d2468"
AGENT_ID = 1000002
APP_SECRET = "qinghe-home-simulated-secret-of-the-app"
CALLBACK_TOKEN = "QingheHomeCallback"
CALLBACK_AES_KEY = "QingheHomeSimulatedCallbackKey0123456789abc"
CLIENT_KEY = "awqinghehome2468"
CLIENT_SECRET = "qinghe-home-simulated-client-secret"
OA_APP_ID = "wxqinghehome24680135"
OA_SECRET = "qinghe-home-simulated-secret-of-the-oa"
OA_TOKEN = "QingheHomePush"
OA_AES_KEY = "QingheHomeSimulatedPushKey0123456789abcdefg"
"""Known to everybody, and good for nothing but the simulators on this machine."""

PASSWORD = "qinghe-demo"


@dataclass(frozen=True)
class Account:
    """``key`` names its file of conversations. ``external_id`` is the platform's id of it."""

    key: str
    platform: Platform
    external_id: str
    name: str
    team: str
    welcome: str


SALES, SUPPORT = "售前与门店", "售后服务"

ACCOUNTS = (
    Account(
        "presale", "wecom", "wkQingheHomePresale00000000001", "售前咨询", SALES,
        "您好，欢迎来到青禾家居🌿 想看沙发、餐桌还是灯具？直接发消息，9:00～22:00 都有人在。",
    ),
    Account(
        "aftersale", "wecom", "wkQingheHomeAftersale000000002", "售后服务", SUPPORT,
        "您好，这里是青禾家居售后。请发订单号和照片，我们会尽快为您处理。",
    ),
    Account(
        "store", "wecom", "wkQingheHomeStores0000000000003", "门店预约", SALES,
        "您好，欢迎预约青禾家居体验店。请告诉我们城市、日期和人数。",
    ),
    Account(
        "flagship", "douyin", "7d1f2c34-5b6a-4e7f-8a90-1c2d3e4f5a6b", "青禾家居旗舰店", SALES,
        "哈喽，欢迎来到青禾家居旗舰店～喜欢哪一款可以截图发我哦",
    ),
    Account(
        "lighting", "douyin", "2b9e8d7c-6a5f-4d3e-9c8b-7a6f5e4d3c2b", "青禾照明馆", SALES,
        "欢迎来到青禾照明馆💡 告诉我房间面积，帮您推荐合适的灯",
    ),
    Account(
        "live_room", "douyin", "c4a3b2d1-e0f9-4876-b5a4-938271605f4e", "青禾直播间", SALES,
        "欢迎来到青禾直播间！每晚 8 点准时开播，关注不迷路～",
    ),
    Account(
        "official", "wechat_oa", "gh_qinghehome01", "青禾家居服务号", SALES,
        "感谢关注青禾家居🌿 回复想看的家具就能找到我们，9:00～22:00 都有人在。",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Colleague:
    login: str
    name: str
    role: Literal["rep", "manager", "marketer", "auditor", "admin"]
    teams: tuple[str, ...] = ()


STAFF = (
    Colleague("rep1", "李想", "rep", (SALES, SUPPORT)),
    Colleague("rep2", "陈晓雯", "rep", (SALES,)),
    Colleague("rep3", "周子轩", "rep", (SALES, SUPPORT)),
    Colleague("manager", "王经理", "manager", (SALES, SUPPORT)),
    Colleague("marketer", "苏曼", "marketer"),
    Colleague("auditor", "何静", "auditor"),
    Colleague("admin", "管理员", "admin"),
)

WORKS = {
    "flagship": ("山石餐桌 实拍", "云栖沙发 开箱"),
    "lighting": ("望月吊灯 三色温",),
    "live_room": ("山石餐桌 实拍",),
}
"""Published videos of the Douyin accounts."""


def person_id(platform: Platform, name: str) -> str:
    """The same person has the same id on every start and at every account of a platform."""
    digest = hashlib.blake2b(f"{platform}/{name}".encode(), digest_size=16).hexdigest()
    if platform == "wecom":
        return f"wmQH{digest[:28]}"
    if platform == "wechat_oa":
        return f"oQH{digest[:25]}"
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


def union_id(name: str) -> str:
    """By which WeCom and the Official Account mean the same person."""
    return "oUQH" + hashlib.blake2b(f"union/{name}".encode(), digest_size=12).hexdigest()
