"""Materials: kept once, found, moved, deleted and back; sent from the library; sizes read from the file."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from scrm.picture_size import picture_size
from tests.http.site import Browser, Site
from tests.http.test_answering import open_chat
from tests.http.test_uploads import form
from tests.pictures import png


async def uploaded(browser: Browser, data: bytes, name: str) -> dict[str, Any]:
    status, body = await browser.call("POST", "/api/library/uploads", data=form(data, name, "image/png"))
    assert status == 201, body
    view: dict[str, Any] = body
    return view


async def add(browser: Browser, title: str, data: bytes, **more: Any) -> dict[str, Any]:
    file = await uploaded(browser, data, f"{title}.png")
    body = {"place": {"reach": "company"}, "kind": "image", "title": title, "attachment_id": file["id"], **more}
    status, answer = await browser.call("POST", "/api/materials", json=body)
    assert status in (200, 201), answer
    made: dict[str, Any] = answer
    return made


async def undo(browser: Browser, method: str, path: str, body: Any = None) -> str:
    """Does it, and returns the step that takes it back."""
    async with browser.http.request(
        method, browser.base + path, json=body, headers={"X-CSRF-Token": browser.csrf}
    ) as answer:
        assert answer.status == 204, await answer.text()
        return answer.headers["X-Undo-Step"].split(";")[0]


async def test_the_same_file_is_kept_once_in_a_place(site: Site) -> None:
    marketer = await site.signed_in("marketer")
    first = await add(marketer, "沙发图", png(30, 20))
    again = await add(marketer, "沙发图 2", png(30, 20))
    assert (first["known"], again["known"], again["material"]["id"]) == (False, True, first["material"]["id"])
    assert (first["material"]["file"]["width"], first["material"]["file"]["height"]) == (30, 20)
    own = await add(marketer, "自己的", png(30, 20), place={"reach": "personal"})
    assert not own["known"]
    for query in ("沙发", "shafa", "sft"):
        found = (await marketer.get("/api/materials", q=query, reach="company"))["materials"]
        assert [one["title"] for one in found] == ["沙发图"], query


async def test_folders_moves_deletion_and_back(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    place = {"reach": "company"}
    top = await manager.post("/api/material-folders", {"place": place, "name": "产品"}, status=201)
    sub = await manager.post(
        "/api/material-folders", {"place": place, "parent_id": top["id"], "name": "沙发"}, status=201
    )
    assert (await manager.call("POST", "/api/material-folders", json={"place": place, "name": "产品"}))[0] == 409
    inside = {"move": True, "parent_id": sub["id"]}
    assert (await manager.call("PATCH", f"/api/material-folders/{top['id']}", json=inside))[0] == 422
    made = (await add(manager, "图一", png(3, 3)))["material"]
    step = await undo(manager, "POST", "/api/materials/move", {"ids": [made["id"]], "folder_id": sub["id"]})
    in_sub = await manager.get("/api/materials", folder_id=sub["id"])
    assert [one["id"] for one in in_sub["materials"]] == [made["id"]]
    await manager.post(f"/api/undo/{step}")
    assert (await manager.get("/api/materials", top=1))["total"] == 1
    await undo(manager, "POST", "/api/materials/move", {"ids": [made["id"]], "folder_id": sub["id"]})
    step = await undo(manager, "DELETE", f"/api/material-folders/{top['id']}")
    assert (await rep.get("/api/materials"))["materials"] == []
    assert (await rep.get("/api/material-folders"))["folders"] == []
    await manager.post(f"/api/undo/{step}")
    assert [one["name"] for one in (await rep.get("/api/material-folders"))["folders"]] == ["产品", "沙发"]
    assert [one["folder_id"] for one in (await rep.get("/api/materials"))["materials"]] == [sub["id"]]
    # Reps use what the company keeps, and change nothing of it.
    for path, body in (
        ("/api/materials/delete", {"ids": [made["id"]]}), ("/api/materials/move", {"ids": [made["id"]], "folder_id": None}),
    ):  # fmt: skip
        assert (await rep.call("POST", path, json=body))[0] == 403


async def test_sent_from_the_library_as_often_as_one_likes(site: Site) -> None:
    manager = await site.signed_in("manager")
    conversation = await open_chat(site)
    cover = await uploaded(manager, png(8, 8), "封面.png")
    card = {"title": "到店导航", "url": "https://example.com/store", "description": "地铁口 3 分钟"}
    link = await manager.post(
        "/api/materials",
        {"place": {"reach": "company"}, "kind": "link", "title": "导航", "content": card, "attachment_id": cover["id"]},
        status=201,
    )
    picture = (await add(manager, "图", png(9, 4)))["material"]
    for n in range(2):
        body = {
            "client_token": f"material-{n}", "parts": [
                {"kind": "image", "material_id": picture["id"]}, {"kind": "link", "material_id": link["material"]["id"]},
            ],
        }  # fmt: skip
        answer = await manager.post(f"/api/conversations/{conversation}/answers", body, status=201)
        image, sent = answer["messages"]
        assert (image["attachments"][0]["width"], image["attachments"][0]["height"]) == (9, 4)
        assert (sent["kind"], sent["content"]["url"], len(sent["attachments"])) == ("link", card["url"], 1)
    found = {one["title"]: one["uses"] for one in (await manager.get("/api/materials"))["materials"]}
    assert found == {"图": 2, "导航": 2}
    for wrong in ({"title": "x", "url": "javascript:alert(1)"}, {"title": "x"}, {"url": "https://a.b"}):
        body = {"place": {"reach": "company"}, "kind": "link", "title": "坏", "content": wrong}
        assert (await manager.call("POST", "/api/materials", json=body))[0] == 422


JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffc0001108") + struct.pack(">HH", 120, 200) + b"\x03" * 30
EXIF = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + b"\x00" * 4
TURNED = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(EXIF) + 2) + EXIF + JPEG[20:]


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(7, 5), (7, 5)),
        (b"GIF89a" + struct.pack("<HH", 300, 20), (300, 20)),
        (JPEG, (200, 120)),
        (TURNED, (120, 200)),
        (b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x63\0\0\x31\0\0", (100, 50)),
        (b"BM" + b"\0" * 16 + struct.pack("<ii", 64, -48), (64, 48)),
        (b"\x89PNG\r\n\x1a\n", (0, 0)),
        (b"\xff\xd8\xff", (0, 0)),
        (b"no picture", (0, 0)),
        (b"", (0, 0)),
    ],
    ids=["png", "gif", "jpeg", "turned", "webp", "bmp", "cut png", "cut jpeg", "text", "empty"],
)
def test_sizes_are_read_from_the_head(data: bytes, size: tuple[int, int]) -> None:
    assert picture_size(data) == size
