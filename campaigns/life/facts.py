"""Over which channels campaigns go, in which ways, and what holds there: asked of the adapters, for the editor and for the checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from campaigns.shapes import Way
from inbox.variables import NAMES
from scrm.channel import Capabilities
from scrm.channel_campaigns import AsksMembers, Broadcasts, ReceiveLimit
from scrm.connections import Connections, Loaded
from scrm.db import Database, Tx
from scrm.variables import MOMENTS
from scrm.views import SentenceView, View, sentence_view

VARIABLES: Mapping[Way, tuple[str, ...]] = {
    "task": ("agent.name", "company.name", *MOMENTS),
    "broadcast": ("company.name", *MOMENTS),
    "reply": NAMES,
}
"""A task says the same to all customers of one member, a broadcast to everybody: their own variables would be one call each."""
CARDS = frozenset({"image", "link", "miniprogram", "video", "file"})

ACCOUNTS = """
select id, connection_id, channel, name from account where disabled_at is null and channel = any($1::text[]) order by channel, name, id
"""


class ReceiveLimitView(View):
    """How many posts one person gets in a calendar period. ``times`` 0 with month: as many as it has days."""

    times: int
    period: Literal["day", "week", "month"]
    everything: bool
    zone: str
    rule: SentenceView


class ChannelWay(View):
    """``kinds``: attachments that go this way. ``batch``: people of one call; ``group_batch``: groups (0: none go this way).
    ``parts``: attachments of one post. ``per_minute``, ``per_day``: calls of one account, where there is a limit. ``rule``: of the
    reply window, where there is one."""

    way: Way
    kinds: list[str]
    text_limit: int
    text_limit_unit: Literal["bytes", "characters"]
    links_allowed: bool
    parts: int
    variables: list[str]
    limits: list[ReceiveLimitView]
    batch: int | None
    group_batch: int
    least: int
    per_minute: int | None
    per_day: int | None
    reminders: int
    rule: SentenceView | None


class CampaignAccount(View):
    id: int
    connection_id: int
    name: str


class CampaignChannel(View):
    channel: str
    title: SentenceView
    mark: str
    color: str
    ways: list[ChannelWay]
    accounts: list[CampaignAccount]


class CampaignChannels(View):
    """Those with an account. ``variables``: all there are, whichever way. ``cards``: colleagues can be sent a test as a card."""

    channels: list[CampaignChannel]
    variables: list[str]
    cards: bool


def ways_of(connections: Connections) -> dict[str, list[ChannelWay]]:
    """By channel, of the connections that are not paused."""
    found: dict[str, dict[Way, ChannelWay]] = {}
    for loaded in connections.all():
        if loaded.paused:
            continue
        for channel, way in _ways(loaded, connections):
            found.setdefault(channel, {}).setdefault(way.way, way)
    return {channel: list(ways.values()) for channel, ways in found.items()}


async def channels(tx: Tx | Database, connections: Connections, *, cards: bool) -> CampaignChannels:
    ways = ways_of(connections)
    rows = await tx.fetch(ACCOUNTS, list(ways))
    seen: list[CampaignChannel] = []
    for channel in dict.fromkeys(row["channel"] for row in rows):
        can = connections.capabilities(channel)
        if can is None:
            continue
        of_channel = [row for row in rows if row["channel"] == channel]
        seen.append(
            CampaignChannel(
                channel=channel,
                title=SentenceView(code=channel, zh=can.title.zh, en=can.title.en),
                mark=can.mark,
                color=can.color,
                ways=ways[channel],
                accounts=[
                    CampaignAccount(**{k: row[k] for k in ("id", "connection_id", "name")}) for row in of_channel
                ],
            )
        )
    return CampaignChannels(channels=seen, variables=list(NAMES), cards=cards)


def _ways(loaded: Loaded, connections: Connections) -> Iterable[tuple[str, ChannelWay]]:
    adapter = loaded.adapter
    if isinstance(adapter, AsksMembers):
        yield adapter.task_channel, _task(adapter)
    if isinstance(adapter, Broadcasts):
        yield adapter.broadcast_channel, _broadcast(adapter)
    for can in adapter.capabilities.values():
        if can.sends:
            yield can.channel, _reply(can)


def _task(adapter: AsksMembers) -> ChannelWay:
    return ChannelWay(
        way="task",
        kinds=sorted(adapter.task_kinds),
        text_limit=adapter.task_text_bytes,
        text_limit_unit="bytes",
        links_allowed=True,
        parts=adapter.task_parts,
        variables=list(VARIABLES["task"]),
        limits=_limits(adapter.task_limits),
        batch=adapter.task_batch,
        group_batch=adapter.group_task_batch,
        least=1,
        per_minute=None,
        per_day=None,
        reminders=adapter.reminders_per_task,
        rule=None,
    )


def _broadcast(adapter: Broadcasts) -> ChannelWay:
    return ChannelWay(
        way="broadcast",
        kinds=sorted(adapter.broadcast_kinds & CARDS),
        text_limit=adapter.broadcast_text_bytes,
        text_limit_unit="bytes",
        links_allowed=True,
        parts=1,
        variables=list(VARIABLES["broadcast"]),
        limits=_limits(adapter.broadcast_limits),
        batch=adapter.broadcast_batch,
        group_batch=0,
        least=adapter.broadcast_least,
        per_minute=adapter.broadcasts_per_minute,
        per_day=adapter.broadcasts_per_day,
        reminders=0,
        rule=None,
    )


def _reply(can: Capabilities) -> ChannelWay:
    return ChannelWay(
        way="reply",
        kinds=sorted(can.sends & CARDS),
        text_limit=can.text_limit,
        text_limit_unit=can.text_limit_unit,
        links_allowed=can.links_allowed,
        parts=9,
        variables=list(VARIABLES["reply"]),
        limits=[],
        batch=None,
        group_batch=0,
        least=1,
        per_minute=None,
        per_day=None,
        reminders=0,
        rule=sentence_view(can.window.rule, f"{can.channel}.window") if can.window else None,
    )


def _limits(limits: Sequence[ReceiveLimit]) -> list[ReceiveLimitView]:
    return [
        ReceiveLimitView(
            times=one.times,
            period=one.period,
            everything=one.everything,
            zone=one.zone,
            rule=SentenceView(code=f"limit.{one.period}", zh=one.rule.zh, en=one.rule.en),
        )
        for one in limits
    ]
