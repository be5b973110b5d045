"""The one door to PostgreSQL: a pool, single statements, and units of work.

A unit of work is one transaction, opened and committed at the edge (a request, a job, a batch). Functions inside get the
:data:`Tx` as their argument and never commit, so they compose and a failure leaves nothing half done.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import asyncpg
import orjson

from scrm.errors import Unavailable
from scrm.gentle import go_after_others

Row: TypeAlias = asyncpg.Record
Tx: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]"
T = TypeVar("T")

RETRYABLE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Two units of work met; the loser may simply run again."""

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What the client says when the server goes away between two steps of one statement.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # Full disks and memory, broken disks, a standby that we were moved to: not the fault of what was being written.
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    ConnectionError,
    OSError,
    asyncio.TimeoutError,
)
"""The database is away; what was not committed did not happen."""


def _encode_json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


LISTS = ("bigint", "int", "text", "boolean", "timestamptz", "date", "bytea", "float8", "jsonb")
KNOWN_TYPES = "select " + ", ".join(f"${n}::{name}[]" for n, name in enumerate(LISTS, 1))


async def _prepare(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    await connection.set_type_codec("jsonb", encoder=_encode_json, decoder=orjson.loads, schema="pg_catalog")
    # The driver asks the database what a list of a type is when it meets one first, which takes longer than most statements: all at once, now.
    await connection.prepare(KNOWN_TYPES)


async def _prepare_behind(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    await _prepare(connection)
    _let_others_go_first(connection.get_server_pid())


def _let_others_go_first(pid: int) -> None:
    """For a process of PostgreSQL, when it is one of this machine. Where it is not, or where that is not allowed, all are served alike."""
    try:
        if Path(f"/proc/{pid}/comm").read_text().strip() == "postgres":
            go_after_others(pid)
    except OSError:
        return


async def _connect(*arguments: Any, **options: Any) -> asyncpg.Connection[asyncpg.Record]:
    """A socket that is not there is a server that is not there, and no missing file."""
    try:
        return await asyncpg.connect(*arguments, **options)
    except FileNotFoundError as error:
        raise ConnectionRefusedError("the database's socket is not there") from error


class _Connection(asyncpg.Connection):
    """Goes back to the pool without a round trip. What that would undo is never done here: sessions are not configured by
    statement, locks and settings end with their transaction, nobody listens. (An open transaction is ended all the same.)"""

    def get_reset_query(self) -> str:
        return ""


class Database:
    """Open with :meth:`open`, close with :meth:`close`."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], url: str) -> None:
        self.pool = pool
        self.url = url

    @classmethod
    async def open(cls, url: str, *, size: int = 12, behind: bool = False, planned_once: bool = False) -> Database:
        """``behind``: for work that nobody waits for. It goes after other work where the database runs on this machine and is reached by
        its socket. ``planned_once``: for statements by the keys of rows, whose plans do not depend on what is asked. Raises
        :class:`Unavailable` when nobody answers at ``url``."""
        settings = {"application_name": "scrm", "timezone": "UTC", "jit": "off"}
        if planned_once:
            settings["plan_cache_mode"] = "force_generic_plan"
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=0 if behind else 1,
                max_size=size,
                max_inactive_connection_lifetime=0,
                init=_prepare_behind if behind and "host=/" in url else _prepare,
                connection_class=_Connection,
                connect=_connect,
                command_timeout=60,
                server_settings=settings,
            )
        except LOST as error:
            raise Unavailable(f"The database does not answer: {error}") from error
        return cls(pool, url)

    async def warm(self) -> None:
        """Opens all connections, as far as the database lets us: whoever comes first should not wait for what is done once."""
        async with AsyncExitStack() as stack:
            opening = [stack.enter_async_context(self.pool.acquire()) for _ in range(self.pool.get_max_size())]
            await asyncio.gather(*opening, return_exceptions=True)

    async def close(self) -> None:
        try:
            async with asyncio.timeout(10):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """One unit of work: commits when the block ends, rolls back when it raises."""
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection

    async def run(self, work: Callable[[Tx], Awaitable[T]], *, tries: int = 5) -> T:
        """Runs ``work`` as one unit of work, again when it lost a race (deadlock, serialisation)."""
        for attempt in range(1, tries + 1):
            try:
                async with self.transaction() as tx:
                    return await work(tx)
            except RETRYABLE:
                if attempt == tries:
                    raise
                await asyncio.sleep(0.005 * attempt)
        raise AssertionError("unreachable")

    async def fetch(self, sql: str, *arguments: Any) -> list[Row]:
        return await self.pool.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> Row | None:
        return await self.pool.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        return await self.pool.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: Any) -> str:
        return await self.pool.execute(sql, *arguments)
