"""One person's data as a zip to hand over: everything for programs (``data.json``), the same to read (``index.html``), and their files. Written
while it is sent. What colleagues noted among themselves is not in it, nor what others wrote in groups.
"""

from __future__ import annotations

# ruff: noqa: S608 - made of constants
import zipfile
from collections.abc import AsyncIterator, Sequence
from html import escape
from typing import Any

import orjson

from audit.retention.person import FROM, whole_person
from audit.watermark import html_style
from customers.scope import CustomerScope
from inbox.account_export import Sink
from inbox.notifications import masked as masked_text
from scrm.blobs import Blobs
from scrm.company import CompanyFacts
from scrm.db import Database, Row
from scrm.masking import masked, masked_content
from scrm.permissions import Language, Principal

PAGE = 500
PROFILE = """
select id, name, phone, city, remark, company, position, email, address, gender, source, fields, created_at, updated_at
from customer where id = any($1::bigint[]) order by id
"""
CONTACTS = (
    "select id, external_id, name, created_at, profile from contact where customer_id = any($1::bigint[]) order by id"
)
PHONES = (
    "select phone, verified, source, created_at from phone_number where customer_id = any($1::bigint[]) order by id"
)
FOLLOW_UPS = """
select f.at, f.kind, f.text, f.outcome, g.name as by from follow_up f left join agent g on g.id = f.agent_id
where f.customer_id = any($1::bigint[]) and f.deleted_at is null order by f.at, f.id
"""
PAYMENTS = """
select p.kind, p.direction, p.amount_fen, p.refunded_fen, p.way, p.note, p.at from payment p
where p.contact_ref <> '' and exists (select from contact k where k.connection_id = p.connection_id and k.external_id = p.contact_ref
  and k.customer_id = any($1::bigint[])) order by p.at, p.id
"""
MESSAGES = f"""
select m.id, m.conversation_id, m.seq, m.direction, m.kind, m.text, m.content, m.sender_name, g.name as agent, m.sent_at, m.recalled_at,
  m.removed_at, a.name as account
from {FROM.replace("where m.conversation_id", "left join agent g on g.id = m.sender_agent_id where m.conversation_id")}
  and m.direction <> 'note' and m.id > $2 order by m.id limit $3
"""
FILES = """
select id, message_id, sha256, name, mime, size from attachment
where message_id = any($1::bigint[]) and state = 'stored' and sha256 is not null order by message_id, position, id
"""
WORDS: dict[Language, dict[str, str]] = {
    "zh-CN": {"title": "个人数据", "profile": "资料", "messages": "消息", "removed": "内容已删除", "file": "文件", "us": "我方", "them": "本人"},
    "en": {"title": "Personal data", "profile": "Profile", "messages": "Messages", "removed": "Content removed", "file": "File", "us": "Company", "them": "You"},
}  # fmt: skip
STYLE = (
    "body{font:15px/1.6 system-ui,sans-serif;max-width:820px;margin:32px auto;padding:0 20px;color:#1d2430}h1{font-size:22px}h2{font-size:17px;"
    "margin-top:32px}table{border-collapse:collapse;width:100%}td{border-bottom:1px solid #e4e8ee;padding:6px 8px;vertical-align:top;"
    "overflow-wrap:anywhere}td:first-child{color:#667085;width:170px}.m{margin:10px 0;padding:8px 12px;border-radius:10px;background:#f2f5f9;"
    "break-inside:avoid;white-space:pre-wrap;overflow-wrap:anywhere}.m.us{background:#e8f1ff}.m small{display:block;color:#667085}"
)


class Package:
    """Made of what the asker may see: numbers are masked for those who see none in full."""

    def __init__(
        self, db: Database, blobs: Blobs, principal: Principal, company: CompanyFacts, customer_id: int, mark: str
    ) -> None:
        self._db, self._blobs = db, blobs
        self._phones = CustomerScope.of(principal).phones
        self._words = WORDS[principal.language]
        self._zone = company.clock
        self._customer_id = customer_id
        self._mark = mark

    async def pieces(self) -> AsyncIterator[bytes]:
        whole = await whole_person(self._db, self._customer_id)  # type: ignore[arg-type]
        profile = [self._hidden(dict(row)) for row in await self._db.fetch(PROFILE, whole)]
        contacts = [dict(row) for row in await self._db.fetch(CONTACTS, whole)]
        phones = [self._hidden(dict(row)) for row in await self._db.fetch(PHONES, whole)]
        follow_ups = [self._hidden(dict(row)) for row in await self._db.fetch(FOLLOW_UPS, whole)]
        payments = [self._hidden(dict(row)) for row in await self._db.fetch(PAYMENTS, whole)]
        sink = Sink()
        files: list[Row] = []
        page: list[str] = []
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as bundle:  # type: ignore[call-overload]
            with bundle.open("data.json", "w") as out:
                head = {
                    "customer": profile,
                    "contacts": contacts,
                    "phones": phones,
                    "follow_ups": follow_ups,
                    "payments": payments,
                }
                out.write(orjson.dumps(head)[:-1] + b',"messages":[')
                first = True
                async for rows, found in self._messages(whole):
                    files += found
                    by_message: dict[int, list[str]] = {}
                    for one in found:
                        by_message.setdefault(one["message_id"], []).append(_place(one))
                    for row in rows:
                        line = self._line(row, by_message.get(row["id"], []))
                        out.write((b"" if first else b",") + orjson.dumps(line))
                        first = False
                        page.append(self._shown(line))
                    yield sink.taken()
                out.write(b"]}")
            bundle.writestr("index.html", self._page(profile, phones, follow_ups, page))
            yield sink.taken()
            for one in files:
                try:
                    data = await self._blobs.read(one["sha256"])
                except FileNotFoundError:
                    continue
                bundle.writestr(_place(one), data)
                yield sink.taken()
        yield sink.taken()

    async def _messages(self, whole: Sequence[int]) -> AsyncIterator[tuple[list[Row], list[Row]]]:
        after = 0
        while rows := await self._db.fetch(MESSAGES, list(whole), after, PAGE):
            after = rows[-1]["id"]
            yield list(rows), list(await self._db.fetch(FILES, [row["id"] for row in rows]))

    def _line(self, row: Row, files: list[str]) -> dict[str, Any]:
        text, content = row["text"], row["content"]
        if not self._phones:
            text, content = masked_text(text), masked_content(content)
        return {
            "conversation": row["conversation_id"], "seq": row["seq"], "account": row["account"], "direction": row["direction"],
            "from": row["agent"] or row["sender_name"], "kind": row["kind"], "text": text, "content": content, "files": files,
            "sent_at": row["sent_at"].astimezone(self._zone).isoformat(timespec="seconds"),
            "recalled": row["recalled_at"] is not None, "removed": row["removed_at"] is not None,
        }  # fmt: skip

    def _hidden(self, row: dict[str, Any]) -> dict[str, Any]:
        if self._phones:
            return row
        changed = {name: masked_text(one) if isinstance(one, str) else one for name, one in row.items()}
        return {**changed, "phone": masked(row["phone"])} if "phone" in row else changed

    def _shown(self, line: dict[str, Any]) -> str:
        ours = line["direction"] == "out"
        who = self._words["us" if ours else "them"] + (f" · {line['from']}" if line["from"] else "")
        text = escape(line["text"] or (self._words["removed"] if line["removed"] else f"[{line['kind']}]"))
        links = "".join(f'<br><a href="{escape(one)}">{escape(one.rpartition("/")[2])}</a>' for one in line["files"])
        return (
            f'<div class="m{" us" if ours else ""}"><small>{escape(who)} · {line["sent_at"]}</small>{text}{links}</div>'
        )

    def _page(
        self,
        profile: list[dict[str, Any]],
        phones: list[dict[str, Any]],
        follow_ups: list[dict[str, Any]],
        page: list[str],
    ) -> str:
        words = self._words
        rows = [
            f"<tr><td>{escape(str(name))}</td><td>{escape(_text(value))}</td></tr>"
            for one in [*profile, *phones, *follow_ups]
            for name, value in one.items()
            if value not in ("", None, {}, [])
        ]
        return (
            f'<!doctype html><meta charset="utf-8"><title>{words["title"]}</title><style>{STYLE}{html_style(self._mark)}</style>'
            f"<h1>{words['title']}</h1><p>{escape(self._mark)}</p><h2>{words['profile']}</h2><table>{''.join(rows)}</table>"
            f"<h2>{words['messages']} ({len(page)})</h2>{''.join(page)}"
        )


def _place(row: Row) -> str:
    """A name of our own: that of the file may lead out of the folder."""
    plain = "".join(one if one.isalnum() or one in "._-" else "_" for one in row["name"])[-60:].lstrip(".")
    return f"media/{row['id']}-{plain or 'file'}"


def _text(value: object) -> str:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)
