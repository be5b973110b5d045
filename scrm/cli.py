"""The command line: ``scrm serve | demo | migrate | check | openapi | user | figures | simulate``."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import gc
import getpass
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from scrm.config import Settings, load_settings
from scrm.errors import ApiError, ConfigError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="SCRM chat operations: one inbox for WeCom and Douyin."
)
user = typer.Typer(no_args_is_help=True, help="People who may sign in.")
app.add_typer(user, name="user")
figures = typer.Typer(no_args_is_help=True, help="Figures of the team, counted from events.")
app.add_typer(figures, name="figures")
evidence = typer.Typer(no_args_is_help=True, help="The chain of evidence, and packages proven by it.")
app.add_typer(evidence, name="evidence")
out = Console()
err = Console(stderr=True)
T = TypeVar("T")
TURN = 0.0005
"""Seconds. A thread that computes (splitting sentences into words, matching rules) hands the interpreter on after this: with the usual
5 ms each socket that the server reads or writes meanwhile would wait that long for its turn."""
COLLECT_AFTER = (20_000, 20, 50)
"""New objects, and rounds of the younger generations, before the garbage collector looks at each generation."""

ConfigPath = Annotated[
    Path | None, typer.Option("--config", "-c", help="The configuration file.", envvar="SCRM_CONFIG_FILE")
]


FirstDay = Annotated[
    datetime.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day; the company's.")
]
LastDay = Annotated[datetime.datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day.")]


def main() -> None:
    """The entry point: refusals are sentences, not stack traces."""
    try:
        app(standalone_mode=True)
    except (ConfigError, ApiError) as error:
        err.print(f"[red]{getattr(error, 'detail', error)}[/red]", soft_wrap=True, markup=True)
        sys.exit(2)


@app.command()
def serve(
    config: ConfigPath = None,
    role: Annotated[
        str, typer.Option(help="all, web or worker; any number of each on one database and Redis.")
    ] = "all",
) -> None:
    """Run the service."""
    if role not in ("all", "web", "worker"):
        raise ConfigError("--role is all, web or worker.")
    settings = load_settings(config)
    with database(settings) as url:
        _run(_serve(settings, url, role))


async def _serve(settings: Settings, url: str, role: Any) -> None:
    from scrm.app import open_services, running, until_stopped
    from scrm.logs import set_up_logs
    from scrm.migrate import migrate as bring_up_to_date

    set_up_logs(settings.log)
    await bring_up_to_date(url)
    async with open_services(settings, url) as services, running(services, role) as address:
        await services.db.warm()
        await _first_admin(services)
        _collect_seldom()
        sys.setswitchinterval(TURN)
        out.print(f"scrm is running ({role}){': ' + address if address else ''}. Ctrl-C stops it.")
        await until_stopped()
        out.print("Stopping…")


def _collect_seldom() -> None:
    """What the start made stays for good and need not be searched for garbage again and again; and a batch makes thousands of
    objects that die without the collector. Measured: a tenth of the processor time of a busy process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


async def _first_admin(services: Any) -> None:
    """A new installation has nobody who could sign in: make one and say so, once."""
    import secrets

    from scrm.people import create_agent

    if await services.db.fetchval("select true from agent limit 1"):
        return
    password = secrets.token_urlsafe(12)
    async with services.work() as work:
        # Two processes may start at once; the second finds the first one's admin.
        await work.tx.execute("lock table agent in exclusive mode")
        if await work.tx.fetchval("select true from agent limit 1"):
            return
        await create_agent(work, login="admin", name="管理员", role="admin", password=password, password_due=True)
    out.print(f"[bold]First sign-in:[/bold] admin / {password}  (you choose your own then)")


@app.command()
def migrate(config: ConfigPath = None) -> None:
    """Bring the database to the newest revision; keeps the data."""
    from scrm.migrate import migrate as bring_up_to_date

    settings = load_settings(config)
    with database(settings) as url:
        out.print(_run(bring_up_to_date(url)))


@app.command()
def check(config: ConfigPath = None) -> None:
    """Check the configuration and that everything it names answers."""
    settings = load_settings(config)
    with database(settings) as url:
        _run(_check(settings, url))


async def _check(settings: Settings, url: str) -> None:
    from scrm.app import open_services
    from scrm.migrate import head

    async with open_services(settings, url) as services:
        out.print(f"database: {(await services.db.fetchval('show server_version'))}")
        revision = await services.db.fetchval("select version_num from alembic_version")
        out.print(f"revision: {revision}" + ("" if revision == head() else f" (newest: {head()}; run scrm migrate)"))
        out.print(f"redis: {'in memory, one process only' if settings.redis.url is None else 'configured'}")
        out.print(f"adapters: {', '.join(sorted(services.connections.providers()))}")
        for loaded in services.connections.all():
            ok, sentence = await services.connections.test(loaded.id)
            out.print(f"connection {loaded.name} ({loaded.provider}): {'ok' if ok else 'FAILED'}: {sentence.en}")


@app.command()
def openapi() -> None:
    """Print the description of the HTTP API (OpenAPI 3.1, JSON)."""
    import orjson

    from scrm.openapi import build
    from scrm.route_table import routes
    from scrm.version import VERSION

    sys.stdout.buffer.write(orjson.dumps(build(routes(), version=VERSION), option=orjson.OPT_INDENT_2) + b"\n")


@user.command("add")
def user_add(
    login: str,
    name: Annotated[str, typer.Option(help="The name that colleagues see.")] = "",
    role: Annotated[str, typer.Option(help="rep, manager, marketer, auditor or admin.")] = "rep",
    config: ConfigPath = None,
) -> None:
    """Add somebody. The password is asked for, or read from the first line of the input."""
    settings = load_settings(config)
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with database(settings) as url:
        _run(_user_add(settings, url, login, name or login, role, password))
    out.print(f"{login} may sign in as {role}.")


async def _user_add(settings: Settings, url: str, login: str, name: str, role: Any, password: str) -> None:
    from scrm.app import open_services
    from scrm.migrate import migrate as bring_up_to_date
    from scrm.people import create_agent

    await bring_up_to_date(url)
    async with open_services(settings, url) as services, services.work() as work:
        await create_agent(work, login=login, name=name, role=role, password=password)


@figures.command("check")
def figures_check(
    first: FirstDay = None,
    last: LastDay = None,
    config: ConfigPath = None,
) -> None:
    """Add everything up again from events and messages and compare. Ends with 1 when something differs."""
    _figures(config, first, last, rebuild=False)


@figures.command("rebuild")
def figures_rebuild(
    first: FirstDay = None,
    last: LastDay = None,
    config: ConfigPath = None,
) -> None:
    """Count the days again from their events, after the time zone was changed for instance."""
    _figures(config, first, last, rebuild=True)


def _figures(
    config: Path | None, first: datetime.datetime | None, last: datetime.datetime | None, *, rebuild: bool
) -> None:
    settings = load_settings(config)
    days = first.date() if first else None, last.date() if last else None
    with database(settings) as url:
        report = _run(_figures_report(settings, url, *days, rebuild=rebuild))
    for told_by, what, who, values in report.differences:
        out.print(f"{told_by}: {what}: {who}: {values}", soft_wrap=True, markup=False)
    out.print(
        f"{report.first} to {report.last}: {report.days} rows, {report.answers} answers, "
        f"{len(report.differences)} differences, {report.uncounted} events not counted yet.", soft_wrap=True,
    )  # fmt: skip
    if report.differences:
        raise typer.Exit(1)


async def _figures_report(
    settings: Settings, url: str, first: datetime.date | None, last: datetime.date | None, *, rebuild: bool
) -> Any:
    from scrm.app import check_figures, open_services, rebuild_figures

    async with open_services(settings, url) as services:
        return await (rebuild_figures if rebuild else check_figures)(services, first, last)


@evidence.command("verify")
def evidence_verify(
    files: Annotated[bool, typer.Option(help="Also read every stored file and compare its bytes.")] = False,
    config: ConfigPath = None,
) -> None:
    """Check the whole chain against the database. Ends with 1 when something does not fit, and names it."""
    settings = load_settings(config)
    with database(settings) as url:
        report = _run(_evidence_verified(settings, url, files))
    for one in report.findings:
        out.print(one.name, soft_wrap=True, markup=False)
    removed = ", ".join(f"{n} removed by {reason}" for reason, n in sorted(report.removed.items()))
    out.print(
        f"{report.blocks} blocks, {report.leaves} leaves, {report.total} that do not fit. {removed}", soft_wrap=True
    )
    if not report.ok:
        raise typer.Exit(1)


async def _evidence_verified(settings: Settings, url: str, files: bool) -> Any:
    from scrm.app import open_services, verify_evidence

    async with open_services(settings, url) as services:
        return await verify_evidence(services, files=files)


@evidence.command("export")
def evidence_export(
    conversations: Annotated[list[int], typer.Argument(help="Numbers of conversations.")],
    login: Annotated[str, typer.Option("--as", help="As whom: what they may see is in it, and the trail says so.")],
    to: Annotated[Path, typer.Option(help="The zip to write.")] = Path("evidence.zip"),
    config: ConfigPath = None,
) -> None:
    """Pack conversations as evidence that verifies without this service."""
    settings = load_settings(config)
    with database(settings) as url:
        _run(_evidence_exported(settings, url, conversations, login, to))
    out.print(f"{to}: verify it with the verify.py in it.")


async def _evidence_exported(settings: Settings, url: str, conversations: list[int], login: str, to: Path) -> None:
    from scrm.app import export_evidence, open_services

    async with open_services(settings, url) as services:
        await export_evidence(services, login, conversations, to)


@app.command()
def simulate(
    platform: Annotated[str, typer.Argument(help="wecom, wechat_oa or douyin")],
    host: str = "127.0.0.1",
    port: int = 8710,
    snapshot: Annotated[Path | None, typer.Option(help="Keep its state in this file.")] = None,
) -> None:
    """Run the simulated server side of a platform."""
    from importlib import import_module

    if platform not in ("wecom", "wechat_oa", "douyin"):
        raise ConfigError("PLATFORM is wecom, wechat_oa or douyin.")
    server = import_module(f"simulator.{platform}.server")
    _run(server.serve(host, port, snapshot))


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="The page's port.")] = 8700,
    data_dir: Annotated[Path | None, typer.Option(help="Where the demo keeps its data.")] = None,
    pace: Annotated[float, typer.Option(help="Seconds between two customers who write; 0: nobody writes.")] = 6.0,
) -> None:
    """A sample company with simulated platforms, and customers who write while you watch."""
    from scrm.demo import run_demo

    base = load_settings(None)
    folder = data_dir or base.data_dir / "demo"
    settings = load_settings(None, data_dir=folder, server={"port": port}, demo=True, company="青禾家居")
    with database(settings) as url:
        _run(run_demo(settings, url, pace=pace, say=functools.partial(out.print, soft_wrap=True, highlight=False)))


@contextlib.contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The configured database, or the service's own, running as long as the block."""
    if settings.database.url is not None:
        yield settings.database.url.get_secret_value()
        return
    from scrm.postgres import EmbeddedPostgres

    with EmbeddedPostgres(settings.data_dir) as server:
        yield server.url


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """One event loop: uvloop, or the standard one where there is none (Windows)."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(coroutine)
    return uvloop.run(coroutine)


if __name__ == "__main__":
    main()
