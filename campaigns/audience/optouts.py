"""Customers who answer a post with a word that means *no more*: from then on no campaign reaches them.

The whole message has to be one of the words that the company lists, and a post of the last month has to have reached them: who asks
“how do I unsubscribe?” is answered by a person. Batches of messages pay for this only when one of them is as short as such a word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

from campaigns.life.settings import LONGEST_WORD, RULES
from customers.timeline import Line, tell
from inbox.text import clean
from scrm.bus import Bus
from scrm.channel import MessageReceived, SenderKind
from scrm.normalise import Batch
from scrm.notices import notify
from scrm.services import Work

AFTER = timedelta(days=31)
FRESH = timedelta(seconds=5)
NOTICE = "customer_opted_out"
# A hold that somebody ended since then stays ended: the message was read.
HOLD = """
insert into campaign_hold (customer_id, kind, note, at, word)
select distinct on (k.customer_id) k.customer_id, 'opted_out', '', $5, x.word
from unnest($2::text[], $3::text[], $4::timestamptz[]) x (external_id, word, at)
join contact k on k.connection_id = $1 and k.external_id = x.external_id
where exists (select from delivery d where d.contact_id = k.id and d.counted_at is not null and d.counted_at > x.at - $6::interval
    and d.counted_at < x.at + interval '1 second')
  and not exists (select from campaign_hold h where h.customer_id = k.customer_id and h.kind = 'opted_out' and h.ended_at >= x.at)
order by k.customer_id, x.at
on conflict (customer_id, open_kind) do nothing returning id, customer_id, word
"""
OWNERS = "select id, owner_id from customer where id = any($1::bigint[]) and owner_id is not null"


def folded(text: str) -> str:
    """As it is compared: width, case, and what stands around the word do not matter."""
    return unicodedata.normalize("NFKC", text).casefold().strip(" \t\r\n.,!?;:。，！？；：、“”\"'…~～")


class OptOuts:
    """A handler of batches, after the inbox has understood them. It knows the words by heart until somebody changes a setting, or for a
    few seconds where nobody could tell of it."""

    def __init__(self, bus: Bus) -> None:
        self._known: dict[str, str] = {}
        self._read_at: datetime | None = None
        self._changes = 0
        bus.listen("setting", self._forget)

    def _forget(self, _: Sequence[int]) -> None:
        self._changes += 1
        self._read_at = None

    async def _words(self, work: Work) -> dict[str, str]:
        """As the company writes them, by how they are compared."""
        if self._read_at is None or work.now - self._read_at > FRESH:
            changes = self._changes
            self._known = {folded(one): one for one in (await RULES.load(work.tx)).opt_out_words}
            # A change that was told of while this was read may not be in it.
            self._read_at = work.now if changes == self._changes else None
        return self._known

    async def heed(self, work: Work, batch: Batch) -> None:
        """A handler of batches, after the inbox has understood them."""
        short: dict[str, tuple[str, datetime]] = {}
        for item in batch.items:
            event = item.event
            if (
                isinstance(event, MessageReceived)
                and event.sender is SenderKind.CUSTOMER
                and event.group is None
                and event.kind == "text"
                and len(event.text) <= LONGEST_WORD * 2
                and (word := folded(event.text))
            ):
                short.setdefault(f"{clean(event.contact.external_id)}\n{word}", (word, event.sent_at))
        if not short:
            return
        words = await self._words(work)
        said = [(key.split("\n")[0], words[word], at) for key, (word, at) in short.items() if word in words]
        if not said:
            return
        people, named, moments = zip(*said, strict=True)
        held = await work.tx.fetch(HOLD, batch.connection.id, people, named, moments, work.now, AFTER)
        if not held:
            return
        await tell(
            work,
            [
                Line(row["customer_id"], "campaign.held", data={"hold": "opted_out", "word": row["word"]})
                for row in held
            ],
        )
        owners = {
            row["id"]: row["owner_id"] for row in await work.tx.fetch(OWNERS, [row["customer_id"] for row in held])
        }
        for row in held:
            if row["customer_id"] in owners:
                await notify(
                    work, [owners[row["customer_id"]]], NOTICE, f"opted_out:{row['id']}", customer_id=row["customer_id"],
                    data={"note": row["word"]},
                )  # fmt: skip
