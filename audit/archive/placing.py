"""Where a record belongs: a chat of an employee with a customer, a chat of employees, or a group.

A record names people, never an account. In a chat of two the employee is the account and the other one the contact; a chat inside the
company and a group stand at one of the employees in it, always the same one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from inbox.archived import Said, Withdrawn
from scrm.channel import AccountRef, ContactRef, GroupRef, MessageRecalled, MessageReceived, RemoteMedia, SenderKind
from scrm.channel_archive import ArchivedMessage

INSIDE = "inside:"
"""Begins the key of a chat inside the company, which has no id at the platform."""


@dataclass(frozen=True, slots=True)
class Place:
    account: str
    contact: str
    group: str = ""
    group_name: str = ""


def place_of(message: ArchivedMessage, homes: Mapping[str, str], names: Mapping[str, str]) -> Place | None:
    """``homes``: the account at which a group stands already. None: nobody of the company is in it."""
    members = sorted(message.members)
    if message.room:
        home = homes.get(message.room) or (members[0] if members else "")
        return Place(home, "", message.room) if home else None
    people = [message.sender, *message.receivers]
    others = [one for one in dict.fromkeys(people) if one and one not in message.members]
    if not members:
        return None
    if others:
        return Place(message.sender if message.sender in message.members else members[0], others[0])
    key = INSIDE + ",".join(members)
    return Place(homes.get(key) or members[0], "", key, "、".join(names.get(one) or one for one in members))


def group_key(message: ArchivedMessage) -> str:
    """Of a chat that stands at one of several accounts; empty: it is a chat with a customer."""
    if message.room:
        return message.room
    people = {message.sender, *message.receivers} - {""}
    return INSIDE + ",".join(sorted(message.members)) if people <= message.members and message.members else ""


def said(
    message: ArchivedMessage, place: Place, channel: str, at: datetime, names: Mapping[str, str], keeps: timedelta
) -> Said | None:
    """None: it says nothing in a chat."""
    account, contact = AccountRef(channel, place.account), ContactRef(place.contact)
    group = GroupRef(place.group, place.group_name) if place.group else None
    ours = message.sender in message.members
    if message.action == "recall":
        event = MessageRecalled(account, contact, message.recalls, "agent" if ours else "customer", at)
        return Withdrawn(event, group) if message.recalls else None
    if message.action != "send":
        return None
    return MessageReceived(
        account=account,
        contact=contact,
        message_id=message.message_id,
        direction="out" if ours else "in",
        kind=message.kind,
        text=message.text,
        sent_at=at,
        content=message.content,
        media=_dated(message.media, at + keeps),
        sender=SenderKind.AGENT if ours else SenderKind.CUSTOMER,
        sender_id=message.sender,
        sender_name=names.get(message.sender, ""),
        group=group,
    )


def _dated(media: Sequence[RemoteMedia], expires_at: datetime) -> tuple[RemoteMedia, ...]:
    return tuple(replace(one, expires_at=expires_at) for one in media)
