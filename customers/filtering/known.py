"""What a filter may speak of: each field's kind and its column, and what each kind can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "text", "words", "choice", "ids", "owner", "team", "tags", "time", "amount", "number", "date", "multi", "files",
    "phone", "flag", "channel", "account", "search", "option", "segment",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    kind: Kind
    column: str = ""


STANDARD: dict[str, Known] = {
    "search": Known("search"),
    "name": Known("words", "u.name"),
    "remark": Known("words", "u.remark"),
    "company": Known("words", "u.company"),
    "city": Known("text", "u.city"),
    "position": Known("text", "u.position"),
    "email": Known("text", "u.email"),
    "address": Known("text", "u.address"),
    "source": Known("text", "u.source"),
    "gender": Known("choice", "u.gender"),
    "stage": Known("ids", "u.stage_id"),
    "owner": Known("owner", "u.owner_id"),
    "created_by": Known("owner", "u.created_by"),
    "deleted_by": Known("owner", "u.deleted_by"),
    "team": Known("team"),
    "tags": Known("tags", "u.tags"),
    "value": Known("amount", "u.value_fen"),
    "phone": Known("phone"),
    "channel": Known("channel"),
    "account": Known("account"),
    "pool": Known("flag", "(u.owner_id is null and u.pooled_at is not null)"),
    "shared": Known("flag"),
    "segment": Known("segment"),
    "created_at": Known("time", "u.created_at"),
    "updated_at": Known("time", "u.updated_at"),
    "last_message_at": Known("time", "u.last_message_at"),
    "last_inbound_at": Known("time", "u.last_inbound_at"),
    "followed_at": Known("time", "u.followed_at"),
    "next_due_at": Known("time", "u.next_due_at"),
    "reclaim_at": Known("time", "u.reclaim_at"),
    "owned_at": Known("time", "u.owned_at"),
    "stage_at": Known("time", "u.stage_at"),
    "pooled_at": Known("time", "u.pooled_at"),
    "deleted_at": Known("time", "u.deleted_at"),
}

OF_CUSTOM: dict[str, Kind] = {
    "text": "text",
    "number": "number",
    "money": "number",
    "date": "date",
    "choice": "option",
    "multi": "multi",
    "phone": "phone",
    "file": "files",
}

COMPARED = ("is", "at_least", "at_most", "between", "empty", "filled")
IN_TIME = (
    "before",
    "after",
    "between",
    "period",
    "last_days",
    "not_last_days",
    "next_days",
    "overdue",
    "due",
    "empty",
    "filled",
)
OPS: dict[Kind, tuple[str, ...]] = {
    "text": ("contains", "not_contains", "is", "is_not", "in", "not_in", "empty", "filled"),
    "words": ("contains", "not_contains", "is", "is_not", "in", "not_in", "empty", "filled"),
    "choice": ("in", "not_in", "empty", "filled"),
    "option": ("in", "not_in", "empty", "filled"),
    "ids": ("in", "not_in", "empty", "filled"),
    "owner": ("in", "not_in", "empty", "filled"),
    "team": ("in", "not_in"),
    "tags": ("any", "all", "none", "empty", "filled"),
    "multi": ("any", "all", "none", "empty", "filled"),
    "files": ("empty", "filled"),
    "time": IN_TIME,
    "date": IN_TIME,
    "amount": COMPARED,
    "number": COMPARED,
    "phone": ("is", "ends", "empty", "filled"),
    "flag": ("is",),
    "channel": ("any", "none"),
    "account": ("any", "none"),
    "search": ("contains",),
    "segment": ("in", "not_in"),
}
