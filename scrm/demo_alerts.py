"""What the sample company looks for in chats, and what that found in its past. Once, after the archive was read."""

from __future__ import annotations

from typing import Any

from audit.alerts.working import AlertAct, act_on
from audit.rules.edit import create
from audit.rules.rerun import Backlooker, look_back
from audit.rules.views import NewAuditRule
from scrm.auth import principal_of
from scrm.demo_campaigns import PERSON
from scrm.services import Services

RULES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("价格承诺", "high", {"kind": "words", "words": ["再打*折", "最低价", "保证最低", "老板说可以", "返现", "返点"], "exceptions": ["不支持返现"]}),
    ("额外收费", "high", {"kind": "words", "who": "both", "words": ["上楼费", "加收", "私下给", "小费"], "exceptions": []}),
    ("引流到个人", "medium", {"kind": "words", "words": ["加我*微信", "私人微信", "vx", "个人号"], "exceptions": ["微信支付"]}),
    ("客户不满", "medium", {"kind": "words", "who": "customers", "words": ["投诉", "退货", "退款", "假货", "骗人", "差评", "12315"], "exceptions": []}),
    ("发送电话号码", "low", {"kind": "phone"}),
    ("收款码或收款链接", "high", {"kind": "payee"}),
    ("红包 50 元以上", "medium", {"kind": "red_packet", "fen": 5000}),
    ("30 分钟未及时回复", "low", {"kind": "slow_reply", "minutes": 30, "working_hours": True}),
    ("员工删除客户", "high", {"kind": "customer_deleted"}),
)  # fmt: skip
HANDLED = "select id from alert where kind = 'words' and state = 'new' order by id limit 1 offset 1"


async def watch(services: Services) -> None:
    """Does nothing where there are rules already."""
    person = await services.db.fetchrow(PERSON, "admin")
    auditor = await services.db.fetchrow(PERSON, "auditor")
    if person is None or await services.db.fetchval("select exists (select from audit_rule)"):
        return
    admin = principal_of(person)
    async with services.work() as work:
        for name, severity, data in RULES:
            words = {"words": [_word(one) for one in data["words"]]} if "words" in data else {}
            new = NewAuditRule.model_validate({"name": name, "severity": severity, "data": {**data, **words}})
            made = await create(work, admin, new, address="")
            if new.data.kind != "customer_deleted":
                await look_back(work, admin, made, None, True)
    looker = Backlooker(services)
    while await looker.round():
        pass
    handled = await services.db.fetchval(HANDLED)
    if auditor is not None and handled is not None:
        async with services.work() as work:
            body = AlertAct(ids=[handled], act="done", outcome="talked", note="已和员工确认，之后按制度报价。")
            await act_on(work, principal_of(auditor), body, address="")


def _word(text: str) -> dict[str, str]:
    return {"text": text, "how": "wildcard" if "*" in text else "plain"}
