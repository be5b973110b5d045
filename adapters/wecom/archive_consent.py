"""Whose chats are archived and which customers agreed to it (wecom.md section 15.4). Called with the archive's own secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from adapters.wecom.archive import NO_SECRET
from adapters.wecom.client import WeComClient
from adapters.wecom.ids import member
from adapters.wecom.values import moment_or_none, objects, text, texts
from scrm.channel import JsonObject, Sentence
from scrm.channel_archive import Agreement, ArchiveUnready
from scrm.errors import Rejected

_STATES: Mapping[str, Literal["agreed", "by_default", "refused"]] = {
    "Agree": "agreed",
    "Default_Agree": "by_default",
    "Disagree": "refused",
}
_REFUSED = "wecom.40001"
BAD_SECRET = Sentence(
    "企业微信不接受会话内容存档的 Secret。请管理员在管理后台“管理工具 → 会话内容存档”中核对，填入连接设置。",
    "WeCom does not accept the secret of the chat archive. An administrator must compare it with the console, under Chat Archive.",
)
_NO_SUCH_ROOM = frozenset({"wecom.40050", "wecom.40058", "wecom.49008", "wecom.301059"})
"""A group that is dissolved, inside the company, or not this app's to ask about."""


class ArchiveConsent:
    consent_batch = 100

    def __init__(self, client: WeComClient | None) -> None:
        """``client``: with the archive's secret; None: there is none yet."""
        self._consent_client = client

    async def archived_members(self) -> Sequence[str]:
        """``msgaudit/get_permit_user_list`` without a type: of every edition that the company bought."""
        answer = await self._consent_answer("msgaudit/get_permit_user_list", {})
        return list(dict.fromkeys(member(one) for one in texts(answer, "ids")))

    async def agreements(self, pairs: Sequence[tuple[str, str]]) -> Sequence[Agreement]:
        """``msgaudit/check_single_agree``; ``exteranalopenid`` is the platform's spelling."""
        info = [{"userid": userid, "exteranalopenid": contact} for userid, contact in pairs]
        answer = await self._consent_answer("msgaudit/check_single_agree", {"info": info})
        return _agreements(answer)

    async def room_agreements(self, room: str) -> Sequence[Agreement]:
        try:
            return _agreements(await self._consent_answer("msgaudit/check_room_agree", {"roomid": room}))
        except Rejected as error:
            if error.code in _NO_SUCH_ROOM:
                return []
            raise

    async def _consent_answer(self, path: str, body: JsonObject) -> JsonObject:
        if self._consent_client is None:
            raise ArchiveUnready("no_secret", NO_SECRET)
        try:
            return await self._consent_client.post(path, body)
        except Rejected as error:
            if error.code == _REFUSED:
                raise ArchiveUnready("bad_secret", BAD_SECRET) from error
            raise


def _agreements(answer: JsonObject) -> list[Agreement]:
    """States that are not known when this was written say nothing."""
    return [
        Agreement(contact, state, moment_or_none(one, "status_change_time"), member(text(one, "userid")))
        for one in objects(answer, "agreeinfo")
        if (contact := text(one, "exteranalopenid")) and (state := _STATES.get(text(one, "agree_status"))) is not None
    ]
