"""The database's shape: new installs take ``schema.sql``, existing ones the Alembic revisions. Both end in the same place, which
a test proves. Every process may call :func:`migrate` at its start; an advisory lock lets one of them work."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from pathlib import Path

import asyncpg
from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.util import await_only

LOCK = 7_226_001


def schema_sql() -> str:
    return _resource("schema.sql").read_text(encoding="utf-8")


def head() -> str:
    """The newest revision."""
    return ScriptDirectory.from_config(_config("")).get_current_head() or ""


async def migrate(url: str) -> str:
    """Brings the database to the newest revision, keeping its data; returns what was done as a sentence."""
    guard = await asyncpg.connect(url)
    try:
        await guard.execute("select pg_advisory_lock($1)", LOCK)
        if await guard.fetchval("select to_regclass('public.alembic_version')") is None:
            if await guard.fetchval("select to_regclass('public.conversation')") is not None:
                raise RuntimeError("This database has tables of the service but no revision; it was not made by it.")
            async with guard.transaction():
                await guard.execute(schema_sql())
                await guard.execute("create table alembic_version (version_num varchar(32) not null primary key)")
                await guard.execute("insert into alembic_version values ($1)", head())
            return f"made a new database at revision {head()}"
        before = await guard.fetchval("select version_num from alembic_version")
        if before == head():
            return f"the database is at revision {before} already"
        await upgrade(url)
        return f"went from revision {before} to {head()}"
    finally:
        await guard.close()


async def upgrade(url: str, target: str = "head") -> None:
    """Runs the revisions up to ``target``; from an empty database, all of them."""
    await asyncio.to_thread(command.upgrade, _config(url), target)


def run_sql(sql: str) -> None:
    """For revisions: runs several statements as they stand, inside Alembic's transaction."""
    connection = op.get_bind().connection.driver_connection
    await_only(connection.execute(sql))  # type: ignore[union-attr]


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_resource("migrations")))
    if url:
        parsed = make_url(url).set(drivername="postgresql+asyncpg")
        config.set_main_option("sqlalchemy.url", parsed.render_as_string(hide_password=False).replace("%", "%%"))
    return config


def _resource(name: str) -> Path:
    """In the wheel these lie inside the package, in a checkout beside it."""
    inside = Path(str(files("scrm"))) / name
    return inside if inside.exists() else Path(__file__).resolve().parent.parent / name
