"""Customer groups: ``change_external_chat`` (wecom.md section 11.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.wecom.callback import Callback
from scrm.channel import Event, Occurrence

_NAMES: Mapping[tuple[str, str], str] = {
    ("create", ""): "group.created",
    ("dismiss", ""): "group.dismissed",
    ("update", "add_member"): "group.member_added",
    ("update", "del_member"): "group.member_removed",
    ("update", "change_owner"): "group.owner_changed",
    ("update", "change_name"): "group.renamed",
    ("update", "change_notice"): "group.notice_changed",
}


def changed(callback: Callback) -> Sequence[Event]:
    """``MemChangeCnt`` is not to be trusted against ``MemChangeList``: compare ``LastMemVer`` with the stored version
    first (wecom.md section 23)."""
    detail = callback["UpdateDetail"] if callback.change == "update" else ""
    name = _NAMES.get((callback.change, detail))
    if name is None:
        return (callback.unknown_change(),)
    if not callback["ChatId"]:
        return (callback.lacks("ChatId"),)
    return (Occurrence(name, callback.at, data=callback.data),)
