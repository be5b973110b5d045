"""Everything an account had, as a file to keep: its contacts (xlsx and csv) and its chats (a line of JSON for each message).

The archive is written while it is sent, so its size does not matter. Phone numbers and withdrawn messages are hidden from those who
may not see them in the page either.
"""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import xlsxwriter

from inbox.notifications import masked as masked_text
from scrm.db import Database, Row
from scrm.masking import masked, masked_content
from scrm.permissions import Scope

PAGE = 1000
CONTACTS = """
select k.id, k.external_id, k.name, u.id as customer_id, u.name as customer_name, u.phone, u.company, u.city, g.name as owner,
  l.remark, coalesce(l.state, '') as relation, l.added_at, c.last_message_at
from contact k join customer u on u.id = k.customer_id left join agent g on g.id = u.owner_id
left join contact_link l on l.contact_id = k.id and l.account_id = $1
left join conversation c on c.contact_id = k.id and c.account_id = $1 and c.group_key = ''
where k.id > $2 and (l.id is not null or c.id is not null) order by k.id limit $3
"""
MESSAGES = """
select m.conversation_id, m.seq, m.direction, m.kind, m.text, m.content, m.state, m.sender_kind, m.sender_name, m.sent_at,
  m.recalled_at, g.name as agent, k.external_id as contact, coalesce(nullif(k.name, ''), c.group_name) as name, c.group_key
from message m join conversation c on c.id = m.conversation_id left join contact k on k.id = c.contact_id
left join agent g on g.id = m.sender_agent_id
where c.account_id = $1 and m.direction <> 'note' and (m.conversation_id, m.seq) > ($2, $3)
order by m.conversation_id, m.seq limit $4
"""
HEADINGS = (
    "身份编号 External id", "昵称 Name", "客户编号 Customer", "客户 Customer name", "手机 Phone", "公司 Company", "城市 City",
    "归属 Owner", "备注 Remark", "关系 Relation", "添加时间 Added", "最近消息 Last message",
)  # fmt: skip


class Sink:
    """What the archive is written to: :meth:`taken` gives what came since."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, piece: bytes) -> int:
        self._held += piece
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        piece = bytes(self._held)
        self._held.clear()
        return piece


async def archive(db: Database, account_id: int, scope: Scope, *, chats: bool) -> AsyncIterator[bytes]:
    """The zip, piece by piece. ``chats``: whether the reader may see messages at all."""
    sink = Sink()
    with (
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as bundle,  # type: ignore[call-overload]
        tempfile.TemporaryDirectory() as folder,
    ):
        sheet = Path(folder) / "contacts.xlsx"
        with xlsxwriter.Workbook(sheet, {"constant_memory": True, "strings_to_formulas": False}) as book:
            page = book.add_worksheet("contacts")
            page.write_row(0, 0, HEADINGS)
            line = 0
            with bundle.open("contacts.csv", "w") as file:
                file.write(b"\xef\xbb\xbf" + _csv([HEADINGS]))
                async for rows in _contacts(db, account_id):
                    cells = [_cells(row, scope) for row in rows]
                    file.write(_csv([[_harmless(cell) for cell in one] for one in cells]))
                    for one in cells:
                        line += 1
                        for column, cell in enumerate(one):
                            page.write_string(line, column, cell[:32_000])
                    yield sink.taken()
        bundle.write(sheet, "contacts.xlsx")
        yield sink.taken()
        if chats:
            with bundle.open("chats.jsonl", "w") as file:
                async for rows in _messages(db, account_id):
                    file.write(b"".join(orjson.dumps(_line(row, scope)) + b"\n" for row in rows))
                    yield sink.taken()
    yield sink.taken()


async def _contacts(db: Database, account_id: int) -> AsyncIterator[Sequence[Row]]:
    after = 0
    while rows := await db.fetch(CONTACTS, account_id, after, PAGE):
        yield rows
        after = rows[-1]["id"]


async def _messages(db: Database, account_id: int) -> AsyncIterator[Sequence[Row]]:
    after = (0, 0)
    while rows := await db.fetch(MESSAGES, account_id, *after, PAGE):
        yield rows
        after = (rows[-1]["conversation_id"], rows[-1]["seq"])


def _cells(row: Row, scope: Scope) -> list[str]:
    phone = row["phone"] if scope.phones else masked(row["phone"])
    remark = (row["remark"] or "") if scope.phones else masked_text(row["remark"] or "")
    values = (
        row["external_id"], row["name"], row["customer_id"], row["customer_name"], phone, row["company"], row["city"],
        row["owner"], remark, row["relation"], row["added_at"], row["last_message_at"],
    )  # fmt: skip
    return [_text(value) for value in values]


def _line(row: Row, scope: Scope) -> dict[str, Any]:
    hidden = row["recalled_at"] is not None and not scope.recalled
    text, content = ("", {}) if hidden else (row["text"], row["content"])
    if not scope.phones:
        text, content = masked_text(text), masked_content(content)
    return {
        "conversation": row["conversation_id"], "seq": row["seq"], "contact": row["contact"], "name": row["name"],
        "group": row["group_key"] or None, "direction": row["direction"], "from": row["agent"] or row["sender_name"],
        "sender": row["sender_kind"], "kind": row["kind"], "text": text, "content": content, "state": row["state"],
        "sent_at": row["sent_at"].isoformat(),
        "recalled_at": row["recalled_at"].isoformat() if row["recalled_at"] is not None else None,
    }  # fmt: skip


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def _harmless(cell: str) -> str:
    """A sheet program would take it for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
