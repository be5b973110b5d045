"""Cards over HTTP: whether one gets them, and who does not although they should."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from inbox.cards.gather import LINKS, MOST_A_DAY, link_of
from scrm.channel_contacts import NotifiesPeople
from scrm.company import FACTS
from scrm.http import SIGNED_IN, Request, Route
from scrm.permissions import AGENTS_MANAGE
from scrm.views import SentenceView, View, sentence_view

TODAY = "select count(*) from notice_card where agent_id = $1 and created_at >= $2 and state <> 'failed'"
TROUBLE = """
select card_error from agent_identity where agent_id = $1 and connection_id = $2 and external_id = $3
"""
UNREACHED = """
select a.id as agent_id, a.name, i.external_id, i.card_error, i.card_error_at from agent_identity i join agent a on a.id = i.agent_id
where i.card_error is not null and a.disabled_at is null order by i.card_error_at desc, i.id limit 200
"""


class MyCardsView(View):
    """``why``: what is missing for cards (``no_connection``: none that sends them, ``no_address``: the service does not know its own
    address, ``no_link``: it is not known who one is there). ``trouble``: the last card did not arrive."""

    why: Literal["", "no_connection", "no_address", "no_link"]
    trouble: SentenceView | None
    sent_today: int
    most_a_day: int


class UnreachedView(View):
    agent_id: int
    name: str
    external_id: str
    reason: SentenceView
    at: datetime


class UnreachedList(View):
    people: list[UnreachedView]


async def mine(request: Request) -> MyCardsView:
    services, me = request.services, request.principal.agent_id
    able = [
        one
        for one in services.connections.all()
        if not one.paused and isinstance(one.adapter, NotifiesPeople) and one.adapter.notifies
    ]
    link = link_of(await services.db.fetch(LINKS, me), services.connections)
    why: Literal["", "no_connection", "no_address", "no_link"] = ""
    if not able:
        why = "no_connection"
    elif not services.settings.server.public_url:
        why = "no_address"
    elif link is None:
        why = "no_link"
    here = services.clock.now().astimezone((await FACTS.load(services.db)).clock)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    trouble = None
    if link is not None:
        trouble = await services.db.fetchval(TROUBLE, me, link.connection_id, link.external_id)
    return MyCardsView(
        why=why,
        trouble=sentence_view(trouble),
        sent_today=await services.db.fetchval(TODAY, me, midnight),
        most_a_day=MOST_A_DAY,
    )


async def unreached(request: Request) -> UnreachedList:
    rows = await request.services.db.fetch(UNREACHED)
    return UnreachedList(
        people=[
            UnreachedView(
                agent_id=row["agent_id"],
                name=row["name"],
                external_id=row["external_id"],
                reason=sentence_view(row["card_error"]) or SentenceView(code="", zh="", en=""),
                at=row["card_error_at"],
            )
            for row in rows
        ]
    )


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/me/cards", mine, SIGNED_IN, "Whether one's notices can reach one's app as cards"),
        Route("GET", "/api/cards/unreached", unreached, AGENTS_MANAGE, "Whose last card did not arrive, and why"),
    ]
