"""Errors that carry what they mean.

An :class:`ApiError` has its HTTP status and stable code where it is defined, so routes translate nothing; any other exception
in a request is a bug and answers 500. A :class:`SendError` says what is certain about a send.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrm.channel import Sentence


class ApiError(Exception):
    """A refusal that a person (or a client program) should read. ``detail`` says what to do."""

    status = 400
    code = "bad_request"

    def __init__(self, detail: str, *, fields: Mapping[str, str] | None = None, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = dict(fields or {})
        if code is not None:
            self.code = code


class BadRequest(ApiError):
    """The request cannot be understood."""


class Unprocessable(ApiError):
    """The request is well-formed and some field has a value that is not allowed."""

    status = 422
    code = "invalid"


class NotSignedIn(ApiError):
    status = 401
    code = "not_signed_in"


class BadSignature(ApiError):
    """A webhook that the platform did not sign, or that is meant for somebody else."""

    status = 403
    code = "bad_signature"


class Forbidden(ApiError):
    status = 403
    code = "forbidden"


class NotFound(ApiError):
    status = 404
    code = "not_found"


class Conflict(ApiError):
    """The thing is not in a state in which this can be done."""

    status = 409
    code = "conflict"


class TooLarge(ApiError):
    status = 413
    code = "too_large"


class TooSlow(ApiError):
    """The rest of the request did not come."""

    status = 408
    code = "too_slow"


class UnsupportedEncoding(ApiError):
    """The body is compressed."""

    status = 415
    code = "unsupported_encoding"


class TooManyRequests(ApiError):
    status = 429
    code = "too_many_requests"

    def __init__(self, detail: str, *, retry_after: int = 1, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class Unavailable(ApiError):
    """A part that is needed (the database, a platform) does not answer now; the caller may try again."""

    status = 503
    code = "unavailable"


class ConfigError(Exception):
    """The configuration cannot be used; the message names the key and says what to write."""


class SendError(Exception):
    """Why a call to a platform did not succeed. ``code`` is stable (``wecom.95001``), ``reason`` is for people."""

    def __init__(self, code: str, reason: Sentence) -> None:
        super().__init__(f"{code}: {reason.en}")
        self.code = code
        self.reason = reason


class RetryLater(SendError):
    """Certainly not done; the same call may succeed after ``after`` seconds."""

    def __init__(self, code: str, reason: Sentence, *, after: float = 5.0) -> None:
        super().__init__(code, reason)
        self.after = after


class Rejected(SendError):
    """Certainly not done, and repeating it will not help. ``closes_window``: the platform says that no reply is allowed
    any more, so the stored window was wrong. ``needs_admin``: a person must mend the connection."""

    def __init__(self, code: str, reason: Sentence, *, closes_window: bool = False, needs_admin: bool = False) -> None:
        super().__init__(code, reason)
        self.closes_window = closes_window
        self.needs_admin = needs_admin


class Uncertain(SendError):
    """Nobody knows whether it was done: the connection broke or timed out after the request left."""
