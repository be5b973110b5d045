"""The sample company's own people at work: they answer through the same functions as the page's requests do."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator

from customers.edit import CustomerInput, edit
from inbox import settle, status
from inbox.arrivals import FETCH_MEDIA
from inbox.media import note_blob
from inbox.reply import Draft, reply
from inbox.status import END_SESSION
from scrm.auth import principal_of
from scrm.blobs import sniff
from scrm.channel import Kind
from scrm.clock import monotonic
from scrm.errors import ApiError
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.sessions import WHO
from simulator.company.drawing import pdf, picture
from simulator.company.people import STAFF
from simulator.company.script import Line
from simulator.company.stage import Person, Stage

log = logging.getLogger(__name__)

QUIET_SECONDS = 20.0
LOOK_SECONDS = 0.01
LARGEST = 10 * 1024 * 1024

BUSY = """
select exists (select from inbound_event where state = 'new')
  or exists (select from pull_stream where rings > answered)
  or exists (select from outbox)
  or exists (select from job where kind = any($1::text[]) and state in ('queued', 'running'))
"""
CONVERSATION = """
select v.id from conversation v join account a on a.id = v.account_id join contact c on c.id = v.contact_id
where a.external_id = $1 and c.external_id = $2 and v.group_key = ''
"""
IN_CHARGE = """
select g.login from conversation c join agent g on g.id = c.assignee_id where c.id = $1 and g.login = any($2::text[])
"""
CUSTOMER = "select c.customer_id from conversation v join contact c on c.id = v.contact_id where v.id = $1"
LAST_SENT = """
select id from message where conversation_id = $1 and direction = 'out' and state = 'sent' and sender_kind = 'agent'
order by seq desc limit 1
"""
COLLEAGUE = f"select {WHO} from agent a join role r on r.key = a.role where a.login = $1"  # noqa: S608 - made of constants


class ServiceOffice:
    """``simulator.company.history.Office`` on the running service."""

    def __init__(self, services: Services, stage: Stage) -> None:
        self._services = services
        self._stage = stage

    async def quiet(self) -> None:
        """Waits until everything that happened has been understood, answered and fetched; not for ever."""
        deadline = monotonic() + QUIET_SECONDS
        await self._stage.settled()
        while await self._services.db.fetchval(BUSY, [FETCH_MEDIA, END_SESSION]):
            if monotonic() > deadline:
                log.warning("the sample company goes on although not everything has been handled")
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def act(self, person: Person, rep: str, line: Line) -> None:
        """A colleague answers, recalls or closes. What the service refuses (a window closed meanwhile, say) is left out."""
        account, customer = person.account.external_id, person.external_id
        conversation_id = await self._services.db.fetchval(CONVERSATION, account, customer)
        principal = await self._principal(await self._in_charge(conversation_id) or rep)
        if conversation_id is None or principal is None:
            return
        draft = await self._draft(person, line, principal)
        try:
            async with self._services.work() as work:
                if draft is not None:
                    await reply(work, principal, conversation_id, draft, self._services.connections.capabilities)
                elif line.act == "recall":
                    await self._recall(work, principal, conversation_id)
                elif line.act == "note":
                    await self._note(work, principal, conversation_id, line)
                elif line.act == "close":
                    await status.close(work, principal, conversation_id)
        except ApiError as refusal:
            log.info("a sample answer was refused: %s", refusal.code)

    async def _recall(self, work: Work, principal: Principal, conversation_id: int) -> None:
        message_id = await work.tx.fetchval(LAST_SENT, conversation_id)
        if message_id is not None:
            await settle.recall(work, principal, message_id, self._services.connections.capabilities)

    async def _note(self, work: Work, principal: Principal, conversation_id: int, line: Line) -> None:
        customer_id = await work.tx.fetchval(CUSTOMER, conversation_id)
        change = CustomerInput.model_validate(dict(part.split("=", 1) for part in line.fields))
        await edit(work, principal, customer_id, change)

    async def _in_charge(self, conversation_id: int | None) -> str:
        """The colleague to whom the rules gave the chat answers it, whoever the script had in mind."""
        return await self._services.db.fetchval(IN_CHARGE, conversation_id, [one.login for one in STAFF]) or ""

    async def _principal(self, login: str) -> Principal | None:
        row = await self._services.db.fetchrow(COLLEAGUE, login)
        return None if row is None else principal_of(row)

    async def _draft(self, person: Person, line: Line, principal: Principal) -> Draft | None:
        """The message that a line is; None when it is none."""
        token = secrets.token_hex(16)
        account = person.account
        match line.act:
            case "text":
                return Draft(client_token=token, text=line.text)
            case "image":
                attachment = await self._upload(principal, f"{line.text}.png", picture(line.text), "image")
                return Draft(client_token=token, kind=Kind.IMAGE, attachment_id=attachment)
            case "file":
                attachment = await self._upload(principal, line.text, pdf("Qinghe Home"), "file")
                return Draft(client_token=token, kind=Kind.FILE, attachment_id=attachment)
            case "location":
                name, address, latitude, longitude = line.fields
                place = {"name": name, "address": address, "latitude": float(latitude), "longitude": float(longitude)}
                return Draft(client_token=token, kind=Kind.LOCATION, text=f"[位置] {name}", content=place)
            case "work":
                work_id = {"type": "video", "item_id": self._stage.work_of(account, line.text), "title": line.text}
                return Draft(
                    client_token=token, kind=Kind.CHANNEL_POST, text=f"[视频作品] {line.text}", content=work_id
                )
            case "leadcard":
                card = {"card_id": self._stage.card_of(account), "status": "blank", "fields": []}
                return Draft(client_token=token, kind=Kind.LEAD_CARD, text="[留资卡片]", content=card)
        return None

    async def _upload(self, principal: Principal, name: str, content: bytes, kind: str) -> int:
        async def whole() -> AsyncIterator[bytes]:
            yield content

        sha256, size, head = await self._services.blobs.put(whole(), limit=LARGEST)
        mime = sniff(head, name, "")
        async with self._services.work() as work:
            await note_blob(work, sha256, size, mime)
            attachment_id: int = await work.tx.fetchval(
                "insert into attachment (kind, state, sha256, name, mime, size, uploaded_by, created_at) "
                "values ($1, 'stored', $2, $3, $4, $5, $6, $7) returning id",
                kind, sha256, name, mime, size, principal.agent_id, work.now,
            )  # fmt: skip
        return attachment_id
