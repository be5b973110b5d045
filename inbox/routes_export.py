"""What an account had, to keep: written to the trail before the first byte leaves."""

from __future__ import annotations

from aiohttp import web

from inbox.account_export import archive
from scrm.errors import NotFound
from scrm.http import Raw, Request, Route
from scrm.permissions import CUSTOMERS_EXPORT, INBOX_READ, Scope
from scrm.trail import record


async def export(request: Request, account_id: int) -> Raw:
    """Raises :class:`NotFound`, also for an account that the asker does not see whole."""
    principal, services = request.principal, request.services
    scope, chats = Scope.of(principal), principal.may(INBOX_READ)
    async with services.work() as work:
        row = await work.tx.fetchrow("select team_id from account where id = $1", account_id)
        if row is None or not scope.covers_account(row["team_id"]):
            raise NotFound("There is no such account.")
        await record(
            work, "account.exported", agent_id=principal.agent_id, object_kind="account", object_id=account_id,
            address=request.address, detail={"chats": chats, "phones": scope.phones, "recalled": scope.recalled},
        )  # fmt: skip
    name = f"account-{account_id}-{services.clock.now():%Y%m%d}.zip"
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(request.raw)
    async for piece in archive(services.db, account_id, scope, chats=chats):
        if piece:
            await response.write(piece)
    await response.write_eof()
    return Raw(response)


def api_routes() -> list[Route]:
    return [
        Route(
            "GET", "/api/accounts/{account_id}/export", export, CUSTOMERS_EXPORT,
            "The contacts and chats of an account, as a zip", binary="application/zip", reason="export",
        ),
    ]  # fmt: skip
