"""Moments (chapter 13): made by a job, published by members, with likes and comments."""

from __future__ import annotations

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.errors import TEXTS, Refused
from simulator.wecom.limits import Limits
from simulator.wecom.media import MediaApi
from simulator.wecom.moment_ask import Asked, asked, making
from simulator.wecom.paging import cursor_after, start_of
from simulator.wecom.settings import DAY, MINUTE, Settings, month_of
from simulator.wecom.state import Corp, JsonObject, Moment, MomentJob, MomentOfMember, MomentReaction, new_id

COMPANY, PERSON, ALL = 0, 1, 2
_LONGEST = 30 * DAY


class MomentApi:
    def __init__(self, settings: Settings, limits: Limits, media: MediaApi) -> None:
        self._settings = settings
        self._limits = limits
        self._media = media

    @property
    def endpoints(self) -> Endpoints:
        prefix = "externalcontact/"
        return {
            prefix + "add_moment_task": Endpoint("POST", self.add, "contacts"),
            prefix + "get_moment_task_result": Endpoint("GET", self.job, "contacts"),
            prefix + "get_moment_list": Endpoint("POST", self.list, "contacts"),
            prefix + "get_moment_task": Endpoint("POST", self.members, "contacts"),
            prefix + "get_moment_customer_list": Endpoint("POST", self.chosen, "contacts"),
            prefix + "get_moment_send_result": Endpoint("POST", self.shown, "contacts"),
            prefix + "get_moment_comments": Endpoint("POST", self.reactions, "contacts"),
            prefix + "cancel_moment_task": Endpoint("POST", self.cancel, "contacts"),
        }

    def add(self, call: Call) -> Answer:
        corp, settings = call.corp, self._settings
        if not corp.moments_enabled:
            raise Refused(41211)
        wanted = asked(call, self._media)
        self._limits.count(corp.corp_id, "moments", MINUTE, settings.moments_per_minute, call.now)
        month = month_of(call.now)
        made = corp.moments_made.get(month, 0)
        if made >= settings.moments_per_month:
            raise Refused(41210)
        if sum(call.now < job.ready for job in corp.moment_jobs.values()) >= settings.moment_jobs_at_once:
            raise Refused(41078)
        corp.moments_made = {month: made + 1}
        return {"jobid": self._begin(call, wanted).jobid}

    def _begin(self, call: Call, wanted: Asked) -> MomentJob:
        corp, ready = call.corp, call.now + self._settings.moment_job_seconds
        plan = making(corp, wanted)
        job = MomentJob(
            new_id("", 40), call.now, ready, "", plan.errcode, plan.lost_users, plan.lost_departments, plan.lost_tags
        )
        if not job.errcode:
            moment = Moment(
                new_id("mom"), wanted.text, wanted.attachments, call.now, ready, plan.tags,
                members={userid.lower(): MomentOfMember(userid) for userid in plan.members},
            )  # fmt: skip
            corp.moments[moment.moment_id] = moment
            job.moment_id = moment.moment_id
        corp.moment_jobs = {
            one.jobid: one
            for one in corp.moment_jobs.values()
            if call.now < one.created + self._settings.moment_job_life
        } | {job.jobid: job}
        return job

    def job(self, call: Call) -> Answer:
        job = call.corp.moment_jobs.get(call.parameter("jobid"))
        if job is None or call.now >= job.created + self._settings.moment_job_life:
            raise Refused(40058, "invalid jobid")  # [?] the code is not published
        if call.now < job.ready:
            return {"status": 1 if call.now == job.created else 2, "type": "add_moment_task"}
        return {
            "status": 3,
            "type": "add_moment_task",
            "result": {
                "errcode": job.errcode,
                "errmsg": TEXTS[job.errcode] if job.errcode else "ok",
                "moment_id": job.moment_id,
                "invalid_sender_list": {"user_list": job.invalid_users, "department_list": job.invalid_departments},
                "invalid_external_contact_list": {"tag_list": job.invalid_tags},
            },
        }

    def list(self, call: Call) -> Answer:
        begin, end = call.number("start_time"), call.number("end_time")
        if end < begin or end - begin > _LONGEST:
            raise Refused(40058, "start_time and end_time")
        whose, creator = call.number("filter_type", default=ALL, high=ALL), call.optional("creator").lower()
        limit = call.number("limit", default=20, high=20) or 20
        found = [
            one
            for one in call.corp.moments.values()
            if begin <= one.created <= end
            and call.now >= one.ready
            and whose in (ALL, PERSON if one.creator else COMPANY)
            and creator in ("", one.creator.lower())
        ]
        start = start_of(call)
        shown = found[start : start + limit]
        return {
            "next_cursor": cursor_after(start + limit, len(found)),
            "moment_list": [_row(one) for one in shown],
        }

    def members(self, call: Call) -> Answer:
        moment = self._of_company(call)
        if call.now < moment.ready + self._settings.moment_handing_out:
            raise Refused(41079)
        limit = call.number("limit", default=500, high=1000) or 500
        rows = [{"userid": one.userid, "publish_status": int(one.published > 0)} for one in moment.members.values()]
        start = start_of(call)
        return {"next_cursor": cursor_after(start + limit, len(rows)), "task_list": rows[start : start + limit]}

    def chosen(self, call: Call) -> Answer:
        mine = self._published(call)
        return _page(call, [{"userid": mine.userid, "external_userid": who} for who in mine.chosen], 500, 1000)

    def shown(self, call: Call) -> Answer:
        return _page(call, [{"external_userid": who} for who in self._published(call).shown], 3000, 5000)

    def reactions(self, call: Call) -> Answer:
        mine = self._published(call)
        return {
            "comment_list": [_reaction(call.corp, one) for one in mine.comments],
            "like_list": [_reaction(call.corp, one) for one in mine.likes],
        }

    def cancel(self, call: Call) -> Answer:
        moment = self._of_company(call)
        if moment.cancelled:
            raise Refused(41093)  # [?] as of mass messages
        moment.cancelled = call.now
        return {}

    def _moment(self, call: Call) -> Moment:
        moment = call.corp.moments.get(call.string("moment_id", missing=41059))
        if moment is None or call.now < moment.ready:
            raise Refused(41060)
        return moment

    def _of_company(self, call: Call) -> Moment:
        moment = self._moment(call)
        if moment.creator:
            raise Refused(41067)
        return moment

    def _published(self, call: Call) -> MomentOfMember:
        mine = self._moment(call).members.get(call.string("userid").lower())
        if mine is None:
            raise Refused(41061)
        if not mine.published:
            raise Refused(41062)
        return mine


def _page(call: Call, rows: list[JsonObject], usual: int, most: int) -> JsonObject:
    limit = call.number("limit", default=usual, high=most) or usual
    start = start_of(call)
    return {"next_cursor": cursor_after(start + limit, len(rows)), "customer_list": rows[start : start + limit]}


def _row(moment: Moment) -> JsonObject:
    row: JsonObject = {"moment_id": moment.moment_id}
    row |= {"creator": moment.creator} if moment.creator else {}
    row |= {
        "create_time": str(moment.created),
        "create_type": PERSON if moment.creator else COMPANY,
        "visible_type": 0 if moment.tags else 1,
    }
    row |= {"text": {"content": moment.text}} if moment.text else {}
    for one in moment.attachments:
        body = one[one["msgtype"]]
        match one["msgtype"]:
            case "image":
                row.setdefault("image", []).append({"media_id": body["media_id"]})
            case "video":
                row["video"] = {"media_id": body["media_id"], "thumb_media_id": body["media_id"]}
            case _:
                row["link"] = {"title": body["title"], "url": body["url"]}
    return row


def _reaction(corp: Corp, reaction: MomentReaction) -> JsonObject:
    key = "external_userid" if reaction.who in corp.customers else "userid"
    return {key: reaction.who, "create_time": reaction.at}
