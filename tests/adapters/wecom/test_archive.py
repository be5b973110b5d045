"""The chat archive through the native interface: a compiled library in a process of its own, real RSA, the simulator behind it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from adapters.wecom.archive import ChatArchive
from scrm.channel_archive import Archives, ArchiveUnready, MediaPart
from scrm.errors import Rejected, RetryLater
from tests.adapters.wecom.archives import CORP, Place, access, key_pair, place


@pytest.fixture
async def here() -> AsyncIterator[Place]:
    async with place() as made:
        yield made


def test_it_keeps_the_contract() -> None:
    assert isinstance(ChatArchive(access("")), Archives)


async def test_records_come_in_order_page_by_page_and_open(here: Place) -> None:
    here.add_key()
    seqs = [here.says(f"第{n}句") for n in range(7)]
    first = await here.archive.archived_after(0, 5)
    second = await here.archive.archived_after(first[-1].seq, 5)
    assert [one.seq for one in [*first, *second]] == seqs
    assert await here.archive.archived_after(seqs[-1], 5) == []
    opened = await here.archive.open_envelopes([*first, *second], here.keys)
    texts = [here.archive.understand(one.record or b"").text for one in opened]
    assert texts == [f"第{n}句" for n in range(7)]


async def test_a_page_too_large_is_asked_for_in_smaller_ones(here: Place) -> None:
    here.add_key()
    here.simulator.settings.archive_largest_page = 100
    seqs = [here.says("x") for _ in range(3)]
    assert [one.seq for one in await here.archive.archived_after(0, 1000)] == seqs


async def test_a_key_that_is_not_known_and_one_that_fits_not(here: Place) -> None:
    here.add_key(1, known=False)
    here.says("早先的话")
    here.add_key(2)
    here.says("后来的话")
    envelopes = await here.archive.archived_after(0, 10)
    old, new = await here.archive.open_envelopes(envelopes, here.keys)
    assert (old.record, old.code) == (None, "no_key")
    assert new.record is not None
    wrong, _ = await here.archive.open_envelopes(envelopes, {**here.keys, 1: key_pair(2)[0]})
    assert (wrong.record, wrong.code) == (None, "wrong_key")
    damaged = replace(envelopes[1], sealed_key="*")
    assert (await here.archive.open_envelopes([damaged], here.keys))[0].code == "broken"
    right, _ = await here.archive.open_envelopes(envelopes, {**here.keys, 1: key_pair(1)[0]})
    assert orjson.loads(right.record or b"")["text"]["content"] == "早先的话"


async def test_a_record_that_kills_the_library_is_found_and_the_others_open(here: Place) -> None:
    here.add_key()
    for n in range(9):
        here.simulator.control.archive_says(
            CORP, {"from": "a", "tolist": ["b"], "msgtype": "text", "text": {"content": str(n)}}, crash=n in (2, 7)
        )
    envelopes = await here.archive.archived_after(0, 20)
    opened = await here.archive.open_envelopes(envelopes, here.keys)
    assert [one.code for one in opened] == ["", "", "crash", "", "", "", "", "crash", ""]
    assert here.archive.deaths >= 2


async def test_the_library_crashes_in_a_call_and_the_next_one_goes_on(here: Place) -> None:
    here.add_key()
    seq = here.says("在")
    here.simulator.control.crash_archive_library(2)
    for _ in range(2):
        with pytest.raises(RetryLater):
            await here.archive.archived_after(0, 10)
    assert [one.seq for one in await here.archive.archived_after(0, 10)] == [seq]
    assert here.archive.deaths == 2


async def whole(archive: ChatArchive, file_id: str) -> list[MediaPart]:
    parts = [await archive.archived_media({"archive": {"file": file_id}}, "")]
    while not parts[-1].last:
        parts.append(await archive.archived_media({"archive": {"file": file_id}}, parts[-1].index))
    return parts


@pytest.mark.parametrize("size", [0, 1, 512 * 1024, 512 * 1024 + 1, 1_300_000])
async def test_media_come_whole_whatever_bytes_they_hold(here: Place, size: int) -> None:
    content = b"\x00\x01" + os.urandom(max(size - 4, 0)) + b"\x00\x00"
    content = content[:size]
    file = here.simulator.control.archive_file(CORP, content)
    parts = await whole(here.archive, file["sdkfileid"])
    same = b"".join(part.data for part in parts) == content
    assert same
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == file["md5sum"]


async def test_media_that_are_too_old_or_unknown(here: Place) -> None:
    file = here.simulator.control.archive_file(CORP, b"x" * 10)
    here.simulator.control.advance_clock(5 * 86400 + 60)
    with pytest.raises(Rejected) as expired:
        await whole(here.archive, file["sdkfileid"])
    assert expired.value.code == "expired"
    with pytest.raises(Rejected) as unknown:
        await whole(here.archive, "nothing")
    assert unknown.value.code == "bad_file"


async def test_a_platform_that_cannot_be_reached_is_tried_later(here: Place) -> None:
    here.add_key()
    here.says("在")
    await here.simulator.stop()
    with pytest.raises(RetryLater):
        await here.archive.archived_after(0, 10)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"secret": ""}, "no_secret"), ({"library": ""}, "no_library"), ({"library": "/nowhere.so"}, "no_library")],
)
async def test_what_somebody_has_to_do_first(here: Place, changes: dict[str, str], code: str) -> None:
    archive = ChatArchive(access(here.simulator.base_url, **changes))
    with pytest.raises(ArchiveUnready) as unready:
        await archive.archived_after(0, 10)
    assert unready.value.code == code


async def test_files_that_are_not_the_library(here: Place, tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    archive = ChatArchive(access(here.simulator.base_url, library=str(tmp_path / "text.so")))
    with pytest.raises(ArchiveUnready) as unready:
        await archive.archived_after(0, 10)
    assert unready.value.code == "not_loaded"


async def test_a_secret_that_the_platform_refuses(here: Place) -> None:
    archive = ChatArchive(access(here.simulator.base_url, secret="other"))
    with pytest.raises(Rejected) as refused:
        await archive.archived_after(0, 10)
    assert refused.value.code == "bad_parameter"
    await archive.close_archive()
