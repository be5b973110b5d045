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
from datetime import datetime
from importlib.metadata import entry_points
from typing import Literal

import redis.asyncio as redis_async
from aiohttp import web

import adapters.douyin
import adapters.wechat_oa
import adapters.wecom
import audit.alerts.routes
import audit.alerts.working
import audit.archive.routes
import audit.chats.routes
import audit.consent.routes
import audit.evidence.routes
import audit.payments.routes
import audit.quality.routes
import audit.retention.routes
import audit.rules.routes
import audit.search.routes
import audit.trail.routes
import audit.words.routes
import campaigns.audience.routes
import campaigns.invites.routes
import campaigns.ledger.routes
import campaigns.library.routes
import campaigns.library.write
import campaigns.life.routes
import campaigns.life.write
import campaigns.lists.routes
import campaigns.lists.write
import campaigns.moments.routes
import campaigns.sop.routes
import campaigns.sop.write
import customers.activity.routes
import customers.bulk.routes
import customers.codes.routes
import customers.follow_ups.routes
import customers.greetings.routes
import customers.handover.routes
import customers.identity.acts
import customers.identity.duplicates
import customers.identity.entry
import customers.identity.routes
import customers.list_work
import customers.listing.routes
import customers.reports.routes
import customers.reveal
import customers.routes_fields
import customers.routes_owners
import customers.routes_pool
import customers.routes_stages
import customers.rules.routes
import customers.sheets.routes
import customers.sync.routes
import customers.tasks.routes
import inbox.answer_routes
import inbox.card
import inbox.cards.routes
import inbox.customer_files
import inbox.follow_up_files
import inbox.library.routes
import inbox.list_routes
import inbox.response_report
import inbox.reveal
import inbox.routes
import inbox.routes_bell
import inbox.routes_export
import inbox.routes_flow
import inbox.routes_rules
import inbox.routes_together
import inbox.search_routes
import inbox.story
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
from audit.search import saved as saved_searches
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
from customers import owner_undo, stage_settings, tag_settings, tally
from customers.codes import making
from customers.codes.arrivals import Arrivals
from customers.follow_ups import correct
from customers.greetings import prepare
from customers.greetings.begin import begin as begin_greetings
from customers.greetings.greeter import Greeter
from customers.greetings.tell import Teller
from customers.handover.asking import Asking
from customers.handover.own import CustomerMover, TaskMover
from customers.handover.run import HandingOver
from customers.identity.finder import FIND_DUPLICATES, find_duplicates
from customers.pool import everyone
from customers.pool import rulebook as pool_rules
from customers.pool.fall import fall
from customers.profiles import ProfileReader
from customers.push import CustomerPusher
from customers.reports import sums
from customers.rules import history as rule_history
from customers.rules import watch as rule_watch
from customers.rules.book import APPLY_RULE
from customers.sync import loops as sync_loops
from customers.sync.events import heed
from customers.tasks import undo as task_undo
from customers.tasks.reminders import remind_due
from inbox import attendance, figures, rules, saved_views, scheduled, sla, surveys, tidying
from inbox.arrivals import FETCH_MEDIA
from inbox.cards.gather import Gatherer
from inbox.cards.send import SEND_CARD, send_card
from inbox.contacts import contacts_renamed
from inbox.dispatch import Dispatcher
from inbox.endings import end_session
from inbox.figures_command import check_figures, rebuild_figures
from inbox.handing_over import ConversationMover, ScheduledMover
from inbox.lead_cards import LEARN_PHONE, learn_phone
from inbox.media import fetch_media
from inbox.receive import receive
from inbox.routing import Router
from inbox.snooze import wake_due
from inbox.socket import add_pushes
from inbox.status import END_SESSION
from inbox.undo import undo_kinds
from scrm import (
    look,
    outbox,
    routes_accounts,
    routes_agents,
    routes_company,
    routes_connections,
    routes_events,
    routes_people,
    routes_platform,
    routes_privacy,
    routes_roles,
    routes_second_factor,
    routes_security,
    routes_session,
    routes_trail,
    undo,
    undo_people,
    upkeep,
)
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
from scrm.http import Route
from scrm.inbound import Intake
from scrm.jobs import JobRunner
from scrm.loops import Loop
from scrm.normalise import Normaliser
from scrm.pulling import Puller, StreamFinder
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
    "routes",
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


MOVERS = (CustomerMover(), ConversationMover(), TaskMover(), ScheduledMover())
"""What can be handed over, in this order."""


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


def routes() -> list[Route]:
    """Every route of the API, with its permission."""
    return [
        *routes_session.api_routes(),
        *look.api_routes(),
        *routes_second_factor.api_routes(),
        *routes_platform.api_routes(),
        *routes_people.api_routes(),
        *routes_agents.api_routes(),
        *routes_roles.api_routes(),
        *routes_security.api_routes(),
        *routes_trail.api_routes(),
        *routes_privacy.api_routes(),
        *routes_accounts.api_routes(),
        *routes_company.api_routes(),
        *routes_connections.api_routes(),
        *routes_events.api_routes(),
        *audit.archive.routes.api_routes(),
        *audit.search.routes.api_routes(),
        *audit.alerts.routes.api_routes(),
        *audit.chats.routes.api_routes(),
        *audit.trail.routes.api_routes(),
        *audit.consent.routes.api_routes(),
        *audit.evidence.routes.api_routes(),
        *audit.retention.routes.api_routes(),
        *audit.rules.routes.api_routes(),
        *audit.quality.routes.api_routes(),
        *audit.words.routes.api_routes(),
        *audit.payments.routes.api_routes(),
        *inbox.routes.api_routes(),
        *inbox.card.api_routes(),
        *inbox.story.api_routes(),
        *inbox.follow_up_files.api_routes(),
        *inbox.reveal.api_routes(),
        *customers.reveal.api_routes(),
        *customers.identity.routes.api_routes(contacts_renamed),
        *customers.identity.entry.api_routes(),
        *customers.identity.duplicates.api_routes(),
        *inbox.customer_files.api_routes(),
        *customers.routes_fields.api_routes(),
        *customers.listing.routes.api_routes(),
        *customers.bulk.routes.api_routes(),
        *customers.sheets.routes.api_routes(),
        *customers.routes_owners.api_routes(),
        *customers.routes_pool.api_routes(),
        *customers.handover.routes.api_routes(MOVERS),
        *customers.routes_stages.api_routes(),
        *customers.rules.routes.api_routes(),
        *customers.reports.routes.api_routes(),
        *inbox.response_report.api_routes(),
        *customers.sync.routes.api_routes(),
        *customers.follow_ups.routes.api_routes(),
        *customers.tasks.routes.api_routes(),
        *customers.activity.routes.api_routes(),
        *customers.codes.routes.api_routes(),
        *customers.greetings.routes.api_routes(),
        *inbox.cards.routes.api_routes(),
        *inbox.routes_together.api_routes(),
        *inbox.routes_bell.api_routes(),
        *inbox.routes_export.api_routes(),
        *inbox.routes_flow.api_routes(),
        *inbox.routes_rules.api_routes(),
        *inbox.library.routes.api_routes(),
        *inbox.answer_routes.api_routes(),
        *inbox.search_routes.api_routes(),
        *inbox.list_routes.api_routes(),
        *campaigns.ledger.routes.api_routes(),
        *campaigns.life.routes.api_routes(),
        *campaigns.library.routes.api_routes(),
        *campaigns.audience.routes.api_routes(),
        *campaigns.lists.routes.api_routes(),
        *campaigns.invites.routes.api_routes(),
        *campaigns.sop.routes.api_routes(),
        *campaigns.moments.routes.api_routes(),
        *undo.api_routes(
            {
                **undo_people.undo_kinds(),
                **rules.undo_kinds(),
                **undo_kinds(),
                **customers.identity.acts.undo_kinds(contacts_renamed),
                **customers.identity.duplicates.undo_kinds(),
                **inbox.customer_files.undo_kinds(),
                **saved_views.undo_kinds(),
                **saved_searches.undo_kinds(),
                **customers.list_work.undo_kinds(),
                **customers.routes_stages.undo_kinds(),
                **customers.rules.routes.undo_kinds(),
                **inbox.library.routes.undo_kinds(),
                **owner_undo.undo_kinds(),
                **correct.undo_kinds(),
                **task_undo.undo_kinds(),
                **pool_rules.undo_kinds(),
                **campaigns.life.write.undo_kinds(),
                **campaigns.library.write.undo_kinds(),
                **campaigns.sop.write.undo_kinds(),
                **campaigns.lists.write.undo_kinds(),
                **audit.rules.routes.undo_kinds(),
                **audit.alerts.working.undo_kinds(),
            }
        ),
    ]


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

    def __init__(self, services: Services) -> None:
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
        self.normaliser = Normaliser(
            services,
            [receive, heed, answers.Answers().heed, OptOuts(bus).heed, archive_heed, consent_heed],
            batch=settings.batch,
        )
        runner = JobRunner(
            services,
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
            Loop("figures", lambda: figures.fold(services), look=2.0),
            Loop("customers-fold", lambda: customers.list_work.fold(services), look=1.0, share=0.1),
            Loop("wake", lambda: wake_due(services), look=1.0),
            Loop("sweep", self._normal.sweep, look=min(settings.lease_seconds / 4, 5.0)),
            Loop("streams", StreamFinder(services).round, bus=bus, topics=("connection", "account"), look=300.0),
            Loop("scheduled", lambda: scheduled.send_due(services), look=1.0),
            Loop("reminders", lambda: remind_due(services), bus=bus, topics=("task",), look=1.0),
            Loop("handover", HandingOver(services, MOVERS).round, bus=bus, topics=("handover",), look=2.0),
            Loop("handover-asking", Asking(services).round, bus=bus, topics=("handover",), look=5.0),
            Loop("customer-sums", lambda: sums.fold(services), look=5.0),
            Loop("customer-rules", lambda: rule_watch.round_of(services), look=1.0),
            Loop("pool", lambda: fall(services), look=5.0),
            Loop("campaigns-freeze", lambda: freeze(services), bus=bus, topics=("campaign",), look=1.0),
            Loop("campaigns-replies", lambda: replies.send_due(services), bus=bus, topics=("delivery",), look=1.0),
            Loop("campaigns-tickets", lambda: tickets.make(services), bus=bus, topics=("delivery",), look=1.0),
            Loop("campaigns-calls", lambda: calls.call(services), bus=bus, topics=("ticket",), look=1.0),
            Loop("campaigns-doubt", lambda: doubt.resolve(services), look=5.0),
            Loop("campaigns-watch", lambda: watch.look(services), bus=bus, topics=("ticket",), look=2.0),
            Loop("campaigns-ends", lambda: ends.settle(services), look=1.0),
            Loop("campaigns-tally", Tally(services).fold, look=15.0),
            Loop("campaigns-measure", lambda: measure.measure(services), look=30.0),
            Loop("campaigns-followed", lambda: answers.fold_follow_ups(services), look=60.0),
            Loop("campaigns-waiting", lambda: tell_of_waiting(services), look=30.0),
            Loop("campaigns-due", lambda: start_due(services, failing), bus=bus, topics=("campaign",), look=1.0),
            Loop("moments-begin", lambda: moments_begin.begin(services), bus=bus, topics=("campaign",), look=1.0),
            Loop("moments-calls", lambda: moments_calls.call(services), bus=bus, topics=("moment",), look=1.0),
            Loop("moments-doubt", lambda: moments_doubt.resolve(services), look=5.0),
            Loop("moments-watch", lambda: moments_watch.look(services), bus=bus, topics=("moment",), look=2.0),
            Loop("moments-reactions", lambda: moments_reactions.look(services), look=5.0),
            Loop("moments-ends", lambda: moments_ends.settle(services), look=1.0),
            Loop("invites-morning", lambda: invites_morning.tell(services), bus=bus, topics=("invites",), look=30.0),
            Loop("sop-listen", lambda: sop_listen.listen(services), look=1.0),
            Loop("sop-days", lambda: sop_days.look(services), bus=bus, topics=("sop",), look=30.0),
            Loop("sop-steps", lambda: sop_steps.act(services), look=1.0),
            Loop("sop-settle", lambda: sop_settle.settle(services), look=2.0),
            Loop("invites-accepted", lambda: invites_accepted.recognise(services), look=15.0),
            Loop("archive-pull", ArchivePuller(services).round, bus=bus, topics=("archive", "connection"), look=5.0),
            Loop("archive-open", Opener(services).round, bus=bus, topics=("archived",), look=2.0),
            Loop("audit-search-places", lambda: search_places.keep(services), look=5.0, share=0.2),
            Loop("audit-spelling", lambda: search_spelling.look(services), look=15.0, share=0.1),
            Loop("audit-saved-searches", lambda: search_alerting.look(services), look=5.0, share=0.1),
            Loop("archive-media", MediaKeeper(services).round, bus=bus, topics=("archived_media",), look=2.0),
            Loop("archive-consent", ConsentReader(services).round, bus=bus, topics=("consent", "connection"), look=5.0),
            Loop("archive-alarms", ArchiveAlarms(services).round, look=ARCHIVE_ALARM_SECONDS),
            Loop("audit-money", MoneyWatcher(services).round, bus=bus, topics=("archived",), look=3.0, share=0.1),
            Loop("audit-bills", BillReader(services).round, bus=bus, topics=("connection",), look=10.0),
            Loop("audit-rules", Watcher(services).round, bus=bus, topics=("archived",), look=1.0),
            Loop("audit-talks", TalkKeeper(services).round, look=2.0, share=0.1),
            Loop("audit-words", WordCounter(services).round, bus=bus, topics=("words",), look=3.0, share=0.05),
            Loop("audit-sealing", Sealer(services).round, look=10.0, share=0.1),
            Loop("audit-acts", ActWatcher(services).round, look=20.0),
            Loop("audit-intercept", Interceptor(services).round, bus=bus, topics=("audit_rule", "connection", "account"), look=60.0),
            Loop("audit-look-back", Backlooker(services).round, bus=bus, topics=("audit_rerun",), look=10.0, share=0.2),
            Loop("audit-retention", lambda: removing.round_of(services), bus=bus, topics=("retention",), look=60.0, share=0.1),
            Loop("audit-erasure", lambda: erasing.round_of(services), bus=bus, topics=("retention",), look=30.0),
            Loop("audit-collector", Collector(services).round, look=300.0, share=0.1),
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
            worker = Worker(services)
            worker.start()
            stack.push_async_callback(worker.stop)
            at_once = AtOnce(services, worker.normaliser)
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
