"""What would be lost if nobody acted, told as alerts: long before the platform throws it away, once a day until it is mended."""

from __future__ import annotations

from datetime import UTC

from audit.alerts.raising import NewAlert, raise_alerts
from audit.archive.reading import archives_of
from audit.archive.shapes import ArchiveView
from audit.archive.status import archives
from scrm.services import Services, Work

LOOK_SECONDS = 300.0


class ArchiveAlarms:
    """:meth:`round` looks at all archives. Any number of processes: an alert's fingerprint makes it one."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def round(self) -> bool:
        connections = self._services.connections.all()
        found = [(one, archive) for one in connections if (archive := archives_of(one)) is not None]
        if found:
            async with self._services.work() as work:
                views = await archives(work.tx, found, work.now)
                await raise_alerts(work, [alert for view in views for alert in _alerts(work, view)])
        return False


def _alerts(work: Work, view: ArchiveView) -> list[NewAlert]:
    day = work.now.astimezone(UTC).date()
    return [
        NewAlert(
            kind=f"archive.{alarm.code}",
            severity="high",
            title={"zh-CN": f"{view.name}：{alarm.zh}", "en": f"{view.name}: {alarm.en}"},
            # What an alarm is about stands in its words (the version of a key); hours that are left change by themselves.
            fingerprint=f"archive:{view.connection_id}:{alarm.code}:{_about(alarm.code, alarm.en)}:{day}",
            happened_at=work.now,
            detail={"connection_id": view.connection_id},
        )
        for alarm in view.alarms
    ]


def _about(code: str, sentence: str) -> str:
    return sentence if code == "no_key" else ""
