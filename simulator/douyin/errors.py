"""Refusals of the platform with the wordings of its documents, and the shapes of answers. Platform reference, ch. 1 and 10."""

from __future__ import annotations

import secrets
from typing import Any

from simulator.douyin.state import JsonObject

DESCRIPTIONS = {
    10002: "参数错误",
    10003: "client_key不存在",
    10004: "应用权限不足",
    10005: "缺少参数",
    10006: "非法重定向URI",
    10007: "授权码过期",
    10008: "access_token无效",
    10010: "refresh_token 过期",
    10013: "client_key或者client_secret报错",
    10014: "client_key与获取的授权码不一致",
    10020: "超过刷新次数限制",
    2100004: "系统繁忙，此时请开发者稍候再试",
    2100005: "Parameter error",
    2111001: "评论内容含有敏感词",
    2111003: "评论无效",
    2111007: "无法查看视频",
    28001003: "access_token无效",
    28001007: "参数不合法",
    28001008: "access_token过期,请刷新或重新授权",
    28001012: "用户未授权该api",
    28001014: "应用未获得该能力",
    28001015: "access_token与open_id不匹配",
    28001016: "应用已被封禁或下线",
    28001038: "内容不合法",
    28003017: "quota已用完",
    28003018: "请求频率过高",
    28003070: "超出频控限制次数",
    28003081: "上条消息已经超过24小时",
    28003082: "消息对象不匹配",
    28003095: "线上已有生效消息策略",
    28003101: "用户被封禁",
    28029003: "发送方不是认证企业号",
    28029004: "发送方被禁止发送消息",
}
SECOND_SHAPE = ("/im/recall/", "/im/authorize/", "/api/im/message/", "/im/group/setting/")
THIRD_SHAPE = ("/oauth/",)


class Refused(Exception):
    """The API says no, with HTTP status 200."""

    def __init__(self, code: int, description: str = "") -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description or DESCRIPTIONS.get(code, "error")


def log_id() -> str:
    return f"0217{secrets.randbelow(10**12):012d}00000000000000000ffff0a9400"


def answer(path: str, now: int, result: JsonObject, *, code: int = 0, description: str = "") -> JsonObject:
    """``result`` holds members beside ``data`` and, under ``data``, members inside it."""
    beside = {name: value for name, value in result.items() if name != "data"}
    inside = result.get("data", {})
    if path.startswith(SECOND_SHAPE):
        return {"err_no": code, "err_msg": description, "log_id": log_id(), **({"data": inside} if inside else {})}
    if path.startswith(THIRD_SHAPE):
        data = {**inside, "description": description, "error_code": code}
        return {"data": data, "message": "error" if code else "success"}
    extra: JsonObject = {
        "error_code": code,
        "description": description,
        "sub_error_code": 0,
        "sub_description": "",
        "now": now,
        "logid": log_id(),
    }
    return {**beside, "data": {**inside, "error_code": code, "description": description}, "extra": extra}


def numbers_as_strings(value: Any) -> Any:
    """The same answer with every number as a string, as some old endpoints write it."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        return {name: numbers_as_strings(item) for name, item in value.items()}
    if isinstance(value, list):
        return [numbers_as_strings(item) for item in value]
    return value
