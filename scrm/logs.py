"""Structured logs. They carry ids, counts and errors; never message text, never secrets: whoever logs passes ids.

The text of an exception may quote what it choked on (PostgreSQL's DETAIL holds whole rows), so a failure is logged as where it
happened and what kind it was; its text only for kinds that are written for logs.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import asyncpg
import structlog

from scrm.config import LogSettings
from scrm.errors import ConfigError, SendError

FORBIDDEN = frozenset(
    {
        "password",
        "secret",
        "secrets",
        "token",
        "access_token",
        "cookie",
        "authorization",
        "text",
        "content",
        "body",
        "raw",
    }
)
"""Fields that must not be logged whatever somebody wrote; a last net, not the rule."""


def set_up_logs(settings: LogSettings) -> None:
    """Everything, the libraries' logs too, goes to standard error as text (a terminal) or JSON lines."""
    as_json = settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Any = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else structlog.dev.ConsoleRenderer()
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_forbidden,
                _failures_without_values,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level.upper())
    for noisy in ("apscheduler", "asyncio", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Its pool tells with a stack trace, again and again, that the database is away; our own loops say it in a line.
    logging.getLogger("asyncpg").setLevel(logging.ERROR)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _without_forbidden(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in FORBIDDEN & event.keys():
        event[key] = "…"
    return event


def _failures_without_values(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found if isinstance(found, BaseException) else sys.exc_info()[1]
    if found and error is not None:
        event["exception"] = failure(error)
    return event


def failure(error: BaseException) -> str:
    """Where and what, without the values: the frames of the traceback, and :func:`kind_of` the error and its causes."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{failure(cause)}\nwhich led to\n" if cause is not None else ""
    return f"{before}{frames}{kind_of(error)}"


def kind_of(error: BaseException) -> str:
    """The kind of an error, with its text where that cannot hold what people wrote."""
    name = type(error).__name__
    if isinstance(error, asyncpg.PostgresError) and not isinstance(error, asyncpg.DataError):
        # The first argument is the primary message; DETAIL, which may hold a row, is kept apart from it. (The messages of
        # data errors quote the value.)
        return f"{name}: {error.args[0] if error.args else ''}"
    if isinstance(error, ConfigError | SendError | OSError):
        return f"{name}: {error}"
    return name
