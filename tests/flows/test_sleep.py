"""A customer who writes is never put off: what slept or was closed is back with the message, once, however often it is delivered."""

from __future__ import annotations

from datetime import timedelta

from inbox import notes, snooze, status
from inbox.notes import NoteInput
from inbox.rows import lock_one, save
from tests.company import Company, eventually
from tests.flows.reads import broken_invariants, conversation_of, messages_of


async def first_words(shop: Company, who: str) -> int:
    shop.wecom.control.customer_says(shop.kf, who, "在吗")

    async def there() -> int | None:
        row = await conversation_of(shop, who)
        return row["id"] if row else None

    made: int = await eventually(there)
    return made


async def kinds(shop: Company, conversation_id: int) -> list[tuple[str, str]]:
    rows = await shop.services.db.fetch(
        "select kind, data ->> 'by' as by from conversation_event where conversation_id = $1 "
        "and kind in ('snoozed', 'woke', 'closed', 'reopened') order by version",
        conversation_id,
    )
    return [(row["kind"], row["by"] or "") for row in rows]


async def test_a_message_wakes_and_reopens(shop: Company) -> None:
    who = shop.customer("李小姐")
    conversation_id = await first_words(shop, who)
    services = shop.services
    async with services.work() as work:
        await snooze.snooze(work, shop.rep, conversation_id, work.now + timedelta(days=3))
    shop.wecom.control.customer_says(shop.kf, who, "等不及了")
    for _ in range(5):
        shop.wecom.control.ring(shop.kf)

    async def is_open(number: int) -> bool:
        row = await conversation_of(shop, who)
        return bool(row and row["status"] == "open" and len(await messages_of(shop, who)) == number)

    await eventually(lambda: is_open(2))
    async with services.work() as work:
        await status.close(work, shop.rep, conversation_id)
    shop.wecom.control.customers_say(shop.kf, [[who, "还有"], [who, "一个问题"]])
    await eventually(lambda: is_open(4))
    assert await kinds(shop, conversation_id) == [
        ("snoozed", ""), ("woke", "customer"), ("closed", "agent"), ("reopened", "customer"),
    ]  # fmt: skip
    row = await conversation_of(shop, who)
    assert row is not None
    assert (row["snoozed_until"], row["closed_at"]) == (None, None)
    assert await broken_invariants(services.db) == []


async def test_a_note_never_leaves_and_a_recall_before_it_still_shows_in_the_list(shop: Company) -> None:
    who = shop.customer("王先生")
    conversation_id = await first_words(shop, who)
    msgid = shop.wecom.control.customer_says(shop.kf, who, "说错了")

    async def both() -> bool:
        return len(await messages_of(shop, who)) == 2

    await eventually(both)
    services = shop.services
    for n in range(2):
        async with services.work() as work:
            note = NoteInput(client_token=f"note-token-{n}", text="只给同事看")
            await notes.write_note(work, shop.rep, conversation_id, note)
    shop.wecom.control.customer_recalls(shop.kf, msgid)

    async def withdrawn() -> bool:
        row = await conversation_of(shop, who)
        return bool(row and row["preview"] == "[已撤回]")

    await eventually(withdrawn)
    row = await conversation_of(shop, who)
    assert row is not None
    assert (row["waiting_since"] is not None, row["unread"], row["last_seq"]) == (True, 2, 4)
    assert shop.wecom.control.received(shop.kf, who) == []
    assert await services.db.fetchval("select count(*) from outbox") == 0
    # Numbers stay without gaps when a note and a message want the next one at the same time.
    async with services.work() as work:
        locked = await lock_one(work, conversation_id)
        assert locked is not None
        locked.next_version()
        await save(work, [locked])
    assert await broken_invariants(services.db) == []
