"""A fuzzer over the description: no 5xx, and no answer that the description does not know."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from scrm.services import Services
from scrm.sessions import open_session
from tests.http.site import Site, running

EXAMPLES = 8
PARTS = 4
"""Tests that share the routes, so that several processes do."""
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
# Signing out, or locking the fuzzer out, would make every later call a 401.
KEPT = {("DELETE", "/api/session"), ("DELETE", "/api/sessions/{session_id}"), ("PATCH", "/api/agents/{agent_id}")}


@pytest.fixture
async def furnished(services: Services) -> AsyncIterator[tuple[Site, dict[str, str]]]:
    """Rows of every kind, so that ids from 1 on exist; and an administrator."""
    async with running(services) as site:
        admin = await site.agent("admin")
        await site.team("售前")
        account = await site.account(await site.connection())
        for number in range(6):
            conversation = await site.conversation(account)
            for text in ("你好", "在吗"):
                message = await site.says(conversation, f"{text}{number}")
            await site.recalls(message)
        await services.db.execute(
            "insert into inbound_event (connection_id, source, dedupe_key, body, state) values (1, 'webhook', 'k', 'x', 'failed')"
        )
        await services.db.execute("insert into job (kind, dedupe_key, state) values ('fetch_media', '1', 'failed')")
        async with services.work() as work:
            opened = await open_session(work, admin, address="", user_agent="", days=1)
        yield site, {"Cookie": f"scrm_session={opened.token}", "X-CSRF-Token": opened.csrf_token}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
async def test_no_5xx_and_no_undocumented_answer(furnished: tuple[Site, dict[str, str]], part: int) -> None:
    site, headers = furnished
    schema = await asyncio.to_thread(schemathesis.openapi.from_url, f"{site.base}/openapi.json")
    operations: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
    assert len(operations) == len(site.table)
    found = await asyncio.to_thread(_fuzz_all, operations[part::PARTS], headers)
    assert not found, "\n\n".join(found)


def _fuzz_all(operations: list[Any], headers: dict[str, str]) -> list[str]:
    found = []
    for operation in operations:
        if (operation.method.upper(), operation.path) in KEPT:
            continue
        try:
            _fuzz(operation, headers)
        except (Exception, BaseExceptionGroup) as error:
            found.append(f"{operation.method.upper()} {operation.path}: {error}")
    return found


def _fuzz(operation: Any, headers: dict[str, str]) -> None:
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            for name, value in (case.path_parameters or {}).items():
                if isinstance(value, int) and abs(value) > 20:
                    # Mostly things that exist: far ids all end in the same 404.
                    case.path_parameters[name] = abs(value) % 7 + 1
            case.call_and_validate(headers=headers, checks=list(CHECKS), timeout=20)

        with contextlib.suppress(Unsatisfiable):
            one()
