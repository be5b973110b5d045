"""Logs carry ids and errors; never what customers said, never a secret. Also when things go wrong."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from scrm.config import Settings
from scrm.logs import set_up_logs
from simulator.faults import Fault
from tests.company import AES_KEY, CLIENT_SECRET, PASSWORD, SECRET, TOKEN, Company, eventually
from tests.flows.reads import messages_of
from tests.flows.test_send import open_chat, say, state_is

WORDS = "机密话语七七四十九"


@pytest.fixture
def logged(settings: Settings) -> Iterator[io.StringIO]:
    """All that the service writes to its log, as it writes it."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    set_up_logs(settings.log.model_copy(update={"format": "json", "level": "debug"}))
    written = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield written
    root.handlers, root.level = before


async def test_neither_words_nor_secrets_are_logged(shop: Company, logged: io.StringIO) -> None:
    db = shop.services.db
    await db.execute(f"alter table message add constraint no_words check (text <> '{WORDS}毒')")
    for douyin in (False, True):
        who, conversation_id = await open_chat(shop, douyin=douyin)
        shop.wecom.faults.add(Fault("broken", "/cgi-bin/kf/send_msg"))
        shop.douyin.faults.add(Fault("drop_after", "/im/send/msg/"))
        message_id, _ = await say(shop, conversation_id, f"{WORDS}回复{douyin}")
        await state_is(shop, message_id, "sent", "uncertain")
        if douyin:
            shop.douyin.control.write(who, shop.shop, f"{WORDS}毒")
        else:
            shop.wecom.control.customer_says(shop.kf, who, f"{WORDS}毒")

    async def poisoned() -> bool:
        return int(await db.fetchval("select count(*) from inbound_event where state = 'failed'")) == 2

    await eventually(poisoned)
    assert await messages_of(shop, who)
    log = logged.getvalue()
    assert "cannot be handled" in log
    assert "no_words" in log, "the trouble itself must be logged"
    for secret in (WORDS, SECRET, TOKEN, AES_KEY, CLIENT_SECRET, PASSWORD):
        assert secret not in log, f"{secret[:6]}… was logged"


def test_forbidden_fields_are_blanked(logged: io.StringIO) -> None:
    import structlog

    structlog.get_logger("t").info("signed in", password="hunter2", agent_id=7)
    logging.getLogger("t").info("plain", extra={"token": "abc123", "agent_id": 8})
    written = logged.getvalue()
    assert '"agent_id": 7' in written
    assert '"agent_id": 8' in written
    assert "hunter2" not in written
    assert "abc123" not in written
