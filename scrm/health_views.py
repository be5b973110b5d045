"""How connections are doing, for administrators: all of them in a few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from scrm.channel import Authorises
from scrm.connections import Connections, lag_seconds
from scrm.db import Row, Tx
from scrm.routes_accounts import COLUMNS, account_view
from scrm.views import AccountView, SentenceView, View, sentence_view

CONNECTIONS = """
select c.id, c.provider, c.key, c.name, c.settings, c.paused_at is not null as paused, h.last_event_at, h.last_sent_at,
  h.last_error_at, h.last_error, h.attention, h.token_until, h.person_by
from connection c left join connection_health h on h.connection_id = c.id
where $1::bigint is null or c.id = $1 order by c.id
"""
NEW = (
    "select connection_id, count(*) as n, min(received_at) as oldest from inbound_event where state = 'new' group by 1"
)
FAILED = "select connection_id, count(*) as n from inbound_event where state = 'failed' group by 1"
QUEUED = "select connection_id, count(*) as n from outbox group by 1"
ACCOUNTS = f"select {COLUMNS} from account a order by a.position, a.id"  # noqa: S608


class HealthView(View):
    last_event_at: datetime | None
    last_sent_at: datetime | None
    last_error_at: datetime | None
    last_error: SentenceView | None
    attention: SentenceView | None
    token_until: datetime | None
    person_by: datetime | None
    lag_seconds: float | None
    new_events: int
    failed_events: int
    queued_sends: int


class ConnectionView(View):
    """Settings without secrets, which nobody can read back."""

    id: int
    provider: str
    key: str
    name: str
    settings: dict[str, str]
    paused: bool
    webhook_path: str
    health: HealthView
    accounts: list[AccountView]
    authorises: bool


@dataclass(slots=True)
class Backlogs:
    """By connection id."""

    new: Mapping[int, Row]
    failed: Mapping[int, Row]
    queued: Mapping[int, Row]
    accounts: dict[int, list[AccountView]] = field(default_factory=dict)


async def connection_views(
    tx: Tx, connections: Connections, now: datetime, connection_id: int | None = None
) -> list[ConnectionView]:
    rows = await tx.fetch(CONNECTIONS, connection_id)
    backlogs = Backlogs(
        _by_connection(await tx.fetch(NEW)),
        _by_connection(await tx.fetch(FAILED)),
        _by_connection(await tx.fetch(QUEUED)),
    )
    channels = connections.channels()
    for account in await tx.fetch(ACCOUNTS):
        backlogs.accounts.setdefault(account["connection_id"], []).append(account_view(account, channels))
    return [_view(row, backlogs, connections, now) for row in rows]


def _view(row: Row, backlogs: Backlogs, connections: Connections, now: datetime) -> ConnectionView:
    held = connections.held(row["id"])
    return ConnectionView(
        id=row["id"],
        provider=row["provider"],
        key=row["key"],
        name=row["name"],
        settings={name: str(value) for name, value in row["settings"].items()},
        paused=row["paused"],
        webhook_path=f"/webhooks/{row['provider']}/{row['key']}",
        health=_health(row, backlogs, now),
        accounts=backlogs.accounts.get(row["id"], []),
        authorises=held is not None and isinstance(held.adapter, Authorises),
    )


def _health(row: Row, backlogs: Backlogs, now: datetime) -> HealthView:
    new = backlogs.new.get(row["id"])
    return HealthView(
        last_event_at=row["last_event_at"],
        last_sent_at=row["last_sent_at"],
        last_error_at=row["last_error_at"],
        last_error=sentence_view(row["last_error"], "error"),
        attention=sentence_view(row["attention"], "attention"),
        token_until=row["token_until"],
        person_by=row["person_by"],
        lag_seconds=lag_seconds(now, new["oldest"]) if new else 0.0,
        new_events=new["n"] if new else 0,
        failed_events=_number(backlogs.failed, row["id"]),
        queued_sends=_number(backlogs.queued, row["id"]),
    )


def _number(rows: Mapping[int, Row], connection_id: int) -> int:
    row = rows.get(connection_id)
    return int(row["n"]) if row is not None else 0


def _by_connection(rows: Sequence[Row]) -> dict[int, Row]:
    return {row["connection_id"]: row for row in rows}
