"""The session states of WeChat customer service (wecom.md section 16.2; platform page 94669)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scrm.channel import Sentence


@dataclass(frozen=True, slots=True)
class KfState:
    """``closed_because`` is set where the platform refuses what the API sends."""

    name: str
    closed_because: Sentence | None = None

    @property
    def can_send(self) -> bool:
        return self.closed_because is None


NEW = KfState("new")
BOT = KfState("bot")
QUEUED = KfState(
    "queued",
    Sentence(
        "会话正在企业微信的待接入池里排队，此时平台不允许从这里发送。请先在企业微信客户端接入，或结束会话。",
        "The conversation waits in WeCom's queue, and the platform accepts nothing from here meanwhile. "
        "Take it up in the WeCom client, or end it.",
    ),
)
HUMAN = KfState(
    "human",
    Sentence(
        "会话正由同事在企业微信客户端接待，此时平台不允许从这里发送。请在企业微信里回复，或先结束会话。",
        "A colleague answers this conversation in the WeCom client, and the platform accepts nothing from here meanwhile. "
        "Answer in WeCom, or end the conversation first.",
    ),
)
ENDED = KfState("ended")
"""Nothing can be sent until the customer writes again, and that is not told as an event of its own. The composer stays
open therefore: closing it on this state could never be undone. A send too early is refused with 95013 or 95018."""

BY_NUMBER: Mapping[int, KfState] = {0: NEW, 1: BOT, 2: QUEUED, 3: HUMAN, 4: ENDED}
ENDED_NUMBER = 4
