"""``scrm demo`` as people start it: a process of its own, on a folder of its own, stopped with Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from scrm.clock import monotonic
from simulator.company.people import PASSWORD, STAFF
from tests.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120
Json = dict[str, Any]


class Demo:
    """A running demo, with what it has printed."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.lines: list[str] = []
        command = [
            sys.executable,
            "-m",
            "scrm.cli",
            "demo",
            "--data-dir",
            str(folder),
            "--port",
            str(port),
            "--pace",
            "0",
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SCRM_")}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self.lines += [""]
        for line in self._process.stdout:
            self.lines.append(line.rstrip())

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ready(self) -> None:
        await until(lambda: self._process.poll() is not None or any(one.startswith("Open ") for one in self.lines))
        assert self._process.poll() is None, "\n".join(self.lines)

    @property
    def simulators(self) -> list[str]:
        line = next(one for one in self.lines if one.startswith("Simulated platforms"))
        return re.findall(r"http://127\.0\.0\.1:\d+", line)

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self.ended()

    def ended(self) -> int:
        code = self._process.wait(PATIENCE)
        self._reader.join(10)
        return code

    def kill(self) -> None:
        if self._process.poll() is None:
            self.stop()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the database's user may go as well."""
    made = Path(tempfile.gettempdir()) / f"scrm-demo-{secrets.token_hex(4)}"
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[int], Demo]]:
    demos: list[Demo] = []

    def begin(port: int) -> Demo:
        demos.append(Demo(folder, port))
        return demos[-1]

    yield begin
    for demo in demos:
        demo.kill()


async def until(condition: Callable[[], object]) -> None:
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline, f"it did not happen within {PATIENCE} seconds"
        await asyncio.sleep(0.05)


class Rep:
    """Somebody who is signed in."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._csrf = ""

    async def sign_in(self, login: str) -> Json:
        me = await self.post("/api/session", {"login": login, "password": PASSWORD})
        self._csrf = me["csrf_token"]
        return me

    async def get(self, path: str) -> Json:
        async with self._http.get(path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, body: Json) -> Json:
        async with self._http.post(path, json=body, headers={"X-CSRF-Token": self._csrf}) as answer:
            assert answer.status in (200, 201), await answer.text()
            return await answer.json()

    async def conversations(self) -> list[Json]:
        everything = await self.get("/api/conversations?view=all&limit=100")
        return [
            *everything["conversations"],
            *(await self.get("/api/conversations?view=closed&limit=100"))["conversations"],
        ]

    async def messages(self, conversation_id: int) -> list[Json]:
        return (await self.get(f"/api/conversations/{conversation_id}/messages"))["messages"]


def signed(demo: Demo) -> aiohttp.ClientSession:
    """With a jar that also keeps the cookies of bare addresses."""
    return aiohttp.ClientSession(demo.address, cookie_jar=aiohttp.CookieJar(unsafe=True))


async def control(base: str, operation: str, **arguments: object) -> Any:
    async with aiohttp.ClientSession() as http, http.post(f"{base}/_control/{operation}", json=arguments) as answer:
        assert answer.status == 200, await answer.text()
        return (await answer.json())["result"]


def processes_of(folder: Path) -> list[str]:
    """Command lines of processes that have to do with the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.slow
async def test_a_day_at_the_sample_company(folder: Path, start: Callable[[int], Demo]) -> None:
    demo = start(free_port())
    await demo.ready()
    assert demo.lines[-1].startswith(f"Open {demo.address} ")
    assert all(colleague.login in demo.lines[-1] for colleague in STAFF)
    assert PASSWORD in demo.lines[-1]

    async with signed(demo) as http:
        rep = Rep(http)
        me = await rep.sign_in("manager")
        assert me["demo"] is True
        before = await rep.conversations()
        await _look_around(rep, before)
        answered = await _answer_somebody(rep, demo, before)

    simulators = demo.simulators
    assert demo.stop() == 0, "\n".join(demo.lines)
    await until(lambda: not processes_of(folder))
    assert all(is_free(int(base.rsplit(":", 1)[1])) for base in [demo.address, *simulators])

    again = start(free_port())
    await again.ready()
    async with signed(again) as http:
        rep = Rep(http)
        await rep.sign_in("manager")
        after = await rep.conversations()
        assert {one["id"] for one in after} == {one["id"] for one in before}
        assert [one["text"] for one in await rep.messages(answered)][-2] == "您的收货地址是哪里？"
        assert len(await _answering_accounts(rep)) == 7
        assert len((await rep.get("/api/agents"))["agents"]) == len(STAFF)
        # The platforms came back with it: they still know who they are talking to.
        await control(again.simulators[0], "settle")
        await _customer_writes_again(rep, again, after)
    assert again.stop() == 0
    await until(lambda: not processes_of(folder))


async def _answering_accounts(rep: Rep) -> list[Json]:
    """Those from which one can write; employees' own accounts are seen and not served."""
    found = await rep.get("/api/accounts")
    sends = {channel["channel"] for channel in found["channels"] if channel["sends"]}
    return [account for account in found["accounts"] if account["channel"] in sends]


async def _look_around(rep: Rep, conversations: list[Json]) -> None:
    assert len(conversations) >= 40
    accounts = await _answering_accounts(rep)
    assert len(accounts) == 7
    assert len({account["channel"] for account in accounts}) == 3
    assert {one["status"] for one in conversations} == {"open", "closed"}
    assert {one["assignee_id"] is None for one in conversations} == {True, False}
    assert any(one["waiting_since"] for one in conversations)
    now = (await rep.get("/api/session"))["server_time"]
    assert any(one["window"] and one["window"]["expires_at"] < now for one in conversations)
    said = [message for one in conversations for message in await rep.messages(one["id"])]
    kinds = {message["kind"] for message in said}
    assert {"text", "image", "voice", "video", "file", "location", "link", "lead_card", "order"} <= kinds
    assert {message["state"] for message in said} >= {"received", "sent", "failed", "uncertain"}
    assert any(message["recalled_at"] for message in said)
    assert min(message["sent_at"] for message in said)[:10] < now[:10]
    assert max(message["sent_at"] for message in said) <= now


async def _answer_somebody(rep: Rep, demo: Demo, conversations: list[Json]) -> int:
    """An answer reaches the simulated customer, who answers it. Returns the conversation."""
    one = next(one for one in conversations if one["channel"] == "wecom_kf" and one["waiting_since"])
    account = await _external_id(demo, one)
    body = {"client_token": "the-first-answer", "text": "您的收货地址是哪里？"}
    first = await rep.post(f"/api/conversations/{one['id']}/messages", body)
    assert (await rep.post(f"/api/conversations/{one['id']}/messages", body))["id"] == first["id"]
    customer = one["contact"]["external_id"]
    deadline = monotonic() + PATIENCE
    while True:
        received = await control(demo.simulators[0], "received", open_kfid=account, external_userid=customer)
        asked = [message for message in received if message["body"].get("content") == body["text"]]
        last = (await rep.messages(one["id"]))[-1]
        if asked and last["direction"] == "in" and last["seq"] > first["seq"]:
            break
        assert monotonic() < deadline
        await asyncio.sleep(0.05)
    assert len(asked) == 1
    return int(one["id"])


async def _customer_writes_again(rep: Rep, demo: Demo, conversations: list[Json]) -> None:
    one = next(one for one in conversations if one["channel"] == "wecom_kf")
    account = await _external_id(demo, one)
    customer = one["contact"]["external_id"]
    await control(demo.simulators[0], "customer_says", open_kfid=account, external_userid=customer, text="还在吗？")
    deadline = monotonic() + PATIENCE
    while (await rep.messages(one["id"]))[-1]["text"] != "还在吗？":
        assert monotonic() < deadline
        await asyncio.sleep(0.05)


async def _external_id(demo: Demo, conversation: Json) -> str:
    """The platform's id of the account that a conversation belongs to."""
    async with signed(demo) as http:
        rep = Rep(http)
        await rep.sign_in("admin")
        accounts = (await rep.get("/api/accounts"))["accounts"]
        name = next(account["name"] for account in accounts if account["id"] == conversation["account_id"])
    (corp,) = await control(demo.simulators[0], "corps")
    return next(open_kfid for open_kfid, called in corp["kf_accounts"].items() if called == name)


async def test_a_port_that_is_taken_is_told_in_a_sentence(start: Callable[[int], Demo]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        demo = start(other.getsockname()[1])
        code = await asyncio.to_thread(demo.ended)

    assert code == 2
    assert f"Port {demo.port} is taken." in "\n".join(demo.lines)
    assert "Traceback" not in "\n".join(demo.lines)
    assert not processes_of(demo.folder)
