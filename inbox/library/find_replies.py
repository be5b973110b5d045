"""Finding a quick reply while the customer waits: best match first, then what one uses oneself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inbox.library.places import VISIBLE, LibraryReach, eyes
from inbox.library.quick_replies import COLUMNS, QuickReplyView, find_reply, view_of
from inbox.parts import PartView, part_view
from inbox.variables import fill, values_of
from scrm.db import Tx
from scrm.permissions import Principal
from scrm.services import Work
from scrm.spelling import patterns
from scrm.views import Id, Input, View

RANK = """
case when $7 = '' then 3 when x.keys like '%' || E'\\n' || $7 || E'\\n%' or x.keys like '%' || E'\\n' || $7 then 0
  when x.keys like '%' || E'\\n' || $7 || '%' then 1 when x.keys like '%' || $7 || '%' then 2 else 3 end
"""
"""Is a key, starts one, is within one, is somewhere in the words."""
SEARCH = f"""
select {COLUMNS}, coalesce(u.uses, 0) as own_uses, count(*) over () as total
from quick_reply x left join quick_reply_use u on u.quick_reply_id = x.id and u.agent_id = $1
where x.deleted_at is null and {VISIBLE}
  and x.keys || E'\\n' || x.search like all ($4::text[])
  and ($5::text is null or x.reach = $5) and ($6::text is null or x.folder = $6 or starts_with(x.folder, $6 || '/'))
order by {RANK}, coalesce(u.uses, 0) desc, u.last_used_at desc nulls last, x.uses desc, x.title, x.id
limit $8 offset $9
"""  # noqa: S608
FOLDERS = f"""
select x.folder as path, count(*) as replies from quick_reply x
where x.deleted_at is null and x.folder <> '' and {VISIBLE} and ($4::text is null or x.reach = $4)
group by x.folder order by x.folder
"""  # noqa: S608


class FindReplies(Input):
    """``q``: words, pinyin or initials. ``folder``: with what lies below it."""

    q: Annotated[str, Field(max_length=60)] = ""
    reach: LibraryReach | None = None
    folder: Annotated[str, Field(max_length=100)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 20
    offset: Annotated[int, Field(ge=0, le=20_000)] = 0


class ReplyFolder(View):
    path: str
    replies: int


class QuickReplyList(View):
    replies: list[QuickReplyView]
    total: int


class ReplyFolders(View):
    folders: list[ReplyFolder]


class FillInput(Input):
    conversation_id: Id


class FilledReply(View):
    """A quick reply with the values of a conversation. ``missing``: names that have none there."""

    id: int
    parts: list[PartView]
    missing: list[str]


async def find_replies(tx: Tx, principal: Principal, query: FindReplies) -> QuickReplyList:
    words = patterns(query.q)
    rows = await tx.fetch(
        SEARCH,
        *eyes(principal),
        [f"%{word}%" for word in words],
        query.reach,
        query.folder or None,
        " ".join(words),
        query.limit,
        query.offset,
    )
    return QuickReplyList(
        replies=[view_of(row, principal) for row in rows], total=rows[0]["total"] if rows else query.offset
    )


async def reply_folders(tx: Tx, principal: Principal, reach: str | None) -> ReplyFolders:
    rows = await tx.fetch(FOLDERS, *eyes(principal), reach)
    return ReplyFolders(folders=[ReplyFolder(path=row["path"], replies=row["replies"]) for row in rows])


async def filled_reply(work: Work, principal: Principal, reply_id: int, conversation_id: int) -> FilledReply:
    """Of a conversation that the asker may see. Raises :class:`NotFound`."""
    row = await find_reply(work.tx, principal, reply_id)
    values = await values_of(work.tx, principal, conversation_id, work.now)
    parts, missing = [], []
    for number, part in enumerate(row["parts"]):
        filled = fill(part["text"], values)
        missing += filled.missing
        url = f"/api/quick-replies/{reply_id}/parts/{number}/content"
        parts.append(part_view({**part, "text": filled.text}, url))
    return FilledReply(id=reply_id, parts=parts, missing=list(dict.fromkeys(missing)))
