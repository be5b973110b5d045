"""Reading the messages of customer service accounts: ``kf/sync_msg`` (wecom.md section 16.3; platform page 94670)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from adapters.wecom.accounts import Accounts
from adapters.wecom.client import WeComClient
from adapters.wecom.ids import kf_of_stream, kf_stream
from adapters.wecom.values import integer, known, text, write_object
from scrm.channel import Page, PulledItem, Sentence
from scrm.errors import Rejected

_MOST = 1000
_VOICE_AS_AMR = 0
_CURSOR_REFUSED = "wecom.50100"
_TOKEN_REFUSED = "wecom.95007"  # noqa: S105 - an error code
_LONGEST_KEY = 200
_MOST_STANDSTILLS = 8


class Puller:
    def __init__(self, client: WeComClient, accounts: Accounts) -> None:
        self._client = client
        self._accounts = accounts

    async def streams(self) -> Sequence[str]:
        return [kf_stream(account.external_id) for account in await self._accounts.served()]

    async def pull(self, stream: str, cursor: str, token: str) -> Page:
        """An empty page with more behind it is normal. One that does not even move the cursor is asked for again, a few
        times; then the rest waits for the next ring or reconciliation, lest somebody asks without end."""
        open_kfid = kf_of_stream(stream)
        if open_kfid is None:
            raise _no_such_stream(stream)
        for _ in range(_MOST_STANDSTILLS):
            page = await self._readable_page(open_kfid, cursor, token)
            if page.items or page.cursor != cursor or not page.has_more:
                return page
        return replace(page, has_more=False)

    async def _readable_page(self, open_kfid: str, cursor: str, token: str) -> Page:
        """A cursor that WeCom no longer knows starts again at the oldest message (three days back), and a token that ran
        out is left away. Both cost repetitions at most, which the service knows by their ids."""
        for _ in range(2):
            try:
                return await self._page(open_kfid, cursor, token)
            except Rejected as refusal:
                if refusal.code == _CURSOR_REFUSED and cursor:
                    cursor = ""
                elif refusal.code == _TOKEN_REFUSED and token:
                    token = ""
                else:
                    raise
        return await self._page(open_kfid, cursor, token)

    async def _page(self, open_kfid: str, cursor: str, token: str) -> Page:
        request = known(cursor=cursor, token=token, limit=_MOST, open_kfid=open_kfid)
        answer = await self._client.post("kf/sync_msg", {**request, "voice_format": _VOICE_AS_AMR})
        found = answer.get("msg_list")
        items = [_pulled(item) for item in found] if isinstance(found, list) else []
        return Page(items, text(answer, "next_cursor") or cursor, integer(answer, "has_more") == 1)


def _pulled(item: object) -> PulledItem:
    """Messages and events alike have a ``msgid`` of their own; what has none is known by its bytes."""
    body = write_object(item)
    msgid = text(item, "msgid") if isinstance(item, dict) else ""
    if not msgid or len(msgid) > _LONGEST_KEY:
        msgid = hashlib.sha256(body).hexdigest()
    return PulledItem(msgid, body)


def _no_such_stream(stream: str) -> Rejected:
    return Rejected(
        "wecom.no_such_stream",
        Sentence(f"没有名为 {stream[:80]} 的消息流。", f"There is no stream named {stream[:80]}."),
    )
