"""Cards in the app for the company's own people (wecom.md section 17; platform page 90236)."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.wecom.client import WeComClient
from adapters.wecom.errors import api_error
from adapters.wecom.ids import member
from adapters.wecom.lengths import check_count
from adapters.wecom.values import text
from scrm.channel import JsonObject
from scrm.channel_contacts import NoticeCard
from scrm.errors import Rejected

BATCH = 1000
_TITLE, _TEXT, _BUTTON = 128, 512, 4
_URL_BYTES = 2048
_SAME_WITHIN = 1800
"""Seconds in which the platform drops a repetition: an unknown outcome may be repeated."""
_NOBODY_REACHED = "wecom.81013"
_WRONG_AGENT = 40056


class Notices:
    def __init__(self, client: WeComClient, agent_id: str) -> None:
        self._client = client
        self._agent_id = agent_id

    @property
    def possible(self) -> bool:
        return self._agent_id.isascii() and self._agent_id.isdecimal()

    async def send(self, person_ids: Sequence[str], card: NoticeCard) -> Sequence[str]:
        """``message/send`` with a ``textcard``. Partly invalid receivers are told, all invalid is refused (81013)."""
        if not self.possible:
            raise api_error(_WRONG_AGENT)
        people = list(dict.fromkeys(member(one) for one in person_ids if one and "|" not in one))
        lost = [one for one in person_ids if not one or "|" in one]
        if not people:
            return lost
        check_count(len(people), BATCH, name="receivers", zh="一次通知的成员")
        body: JsonObject = {
            "touser": "|".join(people),
            "msgtype": "textcard",
            "agentid": int(self._agent_id),
            "textcard": _card(card),
            "enable_duplicate_check": 1,
            "duplicate_check_interval": _SAME_WITHIN,
        }
        try:
            answer = await self._client.post("message/send", body)
        except Rejected as error:
            if error.code == _NOBODY_REACHED:
                return [*lost, *people]
            raise
        told = {*_names(answer, "invaliduser"), *_names(answer, "unlicenseduser")}
        return [*lost, *(one for one in people if one in told)]


def _card(card: NoticeCard) -> JsonObject:
    """A card is half HTML: angle brackets of people's words are shown as such, lines are ``<br>``. The address is never cut:
    half of one leads elsewhere."""
    if len(card.url.encode()) > _URL_BYTES:
        raise api_error(45002)
    body = {
        "title": _plain(_cut(card.title, _TITLE)) or "-",
        "description": _plain(_cut(card.text, _TEXT)).replace("\n", "<br>") or "-",
        "url": card.url,
    }
    return body | ({"btntxt": _cut(card.button, _BUTTON)} if card.button else {})


def _cut(value: str, limit: int) -> str:
    return value if len(value) <= limit else value[: limit - 1] + "…"


def _plain(value: str) -> str:
    return value.replace("<", "＜").replace(">", "＞")


def _names(answer: JsonObject, field: str) -> list[str]:
    """The platform may answer in lower case, as ours are anyway."""
    return [member(name) for name in text(answer, field).split("|") if name]
