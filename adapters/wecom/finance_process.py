"""The service's side of the process that holds the native archive library: started when it is needed, started again when it died."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass, field
from typing import Any

import orjson

from adapters.wecom.finance_frames import LENGTHS, framed, lengths
from scrm.channel import Sentence
from scrm.channel_archive import ArchiveUnready
from scrm.errors import Rejected, RetryLater

ANSWER_SECONDS = 40
"""How long the library may take for a call; it is told to give up before."""
CALL_SECONDS = 20

MISSING = Sentence(
    "还没有放入会话内容存档的组件库。请从企业微信官网下载 Linux 版 SDK，把 libWeWorkFinanceSdk_C.so 的路径写入配置 archive.library。",
    "The library of the chat archive is not there. Download the vendor's Linux SDK and write the path of "
    "libWeWorkFinanceSdk_C.so to archive.library in the configuration.",
)
NOT_LOADED = Sentence(
    "会话内容存档的组件库无法加载：文件可能属于另一种系统或处理器，或缺少 OpenSSL 3。",
    "The library of the chat archive cannot be loaded: it may be for another system or processor, or OpenSSL 3 is missing.",
)
OTHER_LIBRARY = Sentence(
    "配置 archive.library 指向的文件不是会话内容存档的组件库。",
    "The file in archive.library is not the library of the chat archive.",
)
BAD_SECRET = Sentence(
    "企业微信不接受会话内容存档的 Secret，请在连接设置中检查。",
    "WeCom does not accept the secret of the chat archive; check it in the connection's settings.",
)
NOT_TRUSTED = Sentence(
    "本服务器的 IP 不在会话内容存档的可信 IP 中。",
    "This server's address is not among the trusted addresses of the chat archive.",
)
EXPIRED = Sentence(
    "文件已超过平台保留的 5 天，无法再取回。", "The file is older than the five days for which the platform keeps it."
)
FAILED = Sentence("会话内容存档调用失败。", "A call of the chat archive failed.")
BAD_FILE = Sentence("企业微信不认识这个文件。", "WeCom does not know this file.")
BY_CODE = {
    10000: ("bad_parameter", BAD_SECRET),
    10005: ("bad_file", BAD_FILE),
    10009: ("not_trusted", NOT_TRUSTED),
    10010: ("expired", EXPIRED),
}
PASSING = frozenset({10001, 10002, 10003, 10008, 10011})
"""Network, reading, the platform's own trouble: tried again."""


class Died(Exception):
    """The process ended in the middle of a call."""


@dataclass(frozen=True, slots=True)
class Access:
    library: str
    corp_id: str
    secret: str = field(repr=False)
    base_url: str = ""
    proxy: str = ""
    proxy_password: str = field(default="", repr=False)


class FinanceProcess:
    """One process, one call at a time. Start-up and restarts are hidden; :class:`Died` is not, since only the caller knows what it
    asked for."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._process: asyncio.subprocess.Process | None = None
        self._one_at_a_time = asyncio.Lock()
        self.deaths = 0

    async def call(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Raises :class:`Died`, :class:`~scrm.channel_archive.ArchiveUnready`, ``RetryLater``, ``Rejected``."""
        async with self._one_at_a_time:
            process = await self._started()
            head, body = await self._ask(process, request)
        _raise_for(head)
        return head, body

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await _ended(process)

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        access = self._access
        if not access.library or not os.path.isfile(access.library):  # noqa: ASYNC240 - a local file, before a process starts
            raise ArchiveUnready("no_library", MISSING)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "adapters.wecom.finance_child",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=_environment(access.base_url), start_new_session=True,
        )  # fmt: skip
        self._process = process
        start = {
            "act": "start", "library": access.library, "corp_id": access.corp_id, "secret": access.secret,
            "proxy": access.proxy, "proxy_password": access.proxy_password,
        }  # fmt: skip
        try:
            head, _ = await self._ask(process, start)
            _raise_for(head)
        except BaseException:
            await self.close()
            raise
        return process

    async def _ask(self, process: asyncio.subprocess.Process, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                process.stdin.write(framed(request))
                await process.stdin.drain()
                head, body = lengths(await process.stdout.readexactly(LENGTHS.size))
                answer: dict[str, Any] = orjson.loads(await process.stdout.readexactly(head))
                return answer, await process.stdout.readexactly(body)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.deaths += 1
            await self.close()
            raise Died from error
        except BaseException:
            # An answer that nobody waits for any more must not be taken for the next one.
            await self.close()
            raise


def _environment(base_url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCRM_")}
    return {**kept, "WEWORK_FINANCE_BASE": base_url, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


async def _ended(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _raise_for(head: dict[str, Any]) -> None:
    error = head.get("error")
    if error is None:
        return
    detail = str(head.get("detail", ""))
    if error == "not_loaded":
        raise ArchiveUnready("not_loaded", Sentence(f"{NOT_LOADED.zh}（{detail}）", f"{NOT_LOADED.en} ({detail})"))
    if error == "other_library":
        raise ArchiveUnready("other_library", OTHER_LIBRARY)
    code = int(head.get("code", 0))
    if code in PASSING:
        raise RetryLater(str(code), FAILED)
    name, sentence = BY_CODE.get(code, (str(code), FAILED))
    raise Rejected(name, sentence)
