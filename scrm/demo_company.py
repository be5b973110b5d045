"""The sample company inside the service: its people, its connections, its accounts. Made once, found again on the next start."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
from yarl import URL

from scrm.errors import ConfigError
from scrm.people import create_agent, create_team
from scrm.services import Services, Work
from simulator.company import people
from simulator.company.archive import ARCHIVE_SECRET
from simulator.company.contacts import userid
from simulator.company.people import ACCOUNTS, PASSWORD, STAFF
from simulator.company.stage import Stage

FIND = "select id, key, settings from connection where provider = $1 and settings ->> $2 = $3"
DRESS = """
update account a set name = w.name, welcome_text = w.welcome, position = w.position,
  team_id = (select id from team where name = w.team)
from unnest($2::text[], $3::text[], $4::text[], $5::text[]) with ordinality w (external_id, name, welcome, team, position)
where a.connection_id = $1 and a.external_id = w.external_id
"""
MOVE_PICTURES = """
with contacts as (
  update contact set avatar = $2 || substr(avatar, length($1) + 1) where starts_with(avatar, $1 || '/')
), customers as (
  update customer set avatar = $2 || substr(avatar, length($1) + 1) where starts_with(avatar, $1 || '/')
)
update account set avatar = $2 || substr(avatar, length($1) + 1) where starts_with(avatar, $1 || '/')
"""
IDENTITIES = """
insert into agent_identity (agent_id, connection_id, external_id)
select a.id, $1, w.external_id from unnest($2::text[], $3::text[]) w (login, external_id) join agent a on a.login = w.login
on conflict do nothing
"""
"""Who the agents are on WeCom: so they sign in by its code, get its notices, and their customers are theirs."""
FORGET = ("delete from connection", "delete from customer_union", "delete from customer", "delete from job")


async def hire(work: Work) -> None:
    """Teams and agents."""
    teams: dict[str, int] = {}
    for name in dict.fromkeys(team for colleague in STAFF for team in colleague.teams):
        known = await work.tx.fetchval("select id from team where name = $1", name)
        teams[name] = known or await create_team(work, name)
    for colleague in STAFF:
        if await work.tx.fetchval("select true from agent where login = $1", colleague.login):
            continue
        await create_agent(
            work,
            login=colleague.login,
            name=colleague.name,
            role=colleague.role,
            password=PASSWORD,
            team_ids=[teams[team] for team in colleague.teams],
        )


async def forget_customers(services: Services) -> None:
    """Before a history that was interrupted is played again."""
    async with services.db.transaction() as tx:
        for sql in FORGET:
            await tx.execute(sql)


async def connect(services: Services, stage: Stage, address: str) -> None:
    """Points the service at the simulators, which have new ports after a start, and the simulators at the service.

    Raises :class:`ConfigError` when they do not reach each other.
    """
    wecom_id, wecom_path = await _connection(
        services,
        "wecom",
        "企业微信（模拟）",
        {"corp_id": people.CORP_ID, "agent_id": str(people.AGENT_ID), "base_url": stage.wecom.base_url},
        {
            "secret": people.APP_SECRET,
            "token": people.CALLBACK_TOKEN,
            "encoding_aes_key": people.CALLBACK_AES_KEY,
            "archive_secret": ARCHIVE_SECRET,
        },
    )
    douyin_id, douyin_path = await _connection(
        services,
        "douyin",
        "抖音（模拟）",
        {"client_key": people.CLIENT_KEY, "base_url": stage.douyin.base_url},
        {"client_secret": people.CLIENT_SECRET},
    )
    official = next(account.external_id for account in ACCOUNTS if account.platform == "wechat_oa")
    oa_id, oa_path = await _connection(
        services,
        "wechat_oa",
        "微信公众号（模拟）",
        {"app_id": people.OA_APP_ID, "original_id": official, "base_url": stage.oa.base_url},
        {"app_secret": people.OA_SECRET, "token": people.OA_TOKEN, "encoding_aes_key": people.OA_AES_KEY},
    )
    await services.connections.refresh()
    try:
        await stage.connect(address + wecom_path, address + douyin_path, address + oa_path)
    except ValueError as problem:
        raise ConfigError(f"The simulated platforms do not reach the service: {problem}") from problem
    # The platform may remember less than we do after it was killed: read again from the oldest, what is known is skipped.
    await services.db.execute("update pull_stream set cursor = '' where connection_id = $1", wecom_id)
    for connection_id in (wecom_id, oa_id):
        works, sentence = await services.connections.test(connection_id)
        if not works:
            raise ConfigError(f"A simulated platform refuses the service: {sentence.en}")
    await services.db.execute(IDENTITIES, wecom_id, [one.login for one in STAFF], [userid(one.login) for one in STAFF])
    await _authorise(services, stage, douyin_id, address)
    for connection_id in (wecom_id, douyin_id, oa_id):
        await _dress(services, connection_id)


async def _connection(
    services: Services, provider: str, name: str, settings: Mapping[str, str], secrets: Mapping[str, str]
) -> tuple[int, str]:
    """The connection's id and the path of its webhook."""
    identity = next(iter(settings))
    found = await services.db.fetchrow(FIND, provider, identity, settings[identity])
    async with services.work() as work:
        if found is None:
            connection_id = await services.connections.create(work, provider, name, settings, secrets)
        else:
            connection_id = found["id"]
            await _move(services, work, connection_id, found["settings"], settings)
        key = await work.tx.fetchval("select key from connection where id = $1", connection_id)
    return connection_id, f"/webhooks/{provider}/{key}"


async def _move(
    services: Services, work: Work, connection_id: int, old: Mapping[str, str], new: Mapping[str, str]
) -> None:
    """The simulator has another port now: so have the pictures that lie there."""
    if old["base_url"] == new["base_url"]:
        return
    await services.connections.update(work, connection_id, settings={"base_url": new["base_url"]})
    await work.tx.execute(MOVE_PICTURES, old["base_url"], new["base_url"])


async def _authorise(services: Services, stage: Stage, connection_id: int, address: str) -> None:
    """Every business account that has not yet agreed does so: the platform's page, its redirect, the code's exchange."""
    callback = f"{address}/oauth/douyin/demo"
    for account in ACCOUNTS:
        if account.platform != "douyin" or stage.douyin.world.grants_of(account.external_id):
            continue
        stage.douyin.settings.auto_authorise = account.external_id
        try:
            url = await services.connections.authorise_url(connection_id, callback, "demo")
            async with aiohttp.ClientSession() as http, http.get(url, allow_redirects=False) as answer:
                code = URL(answer.headers.get("Location", "")).query.get("code", "")
            await services.connections.authorised(connection_id, code)
        finally:
            stage.douyin.settings.auto_authorise = ""


async def _dress(services: Services, connection_id: int) -> None:
    """Names, greetings and teams, once: what somebody has changed since stays."""
    dressed = await services.db.fetchval(
        "select exists (select from account where connection_id = $1 and team_id is not null)",
        connection_id,
    )
    if dressed:
        return
    await services.db.execute(
        DRESS,
        connection_id,
        [account.external_id for account in ACCOUNTS],
        [account.name for account in ACCOUNTS],
        [account.welcome for account in ACCOUNTS],
        [account.team for account in ACCOUNTS],
    )
    await services.bus.ring("account", [])
