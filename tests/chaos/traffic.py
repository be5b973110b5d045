"""Customers who write, and platforms that post. Everything is noted: what was said, and what the service answered.

Three ways in:

- *pushed*: the simulated Douyin posts it and repeats it, as it would; its log tells which posts were answered 200
- *posted*: this driver posts the same signed bytes itself, repeats, doubles at the same instant, and notes each answer
- *pulled*: a KF customer writes; the callback only rings, the service pulls. Every one of these has to arrive
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from dataclasses import dataclass, field

import aiohttp

from simulator.douyin.pushes import Written
from tests.chaos.site import Site
from tests.company import CLIENT_KEY, CORP

TRIES = 3
PAUSES = (1.0, 5.0)
"""Before the second and the third attempt; the real pauses are not published."""
TIMEOUT = aiohttp.ClientTimeout(total=5)
"""The platforms' deadline."""


@dataclass
class Mix:
    """Of a hundred webhooks, how many are ...; the rest is posted by the driver."""

    pushed: int = 45
    pulled: int = 15
    doubled: int = 10
    """Of the posted ones: sent as three requests at the same instant."""
    repeated: int = 10
    """Of the posted ones: sent again although they were answered 200."""


@dataclass
class Noted:
    """What happened, by the platform's message id."""

    posted: dict[str, bool] = field(default_factory=dict)
    """Posted by the driver; whether a post was answered 200."""
    pushed: dict[str, int] = field(default_factory=dict)
    """Pushed by the simulator; its number in the delivery log."""
    pulled: dict[str, str] = field(default_factory=dict)
    """Written to KF; the customer."""
    requests: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    """Answers to the driver's posts: a status, or what went wrong instead of one."""


class Traffic:
    """``per_second`` webhooks, evenly, until ``total`` were accepted and somebody sets ``enough``."""

    def __init__(
        self, site: Site, *, total: int, per_second: float, people: int, seed: int, mix: Mix | None = None
    ) -> None:
        self._site = site
        self._total = total
        self._per_second = per_second
        self._mix = mix or Mix()
        self._random = random.Random(seed)
        self._numbers = itertools.count(1)
        self.sent = 0
        self._accepted = 0
        self.noted = Noted()
        self.enough = asyncio.Event()
        self.shoppers = [site.douyin.control.add_customer(name=f"买家{n}").open_id for n in range(people)]
        self.customers = [site.wecom.control.create_customer(CORP, f"客户{n}") for n in range(people // 2)]
        self._posts: set[asyncio.Task[None]] = set()

    def accepted(self) -> int:
        """Webhooks answered 200, the callbacks of the platforms among them."""
        return self._accepted + self._site.douyin.deliveries.delivered + self._site.wecom.deliveries.delivered

    @property
    def done(self) -> bool:
        return self.accepted() >= self._total

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        connector = aiohttp.TCPConnector(limit=64)
        async with aiohttp.ClientSession(timeout=TIMEOUT, connector=connector) as http:
            began = loop.time()
            while not (self.done and self.enough.is_set()):
                due = int((loop.time() - began) * self._per_second) - self.sent
                for _ in range(max(due, 0)):
                    self._one(http)
                await asyncio.sleep(0.01)
            while self._posts:
                await asyncio.gather(*self._posts)

    def _one(self, http: aiohttp.ClientSession) -> None:
        self.sent += 1
        number = next(self._numbers)
        chance = self._random.randrange(100)
        if chance < self._mix.pulled:
            self._pull(number)
        elif chance < self._mix.pulled + self._mix.pushed:
            self._push(number)
        else:
            written, message_id = self._written(number)
            self.noted.posted[message_id] = False
            task = asyncio.create_task(self._post(http, written, message_id, self._random.randrange(100)))
            self._posts.add(task)
            task.add_done_callback(self._posts.discard)

    def _pull(self, number: int) -> None:
        who = self._random.choice(self.customers)
        msgid = self._site.wecom.control.customer_says(self._site.kf, who, f"微信客服 第{number}句")
        self.noted.pulled[msgid] = who

    def _push(self, number: int) -> None:
        douyin = self._site.douyin
        message = douyin.control.write(self._random.choice(self.shoppers), self._site.shop, f"抖音 第{number}句")
        self.noted.pushed[message.message_id] = douyin.deliveries.pushes

    def _written(self, number: int) -> tuple[Written, str]:
        """The bytes that the platform would post; it knows of the message, so that it can be answered."""
        platform, app = self._site.douyin.platform, self._site.douyin.world.apps[CLIENT_KEY]
        who, shop = self._random.choice(self.shoppers), self._site.shop
        conversation = platform.world.conversation_of(shop, who)
        made = platform.new_message(who, shop, "text", {"text": f"抖音 第{number}句"}, conversation_id=conversation)
        message, event = platform.customer_wrote(shop, who, made)
        return platform.pushes.write(app, event), message.message_id

    async def _post(self, http: aiohttp.ClientSession, written: Written, message_id: str, chance: int) -> None:
        copies = 3 if chance < self._mix.doubled else 1
        for attempt in range(TRIES):
            accepted = await asyncio.gather(*[self._request(http, written) for _ in range(copies)])
            if any(accepted):
                self.noted.posted[message_id] = True
                self._accepted += 1
                break
            if attempt < TRIES - 1:
                await asyncio.sleep(PAUSES[attempt])
        if self.noted.posted[message_id] and chance >= 100 - self._mix.repeated:
            await asyncio.sleep(PAUSES[0])
            await self._request(http, written)

    async def _request(self, http: aiohttp.ClientSession, written: Written) -> bool:
        self.noted.requests += 1
        url = self._site.address + self._site.douyin_hook
        try:
            async with http.post(url, data=written.body, headers=written.headers) as response:
                await response.read()
                answer = str(response.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            answer = type(error).__name__
        self.noted.answers[answer] += 1
        return answer == "200"


def acknowledged(site: Site, noted: Noted) -> set[str]:
    """Douyin message ids that the service has promised to keep."""
    answered = {attempt.push for attempt in site.douyin.deliveries.log if attempt.status == 200}
    by_push = {message_id for message_id, push in noted.pushed.items() if push in answered}
    return by_push | {message_id for message_id, accepted in noted.posted.items() if accepted}
