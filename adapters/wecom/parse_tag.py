"""Customer tags: ``change_external_tag`` (wecom.md section 11.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.wecom.callback import Callback
from scrm.channel import Event, Occurrence

_NAMES: Mapping[str, str] = {
    "create": "tag.created",
    "update": "tag.updated",
    "delete": "tag.deleted",
    "shuffle": "tag.reordered",
}


def changed(callback: Callback) -> Sequence[Event]:
    """Deleting a group of tags sends no events for its tags. A ``shuffle`` without ``Id`` reorders the groups themselves."""
    name = _NAMES.get(callback.change)
    if name is None:
        return (callback.unknown_change(),)
    if not callback["Id"] and callback.change != "shuffle":
        return (callback.lacks("Id"),)
    return (Occurrence(name, callback.at, data=callback.data),)
