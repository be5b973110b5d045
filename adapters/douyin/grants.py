"""What is remembered of each account's authorisation. Kept in the connection's durable state, keyed by open id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from adapters.douyin.reading import int_in, object_in, text_in
from scrm.channel import JsonObject
from scrm.clock import from_seconds

STATE_NAME = "grants"
MOST_RENEWALS = 5
REFRESH_TOKEN_LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Grant:
    """Times are Unix seconds. ``dead`` is the code with which the platform refused these tokens for good."""

    open_id: str
    access_token: str
    access_until: int
    refresh_token: str
    refresh_until: int
    renewals: int = 0
    name: str = ""
    avatar: str = ""
    dead: str = ""

    @property
    def renewals_left(self) -> int:
        return max(0, MOST_RENEWALS - self.renewals)

    @property
    def access_ends(self) -> datetime:
        return from_seconds(self.access_until)

    @property
    def refresh_ends(self) -> datetime:
        return from_seconds(self.refresh_until)

    def refreshed(self, answer: JsonObject, now: datetime) -> Grant:
        """With the fields of an answer of ``/oauth/refresh_token/``; it does not prolong the refresh token."""
        return replace(
            self,
            access_token=text_in(answer, "access_token"),
            access_until=ends(now, int_in(answer, "expires_in")),
            refresh_token=text_in(answer, "refresh_token") or self.refresh_token,
            dead="",
        )

    def renewed(self, answer: JsonObject, now: datetime) -> Grant:
        """With the fields of an answer of ``/oauth/renew_refresh_token/``: the old refresh token is dead from now on."""
        return replace(
            self,
            refresh_token=text_in(answer, "refresh_token"),
            refresh_until=ends(now, int_in(answer, "expires_in")),
            renewals=self.renewals + 1,
            dead="",
        )

    def refused(self, code: str, *, access_too: bool) -> Grant:
        """The refresh token is dead; the access token may have been refused before."""
        return replace(self, dead=code, access_until=0 if access_too else self.access_until)


def ends(now: datetime, seconds: int) -> int:
    return int(now.timestamp()) + max(0, seconds)


def new_grant(answer: JsonObject, now: datetime) -> Grant:
    """From the answer to an authorisation code."""
    return Grant(
        open_id=text_in(answer, "open_id"),
        access_token=text_in(answer, "access_token"),
        access_until=ends(now, int_in(answer, "expires_in")),
        refresh_token=text_in(answer, "refresh_token"),
        refresh_until=ends(now, int_in(answer, "refresh_expires_in")),
    )


def grants_in(state: JsonObject) -> dict[str, Grant]:
    stored = object_in(state.get(STATE_NAME))
    return {open_id: read_grant(open_id, object_in(fields)) for open_id, fields in stored.items()}


def read_grant(open_id: str, fields: JsonObject) -> Grant:
    return Grant(
        open_id=open_id,
        access_token=text_in(fields, "access_token"),
        access_until=int_in(fields, "access_until"),
        refresh_token=text_in(fields, "refresh_token"),
        refresh_until=int_in(fields, "refresh_until"),
        renewals=int_in(fields, "renewals"),
        name=text_in(fields, "name"),
        avatar=text_in(fields, "avatar"),
        dead=text_in(fields, "dead"),
    )


def with_grant(grant: Grant) -> Callable[[JsonObject], JsonObject]:
    """The change that stores a new authorisation, whatever was there."""

    def change(state: JsonObject) -> JsonObject:
        fields = asdict(grant)
        del fields["open_id"]
        return {**state, STATE_NAME: {**object_in(state.get(STATE_NAME)), grant.open_id: fields}}

    return change


def changing(seen: Grant, change: Callable[[Grant], Grant]) -> Callable[[JsonObject], JsonObject]:
    """``change`` applied to what is stored now; nothing when that has another refresh token than ``seen``: somebody renewed or
    authorised again meanwhile, and that grant is better."""

    def changed(state: JsonObject) -> JsonObject:
        current = grants_in(state).get(seen.open_id)
        if current is None or current.refresh_token != seen.refresh_token:
            return state
        return with_grant(change(current))(state)

    return changed
