"""What makes a rule act on a customer, each as one statement that finds the customers it holds for.

The same statement answers "what would it have done" and "what does it do now": only its bounds differ. A cause is either something
that was *said* (read from messages, between two ids) or something that *is* (read from customers, of some or of all). Every one
comes with its moment: what a rule did for one customer it does again only for a later moment.
"""

# ruff: noqa: S608 - statements are made of constants; what people write is an argument
from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from scrm.views import Id

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Ids = Annotated[list[Id], Field(min_length=1, max_length=200)]
_BACK_REFERENCE = re.compile(r"\\[1-9]")

_HEARD = """
from message m join conversation c on c.id = m.conversation_id join contact k on k.id = c.contact_id
where m.id > $1 and m.id <= $2 and
"""
_OF = "($1::bigint[] is null or u.id = any($1))"


class Cause(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def heard(self) -> bool:
        """Read from messages between $1 and $2; else from the customers $1 (null: all), at the time $2."""
        return False

    def sql(self) -> tuple[str, list[Any]]:
        """Columns ``customer_id`` and ``at``; the arguments after the two bounds."""
        raise NotImplementedError


class Said(Cause):
    """The customer wrote one of the words, or something that the expression (PostgreSQL's) fits."""

    on: Literal["said"]
    words: Annotated[list[Word], Field(default_factory=list, max_length=100)]
    expression: Annotated[str, Field(max_length=300)] = ""

    @field_validator("expression")
    @classmethod
    def _simple(cls, value: str) -> str:
        # Without them the database's own matching takes time in proportion to the text.
        if _BACK_REFERENCE.search(value):
            raise ValueError("Back references such as \\1 are not allowed here: they can take for ever.")
        if "\x00" in value:
            raise ValueError("An expression has no zero bytes.")
        return value

    @model_validator(mode="after")
    def _something(self) -> Said:
        if not self.words and not self.expression.strip():
            raise ValueError("Write words or an expression.")
        return self

    @property
    def heard(self) -> bool:
        return True

    def sql(self) -> tuple[str, list[Any]]:
        words = [re.sub(r"([\\%_])", r"\\\1", word) for word in self.words]
        return (
            f"select k.customer_id, max(m.created_at) as at {_HEARD} m.direction = 'in' and m.text <> '' and "
            "(search_fold(m.text) like any(select '%' || search_fold(w) || '%' from unnest($3::text[]) w) "
            "or ($4 <> '' and m.text ~* $4)) group by 1",
            [words, self.expression.strip()],
        )


class Replied(Cause):
    """One of us answered them."""

    on: Literal["replied"]

    @property
    def heard(self) -> bool:
        return True

    def sql(self) -> tuple[str, list[Any]]:
        return (
            f"select k.customer_id, max(m.created_at) as at {_HEARD} m.direction = 'out' and m.sender_kind in ('agent', 'app') "
            "and m.state in ('queued', 'sending', 'sent', 'uncertain') group by 1",
            [],
        )


class LeadCard(Cause):
    """They filled in a form that leaves their number."""

    on: Literal["lead_card"]

    @property
    def heard(self) -> bool:
        return True

    def sql(self) -> tuple[str, list[Any]]:
        return (
            f"select k.customer_id, max(m.created_at) as at {_HEARD} m.direction = 'in' and m.kind = 'lead_card' group by 1",
            [],
        )


class Source(Cause):
    """Where they came from: one of the sources (the name that a code or an import gave), and one of the channels. All that is given."""

    on: Literal["source"]
    sources: Annotated[list[Word], Field(default_factory=list, max_length=100)]
    channels: Annotated[list[Word], Field(default_factory=list, max_length=50)]

    @model_validator(mode="after")
    def _something(self) -> Source:
        if not (self.sources or self.channels):
            raise ValueError("Choose a source or a channel.")
        return self

    def sql(self) -> tuple[str, list[Any]]:
        return (
            f"""select u.id as customer_id, 'epoch'::timestamptz as at from customer u where {_OF} and $2::timestamptz is not null
            and ($3::text[] = '{{}}' or u.source = any($3) or exists (
              select from contact k join contact_link l on l.contact_id = k.id where k.customer_id = u.id and l.source = any($3)))
            and ($4::text[] = '{{}}' or exists (
              select from contact k join conversation c on c.contact_id = k.id join account a on a.id = c.account_id
              where k.customer_id = u.id and a.channel = any($4)) or exists (
              select from contact k join contact_link l on l.contact_id = k.id join account a on a.id = l.account_id
              where k.customer_id = u.id and a.channel = any($4)))""",
            [self.sources, self.channels],
        )


class Silent(Cause):
    """Nothing happened with them for so many days: no message, no follow-up."""

    on: Literal["silent"]
    days: Annotated[int, Field(ge=1, le=3650)]

    def sql(self) -> tuple[str, list[Any]]:
        last = "greatest(u.created_at, u.last_message_at, u.followed_at)"
        return (
            f"select u.id as customer_id, {last} as at from customer u where {_OF} and {last} <= $2::timestamptz - $3 * interval '1 day'",
            [self.days],
        )


class Value(Cause):
    """They are worth at least so much."""

    on: Literal["value"]
    fen: Annotated[int, Field(ge=0, le=2**62)]

    def sql(self) -> tuple[str, list[Any]]:
        return (
            f"select u.id as customer_id, 'epoch'::timestamptz as at from customer u where {_OF} and $2::timestamptz is not null "
            "and u.value_fen >= $3",
            [self.fen],
        )


class Entered(Cause):
    """They came into one of the stages."""

    on: Literal["stage"]
    stage_ids: Ids

    def sql(self) -> tuple[str, list[Any]]:
        return (
            "select h.customer_id, max(h.at) as at from stage_history h where ($1::bigint[] is null or h.customer_id = any($1)) "
            "and h.at <= $2 and h.to_id = any($3::bigint[]) group by 1",
            [self.stage_ids],
        )


class HasTag(Cause):
    """They got one of the tags."""

    on: Literal["tag"]
    tag_ids: Ids

    def sql(self) -> tuple[str, list[Any]]:
        return (
            f"select u.id as customer_id, 'epoch'::timestamptz as at from customer u where {_OF} and $2::timestamptz is not null "
            "and u.tags && $3::bigint[]",
            [self.tag_ids],
        )


class FollowedUp(Cause):
    """Somebody noted a follow-up, of one of the kinds (none: of any)."""

    on: Literal["follow_up"]
    kinds: Annotated[list[Word], Field(default_factory=list, max_length=50)]

    def sql(self) -> tuple[str, list[Any]]:
        return (
            "select f.customer_id, max(f.created_at) as at from follow_up f where ($1::bigint[] is null or f.customer_id = any($1)) "
            "and f.created_at <= $2 and f.deleted_at is null and ($3::text[] = '{}' or f.kind = any($3)) group by 1",
            [self.kinds],
        )


class Made(Cause):
    """They became known, by whatever way."""

    on: Literal["made"]

    def sql(self) -> tuple[str, list[Any]]:
        return (
            f"select u.id as customer_id, 'epoch'::timestamptz as at from customer u where {_OF} and $2::timestamptz is not null",
            [],
        )


TagCause = Annotated[Said | Source | Silent | Value | Entered | LeadCard, Field(discriminator="on")]
StageCause = Annotated[
    Made | Replied | FollowedUp | HasTag | Silent | LeadCard | Source | Said, Field(discriminator="on")
]


class _Rule(BaseModel):
    """``stopped``: why the service itself switched the rule off; cleared when it is changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stopped: Literal["", "too_slow", "bad_expression"] = ""


class TagRule(_Rule):
    """What holds for a customer gives them tags."""

    cause: TagCause
    tag_ids: Annotated[list[Id], Field(min_length=1, max_length=10)]


class StageRule(_Rule):
    """What holds for a customer moves them on: only ever forward, and never out of a stage that is won or lost. So rules that cause
    each other come to an end, whatever they are."""

    cause: StageCause
    stage_id: Id


MODELS: dict[str, type[TagRule] | type[StageRule]] = {"tag": TagRule, "stage": StageRule}
