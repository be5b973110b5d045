"""The company's directory: ``change_contact`` (wecom.md section 11.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.wecom.callback import Callback
from scrm.channel import Event, Occurrence

_NAMES: Mapping[str, tuple[str, str]] = {
    "create_user": ("directory.user_created", "UserID"),
    "update_user": ("directory.user_updated", "UserID"),
    "delete_user": ("directory.user_deleted", "UserID"),
    "create_party": ("directory.party_created", "Id"),
    "update_party": ("directory.party_updated", "Id"),
    "delete_party": ("directory.party_deleted", "Id"),
    "update_tag": ("directory.tag_updated", "TagId"),
}
"""Change type to the name of the occurrence and the field that says what it is about."""


def changed(callback: Callback) -> Sequence[Event]:
    known = _NAMES.get(callback.change)
    if known is None:
        return (callback.unknown_change(),)
    name, subject = known
    if not callback[subject]:
        return (callback.lacks(subject),)
    return (Occurrence(name, callback.at, data=callback.data),)
