"""Connections to platforms: their rows, their adapters, their health.

Each process holds one adapter per connection, built when first needed and again when the row's version changed (a ring tells;
a look every few seconds makes sure).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from scrm.bus import Bus
from scrm.cache import MemoryCache
from scrm.channel import (
    Adapter,
    AdapterContext,
    ArchiveAccess,
    Authorises,
    Capabilities,
    ConnectionConfig,
    JsonObject,
    KnowsAccounts,
    Provider,
    Sentence,
    SharedCache,
    TokenState,
)
from scrm.clock import Clock, monotonic
from scrm.db import LOST, Database, Row, Tx
from scrm.errors import ConfigError, Conflict, NotFound, SendError, Unprocessable
from scrm.services import Work
from scrm.tasks import end
from scrm.vault import Vault

log = logging.getLogger(__name__)

HAS_CUSTOMERS = """
select exists (select from contact where connection_id = $1)
  or exists (select from conversation c join account a on a.id = c.account_id where a.connection_id = $1)
  or exists (select from archive_record where connection_id = $1)
"""
COUNT_ERROR = """
insert into connection_error as e (connection_id, code, hour, reason, last_at)
select id, $2, date_trunc('hour', $3::timestamptz), $4, $3 from connection where id = $1
on conflict (connection_id, code, hour) do update set n = e.n + 1, last_at = excluded.last_at, reason = excluded.reason
"""

LOOK_SECONDS = 5.0
MISSING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """A connection as this process holds it."""

    id: int
    provider: str
    key: str
    name: str
    version: int
    paused: bool
    adapter: Adapter


class Connections:
    def __init__(
        self,
        providers: Mapping[str, Provider],
        *,
        db: Database,
        vault: Vault,
        bus: Bus,
        clock: Clock,
        cache: SharedCache | None = None,
        archive: ArchiveAccess | None = None,
    ) -> None:
        self._archive = archive or ArchiveAccess()
        self._providers = dict(providers)
        self._db = db
        self._vault = vault
        self._bus = bus
        self._clock = clock
        self._cache = cache or MemoryCache()
        self._by_id: dict[int, Loaded] = {}
        self._by_key: dict[tuple[str, str], Loaded] = {}
        self._refreshing = asyncio.Lock()
        self._stale = asyncio.Event()
        self._looked_at = 0.0
        self._http: aiohttp.ClientSession | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._retired: list[Adapter] = []
        self._unlisten: Callable[[], None] = lambda: None

    async def start(self) -> None:
        timeout = aiohttp.ClientTimeout(total=30, connect=5, sock_connect=5, sock_read=20)
        self._http = aiohttp.ClientSession(
            timeout=timeout, connector=aiohttp.TCPConnector(limit=0, limit_per_host=64), trust_env=False
        )
        await self.refresh()
        self._unlisten = self._bus.listen("connection", lambda _: self._stale.set())
        self._watcher = asyncio.create_task(self._watch(), name="connections")

    async def close(self) -> None:
        self._unlisten()
        await end([self._watcher])
        for adapter in [*self._retired, *(loaded.adapter for loaded in self._by_id.values())]:
            await adapter.close()
        if self._http is not None:
            await self._http.close()

    # ------------------------------------------------------------------ finding

    def providers(self) -> Mapping[str, Provider]:
        return self._providers

    def all(self) -> list[Loaded]:
        return list(self._by_id.values())

    def channels(self) -> Mapping[str, Capabilities]:
        """Every channel of the connections that exist."""
        found: dict[str, Capabilities] = {}
        for loaded in self._by_id.values():
            found.update(loaded.adapter.capabilities)
        return found

    def capabilities(self, channel: str) -> Capabilities | None:
        for loaded in self._by_id.values():
            if channel in loaded.adapter.capabilities:
                return loaded.adapter.capabilities[channel]
        return None

    def held(self, connection_id: int) -> Loaded | None:
        """Without a look at the database."""
        return self._by_id.get(connection_id)

    async def get(self, connection_id: int) -> Loaded:
        """Raises :class:`NotFound`."""
        loaded = self._by_id.get(connection_id)
        if loaded is None:
            await self.refresh()
            loaded = self._by_id.get(connection_id)
        if loaded is None:
            raise NotFound("There is no such connection.")
        return loaded

    async def by_key(self, provider: str, key: str) -> Loaded:
        """Raises :class:`NotFound`. Strangers cannot make us look at the database more than once a second."""
        loaded = self._by_key.get((provider, key))
        if loaded is None and monotonic() - self._looked_at > MISSING_SECONDS:
            await self.refresh()
            loaded = self._by_key.get((provider, key))
        if loaded is None:
            raise NotFound("There is no connection at this address.")
        return loaded

    async def refresh(self) -> None:
        """Makes what this process holds equal to the rows."""
        async with self._refreshing:
            self._looked_at = monotonic()
            rows = await self._db.fetch("select * from connection order by id")
            held: dict[int, Loaded] = {}
            for row in rows:
                old = self._by_id.get(row["id"])
                if old is not None and old.version == row["version"]:
                    held[row["id"]] = old
                    continue
                loaded = self._load(row)
                if loaded is not None:
                    held[row["id"]] = loaded
                if old is not None:
                    # Requests may still be using it: it is closed with the process.
                    self._retired.append(old.adapter)
            self._by_id = held
            self._by_key = {(loaded.provider, loaded.key): loaded for loaded in held.values()}

    def _load(self, row: Row) -> Loaded | None:
        provider = self._providers.get(row["provider"])
        if provider is None:
            log.warning("connection %s needs the adapter %s, which is not installed", row["id"], row["provider"])
            return None
        try:
            config = ConnectionConfig(
                id=row["id"],
                key=row["key"],
                settings=row["settings"],
                secrets=self._vault.unseal(row["secrets"], purpose="connection.secrets"),
            )
            adapter = provider.build(config, self._context(row["id"]))
        except Exception:
            # One connection that cannot be built must not take the others with it.
            log.exception("connection %s cannot be built from its settings", row["id"])
            return None
        return Loaded(
            id=row["id"],
            provider=row["provider"],
            key=row["key"],
            name=row["name"],
            version=row["version"],
            paused=row["paused_at"] is not None,
            adapter=adapter,
        )

    def _context(self, connection_id: int) -> AdapterContext:
        if self._http is None:
            raise RuntimeError("start() comes first")

        async def load_state() -> JsonObject:
            sealed = await self._db.fetchval("select state from connection where id = $1", connection_id)
            return self._open_state(sealed)

        async def save_state(change: Callable[[JsonObject], JsonObject]) -> JsonObject:
            async with self._db.transaction() as tx:
                sealed = await tx.fetchval("select state from connection where id = $1 for update", connection_id)
                state = change(self._open_state(sealed))
                sealed = self._vault.seal(state, purpose="connection.state")
                await tx.execute("update connection set state = $2 where id = $1", connection_id, sealed)
            return state

        return AdapterContext(
            http=self._http,
            clock=self._clock,
            cache=self._cache,
            load_state=load_state,
            save_state=save_state,
            archive=self._archive,
        )

    def _open_state(self, sealed: bytes | None) -> JsonObject:
        if sealed is None:
            return {}
        state: JsonObject = self._vault.unseal(sealed, purpose="connection.state")
        return state

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                # Not wait_for: on Python 3.11 it swallows a cancellation that comes together with the wake-up.
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._stale.wait()
            self._stale.clear()
            try:
                await self.refresh()
            except LOST as error:
                log.warning("the database is away, connections stay as they are: %s", error)
            except Exception:
                log.exception("connections could not be read")

    # ------------------------------------------------------------------ changing

    async def create(
        self, work: Work, provider: str, name: str, settings: Mapping[str, str], secret_values: Mapping[str, str]
    ) -> int:
        """Raises :class:`Unprocessable` naming the fields that are missing or unknown."""
        await self._check(provider, settings, secret_values)
        row_id = await work.tx.fetchval(
            "insert into connection (provider, key, name, settings, secrets) values ($1, $2, $3, $4, $5) returning id",
            provider,
            secrets.token_urlsafe(18),
            name,
            {**self._defaults(provider), **settings},
            self._vault.seal(dict(secret_values), purpose="connection.secrets"),
        )
        await work.tx.execute("insert into connection_health (connection_id) values ($1)", row_id)
        work.ring("connection", row_id)
        return int(row_id)

    async def update(
        self,
        work: Work,
        connection_id: int,
        *,
        name: str | None = None,
        settings: Mapping[str, str] | None = None,
        secret_values: Mapping[str, str] | None = None,
    ) -> None:
        """Secrets that are not given stay. Raises :class:`NotFound`, :class:`Unprocessable`."""
        row = await work.tx.fetchrow("select * from connection where id = $1 for update", connection_id)
        if row is None:
            raise NotFound("There is no such connection.")
        new_settings = {**row["settings"], **(settings or {})}
        old_secrets = self._vault.unseal(row["secrets"], purpose="connection.secrets")
        new_secrets = {**old_secrets, **{key: value for key, value in (secret_values or {}).items() if value}}
        await self._check(row["provider"], new_settings, new_secrets)
        await work.tx.execute(
            "update connection set name = $2, settings = $3, secrets = $4, version = version + 1, updated_at = now() "
            "where id = $1",
            connection_id,
            row["name"] if name is None else name,
            new_settings,
            self._vault.seal(new_secrets, purpose="connection.secrets"),
        )
        work.ring("connection", connection_id)

    async def pause(self, work: Work, connection_id: int) -> None:
        """Stops sending and pulling; webhooks are still stored."""
        await self._set_paused(work, connection_id, paused=True)

    async def resume(self, work: Work, connection_id: int) -> None:
        await self._set_paused(work, connection_id, paused=False)

    async def delete(self, work: Work, connection_id: int) -> None:
        """With its accounts, when there is nothing to lose. Raises :class:`NotFound`, :class:`Conflict`."""
        if await work.tx.fetchval("select id from connection where id = $1 for update", connection_id) is None:
            raise NotFound("There is no such connection.")
        if await work.tx.fetchval(HAS_CUSTOMERS, connection_id):
            raise Conflict(
                "Conversations, customers or archived records belong to this connection; pause it instead.",
                code="connection_in_use",
            )
        await work.tx.execute("delete from connection where id = $1", connection_id)
        work.ring("connection", connection_id)
        work.ring("account")

    async def _set_paused(self, work: Work, connection_id: int, *, paused: bool) -> None:
        done = await work.tx.execute(
            "update connection set paused_at = case when $2 then coalesce(paused_at, now()) end, version = version + 1 "
            "where id = $1",
            connection_id,
            paused,
        )
        if done == "UPDATE 0":
            raise NotFound("There is no such connection.")
        work.ring("connection", connection_id)
        work.ring("outbox", connection_id)
        work.ring("pull", connection_id)

    async def _check(self, provider: str, settings: Mapping[str, str], secret_values: Mapping[str, str]) -> None:
        """Names and presence first, then the adapter's own judgement of the values."""
        known = self._providers.get(provider)
        if known is None:
            raise Unprocessable("There is no such platform.", fields={"provider": "Not an installed adapter."})
        wrong: dict[str, str] = {}
        for field in known.fields:
            given = secret_values if field.secret else settings
            if field.required and not (given.get(field.name) or field.default):
                wrong[field.name] = f"{field.label.en} is needed."
        names = {field.name for field in known.fields}
        for name in [*settings, *secret_values]:
            if name not in names:
                wrong[name] = "This platform has no such setting."
        if wrong:
            raise Unprocessable("Some settings are missing or unknown.", fields=wrong)
        whole = {**self._defaults(provider), **settings}
        try:
            adapter = known.build(ConnectionConfig(0, "trial", whole, dict(secret_values)), self._context(0))
        except ConfigError as error:
            raise Unprocessable(str(error)) from error
        await adapter.close()

    def _defaults(self, provider: str) -> dict[str, str]:
        fields = self._providers[provider].fields
        return {field.name: field.default for field in fields if field.default and not field.secret}

    # ------------------------------------------------------------------ trying, granting

    async def test(self, connection_id: int) -> tuple[bool, Sentence]:
        """Asks the platform something harmless with the connection's credentials, and learns its accounts by the way."""
        loaded = await self.get(connection_id)
        if not isinstance(loaded.adapter, KnowsAccounts):
            return True, Sentence(
                "配置完整；该平台没有可用于测试的接口。", "Complete; this platform has nothing to test with."
            )
        try:
            accounts = await loaded.adapter.accounts()
        except SendError as error:
            await self.note_error(connection_id, error)
            return False, error.reason
        async with self._db.transaction() as tx:
            await ensure_accounts(
                tx, connection_id, [(ref.channel, ref.external_id, ref.name, ref.avatar) for ref in accounts]
            )
            await tx.execute(
                "update connection_health set attention = null, checked_at = now() where connection_id = $1",
                connection_id,
            )
        await self._bus.ring("account", [])
        return True, Sentence(f"连接正常，共 {len(accounts)} 个账号。", f"It works: {len(accounts)} accounts.")

    async def authorise_url(self, connection_id: int, redirect_uri: str, state: str) -> str:
        """Raises :class:`Conflict` when this platform needs no person to agree."""
        return self._authorises(await self.get(connection_id)).authorise_url(redirect_uri, state)

    async def authorised(self, connection_id: int, code: str) -> None:
        """A person agreed: keep the tokens, know the account. Raises :class:`Conflict` with the platform's reason."""
        try:
            ref = await self._authorises(await self.get(connection_id)).authorised(code)
        except SendError as error:
            raise Conflict(f"{error.reason.zh} {error.reason.en}", code=error.code) from error
        async with self._db.transaction() as tx:
            await ensure_accounts(tx, connection_id, [(ref.channel, ref.external_id, ref.name, ref.avatar)])
            await tx.execute("update connection_health set attention = null where connection_id = $1", connection_id)
        await self._bus.ring("account", [])

    def _authorises(self, loaded: Loaded) -> Authorises:
        if not isinstance(loaded.adapter, Authorises):
            raise Conflict("This platform is used with its secrets alone; nobody has to agree.")
        return loaded.adapter

    # ------------------------------------------------------------------ health

    async def note_error(self, connection_id: int, error: SendError, *, attention: bool = False) -> None:
        reason = {"code": error.code, "zh": error.reason.zh, "en": error.reason.en}
        now = self._clock.now()
        await self._db.execute(
            "update connection_health set last_error_at = $2, last_error = $3, "
            "attention = case when $4 then $3 else attention end where connection_id = $1",
            connection_id,
            now,
            reason,
            attention,
        )
        await self._db.execute(COUNT_ERROR, connection_id, error.code[:100], now, reason)

    async def note_tokens(self, connection_id: int, states: list[tuple[str, TokenState]]) -> None:
        """Keeps the shortest of the states."""
        until = min((state.valid_until for _, state in states if state.valid_until), default=None)
        person = min((state.needs_person_by for _, state in states if state.needs_person_by), default=None)
        wanted = next((state.attention for _, state in states if state.attention), None)
        attention: dict[str, Any] | None = None
        if wanted is not None:
            attention = {"code": "authorisation", "zh": wanted.zh, "en": wanted.en}
        await self._db.execute(
            "update connection_health set token_until = $2, person_by = $3, checked_at = $4, "
            "attention = case when $5::jsonb is not null then $5 "
            "when attention ->> 'code' = 'authorisation' then null else attention end where connection_id = $1",
            connection_id,
            until,
            person,
            self._clock.now(),
            attention,
        )


async def ensure_accounts(
    tx: Tx, connection_id: int, refs: list[tuple[str, str, str, str]]
) -> dict[tuple[str, str], int]:
    """The ids of accounts by (channel, external id), made where unknown. ``refs``: channel, external id, name, avatar;
    a name given here replaces one that was made up from the id."""
    merged: dict[tuple[str, str], tuple[str, str]] = {}
    for channel, external_id, name, avatar in refs:
        old = merged.get((channel, external_id), ("", ""))
        merged[channel, external_id] = (name or old[0], avatar or old[1])
    keys = sorted(merged)
    arguments = (
        connection_id,
        [channel for channel, _ in keys],
        [external_id for _, external_id in keys],
        [merged[key][0] for key in keys],
        [merged[key][1] for key in keys],
    )
    rows = await tx.fetch(
        "select a.id, a.channel, a.external_id, a.name, a.avatar, w.name as new_name, w.avatar as new_avatar from account a "
        "join unnest($2::text[], $3::text[], $4::text[], $5::text[]) w (channel, external_id, name, avatar) "
        "using (channel, external_id) where a.connection_id = $1",
        *arguments,
    )
    better = [
        row
        for row in rows
        if (row["new_name"] and row["name"] == row["external_id"]) or (row["new_avatar"] and not row["avatar"])
    ]
    if better:
        await tx.execute(
            "update account a set name = case when a.name = a.external_id and w.name <> '' then w.name else a.name end, "
            "avatar = case when a.avatar = '' then w.avatar else a.avatar end "
            "from unnest($1::bigint[], $2::text[], $3::text[]) w (id, name, avatar) where a.id = w.id",
            [row["id"] for row in better],
            [row["new_name"] for row in better],
            [row["new_avatar"] for row in better],
        )
    if len(rows) < len(keys):
        await tx.execute(
            "insert into account (connection_id, channel, external_id, name, avatar) "
            "select $1, w.channel, w.external_id, coalesce(nullif(w.name, ''), w.external_id), w.avatar "
            "from unnest($2::text[], $3::text[], $4::text[], $5::text[]) w (channel, external_id, name, avatar) "
            "on conflict (connection_id, channel, external_id) do nothing",
            *arguments,
        )
        rows = await tx.fetch(
            "select a.id, a.channel, a.external_id from account a "
            "join unnest($2::text[], $3::text[]) w (channel, external_id) using (channel, external_id) "
            "where a.connection_id = $1",
            *arguments[:3],
        )
    return {(row["channel"], row["external_id"]): row["id"] for row in rows}


def lag_seconds(now: datetime, oldest: datetime | None) -> float:
    return max((now - oldest).total_seconds(), 0.0) if oldest else 0.0
