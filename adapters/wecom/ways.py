"""How a member and a customer met: ``add_way`` in words (wecom.md section 4.1; platform page 92114)."""

from __future__ import annotations

from collections.abc import Mapping

from scrm.channel import Sentence

_WAYS: Mapping[str, Sentence] = {
    "0": Sentence("未知来源", "unknown"),
    "1": Sentence("扫描二维码", "scanned a QR code"),
    "2": Sentence("搜索手机号", "found by phone number"),
    "3": Sentence("名片分享", "through a shared card"),
    "4": Sentence("群聊", "in a group chat"),
    "5": Sentence("手机通讯录", "from the phone's address book"),
    "6": Sentence("微信联系人", "a WeChat contact"),
    "8": Sentence("安装第三方应用时自动添加的客服", "added as the support of an installed app"),
    "9": Sentence("搜索邮箱", "found by e-mail address"),
    "10": Sentence("视频号主页", "from a Channels page"),
    "11": Sentence("日程参与人", "took part in an appointment"),
    "12": Sentence("会议参与人", "took part in a meeting"),
    "13": Sentence("微信好友的企业微信", "the WeCom account of a WeChat friend"),
    "14": Sentence("智慧硬件专属客服", "support of a smart device"),
    "15": Sentence("上门服务客服", "on-site service"),
    "16": Sentence("获客链接", "through an acquisition link"),
    "17": Sentence("定制开发", "through custom software"),
    "18": Sentence("需求回复", "answered a request"),
    "21": Sentence("第三方售前客服", "pre-sale service of a partner"),
    "22": Sentence("可能的商务伙伴", "a possible business partner"),
    "24": Sentence("接受微信账号收到的好友申请", "a friend request that the WeChat account received"),
    "201": Sentence("内部成员共享", "shared by a colleague"),
    "202": Sentence("管理员或负责人分配", "assigned by an administrator"),
}


def words(way: str) -> Sentence | None:
    """None for a way that this version does not know; the code itself is kept beside it."""
    return _WAYS.get(way)
