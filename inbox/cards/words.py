"""The words of cards, by kind of notice. A new kind is a line here; without one it is told in general words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inbox.notifications import NotificationView
from scrm.permissions import Language

HEADLINES: Mapping[str, tuple[str, str]] = {
    "mention": ("{who} @了你：{title}", "{who} mentioned you: {title}"),
    "assigned": ("{title} 已分配给你", "{title} was given to you"),
    "transfer_asked": ("{who} 请你接手 {title}", "{who} asks you to take over {title}"),
    "transfer_declined": ("{who} 没有接手 {title}", "{who} did not take over {title}"),
    "helper": ("{who} 请你协作 {title}", "{who} asks for your help with {title}"),
    "woke": ("{title} 到了稍后处理的时间", "It is time for {title} again"),
    "sla_warning": ("{title} 的承诺回复时间快到了", "The answer to {title} is due soon"),
    "sla_breached": ("{title} 超过了承诺的回复时间", "The answer to {title} is overdue"),
    "send_failed": ("发给 {title} 的消息没有发出", "A message to {title} was not sent"),
    "customer_given": ("客户 {title} 已分配给你", "Customer {title} was given to you"),
    "customer_shared": ("客户 {title} 已共享给你", "Customer {title} was shared with you"),
    "customer_falling": ("{title} 即将回收到公海", "{title} is about to fall into the public pool"),
    "customer_lost": ("{title} 已被回收，不再归属你", "{title} was taken back and is no longer yours"),
    "customer_opted_out": ("{title} 退订了群发", "{title} asked for no more campaigns"),
    "campaign_asked": ("{who} 的群发任务「{title}」等你审批", "{who}'s campaign “{title}” waits for your approval"),
    "campaign_approved": ("{who} 通过了群发任务「{title}」", "{who} approved the campaign “{title}”"),
    "campaign_refused": ("{who} 退回了群发任务「{title}」", "{who} sent the campaign “{title}” back"),
    "campaign_missed": ("群发任务「{title}」没有按时执行", "The campaign “{title}” did not run when it was due"),
    "campaign_finished": ("群发任务「{title}」已完成", "The campaign “{title}” is done"),
    "campaign_test": ("{who} 发给你一份测试：{title}", "{who} sent you a test: {title}"),
    "moment_reminder": ("{who} 提醒你发表朋友圈「{title}」", "{who} reminds you to publish the moment “{title}”"),
    "alert": ("新警报：{title}", "New alert: {title}"),
    "quality_scored": ("你的一次会话质检得分 {n}%", "A chat of yours was inspected: {n}%"),
    "quality_appealed": ("{who} 对你的质检评分提出申诉", "{who} appeals against a score of yours"),
    "quality_decided": ("你的质检申诉有结果了：{n}%", "Your appeal is decided: {n}%"),
    "invites_today": ("今天有 {n} 位客户等你添加", "{n} people to add today"),
    "task_due": ("待办到期：{title}", "Task due: {title}"),
    "task_given": ("{who} 给你安排了待办：{title}", "{who} gave you a task: {title}"),
}
PUBLISH = (
    "请打开企业微信的客户朋友圈，确认后发表。",
    "Open the customer Moments of your app, look at it and publish it.",
)
OTHER = ("{title} 有新动态", "News about {title}")
SEVERAL = {"task": ("{n} 个任务", "{n} tasks"), "": ("{n} 个客户", "{n} customers")}
SOMEBODY, COLLEAGUE = ("客户", "a customer"), ("同事", "a colleague")
MANY = ("你有 {n} 条新提醒", "You have {n} new notices")
BUTTON = ("查看", "Open")
LISTED = 6
MORE = ("……", "…")


def _pick(words: tuple[str, str], language: Language) -> str:
    return words[1] if language == "en" else words[0]


def headline(notice: NotificationView, names: Mapping[int, str], language: Language) -> str:
    who = names.get(notice.by_agent_id or 0) or _pick(COLLEAGUE, language)
    about = notice.text if notice.task_id is not None else _campaign(notice)
    title = _alert(notice, language) or notice.title or about or _several(notice, language)
    return _pick(HEADLINES.get(notice.kind, OTHER), language).format(
        who=who, title=title, n=notice.data.get("n", notice.data.get("percent", 1))
    )


def _campaign(notice: NotificationView) -> str:
    return str(notice.data.get("name") or "") if notice.kind.startswith("campaign_") else ""


def _alert(notice: NotificationView, language: Language) -> str:
    titles = notice.data.get("title") if notice.kind == "alert" else None
    return str(titles.get(language) or "") if isinstance(titles, dict) else ""


def _several(notice: NotificationView, language: Language) -> str:
    """What a notice is about that names nobody: so many, or somebody whom the reader may not see (now)."""
    number = notice.data.get("count")
    if isinstance(number, int) and number > 1:
        return _pick(SEVERAL["task" if notice.kind.startswith("task_") else ""], language).format(n=number)
    return _pick(SOMEBODY, language)


def title_and_text(
    notices: Sequence[NotificationView], names: Mapping[int, str], language: Language
) -> tuple[str, str]:
    """Of a card for these, newest first. It says no more than the notice centre shows: masked, and only what the reader may see."""
    if len(notices) == 1:
        only = notices[0]
        return headline(only, names, language), only.text or _detail(only, language)
    lines = [headline(one, names, language) for one in notices[:LISTED]]
    if len(notices) > LISTED:
        lines.append(_pick(MORE, language))
    return _pick(MANY, language).format(n=len(notices)), "\n".join(lines)


def _detail(notice: NotificationView, language: Language) -> str:
    """What a campaign's notice says besides its name: what the second person wrote, why it was missed."""
    if notice.kind == "moment_reminder":
        return _pick(PUBLISH, language)
    if not notice.kind.startswith("campaign_"):
        return ""
    why = notice.data.get("why")
    said = why.get("en" if language == "en" else "zh") if isinstance(why, dict) else notice.data.get("note")
    return str(said or "")


def button(language: Language) -> str:
    return _pick(BUTTON, language)


def path(notices: Sequence[NotificationView]) -> str:
    """Where the card leads: to what all of them are about, else to the list of notices."""
    if len(notices) == 1 and notices[0].kind.startswith("task_"):
        return "/today" if notices[0].task_id is None else f"/today?task={notices[0].task_id}"
    if len(notices) == 1 and notices[0].kind.startswith("campaign_"):
        return f"/campaigns/{notices[0].data.get('campaign_id')}"
    if len(notices) == 1 and notices[0].kind == "invites_today":
        return "/invites/today"
    if len(notices) == 1 and notices[0].kind.startswith("quality_"):
        return "/audit/quality" if notices[0].kind == "quality_appealed" else "/settings/quality"
    conversations = {one.conversation_id for one in notices}
    customers = {one.customer_id for one in notices}
    if len(conversations) == 1 and (only := conversations.pop()) is not None:
        return f"/inbox/{only}"
    if len(customers) == 1 and (only := customers.pop()) is not None:
        return f"/customers/{only}"
    return "/?notices=1"
