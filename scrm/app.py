"""The composition root: puts the real things together. It alone knows every adapter and every domain; nothing imports it but the
command line, and tests that want the whole service.

A process is ``web`` (answers browsers and platforms), ``worker`` (understands, pulls, sends, runs jobs) or both.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from importlib.metadata import entry_points
from typing import Literal

import redis.asyncio as redis_async
from aiohttp import web

import adapters.douyin
import adapters.wechat_oa
import adapters.wecom
import customers.list_work
from audit.alerts.push import AlertPusher
from audit.archive.alarm import LOOK_SECONDS as ARCHIVE_ALARM_SECONDS
from audit.archive.alarm import ArchiveAlarms
from audit.archive.media import MediaKeeper
from audit.archive.opening import Opener
from audit.archive.pull import ArchivePuller
from audit.archive.ring import heed as archive_heed
from audit.consent.asking import ConsentReader
from audit.consent.heeding import heed as consent_heed
from audit.evidence import exporting as evidence_exporting
from audit.evidence import watching as evidence_watching
from audit.evidence.chain import Sealer
from audit.evidence.command import export_evidence, verify_evidence
from audit.payments.bills import BillReader
from audit.payments.watch import MoneyWatcher
from audit.quality import draw as quality_draw
from audit.quality.talks import TalkKeeper
from audit.retention import erasing, removing
from audit.retention.collector import Collector
from audit.rules.acts import ActWatcher
from audit.rules.intercepts import Interceptor
from audit.rules.rerun import Backlooker
from audit.rules.watch import Watcher
from audit.search import alerting as search_alerting
from audit.search import places as search_places
from audit.search import spelling as search_spelling
from audit.trail.keeper import TrailKeeper
from audit.words.counting import WordCounter
from campaigns.audience.freeze import freeze
from campaigns.audience.optouts import OptOuts
from campaigns.invites import accepted as invites_accepted
from campaigns.invites import morning as invites_morning
from campaigns.ledger import answers, calls, doubt, ends, measure, replies, tickets, watch
from campaigns.ledger.tally import Tally
from campaigns.life.starting import start_due
from campaigns.life.waiting import tell_of_waiting
from campaigns.moments import begin as moments_begin
from campaigns.moments import calls as moments_calls
from campaigns.moments import doubt as moments_doubt
from campaigns.moments import ends as moments_ends
from campaigns.moments import reactions as moments_reactions
from campaigns.moments import watch as moments_watch
from campaigns.push import CampaignPusher
from campaigns.sop import days as sop_days
from campaigns.sop import listen as sop_listen
from campaigns.sop import settle as sop_settle
from campaigns.sop import steps as sop_steps
from customers import stage_settings, tag_settings, tally
from customers.codes import making
from customers.codes.arrivals import Arrivals
from customers.greetings import prepare
from customers.greetings.begin import begin as begin_greetings
from customers.greetings.greeter import Greeter
from customers.greetings.tell import Teller
from customers.handover.asking import Asking
from customers.handover.run import HandingOver
from customers.identity.finder import FIND_DUPLICATES, find_duplicates
from customers.pool import everyone
from customers.pool.fall import fall
from customers.profiles import ProfileReader
from customers.push import CustomerPusher
from customers.reports import sums
from customers.rules import history as rule_history
from customers.rules import watch as rule_watch
from customers.rules.book import APPLY_RULE
from customers.sync import loops as sync_loops
from customers.sync.events import heed
from customers.tasks.reminders import remind_due
from inbox import attendance, figures, scheduled, sla, surveys, tidying
from inbox.arrivals import FETCH_MEDIA
from inbox.cards.gather import Gatherer
from inbox.cards.send import SEND_CARD, send_card
from inbox.contacts import contacts_renamed
from inbox.dispatch import Dispatcher
from inbox.endings import end_session
from inbox.figures_command import check_figures, rebuild_figures
from inbox.lead_cards import LEARN_PHONE, learn_phone
from inbox.media import fetch_media
from inbox.receive import receive
from inbox.routing import Router
from inbox.shortest import Shortest
from inbox.snooze import wake_due
from inbox.socket import add_pushes
from inbox.status import END_SESSION
from scrm import outbox, upkeep
from scrm.at_once import AtOnce
from scrm.blobs import Blobs
from scrm.bus import Bus, MemoryBus, RedisBus
from scrm.cache import MemoryCache, RedisCache
from scrm.channel import ArchiveAccess, Provider, SharedCache
from scrm.clock import Clock, SystemClock
from scrm.config import Settings
from scrm.connections import Connections
from scrm.db import Database
from scrm.errors import ConfigError
from scrm.health import add_health
from scrm.inbound import Intake
from scrm.jobs import JobRunner
from scrm.loops import Loop
from scrm.movers import MOVERS
from scrm.normalise import Normaliser
from scrm.pulling import Puller, StreamFinder
from scrm.route_table import routes
from scrm.services import Services
from scrm.ticker import Ticker
from scrm.urgent import Urgent
from scrm.vault import Vault
from scrm.webhooks import add_webhooks
from scrm.webserver import HUB, make_web_app

__all__ = [
    "Worker",
    "check_figures",
    "export_evidence",
    "open_services",
    "providers",
    "rebuild_figures",
    "running",
    "until_stopped",
    "verify_evidence",
]

log = logging.getLogger(__name__)

Role = Literal["all", "web", "worker"]

FAST_SLOTS = 8

TICKS = {
    upkeep.RENEW_TOKENS: 300,
    upkeep.FOLD_TALLIES: 10,
    tally.FOLD_CUSTOMERS: 10,
    rule_watch.LOOK_FOR_SILENCE: 600,
    upkeep.MEASURE: 15,
    upkeep.CLEAN: 3600,
    prepare.PREPARE_ALL: prepare.EVERY,
    tidying.TIDY: 3600,
    FIND_DUPLICATES: 20,
    evidence_watching.CHECK: evidence_watching.CHECK_SECONDS,
    evidence_watching.ANCHOR: evidence_watching.ANCHOR_SECONDS,
    **sync_loops.TICKS,
    **quality_draw.TICKS,
    everyone.RECOMPUTE: everyone.SWEEP_SECONDS,
}


def providers() -> Mapping[str, Provider]:
    """The built-in platforms, and those that installed packages offer under the entry point group ``scrm.adapters``."""
    built_in = (adapters.wecom.PROVIDER, adapters.wechat_oa.PROVIDER, adapters.douyin.PROVIDER)
    found = {one.name: one for one in built_in}
    for point in entry_points(group="scrm.adapters"):
        provider = point.load()
        if not isinstance(provider, Provider):
            raise ConfigError(f"The entry point {point.name} of {point.value} is not a scrm.channel.Provider.")
        found[provider.name] = provider
    return found


@asynccontextmanager
async def open_services(
    settings: Settings, database_url: str, *, clock: Clock | None = None
) -> AsyncIterator[Services]:
    """Everything that running code is lent, opened and closed in order."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        vault = Vault.open(settings)
        db = await Database.open(database_url, size=settings.database.pool_size)
        stack.push_async_callback(db.close)
        bus, cache = await _shared(settings, stack)
        await bus.start()
        stack.push_async_callback(bus.stop)
        connections = Connections(
            providers(), db=db, vault=vault, bus=bus, clock=clock, cache=cache, archive=_archive(settings)
        )
        await connections.start()
        stack.push_async_callback(connections.close)
        yield Services(settings, db, bus, Blobs.open(settings), clock, vault, connections)


def _archive(settings: Settings) -> ArchiveAccess:
    archive = settings.archive
    password = archive.proxy_password.get_secret_value() if archive.proxy_password is not None else ""
    return ArchiveAccess(archive.library, archive.proxy, password)


async def _shared(settings: Settings, stack: AsyncExitStack) -> tuple[Bus, SharedCache]:
    """What several processes share: in Redis when it is configured, else in memory."""
    if settings.redis.url is None:
        return MemoryBus(), MemoryCache()
    client = redis_async.Redis.from_url(
        settings.redis.url.get_secret_value(), socket_connect_timeout=2, socket_keepalive=True, health_check_interval=15
    )
    stack.push_async_callback(client.aclose)
    return RedisBus(client), RedisCache(client)


def web_application(services: Services, intake: Intake) -> web.Application:
    app = make_web_app(services, routes())
    add_webhooks(app, services.connections, intake, max_bytes=services.settings.server.max_webhook_bytes)
    add_health(app, services)
    add_pushes(app, services, app[HUB])
    app.cleanup_ctx.append(CustomerPusher(services, app[HUB]).running)
    app.cleanup_ctx.append(CampaignPusher(services, app[HUB]).running)
    app.cleanup_ctx.append(AlertPusher(services, app[HUB]).running)
    app.cleanup_ctx.append(TrailKeeper(services).running)
    return app


class Worker:
    """All background work of one process."""

    def __init__(self, services: Services, behind: Services | None = None) -> None:
        """``behind``: the same with connections of its own to the database, for what nobody waits for."""
        behind = behind or services
        settings = services.settings.worker
        bus = services.bus
        self._ticker = Ticker(services, TICKS)
        self._fast = Dispatcher(services, lane=outbox.FAST_LANE, slots=FAST_SLOTS, done=lambda: self._fast_loop.wake())
        self._normal = Dispatcher(
            services, lane=outbox.NORMAL_LANE, slots=settings.senders, done=lambda: self._normal_loop.wake()
        )
        self._greeter = Greeter(services, done=lambda: self._greeting_loop.wake())
        self._greeting_loop = Loop("greet", self._greeter.round, bus=bus, topics=("greeting",), look=0.5)
        self._fast_loop = Loop("send-fast", self._fast.round, bus=bus, topics=("outbox",), look=0.5)
        self._normal_loop = Loop("send", self._normal.round, bus=bus, topics=("outbox",), look=0.5)
        self.after_inbox = [heed, answers.Answers().heed, OptOuts(bus).heed, archive_heed, consent_heed]
        self.normaliser = Normaliser(services, [receive, *self.after_inbox], batch=settings.batch)
        runner = JobRunner(
            behind,
            {
                FETCH_MEDIA: fetch_media,
                END_SESSION: end_session,
                surveys.ASK_SURVEY: surveys.ask_survey,
                surveys.THANK_FOR_SURVEY: surveys.thank,
                upkeep.RENEW_TOKENS: upkeep.renew_tokens,
                upkeep.FOLD_TALLIES: upkeep.fold_tallies,
                tally.FOLD_CUSTOMERS: tally.fold_customers,
                rule_watch.LOOK_FOR_SILENCE: rule_watch.look_for_silence,
                APPLY_RULE: rule_history.apply_rule,
                stage_settings.EMPTY_STAGE: stage_settings.empty_stage,
                tag_settings.MERGE_TAGS: tag_settings.merge_tags,
                upkeep.MEASURE: upkeep.measure,
                upkeep.CLEAN: upkeep.clean,
                tidying.TIDY: tidying.tidy,
                making.MAKE: making.tell_platform,
                prepare.PREPARE: prepare.prepare,
                prepare.PREPARE_ALL: prepare.prepare_all,
                SEND_CARD: send_card,
                FIND_DUPLICATES: find_duplicates,
                LEARN_PHONE: learn_phone,
                evidence_watching.CHECK: evidence_watching.nightly,
                evidence_exporting.RUN: evidence_exporting.run,
                evidence_watching.ANCHOR: evidence_watching.anchor,
                **customers.list_work.JOBS,
                **sync_loops.JOBS,
                **quality_draw.JOBS,
                everyone.RECOMPUTE: everyone.recompute_all,
            },
        )
        puller = Puller(services)
        failing: dict[int, datetime] = {}
        self._loops = [
            Loop("normalise", self.normaliser.round, bus=bus, topics=("inbound",), look=0.5),
            Loop("urgent", Urgent(services, [begin_greetings]).round, bus=bus, topics=("urgent",), look=0.5),
            self._greeting_loop,
            self._fast_loop,
            self._normal_loop,
            Loop("turns", Router(services).round, bus=bus, topics=("turn", "agent"), look=2.0),
            Loop("clocks", lambda: sla.look(services), look=1.0),
            Loop("attendance", lambda: attendance.look(services), look=10.0),
            Loop("figures", lambda: figures.fold(behind), look=2.0),
            Loop("customers-fold", customers.list_work.Folder(behind).round, look=1.0, share=0.1),
            Loop("wake", lambda: wake_due(services), look=1.0),
            Loop("sweep", self._normal.sweep, look=min(settings.lease_seconds / 4, 5.0)),
            Loop("streams", StreamFinder(services).round, bus=bus, topics=("connection", "account"), look=300.0),
            Loop("scheduled", lambda: scheduled.send_due(services), look=1.0),
            Loop("reminders", lambda: remind_due(services), bus=bus, topics=("task",), look=1.0),
            Loop("handover", HandingOver(services, MOVERS).round, bus=bus, topics=("handover",), look=2.0),
            Loop("handover-asking", Asking(services).round, bus=bus, topics=("handover",), look=5.0),
            Loop("customer-sums", lambda: sums.fold(behind), look=5.0),
            Loop("customer-rules", lambda: rule_watch.round_of(behind), look=1.0),
            Loop("pool", lambda: fall(behind), look=5.0),
            Loop("campaigns-freeze", lambda: freeze(services), bus=bus, topics=("campaign",), look=1.0),
            Loop("campaigns-replies", lambda: replies.send_due(services), bus=bus, topics=("delivery",), look=1.0),
            Loop("campaigns-tickets", lambda: tickets.make(services), bus=bus, topics=("delivery",), look=1.0),
            Loop("campaigns-calls", lambda: calls.call(services), bus=bus, topics=("ticket",), look=1.0),
            Loop("campaigns-doubt", lambda: doubt.resolve(services), look=5.0),
            Loop("campaigns-watch", lambda: watch.look(services), bus=bus, topics=("ticket",), look=2.0),
            Loop("campaigns-ends", lambda: ends.settle(services), look=1.0),
            Loop("campaigns-tally", Tally(behind).fold, look=15.0),
            Loop("campaigns-measure", lambda: measure.measure(behind), look=30.0),
            Loop("campaigns-followed", lambda: answers.fold_follow_ups(behind), look=60.0),
            Loop("campaigns-waiting", lambda: tell_of_waiting(behind), look=30.0),
            Loop("campaigns-due", lambda: start_due(services, failing), bus=bus, topics=("campaign",), look=1.0),
            Loop("moments-begin", lambda: moments_begin.begin(services), bus=bus, topics=("campaign",), look=1.0),
            Loop("moments-calls", lambda: moments_calls.call(services), bus=bus, topics=("moment",), look=1.0),
            Loop("moments-doubt", lambda: moments_doubt.resolve(services), look=5.0),
            Loop("moments-watch", lambda: moments_watch.look(services), bus=bus, topics=("moment",), look=2.0),
            Loop("moments-reactions", lambda: moments_reactions.look(behind), look=5.0),
            Loop("moments-ends", lambda: moments_ends.settle(services), look=1.0),
            Loop("invites-morning", lambda: invites_morning.tell(services), bus=bus, topics=("invites",), look=30.0),
            Loop("sop-listen", lambda: sop_listen.listen(behind), look=1.0),
            Loop("sop-days", lambda: sop_days.look(behind), bus=bus, topics=("sop",), look=30.0),
            Loop("sop-steps", lambda: sop_steps.act(services), look=1.0),
            Loop("sop-settle", lambda: sop_settle.settle(behind), look=2.0),
            Loop("invites-accepted", lambda: invites_accepted.recognise(behind), look=15.0),
            Loop("archive-pull", ArchivePuller(behind).round, bus=bus, topics=("archive", "connection"), look=5.0),
            Loop("archive-open", Opener(behind).round, bus=bus, topics=("archived",), look=2.0),
            Loop("audit-search-places", lambda: search_places.keep(behind), look=1.0, share=0.2),
            Loop("tidy-words", lambda: upkeep.tidy_words(behind), look=2.0, share=0.2),
            Loop("audit-spelling", lambda: search_spelling.look(behind), look=15.0, share=0.1),
            Loop("audit-saved-searches", lambda: search_alerting.look(behind), look=5.0, share=0.1),
            Loop("archive-media", MediaKeeper(behind).round, bus=bus, topics=("archived_media",), look=2.0),
            Loop("archive-consent", ConsentReader(behind).round, bus=bus, topics=("consent", "connection"), look=5.0),
            Loop("archive-alarms", ArchiveAlarms(behind).round, look=ARCHIVE_ALARM_SECONDS),
            Loop("audit-money", MoneyWatcher(behind).round, bus=bus, topics=("archived",), look=3.0, share=0.1),
            Loop("audit-bills", BillReader(behind).round, bus=bus, topics=("connection",), look=10.0),
            Loop("audit-rules", Watcher(behind).round, bus=bus, topics=("archived",), look=1.0),
            Loop("audit-talks", TalkKeeper(behind).round, look=2.0, share=0.1),
            Loop("audit-words", WordCounter(behind).round, bus=bus, topics=("words",), look=3.0, share=0.05),
            Loop("audit-sealing", Sealer(behind).round, look=10.0, share=0.1),
            Loop("audit-acts", ActWatcher(behind).round, look=20.0),
            Loop("audit-intercept", Interceptor(behind).round, bus=bus, topics=("audit_rule", "connection", "account"), look=60.0),
            Loop("audit-look-back", Backlooker(behind).round, bus=bus, topics=("audit_rerun",), look=10.0, share=0.2),
            Loop("audit-retention", lambda: removing.round_of(behind), bus=bus, topics=("retention",), look=60.0, share=0.1),
            Loop("audit-erasure", lambda: erasing.round_of(behind), bus=bus, topics=("retention",), look=30.0),
            Loop("audit-collector", Collector(behind).round, look=300.0, share=0.1),
            Loop("greeted", Teller(services).round, bus=bus, topics=("greeted",), look=2.0),
            Loop("arrivals", Arrivals(services).round, bus=bus, topics=("relation",), look=2.0),
            Loop("cards", Gatherer(services).round, bus=bus, topics=("notification",), look=2.0),
            Loop("profiles", ProfileReader(services, contacts_renamed).round, bus=bus, topics=("profile",), look=2.0),
            *sync_loops.loops(services, contacts_renamed),
            *[
                Loop(f"pull-{n}", puller.round, bus=bus, topics=("pull",), look=1.0)
                for n in range(settings.pullers)
            ],
            *[
                Loop(f"job-{n}", runner.round, bus=bus, topics=("job",), look=1.0)
                for n in range(settings.job_runners)
            ],
        ]  # fmt: skip

    def start(self) -> None:
        for loop in self._loops:
            loop.start()
        self._ticker.start()

    async def stop(self) -> None:
        """Takes nothing new; lets sends that are under way end."""
        await self._ticker.stop()
        for loop in self._loops:
            await loop.stop()
        await asyncio.gather(self._fast.stop(), self._normal.stop(), self._greeter.stop())


@asynccontextmanager
async def running(services: Services, role: Role) -> AsyncIterator[str]:
    """The service at work; yields the address of its web server (empty for a worker)."""
    async with AsyncExitStack() as stack:
        at_once = None
        if role in ("all", "worker"):
            connections = max(services.settings.database.pool_size // 2, 2)
            database = await Database.open(services.db.url, size=connections, behind=True)
            stack.push_async_callback(database.close)
            worker = Worker(services, replace(services, db=database))
            worker.start()
            stack.push_async_callback(worker.stop)
            if role == "all":
                planned_once = await Database.open(services.db.url, size=1, planned_once=True)
                stack.push_async_callback(planned_once.close)
                shortest = Shortest(services, planned_once, worker.after_inbox)
                at_once = AtOnce(services, worker.normaliser, shortest)
        address = ""
        if role in ("all", "web"):
            address = await _serve_web(services, stack, at_once)
        yield address


async def _serve_web(services: Services, stack: AsyncExitStack, at_once: AtOnce | None) -> str:
    intake = Intake(services.db, services.bus, at_once=at_once)
    intake.start()
    stack.push_async_callback(intake.stop)
    # Compressed requests are not unpacked: nobody of ours sends them, and a small one can unpack to any size.
    runner = web.AppRunner(
        web_application(services, intake), access_log=None, shutdown_timeout=5, auto_decompress=False
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    server = services.settings.server
    site = web.TCPSite(runner, server.host, server.port, reuse_address=True, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        raise ConfigError(f"server.port: cannot listen on {server.host}:{server.port} ({error.strerror}).") from error
    port = runner.addresses[0][1]
    host = "127.0.0.1" if server.host in ("0.0.0.0", "::") else server.host  # noqa: S104 - only compared
    return f"http://{host}:{port}"


async def until_stopped() -> None:
    """Returns on SIGINT or SIGTERM."""
    import signal

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
