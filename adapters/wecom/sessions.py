"""The platform's own session of a conversation: ``kf/service_state`` (wecom.md section 16.2; platform page 94669)."""

from __future__ import annotations

from adapters.wecom import kf_states
from adapters.wecom.client import WeComClient
from adapters.wecom.errors import unanswered
from adapters.wecom.ids import customer, kf_account, member
from adapters.wecom.values import integer, text
from scrm.channel import SessionChanged
from scrm.clock import Clock
from scrm.errors import Rejected

_HAS_ENDED = "wecom.95013"
_NOT_ALLOWED = "wecom.95016"


class Sessions:
    def __init__(self, client: WeComClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def read(self, open_kfid: str, external_userid: str) -> SessionChanged:
        answer = await self._client.post(
            "kf/service_state/get", {"open_kfid": open_kfid, "external_userid": external_userid}
        )
        number = integer(answer, "service_state")
        state = kf_states.BY_NUMBER.get(-1 if number is None else number)
        if state is None:
            raise unanswered(effect=False)
        return SessionChanged(
            kf_account(open_kfid),
            customer(external_userid),
            self._clock.now(),
            state.name,
            state.can_send,
            state.closed_because,
            servicer_id=member(text(answer, "servicer_userid")),
        )

    async def end(self, open_kfid: str, external_userid: str) -> None:
        """Ending what has ended is no error, so that this may be repeated."""
        request = {
            "open_kfid": open_kfid,
            "external_userid": external_userid,
            "service_state": kf_states.ENDED_NUMBER,
        }
        try:
            await self._client.post("kf/service_state/trans", request)
        except Rejected as refusal:
            if refusal.code == _HAS_ENDED:
                return
            if refusal.code != _NOT_ALLOWED or not await self._has_ended(open_kfid, external_userid):
                raise

    async def _has_ended(self, open_kfid: str, external_userid: str) -> bool:
        return (await self.read(open_kfid, external_userid)).service_state == kf_states.ENDED.name
