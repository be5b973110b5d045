"""Who talks to whom. Names and pictures of both come only inside the messages (``user_infos``); no call tells them later, and
no union id is given."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.douyin.ids import account
from adapters.douyin.reading import list_in, text_in
from scrm.channel import AccountRef, ContactRef, JsonObject


@dataclass(frozen=True, slots=True)
class Parties:
    account: AccountRef
    contact: ContactRef


def parties(content: JsonObject, *, business: str, other: str) -> Parties:
    infos = {text_in(info, "open_id"): info for info in list_in(content, "user_infos")}
    own, person = infos.get(business, {}), infos.get(other, {})
    return Parties(
        account(business, text_in(own, "nick_name"), text_in(own, "avatar")),
        ContactRef(other, text_in(person, "nick_name"), text_in(person, "avatar")),
    )
