"""Chats that others hold in their own clients, written down here: nobody has to answer them, so they wait for nobody and open nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inbox import arrivals, rows
from inbox.arrivals import Arrival
from inbox.outcomes import recall_messages
from inbox.receive import Key, Scene, find_scene
from inbox.rows import Conversation
from scrm.channel import GroupRef, Kind, MessageRecalled, MessageReceived
from scrm.connections import Loaded
from scrm.normalise import Batch, Item
from scrm.services import Work


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A recall, with the place it happened in."""

    event: MessageRecalled
    group: GroupRef | None


Said = MessageReceived | Withdrawn


async def write_down(work: Work, connection: Loaded, said: Sequence[Said]) -> list[int | None]:
    """Writes messages and recalls; what was there before stays as it is. Returns the conversation of each; None: it has no place here,
    since its account is unknown. Raises what the database says of content that it does not take."""
    events = [one.event if isinstance(one, Withdrawn) else one for one in said]
    places = [_as_message(one) for one in said]
    items = [Item(0, ordinal, work.now, event) for ordinal, event in enumerate(events)]
    scene = await find_scene(work, Batch(connection, items), places, [])
    found = [_conversation(scene, one) for one in places]
    for conversation in found:
        if conversation is not None and conversation.last_seq == 0 and conversation.status == "open":
            # New: there is nothing to do in it, so it stands where finished ones are.
            conversation.status, conversation.closed_at, conversation.changed = "closed", work.now, True
    pairs = list(zip(said, found, strict=True))
    messages = [Arrival(where, one, None) for one, where in pairs if isinstance(one, MessageReceived) and where]
    if messages:
        await arrivals.write(work, messages, quiet=True)
    recalls = [
        (items[n], where, one.event) for n, (one, where) in enumerate(pairs) if isinstance(one, Withdrawn) and where
    ]
    await recall_messages(work, recalls)
    await rows.save(work, {one.id: one for one in [*scene.conversations.values(), *scene.renamed]}.values())
    return [where.id if where is not None else None for where in found]


def _as_message(one: Said) -> MessageReceived:
    """A recall in a chat makes the chat, as a message does: it may come first."""
    if isinstance(one, MessageReceived):
        return one
    event = one.event
    return MessageReceived(
        event.account, event.contact, event.message_id, "in", Kind.SYSTEM, "", event.at, group=one.group
    )


def _conversation(scene: Scene, event: MessageReceived) -> Conversation | None:
    key: Key | None = scene.key(event.account, event.contact, event.group)
    return None if key is None else scene.conversations.get(key)
