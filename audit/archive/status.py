"""How reading the archives stands: the ledger of what was pulled, opened and fetched, and what would be lost if nobody acted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from audit.archive.shapes import (
    ArchiveCounts,
    ArchiveFiles,
    ArchiveGap,
    ArchiveKeyView,
    ArchiveTrouble,
    ArchiveView,
    ArchiveWaiting,
    UnknownKind,
)
from scrm.channel_archive import Archives
from scrm.connections import Loaded
from scrm.db import Row, Tx
from scrm.views import SentenceView

ROWS = "select * from archive where connection_id = any($1::bigint[])"
KEYS = """
select k.connection_id, k.version, k.fingerprint, k.added_at, a.name as added_by from archive_key k left join agent a on a.id = k.added_by
where k.connection_id = any($1::bigint[]) order by k.connection_id, k.version desc
"""
# All that was ever pulled is in the stretches; only what waits is counted row by row, by its own index.
PULLED = (
    "select connection_id, sum(n)::bigint as n from archive_range where connection_id = any($1::bigint[]) group by 1"
)
WAITING = """
select connection_id, state, reason, key_version, count(*) as n, min(pulled_at) as since from archive_record
where connection_id = any($1::bigint[]) and state <> 'done' group by 1, 2, 3, 4 order by 5 desc
"""
UNKNOWN = """
select connection_id, kind, count(*) as n from (
  select connection_id, kind from archive_record where connection_id = any($1::bigint[]) and not known limit 10000
) r group by 1, 2 order by 3 desc limit 50
"""
GAPS = """
select connection_id, lost_since, began_at from archive_range
where connection_id = any($1::bigint[]) and lost_since is not null order by id desc limit 20
"""
FILES = """
select connection_id, count(*) as n, min(expires_at) as first_expiry, max(attempts) as attempts from archive_media
where connection_id = any($1::bigint[]) group by 1
"""
LOST_FILES = """
select a.connection_id, f.state, count(*) as n from attachment f join message m on m.id = f.message_id
join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id
where f.handle ? 'archive' and f.state in ('failed', 'expired') and a.connection_id = any($1::bigint[]) group by 1, 2
"""

NOT_READ = (
    "会话存档已有较长时间没有读到最新，平台只保留 {days} 天，请尽快处理。",
    "The archive has not been read to its end for a while; the platform keeps {days} days only.",
)
NO_KEY = (
    "有记录因缺少私钥（版本 {version}）而无法打开。密文已经保存，添加私钥后会自动打开。",
    "Records wait for the private key of version {version}. What was sealed is stored and opens when the key is added.",
)
FILES_LATE = (
    "有文件还没有取回，最早的将在 {hours} 小时后被平台删除。",
    "Files are not fetched yet; the platform deletes the first of them in {hours} hours.",
)


async def archives(tx: Tx, found: Sequence[tuple[Loaded, Archives]], now: datetime) -> list[ArchiveView]:
    ids = [loaded.id for loaded, _ in found]
    rows = {row["connection_id"]: row for row in await tx.fetch(ROWS, ids)}
    keys = _grouped(await tx.fetch(KEYS, ids))
    pulled = {row["connection_id"]: row["n"] for row in await tx.fetch(PULLED, ids)}
    waiting = _grouped(await tx.fetch(WAITING, ids))
    unknown = _grouped(await tx.fetch(UNKNOWN, ids))
    gaps = _grouped(await tx.fetch(GAPS, ids))
    files = {row["connection_id"]: row for row in await tx.fetch(FILES, ids)}
    lost = {(row["connection_id"], row["state"]): row["n"] for row in await tx.fetch(LOST_FILES, ids)}
    return [
        _view(
            loaded, archive, rows.get(loaded.id), keys[loaded.id], pulled.get(loaded.id, 0), waiting[loaded.id],
            unknown[loaded.id], gaps[loaded.id], files.get(loaded.id), lost, now,
        )
        for loaded, archive in found
    ]  # fmt: skip


def _grouped(rows: Sequence[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["connection_id"]].append(row)
    return grouped


def _view(
    loaded: Loaded,
    archive: Archives,
    row: Row | None,
    keys: Sequence[Row],
    pulled: int,
    waiting: Sequence[Row],
    unknown: Sequence[Row],
    gaps: Sequence[Row],
    files: Row | None,
    lost: dict[tuple[int, str], int],
    now: datetime,
) -> ArchiveView:
    sealed = sum(one["n"] for one in waiting if one["state"] == "sealed")
    failed = sum(one["n"] for one in waiting if one["state"] == "failed")
    first_expiry = files["first_expiry"] if files is not None else None
    return ArchiveView(
        connection_id=loaded.id,
        name=loaded.name,
        keeps_days=archive.archive_keeps.days,
        pulled_at=row["pulled_at"] if row else None,
        caught_up_at=row["caught_up_at"] if row else None,
        trouble=_trouble(row),
        alarms=_alarms(archive, row, waiting, first_expiry, now),
        counts=ArchiveCounts(pulled=pulled, sealed=sealed, failed=failed, opened=max(pulled - sealed - failed, 0)),
        waiting=[
            ArchiveWaiting(state=one["state"], reason=one["reason"], key_version=one["key_version"], n=one["n"], since=one["since"])
            for one in waiting
        ],
        unknown=[UnknownKind(kind=one["kind"], n=one["n"]) for one in unknown],
        keys=[
            ArchiveKeyView(
                version=one["version"], fingerprint=one["fingerprint"], added_at=one["added_at"], added_by=one["added_by"]
            )
            for one in keys
        ],
        gaps=[ArchiveGap(lost_since=one["lost_since"], until=one["began_at"]) for one in gaps],
        files=ArchiveFiles(
            pending=files["n"] if files is not None else 0,
            first_expiry=first_expiry,
            expired=lost.get((loaded.id, "expired"), 0),
            failed=lost.get((loaded.id, "failed"), 0),
        ),
    )  # fmt: skip


def _trouble(row: Row | None) -> ArchiveTrouble | None:
    if row is None or row["trouble"] is None:
        return None
    told = row["trouble"]
    return ArchiveTrouble(
        reason=SentenceView(code=told["code"], zh=told["zh"], en=told["en"]), since=row["trouble_since"]
    )


def _alarms(
    archive: Archives, row: Row | None, waiting: Sequence[Row], first_expiry: datetime | None, now: datetime
) -> list[SentenceView]:
    """A third of the time that the platform keeps things is early enough to act, and late enough to mean something."""
    alarms = []
    third = archive.archive_keeps / 3
    days = archive.archive_keeps.days
    not_set_up = row is None or (row["trouble"] or {}).get("code") == "no_secret"
    if row is not None and not not_set_up and now - (row["caught_up_at"] or row["created_at"]) > third:
        alarms.append(_alarm("not_read", NOT_READ, days=days))
    keyless = sorted({one["key_version"] for one in waiting if one["reason"] in ("no_key", "wrong_key")})
    alarms += [_alarm("no_key", NO_KEY, version=version) for version in keyless]
    if first_expiry is not None and first_expiry - now < archive.archive_keeps - third:
        hours = max(int((first_expiry - now) / timedelta(hours=1)), 0)
        alarms.append(_alarm("files_late", FILES_LATE, hours=hours))
    return alarms


def _alarm(code: str, words: tuple[str, str], **values: object) -> SentenceView:
    return SentenceView(code=code, zh=words[0].format(**values), en=words[1].format(**values))
