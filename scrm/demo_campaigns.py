"""The sample company's campaigns: written and submitted as its people do it. What is due starts by itself. Once, near the end."""

from __future__ import annotations

from campaigns.life import approval, write
from campaigns.life.approval import Submission
from campaigns.life.content import PostsInput
from campaigns.life.facts import ways_of
from campaigns.life.settings import RULES
from campaigns.life.write import NewCampaign
from campaigns.moments.places import members, places
from campaigns.shapes import Audience, Schedule
from customers.greetings.content import GreetingContentInput
from customers.sync.looks import read_directory
from scrm.auth import principal_of
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.sessions import WHO
from simulator.company.posts import CAMPAIGNS, WAITS_FOR_APPROVAL_OF, Campaign

PERSON = f"select {WHO} from agent a join role r on r.key = a.role where a.login = $1"  # noqa: S608 - made of constants
ACCOUNTS = "select id from account where disabled_at is null and channel = any($1::text[]) order by id"


async def announce(services: Services) -> None:
    """Does nothing where somebody has written campaigns already."""
    if await services.db.fetchval("select exists (select from campaign)"):
        return
    async with services.work() as work:
        rules = await RULES.load(work.tx)
        await RULES.save(work, rules.model_copy(update={"approve_roles": (WAITS_FOR_APPROVAL_OF,)}), by=None)
    for number, campaign in enumerate(CAMPAIGNS):
        audience = await _audience(services, campaign)
        if audience is not None:
            await _write(services, number, campaign, audience)


async def _audience(services: Services, campaign: Campaign) -> Audience | None:
    """None: nothing of the company's goes this way."""
    if not campaign.way:
        return Audience()
    if campaign.way == "moment":
        return await _who_posts(services)
    ways = ways_of(services.connections)
    channels = [one for one, ways_there in ways.items() if any(way.way == campaign.way for way in ways_there)]
    rows = await services.db.fetch(ACCOUNTS, channels)
    return Audience(account_ids=tuple(row["id"] for row in rows)) if rows else None


async def _who_posts(services: Services) -> Audience | None:
    """All members who have moments; the first comparison with the platform, which makes their accounts, may not have begun yet."""
    for place in places(services.connections):
        loaded = services.connections.held(place.connection_id)
        if loaded is not None:
            await read_directory(services, loaded)
    return Audience() if await members(services.db, places(services.connections), Audience()) else None


async def _write(services: Services, number: int, campaign: Campaign, audience: Audience) -> None:
    async with services.work() as work:
        writer = await _principal(work, campaign.by)
        new = NewCampaign(
            client_token=f"sample-company-{number:04d}",
            kind="moment" if campaign.way == "moment" else "message",
            name=campaign.name,
            posts=PostsInput(post=GreetingContentInput(text=campaign.text)),
            audience=audience,
            schedule=Schedule.model_validate(campaign.schedule),
        )
        made = await write.create(services, work, writer, new, address="")
    if campaign.submitted:
        recipients = await approval.size(services, made)
        async with services.work() as work:
            await approval.submit(services, work, writer, made, Submission(), recipients=recipients, address="")


async def _principal(work: Work, login: str) -> Principal:
    row = await work.tx.fetchrow(PERSON, login)
    assert row is not None, "the sample company has hired its people"
    return principal_of(row)
