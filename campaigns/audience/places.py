"""Over which accounts and in which ways a campaign may go, and what holds there: asked of the adapters once for a whole decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from campaigns.shapes import Audience, Options, Way
from scrm.channel_campaigns import AsksMembers, Broadcasts, ReceiveLimit
from scrm.connections import Connections, Loaded


@dataclass(frozen=True, slots=True)
class Place:
    """One way over one connection's channel. ``rank``: the lower is taken first. ``windowed``: only while a reply window is open."""

    channel: str
    way: Way
    connection_id: int
    rank: int
    windowed: bool = False
    paused: bool = False
    limits: Sequence[ReceiveLimit] = ()


def places(connections: Connections, audience: Audience, options: Options) -> list[Place]:
    """In the order of ``audience.channels``; of two ways over one channel the platform's own comes first unless ``window_first``."""
    found: list[Place] = []
    for loaded in sorted(connections.all(), key=lambda one: one.id):
        for channel, way, windowed, limits in _ways(loaded, groups=audience.of == "groups"):
            if audience.channels and channel not in audience.channels:
                continue
            order = audience.channels.index(channel) if audience.channels else 0
            second = (way == "reply") != options.window_first
            found.append(Place(channel, way, loaded.id, order * 2 + second, windowed, loaded.paused, tuple(limits)))
    return found


def _ways(loaded: Loaded, *, groups: bool) -> Iterable[tuple[str, Way, bool, Sequence[ReceiveLimit]]]:
    adapter = loaded.adapter
    if isinstance(adapter, AsksMembers) and (not groups or adapter.group_task_batch > 0):
        yield adapter.task_channel, "task", False, adapter.task_limits
    if groups:
        return
    if isinstance(adapter, Broadcasts):
        yield adapter.broadcast_channel, "broadcast", False, adapter.broadcast_limits
    for able in adapter.capabilities.values():
        if able.sends:
            yield able.channel, "reply", able.window is not None, ()


def period_of(limit: ReceiveLimit, at: datetime) -> tuple[datetime, int]:
    """When the calendar period around ``at`` began, and how many posts it allows."""
    here = at.astimezone(ZoneInfo(limit.zone))
    day = here.replace(hour=0, minute=0, second=0, microsecond=0)
    if limit.period == "day":
        return day, limit.times
    if limit.period == "week":
        return day - timedelta(days=here.weekday()), limit.times
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return first, limit.times or (following - first).days
