"""People who answer customers, over the HTTP API with an API token: as a page does, a request whose outcome is unknown is
repeated with the same ``client_token`` until the service says what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.chaos.site import Site

UNKNOWN = (aiohttp.ClientError, OSError, TimeoutError)


@dataclass
class Replies:
    """What reps have said, by client token. ``accepted``: the service took it (201, or 200 for a known token)."""

    accepted: dict[str, tuple[str, str]] = field(default_factory=dict)
    """token -> (text, the customer's id at the platform)"""
    refused: dict[str, str] = field(default_factory=dict)
    """token -> the code of the refusal, such as ``window_used_up``"""
    repeated: int = 0
    """Requests that had to be repeated."""
    twice: list[str] = field(default_factory=list)
    """Tokens that were answered 201 more than once, which must not happen."""
    answers: Counter[str] = field(default_factory=Counter)


class Rep:
    """Answers a random conversation of the newest ones, now and then two messages at once."""

    def __init__(self, site: Site, token: str, replies: Replies, *, seed: int, pause: float = 0.1) -> None:
        self._site = site
        self._headers = {"Authorization": f"Bearer {token}"}
        self._replies = replies
        self._random = random.Random(seed)
        self._pause = pause
        self.enough = asyncio.Event()

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=8)
        async with aiohttp.ClientSession(self._site.address, headers=self._headers, timeout=timeout) as http:
            while not self.enough.is_set():
                with contextlib.suppress(*UNKNOWN):
                    for conversation in await self._some(http):
                        await self._answer(http, conversation)
                await asyncio.sleep(self._pause)

    async def _some(self, http: aiohttp.ClientSession) -> list[dict[str, Any]]:
        async with http.get("/api/conversations", params={"view": "all", "limit": "60"}) as response:
            if response.status != 200:
                return []
            found: list[dict[str, Any]] = (await response.json())["conversations"]
        return self._random.sample(found, min(5, len(found)))

    async def _answer(self, http: aiohttp.ClientSession, conversation: dict[str, Any]) -> None:
        who = conversation["contact"]["external_id"]
        sayings = [self._say(http, conversation["id"], who) for _ in range(self._random.choice((1, 1, 2)))]
        await asyncio.gather(*sayings)

    async def _say(self, http: aiohttp.ClientSession, conversation_id: int, who: str) -> None:
        token = secrets.token_hex(12)
        text = f"答复 {token}"
        path = f"/api/conversations/{conversation_id}/messages"
        body = {"client_token": token, "kind": "text", "text": text}
        made = 0
        while True:
            # A second click: the same request while the first is under way.
            copies = 2 if self._random.random() < 0.1 else 1
            outcomes = await asyncio.gather(*[self._request(http, path, body) for _ in range(copies)])
            made += sum(status == 201 for status, _ in outcomes)
            known = [(status, code) for status, code in outcomes if status is not None and status < 500]
            if known:
                break
            self._replies.repeated += 1
            await asyncio.sleep(0.3)
        if made > 1:
            self._replies.twice.append(token)
        taken = [status for status, _ in known if status in (200, 201)]
        if taken:
            self._replies.accepted[token] = (text, who)
        else:
            self._replies.refused[token] = known[0][1]

    async def _request(self, http: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> tuple[int | None, str]:
        """The status and the code of a refusal; None when nobody answered."""
        try:
            async with http.post(path, json=body) as response:
                said = await response.json()
                status = response.status
        except UNKNOWN as error:
            self._replies.answers[type(error).__name__] += 1
            return None, ""
        self._replies.answers[str(status)] += 1
        return status, str(said.get("error", ""))
