"""The state of an OAuth round trip: sealed, for ten minutes, for the session that began it and for one connection."""

from __future__ import annotations

import base64
import binascii

from scrm.errors import BadRequest, ConfigError, Forbidden
from scrm.http import Request
from scrm.permissions import CONNECTIONS_MANAGE, Principal
from scrm.services import Services

SECONDS = 600
PURPOSE = "oauth.state"


def make_state(services: Services, principal: Principal, connection_id: int) -> str:
    until = services.clock.now().timestamp() + SECONDS
    sealed = services.vault.seal([connection_id, principal.agent_id, principal.session_id, until], purpose=PURPOSE)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


async def check_state(request: Request, state: str) -> int:
    """The connection that consent was asked for. Raises :class:`BadRequest`, :class:`NotSignedIn`, :class:`Forbidden`."""
    services = request.services
    # The browser comes back by a link, with its cookie (SameSite=Lax): the session must be the one that left.
    principal = (await request.auth.identify(request.raw)).principal
    try:
        sealed = base64.b64decode(state.encode() + b"=" * (-len(state) % 4), altchars=b"-_", validate=True)
        connection_id, agent_id, session_id, until = services.vault.unseal(sealed, purpose=PURPOSE)
    except (ConfigError, ValueError, TypeError, binascii.Error) as error:
        raise BadRequest("This state was not made here.", code="bad_state") from error
    if (agent_id, session_id) != (principal.agent_id, principal.session_id):
        raise Forbidden("Somebody else began this.", code="bad_state")
    if services.clock.now().timestamp() > until:
        raise BadRequest("This took too long; begin again.", code="bad_state")
    if not principal.may(CONNECTIONS_MANAGE):
        raise Forbidden(f"This needs the permission {CONNECTIONS_MANAGE}.")
    return int(connection_id)


def own_address(request: Request) -> str:
    """The address under which the browser knows us."""
    configured = request.services.settings.server.public_url
    return configured or f"{request.raw.scheme}://{request.raw.host}"
