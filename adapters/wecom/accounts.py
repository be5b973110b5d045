"""The customer service accounts of the company: ``kf/account/list`` (wecom.md section 16.1)."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.wecom.client import WeComClient
from adapters.wecom.ids import KF
from adapters.wecom.values import objects, text
from scrm.channel import AccountRef, JsonObject

_PAGE = 100
_MOST_PAGES = 200
"""A company has at most some thousand accounts; a list that goes on is an error of the other side."""


class Accounts:
    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def served(self) -> Sequence[AccountRef]:
        """The accounts that this app was granted. Those it was not are answered elsewhere: reading them is refused (48007)."""
        return [_account(entry) for entry in await self._all() if entry.get("manage_privilege") is not False]

    async def _all(self) -> list[JsonObject]:
        found: list[JsonObject] = []
        for page in range(_MOST_PAGES):
            answer = await self._client.post("kf/account/list", {"offset": page * _PAGE, "limit": _PAGE})
            entries = objects(answer, "account_list")
            found += [entry for entry in entries if text(entry, "open_kfid")]
            if len(entries) < _PAGE:
                break
        return found


def _account(entry: JsonObject) -> AccountRef:
    return AccountRef(KF, text(entry, "open_kfid"), text(entry, "name"), text(entry, "avatar"))
