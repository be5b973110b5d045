"""Faults of the API: what the caller sees, and whether the call was performed."""

from __future__ import annotations

import aiohttp
import pytest

from simulator.faults import Fault

from .conftest import Json, Shop

SEND = "/cgi-bin/kf/send_msg"


@pytest.fixture
async def talking(shop: Shop) -> Shop:
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    return shop


async def impatient_send(shop: Shop, msgid: str = "m1") -> Json:
    """One attempt with a short patience, on a connection of its own, since clients repeat on a stale one."""
    message = {
        "touser": shop.customer,
        "open_kfid": shop.kf,
        "msgid": msgid,
        "msgtype": "text",
        "text": {"content": "在"},
    }
    timeout = aiohttp.ClientTimeout(total=0.3)
    params = {"access_token": await shop.token()}
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.post(f"{shop.base}/kf/send_msg", params=params, json=message) as response,
    ):
        return dict(await response.json(content_type=None))


@pytest.mark.parametrize(("kind", "performed"), [("hang", False), ("hang_after", True)])
async def test_no_answer(talking: Shop, kind: str, performed: bool) -> None:
    talking.play.add_fault(kind, SEND)  # type: ignore[arg-type]
    with pytest.raises(TimeoutError):
        await impatient_send(talking)
    assert talking.seen() == (["在"] if performed else [])
    assert (await impatient_send(talking))["errcode"] == 0
    assert talking.seen() == ["在"]


@pytest.mark.parametrize(("kind", "performed"), [("drop", False), ("drop_after", True)])
async def test_a_cut_connection(talking: Shop, kind: str, performed: bool) -> None:
    fault = talking.play.add_fault(kind, SEND)  # type: ignore[arg-type]
    with pytest.raises(aiohttp.ClientConnectionError):
        await impatient_send(talking)
    assert fault.hits == 1
    assert talking.seen() == (["在"] if performed else [])


async def test_throttle_for_three_calls(talking: Shop) -> None:
    talking.play.add_fault("refuse", SEND, code=45009, times=3)
    assert [(await impatient_send(talking))["errcode"] for _ in range(4)] == [45009, 45009, 45009, 0]


@pytest.mark.parametrize("code", [42001, 45033, -1])
async def test_other_refusals(talking: Shop, code: int) -> None:
    talking.play.add_fault("refuse", "/cgi-bin/kf/*", code=code)
    answer = await impatient_send(talking)
    assert (answer["errcode"], "hint: [" in answer["errmsg"]) == (code, True)
    assert talking.seen() == []


async def test_http_errors_and_broken_bodies(talking: Shop) -> None:
    talking.play.add_fault("status", SEND, code=502)
    talking.play.add_fault("broken", SEND)
    with pytest.raises(ValueError):
        await impatient_send(talking)
    assert talking.seen() == []
    with pytest.raises(ValueError):
        await impatient_send(talking)
    assert talking.seen() == ["在"]


async def test_delay(talking: Shop) -> None:
    talking.play.add_fault("delay", SEND, seconds=0.05)
    assert (await impatient_send(talking))["errcode"] == 0


async def test_skip_lets_the_first_calls_pass(talking: Shop) -> None:
    talking.play.add_fault("refuse", SEND, code=45009, skip=1)
    assert [(await impatient_send(talking, f"m{n}"))["errcode"] for n in range(3)] == [0, 45009, 0]


async def test_until_cleared_and_only_on_its_path(talking: Shop) -> None:
    talking.play.add_fault("refuse", SEND, code=-1, times=None)
    assert [(await impatient_send(talking))["errcode"] for _ in range(3)] == [-1] * 3
    assert (await talking.sync())["errcode"] == 0
    assert [fault.hits for fault in talking.play.list_faults()] == [3]
    talking.play.clear_faults()
    assert (await impatient_send(talking))["errcode"] == 0


async def test_the_control_interface_has_no_faults(talking: Shop) -> None:
    talking.play.add_fault("drop", times=None)
    async with talking.http.post(f"{talking.simulator.base_url}/_control/clear_faults", json={}) as response:
        assert response.status == 200
    assert talking.play.list_faults() == []


def test_unknown_faults_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        Fault("earthquake")  # type: ignore[arg-type]
