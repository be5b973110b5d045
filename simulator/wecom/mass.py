"""Mass messages (chapter 12): tasks that members confirm, their results, reminders and withdrawal."""

from __future__ import annotations

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.errors import Refused
from simulator.wecom.media import MediaApi
from simulator.wecom.paging import cursor_after, start_of
from simulator.wecom.settings import DAY, Settings, month_of
from simulator.wecom.state import Corp, JsonObject, MassTask, new_id

_MOST, _MOST_GROUPS, _MOST_PARTS, _TEXT = 10_000, 2_000, 9, 4_000
_TYPES = ("image", "link", "miniprogram", "video", "file")
_MONTH = 31 * DAY


class MassApi:
    def __init__(self, settings: Settings, media: MediaApi) -> None:
        self._settings = settings
        self._media = media

    @property
    def endpoints(self) -> Endpoints:
        prefix = "externalcontact/"
        return {
            prefix + "add_msg_template": Endpoint("POST", self.add, "contacts"),
            prefix + "get_groupmsg_list_v2": Endpoint("POST", self.list, "contacts"),
            prefix + "get_groupmsg_task": Endpoint("POST", self.tasks, "contacts"),
            prefix + "get_groupmsg_send_result": Endpoint("POST", self.results, "contacts"),
            prefix + "remind_groupmsg_send": Endpoint("POST", self.remind, "contacts"),
            prefix + "cancel_groupmsg_send": Endpoint("POST", self.cancel, "contacts"),
        }

    def add(self, call: Call) -> Answer:
        groups = call.optional("chat_type", "single") == "group"
        sender = call.optional("sender").lower()
        wanted = call.strings("chat_id_list", limit=_MOST_GROUPS, required=False) if groups else call.strings(
            "external_userid", limit=_MOST, required=False
        )  # fmt: skip
        if (groups and not sender) or (not groups and not wanted and not sender):
            raise Refused(40063, "sender or external_userid is empty")
        if sender and sender not in call.corp.members:
            raise Refused(40003)
        text, attachments = self._content(call)
        chosen = set(wanted)
        mine = [one for one in self._reachable(call.corp, sender, groups=groups) if not wanted or one in chosen]
        reached = set(mine)
        failed = [one for one in wanted if one not in reached]
        if not mine:
            raise Refused(41048)
        task = MassTask(
            new_id("msg"), call.corp.members[sender].userid if sender else "", groups, mine, text, attachments, call.now
        )
        call.corp.mass_tasks[task.msgid] = task
        return {"fail_list": failed, "msgid": task.msgid}

    def _content(self, call: Call) -> tuple[str, list[JsonObject]]:
        said = call.body.get("text") or {}
        text = said.get("content", "") if isinstance(said, dict) else ""
        attachments = call.body.get("attachments") or []
        if not isinstance(text, str) or not isinstance(attachments, list):
            raise Refused(40058)
        if len(text.encode()) > _TEXT:
            raise Refused(40058, "text is too long")
        if len(attachments) > _MOST_PARTS:
            raise Refused(41064)
        if not text and not attachments:
            raise Refused(40063, "text and attachments are empty")
        for one in attachments:
            kind = one.get("msgtype") if isinstance(one, dict) else None
            if kind not in _TYPES or not isinstance(one.get(kind), dict):
                raise Refused(41065)
            media_id = one[kind].get("media_id") or one[kind].get("pic_media_id")
            if media_id:
                self._media.find(call.corp, media_id, call.now)
        return text, attachments

    def _reachable(self, corp: Corp, sender: str, *, groups: bool) -> list[str]:
        if groups:
            return [one.chat_id for one in corp.groups.values() if one.owner.lower() == sender and not one.dissolved]
        return [
            who
            for who, follows in corp.follows.items()
            if not sender or any(userid.lower() == sender for userid in follows)
        ]

    def list(self, call: Call) -> Answer:
        groups = call.string("chat_type") == "group"
        begin, end = call.number("start_time"), call.number("end_time")
        if end < begin or end - begin > _MONTH:
            raise Refused(40058, "start_time and end_time")
        limit = call.number("limit", default=50)
        limit = limit if 0 < limit <= 100 else 50
        found = [t for t in call.corp.mass_tasks.values() if t.groups == groups and begin <= t.created <= end]
        start = start_of(call)
        shown = found[start : start + limit]
        return {
            "next_cursor": cursor_after(start + limit, len(found)),
            "group_msg_list": [
                {"msgid": t.msgid, "create_time": str(t.created), "create_type": 0, "text": {"content": t.text}, "attachments": t.attachments}
                for t in shown
            ],
        }  # fmt: skip

    def tasks(self, call: Call) -> Answer:
        task = self._task(call)
        row: JsonObject = {"userid": task.sender, "status": 2 if task.confirmed else 0}
        row |= {"send_time": task.confirmed} if task.confirmed else {}
        return {"next_cursor": "", "task_list": [row]}

    def results(self, call: Call) -> Answer:
        task = self._task(call)
        if call.string("userid").lower() != task.sender.lower():
            raise Refused(40003)
        limit = call.number("limit", default=500, high=1000) or 500
        key = "chat_id" if task.groups else "external_userid"
        rows: list[JsonObject] = []
        for one in task.receivers:
            status = task.results.get(one, 0)
            if task.groups and status != 1:
                continue
            row: JsonObject = {key: one, "userid": task.sender, "status": status}
            rows.append(row | ({"send_time": task.confirmed} if status == 1 else {}))
        start = start_of(call)
        return {"next_cursor": cursor_after(start + limit, len(rows)), "send_list": rows[start : start + limit]}

    def remind(self, call: Call) -> Answer:
        task = self._task(call)
        if task.reminders >= self._settings.mass_reminders:
            raise Refused(41094)
        task.reminders += 1
        return {}

    def cancel(self, call: Call) -> Answer:
        task = self._task(call, handed_out=False)
        if task.cancelled:
            raise Refused(41093)
        task.cancelled = call.now
        return {}

    def _task(self, call: Call, *, handed_out: bool = True) -> MassTask:
        task = call.corp.mass_tasks.get(call.string("msgid", missing=41046))
        if task is None:
            raise Refused(41047)
        if handed_out and call.now - task.created < self._settings.mass_handing_out:
            raise Refused(41063)
        return task


def confirm(corp: Corp, task: MassTask, now: int, days: int) -> None:
    """The member confirms: everybody gets it but those who deleted them or got as many posts this month as it has days."""
    if task.cancelled or task.confirmed:
        return
    task.confirmed = now
    month = month_of(now)
    for one in task.receivers:
        follows = corp.follows.get(one, {}).values()
        friend = task.groups or any(f.userid.lower() == task.sender.lower() and not f.one_sided for f in follows)
        got = [at for at in corp.mass_received.get(one, []) if month_of(at) == month]
        task.results[one] = 2 if not friend else 3 if len(got) >= days else 1
        if task.results[one] == 1:
            corp.mass_received.setdefault(one, []).append(now)
