"""The company's archive, played; mixed into the control interface."""

from __future__ import annotations

from abc import abstractmethod

from scrm.clock import ShiftedClock
from simulator.control import operation
from simulator.wecom.archive import Archive
from simulator.wecom.state import ArchiveConsent, Corp, JsonObject


class ArchiveControl:
    archive: Archive
    clock: ShiftedClock

    @abstractmethod
    def _corp(self, corp_id: str) -> Corp: ...

    @operation
    def buy_archive(self, corp_id: str, secret: str, members: list[str]) -> None:
        """The company has the chat archive for these members."""
        corp = self._corp(corp_id)
        corp.archive_secret, corp.archive_members = secret, list(members)

    @operation
    def add_archive_key(self, corp_id: str, public_pem: str) -> int:
        """The administrator uploads a public key; returns its version."""
        return self.archive.add_key(self._corp(corp_id), public_pem)

    @operation
    def archive_says(
        self, corp_id: str, record: JsonObject, version: int = 0, msgid: str = "", crash: bool = False
    ) -> int:
        """Something was said in a chat of a member; the record as the platform would give it. Returns its seq."""
        return self.archive.say(self._corp(corp_id), record, version=version, msgid=msgid, crash=crash)

    @operation
    def archive_file(self, corp_id: str, content: bytes) -> JsonObject:
        """A file of a chat: what its record says of it."""
        file = self.archive.put_file(self._corp(corp_id), content)
        return {"sdkfileid": file.file_id, "md5sum": file.md5, "filesize": len(content)}

    @operation
    def archive_consents(self, corp_id: str, where: str, external_userid: str, status: str) -> None:
        """A customer says that a chat may be archived or not; ``where``: the member's userid, or the group's id."""
        if status not in ("Agree", "Disagree", "Default_Agree"):
            raise ValueError("status is Agree, Disagree or Default_Agree")
        corp = self._corp(corp_id)
        at = int(self.clock.now().timestamp())
        name = where.lower() if where.lower() in corp.members else where
        corp.archive_consents[f"{name}/{external_userid}"] = ArchiveConsent(status, at)

    @operation
    def crash_archive_library(self, times: int = 1) -> None:
        """The next calls end the process that has the library."""
        self.archive.crashes = times
