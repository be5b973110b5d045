"""Changing the dictionary and the topics. A changed dictionary counts anew; topics are made of counts that are there."""

from __future__ import annotations

from asyncpg import UniqueViolationError

from audit.words.counting import count_anew
from audit.words.views import EntriesInput, TopicInput
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record

MOST_ENTRIES = 20_000
PUT = """
insert into word_entry (word, kind, added_by, added_at) select w, $2, $3, $4 from unnest($1::text[]) w
on conflict (word) do update set kind = excluded.kind, added_by = excluded.added_by, added_at = excluded.added_at
where word_entry.kind <> excluded.kind
"""


async def change_entries(work: Work, principal: Principal, body: EntriesInput) -> None:
    words = sorted(set(body.words))
    # One at a time: each change is a book of its own.
    await work.tx.execute("lock table word_entry in share row exclusive mode")
    if body.kind == "none":
        done = await work.tx.execute("delete from word_entry where word = any($1)", words)
    else:
        done = await work.tx.execute(PUT, words, body.kind, principal.agent_id, work.now)
    changed = int(done.split()[-1])
    if await work.tx.fetchval("select count(*) from word_entry") > MOST_ENTRIES:
        raise Unprocessable(f"At most {MOST_ENTRIES} words can be kept.")
    if not changed:
        return
    await count_anew(work)
    await record(
        work, "words.changed", agent_id=principal.agent_id, object_kind="words", detail={"kind": body.kind, "count": changed}
    )  # fmt: skip


async def add_topic(work: Work, principal: Principal, body: TopicInput) -> int:
    made: int | None = await work.tx.fetchval(
        "insert into word_topic (name, words, updated_by, updated_at) values ($1, $2, $3, $4) on conflict do nothing returning id",
        body.name, list(dict.fromkeys(body.words)), principal.agent_id, work.now,
    )  # fmt: skip
    if made is None:
        raise Conflict("There is a topic of this name.", code="topic_exists")
    await _told(work, principal, "topic.added", made)
    return made


async def change_topic(work: Work, principal: Principal, topic_id: int, body: TopicInput) -> None:
    try:
        async with work.tx.transaction():
            done = await work.tx.execute(
                "update word_topic set name = $2, words = $3, updated_by = $4, updated_at = $5 where id = $1",
                topic_id, body.name, list(dict.fromkeys(body.words)), principal.agent_id, work.now,
            )  # fmt: skip
    except UniqueViolationError as error:
        raise Conflict("There is a topic of this name.", code="topic_exists") from error
    if done == "UPDATE 0":
        raise NotFound("There is no such topic.")
    await _told(work, principal, "topic.changed", topic_id)


async def delete_topic(work: Work, principal: Principal, topic_id: int) -> None:
    if await work.tx.execute("delete from word_topic where id = $1", topic_id) == "DELETE 0":
        raise NotFound("There is no such topic.")
    await _told(work, principal, "topic.deleted", topic_id)


async def _told(work: Work, principal: Principal, act: str, topic_id: int) -> None:
    await record(work, act, agent_id=principal.agent_id, object_kind="topic", object_id=topic_id)
