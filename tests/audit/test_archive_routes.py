"""What those who look after the connections see of an archive."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from audit.archive.alarm import ArchiveAlarms
from scrm.config import Settings
from simulator.wecom.server import WecomSimulator
from tests.adapters.wecom.archives import key_pair
from tests.audit.places import Archive, archive
from tests.http.site import Site, running


@pytest.fixture
async def here(settings: Settings) -> AsyncIterator[tuple[Archive, Site]]:
    async with WecomSimulator() as simulator, archive(settings, simulator) as made, running(made.services) as site:
        yield made, site


async def test_from_sealed_records_to_a_key_and_what_it_opened(here: tuple[Archive, Site]) -> None:
    place, site = here
    admin = await site.signed_in("admin")
    version = place.uploads_key()
    place.says("在吗")
    place.says("", msgtype="solitaire", solitaire={"title": "接龙"})
    await place.read()
    (told,) = (await admin.get("/api/archives"))["archives"]
    assert told["counts"] == {"pulled": 2, "opened": 0, "sealed": 0, "failed": 2}
    assert [(one["reason"], one["key_version"], one["n"]) for one in told["waiting"]] == [("no_key", version, 2)]
    assert [one["code"] for one in told["alarms"]] == ["no_key"]
    path = f"/api/archives/{place.connection_id}"
    status, answer = await admin.call("POST", f"{path}/keys", json={"version": version, "private_key": "x"})
    assert (status, answer["error"], list(answer["fields"])) == (422, "invalid", ["private_key"])
    pem = key_pair(1)[0].decode()
    told = await admin.post(f"{path}/keys", {"version": version, "private_key": pem})
    assert [one["version"] for one in told["keys"]] == [version]
    assert pem not in str(told)
    await place.open()
    (told,) = (await admin.get("/api/archives"))["archives"]
    assert told["counts"] == {"pulled": 2, "opened": 2, "sealed": 0, "failed": 0}
    assert (told["unknown"], told["alarms"], told["trouble"]) == ([{"kind": "solitaire", "n": 1}], [], None)
    page = await admin.get(f"{path}/records", limit=1)
    assert [one["kind"] for one in page["records"]] == ["solitaire"]
    page = await admin.get(f"{path}/records", limit=1, cursor=page["next_cursor"])
    assert [one["kind"] for one in page["records"]] == ["text"]
    assert page["next_cursor"] is None
    assert "在吗" not in str(page)


async def test_what_could_not_be_opened_is_tried_again_on_request(here: tuple[Archive, Site]) -> None:
    place, site = here
    admin = await site.signed_in("admin")
    place.uploads_key()
    await place.knows_key()
    place.says("在吗", crash=True)
    await place.read()
    await place.services.db.execute("update archive_record set state = 'failed'")
    path = f"/api/archives/{place.connection_id}"
    assert (await admin.get(f"{path}/records", state="failed"))["records"][0]["reason"] == "crash"
    assert (await admin.post(f"{path}/open", {}))["count"] == 1
    assert await place.states() == [("sealed", "crash")]


async def test_an_archive_that_is_not_set_up_or_not_read_says_so(here: tuple[Archive, Site]) -> None:
    place, site = here
    admin = await site.signed_in("admin")
    place.simulator.control.crash_archive_library(1)
    place.uploads_key()
    await place.pull()
    (told,) = (await admin.get("/api/archives"))["archives"]
    assert told["trouble"]["reason"]["code"] == "crash"
    await place.services.db.execute("update archive set caught_up_at = now() - interval '2 days'")
    (told,) = (await admin.get("/api/archives"))["archives"]
    assert [one["code"] for one in told["alarms"]] == ["not_read"]


async def test_others_may_not(here: tuple[Archive, Site]) -> None:
    place, site = here
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    path = f"/api/archives/{place.connection_id}"
    assert (await rep.call("GET", "/api/archives"))[0] == 403
    assert (await manager.call("GET", "/api/archives"))[0] == 200
    body = {"version": 1, "private_key": key_pair(1)[0].decode()}
    assert (await manager.call("POST", f"{path}/keys", json=body))[0] == 403
    admin = await site.signed_in("admin")
    assert (await admin.call("POST", "/api/archives/999999/keys", json=body))[0] == 404


async def test_a_connection_is_not_deleted_with_what_it_archived(here: tuple[Archive, Site]) -> None:
    """Sealed or not: what nobody has opened yet is evidence too."""
    place, site = here
    admin = await site.signed_in("admin")
    place.uploads_key()
    place.says("在吗")
    await place.pull()
    status, answer = await admin.call(
        "POST", f"/api/connections/{place.connection_id}/delete", json={"name": "企业微信"}
    )
    assert (status, answer["error"]) == (409, "connection_in_use")
    assert len(await place.states()) == 1


async def test_what_would_be_lost_raises_one_alert_a_day(here: tuple[Archive, Site]) -> None:
    place, site = here
    admin = await site.signed_in("admin")
    version = place.uploads_key()
    place.says("在吗")
    await place.read()
    for _ in range(2):
        await ArchiveAlarms(place.services).round()
    (alert,) = (await admin.get("/api/audit/alerts"))["alerts"]
    assert (alert["kind"], alert["severity"], alert["state"]) == ("archive.no_key", "high", "new")
    assert str(version) in alert["title"]["zh-CN"]
    await place.knows_key(version)
    await place.open()
    # Mended: the next day tells of nothing new.
    await place.services.db.execute("update alert set fingerprint = fingerprint || 'yesterday'")
    await ArchiveAlarms(place.services).round()
    assert len((await admin.get("/api/audit/alerts"))["alerts"]) == 1
