"""The urgent part of a new contact: the greeting that its event allows becomes a row, once.

Called for events before their turn (:mod:`scrm.urgent`), so nothing here may wait for what the normaliser writes: accounts and
contacts are looked up, never made. They are found again when they are rows (:mod:`customers.greetings.tell`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from customers.greetings import choose
from customers.greetings.choose import Whose
from scrm.channel import Occurrence, Sentence
from scrm.channel_contacts import GreetsNewContacts
from scrm.company import FACTS
from scrm.connections import Loaded
from scrm.db import Row
from scrm.metrics import GREETINGS
from scrm.normalise import Batch, Item
from scrm.services import Work

WELCOME_CODE, STATE = "WelcomeCode", "State"
"""What the data of the event are called (``scrm.channel_contacts``)."""
LONGEST_CODE = 500

NO_GREETING = ("no_greeting", Sentence("没有为该员工设置欢迎语。", "There is no greeting for this member."))
PAUSED = ("paused", Sentence("该连接已暂停。", "The connection is paused."))
TOO_LATE = (
    "too_late",
    Sentence("收到事件时已超过平台允许的时间。", "The event came after the time that the platform allows."),
)

PLACES = """
select w.n, a.id as account_id, code.id as code_id,
  array(select a.team_id where a.team_id is not null union select t.team_id from agent_identity i join team_member t
    on t.agent_id = i.agent_id where i.connection_id = $1 and i.external_id = w.account_key) as teams
from unnest($2::text[], $3::text[], $4::text[]) with ordinality w (channel, account_key, source, n)
left join account a on a.connection_id = $1 and a.channel = w.channel and a.external_id = w.account_key
left join contact_code code on code.connection_id = $1 and w.source <> '' and code.source = w.source
order by w.n
"""
INSERT = """
insert into greeting (connection_id, welcome_code, event, account_channel, account_key, contact_key, account_id, contact_code_id,
  welcome_id, content, state, reason, at, until, due_at, finished_at, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, case when $11 = 'queued' then null else $15::timestamptz end, $15)
on conflict (connection_id, welcome_code) do nothing returning id
"""


@dataclass(frozen=True, slots=True)
class Newcomer:
    item: Item
    event: Occurrence
    code: str
    source: str

    @property
    def account(self) -> tuple[str, str]:
        return (self.event.account.channel, self.event.account.external_id) if self.event.account else ("", "")


async def begin(work: Work, batch: Batch) -> None:
    """The handler that ``scrm.app`` gives to :class:`scrm.urgent.Urgent`."""
    adapter = batch.connection.adapter
    newcomers = [one for one in map(_newcomer, batch.items) if one is not None]
    if not newcomers or not isinstance(adapter, GreetsNewContacts):
        return
    places = await work.tx.fetch(
        PLACES,
        batch.connection.id,
        [one.account[0] for one in newcomers],
        [one.account[1] for one in newcomers],
        [one.source for one in newcomers],
    )
    welcomes = await choose.enabled(work.tx, [row["code_id"] for row in places if row["code_id"] is not None])
    here = work.now.astimezone((await FACTS.load(work.tx)).clock)
    for newcomer, place in zip(newcomers, places, strict=True):
        await _write(work, batch.connection, newcomer, place, welcomes, here, adapter.greeting_seconds)
    work.ring("greeting", batch.connection.id)


def _newcomer(item: Item) -> Newcomer | None:
    event = item.event
    if not isinstance(event, Occurrence) or event.account is None or event.contact is None:
        return None
    code, source = event.data.get(WELCOME_CODE), event.data.get(STATE)
    if not isinstance(code, str) or not code or len(code) > LONGEST_CODE or "\x00" in code:
        return None
    return Newcomer(item, event, code, source if isinstance(source, str) else "")


async def _write(
    work: Work,
    connection: Loaded,
    newcomer: Newcomer,
    place: Row,
    welcomes: Sequence[Row],
    here: datetime,
    seconds: float,
) -> None:
    event = newcomer.event
    # A clock of theirs that is ahead must not make us later.
    until = min(event.at, newcomer.item.received_at) + timedelta(seconds=seconds)
    choice = choose.choose(welcomes, Whose(place["code_id"], place["account_id"], place["teams"]), here)
    state, reason = "queued", None
    if choice is None:
        state, reason = "none", NO_GREETING
    elif connection.paused:
        state, reason = "refused", PAUSED
    elif until <= work.now:
        state, reason = "late", TOO_LATE
    made = await work.tx.fetchval(
        INSERT,
        connection.id,
        newcomer.code,
        event.name,
        *newcomer.account,
        event.contact.external_id if event.contact else "",
        place["account_id"],
        place["code_id"],
        choice.welcome_id if choice else None,
        choice.content.model_dump(mode="json") if choice else {},
        state,
        as_json(*reason) if reason else None,
        event.at,
        until,
        work.now,
    )
    if made is not None and state != "queued":
        GREETINGS.labels(state).inc()


def as_json(code: str, words: Sentence) -> dict[str, Any]:
    return {"code": code, "zh": words.zh, "en": words.en}
