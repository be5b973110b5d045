"""The service's own PostgreSQL: private, joined by several processes, never wider than its folder."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from scrm.errors import ConfigError
from scrm.postgres import EmbeddedPostgres


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="scrm-pg-", dir="/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def modes(path: Path) -> dict[Path, int]:
    return {each: stat.S_IMODE(each.stat().st_mode) for each in path.parents}


async def test_private_and_no_port(folder: Path) -> None:
    data = folder / "data"
    wheel = Path(sys.prefix)
    before = {**modes(data), **modes(wheel)}
    with EmbeddedPostgres(data) as server:
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("show listen_addresses") == ""
        assert await connection.fetchval("show server_encoding") == "UTF8"
        await connection.close()
        for private in (data / "postgres", data / "run"):
            assert private.stat().st_mode & 0o077 == 0, private
        assert (data / "postgres.password").stat().st_mode & 0o077 == 0
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.url.replace("postgres:", "postgres:wrong", 1))
    assert {**modes(data), **modes(wheel)} == before, "no folder outside may become wider"


async def test_a_new_server_has_files_to_write_its_log_into(folder: Path) -> None:
    """Else the first commits at the end of each file wait for sixteen megabytes of zeros."""
    with EmbeddedPostgres(folder / "d", segments_ahead=4) as server:
        connection = await asyncpg.connect(server.url)
        now = await connection.fetchval("select pg_walfile_name(pg_current_wal_lsn())")
        await connection.close()
        assert len(later_files(server, now)) >= 4
    with EmbeddedPostgres(folder / "d", segments_ahead=4) as again:
        connection = await asyncpg.connect(again.url)
        assert await connection.fetchval("select pg_walfile_name(pg_current_wal_lsn())") <= later_files(again, now)[0]
        await connection.close()


def later_files(server: EmbeddedPostgres, now: str) -> list[str]:
    names = [one.name for one in (server.data / "pg_wal").iterdir() if len(one.name) == len(now)]
    return sorted(name for name in names if name > now)


async def test_the_last_to_leave_stops_it_and_data_stays(folder: Path) -> None:
    first, second = EmbeddedPostgres(folder / "d"), EmbeddedPostgres(folder / "d")
    first.start()
    second.start()
    connection = await asyncpg.connect(second.url)
    await connection.execute("create table kept (n int); insert into kept values (7)")
    first.stop()
    assert await connection.fetchval("select n from kept") == 7, "somebody else still uses it"
    await connection.close()
    second.stop()
    assert not (folder / "d" / "postgres" / "postmaster.pid").exists()
    with EmbeddedPostgres(folder / "d") as again:
        connection = await asyncpg.connect(again.url)
        assert await connection.fetchval("select n from kept") == 7
        await connection.close()


async def test_a_killed_user_does_not_keep_it_running(folder: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from scrm.postgres import EmbeddedPostgres\n"
        "EmbeddedPostgres(Path(sys.argv[1])).start(); os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", program, str(folder / "d")], env=environment, check=False)
    assert (folder / "d" / "postgres" / "postmaster.pid").exists(), "it outlives who started it"
    with EmbeddedPostgres(folder / "d") as server:
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("select 1") == 1
        await connection.close()
    assert not (folder / "d" / "postgres" / "postmaster.pid").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_a_closed_parent_is_refused_in_words(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ConfigError, match="may not enter"):
        EmbeddedPostgres(closed / "data").start()
    assert closed.stat().st_mode & 0o077 == 0


def test_too_long_a_path_is_refused_in_words(folder: Path) -> None:
    with pytest.raises(ConfigError, match="too long"):
        EmbeddedPostgres(folder / ("x" * 120)).start()
