"""What the sheet of the trail says in words; acts without words stay as they are named."""

from __future__ import annotations

from scrm.permissions import Language

TITLES: dict[Language, list[str]] = {
    "zh-CN": ["编号", "时间", "成员", "操作", "代码", "对象", "地址", "详情"],
    "en": ["Number", "Time", "Who", "Act", "Code", "Object", "Address", "Details"],
}
ACTS = {
    "session.opened": ("登录", "signed in"), "session.closed": ("退出登录", "signed out"), "session.refused": ("登录失败", "failed to sign in"),
    "conversation.viewed": ("查看他人会话", "opened a chat of somebody else"), "archive.viewed": ("在审计中查看会话", "opened a chat for audit"),
    "message.searched": ("搜索消息", "searched messages"), "archive.searched": ("检索存档", "searched the archive"),
    "customer.phone_revealed": ("查看手机号", "saw a phone number"), "message.fields_revealed": ("查看隐藏字段", "saw hidden fields"),
    "reason.given": ("说明理由", "gave a reason"), "trail.read": ("查看操作记录", "read the trail"), "trail.exported": ("导出操作记录", "exported the trail"),
    "customer.exported": ("导出客户", "exported customers"), "account.exported": ("导出账号", "exported an account"),
    "report.exported": ("导出报表", "exported a report"), "campaign.exported": ("导出群发结果", "exported a campaign"),
    "handover.begun": ("移交", "handed over"), "role.changed": ("修改角色权限", "changed a role"), "role.created": ("新建角色", "made a role"),
    "setting.privacy_set": ("修改理由和水印设置", "changed reasons and watermark"),
}  # fmt: skip


def said(action: str, language: Language) -> str:
    words = ACTS.get(action)
    return action if words is None else words[1 if language == "en" else 0]
