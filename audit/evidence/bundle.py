"""Evidence packed: conversations as they read and as they were sealed, files, proofs, the chain up to its head, and all that is needed to
verify it. Written to a file piece by piece; of one moment of the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from audit.evidence import chat_page, guide
from audit.evidence.blocks import header_of
from audit.evidence.checking import HEADERS
from audit.evidence.keys import Signer, pem
from audit.evidence.packing import PIECE, Packer
from audit.evidence.proving import Prover
from audit.evidence.statements import KINDS
from inbox.queries import conversation_row
from inbox.shapes import MESSAGE
from scrm.company import CompanyFacts
from scrm.db import Row, Tx
from scrm.masking import masked_content
from scrm.permissions import Language, Scope
from scrm.services import Services

# ruff: noqa: S608 - made of constants, values are parameters; files in the temporary folder, in small pieces

PAGE = 500
TEXT = KINDS["message"].text.replace("x.", "m.")
MESSAGES = f"""
select {MESSAGE}, m.platform_message_id, l.block, l.position, l.sha256, {TEXT} as line,
  {KINDS["message"].hash.replace("x.", "m.")} = l.sha256 as fits, t.id is not null as buried
from message m left join evidence_leaf l on l.kind = 'message' and l.ref_id = m.id
left join evidence_tombstone t on t.kind = 'message' and t.ref_id = m.id
where m.conversation_id = $1 and m.seq > $2 and m.seq <= $3 and m.direction <> 'note' order by m.seq limit {PAGE}
"""
RECALLS = f"""
select x.id as message_id, x.id, l.block, l.position, l.sha256, {KINDS["recall"].text} as line from message x
join evidence_leaf l on l.kind = 'recall' and l.ref_id = x.id where x.id = any($1::bigint[]) and x.recalled_at is not null
"""
FILES = f"""
select x.id, x.message_id, x.name, x.mime, x.size, x.sha256 as blob, l.block, l.position, l.sha256, {KINDS["media"].text} as line,
  t.id is not null as buried
from attachment x left join evidence_leaf l on l.kind = 'media' and l.ref_id = x.id
left join evidence_tombstone t on t.kind = 'media' and t.ref_id = x.id
where x.message_id = any($1::bigint[]) order by x.message_id, x.position, x.id
"""
RECORDS = f"""
select x.id, l.kind, x.record, l.block, l.position, l.sha256, t.id is not null as buried,
  case l.kind when 'envelope' then {KINDS["envelope"].text} else {KINDS["opened"].text} end as line
from archive_record x join evidence_leaf l on l.kind in ('envelope', 'opened') and l.ref_id = x.id
left join evidence_tombstone t on t.kind = l.kind and t.ref_id = x.id
where x.conversation_id = $1 and x.message_id = any($2::text[]) order by x.seq, x.id, l.kind
"""
PICTURES = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp", "image/bmp": ".bmp"}
ENDINGS = {
    **PICTURES,
    "audio/amr": ".amr",
    "audio/mpeg": ".mp3",
    "video/mp4": ".mp4",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
}
"""Of what a file is by its bytes; others have none. Names of strangers never become names of files."""
Progress = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Wanted:
    conversation_id: int
    from_seq: int = 1
    to_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """As whom it is made, what they may see, and the line that marks every page."""

    scope: Scope
    language: Language
    company: CompanyFacts
    mark: str


class Bundle:
    def __init__(self, services: Services, tx: Tx, asker: Asker, folder: Path, out: Path) -> None:
        self._services, self._tx, self._asker, self._folder = services, tx, asker, folder
        self._packer = Packer(out)
        self._prover = Prover(tx)
        self._chats: list[dict[str, Any]] = []
        self._unsealed = 0

    async def make(self, wanted: Sequence[Wanted], signer: Signer, progress: Progress) -> None:
        """Raises :class:`NotFound` for a conversation that the asker may not see."""
        done = 0
        for chat_id in dict.fromkeys(one.conversation_id for one in wanted):
            spans = _spans([one for one in wanted if one.conversation_id == chat_id])
            done = await self._chat(chat_id, spans, done, progress)
        await self._end(signer)

    async def _chat(self, chat_id: int, spans: Sequence[tuple[int, int]], done: int, progress: Progress) -> int:
        row = await conversation_row(self._tx, self._asker.scope, chat_id)
        title = row["group_name"] or row["contact_name"] or f"#{chat_id}"
        base = f"conversations/{chat_id}"
        names = ("chat.html", "index.txt", "leaves.txt", "statements.txt")
        paths = {name: self._folder / f"{chat_id}-{name}" for name in names}
        page, index, leaves, statements = (paths[name].open("wb") for name in names)
        begun = done

        async def leaf(kind: str, one: Row, state: str) -> None:
            line = await self._prover.line(kind, one["id"], one["sha256"], one["block"], one["position"], state)
            leaves.write(line)
            statements.write((one["line"].encode() if state == "there" else b"-") + b"\n")
            index.write(f"{kind} {one['id']}\n".encode())

        with page, index, leaves, statements:
            page.write(chat_page.head(self._asker.language, title, f"#{chat_id}", self._asker.mark))
            for after, until in spans:
                while rows := await self._tx.fetch(MESSAGES, chat_id, after, until):
                    after = rows[-1]["seq"]
                    await self._messages(chat_id, rows, page, leaf)
                    done += len(rows)
                    await progress(done)
            page.write(chat_page.foot(self._asker.mark))
        for name in names:
            await self._packer.file(f"{base}/{name}", paths[name])
            paths[name].unlink()
        self._chats.append(
            {"id": chat_id, "title": title, "messages": done - begun, "spans": [[a + 1, b] for a, b in spans]}
        )
        return done

    async def _messages(
        self, chat_id: int, rows: Sequence[Row], page: Any, leaf: Callable[..., Awaitable[None]]
    ) -> None:
        ids = [row["id"] for row in rows]
        recalls = {row["message_id"]: row for row in await self._tx.fetch(RECALLS, ids)}
        files: dict[int, list[Row]] = {}
        for file in await self._tx.fetch(FILES, ids):
            files.setdefault(file["message_id"], []).append(file)
        states = {row["id"]: self._state(row) for row in rows}
        for row in rows:
            state = states[row["id"]]
            shown: list[tuple[str, str, bool]] = []
            if state == "unsealed":
                self._unsealed += 1
            else:
                await leaf("message", row, state)
            if row["id"] in recalls:
                await leaf("recall", recalls[row["id"]], "there")
            for file in files.get(row["id"], []):
                place = await self._file(file) if state in ("there", "unsealed") else ""
                shown.append((file["name"], place, file["mime"] in PICTURES))
                if file["sha256"] is not None:
                    inside = "withheld" if state == "withheld" else "there" if place else "removed"
                    await leaf("media", file, inside)
            page.write(
                chat_page.message(row, self._asker.language, self._asker.company.clock, state, shown, row["block"])
            )
        platform_ids = {row["platform_message_id"]: states[row["id"]] for row in rows if row["platform_message_id"]}
        hidden = {one for one, state in platform_ids.items() if state == "withheld"}
        for shut, wanted in ((True, hidden), (False, platform_ids.keys() - hidden)):
            for record in await self._tx.fetch(RECORDS, chat_id, sorted(wanted)) if wanted else ():
                gone = record["buried"] or (record["kind"] == "opened" and record["record"] is None)
                await leaf(record["kind"], record, "withheld" if shut else "removed" if gone else "there")
                if record["kind"] == "opened" and not shut and not gone:
                    await self._packer.small(f"conversations/{chat_id}/records/{record['id']}.json", record["record"])

    def _state(self, row: Row) -> str:
        if row["buried"]:
            return "removed"
        if row["recalled_at"] is not None and not self._asker.scope.recalled:
            return "withheld"
        if not self._asker.scope.phones and masked_content(row["content"]) is not row["content"]:
            return "withheld"
        return "there" if row["block"] is not None else "unsealed"

    async def _file(self, file: Row) -> str:
        """Its place in the package; empty when its bytes are not there."""
        if file["blob"] is None or file["buried"]:
            return ""
        name = f"media/{file['blob']}{ENDINGS.get(file['mime'], '')}"
        if any(f"media/{file['blob']}{ending}" in self._packer for ending in {"", *ENDINGS.values()}):
            return next(
                one for ending in ("", *ENDINGS.values()) if (one := f"media/{file['blob']}{ending}") in self._packer
            )
        size = await self._tx.fetchval("select size from blob where sha256 = $1", file["blob"])
        try:
            await self._services.blobs.read_range(file["blob"], 0, min(1, size or 0))
        except FileNotFoundError:
            return ""

        async def pieces() -> AsyncIterator[bytes]:
            at = 0
            while at < size:
                piece = await self._services.blobs.read_range(file["blob"], at, min(PIECE, size - at))
                yield piece
                at += len(piece) or size

        await self._packer.stream(name, pieces(), packed=False)
        return name

    async def _end(self, signer: Signer) -> None:
        first = min(self._prover.blocks, default=0)
        head = await self._headers(first)
        keys = await self._tx.fetch("select id, public_key, fingerprint from evidence_key order by id")
        for row in keys:
            await self._packer.small(f"keys/{row['fingerprint']}.pem", pem(row["public_key"]).encode())
            if row["id"] == signer.id:
                await self._packer.small("keys/current.pem", pem(row["public_key"]).encode())
            if head is not None and row["id"] == head["key_id"]:
                await self._packer.small("keys/head.pem", pem(row["public_key"]).encode())
        manifest: Mapping[str, Any] = {
            "format": "scrm evidence 1", "company": self._asker.company.name, "mark": self._asker.mark, "conversations": self._chats,
            "unsealed": self._unsealed, "key": signer.fingerprint,
            "head": {"number": head["number"] if head else None, "hash": head["hash"].hex() if head else None},
        }  # fmt: skip
        await self._packer.small("manifest.json", orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
        chat = self._chats[0]["id"] if self._chats else 0
        await self._packer.small("README.html", guide.page(chat, self._asker.mark, signer.fingerprint))
        await self._packer.small("path.sh", guide.PATH.encode())
        await self._packer.small("verify.py", Path(__file__).with_name("verify_alone.py").read_bytes())
        sums = self._packer.sums
        await self._packer.small("SHA256SUMS", sums)
        await self._packer.small("SHA256SUMS.sig", signer.sign(sums))
        self._packer.close()

    async def _headers(self, first: int) -> Row | None:
        head: Row | None = None
        number = first - 1
        path = self._folder / "headers.txt"
        with path.open("wb") as out:
            while rows := await self._tx.fetch(HEADERS, number, PAGE):
                for row in rows:
                    out.write(header_of(row).text.encode() + f"signature {row['signature'].hex()}\n\n".encode())
                    head, number = row, row["number"]
        await self._packer.file("chain/headers.txt", path)
        if head is not None:
            await self._packer.small("chain/head.txt", header_of(head).text.encode())
            await self._packer.small("chain/head.sig", head["signature"])
        return head


def _spans(wanted: Sequence[Wanted]) -> list[tuple[int, int]]:
    """From after which number to which, each message once."""
    found: list[tuple[int, int]] = []
    for after, until in sorted((max(one.from_seq, 1) - 1, one.to_seq or 1 << 62) for one in wanted):
        if found and after <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((after, until))
    return found
