"""Customer groups as recipients: the task of a group is its owner's."""

from __future__ import annotations

from collections.abc import Sequence

from campaigns.audience.places import Place
from campaigns.shapes import Audience
from customers.filtering import Arguments


def decide_groups(audience: Audience, where: Sequence[Place]) -> tuple[str, list[object], int]:
    """As :func:`campaigns.audience.decide.decide`, for group chats; all of them at once."""
    arguments = Arguments()
    ids = arguments.add(list(audience.group_ids), "bigint[]")
    wanted = arguments.add(list(audience.account_ids), "bigint[]")
    channels = arguments.add([p.channel for p in where], "text[]")
    connections = arguments.add([p.connection_id for p in where], "bigint[]")
    paused = arguments.add([p.paused for p in where], "bool[]")
    sql = f"""
select g.id as group_chat_id, null::bigint as contact_id, a.id as account_id, g.connection_id, null::bigint as conversation_id,
  case when a.id is null then '' else 'task' end as way,
  case when a.id is null then 'no_account' when p.paused or a.disabled_at is not null then 'account_paused' else '' end as reason
from group_chat g
left join unnest({channels}, {connections}, {paused}) p (channel, connection_id, paused) on p.connection_id = g.connection_id
left join account a on a.connection_id = g.connection_id and a.channel = p.channel and a.external_id = g.owner_id
  and (cardinality({wanted}) = 0 or a.id = any({wanted}))
where g.dissolved_at is null and (cardinality({ids}) = 0 or g.id = any({ids}))
"""  # noqa: S608 - made of constants; values are parameters
    return sql, arguments.values, -1
