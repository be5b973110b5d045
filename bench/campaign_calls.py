"""A delivery's way through the ledger and the outbox to the simulated platform, against a bare loop of the same calls by the same adapter."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

from bench import campaign_rows as rows
from bench.bodies import AES_KEY, CORP, TOKEN
from bench.result import Row
from bench.site import Site
from bench.size import Size
from campaigns.ledger import calls, ends, tickets, watch
from scrm.app import running
from scrm.channel import Kind, OutgoingMessage
from scrm.channel_campaigns import AsksMembers, Post
from scrm.services import Services
from simulator.wecom.server import WecomSimulator
from simulator.wecom.settings import Settings
from simulator.wecom.state import UNTREATED, Session

SECRET, MEMBER, WORDS = "bench-app-secret", "member1", "老客专享：周末到店有礼"
AT_ONCE = 8
"""Calls to one connection at a time, as the outbox makes them."""
ACCOUNT = "insert into account (connection_id, channel, external_id, name) values ($1, $2, $3, $3) returning id"
FRIENDS = """
with u as (insert into customer (name) select 'wm' || n from generate_series(1, $4::int) n returning id, name),
k as (insert into contact (connection_id, external_id, customer_id) select $1, name, id from u returning id, customer_id)
insert into delivery (run_id, campaign_id, customer_id, contact_id, account_id, connection_id, way, state, due_at, counted_at, created_at, updated_at)
select r.id, r.campaign_id, k.customer_id, k.id, $2, $1, 'task', 'planned', now(), now(), now(), now() from k, campaign_run r where r.id = $3
"""
TALKS = """
with u as (insert into customer (name) select 'wt' || n from generate_series(1, $4::int) n returning id, name),
k as (insert into contact (connection_id, external_id, customer_id) select $1, name, id from u returning id, customer_id),
v as (
  insert into conversation (account_id, contact_id, window_expires_at, window_quota) select $2, id, now() + interval '1 day', 5 from k
  returning id, contact_id
)
insert into delivery (run_id, campaign_id, customer_id, contact_id, account_id, connection_id, conversation_id, way, state, due_at, counted_at,
  created_at, updated_at)
select r.id, r.campaign_id, k.customer_id, k.id, $2, $1, v.id, 'reply', 'planned', now(), now(), now(), now()
from v join k on k.id = v.contact_id, campaign_run r where r.id = $3
"""
OPEN = "select exists (select from delivery where run_id = $1 and state in ('planned', 'sending', 'asked'))"


async def tasks(size: Size, place: Site) -> Row:
    """As many as a large member has customers, in calls of ten thousand, with their results."""
    number, services = max(size.conversations[1] // 10, 200), place.services
    async with WecomSimulator(settings=Settings(mass_handing_out=0, api_per_minute=10**6, api_per_hour=10**7)) as wecom:
        connection = await _connect(services, wecom)
        people = [f"wm{n}" for n in range(1, number + 1)]
        for who in people:
            wecom.control.create_customer(CORP, who, external_userid=who)
            wecom.control.create_follow(CORP, MEMBER, who)
        run = await rows.campaign(services.db, state="running")
        await services.db.execute(
            FRIENDS, connection, await services.db.fetchval(ACCOUNT, connection, "wecom_member", MEMBER), run, number
        )
        began = time.perf_counter()
        while await tickets.make(services) or await calls.call(services):
            pass
        _confirm(wecom)
        await services.db.execute("update broadcast_ticket set look_at = now()")
        while await watch.look(services):
            pass
        await ends.settle(services)
        spent = time.perf_counter() - began
        if await services.db.fetchval(OPEN, run):
            raise RuntimeError("the run is not over")
        loaded = services.connections.held(connection)
        assert loaded is not None
        assert isinstance(loaded.adapter, AsksMembers)
        began = time.perf_counter()
        await _bare_tasks(loaded.adapter, wecom, people)
        floor = time.perf_counter() - began
    return _row(f"{number:,} recipients of one member's tasks, results included", number, spent, floor)


async def _connect(services: Services, wecom: WecomSimulator) -> int:
    wecom.control.create_app(CORP, SECRET)
    wecom.control.create_member(CORP, MEMBER, MEMBER)
    async with services.work() as work:
        made = await services.connections.create(
            work, "wecom", "企业微信", {"corp_id": CORP, "base_url": wecom.base_url},
            {"secret": SECRET, "token": TOKEN, "encoding_aes_key": AES_KEY},
        )  # fmt: skip
    await services.connections.refresh()
    return made


def _confirm(wecom: WecomSimulator) -> None:
    for task in wecom.control.mass_tasks(CORP):
        wecom.control.confirm_mass(CORP, task.msgid)


async def _bare_tasks(adapter: AsksMembers, wecom: WecomSimulator, people: list[str]) -> None:
    made = []
    for first in range(0, len(people), adapter.task_batch):
        task_id, _ = await adapter.ask(MEMBER, Post(WORDS), contact_ids=people[first : first + adapter.task_batch])
        made.append(task_id)
    _confirm(wecom)
    for task_id in made:
        await adapter.asked_members(task_id, "")
        cursor = ""
        while True:
            _, cursor = await adapter.asked_results(task_id, MEMBER, cursor)
            if not cursor:
                break


async def answers(size: Size, place: Site) -> Row:
    """Answers in open windows, through the outbox of a whole worker."""
    number, services = max(size.conversations[1] // 200, 20), place.services
    # Records of an archive may not go, also where there are none: this database is thrown away.
    await services.db.execute("alter table archive_record disable trigger archive_record_not_removed")
    await services.db.execute("truncate campaign, account, contact, customer restart identity cascade")
    await services.db.execute("delete from connection")
    async with WecomSimulator(settings=Settings(api_per_minute=10**6, api_per_hour=10**7)) as wecom:
        connection = await _connect(services, wecom)
        kf = wecom.control.create_kf_account(CORP, "客服")
        people = [f"wt{n}" for n in range(1, number + 1)]
        await _open(wecom, kf, people)
        run = await rows.campaign(services.db, state="running")
        await services.db.execute(
            TALKS, connection, await services.db.fetchval(ACCOUNT, connection, "wecom_kf", kf), run, number
        )
        began = time.perf_counter()
        async with running(services, "worker"):
            while await services.db.fetchval(OPEN, run):
                await asyncio.sleep(0.02)
            spent = time.perf_counter() - began
        loaded = services.connections.held(connection)
        assert loaded is not None
        began = time.perf_counter()
        await _bare_answers(loaded.adapter, kf, people)
        floor = time.perf_counter() - began
    return _row(f"{number:,} answers in open windows, through the outbox", number, spent, floor)


async def _open(wecom: WecomSimulator, kf: str, people: list[str]) -> None:
    account, now = wecom.world.corps[CORP].kf[kf], int(wecom.clock.now().timestamp())
    for who in people:
        wecom.control.create_customer(CORP, who, external_userid=who)
        account.sessions[who] = Session(UNTREATED, last_customer_at=now, replies_left=5)


async def _bare_answers(adapter: Any, kf: str, people: list[str]) -> None:
    waiting = iter(people)

    async def send() -> None:
        for who in waiting:
            await adapter.send(OutgoingMessage(kf, who, Kind.TEXT, WORDS, secrets.token_hex(16)))

    await asyncio.gather(*(send() for _ in range(AT_ONCE)))


def _row(what: str, number: int, spent: float, floor: float) -> Row:
    return Row(
        "campaigns", what, f"{spent / number * 1000:.3f} ms each", f"{floor / number * 1000:.3f} ms each by a bare loop of the calls",
        spent / floor, "reported", None, {"seconds": spent, "floor_seconds": floor, "number": number},
    )  # fmt: skip
