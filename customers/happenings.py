"""What happened with a customer on a platform, in words. The names are those of ``docs/writing-an-adapter.md``."""

from __future__ import annotations

from scrm.views import SentenceView

WORDS: dict[str, tuple[str, str]] = {
    "contact.added": ("添加为联系人", "Was added as a contact"),
    "contact.half_added": ("对方尚未确认添加", "Was added, not confirmed yet"),
    "contact.entered": ("进入会话", "Opened the chat"),
    "contact.edited": ("联系人资料被修改", "The contact was edited"),
    "contact.deleted_by_agent": ("被员工删除", "Was deleted by an employee"),
    "contact.deleted_by_customer": ("客户删除了员工", "Deleted the employee"),
    "contact.gone": ("不再是好友", "Is no longer a contact"),
    "contact.transferred": ("已交接给其他员工", "Was handed over to another employee"),
    "contact.transfer_failed": ("交接失败", "The hand-over failed"),
    "contact.archive_approved": ("同意会话存档", "Agreed to the archive"),
    "contact.followed": ("关注了账号", "Followed the account"),
    "contact.rejected_messages": ("拒收消息", "Refuses messages"),
    "group.member_added": ("加入群聊", "Joined a group"),
    "group.member_removed": ("离开群聊", "Left a group"),
    "group.joined": ("加入群聊", "Joined a group"),
    "group.left": ("离开群聊", "Left a group"),
    "group.join_requested": ("申请加入群聊", "Asked to join a group"),
    "tag.updated": ("标签变更", "Tags changed"),
    "app.subscribed": ("关注应用", "Subscribed to the app"),
    "app.unsubscribed": ("取消关注应用", "Unsubscribed from the app"),
    "app.entered": ("进入应用", "Opened the app"),
    "app.clicked": ("点击菜单", "Clicked a menu"),
    "video.liked": ("点赞了视频", "Liked a video"),
    "comment.received": ("发表评论", "Commented"),
    "messages.authorised": ("允许接收消息", "Allowed messages"),
    "messages.unauthorised": ("取消接收消息", "No longer allows messages"),
    "servicer.status_changed": ("接待状态变更", "The servicer's status changed"),
}


def in_words(name: str) -> SentenceView:
    """A name without words of its own is shown as it is."""
    zh, en = WORDS.get(name, (name, name))
    return SentenceView(code=name, zh=zh, en=en)
