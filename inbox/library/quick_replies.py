"""Quick replies: written once, found by a few letters, sent with the values of the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import orjson
from pydantic import Field

from inbox.library.places import VISIBLE, LibraryReach, Place, check_place, check_row, eyes, manages
from inbox.parts import CARD_KINDS, MEDIA_KINDS, PartView, Piece, StoredPart, part_view, resolve
from inbox.variables import unknown_in
from scrm.channel import Kind
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import LIBRARY_READ, Principal
from scrm.services import Work
from scrm.spelling import keys_of, words_of
from scrm.trail import record
from scrm.undo import Kind as UndoKind
from scrm.undo import Step, Undone, remember
from scrm.views import Input, Line, OptionalLine, View

MOST_PARTS = 8
LONGEST_TEXT = 4000
KEPT_KINDS = frozenset({Kind.TEXT}) | MEDIA_KINDS | CARD_KINDS
DELETED = "library.quick_reply"

COLUMNS = """
x.id, x.reach, x.owner_id, x.team_id, x.folder, x.title, x.shortcut, x.parts, x.uses, x.last_used_at, x.updated_at
"""
ONE = f"""
select {COLUMNS}, coalesce(u.uses, 0) as own_uses from quick_reply x
left join quick_reply_use u on u.quick_reply_id = x.id and u.agent_id = $1
where x.id = $4 and x.deleted_at is null and {VISIBLE}
"""  # noqa: S608
LOCK = f"select {COLUMNS} from quick_reply x where x.id = $4 and x.deleted_at is null and {VISIBLE} for update"  # noqa: S608
INSERT = """
insert into quick_reply (reach, owner_id, team_id, folder, title, shortcut, parts, keys, search, created_by, updated_by,
  created_at, updated_at)
select w.reach, w.owner_id, w.team_id, w.folder, w.title, w.shortcut, w.parts::jsonb, w.keys, w.search, $10, $10, $11, $11
from unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
  w (reach, owner_id, team_id, folder, title, shortcut, parts, keys, search)
returning id
"""
UPDATE = """
update quick_reply set reach = $2, owner_id = $3, team_id = $4, folder = $5, title = $6, shortcut = $7, parts = $8, keys = $9,
  search = $10, updated_by = $11, updated_at = $12 where id = $1
"""
RESTORE = "update quick_reply set deleted_at = null where id = any($1::bigint[]) and deleted_at is not null"

Folder = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class KeptPart(Piece):
    """``keep``: the file stays that of this reply's piece with that number (counted from 0)."""

    keep: Annotated[int, Field(ge=0, le=20)] | None = None


class QuickReplyInput(Input):
    place: Place
    folder: Folder = ""
    title: Line
    shortcut: OptionalLine = ""
    parts: Annotated[list[KeptPart], Field(min_length=1, max_length=MOST_PARTS)]


class QuickReplyView(View):
    id: int
    reach: LibraryReach
    team_id: int | None
    folder: str
    title: str
    shortcut: str
    parts: list[PartView]
    uses: int
    own_uses: int
    last_used_at: datetime | None
    updated_at: datetime
    may_change: bool


def view_of(row: Row, principal: Principal) -> QuickReplyView:
    url = f"/api/quick-replies/{row['id']}/parts"
    return QuickReplyView(
        id=row["id"],
        reach=row["reach"],
        team_id=row["team_id"],
        folder=row["folder"],
        title=row["title"],
        shortcut=row["shortcut"],
        parts=[part_view(part, f"{url}/{n}/content") for n, part in enumerate(row["parts"])],
        uses=row["uses"],
        own_uses=row["own_uses"],
        last_used_at=row["last_used_at"],
        updated_at=row["updated_at"],
        may_change=manages(principal, row["reach"], row["team_id"], row["owner_id"]),
    )


async def find_reply(tx: Tx, principal: Principal, reply_id: int) -> Row:
    """Raises :class:`NotFound`, also for what the asker may not see."""
    row = await tx.fetchrow(ONE, *eyes(principal), reply_id)
    if row is None:
        raise NotFound("There is no such quick reply.")
    return row


async def add_reply(work: Work, principal: Principal, new: QuickReplyInput) -> int:
    """Raises :class:`Forbidden`, :class:`Unprocessable`."""
    await check_place(work.tx, principal, new.place)
    parts = await _stored(work, principal, new, None)
    (made,) = await insert_replies(work, principal, [(new, parts)])
    await record(work, "quick_reply.added", agent_id=principal.agent_id, object_kind="quick_reply", object_id=made)
    return made


async def insert_replies(
    work: Work, principal: Principal, rows: Sequence[tuple[QuickReplyInput, list[StoredPart]]]
) -> list[int]:
    """Writes them in one statement; places and texts have been checked."""
    if not rows:
        return []
    places = [new.place.columns(principal) for new, _ in rows]
    found = await work.tx.fetch(
        INSERT,
        [reach for reach, _, _ in places],
        [owner for _, owner, _ in places],
        [team for _, _, team in places],
        [new.folder.strip() for new, _ in rows],
        [new.title for new, _ in rows],
        [new.shortcut.lstrip("/") for new, _ in rows],
        # As text: a list of lists would become an array of two dimensions.
        [orjson.dumps([part.as_json() for part in parts]).decode() for _, parts in rows],
        [keys_of(new.shortcut.lstrip("/"), new.title) for new, _ in rows],
        [_words(new, parts) for new, parts in rows],
        principal.agent_id,
        work.now,
    )
    return [row["id"] for row in found]


async def change_reply(work: Work, principal: Principal, reply_id: int, change: QuickReplyInput) -> None:
    """Raises :class:`NotFound`, :class:`Forbidden`, :class:`Unprocessable`."""
    row = check_row(principal, await work.tx.fetchrow(LOCK, *eyes(principal), reply_id), "quick reply")
    await check_place(work.tx, principal, change.place)
    parts = await _stored(work, principal, change, row["parts"])
    reach, owner_id, team_id = change.place.columns(principal)
    shortcut = change.shortcut.lstrip("/")
    await work.tx.execute(
        UPDATE, reply_id, reach, owner_id, team_id, change.folder.strip(), change.title, shortcut,
        [part.as_json() for part in parts], keys_of(shortcut, change.title), _words(change, parts), principal.agent_id,
        work.now,
    )  # fmt: skip
    await record(
        work, "quick_reply.changed", agent_id=principal.agent_id, object_kind="quick_reply", object_id=reply_id
    )


async def delete_reply(work: Work, principal: Principal, reply_id: int) -> Step:
    """It stays for the one who undoes. Raises :class:`NotFound`, :class:`Forbidden`."""
    check_row(principal, await work.tx.fetchrow(LOCK, *eyes(principal), reply_id), "quick reply")
    await work.tx.execute("update quick_reply set deleted_at = $2 where id = $1", reply_id, work.now)
    await record(
        work, "quick_reply.deleted", agent_id=principal.agent_id, object_kind="quick_reply", object_id=reply_id
    )
    return await remember(work, principal, DELETED, {"ids": [reply_id]})


async def restore_replies(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    done = await work.tx.execute(RESTORE, data["ids"])
    count = int(done.split()[-1])
    if count == 0:
        raise Conflict("It is there already.", code="changed_meanwhile")
    return Undone(restored=count, skipped=len(data["ids"]) - count)


def undo_kinds() -> dict[str, UndoKind]:
    return {DELETED: UndoKind(LIBRARY_READ, restore_replies)}


def check_kept(part: StoredPart) -> None:
    """What can be kept at all; what a channel takes is decided when it is sent. Raises :class:`Unprocessable`."""
    if part.kind not in KEPT_KINDS:
        raise Unprocessable(f"A quick reply cannot hold a {part.kind}.", fields={"parts": "Choose another kind."})
    if part.kind == Kind.TEXT:
        if not part.text.strip():
            raise Unprocessable("A text is empty.", fields={"parts": "Write something, or take the text away."})
        if len(part.text) > LONGEST_TEXT:
            raise Unprocessable(f"A text has at most {LONGEST_TEXT} characters.", fields={"parts": "Too long."})
        unknown = unknown_in(part.text)
        if unknown:
            raise Unprocessable(
                f"There is no variable {', '.join(unknown)}.", fields={"parts": ", ".join(unknown)}, code="no_variable"
            )
    if part.kind in MEDIA_KINDS and part.file is None:
        raise Unprocessable("A file is missing.", fields={"parts": "Upload it."})
    if part.kind in CARD_KINDS:
        check_card(part.kind, part.content)


def check_card(kind: Kind, content: dict[str, Any]) -> None:
    """Raises :class:`Unprocessable`."""
    needed = ("title", "url") if kind == Kind.LINK else ("title", "app_id", "path")
    for name in needed:
        if not str(content.get(name, "")).strip():
            raise Unprocessable(f"A card needs its {name}.", fields={name: "This is needed."})
    url = str(content.get("url", ""))
    if kind == Kind.LINK and not url.startswith(("https://", "http://")):
        raise Unprocessable("A link starts with https://.", fields={"url": "Not a web address."})


async def _stored(
    work: Work, principal: Principal, new: QuickReplyInput, held: list[dict[str, Any]] | None
) -> list[StoredPart]:
    made = []
    for part in new.parts:
        stored = await resolve(work, principal, part)
        if part.keep is not None and held is not None and part.keep < len(held):
            stored = StoredPart(stored.kind, stored.text, stored.content, StoredPart.from_json(held[part.keep]).file)
        check_kept(stored)
        made.append(stored)
    return made


def _words(new: QuickReplyInput, parts: Sequence[StoredPart]) -> str:
    said = [part.text or str(part.content.get("title", "")) for part in parts]
    names = [part.file.name for part in parts if part.file is not None]
    return words_of(new.shortcut, new.title, new.folder, *said, *names)
