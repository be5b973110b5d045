"""What a campaign holds, as it is kept and as it is frozen into a run: content, audience, schedule, options."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from customers.filtering import EVERYBODY, Group
from customers.greetings.content import Content
from scrm.views import Id

Way = Literal["task", "broadcast", "reply"]
"""How a delivery goes: a member of the company confirms it; the platform spreads it; it is an answer in an open reply window."""

CampaignState = Literal["draft", "waiting", "scheduled", "running", "paused", "done", "cancelled"]
DeliveryState = Literal["planned", "sending", "asked", "sent", "failed", "skipped", "uncertain", "cancelled"]
MomentPostState = Literal["planned", "asked", "published", "refused", "withdrawn", "failed", "uncertain"]
FINAL: tuple[DeliveryState, ...] = ("sent", "failed", "skipped", "uncertain", "cancelled")

Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""``09:30``."""
ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Posts(Kept):
    """``post`` for every channel but those with words of their own in ``variants``, by channel."""

    post: Content = Content()
    variants: dict[str, Content] = Field(default_factory=dict)

    def of(self, channel: str) -> Content:
        return self.variants.get(channel, self.post)


class Exclusions(Kept):
    """Who opted out is always left out. ``contacted_days``: who got a post of another campaign in the last days.
    ``campaign_ids``: who got one of these campaigns. ``filter``: who fits. ``list_id``: who stands in this list."""

    complaints: bool = True
    contacted_days: Annotated[int, Field(ge=1, le=365)] | None = None
    campaign_ids: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    filter: Group | None = None
    list_id: Id | None = None


class Audience(Kept):
    """``customers``: those who fit ``filter``, a segment, or an uploaded list (all that are given must fit). ``groups``: group chats.
    ``conversations``: customers of conversations with these accounts that have been active in the last days.
    ``channels``: over which, the first that reaches a customer is taken; empty: all. ``account_ids``: only these accounts.
    Of a moment only ``account_ids`` (who posts it; empty: all) and ``tag_ids`` (whose customers see it; empty: all) say something."""

    of: Literal["customers", "groups", "conversations"] = "customers"
    filter: Group = EVERYBODY
    segment_id: Id | None = None
    list_id: Id | None = None
    group_ids: Annotated[tuple[Id, ...], Field(max_length=5000)] = ()
    active_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    channels: Annotated[tuple[ChannelName, ...], Field(max_length=20)] = ()
    account_ids: Annotated[tuple[Id, ...], Field(max_length=1000)] = ()
    tag_ids: Annotated[tuple[Id, ...], Field(max_length=200)] = ()
    exclude: Exclusions = Exclusions()


class Quiet(Kept):
    """No post reaches anybody from ``begin`` to ``end`` by the recipient's clock: it waits for ``end``."""

    begin: Clock = "21:00"
    end: Clock = "09:00"


class Calendar(Kept):
    """``days``: of the week (1 Monday to 7) or of the month (1 to 31; -1 the last); unused for ``day``."""

    every: Literal["day", "week", "month"]
    days: Annotated[tuple[int, ...], Field(max_length=40)] = ()
    time: Clock


class Schedule(Kept):
    """``recurring``: by ``calendar`` or ``cron`` (five fields) in ``zone``, until ``until`` or ``times`` runs.
    ``late_hours``: what could not start in time (the service was down) still starts within so many hours, else it is missed and says so.
    ``spread_minutes``: recipients are spread evenly over it. ``quiet`` None: at any hour."""

    mode: Literal["now", "at", "recurring"] = "now"
    at: datetime | None = None
    zone: Annotated[str, Field(max_length=60)] = "Asia/Shanghai"
    calendar: Calendar | None = None
    cron: Annotated[str, Field(max_length=100)] = ""
    until: datetime | None = None
    times: Annotated[int, Field(ge=1, le=1000)] | None = None
    spread_minutes: Annotated[int, Field(ge=0, le=7 * 24 * 60)] = 0
    late_hours: Annotated[int, Field(ge=0, le=72)] = 6
    quiet: Quiet | None = Quiet()


class Options(Kept):
    """``cap_times`` posts per ``cap_days`` for one customer over all campaigns. ``confirm_days``: how long members may take to confirm,
    then the rest is withdrawn. ``reply_days``: an answer within so many days counts as one to this post.
    ``window_first``: where a platform spreads posts and the reply window is open too, answer in the window (it costs no quota)."""

    cap_times: Annotated[int, Field(ge=1, le=100)] | None = None
    cap_days: Annotated[int, Field(ge=1, le=365)] = 7
    confirm_days: Annotated[int, Field(ge=1, le=30)] = 3
    reply_days: Annotated[int, Field(ge=1, le=30)] = 3
    window_first: bool = False


def content_json(posts: Posts) -> dict[str, Any]:
    return posts.model_dump(mode="json")
