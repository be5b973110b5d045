from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from scrm.clock import ShiftedClock
from simulator.wechat_oa import OfficialAccountSimulator

APP_ID, SECRET, ACCOUNT = "wxsim", "secret", "gh_sim"
DEER, HAO = "oDEER", "oHAO"


class Caller:
    """A developer's program: calls with a token of its own."""

    def __init__(self, simulator: OfficialAccountSimulator, http: aiohttp.ClientSession) -> None:
        self.simulator = simulator
        self.control = simulator.control
        self.http = http

    async def token(self, **more: Any) -> dict[str, Any]:
        body = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET, **more}
        return await self.raw("POST", "stable_token", body)

    async def post(self, path: str, body: Any) -> dict[str, Any]:
        return await self.raw("POST", path, body, access_token=(await self.token())["access_token"])

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        return await self.raw("GET", path, None, access_token=(await self.token())["access_token"], **query)

    async def raw(self, method: str, path: str, body: Any, **query: str) -> dict[str, Any]:
        url = f"{self.simulator.base_url}/cgi-bin/{path}"
        async with self.http.request(method, url, params=query, json=body) as response:
            assert response.status == 200
            return dict(await response.json(content_type=None))

    async def say(self, text: str, openid: str = DEER) -> int:
        body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        return int((await self.post("message/custom/send", body))["errcode"])

    async def upload(self, kind: str, content: bytes, name: str = "a") -> dict[str, Any]:
        token = (await self.token())["access_token"]
        form = aiohttp.FormData()
        form.add_field("media", content, filename=name)
        url = f"{self.simulator.base_url}/cgi-bin/media/upload"
        async with self.http.post(url, params={"access_token": token, "type": kind}, data=form) as response:
            return dict(await response.json(content_type=None))

    async def spread(self, *openids: str, text: str = "新品", **more: Any) -> dict[str, Any]:
        body = {"touser": list(openids), "msgtype": "text", "text": {"content": text}, **more}
        return await self.post("message/mass/send", body)


@pytest.fixture
async def oa() -> AsyncIterator[Caller]:
    noon = ShiftedClock(datetime(2026, 12, 10, 4, 0, tzinfo=UTC) - datetime.now(UTC))  # no day or month ends soon
    async with OfficialAccountSimulator(clock=noon) as simulator, aiohttp.ClientSession() as http:
        simulator.control.add_account(APP_ID, SECRET, ACCOUNT)
        for openid in (DEER, HAO):
            simulator.control.add_person(APP_ID, openid, followed_days_ago=10)
        yield Caller(simulator, http)
